//! A message made into a test of a policy: everything taken out that its judgement does not hang on.
//!
//! Called by `policy add-case`. Lines, words, digits and addresses are replaced piece by piece, and each replacement is judged: what changes
//! the judgement stays, and is named. Promises: the case is judged as the message was, or it is said what differs; a patient's number never
//! stays silently. Fails never.

mod pieces;

use super::cases::{judged, written};
use super::{Judge, own};
use crate::clinical;
use crate::clock::Wall;
use crate::mail::{Domain, Mailbox, ReversePath};
use crate::policy::PolicyTest;
use crate::vocabulary::FindingKind;
use jiff::civil::Date;
use pieces::{Piece, halve};
use std::collections::{BTreeMap, BTreeSet};

/// Digits in a row that are more than a day or an amount.
const TELLING: usize = 5;

/// A message and the circumstances in which it is judged: its senders, recipients, peer and rungs are the test's.
pub struct Original<'a> {
    pub message: &'a [u8],
    pub test: PolicyTest,
    /// The day that the policy's tests live on; None: they are judged today.
    pub day: Option<Date>,
    pub at: Wall,
    /// Domains that the policy or gateway.toml names: they stay.
    pub named: BTreeSet<Domain>,
}

/// What a test is written from.
#[derive(Debug, Clone)]
pub struct Case {
    pub from: ReversePath,
    pub to: Vec<Mailbox>,
    pub subject: String,
    pub body: String,
}

/// The case, and what could not be taken out or put in.
#[derive(Debug)]
pub struct Scrubbed {
    pub case: Case,
    /// Words of the message that stay, and domains that nobody names.
    pub words: Vec<String>,
    /// What stands in the way: each a sentence.
    pub wrong: Vec<String>,
}

/// What the judgement of a message comes to.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// How often each kind was found (of lexicons), or how surely.
    kinds: BTreeMap<FindingKind, String>,
    classes: Vec<String>,
    fates: Vec<String>,
}

impl Judge {
    fn outcome(&self, original: &Original<'_>, test: &PolicyTest, message: &[u8]) -> Outcome {
        let judgement = judged(self, test, message, original.at);
        let mut kinds: BTreeMap<FindingKind, String> = BTreeMap::new();
        let mut terms: BTreeMap<FindingKind, usize> = BTreeMap::new();
        let mut best = BTreeMap::new();
        for (kind, confidence) in own::evidence(&self.inspect(message)) {
            *terms.entry(kind).or_default() += 1;
            let known = best.entry(kind).or_insert(confidence);
            *known = confidence.max(*known);
        }
        for (kind, confidence) in best {
            let count = terms.get(&kind).filter(|_| matches!(kind, FindingKind::Lexicon(_)));
            kinds.insert(kind, count.map_or_else(|| confidence.to_string(), ToString::to_string));
        }
        let fates = judgement.recipients.iter();
        let fates = fates.map(|v| format!("{} {} {:?}", v.require, v.fate_name(), v.then_name())).collect();
        Outcome { kinds, classes: judgement.classes.into_keys().collect(), fates }
    }
}

/// Takes out of a message what its judgement does not hang on.
#[must_use]
pub fn scrubbed(judge: &Judge, original: &Original<'_>) -> Scrubbed {
    let wanted = judge.outcome(original, &original.test, original.message);
    let mut scrub =
        Scrub { judge, original, wanted, pieces: pieces::of(&texts(judge, original)), test: original.test.clone() };
    let mut wrong = scrub.differs();
    // What a test cannot hold is said once; the rest is measured by what it can.
    scrub.wanted = scrub.outcome();
    scrub.addresses(&mut wrong);
    scrub.each(|piece| piece.starts_line(), Piece::dropped);
    scrub.numbers(&mut wrong);
    scrub.each(Piece::is_word, Piece::veiled);
    scrub.each(Piece::is_digits, Piece::veiled);
    scrub.each(Piece::is_digits, Piece::dated);
    wrong.extend(scrub.left());
    wrong.extend(scrub.numbers_left());
    let (subject, body) = scrub.text();
    let words = scrub.pieces.iter().filter(|piece| piece.is_word()).map(|piece| piece.shown().to_owned());
    let mut words: Vec<String> = words.chain(scrub.domains_left()).collect();
    words.sort();
    words.dedup();
    let case = Case { from: scrub.test.from.clone(), to: scrub.test.to.clone(), subject, body };
    Scrubbed { case, words, wrong }
}

/// The subject, then every text that is looked at, each ended by a line end.
fn texts(judge: &Judge, original: &Original<'_>) -> String {
    let looked = clinical::texts(original.message, &judge.rules, &judge.limits);
    let (subject, others): (Vec<_>, Vec<_>) = looked.iter().partition(|looked| looked.place == "subject");
    let subject = subject.first().map_or("", |looked| looked.text.trim()).replace(['\r', '\n'], " ");
    let others: Vec<String> =
        others.iter().map(|looked| looked.text.replace("\r\n", "\n").replace('\r', "\n")).collect();
    format!("{subject}\n{}", others.join("\n\n"))
}

struct Scrub<'a> {
    judge: &'a Judge,
    original: &'a Original<'a>,
    wanted: Outcome,
    pieces: Vec<Piece>,
    test: PolicyTest,
}

impl Scrub<'_> {
    fn text(&self) -> (String, String) {
        let whole: String = self.pieces.iter().map(Piece::shown).collect();
        let (subject, body) = whole.split_once('\n').unwrap_or((&whole, ""));
        (subject.to_owned(), body.trim_end().to_owned())
    }

    fn outcome(&self) -> Outcome {
        let (subject, body) = self.text();
        let message = written(&self.test, self.original.day, &subject, &body);
        self.judge.outcome(self.original, &self.test, &message)
    }

    fn holds(&self) -> bool {
        self.outcome() == self.wanted
    }

    /// What the message has that the text of a test has not.
    fn differs(&self) -> Vec<String> {
        let now = self.outcome();
        let mut wrong = Vec::new();
        for kind in self.wanted.kinds.keys().filter(|kind| !now.kinds.contains_key(kind)) {
            wrong.push(format!("`{kind}` cannot be put into a test's subject and text"));
        }
        for kind in now.kinds.keys().filter(|kind| !self.wanted.kinds.contains_key(kind)) {
            wrong.push(format!("as a test's text the message would have `{kind}` too"));
        }
        if wrong.is_empty() && now != self.wanted {
            let why = "as a test's text the message is judged otherwise";
            wrong.push(format!("{why}: a rule looks at its header, size or attachments ({:?})", now.fates));
        }
        wrong
    }

    /// Names in addresses; their domains too, where nobody names them.
    fn addresses(&mut self, wrong: &mut Vec<String>) {
        if let Some(sender) = self.test.from.mailbox().cloned() {
            let is_renamed = self.readdressed(&sender, "sender", |test, made| test.from = ReversePath::Mailbox(made));
            if !is_renamed {
                wrong.push("the sender's name stays in its address: a rule looks at it".to_owned());
            }
        }
        for (number, mailbox) in self.test.to.clone().iter().enumerate() {
            let local = if number == 0 { "recipient".to_owned() } else { format!("recipient{}", number + 1) };
            let is_renamed = self.readdressed(mailbox, &local, |test, made| {
                test.to.get_mut(number).into_iter().for_each(|slot| *slot = made.clone());
            });
            if !is_renamed {
                wrong.push(format!("the name of recipient {} stays in its address: a rule looks at it", number + 1));
            }
        }
    }

    /// Whether the address could be replaced: as a whole, or its name alone.
    fn readdressed(&mut self, mailbox: &Mailbox, local: &str, put: impl Fn(&mut PolicyTest, Mailbox)) -> bool {
        let before = self.test.clone();
        let role = local.trim_end_matches(|c: char| c.is_ascii_digit());
        let whole = format!("{local}@{role}.example").parse().ok();
        let whole = whole.filter(|_| !self.original.named.contains(mailbox.domain()));
        for made in [whole, renamed(mailbox, local)].into_iter().flatten() {
            put(&mut self.test, made);
            if self.holds() {
                return true;
            }
            self.test = before.clone();
        }
        false
    }

    /// Domains of the message that nobody names and that stay.
    fn domains_left(&self) -> Vec<String> {
        let were = |mailbox: &Mailbox| {
            let test = &self.original.test;
            test.from.mailbox().into_iter().chain(&test.to).any(|was| was.domain() == mailbox.domain())
        };
        let all = self.test.from.mailbox().into_iter().chain(&self.test.to);
        let left = all.filter(|mailbox| were(mailbox) && !self.original.named.contains(mailbox.domain()));
        left.map(|mailbox| mailbox.domain().to_string()).collect()
    }

    /// Changes every piece of a sort as far as the judgement stays: whole halves at once.
    fn each(&mut self, of_sort: impl Fn(&Piece) -> bool, change: fn(&Piece) -> Piece) {
        let all: Vec<usize> = (0..self.pieces.len()).filter(|at| self.pieces.get(*at).is_some_and(&of_sort)).collect();
        let mut open = vec![all];
        while let Some(some) = open.pop().filter(|some| !some.is_empty()) {
            let before = self.pieces.clone();
            for at in &some {
                pieces::change(&mut self.pieces, *at, change);
            }
            if !self.holds() {
                self.pieces = before;
                halve(&some, &mut open);
            }
        }
    }

    /// Patients' numbers become numbers that are for tests, in the same form.
    fn numbers(&mut self, wrong: &mut Vec<String>) {
        for (count, at) in pieces::numbers(&self.pieces).into_iter().enumerate() {
            let before = self.pieces.clone();
            let is_replaced = pieces::FOR_TESTS.iter().any(|made| {
                self.pieces.clone_from(&before);
                pieces::renumber(&mut self.pieces, &at, made, count);
                self.holds()
            });
            if !is_replaced {
                self.pieces = before;
                wrong.push(format!("a number of ten digits cannot be replaced: {}", pieces::masked(&self.pieces, &at)));
            }
        }
    }

    /// Patients' numbers of the message that are still found.
    fn numbers_left(&self) -> Vec<String> {
        let (subject, body) = self.text();
        let message = written(&self.test, self.original.day, &subject, &body);
        let is_number =
            |kind: FindingKind| matches!(kind, FindingKind::NhsNumber | FindingKind::ChiNumber | FindingKind::HcNumber);
        let found = |message: &[u8]| {
            let all = self.judge.inspect(message).findings.into_iter().filter(|finding| is_number(finding.kind));
            all.map(|finding| finding.masked).collect::<BTreeSet<String>>()
        };
        // The message may hold a number for tests itself.
        let both: Vec<String> = found(self.original.message).intersection(&found(&message)).cloned().collect();
        let stay = both.into_iter().filter(|masked| !pieces::is_for_tests(masked));
        stay.map(|masked| format!("a number of ten digits stays: {masked}")).collect()
    }

    /// Digits that are still the message's own, where they may tell who it is about.
    fn left(&self) -> Vec<String> {
        let kept = self.pieces.iter().filter(|piece| piece.is_digits() && piece.shown().len() >= TELLING);
        kept.map(|piece| format!("{} digits in a row cannot be replaced", piece.shown().len())).collect()
    }
}

fn renamed(mailbox: &Mailbox, local: &str) -> Option<Mailbox> {
    format!("{local}@{}", mailbox.domain()).parse().ok()
}

#[cfg(test)]
mod tests;
