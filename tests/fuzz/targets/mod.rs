//! What is fuzzed: plain functions that take any octets and panic when a promise of the programme does not hold.
//!
//! Called by tests/fuzz.rs (stored corpus, fixtures and generated input in `cargo test`) and by libfuzzer.rs (coverage-guided,
//! `tests/fuzz/run`). Promises: a target is a function of its input alone, so that what it finds is found again.

// Each of the two callers uses a part.
#![allow(dead_code)]

pub mod archives;
pub mod client;
pub mod command;
pub mod data;
pub mod dns;
pub mod message;
pub mod notice;
pub mod oracle;
pub mod packages;
pub mod server;
pub mod stored;
pub mod typed;

/// Takes any octets; panics when a promise does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also its folder in tests/fuzz/corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("7z", archives::seven_zip),
    ("address", command::address),
    ("charset", message::charset),
    ("client", client::session),
    ("command", command::line),
    ("control", typed::control),
    ("data", data::both_ways),
    ("dns", dns::answer_of),
    ("entry", stored::entry),
    ("gateway", typed::gateway),
    ("gzip-tar", archives::gzip_tar),
    ("header", message::header),
    ("html", message::html),
    ("mime", message::mime),
    ("nhs-number", message::nhs_number),
    ("notice", notice::composed),
    ("office", packages::office),
    ("ole", message::ole),
    ("oracle-command", oracle::command),
    ("oracle-data", oracle::data),
    ("oracle-reply", oracle::reply),
    ("parameters", command::parameters),
    ("pdf", message::pdf),
    ("policy", typed::policy),
    ("progress", stored::progress),
    ("reply", client::reply),
    ("rtf", message::rtf),
    ("sealed", packages::sealed),
    ("server", server::session),
    ("tnef", message::tnef),
    ("zip", archives::zip),
];

/// The target of that name.
pub fn named(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}

/// `bytes` whole, octet by octet, and in pieces whose lengths follow from the octets themselves: nothing of an input is
/// spent on saying how it arrives, so that a stored one can be read.
pub fn arrivals(bytes: &[u8]) -> [Vec<&[u8]>; 3] {
    let mut dice = bytes.iter().fold(0x9E37_79B9_u32, |seed, octet| seed.rotate_left(5) ^ u32::from(*octet));
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, tail) = rest.split_at(((dice >> 24) as usize % 17 + 1).min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    [vec![bytes], bytes.chunks(1).collect(), pieces]
}

/// The input as text, where a target is about text.
pub fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
