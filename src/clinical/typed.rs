//! Cells of tables in plain text as a spreadsheet shows them: numbers with an exponent in full, formulas worked out.
//!
//! Called by `leaf`. Promises: one pass, and a second reading only where there is such a cell. Fails never.

/// Exponents as large as this one may have; what is larger is no identifier.
const EXPONENT: usize = 14;
/// Digits of an identifier, before its exponent is undone.
const DIGITS: usize = 20;
/// Digits that are enough to work out an identifier.
const FORMULA: usize = 6;

/// The text with its exponents undone (`9.434765919E9`); nothing where there are none.
pub(super) fn in_full(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut copied) = (String::new(), 0);
    for at in exponents(bytes) {
        let Some((range, number)) = number(bytes, at).filter(|(r, _)| r.start >= copied) else { continue };
        out.push_str(text.get(copied..range.start).unwrap_or_default());
        out.push_str(&number);
        copied = range.end;
    }
    (copied > 0).then(|| out + text.get(copied..).unwrap_or_default())
}

fn is_mantissa(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.'
}

/// Where an `e` stands behind a digit. Letters are many: blocks without one are passed over.
fn exponents(bytes: &[u8]) -> impl Iterator<Item = usize> {
    const BLOCK: usize = 64;
    let is_one = |(before, at): (&u8, &u8)| is_mantissa(*before) & (*at | 0x20 == b'e');
    let behind = bytes.get(1..).unwrap_or_default();
    let blocks = bytes.chunks(BLOCK).zip(behind.chunks(BLOCK)).enumerate();
    // Without an early exit inside the block the compiler can look at many octets at once.
    let with = blocks.filter(move |(_, (before, at))| before.iter().zip(*at).fold(false, |any, two| any | is_one(two)));
    with.flat_map(move |(number, (before, at))| {
        let places = before.iter().zip(at).enumerate().filter(move |(_, two)| is_one(*two));
        places.map(move |(place, _)| number * BLOCK + place + 1)
    })
}

/// The number whose exponent is at `at`, and where it stands.
fn number(bytes: &[u8], at: usize) -> Option<(std::ops::Range<usize>, String)> {
    let mantissa = bytes.get(..at)?.iter().rev().take(DIGITS + 2).take_while(|b| is_mantissa(**b)).count();
    let start = at.checked_sub(mantissa).filter(|_| mantissa <= DIGITS)?;
    let is_word = start.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(u8::is_ascii_alphanumeric);
    let signed = bytes.get(at + 1..)?;
    let sign = signed.first().copied().filter(|b| matches!(b, b'+' | b'-'));
    let digits = signed.get(usize::from(sign.is_some())..)?;
    let length = digits.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let exponent: usize = std::str::from_utf8(digits.get(..length)?).ok()?.parse().ok().filter(|e| *e <= EXPONENT)?;
    let shown = shifted(std::str::from_utf8(bytes.get(start..at)?).ok()?, exponent, sign == Some(b'-'))?;
    (!is_word).then(|| (start..at + 1 + usize::from(sign.is_some()) + length, shown))
}

/// The digits with the point moved to the right, or to the left.
fn shifted(mantissa: &str, exponent: usize, is_left: bool) -> Option<String> {
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = if is_left { whole.len().checked_sub(exponent)? } else { whole.len().saturating_add(exponent) };
    let digits = format!("{whole}{fraction}{:0<1$}", "", point.saturating_sub(whole.len() + fraction.len()));
    let (whole, fraction) = (digits.get(..point)?, digits.get(point..)?.trim_end_matches('0'));
    match fraction {
        _ if digits.contains('.') => None,
        "" => Some(whole.to_owned()),
        fraction => Some(format!("{whole}.{fraction}")),
    }
}

/// The cells that are formulas with enough digits to make a number, without what joins them; not those that are one value as it
/// stands.
pub(super) fn formulas(text: &str) -> Vec<String> {
    let starts = memchr::memchr_iter(b'=', text.as_bytes()).filter(|at| begins_a_cell(text, *at));
    // Those that are one value end where the value does, and are as many as anybody writes.
    let open =
        starts.filter_map(|at| text.get(at + 1..)).filter(|rest| !is_literal(near(rest)) && !is_link(near(rest)));
    // What is not looked at may have digits.
    let has_digits = |(number, cell): &(usize, &str)| *number >= LOOKED || may_make_a_number(cell);
    open.map(cell_of).enumerate().filter(has_digits).take(MOST).map(|(_, cell)| joined(cell)).collect()
}

/// As much of a cell as is looked at.
fn near(rest: &str) -> &str {
    rest.get(..rest.floor_char_boundary(LONGEST)).unwrap_or_default()
}

fn cell_of(rest: &str) -> &str {
    let cell = near(rest);
    cell.get(..memchr::memchr3(b'\n', b'\r', b'\t', cell.as_bytes()).unwrap_or(cell.len())).unwrap_or_default()
}

/// Whether a cell has as many digits; what is longer may have them farther behind.
fn may_make_a_number(cell: &str) -> bool {
    cell.bytes().filter(u8::is_ascii_digit).count() >= FORMULA || cell.len() + MOST_OF_ONE > LONGEST
}

fn joined(cell: &str) -> String {
    cell.replace(['"', '&', '+', '*', '(', ')', '='], "")
}

/// Whether what follows the sign is one number or one string, as it stands in the text: `"07700900123"`, `-1234567`.
fn is_literal(cell: &str) -> bool {
    let quotes = cell.bytes().take_while(|byte| *byte == b'"').count();
    let rest = match quotes {
        0 => {
            let number = cell.trim_start_matches(['-', '+']);
            Some(number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
                .filter(|rest| rest.len() < number.len())
        }
        1 | 2 => {
            let text = cell.get(quotes..).unwrap_or_default();
            let behind = text.find(['"', '\n', '\r', '\t']).and_then(|end| text.get(end..)?.strip_prefix('"'));
            behind.and_then(|rest| if quotes == 2 { rest.strip_prefix('"') } else { Some(rest) })
        }
        _ => None,
    };
    rest.is_some_and(ends_cell)
}

/// An address and its words, both as they stand in the text. Inside a quoted cell quotes are doubled.
fn is_link(cell: &str) -> bool {
    const NAME: &str = "HYPERLINK(";
    let is_named = cell.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
    let arguments = cell.get(NAME.len()..).filter(|_| is_named).unwrap_or_default();
    let (mut characters, mut is_quoted) = (arguments.char_indices().peekable(), false);
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => {
                characters.next_if(|(_, next)| *next == '"');
                is_quoted = !is_quoted;
            }
            '\n' | '\r' | '\t' => return false,
            ')' if !is_quoted => return arguments.get(at + 1..).is_some_and(ends_cell),
            c if !is_quoted && !matches!(c, ',' | ';' | ' ') => return false,
            _ => {}
        }
    }
    false
}

/// Whether the cell is over.
fn ends_cell(rest: &str) -> bool {
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    rest.is_empty() || rest.starts_with([',', ';', '\n', '\r', '\t'])
}

/// Octets of a cell that are looked at, and of one character.
const LONGEST: usize = 4096;
const MOST_OF_ONE: usize = 4;
/// Formulas that are told, and cells that are looked through for them; whoever reads them says that there are some.
const MOST: usize = 1_000;
const LOOKED: usize = 2_000;

fn begins_a_cell(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().trim_end_matches(['"', '\'']);
    let follows =
        text.as_bytes().get(at + 1).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'"' | b'(' | b'-'));
    follows && (before.is_empty() || before.ends_with(['\n', '\r', '\t', ',', ';']))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, formulas, in_full};

    #[test]
    fn exponents_are_undone() {
        for (text, expected) in [
            ("NHS number\n9.434765919E9\n", "NHS number\n9434765919\n"),
            ("94347659.19E2", "9434765919"),
            ("a,9.434765919e+09;x", "a,9434765919;x"),
            ("94347659190E-1", "9434765919"),
            ("9434765E3", "9434765000"),
        ] {
            assert_eq!(in_full(text).as_deref(), Some(expected));
        }
        for text in ["one theme", "abc9E2", "1E400", "1.2.3E2", "E5", ".e", "12e"] {
            assert_eq!(in_full(text), None, "{text}");
        }
    }

    #[test]
    fn formulas_are_cells_that_begin_with_their_sign() {
        assert_eq!(formulas("NHS number\n\"=\"\"943\"\"&\"\"4765919\"\"\"\n"), ["9434765919"]);
        assert_eq!(formulas("x,=943476*10000+5919"), ["943476100005919"]);
        for text in [
            "a,=\"07700900123\",b",
            "a;=-1234567",
            "x,\"=\"\"9434765\"\"\",y",
            "=+447700900123",
            "x,\"=HYPERLINK(\"\"https://x.org/1234567\"\",\"\"a\"\")\"",
        ] {
            assert!(formulas(text).is_empty(), "{text}");
        }
        for text in ["=-943476+1000000", "=\"943\"&\"4765919\"", "=\"943476\"5919"] {
            assert_eq!(formulas(text).len(), 1, "{text}");
        }
        let far = format!("=A1{}&\"943476\"", "&\"\"".repeat(LONGEST));
        assert_eq!(formulas(&far).len(), 1, "what is not looked at may have digits");
        let line = ",=A1&12345678".repeat(50_000);
        assert!(
            formulas(&line).iter().map(String::len).sum::<usize>() <= MOST * LONGEST,
            "each to its end is too much"
        );
        for text in ["=====123456", "a = 123456", "x=123456", "=A1+B2"] {
            assert!(formulas(text).is_empty(), "{text}");
        }
    }
}
