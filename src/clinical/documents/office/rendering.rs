//! A value as a format of numbers shows it (ECMA-376 part 1, 18.8.31): its digits among those that the format adds, and hours,
//! minutes and seconds that go by.
//!
//! Called by the readers of spreadsheets. Promises: linear in the format, which is short; blanks and marks are shown as they are, but
//! for those between thousands. Fails with nothing where the format has dates, fractions, exponents or conditions.

/// Characters of a format that is read.
const LONGEST: usize = 512;
/// Digits behind a point.
const DECIMALS: usize = 30;
/// Larger numbers have digits that nobody typed.
const EXACT: f64 = 1e15;
const DAY: f64 = 86_400.0;

/// What a cell has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Value<'v> {
    Text(&'v str),
    Number(f64),
}

impl<'v> Value<'v> {
    /// A number, unless the cell says that it is text, or it is none.
    pub fn of(stored: &'v str, is_text: bool) -> Value<'v> {
        match stored.trim().parse::<f64>() {
            Ok(number) if !is_text => Value::Number(number),
            _ => Value::Text(stored),
        }
    }
}

/// What is shown for the value.
pub(in super::super) fn shown(code: &str, value: Value<'_>) -> Option<String> {
    if code.len() > LONGEST {
        return None;
    }
    let sections: Vec<Vec<Piece>> =
        super::number_formats::sections(code).into_iter().map(pieces).collect::<Option<_>>()?;
    let is_of_text = |section: &&Vec<Piece>| section.contains(&Piece::Text);
    let of_text = sections.iter().find(is_of_text);
    let of_numbers: Vec<&Vec<Piece>> = sections.iter().filter(|section| !is_of_text(section)).collect();
    match value {
        Value::Text(text) => Some(of_text.map_or_else(|| text.to_owned(), |section| put_text(section, text))),
        // A format of text alone shows a number as text.
        Value::Number(number) if of_numbers.is_empty() => {
            Some(put_text(of_text?, &super::numbers::shown(&number.to_string())))
        }
        Value::Number(number) if number.abs() < EXACT => {
            let section = match of_numbers.as_slice() {
                [_, negative, ..] if number < 0.0 => negative,
                [_, _, zero, ..] if number == 0.0 => zero,
                [first, ..] => first,
                [] => return None,
            };
            let sign = if number < 0.0 && of_numbers.len() < 2 { "-" } else { "" };
            Some(format!("{sign}{}", put_number(section, number.abs())))
        }
        Value::Number(_) => None,
    }
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(char),
    /// `0`, `#` or `?`.
    Place(char),
    Point,
    Thousands,
    Percent,
    /// The whole of a number: `General`.
    General,
    /// `@`
    Text,
    /// Hours, minutes or seconds, and at least so many digits of them; all that went by, or what a larger one left.
    Time {
        unit: char,
        width: usize,
        goes_by: bool,
    },
}

/// The pieces of a section; nothing where one is not known here.
fn pieces(section: &str) -> Option<Vec<Piece>> {
    let (mut pieces, mut rest) = (Vec::new(), section);
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..)?;
        rest = match c {
            '"' => literal(&mut pieces, behind, '"'),
            '[' => bracket(&mut pieces, behind)?,
            '\\' | '_' | '*' => {
                let next = behind.chars().next();
                // A blank as wide as the next character, or as many of it as there is room for.
                pieces.extend(next.map(|next| Piece::Literal(if c == '\\' { next } else { ' ' })));
                behind.get(next.map_or(0, char::len_utf8)..)?
            }
            _ if rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("general")) => {
                pieces.push(Piece::General);
                rest.get(7..)?
            }
            'h' | 'm' | 's' | 'H' | 'M' | 'S' => {
                let width = rest.chars().take_while(|other| *other == c).count();
                pieces.push(Piece::Time { unit: c.to_ascii_lowercase(), width, goes_by: false });
                rest.get(width..)?
            }
            c if c.is_alphabetic() => return None,
            c => {
                pieces.push(single(c));
                behind
            }
        };
    }
    is_sound(&pieces).then_some(pieces)
}

fn single(c: char) -> Piece {
    match c {
        '0' | '#' | '?' => Piece::Place(c),
        '.' => Piece::Point,
        ',' => Piece::Thousands,
        '%' => Piece::Percent,
        '@' => Piece::Text,
        c => Piece::Literal(c),
    }
}

/// What stands up to the closing mark; returns what is behind it.
fn literal<'t>(pieces: &mut Vec<Piece>, text: &'t str, closing: char) -> &'t str {
    let (inside, behind) = text.split_once(closing).unwrap_or((text, ""));
    pieces.extend(inside.chars().map(Piece::Literal));
    behind
}

/// A colour, a currency, time that goes by; nothing for a condition.
fn bracket<'t>(pieces: &mut Vec<Piece>, text: &'t str) -> Option<&'t str> {
    let (inside, behind) = text.split_once(']')?;
    let unit = inside.chars().next()?.to_ascii_lowercase();
    if matches!(unit, 'h' | 'm' | 's') && inside.chars().all(|c| c.eq_ignore_ascii_case(&unit)) {
        pieces.push(Piece::Time { unit, width: inside.len(), goes_by: true });
    } else if let Some(currency) = inside.strip_prefix('$') {
        let symbol = currency.rsplit_once('-').map_or(currency, |(symbol, _)| symbol);
        pieces.extend(symbol.chars().map(Piece::Literal));
    } else if matches!(unit, '<' | '>' | '=') {
        return None;
    }
    Some(behind)
}

/// Time without any that goes by may be a date's; a stroke among places is a fraction's.
fn is_sound(pieces: &[Piece]) -> bool {
    let has = |what: fn(&Piece) -> bool| pieces.iter().any(what);
    let has_time = has(|piece| matches!(piece, Piece::Time { .. }));
    let goes_by = has(|piece| matches!(piece, Piece::Time { goes_by: true, .. }));
    let has_places = has(|piece| matches!(piece, Piece::Place(_)));
    let is_fraction = has_places && pieces.contains(&Piece::Literal('/'));
    (!has_time || (goes_by && !has_places)) && !is_fraction
}

fn put_text(section: &[Piece], text: &str) -> String {
    let mut out = String::new();
    for piece in section {
        match piece {
            Piece::Literal(c) => out.push(*c),
            Piece::Text => out.push_str(text),
            _ => {}
        }
    }
    out
}

fn put_number(section: &[Piece], number: f64) -> String {
    let is_place = |piece: &Piece| matches!(piece, Piece::Place(_));
    let last = section.iter().rposition(is_place);
    let scaled = last.and_then(|last| section.get(last + 1..)).unwrap_or_default();
    let scaled = scaled.iter().take_while(|piece| **piece == Piece::Thousands).count();
    let percents = section.iter().filter(|piece| **piece == Piece::Percent).count();
    let power = 2 * percents.min(LONGEST).cast_signed() - 3 * scaled.min(LONGEST).cast_signed();
    let value = number * 10f64.powi(i32::try_from(power).unwrap_or_default());
    let point = section.iter().position(|piece| *piece == Piece::Point).unwrap_or(section.len());
    let decimals = section.iter().skip(point).filter(|piece| is_place(piece)).count().min(DECIMALS);
    let digits = format!("{value:.decimals$}");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let places = section.iter().take(point).filter(|piece| is_place(piece)).count();
    let mut put = Put {
        whole: whole.trim_start_matches('0'),
        left: places,
        places,
        fraction: fraction.chars(),
        seconds: seconds(number),
    };
    let mut out = String::new();
    for (at, piece) in section.iter().enumerate() {
        match piece {
            Piece::Literal(c) => out.push(*c),
            Piece::Percent => out.push('%'),
            Piece::Place(mark) if at < point => put.whole(*mark, &mut out),
            Piece::Place(_) => out.extend(put.fraction.next()),
            Piece::Point => out.push('.'),
            Piece::General => out.push_str(&super::numbers::shown(&number.to_string())),
            Piece::Time { unit, width, goes_by } => out.push_str(&format!("{:0width$}", put.time(*unit, *goes_by))),
            Piece::Thousands | Piece::Text => {}
        }
    }
    out
}

/// Seconds of so many days.
fn seconds(days: f64) -> u64 {
    // No more than 1e15 days, and none that are fewer than nought.
    format!("{:.0}", days * DAY).parse().unwrap_or_default()
}

/// What is put into the places of a section.
struct Put<'t> {
    /// Digits before the point, and places for them that are left.
    whole: &'t str,
    left: usize,
    places: usize,
    fraction: std::str::Chars<'t>,
    seconds: u64,
}

impl Put<'_> {
    /// The next place before the point: the first takes what there is no other place for.
    fn whole(&mut self, mark: char, out: &mut String) {
        let is_first = self.left == self.places;
        let digits = match self.whole.len() {
            more if is_first && more >= self.left => &self.whole[..more - self.left + 1],
            same if same >= self.left => &self.whole[..1],
            _ => "",
        };
        match (digits, mark) {
            ("", '0') => out.push('0'),
            ("", '?') => out.push(' '),
            _ => out.push_str(digits),
        }
        self.whole = self.whole.get(digits.len()..).unwrap_or_default();
        self.left = self.left.saturating_sub(1);
    }

    fn time(&self, unit: char, goes_by: bool) -> u64 {
        let (all, most) = match unit {
            'h' => (self.seconds / 3_600, 24),
            'm' => (self.seconds / 60, 60),
            _ => (self.seconds, 60),
        };
        if goes_by { all } else { all % most }
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, shown};

    #[test]
    fn a_value_is_shown_as_its_format_has_it() {
        for (code, stored, expected) in [
            ("0", "5919", Some("5919")),
            ("\"943 476 \"0", "5919", Some("943 476 5919")),
            ("\\9\\400000000", "4765919", Some("9404765919")),
            ("000 000 0000", "9434765919", Some("943 476 5919")),
            ("#,##0", "9434765919", Some("9434765919")),
            ("000\\-000\\-0000", "43476591", Some("004-347-6591")),
            ("0,", "9434765919000", Some("9434765919")),
            ("0%", "94347659.19", Some("9434765919%")),
            ("0.00\"x\"", "1.5", Some("1.50x")),
            ("#", "0", Some("")),
            ("0;\"94\"0", "-34765919", Some("9434765919")),
            ("0;0;\"none\"", "0", Some("none")),
            ("0", "-5", Some("-5")),
            ("[Red]0_);(0)", "-5", Some("(5)")),
            ("[$£-809]0", "7", Some("£7")),
            ("[s]", "109198.67961805555", Some("9434765919")),
            ("[m]ss", "65519.2078587963", Some("9434765919")),
            ("[h]:mm:ss", "1.5", Some("36:00:00")),
            ("[h]mm\"5919\"", "1", Some("24005919")),
            ("General\" x\"", "9434765919", Some("9434765919 x")),
            ("yyyy-mm-dd", "39311", None),
            ("h:mm", "0.5", None),
            ("0.00E+00", "1", None),
            ("# ?/?", "0.5", None),
            ("[>5]0;0", "1", None),
            ("0;0;0;\"94\"@", "34765919", Some("34765919")),
            ("\"943 \"@", "4765919", Some("943 4765919")),
        ] {
            assert_eq!(shown(code, Value::of(stored, false)).as_deref(), expected, "{code} {stored}");
        }
        assert_eq!(shown("0;0;0;\"94\"@", Value::of("34765919", true)).as_deref(), Some("9434765919"));
        assert_eq!(shown("0.00", Value::of("943", true)).as_deref(), Some("943"));
        assert_eq!(shown(&"\\9".repeat(500), Value::Number(1.0)), None);
    }
}
