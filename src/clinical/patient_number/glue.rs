//! What touches a number: a letter makes it a piece of a word, and long words and addresses are none's number.
//!
//! Called by `patient_number` for each number; looks at so many octets on either side. Fails never.

use super::Candidate;

/// What the characters right beside a number say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glue {
    Free,
    /// A letter touches it.
    Letters,
    /// It is part of a URL or of a long run as base64 and hashes have.
    Token,
}

impl Glue {
    pub(super) fn around(text: &str, candidate: &Candidate) -> Glue {
        let bytes = text.as_bytes();
        let lead = &bytes[candidate.start.saturating_sub(256)..candidate.start];
        let tail = &bytes[candidate.end..bytes.len().min(candidate.end + 64)];
        let coded = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-');
        let before = lead.iter().rev().take_while(|b| coded(b)).count();
        let behind = tail.iter().take_while(|b| coded(b)).count();
        let word = lead.iter().rev().take_while(|b| !b.is_ascii_whitespace() && !b"<>\"'".contains(b)).count();
        let word = &lead[lead.len() - word..];
        if before + behind >= 32 || memchr::memmem::find(word, b"://").is_some() || word.starts_with(b"www.") {
            Glue::Token
        } else if lead.last().is_some_and(u8::is_ascii_alphabetic) || tail.first().is_some_and(u8::is_ascii_alphabetic)
        {
            Glue::Letters
        } else {
            Glue::Free
        }
    }
}
