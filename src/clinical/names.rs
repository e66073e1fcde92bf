//! What a part is called in reports: its file name made harmless.
//!
//! Called by `walk`, `leaf` and `documents`. Promises: at most `LONGEST` characters, nothing that moves a cursor or ends a line, and no
//! digits where they could be an identifier: places go to logs, findings' text does not. Fails never.

use super::digits;

const LONGEST: usize = 60;
/// A name with as many digits as this may hold an identifier or a date of birth: none of them is shown.
const MANY_DIGITS: usize = 6;

/// The file name as a place.
pub(super) fn sanitised(name: &str) -> String {
    let digits = digits_of(name);
    let out: String = visible(name).take(LONGEST).map(|c| shown(c, digits)).collect();
    or_attachment(out.trim())
}

/// The path of an entry in an archive, or of a part of a document, as a place: `word/document.xml`. It leads nowhere.
pub(super) fn path(name: &str) -> String {
    let parts = name.split('/').map(str::trim).filter(|part| !matches!(*part, "" | "." | ".."));
    let (digits, mut out) = (digits_of(name), String::new());
    for part in parts {
        let part: String = visible(part).map(|c| shown(c, digits)).take(LONGEST).collect();
        let part = part.trim();
        // What cannot be seen may have hidden them.
        if matches!(part, "" | "." | "..") {
            continue;
        }
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(part);
        if out.chars().count() >= LONGEST {
            break;
        }
    }
    let out: String = out.chars().take(LONGEST).collect();
    or_attachment(out.trim().trim_end_matches('/'))
}

/// Whether digits are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Shown,
    Masked,
}

fn digits_of(name: &str) -> Digits {
    let is_many = name.chars().filter(|c| digits::value(*c).is_some()).nth(MANY_DIGITS - 1).is_some();
    if is_many { Digits::Masked } else { Digits::Shown }
}

fn visible(name: &str) -> impl Iterator<Item = char> + '_ {
    let visible = name.chars().filter(|c| !c.is_control() && !digits::is_invisible(*c));
    visible.filter(|c| !matches!(c, '\u{2028}' | '\u{2029}'))
}

fn shown(c: char, digits: Digits) -> char {
    match c {
        '/' | '\\' | '!' => '_',
        c if digits == Digits::Masked && digits::value(c).is_some() => '#',
        c => c,
    }
}

fn or_attachment(name: &str) -> String {
    if name.is_empty() { "attachment".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{path, sanitised};

    #[test]
    fn names_cannot_break_lines_or_carry_numbers() {
        assert_eq!(sanitised("letter\r\nX: y\u{202E}.eml"), "letterX: y.eml");
        assert_eq!(sanitised("943 476 5919.pdf"), "### ### ####.pdf");
        assert_eq!(sanitised("../../etc/passwd!/x"), ".._.._etc_passwd__x");
        assert_eq!(sanitised("week 12.csv"), "week 12.csv");
        assert_eq!(sanitised(" \u{200B}\u{7}"), "attachment");
        assert!(sanitised(&"é".repeat(500)).chars().count() == 60);
    }

    #[test]
    fn paths_keep_their_slashes_and_lead_nowhere() {
        assert_eq!(path("word/document.xml"), "word/document.xml");
        assert_eq!(path("/../a/./b//..\u{200B}/c!d\\e\n/"), "a/b/c_d_e");
        assert_eq!(path("943/476/5919.txt"), "###/###/####.txt");
        assert_eq!(path("week 12/list 3.csv"), "week 12/list 3.csv");
        assert_eq!((path("//.."), path(" ")), ("attachment".to_owned(), "attachment".to_owned()));
        assert!(path(&"ab/".repeat(5000)).chars().count() <= 60 && path(&"é".repeat(500)).chars().count() == 60);
    }
}
