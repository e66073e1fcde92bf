//! Records of binary workbooks ([MS-XLSB] 2.1.4), and the strings in them.
//!
//! Called by `xlsb`. Promises: a record is no longer than the part that it stands in. Fails with nothing where the octets end.

use super::super::super::codepages;
use super::super::super::octets::Octets;

/// Octets that a number of a record may be long, and its size.
const KIND: u32 = 2;
const SIZE: u32 = 4;

pub(super) struct Record<'a> {
    pub kind: u32,
    pub data: &'a [u8],
}

/// The next record; nothing where it is cut, and then the octets stay.
pub(super) fn next<'a>(octets: &mut Octets<'a>) -> Option<Record<'a>> {
    let mut ahead = *octets;
    let kind = packed(&mut ahead, KIND)?;
    let size = packed(&mut ahead, SIZE)?;
    let data = ahead.take(usize::try_from(size).ok()?)?;
    *octets = ahead;
    Some(Record { kind, data })
}

/// Seven bits in each octet, the lowest first, as long as the highest bit says that there are more.
fn packed(octets: &mut Octets<'_>, most: u32) -> Option<u32> {
    let mut number = 0;
    for at in 0..most {
        let octet = octets.u8()?;
        number |= u32::from(octet & 0x7F) << (7 * at);
        if octet & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

/// XLWideString, XLNullableWideString: how many units, then the units; or that there is no string.
pub(super) fn string(octets: &mut Octets<'_>) -> Option<String> {
    match octets.u32()? {
        u32::MAX => Some(String::new()),
        units => Some(codepages::wide(octets.take(usize::try_from(units).ok()?.checked_mul(2)?)?)),
    }
}

/// RichStr: a string, and how it is spoken where that is written above it.
pub(super) struct Rich {
    pub text: String,
    pub spoken: String,
}

pub(super) fn rich_string(octets: &mut Octets<'_>) -> Option<Rich> {
    let flags = octets.u8()?;
    let text = string(octets)?;
    if flags & 1 != 0 {
        let runs = octets.length()?;
        octets.take(runs.checked_mul(4)?)?;
    }
    let spoken = if flags & 2 != 0 { string(octets)? } else { String::new() };
    Some(Rich { text, spoken })
}

/// Strings of so few units that chance makes them, too; longer ones are found by themselves.
const SHORT: std::ops::RangeInclusive<u32> = 2..=5;

/// What looks like a short string in a record that nobody here knows, each on a line.
pub(super) fn short_strings(data: &[u8]) -> String {
    let mut found = String::new();
    let mut octets = Octets::of(data);
    while !octets.is_empty() {
        let mut ahead = octets;
        let is_short = ahead.u32().is_some_and(|units| SHORT.contains(&units));
        let text = if is_short { string(&mut octets.clone()) } else { None };
        match text
            .filter(|text| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || (' '..='~').contains(&c)))
        {
            Some(text) => {
                found.push_str(&text);
                found.push('\n');
                octets.take(4 + text.encode_utf16().count() * 2);
            }
            None => _ = octets.u8(),
        }
    }
    found
}

/// Whole numbers that are long enough for an identifier, wherever they stand in a record that nobody here knows: caches and
/// results of other workbooks have them.
pub(super) fn long_numbers(data: &[u8]) -> String {
    let numbers = data.windows(8).filter(|octets| matches!(octets.last(), Some(0x41..=0x43)));
    let numbers = numbers.filter_map(|octets| Octets::of(octets).f64());
    let identifiers = numbers.filter(|number| number.fract() == 0.0 && (1e8..1e12).contains(number));
    identifiers.map(|number| format!("{number:.0}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_a_number_and_a_size_of_several_octets() {
        // The sample of [MS-XLSB] 2.1.4.
        let bytes = [&[0xFD, 0x04, 0xC8, 0x01][..], &[7; 200], &[0x81, 0x01, 0x00, 0x05, 0x09]].concat();
        let mut octets = Octets::of(&bytes);
        let first = next(&mut octets).map(|record| (record.kind, record.data.len()));
        assert_eq!(first, Some((637, 200)));
        assert_eq!(next(&mut octets).map(|record| (record.kind, record.data.len())), Some((129, 0)));
        assert!(next(&mut octets).is_none(), "it is cut");
        assert_eq!(octets.rest(), [5, 9]);
    }

    #[test]
    fn what_is_written_in_unknown_records_is_found_at_any_place() {
        for start in [&[][..], &[1], &[1, 2, 3]] {
            let number = 9_434_765_919f64.to_le_bytes();
            let data = [start, &[3, 0, 0, 0, b'D', 0, b'O', 0, b'B', 0], &number, &1.5f64.to_le_bytes()].concat();
            assert_eq!(short_strings(&data), "DOB\n");
            assert!(long_numbers(&data).lines().any(|line| line == "9434765919"));
            assert!(!long_numbers(&1.5f64.to_le_bytes()).contains('1'));
        }
    }
}
