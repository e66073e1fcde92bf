//! One attempt: recipients of one entry over one open link. No MAIL without a permit for this link and transaction.
//!
//! Called by `Delivery::work`. Promises: what must hold is looked up anew, and mail that asks for more than its lane gives
//! moves to a stricter lane; every recipient gets one outcome. Fails into `settle`, never silently.

use super::Delivery;
use super::attempted::{Attempt, Attempted, Setting};
use super::needs;
use super::open_link::OpenLink;
use super::outgoing::{Message, Outgoing};
use crate::clock::{EntryId, Now};
use crate::mail::{Envelope, Recipient};
use crate::policy::{Asked, Requirement};
use crate::queue::{Destination, Entry, Task, Warm, entry};
use crate::smtp::client::{Outcome, Refusal, Reuse, Sequel};
use crate::store::StoreError;
use crate::vocabulary::Reason;
use bytes::Bytes;
use std::sync::Arc;

/// An entry with its message, ready to be sent.
pub(super) struct Loaded {
    pub entry: Arc<Entry>,
    pub body: Outgoing,
    /// The room that it takes, until its attempt is over.
    _warm: Option<Warm>,
}

/// What one transaction left.
struct Transacted {
    link: Option<OpenLink>,
    /// Recipients that go at once, in another transaction.
    again: Vec<u16>,
}

impl Delivery {
    /// Attempts a task; returns the link if it can be used again.
    pub(super) async fn attempt(self: &Arc<Self>, link: OpenLink, task: Task) -> Option<OpenLink> {
        let turn = self.under_way.begin(task.entry);
        let kept = self.attempt_in_turn(link, task).await;
        self.end(turn);
        kept
    }

    async fn attempt_in_turn(self: &Arc<Self>, link: OpenLink, mut task: Task) -> Option<OpenLink> {
        let is_cold = task.warm.is_none();
        let loaded = match self.load(&mut task).await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => {
                tracing::warn!(entry = %task.entry, "an entry that was to be attempted is gone");
                return Some(link);
            }
            Err(error) => {
                tracing::error!(entry = %task.entry, %error, "an entry cannot be read back and waits");
                self.put_off(task);
                return Some(link);
            }
        };
        if is_cold && !is_whole(&loaded).await {
            tracing::error!(entry = %task.entry, "a message is damaged or missing on the disk: it is not sent, and its sender is told");
            let outcomes = all(&task, &Refusal { reason: Reason::MessageDamaged, status: None });
            self.settle(attempt(task, &loaded.entry, outcomes, Setting::default())).await;
            return Some(link);
        }
        self.move_to_their_lanes(&mut task, &loaded.entry);
        let refused = self.kept_from_relay(&task, &loaded.entry);
        if !refused.is_empty() {
            let (kept, rest) = split(task, |r| refused.iter().any(|a| a.recipient == *r));
            self.settle(attempt(kept, &loaded.entry, refused, Setting::default())).await;
            task = rest;
        }
        if task.recipients.is_empty() {
            return Some(link);
        }
        self.transact(link, task, loaded).await
    }

    /// Transactions on one link until each recipient has had one; what the link cannot carry another one takes at once.
    async fn transact(self: &Arc<Self>, mut link: OpenLink, mut task: Task, loaded: Loaded) -> Option<OpenLink> {
        loop {
            let now = link.portion(&task.recipients, &loaded.entry);
            if now.is_empty() || *self.stopping.borrow() {
                self.schedule.push(task);
                link.quit().await;
                return None;
            }
            let (portion, rest) = split(task, |r| now.contains(r));
            let Transacted { link: kept, again } = self.transaction(link, portion, &loaded).await;
            task = rest.for_recipients(rest.recipients.iter().copied().chain(again).collect());
            match (kept, task.recipients.is_empty()) {
                (Some(mut kept), false) => {
                    // A reply that nobody asked for would be believed as the next transaction's.
                    if !kept.connection.is_quiet() {
                        self.schedule.push(task);
                        return None;
                    }
                    link = kept;
                }
                (Some(kept), true) if kept.is_spent() => {
                    kept.quit().await;
                    return None;
                }
                (kept, true) => return kept,
                (None, false) => {
                    self.schedule.push(task);
                    return None;
                }
            }
        }
    }

    async fn transaction(self: &Arc<Self>, mut link: OpenLink, task: Task, loaded: &Loaded) -> Transacted {
        let entry = &loaded.entry;
        let asked = Asked { level: task.lane.level, require_tls: entry.envelope.goes_by_require_tls_only() };
        let permit = match link.permit(asked, &self.requirements(&task, entry)) {
            Ok(permit) => permit,
            Err(reason) => {
                if link.record.is_unprotected() && task.attempts == 0 && entry.is_in_class() {
                    self.metrics.kept_from_cleartext.inc_by(task.recipients.len() as u64);
                }
                let outcomes = all(&task, &Refusal { reason, status: None });
                self.settle(attempt(task, entry, outcomes, Setting::of(&link.record.link))).await;
                return Transacted { link: Some(link), again: Vec::new() };
            }
        };
        // RFC 8689 2: it is said only where it holds. Of reports alone it is left out elsewhere (5).
        let require_tls = entry.envelope.require_tls && link.record.link.no_require_tls.is_none();
        let envelope = Envelope { recipients: chosen(entry, &task.recipients), require_tls, ..entry.envelope.clone() };
        let size = entry.size + entry.received.len() as u64;
        let message = Message { received: &entry.received, body: loaded.body.clone(), size };
        let offer = link.connection.offer();
        let setting = Setting { offers_dsn: offer.dsn, ..Setting::of(&link.record.link) };
        let envelope = needs::fitted(envelope, offer, &loaded.body).await;
        let (sent, record) = link.send(permit, &envelope, message).await;
        if sent.reuse == Reuse::CloseAndSayData {
            tracing::warn!(
                host = record.link.host,
                "the host offers CHUNKING and does not know BDAT: DATA from now on"
            );
            self.memory.say_data(&record.link.host);
        }
        let (again, over) = sent.outcomes.into_iter().partition::<Vec<_>, _>(|o| o.sequel == Sequel::AtOnce);
        let number = |o: &Outcome| task.recipients.get(o.recipient).copied();
        let again = again.iter().filter_map(number).collect();
        self.count_unknown(entry, &over);
        if record.is_unprotected() && over.iter().any(|o| o.result.is_ok()) {
            self.metrics.cleartext_after_failed_tls.inc();
        }
        let attempted = over.into_iter().filter_map(|o| Some(Attempted { recipient: number(&o)?, result: o.result }));
        let attempted: Vec<Attempted> = attempted.collect();
        if !attempted.is_empty() {
            let tried = task.for_recipients(attempted.iter().map(|a| a.recipient).collect());
            self.settle(attempt(tried, entry, attempted, setting)).await;
        }
        Transacted { link: sent.connection.map(|connection| OpenLink { connection, record }), again }
    }

    /// Whoever was left without an answer may have the message already.
    fn count_unknown(&self, entry: &Entry, outcomes: &[Outcome]) {
        let unknown = outcomes.iter().filter(|o| o.sequel == Sequel::Unknown).count();
        if unknown > 0 {
            self.metrics.outcome_unknown.inc_by(unknown as u64);
            tracing::warn!(
                entry = %entry.id, recipients = unknown,
                "the peer had the whole message and went away before it answered; it is tried again and may arrive twice"
            );
        }
    }

    /// The entry and its message: from memory, or read back.
    pub(super) async fn load(self: &Arc<Self>, task: &mut Task) -> Result<Option<Loaded>, StoreError> {
        match task.warm.take().filter(|_| !self.under_way.may_be_instructed(task.entry)) {
            Some(warm) => {
                let loaded = match &warm.body {
                    Some(body) => in_memory(warm.entry.clone(), body.clone()),
                    None => self.in_file(warm.entry.clone()),
                };
                Ok(Some(Loaded { _warm: Some(warm), ..loaded }))
            }
            None => self.load_cold(task.entry).await,
        }
    }

    /// The entry alone: a thousand that share a lane's fate are not read with their messages.
    pub(super) async fn entry_of(self: &Arc<Self>, task: &Task) -> Result<Option<Arc<Entry>>, StoreError> {
        let id = task.entry;
        match &task.warm {
            Some(warm) if !self.under_way.may_be_instructed(id) => Ok(Some(warm.entry.clone())),
            _ => Ok(self.read(move |connection| entry::read(connection, id)).await?.map(Arc::new)),
        }
    }

    /// The entry and its message as they are stored; None: it has left.
    pub(super) async fn load_cold(self: &Arc<Self>, id: EntryId) -> Result<Option<Loaded>, StoreError> {
        let read = move |connection: &rusqlite::Connection| {
            let Some(entry) = entry::read(connection, id)? else { return Ok(None) };
            let body = if entry.large { None } else { entry::read_body(connection, id)? };
            Ok(Some((Arc::new(entry), body)))
        };
        Ok(self.read(read).await?.map(|(entry, body)| match body {
            Some(body) => in_memory(entry, body),
            None if entry.large => self.in_file(entry),
            // An entry without its message is damaged.
            None => in_memory(entry, Bytes::new()),
        }))
    }

    fn in_file(&self, entry: Arc<Entry>) -> Loaded {
        let path = self.store.bodies().path(entry.id.row());
        Loaded { entry, body: Outgoing::File(path), _warm: None }
    }

    /// What must hold for the recipients of a task, and for whoever else makes the message one of a class.
    fn requirements(&self, task: &Task, entry: &Entry) -> Vec<Requirement> {
        let of_task = task.recipients.iter().map(|r| self.requirement(entry, *r));
        let of_classes = entry.requirements.iter().filter(|r| !r.classes.is_empty()).cloned();
        of_task.chain(of_classes).collect()
    }

    /// Behind a relay, what is reached is the lower of the link and what its owner promises; and it carries only the
    /// classes that it is approved for.
    fn kept_from_relay(&self, task: &Task, entry: &Entry) -> Vec<Attempted> {
        let Destination::Relay(name) = &task.lane.destination else { return Vec::new() };
        let terms = self.terms();
        let Some(terms) = terms.relays.get(name) else {
            return all(task, &Refusal { reason: Reason::WayGone, status: None });
        };
        let judge = |recipient: &u16| {
            let requirement = self.requirement(entry, *recipient);
            let reason = if !requirement.classes.iter().all(|class| terms.carries.contains(class)) {
                Reason::RelayNotAllowedForClass
            } else if requirement.level > terms.onward {
                Reason::RequirementNotMet
            } else {
                return None;
            };
            Some(Attempted { recipient: *recipient, result: Err(Refusal { reason, status: None }) })
        };
        task.recipients.iter().filter_map(judge).collect()
    }
}

fn in_memory(entry: Arc<Entry>, body: Bytes) -> Loaded {
    Loaded { entry, body: Outgoing::Memory(body), _warm: None }
}

/// Whether what was read back is what was accepted. A file that cannot be read now is for the attempt to find out.
async fn is_whole(loaded: &Loaded) -> bool {
    let path = match &loaded.body {
        Outgoing::Memory(body) => return loaded.entry.is(body),
        Outgoing::File(path) => path.clone(),
    };
    let entry = loaded.entry.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::File::open(path).and_then(|file| entry.is_in(file))).await;
    match read {
        Ok(Ok(is_whole)) => is_whole,
        Ok(Err(error)) => error.kind() != std::io::ErrorKind::NotFound,
        Err(_) => true,
    }
}

fn attempt(task: Task, entry: &Arc<Entry>, attempted: Vec<Attempted>, setting: Setting) -> Attempt {
    Attempt { task, entry: entry.clone(), attempted, setting, now: Now::read() }
}

pub(super) fn all(task: &Task, refusal: &Refusal) -> Vec<Attempted> {
    task.recipients.iter().map(|r| Attempted { recipient: *r, result: Err(refusal.clone()) }).collect()
}

fn chosen(entry: &Entry, recipients: &[u16]) -> Vec<Recipient> {
    recipients.iter().filter_map(|r| entry.envelope.recipients.get(usize::from(*r)).cloned()).collect()
}

fn split(task: Task, first: impl Fn(&u16) -> bool) -> (Task, Task) {
    let (chosen, rest) = task.recipients.iter().copied().partition(first);
    (task.for_recipients(chosen), task.for_recipients(rest))
}
