//! The decoder and the encoder against the standard written down octet by octet, and against a server that is less strict.

use super::arrivals;
use mailward::smtp::client::Chunk;
use mailward::smtp::data::chunks::{BareLineEndings, Chunks};
use mailward::smtp::data::{self, Decoder, Encoder, End};

/// The message if it was clean, how it ended, and the octets it took.
type Received = (Option<End>, Vec<u8>, usize);

/// As a stream to receive, and as a message to send.
pub fn both_ways(bytes: &[u8]) {
    for limit in [12, 10_000] {
        let expected = by_the_book(bytes, limit);
        for parts in arrivals(bytes) {
            assert_eq!(decoded(&parts, limit), expected, "limit {limit}");
        }
    }
    sent(bytes);
    for bare in [BareLineEndings::Refused, BareLineEndings::Normalised] {
        chunks(bytes, bare);
    }
}

/// The same octets as the content of BDAT, where their count is their end.
fn chunks(bytes: &[u8], bare: BareLineEndings) {
    let [whole, octets, pieces] = arrivals(bytes).map(|parts| {
        let (mut chunks, mut out) = (Chunks::new(10_000, bare), Vec::new());
        parts.iter().for_each(|part| chunks.feed(part, &mut out));
        let end = chunks.finish(&mut out);
        (end, if end == End::Complete { out } else { Vec::new() }, chunks.normalised())
    });
    assert!(whole == octets && whole == pieces);
    let takes = bare == BareLineEndings::Normalised && !bytes.contains(&0) || is_clean(bytes);
    assert_eq!(whole.0 == End::Complete, takes);
    if takes {
        let mut wire = Vec::new();
        assert!(data::encode(&whole.1, &mut wire).is_ok(), "what was taken can be sent on");
        assert_one_message(&wire);
    }
}

fn decoded(parts: &[&[u8]], limit: u64) -> Received {
    let (mut decoder, mut out, mut taken) = (Decoder::new(limit), Vec::new(), 0);
    for part in parts {
        let progress = decoder.feed(part, &mut out);
        taken += progress.consumed;
        assert!(out.len() as u64 <= limit, "more than the limit was kept");
        if progress.end.is_some() {
            let clean = progress.end == Some(End::Complete);
            return (progress.end, if clean { out } else { Vec::new() }, taken);
        }
    }
    (None, Vec::new(), taken)
}

/// RFC 5321 4.1.1.4 and 4.5.2, octet by octet.
fn by_the_book(bytes: &[u8], limit: u64) -> Received {
    let end = if bytes.starts_with(b".\r\n") { Some(0) } else { find(bytes, b"\r\n.\r\n").map(|at| at + 2) };
    let Some(end) = end else { return (None, Vec::new(), bytes.len()) };
    let stuffed = &bytes[..end];
    let (mut message, mut bare, mut line_start) = (Vec::new(), stuffed.contains(&0), true);
    for (at, octet) in stuffed.iter().enumerate() {
        bare |= *octet == b'\n' && (at == 0 || stuffed[at - 1] != b'\r');
        bare |= *octet == b'\r' && stuffed.get(at + 1) != Some(&b'\n');
        if !(line_start && *octet == b'.') {
            message.push(*octet);
        }
        line_start = *octet == b'\n' && at > 0 && stuffed[at - 1] == b'\r';
    }
    let result = match (bare, message.len() as u64 > limit) {
        (true, _) => End::BareLineEnding,
        (false, true) => End::TooLarge,
        (false, false) => End::Complete,
    };
    (Some(result), if result == End::Complete { message } else { Vec::new() }, end + 3)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn sent(message: &[u8]) {
    let mut whole = Vec::new();
    let result = data::encode(message, &mut whole);
    for parts in arrivals(message) {
        let (mut encoder, mut streamed) = (Encoder::new(), Vec::new());
        let stream = parts.iter().try_for_each(|part| encoder.encode(part, &mut streamed));
        let stream = stream.and_then(|()| encoder.finish(&mut streamed));
        assert_eq!(stream, result);
        assert!(result.is_err() || streamed == whole);
    }
    assert_eq!(result.is_ok(), is_clean(message), "what may be sent is exactly what is clean");
    for parts in arrivals(message) {
        let (mut chunk, mut out) = (Chunk::new(), Vec::new());
        let carried = parts.iter().try_for_each(|part| chunk.append(part, &mut out)).and_then(|()| chunk.finish());
        assert!(carried == result && (carried.is_err() || out == message), "and by BDAT as it is");
    }
    if result.is_err() {
        assert!(whole.is_empty());
        return;
    }
    let mut expected = message.to_vec();
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        expected.extend_from_slice(b"\r\n");
    }
    assert_eq!(by_the_book(&whole, u64::MAX), (Some(End::Complete), expected, whole.len()));
    assert_one_message(&whole);
}

/// No CR or LF outside a CRLF, and no NUL.
pub fn is_clean(bytes: &[u8]) -> bool {
    let bare = |at: usize| match bytes[at] {
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        octet => octet == 0,
    };
    !(0..bytes.len()).any(bare)
}

/// What goes over the wire is one message for every server that is known to have ended one elsewhere: at LF.LF, LF.CRLF,
/// CR.CR, CRLF.CRCRLF, or across a NUL (CVE-2023-51764 to 51766).
pub fn assert_one_message(wire: &[u8]) {
    assert!(is_clean(wire) && wire.ends_with(b".\r\n"));
    let joined: Vec<u8> = wire.iter().copied().filter(|octet| *octet != b'\r').collect();
    let first = if joined.starts_with(b".\n") { Some(0) } else { find(&joined, b"\n.\n").map(|at| at + 1) };
    assert_eq!(first, Some(joined.len() - 2), "a lenient server ends the message early");
}
