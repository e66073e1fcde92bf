//! Judges one message: the only caller of recognition and policy together.
//!
//! Called by `receive` (at RCPT and at the dot), `deliver` (at an attempt), and by `explain`, which is the same function.
//! Promises: what `explain` prints is what happens; a policy whose own tests fail is never used. Fails at load only.

pub mod announce;
mod cases;
mod folder;
mod headers;
mod in_force;
mod load;
mod own;
mod readers;
pub mod replay;
mod scrub;

use crate::clinical::{self, Findings, Limits, NearMiss};
use crate::clock::{EntryId, Wall};
use crate::mail::{Envelope, Header, Mailbox};
use crate::policy::{MessageFacts, Policy, QueuedFacts, RecipientFacts, Requirement, Said, Sites, Verdict, Words};
use crate::record::{self, Features};
use crate::vocabulary::{Direction, Fate, Level, Rung};
use crate::workers::{self, Telling};
use headers::HeaderFacts;
use std::collections::BTreeMap;

pub use cases::FailedTest;
pub(crate) use cases::compose;
pub use folder::read;
pub use in_force::InForce;
pub use load::{LoadError, Loaded, judge_of, load, load_files};
pub use own::evidence;
pub use scrub::{Case, Original, Scrubbed, scrubbed};

/// One compiled generation: a policy, and the recogniser set up as it says.
pub struct Judge {
    pub policy: Policy,
    rules: clinical::Rules,
    telling: Telling,
    limits: Limits,
}

/// One transaction, as far as it has come.
#[derive(Debug, Clone, Copy)]
pub struct Transaction<'a> {
    /// When it is judged.
    pub at: Wall,
    pub direction: Direction,
    pub sites: Sites<'a>,
    pub envelope: &'a Envelope,
    /// The header section is enough.
    pub message: &'a [u8],
    pub size: u64,
    /// Inbound: what the link it came on reached. Outbound: None until somebody knows.
    pub peer: Option<Level>,
    /// Rungs that can serve the recipients.
    pub can: &'a [Rung],
}

/// What was decided at the dot.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub classes: BTreeMap<String, f64>,
    /// One for each recipient of the envelope, in its order.
    pub recipients: Vec<Verdict>,
    /// What it was decided from.
    pub grounds: Grounds,
}

/// What a decision is made from, beside the envelope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grounds {
    /// From and Sender.
    pub from: Vec<Mailbox>,
    /// The same without who they are.
    features: Features,
}

impl Grounds {
    /// What is kept of it with the decision on an entry.
    #[must_use]
    pub fn features(&self, id: EntryId) -> Features {
        let from = self.from.iter().map(|mailbox| record::veiled(id, &mailbox.key())).collect();
        Features { from, ..self.features.clone() }
    }
}

impl Judge {
    /// A judge for a policy, with the recogniser that the policy describes.
    #[must_use]
    pub fn new(policy: Policy) -> Judge {
        let told = own::told(&policy);
        Judge { policy, rules: clinical::Rules::told(&told), telling: Telling::of(&told), limits: Limits::default() }
    }

    /// What the message contains, its documents too. They are read by a worker that lives as long as that, where this programme
    /// has workers; in a library that somebody else runs they are read here.
    #[must_use]
    pub fn inspect(&self, message: &[u8]) -> Findings {
        match workers::programme() {
            None => clinical::inspect(message, &self.rules, &self.limits),
            Some(programme) => {
                let first = self.inspect_text(message);
                if first.documents.is_empty() {
                    return first;
                }
                workers::inspect_once(programme, &self.telling, message, first)
            }
        }
    }

    /// What the message contains beside its documents; which there are, its findings say.
    #[must_use]
    pub fn inspect_text(&self, message: &[u8]) -> Findings {
        clinical::inspect_text(message, &self.rules, &self.limits)
    }

    /// What workers are told about recognition.
    #[must_use]
    pub fn telling(&self) -> &Telling {
        &self.telling
    }

    /// What was nearly recognised in the message, and why it was not.
    #[must_use]
    pub fn nearly(&self, message: &[u8]) -> Vec<NearMiss> {
        clinical::nearly(message, &self.rules, &self.limits)
    }

    /// Verdicts for all recipients.
    #[must_use]
    pub fn at_accept(&self, transaction: &Transaction<'_>, findings: &Findings) -> Judgement {
        let evidence = own::evidence(findings);
        let classes = self.policy.classify(&evidence);
        let header = Header::of(transaction.message);
        let read = HeaderFacts::of(&header);
        let attachments = &findings.attachments;
        let said = Said::Read(Words { subject: &read.subject, header: &header, attachments });
        let forwarded = read.sent_on || self.is_foreign(transaction, &read);
        let message = MessageFacts {
            header_from: &read.from,
            evidence: &evidence,
            said,
            visible_recipients: read.visible_recipients,
            auto_submitted: read.auto_submitted,
            forwarded,
            ..known_at_rcpt(transaction, &header, &classes)
        };
        let judge = |to: &Mailbox| {
            let facts = RecipientFacts { recipient: to, peer: transaction.peer, can: transaction.can };
            self.policy.judge(&message, &facts)
        };
        let recipients = transaction.envelope.recipients.iter().map(|r| judge(&r.mailbox)).collect();
        let features = Features {
            from: Vec::new(),
            looked: self.policy.looked(said),
            visible_recipients: read.visible_recipients,
            auto_submitted: read.auto_submitted,
            forwarded,
            requiretls: transaction.envelope.require_tls,
            peer: transaction.peer,
            evidence,
        };
        Judgement { classes, recipients, grounds: Grounds { from: read.from, features } }
    }

    /// Whether somebody who is not of the site wrote what leaves it. Where nobody says which domains are the site's own, they
    /// are those of the reverse-path. An author who cannot be read, or is not named, may be anybody.
    fn is_foreign(&self, transaction: &Transaction<'_>, read: &HeaderFacts) -> bool {
        if transaction.direction == Direction::Inbound {
            return false;
        }
        let from = &read.from;
        let own = transaction.sites.leaves.and_then(|site| self.policy.domains_of(site));
        match (own, transaction.envelope.reverse_path.mailbox()) {
            (Some(_), _) | (None, Some(_)) if read.unclear || from.is_empty() => true,
            (Some(own), _) => from.iter().any(|author| !own.contains(author.domain())),
            (None, Some(sender)) => from.iter().any(|author| author.domain() != sender.domain()),
            (None, None) => false,
        }
    }

    /// The verdict on an inbound recipient, if rules that need no content stop it already: before the text crosses.
    #[must_use]
    pub fn at_rcpt(&self, transaction: &Transaction<'_>, recipient: &Mailbox) -> Option<Verdict> {
        if transaction.direction != Direction::Inbound {
            return None;
        }
        let (header, classes) = (Header::of(b""), BTreeMap::new());
        let message = known_at_rcpt(transaction, &header, &classes);
        let facts = RecipientFacts { recipient, peer: transaction.peer, can: transaction.can };
        let verdict = self.policy.judge_envelope(&message, &facts);
        matches!(verdict.fate, Fate::Refuse | Fate::Reject).then_some(verdict)
    }

    /// What must hold now.
    #[must_use]
    pub fn at_attempt(&self, stored: &Requirement, queued: &QueuedFacts<'_>) -> Requirement {
        self.policy.current(stored, queued)
    }
}

fn known_at_rcpt<'a>(
    transaction: &Transaction<'a>,
    header: &'a Header<'a>,
    classes: &'a BTreeMap<String, f64>,
) -> MessageFacts<'a> {
    MessageFacts {
        at: transaction.at,
        direction: transaction.direction,
        sites: transaction.sites,
        reverse_path: &transaction.envelope.reverse_path,
        header_from: &[],
        evidence: &[],
        classes,
        said: Said::Read(Words { subject: "", header, attachments: &[] }),
        size: transaction.size,
        recipients: transaction.envelope.recipients.len(),
        visible_recipients: 0,
        auto_submitted: false,
        forwarded: false,
        requiretls: transaction.envelope.require_tls,
    }
}
