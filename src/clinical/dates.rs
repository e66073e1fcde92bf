//! Dates among groups of digits: a date of birth beside a number is no piece of it.
//!
//! Called by `patient_number`. Promises: looks at three groups and one word at most. Fails never.

use super::digits::Joint;
use super::groups::Group;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTHS_WELSH: [&str; 12] = ["ion", "chw", "maw", "ebr", "mai", "meh", "gor", "aws", "med", "hyd", "tac", "rha"];

/// How many groups at the beginning of `groups` are a date or the end of one.
pub(super) fn len(text: &str, groups: &[Group]) -> usize {
    match groups {
        [a, b, c, ..] if is_date([a, b, c]) && b.joint == c.joint && is_joint(b, c) => 3,
        // `1 Feb 1960`, `Feb 1, 1960`
        [day, year, ..] if is_year(year) && is_day(day) && follows_month(text, day) => 2,
        [year, ..] if is_year(year) && follows_month(text, year) => 1,
        _ => 0,
    }
}

/// Blanks join a date only if its year says the century: pairs of digits are anything.
fn is_joint(second: &Group, third: &Group) -> bool {
    match second.joint {
        Some(Joint::Dash | Joint::Weak) => true,
        Some(Joint::Space) => is_year(third),
        _ => false,
    }
}

fn is_date(groups: [&Group; 3]) -> bool {
    match groups {
        [year, month, day] if is_year(year) => is_month(month) && is_day(day),
        [a, b, year] => {
            let is_order = (is_day(a) && is_month(b)) || (is_month(a) && is_day(b));
            is_order && (is_year(year) || year.len == 2)
        }
    }
}

fn number(group: &Group) -> usize {
    group.digits.iter().take(group.len).fold(0, |sum, digit| sum * 10 + usize::from(*digit))
}

fn is_year(group: &Group) -> bool {
    group.len == 4 && (1_880..2_100).contains(&number(group))
}

fn is_month(group: &Group) -> bool {
    group.len <= 2 && (1..=12).contains(&number(group))
}

fn is_day(group: &Group) -> bool {
    group.len <= 2 && (1..=31).contains(&number(group))
}

/// The name of a month, whole or its first three letters and more, right before a group.
fn follows_month(text: &str, group: &Group) -> bool {
    let lead = text.get(..group.start).unwrap_or_default();
    let lead = lead.trim_end_matches([' ', '\u{A0}', '-', '.', ',', '/']);
    let letters = lead.bytes().rev().take(12).take_while(u8::is_ascii_alphabetic).count();
    if !(3..=9).contains(&letters) {
        return false;
    }
    let word = lead.get(lead.len() - letters..).unwrap_or_default();
    let is_named = |month: &&str| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(month));
    MONTHS.iter().chain(&MONTHS_WELSH).any(is_named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clinical::groups::read_groups;

    fn dated(text: &str) -> usize {
        let mut groups = Vec::new();
        let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
        read_groups(text, start, &mut groups);
        len(text, &groups)
    }

    #[test]
    fn dates_are_known_in_their_usual_writings() {
        for (text, groups) in [
            ("01/02/1960, 943", 3),
            ("1.2.60 943", 3),
            ("31-12-1999 943", 3),
            ("1960-02-01 943", 3),
            ("01 02 1960 943", 3),
            ("Feb 1960 943", 1),
            ("May-1960", 1),
            ("February 1, 1960 943", 2),
            ("Chwefror 1960", 1),
        ] {
            assert_eq!(dated(text), groups, "{text}");
        }
    }

    #[test]
    fn other_groups_are_no_date() {
        for text in [
            "943 476 5919",
            "32/01/1960",
            "13/13/13/1",
            "01/02/3960",
            "40-10-23-21-37",
            "01 02 60 943",
            "ward 1960 943",
        ] {
            assert_eq!(dated(text), 0, "{text}");
        }
    }
}
