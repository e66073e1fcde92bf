//! Delimiter lines of multiparts (RFC 2046 5.1.1).
//!
//! Called by `walk` and `sealed`. Promises: linear in what lies before the delimiter, however long the boundary is and whatever repeats
//! in it. Fails never.

use memchr::memmem;

/// A delimiter line: where it starts, where the next part does, and whether it is the closing one.
pub(super) struct Delimiter {
    pub start: usize,
    pub end: usize,
    pub last: bool,
}

/// Octets of a boundary that are looked for: RFC 2046 5.1.1 has no longer ones. What follows is compared where a line begins so.
const LOOKED_FOR: usize = 70;

/// RFC 2046 5.1.1: `--boundary` at the start of a line, perhaps `--`, then blanks only.
pub(super) fn find(bytes: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let finder = memmem::Finder::new(boundary.get(..LOOKED_FOR).unwrap_or(boundary));
    let mut from = 0;
    while let Some(at) = finder.find(bytes.get(from..)?).map(|at| from + at) {
        from = at + 1;
        let Some(start) = at.checked_sub(2).filter(|s| bytes[*s..at] == *b"--") else { continue };
        if start > 0 && bytes[start - 1] != b'\n' {
            continue;
        }
        let Some(tail) = bytes[at..].strip_prefix(boundary) else { continue };
        let (last, tail) = tail.strip_prefix(b"--").map_or((false, tail), |t| (true, t));
        let blanks = tail.iter().take(256).take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
        if matches!(tail.get(blanks), None | Some(b'\n')) {
            let end = bytes.len() - tail.len() + (blanks + 1).min(tail.len());
            return Some(Delimiter { start, end, last });
        }
    }
    None
}
