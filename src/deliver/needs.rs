//! What a message needs of its peer, by its octets and not by what was declared: Exchange declares 8BITMIME for plain text.
//!
//! Called by `attempt` where a peer lacks something that was declared. Promises: the message itself is never changed; a
//! declaration is dropped only when no octet of the message needs it. Fails by keeping the declaration.

use super::outgoing::Outgoing;
use crate::mail::{Body, Envelope};
use crate::smtp::client::Offer;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Where the octets outside US-ASCII are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Octets {
    Ascii,
    /// The header section is US-ASCII; the body is not.
    EightBitBody,
    EightBitHeader,
}

/// The envelope without what was declared and is not needed, if the peer lacks it.
pub(super) async fn fitted(envelope: Envelope, offer: &Offer, body: &Outgoing) -> Envelope {
    let lacks_eight_bit = envelope.body == Body::EightBitMime && !offer.eight_bit;
    let lacks_utf8 = envelope.smtputf8 && !offer.smtputf8;
    if !lacks_eight_bit && !lacks_utf8 {
        return envelope;
    }
    let octets = match body {
        Outgoing::Memory(bytes) => of(&mut &bytes[..]),
        Outgoing::File(path) => {
            let path = path.clone();
            tokio::task::spawn_blocking(move || of_file(&path)).await.unwrap_or(Octets::EightBitHeader)
        }
    };
    // RFC 6152 3: the declaration is about the body; RFC 6531 3.2 about addresses and header fields.
    Envelope {
        body: if octets == Octets::Ascii { Body::SevenBit } else { envelope.body },
        smtputf8: octets == Octets::EightBitHeader,
        ..envelope
    }
}

fn of_file(path: &Path) -> Octets {
    // What cannot be read is found out when it is sent.
    std::fs::File::open(path).map_or(Octets::EightBitHeader, |file| of(&mut BufReader::with_capacity(64 * 1024, file)))
}

fn of(message: &mut impl BufRead) -> Octets {
    let (mut line_is_empty, mut in_header) = (true, true);
    loop {
        let Ok(piece) = message.fill_buf() else { return Octets::EightBitHeader };
        if piece.is_empty() {
            return Octets::Ascii;
        }
        let mut rest = piece;
        while in_header && !rest.is_empty() {
            let line = memchr::memchr(b'\n', rest).map_or(rest, |end| &rest[..=end]);
            if !line.is_ascii() {
                return Octets::EightBitHeader;
            }
            let text = line.iter().any(|octet| !matches!(octet, b'\r' | b'\n'));
            let ended = line.ends_with(b"\n");
            in_header = !(ended && line_is_empty && !text);
            line_is_empty = ended || (line_is_empty && !text);
            rest = &rest[line.len()..];
        }
        if !rest.is_ascii() {
            return Octets::EightBitBody;
        }
        let consumed = piece.len();
        message.consume(consumed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn header_and_body_are_told_apart_at_every_buffer_size() {
        for (message, expected) in [
            ("Subject: x\r\nTo: y\r\n\r\nplain\r\n", Octets::Ascii),
            ("Subject: x\r\n\r\ncafé\r\n", Octets::EightBitBody),
            ("Subject: x\r\n\r\n\r\n\r\né", Octets::EightBitBody),
            ("Subject: café\r\n\r\nplain\r\n", Octets::EightBitHeader),
            ("Subject: x\r\n folded é\r\n\r\nplain\r\n", Octets::EightBitHeader),
            ("\r\né", Octets::EightBitBody),
            ("", Octets::Ascii),
        ] {
            for capacity in 1..12 {
                let mut reader = BufReader::with_capacity(capacity, message.as_bytes());
                assert_eq!(of(&mut reader), expected, "{message:?} by {capacity}");
            }
        }
    }

    #[tokio::test]
    async fn only_what_is_not_needed_is_dropped_and_only_where_it_is_lacking() {
        let declared: Envelope =
            serde_json::from_str(r#"{"reverse_path":"","recipients":[],"body":"EightBitMime","smtputf8":true}"#)
                .unwrap();
        let fit = async |offer: Offer, text: &'static str| {
            let fitted = fitted(declared.clone(), &offer, &Outgoing::Memory(text.into())).await;
            (fitted.body, fitted.smtputf8)
        };
        let both = Offer { eight_bit: true, smtputf8: true, ..Offer::default() };
        assert_eq!(fit(both, "a: b\r\n\r\nc\r\n").await, (Body::EightBitMime, true));
        assert_eq!(fit(Offer::default(), "a: b\r\n\r\nc\r\n").await, (Body::SevenBit, false));
        assert_eq!(fit(Offer::default(), "a: b\r\n\r\né\r\n").await, (Body::EightBitMime, false));
        assert_eq!(fit(Offer::default(), "a: é\r\n\r\nc\r\n").await, (Body::EightBitMime, true));
    }
}
