//! Whether one rule says nothing that another does not say already, and whether one matches whenever others do.
//!
//! Called by lint and for exceptions. Promises: `true` is certain, `false` is not: what cannot be compared counts as
//! different. Never fails.

use super::domains::Pattern;
use super::group::{EVER, Groups};
use super::rule::{Asks, Rule};
use super::when::{FieldGlob, When, Who};
use regex::Regex;

/// Keys of `when`.
const KEYS: usize = 17;

/// Whether `wider` matches whatever `rule` matches and asks at least as much for every key that `rule` sets.
pub(super) fn by(rule: &Rule, wider: &Rule, groups: &Groups) -> bool {
    rule.direction == wider.direction && whenever(&[&rule.when], &wider.when, groups) && asks(&rule.asks, &wider.asks)
}

/// Whether `wide` holds whenever all of `given` hold, as conditions of rules.
pub(super) fn whenever(given: &[&When], wide: &When, groups: &Groups) -> bool {
    all_keys(given, wide, groups, (Counted::Listed, Counted::Lasting))
}

/// The same as conditions of exceptions, for which whoever has lapsed does not belong to a group.
pub(super) fn excepted_whenever(given: &[&When], wide: &When, groups: &Groups) -> bool {
    all_keys(given, wide, groups, (Counted::Lasting, Counted::Listed))
}

fn all_keys(given: &[&When], wide: &When, groups: &Groups, counted: (Counted, Counted)) -> bool {
    let implied: Vec<[bool; KEYS]> = given.iter().map(|narrow| keys(narrow, wide, groups, counted)).collect();
    (0..KEYS).all(|key| implied.iter().any(|narrow| narrow[key]))
}

/// Whom a list of groups counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Whoever is listed, lapsed or not: as `to` and `from` do.
    Listed,
    /// Whoever will never lapse: as `not-to` and `not-from` do at any time.
    Lasting,
}

/// Whether whoever `who` holds for, `wider` holds for.
pub(super) fn within(who: &Who, wider: &Who, groups: &Groups, counted: Counted) -> bool {
    match (who, wider) {
        (Who::Group(inner), Who::Group(outer)) => nested(*inner, *outer, groups),
        (Who::Domain(Pattern::Exact(domain)) | Who::Address(_, Pattern::Exact(domain)), Who::Group(outer)) => {
            let members = groups.of(domain, EVER);
            if counted == Counted::Listed { members.has(*outer) } else { members.is_current(*outer) }
        }
        (Who::Domain(Pattern::Exact(domain)) | Who::Address(_, Pattern::Exact(domain)), Who::Domain(pattern)) => {
            pattern.holds(domain)
        }
        (Who::Domain(Pattern::Below(inner)), Who::Domain(Pattern::Below(outer))) => {
            inner == outer || inner.is_below(outer.as_str())
        }
        (who, wider) => who == wider,
    }
}

/// Whether a group is in another with nothing excepted on the way.
fn nested(inner: usize, outer: usize, groups: &Groups) -> bool {
    let below = groups.with_nested(inner);
    let above = groups.with_nested(outer);
    above.contains(&inner) && above.iter().all(|g| below.contains(g) || groups.all[*g].except.is_empty())
}

/// Key by key, whether what `wide` wants holds whenever `narrow` does.
fn keys(narrow: &When, wide: &When, groups: &Groups, (named, left_out): (Counted, Counted)) -> [bool; KEYS] {
    let all = |narrow: &[Who], wide: &[Who], counted| {
        narrow.iter().all(|who| wide.iter().any(|wider| within(who, wider, groups, counted)))
    };
    let listed = |narrow: &[Who], wide: &[Who]| wide.is_empty() || (!narrow.is_empty() && all(narrow, wide, named));
    let texts = |regexes: &[Regex]| regexes.iter().map(|r| r.as_str().to_owned()).collect::<Vec<_>>();
    [
        listed(&narrow.to, &wide.to),
        listed(&narrow.from, &wide.from),
        // What the wider rule leaves out, the narrower leaves out too.
        all(&wide.not_to, &narrow.not_to, left_out),
        all(&wide.not_from, &narrow.not_from, left_out),
        one_of(&narrow.site, &wide.site),
        one_of(&narrow.content, &wide.content),
        one_of(&narrow.finding, &wide.finding),
        one_of(&texts(&narrow.subject_tag), &texts(&wide.subject_tag)),
        over(narrow.size_over, wide.size_over),
        over(narrow.recipients_over, wide.recipients_over),
        over(narrow.visible_recipients_over, wide.visible_recipients_over),
        wide.auto_submitted.is_none_or(|wanted| narrow.auto_submitted == Some(wanted)),
        wide.forwarded.is_none_or(|wanted| narrow.forwarded == Some(wanted)),
        one_of(&narrow.attachment_type, &wide.attachment_type),
        wide.null_sender.is_none_or(|wanted| narrow.null_sender == Some(wanted)),
        wide.requiretls.is_none_or(|wanted| narrow.requiretls == Some(wanted)),
        wide.header.iter().all(|field| narrow.header.iter().any(|other| field_implied(other, field))),
    ]
}

/// Of a list one element is enough, so the shorter list is the narrower.
fn one_of<T: PartialEq>(narrow: &[T], wide: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|item| wide.contains(item)))
}

fn over<T: PartialOrd>(narrow: Option<T>, wide: Option<T>) -> bool {
    wide.is_none_or(|limit| narrow.is_some_and(|over| over >= limit))
}

fn field_implied(narrow: &FieldGlob, wide: &FieldGlob) -> bool {
    let has = |glob: &Regex| wide.globs.iter().any(|other| other.as_str() == glob.as_str());
    narrow.name.eq_ignore_ascii_case(&wide.name) && !narrow.globs.is_empty() && narrow.globs.iter().all(has)
}

/// Whether every key of `less` is set by `more`, and no less strictly.
pub(super) fn asks(less: &Asks, more: &Asks) -> bool {
    fn covered<T>(less: &Option<T>, more: &Option<T>, as_strict: impl Fn(&T, &T) -> bool) -> bool {
        less.as_ref().is_none_or(|a| more.as_ref().is_some_and(|b| as_strict(b, a)))
    }
    covered(&less.require, &more.require, |b, a| b >= a)
        && covered(&less.upgrade, &more.upgrade, |b, a| b.is_subset(a))
        && covered(&less.wait, &more.wait, |b, a| b <= a)
        && covered(&less.otherwise, &more.otherwise, |b, a| b >= a)
        && covered(&less.hold_for, &more.hold_for, |b, a| b >= a)
        && covered(&less.tell_sender, &more.tell_sender, |b, a| b <= a)
        && covered(&less.unread_after, &more.unread_after, |b, a| b <= a)
        && covered(&less.notify, &more.notify, |b, a| a.iter().all(|address| b.contains(address)))
        && covered(&less.subject, &more.subject, |b, a| b >= a)
        && covered(&less.refuse, &more.refuse, |b, a| b == a)
}
