//! Rows of figures: how many patients there were each month, and in all. Ten digits of such a row are nobody's number.
//!
//! Called by `patient_number` for each ten digits. Pure; looks at a few groups before them. Fails never.

use crate::clinical::digits::Joint;
use crate::clinical::groups::Group;
use std::ops::Range;

/// Groups before the number that are looked at: a row has a dozen months and their sum.
const BEFORE: usize = 16;
/// A figure has so many digits; fewer number what follows them, more are something else.
const FIGURE: Range<usize> = 3..6;

/// How numbers are written that are numbers by their look: what stands behind one may be anything.
const USUAL: [usize; 3] = [3, 3, 4];

/// Whether the groups that were `taken` are a piece of such a row: a figure or two numbers stand before them, the row goes on behind
/// them, or the last one is the sum of all others, or of those that were taken. The row begins at `since` at the earliest.
pub(super) fn is_one(groups: &[Group], since: usize, taken: Range<usize>) -> bool {
    let first = row(groups, since, taken.start);
    let before = groups.get(first..taken.start).unwrap_or_default();
    let own = groups.get(taken.clone()).unwrap_or_default();
    let is_behind = before.len() > 1 || before.iter().any(|group| FIGURE.contains(&group.len));
    is_behind
        || goes_on(own, groups.get(taken.end..).unwrap_or_default())
        || is_sum(own)
        || is_sum(groups.get(first..taken.end).unwrap_or_default())
}

/// Whether two figures follow in the row, and no second number that is written like this one.
fn goes_on(own: &[Group], behind: &[Group]) -> bool {
    let lengths = |groups: &[Group]| groups.iter().take(own.len()).map(|group| group.len).collect::<Vec<_>>();
    let are_figures =
        || behind.iter().take(2).filter(|group| is_in_row(group.joint) && FIGURE.contains(&group.len)).count() == 2;
    are_figures() && lengths(own) != USUAL && lengths(own) != lengths(behind)
}

/// Whether the text before a number ends with those who are counted: "Patients 485" says how many, and "Patients: 485" says who.
pub(super) fn are_counted(before: &str) -> bool {
    const WHO: &str = "patients";
    let before = before.trim_end_matches([' ', '\t', '|', '\u{A0}']);
    let at = before.len().checked_sub(WHO.len());
    at.and_then(|at| before.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(WHO))
}

/// Where the row begins that goes on up to `at`.
fn row(groups: &[Group], since: usize, at: usize) -> usize {
    let mut first = at;
    // A blank, a comma, or the gap between two columns: what stands on another line is no part of it.
    while first > since && at - first < BEFORE && groups.get(first).is_some_and(|group| is_in_row(group.joint)) {
        first -= 1;
    }
    first
}

fn is_in_row(joint: Option<Joint>) -> bool {
    matches!(joint, Some(Joint::Space | Joint::Weak | Joint::Wide))
}

fn is_sum(groups: &[Group]) -> bool {
    let Some((last, others)) = groups.split_last() else { return false };
    others.len() > 1 && number(last) == others.iter().map(number).sum::<u64>()
}

fn number(group: &Group) -> u64 {
    group.digits.iter().take(group.len.min(10)).fold(0, |number, digit| number * 10 + u64::from(*digit))
}
