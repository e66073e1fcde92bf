//! Archives: bounded and never silent, whatever they say of themselves.

use mailward::clinical::{Findings, Limits, Rules, inspect};
use mailward::vocabulary::FindingKind;
use std::sync::LazyLock;

static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);

/// A zip archive; what else the octets may be is looked at too.
pub fn zip(bytes: &[u8]) {
    held(bytes);
}

/// A packed file, or an archive of tar.
pub fn gzip_tar(bytes: &[u8]) {
    held(bytes);
}

/// An archive of 7-Zip.
pub fn seven_zip(bytes: &[u8]) {
    held(bytes);
}

/// The same twice; what narrow limits leave out is said; and what opens as an archive is read, or said not to be.
fn held(bytes: &[u8]) {
    let found = looked(bytes, Limits::default());
    assert_eq!(found, looked(bytes, Limits::default()));
    let narrow = looked(bytes, Limits { depth: 2, parts: 3, decoded: 900, part: 300 });
    let reached = narrow.findings.iter().any(|finding| finding.kind == FindingKind::LimitReached);
    assert!(reached || narrow == found, "what a limit cut short is said to be cut short");
    assert!(!found.read.is_empty() || !found.unread.is_empty() || bytes.is_empty());
}

fn looked(bytes: &[u8], limits: Limits) -> Findings {
    let head = b"Content-Type: application/octet-stream; name=a\r\nContent-Transfer-Encoding: binary\r\n\r\n";
    inspect(&[head, bytes].concat(), &RULES, &limits)
}
