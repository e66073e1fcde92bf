//! The notation of the transcripts, as tests/sessions.rs describes it: for the runner in memory and for the one over sockets.

/// Whether what was said is what the line expects.
pub fn agrees(expected: &str, said: &str) -> bool {
    match expected.split_at_checked(2) {
        Some((mark, prefix)) if mark.ends_with('~') => {
            said.starts_with(&mark[..1]) && said.get(2..).is_some_and(|s| s.starts_with(prefix))
        }
        _ => expected == said,
    }
}

/// The octets of a line of the side `mark`, with their CRLF unless it is `+`.
pub fn fed(line: &str, mark: char) -> Option<Vec<u8>> {
    let rest = line.strip_prefix(mark)?;
    let text = |rest: &str| rest.strip_prefix(' ').unwrap_or(rest).to_owned();
    if let Some(rest) = rest.strip_prefix(':') {
        let mut octets = unescape(&text(rest));
        octets.extend(b"\r\n");
        Some(octets)
    } else {
        rest.strip_prefix('+').map(|rest| unescape(&text(rest)))
    }
}

pub fn unescape(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, tail)) = rest.split_first() {
        let (octet, used) = match (first, tail.first()) {
            (b'\\', Some(b'r')) => (b'\r', 2),
            (b'\\', Some(b'n')) => (b'\n', 2),
            (b'\\', Some(b'0')) => (0, 2),
            (b'\\', Some(b'\\')) => (b'\\', 2),
            (b'\\', Some(b'x')) => {
                let digits = std::str::from_utf8(&rest[2..4]).expect("two digits follow \\x");
                (u8::from_str_radix(digits, 16).expect("two digits follow \\x"), 4)
            }
            _ => (first, 1),
        };
        out.push(octet);
        rest = &rest[used..];
    }
    out
}
