//! Notices as entries of the queue: who is told of what, and how that message travels.
//!
//! Called by `receive` (refused at the dot) and `deliver` (failed, delayed, relayed, held). Promises: a notice goes to the
//! sender, or to the site's duty where the sender cannot or must not be told; never to the internet about content; never in
//! answer to a notice; it carries no clinical text and is judged by the policy like any other mail. Fails never: an empty
//! result means that nobody could be told.

mod made;

use super::InForce;
use super::readers::{self, Audience, Item, wants};
use crate::clock::{EntryId, Ids, Now, Wall};
use crate::mail::{Enhanced, Header, Mailbox, Recipient, Ret, Status};
use crate::notice::{self, Kind, Reminder, Report};
use crate::policy::{Ending, Requirement, Verdict};
use crate::queue::{CurrentRoutes, Entry};
use crate::record;
use crate::store::Change;
use crate::vocabulary::{Fate, Fault, Level, Reason, SubjectCare};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    Failed,
    Delayed,
    Held,
    /// Passed on to a server that sends no reports.
    Relayed,
}

/// One recipient that there is news of.
#[derive(Debug, Clone)]
pub struct Told {
    pub recipient: Recipient,
    pub requirement: Requirement,
    pub reason: Reason,
    /// Where it expired: what the last attempt failed for.
    pub last_reason: Option<Reason>,
    pub status: Status,
    /// The server that the last attempt reached, and what it said.
    pub peer: Option<Peer>,
    pub last_attempt: Wall,
    /// Until when it is tried, where it still is.
    pub until: Option<Wall>,
}

/// A server and its last word. Of mail in a class the caller has taken out what could quote it.
#[derive(Debug, Clone)]
pub struct Peer {
    pub host: String,
    pub said: Status,
}

/// Whom a site names for its notices.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    pub duty: Option<Mailbox>,
    pub phone: Option<String>,
}

/// By the name of the site.
pub type Contacts = HashMap<Arc<str>, Contact>;

/// A notice, ready to be admitted to the queue.
#[derive(Debug, Clone)]
pub struct Announced {
    pub entry: Entry,
    pub body: Bytes,
    /// The entry that it tells of.
    pub about: EntryId,
}

impl Announced {
    /// The changes that keep it, with a record of what it is about: `trace` finds it like any other message.
    #[must_use]
    pub fn admitted(&self) -> Vec<Change> {
        let Entry { id, message_id, envelope, .. } = &self.entry;
        let require = self.entry.requirements.first().map(|r| r.level);
        let to = |r: &Recipient| serde_json::json!({ "to": r.mailbox, "fate": Fate::Send, "require": require });
        let json = serde_json::json!({
            "id": id,
            "notice_about": self.about,
            "requiretls": envelope.require_tls,
            "recipients": envelope.recipients.iter().map(to).collect::<Vec<_>>(),
        });
        let record = record::as_json(&json).to_vec();
        let mut changes = self.entry.admitted(Some(self.body.clone()));
        changes.push(record::decided(*id, message_id.as_deref(), envelope, record));
        changes
    }
}

/// Makes notices.
pub struct Announcer {
    pub hostname: String,
    pub judge: Arc<InForce>,
    pub routes: Arc<CurrentRoutes>,
    pub ids: Arc<Ids>,
    pub contacts: ArcSwap<Contacts>,
}

/// What all notices about one entry share.
struct Subject<'a> {
    entry: &'a Entry,
    kind: Kind,
    original: &'a [u8],
    care: SubjectCare,
    /// The message is in a class: only an allow-list of fields is shown.
    listed: bool,
}

impl Announcer {
    /// Notices about recipients that policy refused while others were accepted: one per reader that lists every fate.
    #[must_use]
    pub fn refused(&self, entry: &Entry, refused: &[(Recipient, Verdict)], header: &[u8]) -> Vec<Announced> {
        if refused.is_empty() || self.is_own_notice(entry) {
            return Vec::new();
        }
        let now = Now::read().wall;
        let texts: Vec<Status> = refused.iter().map(|(_, v)| Status::new(550, code_of(v), v.sentence())).collect();
        let sent = Status::new(250, Enhanced(2, 0, 0), "accepted and on its way");
        let about = |recipient, news, reason, status| notice::Told {
            recipient,
            news,
            reason,
            last_reason: None,
            status,
            peer: None,
            last_attempt: now,
            until: None,
        };
        let stopped = refused.iter().zip(&texts).map(|((r, v), text)| about(r, notice::News::Refused, v.reason, text));
        let going = entry.envelope.recipients.iter().map(|r| about(r, notice::News::Sent, Reason::Waiting, &sent));
        let listed: Vec<notice::Told<'_>> = stopped.chain(going).collect();
        let care = refused.iter().map(|(_, v)| v.subject).max().unwrap_or(SubjectCare::Scrub);
        let subject = Subject {
            entry,
            kind: Kind::Refused,
            original: header,
            care,
            listed: is_listed(entry) || refused.iter().any(|(_, v)| !v.classes.is_empty()),
        };
        let item = |(r, v): &(Recipient, Verdict)| Item {
            for_sender: r.wants_failure(),
            named: parsed(&v.notify),
            must_be_heard: entry.site.is_some(),
        };
        let items: Vec<Item> = refused.iter().map(item).collect();
        let mut audiences = self.audiences(entry, &items);
        for audience in &mut audiences {
            let is_sender = self.is_sender(entry, &audience.reader);
            let others = (refused.len()..listed.len()).filter(|i| !is_sender || listed[*i].recipient.wants_failure());
            audience.hears.extend(others);
        }
        self.to_readers(&subject, &listed, audiences)
    }

    /// Notices about what became of recipients in the queue.
    #[must_use]
    pub fn announce(&self, entry: &Entry, news: News, told: &[Told], original: &[u8]) -> Vec<Announced> {
        if told.is_empty() || self.is_own_notice(entry) {
            return Vec::new();
        }
        let (kind, action) = match news {
            News::Failed => (Kind::Failed, notice::News::Failed),
            News::Delayed => (Kind::Delayed, notice::News::Delayed),
            News::Held => (Kind::Held, notice::News::Held),
            News::Relayed => (Kind::Relayed, notice::News::Relayed),
        };
        let about = |t| notice::Told { news: action, last_reason: last_reason(entry, t), ..as_told(t) };
        let about: Vec<notice::Told<'_>> = told.iter().map(about).collect();
        let care = told.iter().map(|t| t.requirement.subject).max().unwrap_or(SubjectCare::Scrub);
        let listed = is_listed(entry) || care > SubjectCare::Keep;
        let subject = Subject { entry, kind, original, care, listed };
        let items: Vec<Item> = told.iter().map(|t| self.item(entry, news, t)).collect();
        self.to_readers(&subject, &about, self.audiences(entry, &items))
    }

    fn item(&self, entry: &Entry, news: News, told: &Told) -> Item {
        // Mail from the world: what policy decided about its content is nobody's business there. That there is no proof says nothing
        // of that, and is its sender's who asked for REQUIRETLS (RFC 8689 4.2.1).
        let of_sender = entry.envelope.require_tls && told.reason == Reason::NoProofSource;
        let is_silent = entry.site.is_none() && told.reason.fault() == Fault::Policy && !of_sender;
        Item {
            // A journal is between a site and its archive.
            for_sender: wants(news, &told.recipient) && !is_silent && !told.requirement.journal,
            named: self.notified(entry, news, &told.requirement),
            // Only about mail that a site sent: what the world does to itself with null reverse-paths is not the duty's.
            must_be_heard: matches!(news, News::Failed | News::Held) && (entry.site.is_some() || is_silent),
        }
    }

    fn audiences(&self, entry: &Entry, items: &[Item]) -> Vec<Audience> {
        let duty = self.contact(entry).and_then(|c| c.duty);
        readers::audiences(items, entry.envelope.reverse_path.mailbox(), duty.as_ref())
    }

    fn is_sender(&self, entry: &Entry, reader: &Mailbox) -> bool {
        entry.envelope.reverse_path.mailbox().is_some_and(|sender| sender.key() == reader.key())
    }

    /// A notice of ours, in the queue or on another way through: nothing is ever told about it, or two mailboxes that
    /// forward to each other would be told for ever.
    fn is_own_notice(&self, entry: &Entry) -> bool {
        entry.notice || entry.message_id.as_deref().is_some_and(|id| is_made_by(id, &self.hostname))
    }

    /// Whoever the rules name is told at hold and at the end; the site's duty where rules ask for protection and name nobody.
    fn notified(&self, entry: &Entry, news: News, requirement: &Requirement) -> Vec<Mailbox> {
        let is_protected = requirement.level > Level::Any || !requirement.classes.is_empty();
        match news {
            News::Delayed | News::Relayed => Vec::new(),
            News::Held | News::Failed if requirement.notify.is_empty() && is_protected => {
                self.contact(entry).and_then(|c| c.duty).into_iter().collect()
            }
            News::Held | News::Failed => parsed(&requirement.notify),
        }
    }

    fn contact(&self, entry: &Entry) -> Option<Contact> {
        let routes = self.routes.now();
        let theirs = || {
            let mut sites = entry.envelope.recipients.iter().filter_map(|r| routes.site_of(r.mailbox.domain()));
            sites.next().map(AsRef::as_ref)
        };
        self.contacts.load().get(entry.site.as_deref().or_else(theirs)?).cloned()
    }

    fn to_readers(
        &self,
        subject: &Subject<'_>,
        about: &[notice::Told<'_>],
        audiences: Vec<Audience>,
    ) -> Vec<Announced> {
        let one = |audience: Audience| {
            let heard = audience.hears.iter().filter_map(|i| about.get(*i).copied()).collect();
            self.made(subject, heard, audience.reader)
        };
        audiences.into_iter().map(one).collect()
    }

    fn made(&self, subject: &Subject<'_>, about: Vec<notice::Told<'_>>, reader: Mailbox) -> Announced {
        let now = Now::read().wall;
        let id = self.ids.next(now);
        let entry = subject.entry;
        let sender = entry.envelope.reverse_path.mailbox();
        let phone = self.contact(entry).and_then(|c| c.phone);
        let whole = subject.kind == Kind::Failed && entry.envelope.ret == Some(Ret::Full) && entry.size <= FULL;
        let report = Report {
            kind: subject.kind,
            gateway: &self.hostname,
            entry: &entry.id.to_string(),
            to: &reader,
            reader: if self.is_sender(entry, &reader) { notice::Reader::Sender } else { notice::Reader::Duty },
            sender,
            envid: entry.envelope.envid.as_deref(),
            smtputf8: entry.envelope.smtputf8,
            arrived: entry.accepted,
            now,
            message_id: &format!("<{id}@{}>", self.hostname),
            boundary: &boundary(id),
            recipients: about,
            original_header: Header::of(subject.original).bytes(),
            original: (whole && !subject.listed).then_some(subject.original),
            care: subject.care,
            require_tls: entry.envelope.require_tls,
            in_class: subject.listed,
            phone: phone.as_deref(),
        };
        let body = Bytes::from(notice::compose(&report));
        Announced { entry: self.entry(id, Some(entry), reader, &body), body, about: entry.id }
    }

    /// Reminders that an exception ends: to whoever approved it, where an address says who that is, and to every site's duty.
    #[must_use]
    pub fn remind(&self, ending: &Ending) -> Vec<Announced> {
        let words = ending.approved_by.split(|c: char| c.is_whitespace() || "<>(),;".contains(c));
        let approver = words.filter(|word| word.contains('@')).find_map(|word| word.parse::<Mailbox>().ok());
        let contacts = self.contacts.load();
        let duties = contacts.values().filter_map(|contact| contact.duty.clone());
        let mut readers: Vec<Mailbox> = approver.into_iter().chain(duties).collect();
        readers.sort_by_key(Mailbox::key);
        readers.dedup_by_key(|reader| reader.key());
        readers.into_iter().map(|reader| self.reminder(ending, reader)).collect()
    }

    fn reminder(&self, ending: &Ending, reader: Mailbox) -> Announced {
        let now = Now::read().wall;
        let id = self.ids.next(now);
        let reminder = Reminder {
            gateway: &self.hostname,
            to: &reader,
            now,
            message_id: &format!("<{id}@{}>", self.hostname),
            exception: &ending.name,
            at: &ending.at,
            until: &ending.until.to_string(),
            rules: &ending.rules,
            reason: &ending.reason,
            approved_by: &ending.approved_by,
        };
        let body = Bytes::from(reminder.compose());
        Announced { entry: self.entry(id, None, reader, &body), body, about: id }
    }
}

/// Whether only an allow-list of the original's fields is shown. RFC 8689 5: a report on a message with REQUIRETLS may have to
/// go where that cannot be kept, and then only without what it protects.
fn is_listed(entry: &Entry) -> bool {
    entry.is_in_class() || entry.envelope.require_tls
}

/// As it is answered at the dot: a rule's refusal, or protection that is missing.
fn code_of(verdict: &Verdict) -> Enhanced {
    if verdict.fate == Fate::Refuse { Enhanced(5, 7, 1) } else { Enhanced(5, 7, 10) }
}

/// Octets of a message that goes back whole where RET=FULL asks for it.
const FULL: u64 = 100_000;

/// What the world may hear of why mail expired: nothing of what policy asked of it.
fn last_reason(entry: &Entry, told: &Told) -> Option<Reason> {
    told.last_reason.filter(|last| entry.site.is_some() || !(last.is_of_protection() || last.fault() == Fault::Policy))
}

fn as_told(told: &Told) -> notice::Told<'_> {
    notice::Told {
        recipient: &told.recipient,
        news: notice::News::Failed,
        reason: told.reason,
        last_reason: told.last_reason,
        status: &told.status,
        peer: told.peer.as_ref().map(|peer| notice::Peer { host: &peer.host, said: &peer.said }),
        last_attempt: told.last_attempt,
        until: told.until,
    }
}

fn parsed(addresses: &[String]) -> Vec<Mailbox> {
    addresses.iter().filter_map(|a| a.parse().ok()).collect()
}

/// Whether a Message-ID is one that the gateway of this name gives its notices.
fn is_made_by(message_id: &str, hostname: &str) -> bool {
    let inside = message_id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    let parts = inside.and_then(|id| id.split_once('@'));
    parts.is_some_and(|(id, host)| host.eq_ignore_ascii_case(hostname) && id.parse::<EntryId>().is_ok())
}

/// A MIME boundary, random enough never to stand in a text that was written before.
#[must_use]
pub fn boundary(id: EntryId) -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("=_{id}_{:016x}", RandomState::new().hash_one(id.row()))
}

#[cfg(test)]
mod tests;
