//! How ten digits are grouped: as the NHS prints them, as people write them, as forms have them, or torn anyhow.
//!
//! Called by `patient_number` for each ten digits. Pure; looks at ten groups and their neighbours. Fails never.

use crate::clinical::digits::Joint;
use crate::clinical::groups::Group;
use std::ops::Range;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bare,
    /// 3-3-4 with blanks: how the NHS prints it.
    Spaced,
    /// 3-3-4 with anything else: also how American telephone numbers look.
    Divided,
    /// 6-4 or 2-2-2-4: a date of birth, and the rest of a CHI number.
    Dated,
    /// One digit in each box, or 3-3-4 as in columns: believed wherever a label names it.
    Apart,
    /// The same number of digits in each group: believed behind a label, though not right behind it.
    Even,
    /// 3-7 or 6-4 where people are not sure: as even ones.
    Halves,
    /// 1-3-3-3: how a spreadsheet shows a large number.
    Thousands,
    /// Any other grouping, believed only right beside a label.
    Loose,
}

impl Form {
    /// The form of the groups that were `taken`; nothing where they are no number.
    pub(super) fn of(groups: &[Group], taken: Range<usize>) -> Option<Form> {
        match usual_form(groups.get(taken.clone())?) {
            Form::Loose => torn_form(groups, taken),
            form => Some(form),
        }
    }
}

fn usual_form(groups: &[Group]) -> Form {
    match groups {
        [_] => Form::Bare,
        [a, b, c] if (a.len, b.len, c.len) == (3, 3, 4) => match (b.joint, c.joint) {
            (Some(Joint::Space), Some(Joint::Space)) => Form::Spaced,
            (Some(Joint::Wide | Joint::Odd), _) | (_, Some(Joint::Wide | Joint::Odd)) => Form::Apart,
            _ => Form::Divided,
        },
        [date, rest] if (date.len, rest.len) == (6, 4) && is_near(rest) => Form::Dated,
        [a, b, c, rest]
            if [a.len, b.len, c.len, rest.len] == [2, 2, 2, 4] && is_near(b) && is_near(c) && is_near(rest) =>
        {
            Form::Dated
        }
        _ => Form::Loose,
    }
}

/// What an unusual grouping is; nothing where a mark stands in it that divides.
fn torn_form(groups: &[Group], taken: Range<usize>) -> Option<Form> {
    let [first, rest @ ..] = groups.get(taken.clone())? else { return None };
    if rest.iter().any(|group| group.joint == Some(Joint::Odd)) {
        return None;
    }
    let joint = rest.first()?.joint;
    // One more that is joined the same way makes it a row of something else.
    let goes_on = |group: Option<&Group>, joined: Option<&Group>| {
        group.is_some_and(|g| g.len == first.len) && joined.is_some_and(|j| j.joint == joint)
    };
    let before = taken.start.checked_sub(1).and_then(|at| groups.get(at));
    let behind = groups.get(taken.end);
    let is_even = rest.iter().all(|group| group.len == first.len && group.joint == joint)
        && !goes_on(before, Some(first))
        && !goes_on(behind, behind);
    Some(match first.len {
        1 if is_even && !is_counting(groups.get(taken)?) => Form::Apart,
        2.. if is_even && matches!(joint, Some(Joint::Space | Joint::Dash)) => Form::Even,
        3 | 6 if rest.len() == 1 && matches!(joint, Some(Joint::Space | Joint::Dash)) => Form::Halves,
        1 if is_thousands(rest) => Form::Thousands,
        _ => Form::Loose,
    })
}

fn is_thousands(rest: &[Group]) -> bool {
    rest.len() == 3 && rest.iter().all(|group| group.len == 3 && group.joint == rest[0].joint)
}

/// A row of headings: each digit is the one before and one more, or one less.
fn is_counting(groups: &[Group]) -> bool {
    let step = |by: u8| groups.windows(2).all(|pair| matches!(pair, [a, b] if (a.digits[0] + by) % 10 == b.digits[0]));
    step(1) || step(9)
}

fn is_near(group: &Group) -> bool {
    matches!(group.joint, Some(Joint::Space | Joint::Dash))
}
