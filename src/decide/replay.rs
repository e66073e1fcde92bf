//! Decisions of the past made anew under another policy, from what was kept of them: what would change, and by which rule.
//!
//! Called for `mailward replay`, and at a reload. Promises: the function that decides is the live one; memory holds the answer and one
//! page; what cannot be decided anew is counted and its rules are named. Fails with the store.

use super::{Grounds, Judge, Judgement, own};
use crate::clock::{EntryId, Wall};
use crate::mail::{Domain, Mailbox, ReversePath};
use crate::policy::{MessageFacts, RecipientFacts, Said, Sites, Verdict};
use crate::record::{self, Decided, DecidedFor, Features};
use crate::store::StoreError;
use crate::vocabulary::{Direction, Fate, Level};
use rusqlite::Connection;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Domains and examples that are told.
const TOLD: usize = 20;
const EXAMPLES: usize = 5;
/// Pages that are read ahead.
const PAGES: usize = 4;

/// What it is held against.
#[derive(Clone, Copy)]
pub enum Before<'j> {
    /// What was decided then.
    AsRecorded,
    /// What this judge decides of the same.
    By(&'j Judge),
}

/// What would change.
#[derive(Debug, Default, Serialize)]
pub struct Replayed {
    /// Recipients for whom it was decided anew.
    pub decided: u64,
    pub changed: u64,
    /// Those of them that are asked less, or are no longer refused.
    pub lowered: u64,
    /// Decisions of which too little was kept.
    pub not_kept: u64,
    /// Each kind of change, the most frequent first.
    pub changes: Vec<Change>,
    /// Rules that make the difference: how many recipients are asked more because of them, and less.
    pub by_rule: BTreeMap<String, Difference>,
    /// The most first.
    pub by_domain: Vec<(Domain, u64)>,
    /// Rules and exceptions that look at words of which nothing was kept: for so many recipients nobody knows whether they match.
    pub not_known: BTreeMap<String, u64>,
    #[serde(skip)]
    kinds: BTreeMap<(Decision, Decision), (u64, Vec<EntryId>)>,
    #[serde(skip)]
    domains: BTreeMap<Domain, u64>,
}

/// One kind of change.
#[derive(Debug, Serialize)]
pub struct Change {
    pub was: Decision,
    pub now: Decision,
    pub recipients: u64,
    /// Entries of such mail.
    pub examples: Vec<EntryId>,
}

/// What was decided for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Decision {
    pub require: Level,
    pub fate: String,
}

#[derive(Debug, Default, Serialize)]
pub struct Difference {
    pub more: u64,
    pub less: u64,
}

/// A decision with the rule that made it.
struct Made {
    decision: Decision,
    rule: Option<String>,
}

impl Made {
    fn of(verdict: &Verdict) -> Made {
        let rule = verdict.deciding_rule().map(str::to_owned);
        Made { decision: Decision { require: verdict.require, fate: verdict.fate_name() }, rule }
    }

    fn recorded(then: &DecidedFor) -> Made {
        let key = if then.fate == Fate::Refuse.name() { "refuse" } else { "require" };
        let decision = Decision { require: then.require, fate: then.fate.clone() };
        Made { decision, rule: then.decided_by.get(key).cloned() }
    }
}

impl Decision {
    fn stops(&self) -> bool {
        [Fate::Reject, Fate::Refuse].iter().any(|fate| self.fate == fate.name())
    }

    /// Whether `now` protects less.
    fn is_lowered_by(&self, now: &Decision) -> bool {
        now.require < self.require || (self.stops() && !now.stops())
    }
}

impl Change {
    fn is_lowered(&self) -> bool {
        self.was.is_lowered_by(&self.now)
    }
}

/// Decides all that was decided since then anew.
///
/// # Errors
/// When the database cannot be read.
pub fn replay(connection: &Connection, since: Wall, judge: &Judge, before: Before<'_>) -> Result<Replayed, StoreError> {
    let anew = Anew::by(judge);
    let old = match before {
        Before::By(old) => Some(Anew::by(old)),
        Before::AsRecorded => None,
    };
    let (pages, to_decide) = sync_channel::<Vec<Option<Decided>>>(PAGES);
    thread::scope(|scope| {
        // Reading and deciding take about as long.
        let deciding = scope.spawn(|| {
            let mut replayed = Replayed::default();
            for decided in to_decide.into_iter().flatten() {
                replayed.take(decided.as_ref(), &anew, old.as_ref());
            }
            replayed.sort();
            replayed
        });
        let send = |page| if pages.send(page).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        let read = record::decisions(connection, since, send);
        drop(pages);
        let replayed = deciding.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked));
        read.map(|()| replayed)
    })
}

/// One decision made anew, recipient by recipient; None where too little was kept of it.
#[must_use]
pub fn anew<'d>(judge: &Judge, decided: &'d Decided) -> Option<Vec<(&'d DecidedFor, Judgement)>> {
    let (features, all) = (decided.record.features.as_ref()?, &decided.record.recipients);
    let anew = Anew::by(judge);
    let made = |to: &'d DecidedFor| {
        let verdict = anew.decide(decided, features, to, together(all, to))?;
        let (classes, grounds) = (verdict.classes.clone(), Grounds::default());
        Some((to, Judgement { classes, recipients: vec![verdict], grounds }))
    };
    all.iter().map(made).collect()
}

/// How many were judged together with this recipient.
fn together(all: &[DecidedFor], to: &DecidedFor) -> usize {
    all.iter().filter(|other| (other.direction, &other.reaches) == (to.direction, &to.reaches)).count()
}

/// A judge, with the senders that its policy names.
struct Anew<'j> {
    judge: &'j Judge,
    named: Vec<Mailbox>,
}

impl<'j> Anew<'j> {
    fn by(judge: &'j Judge) -> Anew<'j> {
        Anew { judge, named: judge.policy.named_senders() }
    }

    /// The mailbox that was veiled, where the policy names it; elsewhere one that is nobody's.
    fn sender(&self, id: EntryId, kept: &str) -> Option<Mailbox> {
        let (veil, domain) = kept.rsplit_once('@')?;
        let domain: Domain = domain.parse().ok()?;
        let mut same = self.named.iter().filter(|named| *named.domain() == domain);
        let named = same.find(|named| record::veiled(id, &named.key()) == kept).cloned();
        named.or_else(|| Mailbox::new(veil, domain).ok())
    }

    fn decide(&self, decided: &Decided, features: &Features, to: &DecidedFor, recipients: usize) -> Option<Verdict> {
        let reverse_path: ReversePath = decided.reverse_path.parse().ok()?;
        let from: Vec<Mailbox> = features.from.iter().filter_map(|kept| self.sender(decided.id, kept)).collect();
        let inbound = to.direction == Direction::Inbound;
        let classes = self.judge.policy.classify(&features.evidence);
        let message = MessageFacts {
            at: decided.id.time(),
            direction: to.direction,
            sites: Sites { leaves: decided.record.site.as_deref(), reaches: to.reaches.as_deref() },
            reverse_path: &reverse_path,
            header_from: &from,
            evidence: &features.evidence,
            classes: &classes,
            said: Said::Kept(&features.looked),
            size: decided.record.size,
            recipients,
            visible_recipients: features.visible_recipients,
            auto_submitted: features.auto_submitted,
            forwarded: features.forwarded,
            requiretls: features.requiretls,
        };
        let facts = RecipientFacts { recipient: &to.to, peer: features.peer.filter(|_| inbound), can: &[] };
        Some(self.judge.policy.judge(&message, &facts))
    }
}

impl Replayed {
    fn take(&mut self, decided: Option<&Decided>, anew: &Anew<'_>, old: Option<&Anew<'_>>) {
        let Some((decided, features)) = decided.and_then(|d| Some((d, d.record.features.as_ref()?))) else {
            self.not_kept += 1;
            return;
        };
        let all = &decided.record.recipients;
        for to in all {
            let together = together(all, to);
            let was = match old {
                Some(old) => old.decide(decided, features, to, together).map(|verdict| Made::of(&verdict)),
                None => Some(Made::recorded(to)),
            };
            let now = anew.decide(decided, features, to, together);
            let Some((was, now)) = was.zip(now) else { continue };
            let unknown = anew.judge.policy.not_known(&features.looked, to.direction);
            self.note_unknown(&unknown);
            // What may match for all that is known is not compared with what did.
            if was.rule.as_deref().is_none_or(|rule| !unknown.contains(rule)) {
                self.compare(decided.id, to, &was, &Made::of(&now));
            }
        }
    }

    fn compare(&mut self, id: EntryId, to: &DecidedFor, was: &Made, now: &Made) {
        self.decided += 1;
        if was.decision == now.decision {
            return;
        }
        self.changed += 1;
        let lowered = was.decision.is_lowered_by(&now.decision);
        self.lowered += u64::from(lowered);
        let kind = self.kinds.entry((was.decision.clone(), now.decision.clone())).or_default();
        kind.0 += 1;
        if kind.1.len() < EXAMPLES && !kind.1.contains(&id) {
            kind.1.push(id);
        }
        *self.domains.entry(to.to.domain().clone()).or_default() += 1;
        // What is gone asked for more; what is new asks for it.
        if let Some(rule) = if lowered { &was.rule } else { &now.rule } {
            let difference = self.by_rule.entry(rule.clone()).or_default();
            *if lowered { &mut difference.less } else { &mut difference.more } += 1;
        }
    }

    fn note_unknown(&mut self, unknown: &BTreeSet<&str>) {
        for rule in unknown {
            match self.not_known.get_mut(*rule) {
                Some(count) => *count += 1,
                None => drop(self.not_known.insert((*rule).to_owned(), 1)),
            }
        }
    }

    /// What is lowered, a sentence for each kind of change.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let lowered = self.changes.iter().filter(|change| change.is_lowered());
        let sentence = |change: &Change| {
            let (was, now) = (&change.was, &change.now);
            let example = change.examples.first().map(|id| format!(", such as {id}")).unwrap_or_default();
            format!(
                "of the last 7 days: {} recipients would have {} ({}) in place of {} ({}){example}",
                change.recipients, now.require, now.fate, was.require, was.fate
            )
        };
        lowered.map(sentence).collect()
    }

    fn sort(&mut self) {
        let kinds = std::mem::take(&mut self.kinds).into_iter();
        self.changes =
            kinds.map(|((was, now), (recipients, examples))| Change { was, now, recipients, examples }).collect();
        self.changes.sort_by_key(|change| Reverse(change.recipients));
        self.by_domain = std::mem::take(&mut self.domains).into_iter().collect();
        self.by_domain.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.by_domain.truncate(TOLD);
    }
}

/// Patterns, lexicons and settings of recognition that differ between two judges: what they find is not looked for again.
#[must_use]
pub fn recognised_otherwise(old: &Judge, new: &Judge) -> Vec<String> {
    let names: BTreeSet<String> = own::described(&old.policy)
        .symmetric_difference(&own::described(&new.policy))
        .map(|(name, _)| name.clone())
        .collect();
    names.into_iter().collect()
}
