//! Patients' numbers in text: ten digits, modulus 11, in every form in which people and programmes write them. The NHS number of England
//! and Wales, the CHI number of Scotland (which begins with a date of birth) and the H&C number of Northern Ireland.
//!
//! Called by `walk` for each piece of text. Promises: time linear in the text, no allocation before the first run of ten
//! digits, at most `MOST` different numbers per piece. Only masked texts leave. Fails never.

mod figures;
mod form;
mod glue;
mod miss;
mod scheme;

use super::dates;
use super::digits::{Joint, fold_into};
use super::groups::{Group, next_digit, read_groups};
use super::rules::{Near, Rules};
use super::table::{Column, Columns};
use crate::vocabulary::Confidence;
use form::Form;
use glue::Glue;
use miss::{Miss, Reason};
use scheme::Scheme;

/// Different numbers that are reported of one piece of text.
const MOST: usize = 32;
/// How far from its label a torn number may stand, and one in groups of one length.
const TORN_REACH: usize = 12;
const EVEN_REACH: usize = 40;
/// How far behind a number its label may stand where something else is named before it.
const BEHIND_REACH: usize = 4;
/// How far before a number its label may stand where something else is named between.
const SENTENCE: usize = 40;
/// First three and last four digits: what a report may show.
pub(super) type Shown = [u8; 7];

/// The numbers found in one piece of text, each with the best confidence.
#[derive(Debug, Default)]
pub(super) struct Hits {
    pub numbers: Vec<Hit>,
    /// Numbers that were looked at.
    pub judged: usize,
    /// Those that were not sure, where somebody asks.
    pub misses: Option<Vec<Miss>>,
}

/// One number, as far as it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub scheme: Scheme,
    pub shown: Shown,
    pub confidence: Confidence,
}

impl Hits {
    fn add(&mut self, hit: Hit) {
        let same = |known: &&mut Hit| (known.scheme, known.shown) == (hit.scheme, hit.shown);
        if let Some(known) = self.numbers.iter_mut().find(same) {
            known.confidence = known.confidence.max(hit.confidence);
        } else if self.numbers.len() < MOST {
            self.numbers.push(hit);
        } else if let Some(weaker) = self.numbers.iter_mut().find(|n| n.confidence < hit.confidence) {
            *weaker = hit;
        }
    }

    /// Notes a number that is not sure, where somebody asks. Digits in any other grouping are anything.
    fn missed(&mut self, candidate: &Candidate, scheme: Scheme, reason: Reason) {
        const MOST_MISSES: usize = 256;
        let Some(misses) = self.misses.as_mut().filter(|m| {
            !matches!(candidate.form, Form::Loose | Form::Halves | Form::Thousands | Form::Apart)
                && m.len() < MOST_MISSES
        }) else {
            return;
        };
        misses.push(Miss { scheme, shown: candidate.shown(), why: reason });
    }

    /// Whether more text could not tell more.
    fn is_full(&self) -> bool {
        self.numbers.len() == MOST && self.numbers.iter().all(|n| n.confidence == Confidence::High)
    }
}

/// `943***5919`
pub(super) fn masked(shown: Shown) -> String {
    let text: String = shown.iter().map(|d| char::from(b'0' + d)).collect();
    format!("{}***{}", &text[..3], &text[3..])
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    start: usize,
    end: usize,
    form: Form,
    digits: [u8; 10],
    /// Digits stand before it in a way that makes it a piece of something longer, or a telephone number.
    prefix: Prefix,
    /// It is a piece of a row of figures: others stand before it, or it ends with their sum.
    is_figure: bool,
}

impl Candidate {
    fn shown(&self) -> Shown {
        let d = self.digits;
        [d[0], d[1], d[2], d[6], d[7], d[8], d[9]]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Free,
    Joined,
    Dialled,
}

/// Finds the numbers of `text`, until `limit` of them were looked at.
pub(super) fn scan(text: &str, rules: &Rules, limit: usize, hits: &mut Hits) {
    let mut scanner =
        Scanner { text, rules, columns: Columns::default(), labelled_until: None, since: 0, folded: String::new() };
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while let Some(start) = next_digit(text, at) {
        groups.clear();
        at = read_groups(text, start, &mut groups);
        scanner.judge_all(&groups, hits);
        if hits.is_full() || hits.judged >= limit {
            return;
        }
    }
}

/// Modulus 11 over nine digits, weights 10 to 2; a check of 10 is never issued, nor what people type to fill a field: ten
/// equal digits, or 9876543210, which fits by its arithmetic alone; nor 2 to the 31st, which programmes write.
fn is_valid(digits: &[u8; 10]) -> bool {
    let sum: u32 = digits.iter().take(9).zip((2..=10).rev()).map(|(d, w)| u32::from(*d) * w).sum();
    let check = (11 - sum % 11) % 11;
    let is_filler = digits.windows(2).all(|w| w[0] == w[1])
        || digits.windows(2).all(|w| w[0] == w[1] + 1)
        || *digits == [2, 1, 4, 7, 4, 8, 3, 6, 4, 8];
    check == u32::from(digits[9]) && !is_filler
}

/// What stands around a number.
#[derive(Debug, Clone, Copy)]
struct Around {
    column: Column,
    before: Near,
    behind: Near,
    label: Option<usize>,
    /// A label names it in the same sentence, whatever else is named on the way.
    is_named: bool,
    glue: Glue,
}

struct Scanner<'a> {
    text: &'a str,
    rules: &'a Rules,
    columns: Columns,
    /// Where the last labelled number ended: a list of numbers has one label.
    labelled_until: Option<usize>,
    /// The group behind the last number.
    since: usize,
    folded: String,
}

impl Scanner<'_> {
    fn judge_all(&mut self, groups: &[Group], hits: &mut Hits) {
        if groups.iter().map(|g| g.len).sum::<usize>() < 10 {
            return;
        }
        let mut at = 0;
        self.since = 0;
        while at < groups.len() {
            let used = self.judge_after_date(&groups[at..], hits).or_else(|| self.judge_from(groups, at, hits));
            at += used.unwrap_or(1);
            self.since = if used.is_some() { at } else { self.since };
        }
    }

    /// A date and a number right behind it: the date is no piece of the number, and no dialling code.
    fn judge_after_date(&mut self, groups: &[Group], hits: &mut Hits) -> Option<usize> {
        // No piece of a date is as long as the first piece of a number: most groups need no closer look.
        groups.iter().take(4).skip(1).find(|g| g.len == 3 || g.len > 4)?;
        let date = dates::len(self.text, groups);
        let used = self.judge_from(groups.get(date..).filter(|_| date > 0)?, 0, hits)?;
        Some(date + used)
    }

    /// Judges the number that begins with group `at`; returns how many groups it took.
    fn judge_from(&mut self, groups: &[Group], at: usize, hits: &mut Hits) -> Option<usize> {
        let (candidate, count) = candidate(self.text, groups, at)?;
        let is_figure = figures::is_one(groups, self.since.min(at), at..at + count)
            || figures::are_counted(self.text.get(..candidate.start).unwrap_or_default());
        let candidate = Candidate { is_figure, ..candidate };
        if !is_valid(&candidate.digits) {
            hits.missed(&candidate, Scheme::Nhs, Reason::CheckDigit);
            return None;
        }
        let mut schemes = Scheme::ALL.into_iter().filter(|scheme| scheme.may_be(&candidate.digits)).peekable();
        if schemes.peek().is_none() {
            hits.missed(&candidate, Scheme::Nhs, Reason::Range);
            return None;
        }
        hits.judged += 1;
        let around = self.around(&candidate);
        let judged = schemes.filter_map(|scheme| Some((scheme, self.confidence(&candidate, scheme, around)?)));
        let judged: Vec<(Scheme, Confidence)> = judged.collect();
        let Some(best) = judged.iter().map(|(_, confidence)| *confidence).max() else {
            hits.missed(&candidate, Scheme::Nhs, Reason::of_none(&candidate, around));
            return None;
        };
        // A guess is one guess, whatever it may be of; what is sure may be both.
        let most = if best == Confidence::High { judged.len() } else { 1 };
        let shown = candidate.shown();
        if let Some((scheme, _)) = judged.iter().find(|(_, c)| *c == best).filter(|_| best < Confidence::High) {
            hits.missed(&candidate, *scheme, Reason::of_doubt(&candidate, *scheme, best, around));
        }
        for (scheme, confidence) in judged.into_iter().filter(|(_, confidence)| *confidence == best).take(most) {
            hits.add(Hit { scheme, shown, confidence });
        }
        if best == Confidence::High {
            self.labelled_until = Some(candidate.end);
        }
        Some(count)
    }

    fn around(&mut self, candidate: &Candidate) -> Around {
        let column = self.columns.of(self.text, candidate.start, self.rules);
        let (before, behind) = (self.before(candidate, column), self.behind(candidate));
        let label = before.label.or_else(|| self.follows_a_labelled_one(candidate, column));
        let is_named = before.firm.is_some_and(|reach| self.is_one_sentence(candidate, reach));
        Around { column, before, behind, label, is_named, glue: Glue::around(self.text, candidate) }
    }

    /// Whether no sentence and no other figure ends within so many characters before a number.
    fn is_one_sentence(&self, candidate: &Candidate, reach: usize) -> bool {
        let from = floor(self.text, candidate.start.saturating_sub(reach));
        let between = self.text.get(from..candidate.start).unwrap_or_default();
        let ends = [". ", ".\n", "! ", "? ", "; "].iter().any(|end| between.contains(end));
        reach <= SENTENCE && !ends && !between.bytes().any(|byte| byte.is_ascii_digit())
    }

    fn confidence(&self, candidate: &Candidate, scheme: Scheme, around: Around) -> Option<Confidence> {
        if self.rules.is_blind() {
            return Some(Confidence::High);
        }
        let Around { column, before, behind, label, is_named, glue } = around;
        // What names a person only names a number where nothing else says what it is.
        let is_firm =
            before.firm.is_some() || column == Column::Labelled || (label.is_some() && before.label.is_none());
        let label = label.filter(|_| is_firm || !candidate.is_figure);
        let nearer = |against: usize| label.is_none_or(|l| against < l);
        let is_other = matches!(column, Column::Countered { .. }) && !is_firm;
        // `NHS number (given over the phone) is 943 476 5919`: as the NHS prints it, and nobody a telephone number.
        let is_named = is_named && candidate.form == Form::Spaced && scheme.is_issued(&candidate.digits);
        let is_other = is_other || (before.against.is_some_and(nearer) && !is_named);
        let countered = is_other || candidate.prefix == Prefix::Dialled;
        let is_named_behind = if candidate.is_figure { behind.firm } else { behind.label }.is_some();
        let after = is_named_behind && before.against.is_none() && candidate.prefix != Prefix::Dialled;
        if scheme.is_torn(candidate.form) {
            let is_free = glue == Glue::Free || (glue == Glue::Letters && before.label == Some(0));
            let is_named = match candidate.form {
                Form::Apart => label.is_some() || after || column == Column::Labelled,
                Form::Thousands if column == Column::Labelled => true,
                // A number torn apart in an unusual way is believed right beside its label only.
                form => {
                    let reach = if matches!(form, Form::Even | Form::Halves) { EVEN_REACH } else { TORN_REACH };
                    label.and(before.label).is_some_and(|l| l <= reach)
                        || (after && behind.label.is_some_and(|l| l <= TORN_REACH))
                }
            };
            let confidence = if is_firm || after { Confidence::High } else { Confidence::Medium };
            return (is_named && !countered && is_free).then_some(confidence);
        }
        if glue == Glue::Token {
            return before.label.filter(|l| *l <= 3).map(|_| Confidence::High);
        }
        match (label.is_some() || after, countered) {
            (true, false) if is_firm || after || scheme.is_issued(&candidate.digits) => Some(Confidence::High),
            (true, false) => Some(Confidence::Medium),
            (true, true) if candidate.prefix == Prefix::Dialled => Some(Confidence::Low),
            (true, true) => Some(Confidence::Medium),
            (false, _) if glue == Glue::Letters => None,
            // `Ref 943… (NHS number)`: something else names it too.
            (false, true) if behind.label.is_some_and(|l| l <= BEHIND_REACH) && glue == Glue::Free => {
                Some(Confidence::Low)
            }
            (false, _) if column == Column::Labelled => Some(Confidence::High),
            (false, countered) => unlabelled((candidate, scheme), countered, before, behind),
        }
    }

    fn before(&mut self, candidate: &Candidate, column: Column) -> Near {
        let from = floor(self.text, candidate.start.saturating_sub(self.rules.window() * 3));
        let from = match column {
            Column::Other { row } | Column::Countered { row } => from.max(row),
            // The head of its own column says what it is, and those of others nothing.
            Column::Labelled => self.text[from..candidate.start].rfind('\n').map_or(from, |end| from + end + 1),
            Column::None => from,
        };
        self.folded.clear();
        fold_into(&mut self.folded, &self.text[from..candidate.start]);
        self.rules.before(&self.folded)
    }

    fn behind(&mut self, candidate: &Candidate) -> Near {
        let to = floor(self.text, candidate.end.saturating_add(self.rules.window()));
        self.folded.clear();
        fold_into(&mut self.folded, &self.text[candidate.end..to.max(candidate.end)]);
        self.rules.behind(&self.folded)
    }

    fn follows_a_labelled_one(&self, candidate: &Candidate, column: Column) -> Option<usize> {
        let gap = candidate.start.checked_sub(self.labelled_until?)?;
        let is_next = gap <= 24
            && candidate.prefix != Prefix::Dialled
            && !matches!(column, Column::Other { .. } | Column::Countered { .. });
        is_next.then_some(gap)
    }
}

/// The number that begins with group `at`, if its shape is one of those that are written.
fn candidate(text: &str, groups: &[Group], at: usize) -> Option<(Candidate, usize)> {
    let first = groups.get(at)?;
    let (mut digits, mut filled, mut count) = ([0u8; 10], 0, 0);
    for group in groups.get(at..)?.iter().take(10) {
        let to = filled + group.len;
        if to > 10 {
            return None;
        }
        digits.get_mut(filled..to)?.copy_from_slice(group.digits.get(..group.len)?);
        (filled, count) = (to, count + 1);
        if filled == 10 {
            break;
        }
    }
    let taken = groups.get(at..at + count).filter(|_| filled == 10)?;
    let last = taken.last()?;
    let form = Form::of(groups, at..at + count)?;
    let prefix = prefix_of(text, at.checked_sub(1).and_then(|p| groups.get(p)), first);
    Some((Candidate { start: first.start, end: last.end, form, digits, prefix, is_figure: false }, count))
}

fn prefix_of(text: &str, before: Option<&Group>, first: &Group) -> Prefix {
    let lead = text.get(..first.start).unwrap_or_default();
    if lead.trim_end_matches([' ', '(', '\u{A0}']).ends_with('+') {
        return Prefix::Dialled;
    }
    let Some(before) = before.filter(|b| b.len <= 5) else { return Prefix::Free };
    let plus = text.get(..before.start).is_some_and(|t| t.ends_with('+') || t.ends_with("+("));
    // What stands in another cell, or before a comma, dials nothing here.
    let is_apart = text.get(before.end..first.start).is_some_and(|gap| gap.contains(['\t', ',', '|', ';']));
    let close = matches!(first.joint, Some(Joint::Space | Joint::Dash | Joint::Weak)) && !is_apart;
    let trunk = before.digits[0] == 0 || (before.len == 2 && before.digits[..2] == [4, 4]);
    match first.joint {
        _ if close && (plus || trunk) => Prefix::Dialled,
        Some(Joint::Space | Joint::Dash) => Prefix::Joined,
        _ => Prefix::Free,
    }
}

/// A number that nothing names. Blanks in 3-3-4 are how the NHS prints it and hardly anybody else in the UK: medium.
/// Hyphens and dots are also how American telephone numbers look, and a bare number that fits is one in eleven: low.
fn unlabelled(
    (candidate, scheme): (&Candidate, Scheme),
    countered: bool,
    before: Near,
    behind: Near,
) -> Option<Confidence> {
    let is_usual = scheme.is_usual(candidate.form);
    let supported = (before.support && !candidate.is_figure) || behind.support || (before.title && is_usual);
    let hinted = (before.hint && !candidate.is_figure) || behind.hint;
    let plausible = is_usual && scheme.is_issued(&candidate.digits) && candidate.prefix == Prefix::Free;
    let base = if plausible { Confidence::Medium } else { Confidence::Low };
    match (base, supported, countered) {
        (Confidence::Low, false, false) if hinted => Some(Confidence::Medium),
        (Confidence::Low, false, true) if hinted => Some(Confidence::Low),
        (base, true, true) | (base, false, false) => Some(base),
        (Confidence::Low, true, false) => Some(Confidence::Medium),
        (_, true, false) => Some(Confidence::High),
        (Confidence::Low, false, true) => None,
        (_, false, true) => Some(Confidence::Low),
    }
}

/// The character boundary at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests;
