//! Runs of legible characters in octets that are no text: what stands in fields that no reader shows, and what was deleted and
//! left in its place.
//!
//! Called by the readers, and by `looks` for what nobody reads. Promises: linear; each run is a line of its own. Fails never.

use super::codepages;
use encoding_rs::WINDOWS_1252;

/// Shorter runs are chance.
const SHORTEST: usize = 6;

/// Runs of characters of one octet, then of two at even and at odd places.
pub(in super::super) fn of(bytes: &[u8]) -> String {
    let mut runs = narrow(bytes);
    for start in [0, 1] {
        runs.push_str(&wide(bytes.get(start..).unwrap_or_default()));
    }
    runs
}

/// Runs of printable octets, as western Europe reads them.
fn narrow(bytes: &[u8]) -> String {
    let mut runs = String::new();
    let is_text = |b: &u8| matches!(b, b'\t' | 0x20..=0x7E | 0x80..=0xFF);
    for run in bytes.split(|b| !is_text(b)).filter(|run| run.len() >= SHORTEST) {
        // Octets of programmes are no text.
        if run.iter().filter(|b| b.is_ascii_alphanumeric()).count() * 2 > run.len() {
            runs.push_str(&codepages::text(run, WINDOWS_1252));
            runs.push('\n');
        }
    }
    runs
}

/// Runs of characters that text has, in UTF-16.
fn wide(bytes: &[u8]) -> String {
    let (mut runs, mut run) = (String::new(), String::new());
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    for c in char::decode_utf16(units).map(|c| c.unwrap_or('\0')).chain(['\0']) {
        // Latin letters, spaces and dashes, and every kind of digit.
        let is_text = matches!(c, '\t' | ' '..='~' | '\u{A0}'..='\u{FF}' | '\u{660}'..='\u{669}' | '\u{2000}'..='\u{206F}'
            | '\u{FF00}'..='\u{FFEF}' | '\u{1D7CE}'..='\u{1D7FF}');
        if is_text {
            run.push(c);
            continue;
        }
        if run.chars().nth(SHORTEST - 1).is_some() {
            runs.push_str(&run);
            runs.push('\n');
        }
        run.clear();
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn text_of_both_widths_is_found_at_any_place() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for start in [&b""[..], b"\x01", b"\x01\x02"] {
            let bytes = [start, b"943 476 5919\0\x03", &wide("401 023 2137"), &[0, 1, 2]].concat();
            let runs = of(&bytes);
            assert!(runs.contains("943 476 5919\n") && runs.contains("401 023 2137\n"), "{runs:?}");
        }
        assert_eq!(of(b"\x01ab\x02"), "");
    }
}
