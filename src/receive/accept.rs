//! The end of data: read what the message holds, judge it for each recipient, keep it, and only then say 250.
//!
//! Called by `receive::connection` once per message. Promises: 250 only after the commit; all refused means that nothing is
//! kept; some refused means that the rest goes its way and one notice lists the fates; the decision is recorded either way.
//! Fails with a reply: 4xx where the cause is ours, 5xx where it is the message's.

mod answer;
mod cut;
mod inspect;
mod judged;
mod loops;

use super::access::{Access, Door};
use super::collect::{CollectError, Collected, Collector, Writing};
use super::limits::Who;
use super::received::{self, Trace};
use super::refusals;
use crate::clinical::Findings;
use crate::clock::{EntryId, Ids, Now};
use crate::decide::announce::{Announced, Announcer};
use crate::decide::{Judge, Transaction};
use crate::mail::{Body, Enhanced, Envelope, Header, Mailbox, Recipient, Status};
use crate::metrics::Metrics;
use crate::policy::Verdict;
use crate::queue::{CurrentRoutes, Destined, Entry, Room, Schedule, Warm, WarmRoom, tasks};
use crate::record;
use crate::smtp::reply::Reply;
use crate::store::{Change, Store, StoreError};
use crate::vocabulary::{Direction, Level, Reason};
use bytes::Bytes;
use cut::Seen;
use inspect::Octets;
pub use inspect::{Documents, Readers};
use judged::Judged;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the 250 waits at most for delivery to catch up.
const PATIENCE: Duration = Duration::from_millis(200);
/// What an entry without its body takes in memory, about.
const HEAD: usize = 2_048;

/// What deciding and keeping a message needs.
pub struct Acceptance {
    pub store: Store,
    pub schedule: Arc<Schedule>,
    pub warm: Arc<WarmRoom>,
    pub routes: Arc<CurrentRoutes>,
    pub ids: Arc<Ids>,
    pub metrics: Arc<Metrics>,
    pub announcer: Arc<Announcer>,
    pub max_hops: usize,
    pub max_header: usize,
    pub readers: Readers,
    pub documents: Documents,
}

/// Whether a refusal is put on record, or counted only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    Kept,
    Counted,
}

/// A message at its end of data.
pub struct Arrived<'a> {
    pub session: &'a str,
    pub door: Option<&'a Door>,
    pub access: &'a Access,
    /// What the link that it came on reached.
    pub level: Level,
    /// By whom it is judged, from MAIL to the dot.
    pub judge: Arc<Judge>,
    pub trace: Trace<'a>,
    pub envelope: Envelope,
}

/// A message with where it came from.
#[derive(Clone, Copy)]
struct Message<'a> {
    id: EntryId,
    arrived: &'a Arrived<'a>,
    collected: &'a Collected,
    /// Octets before it was cut to its header fields.
    cut_from: Option<u64>,
}

impl Acceptance {
    /// Decides and keeps one message; returns what to answer after the dot.
    pub async fn accept(&self, arrived: Arrived<'_>, collector: Collector) -> Status {
        let begun = Instant::now();
        let id = collector.id();
        let status = match self.take(id, &arrived, collector).await {
            Ok(status) | Err(status) => status,
        };
        self.metrics.accept_duration.observe(begun.elapsed().as_secs_f64());
        if (400..500).contains(&status.code) {
            let reason = refusals::reason_of(refusals::To::Message, status.code, status.enhanced).map(Reason::name);
            tracing::warn!(session = arrived.session, entry = %id, code = status.code, reason, text = status.text, "put off");
        }
        status
    }

    async fn take(&self, id: EntryId, arrived: &Arrived<'_>, collector: Collector) -> Result<Status, Status> {
        // What it holds of the budget is held until it is kept, or refused.
        let (coming, _share) = collector.finish(self.store.bodies()).await.map_err(|e| self.uncollected(&e))?;
        let findings = self.read(arrived, &coming).await;
        // Whatever was found: until then it holds a file and memory.
        let collected = coming.synced().await.map_err(|e| self.uncollected(&e))?;
        let findings = findings?;
        let judged = self.judge(arrived, &collected, &findings)?;
        let seen = Seen { collected, findings, judged, cut_from: None };
        let Seen { collected, findings, judged, cut_from } = self.cut_where_needed(id, arrived, seen).await?;
        self.check_leg_in(arrived, &judged)?;
        self.count(&judged, &findings);
        let message = Message { id, arrived, collected: &collected, cut_from };
        if let Some(refusal) = answer::refusal(&judged, id) {
            self.store.ride(vec![self.decision(&message, &judged, &findings, &refusal)]);
            answer::count_rejected(&self.metrics, &judged);
            answer::log(&message, &judged, &refusal);
            self.tell_duty(&message, &judged).await;
            return Err(refusal);
        }
        let status = Status::new(250, Enhanced(2, 0, 0), format!("Message kept, queued as {id}"));
        let decision = self.decision(&message, &judged, &findings, &status);
        self.count_clear(arrived, &judged);
        answer::log(&message, &judged, &status);
        let entry = Arc::new(entry(&message, &judged));
        let notices = self.announcer.refused(&entry, &answer::refused(&judged), collected.header());
        if answer::any_refused(&judged) && notices.is_empty() {
            self.metrics.refused_untold.inc();
        }
        answer::count_rejected(&self.metrics, &judged);
        self.keep(entry, collected, decision, notices).await?;
        Ok(status)
    }

    /// What a message holds, unless it goes in a circle.
    async fn read(&self, arrived: &Arrived<'_>, coming: &Collected<Writing>) -> Result<Findings, Status> {
        loops::check(coming.header(), arrived.trace.hostname, self.max_hops)?;
        let who = if arrived.door.is_some() { Who::Site } else { Who::Stranger };
        self.inspect(&arrived.judge, Octets::of(coming), who).await
    }

    /// Counts a message that the world sent us in clear.
    fn count_clear(&self, arrived: &Arrived<'_>, judged: &[Judged]) {
        let inbound = judged.iter().filter(|j| j.direction == Direction::Inbound);
        if arrived.level == Level::Any && inbound.clone().next().is_some() {
            let classes = inbound.flat_map(|j| j.verdict.classes.keys().map(String::as_str));
            self.metrics.count_clear(Direction::Inbound, classes);
        }
    }

    /// A refused message whose sender nobody will tell (null reverse-path, NOTIFY=NEVER): the site's duty is told instead.
    async fn tell_duty(&self, message: &Message<'_>, judged: &[Judged]) {
        let envelope = &message.arrived.envelope;
        let told = !envelope.reverse_path.is_null() && envelope.recipients.iter().any(Recipient::wants_failure);
        if told || message.arrived.door.is_none() {
            return;
        }
        self.metrics.refused_untold.inc();
        let nobody = entry(message, judged);
        let notices = self.announcer.refused(&nobody, &answer::refused(judged), message.collected.header());
        let changes = notices.iter().flat_map(Announced::admitted).collect();
        match self.store.commit(changes).await {
            Ok(()) => notices.iter().for_each(|n| tasks::enqueue(&n.entry, None, &self.routes.now(), &self.schedule)),
            Err(error) => tracing::error!(entry = %message.id, %error, "the duty could not be told of a refusal"),
        }
    }

    fn uncollected(&self, error: &CollectError) -> Status {
        match error {
            CollectError::HeaderTooLarge => Status::new(
                552,
                Enhanced(5, 3, 4),
                format!("The header section is larger than the {} octets that this gateway takes", self.max_header),
            ),
            CollectError::Crowded => {
                Status::new(452, Enhanced(4, 3, 1), "Too much mail is being received at the moment, try again later")
            }
            CollectError::Disk(error) => {
                tracing::error!(%error, "a message could not be written");
                not_kept(&StoreError::from(io::Error::from(error.kind())))
            }
        }
    }

    /// What is kept of the decision.
    fn decision(&self, message: &Message<'_>, judged: &[Judged], findings: &Findings, reply: &Status) -> Change {
        let Message { id, arrived, collected, cut_from } = *message;
        let recipients: Vec<_> = judged.iter().map(Judged::record).collect();
        let tls = arrived.trace.tls.map(|t| format!("{} {}", t.version.name(), t.cipher));
        let record = record::Decision {
            id,
            session: arrived.session,
            client: &arrived.trace.client.to_string(),
            site: arrived.door.map(|d| d.site.as_ref()),
            policy_hash: arrived.judge.policy.hash(),
            size: collected.size(),
            cut_from,
            tls: tls.as_deref(),
            findings: &findings.findings,
            features: &judged.first().map(|first| first.grounds.features(id)).unwrap_or_default(),
            recipients: &recipients,
            reply,
        };
        let json = record::as_json(&record);
        record::decided(id, message_id(collected.header()).as_deref(), &arrived.envelope, json.to_vec())
    }

    /// Entry, decision and notices are one batch; when it is on stable storage, delivery may begin.
    async fn keep(
        &self,
        entry: Arc<Entry>,
        collected: Collected,
        decision: Change,
        notices: Vec<Announced>,
    ) -> Result<(), Status> {
        let whole = collected.whole().cloned();
        let (row, file) = match collected {
            Collected::Small(message) => (Some(message), None),
            Collected::Large { file, .. } => (None, Some(file)),
        };
        let mut changes = entry.admitted(row);
        changes.push(decision);
        changes.extend(notices.iter().flat_map(Announced::admitted));
        let committed = match file {
            None => self.store.commit(changes).await,
            Some(file) => self.store.commit_with_file(changes, file).await,
        };
        committed.map_err(|error| {
            tracing::error!(entry = %entry.id, %error, "a message could not be kept");
            not_kept(&error)
        })?;
        self.hand_over(entry, whole).await;
        for notice in notices {
            self.hand_over(Arc::new(notice.entry), Some(notice.body)).await;
        }
        Ok(())
    }

    /// Gives a kept message to delivery, warm where there is room for it.
    async fn hand_over(&self, entry: Arc<Entry>, body: Option<Bytes>) {
        let warm = match body {
            Some(body) if entry.large => match self.warm.take_spare(HEAD + body.len()) {
                Some(room) => Some(Warm::new(entry.clone(), Some(body), room)),
                // It is in its file.
                None => self.room(HEAD).await.map(|room| Warm::new(entry.clone(), None, room)),
            },
            body => {
                let octets = HEAD + body.as_ref().map_or(0, Bytes::len);
                self.room(octets).await.map(|room| Warm::new(entry.clone(), body, room))
            }
        };
        tasks::enqueue(&entry, warm.as_ref(), &self.routes.now(), &self.schedule);
    }

    /// Room in warm memory, waited for a moment: this slows a sender when delivery falls behind.
    async fn room(&self, octets: usize) -> Option<Room> {
        if let Some(room) = self.warm.take(octets) {
            return Some(room);
        }
        self.metrics.accept_delayed.inc();
        self.warm.wait(octets, PATIENCE).await
    }

    /// A recipient that rules without content refuse: recorded and answered before the text crosses.
    pub fn refuse_at_rcpt(
        &self,
        (transaction, recipient): (&Transaction<'_>, &Mailbox),
        verdict: &Verdict,
        record: Record,
    ) -> Reply {
        let id = self.ids.next(Now::read().wall);
        let judged = [Judged {
            recipient: Recipient::new(recipient.clone()),
            direction: transaction.direction,
            verdict: verdict.clone(),
            reaches: None,
            grounds: Arc::default(),
        }];
        let status =
            answer::refusal(&judged, id).unwrap_or_else(|| Status::new(550, Enhanced(5, 7, 10), verdict.sentence()));
        self.count(&judged, &Findings::default());
        answer::count_rejected(&self.metrics, &judged);
        if record == Record::Kept {
            let json = serde_json::json!({ "id": id, "recipients": [judged[0].record()], "reply": status });
            let json = record::as_json(&json).to_vec();
            self.store.ride(vec![record::decided(id, None, transaction.envelope, json)]);
        }
        Reply { code: status.code, enhanced: status.enhanced, text: status.text.into() }
    }
}

/// Room comes back by itself; a disk that fails has to be looked at.
fn not_kept(error: &StoreError) -> Status {
    match error {
        StoreError::Full => Status::new(452, Enhanced(4, 3, 1), Reason::NoRoom.words()),
        _ => Status::new(451, Enhanced(4, 3, 0), Reason::StoreFailed.words()),
    }
}

/// What goes into the queue: the recipients that were not refused, with what must hold for each.
fn entry(message: &Message<'_>, judged: &[Judged]) -> Entry {
    let Message { id, arrived, collected, .. } = *message;
    let now = Now::read().wall;
    let admitted: Vec<&Judged> = judged.iter().filter(|j| !j.is_refused()).collect();
    let mut requirements = Vec::new();
    let mut destined = Vec::new();
    for judged in &admitted {
        let requirement = judged.verdict.requirement();
        let known = requirements.iter().position(|r| *r == requirement);
        let index = known.unwrap_or_else(|| {
            requirements.push(requirement);
            requirements.len() - 1
        });
        destined.push(Destined { direction: judged.direction, requirement: u16::try_from(index).unwrap_or(u16::MAX) });
    }
    let recipients = admitted.iter().map(|j| j.recipient.clone()).collect();
    // A message that is all ASCII needs no 8BITMIME, whatever its sender declared, and more peers take it.
    let body = match arrived.envelope.body {
        Body::EightBitMime if !collected.is_ascii() => Body::EightBitMime,
        Body::EightBitMime | Body::SevenBit => Body::SevenBit,
    };
    let envelope = Envelope { recipients, body, ..arrived.envelope.clone() };
    Entry {
        version: Entry::version(&envelope),
        id,
        accepted: now,
        site: arrived.door.map(|d| d.site.to_string()),
        session: arrived.session.to_owned(),
        received: received::field(&arrived.trace, id, &envelope, now),
        envelope,
        destined,
        requirements,
        size: collected.size(),
        message_id: message_id(collected.header()),
        large: matches!(collected, Collected::Large { .. }),
        digest: Some(collected.digest()),
        notice: false,
        instructions: Vec::new(),
    }
}

/// The Message-ID, if it is one that can be shown: printable and not long.
fn message_id(header: &[u8]) -> Option<String> {
    let text = Header::of(header).first("Message-ID")?.text();
    let fits = (3..=500).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(text)
}
