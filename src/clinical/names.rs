//! What a part is called in reports: its file name made harmless.
//!
//! Called by `walk` and `leaf`. Promises: at most `LONGEST` characters, nothing that moves a cursor or ends a line, and no
//! digits where they could be an identifier: places go to logs, findings' text does not. Fails never.

use super::digits;

const LONGEST: usize = 60;
/// A name with as many digits as this may hold an identifier or a date of birth: none of them is shown.
const MANY_DIGITS: usize = 6;

/// The file name as a place.
pub(super) fn sanitised(name: &str) -> String {
    let many = name.chars().filter(|c| digits::value(*c).is_some()).nth(MANY_DIGITS - 1).is_some();
    let shown = |c: char| match c {
        '/' | '\\' | '!' => '_',
        c if many && digits::value(c).is_some() => '#',
        c => c,
    };
    let visible = name.chars().filter(|c| !c.is_control() && !digits::is_invisible(*c));
    let visible = visible.filter(|c| !matches!(c, '\u{2028}' | '\u{2029}'));
    let mut out: String = visible.take(LONGEST).map(shown).collect();
    out.truncate(out.trim_end().len());
    if out.trim().is_empty() { "attachment".to_owned() } else { out.trim_start().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::sanitised;

    #[test]
    fn names_cannot_break_lines_or_carry_numbers() {
        assert_eq!(sanitised("letter\r\nX: y\u{202E}.eml"), "letterX: y.eml");
        assert_eq!(sanitised("943 476 5919.pdf"), "### ### ####.pdf");
        assert_eq!(sanitised("../../etc/passwd!/x"), ".._.._etc_passwd__x");
        assert_eq!(sanitised("week 12.csv"), "week 12.csv");
        assert_eq!(sanitised(" \u{200B}\u{7}"), "attachment");
        assert!(sanitised(&"é".repeat(500)).chars().count() == 60);
    }
}
