//! Characters that text from outside may not bring along.
//!
//! Called wherever such text is shown: replies, addresses, notices. Fails never.

/// Whether `c` can begin a line, move a cursor or turn the direction of writing, in a log, on a terminal or in a mail
/// programme: controls, the line and paragraph separators, and the embeddings, overrides and isolates of UAX #9.
#[must_use]
pub fn is_disturbing(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::is_disturbing;

    #[test]
    fn what_begins_a_line_disturbs_and_writing_does_not() {
        assert!("\r\n\u{85}\u{1b}\0\u{2028}\u{2029}\u{202E}\u{2066}".chars().all(is_disturbing));
        assert!(!"a é ü 中 שלום \u{200D}".chars().any(is_disturbing));
    }
}
