//! Why a peer's TLS fails: one ClientHello that offers what is old, and what it answers. A look, and never a link.
//!
//! Called by `deliver` after a handshake that failed without saying why. Promises: nothing is carried, no key is made, and the connection
//! is closed after the answer; what is sent and read is pure and bounded; an answer is hostile input and never panics. Never fails: what
//! says nothing is nothing.

use super::Connector;
use crate::vocabulary::Reason;
use rustls::ProtocolVersion;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Octets of an answer that are read; a ServerHello stands in the first hundred.
const MOST: usize = 4 * 1024;
/// RFC 5246 E.1: the version of the record says less than the hello's, so that nobody stumbles over it.
const TLS_1_0: [u8; 2] = [3, 1];
const TLS_1_2: [u8; 2] = [3, 3];

/// What servers have that we do not, and what we have: of a server that takes one of ours it is known that no suite is missing.
const SUITES: [u16; 38] = [
    // ECDHE with AES-GCM and ChaCha20-Poly1305.
    0xc02c, 0xc030, 0xc02b, 0xc02f, 0xcca9, 0xcca8, // DHE with the same.
    0x009f, 0x009e, 0xccaa, // ECDHE with CBC.
    0xc024, 0xc028, 0xc023, 0xc027, 0xc00a, 0xc014, 0xc009, 0xc013, // DHE with CBC.
    0x006b, 0x0067, 0x0039, 0x0033, // Camellia, which some prefer.
    0x0088, 0x0045, 0x0084, 0x0041, // RSA key exchange with GCM, CCM and CBC.
    0x009d, 0x009c, 0xc09d, 0xc09c, 0x003d, 0x003c, 0x0035, 0x002f, // 3DES and RC4.
    0xc012, 0xc008, 0x000a, 0x0005, // RFC 5746 3.3: some want to hear of safe renegotiation.
    0x00ff,
];

/// What a peer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Not all of it is there.
    More,
    /// It chose this.
    Chose { version: u16, suite: u16 },
    /// It refused, or says something else.
    Nothing,
}

impl Connector {
    /// What is wrong with the TLS of a peer that has just said `220` to STARTTLS; None: the look says nothing.
    pub async fn look(&self, mut stream: TcpStream, host: &str, deadline: Duration) -> Option<Reason> {
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random).ok()?;
        let hello = hello(host.strip_suffix('.').unwrap_or(host), random);
        let asked = async {
            stream.write_all(&hello).await.ok()?;
            let mut read = Vec::new();
            loop {
                match answer(&read) {
                    Answer::More if read.len() < MOST && stream.read_buf(&mut read).await.ok()? > 0 => {}
                    Answer::Chose { version, suite } => return self.wrong_with(version, suite),
                    Answer::More | Answer::Nothing => return None,
                }
            }
        };
        timeout(deadline, asked).await.ok()?
    }

    /// What keeps us from what a peer chose.
    fn wrong_with(&self, version: u16, suite: u16) -> Option<Reason> {
        let ours = &self.provider().cipher_suites;
        let speaks_it = ours.iter().any(|s| s.version().version == ProtocolVersion::TLSv1_2);
        match version {
            version if version < 0x0303 || (version == 0x0303 && !speaks_it) => Some(Reason::TlsVersionTooOld),
            0x0303 if !ours.iter().any(|s| u16::from(s.suite()) == suite) => Some(Reason::TlsNoCommonCipher),
            _ => None,
        }
    }
}

/// A ClientHello of TLS 1.0 to 1.2, in one record (RFC 5246 7.4.1.2).
pub(super) fn hello(host: &str, random: [u8; 32]) -> Vec<u8> {
    let mut body = [&TLS_1_2[..], &random, &[0]].concat();
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    body.extend(counted(&suites));
    // No compression.
    body.extend([1, 0]);
    body.extend(counted(&extensions(host)));
    // A name has 255 octets at most, so the length has two.
    let message = [&[1, 0][..], &counted(&body)].concat();
    [&[22][..], &TLS_1_0, &counted(&message)].concat()
}

fn extensions(host: &str) -> Vec<u8> {
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &counted(body)].concat();
    let named = |codes: &[u16]| counted(&codes.iter().flat_map(|code| code.to_be_bytes()).collect::<Vec<u8>>());
    let mut all = Vec::new();
    // RFC 6066 3: a DNS name, never an address.
    let is_name =
        host.len() <= 255 && host.contains(|c: char| c.is_ascii_alphabetic()) && host.is_ascii() && !host.contains(':');
    if is_name {
        all.extend(extension(0, &counted(&[&[0][..], &counted(host.as_bytes())].concat())));
    }
    // X25519, P-256, P-384, P-521; their points uncompressed (RFC 8422 5.1).
    all.extend(extension(10, &named(&[0x001d, 0x0017, 0x0018, 0x0019])));
    all.extend(extension(11, &[1, 0]));
    // RFC 5246 7.4.1.4.1, SHA-1 as well.
    all.extend(extension(
        13,
        &named(&[0x0804, 0x0805, 0x0806, 0x0403, 0x0503, 0x0603, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201]),
    ));
    all
}

/// With its length in two octets in front. Everything that is made here is far shorter than they can say.
fn counted(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], octets].concat()
}

/// What the records that came so far say: the ServerHello may be cut into several (RFC 5246 6.2.1).
pub(super) fn answer(mut read: &[u8]) -> Answer {
    let mut handshake = Vec::new();
    loop {
        let Some(([kind, major, _, high, low], rest)) = read.split_first_chunk::<5>() else {
            // A server in clear text would be waited for in vain.
            return if matches!(read.first(), None | Some(21 | 22)) { Answer::More } else { Answer::Nothing };
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if *kind != 22 || *major != 3 || length == 0 {
            return Answer::Nothing;
        }
        let piece = &rest[..length.min(rest.len())];
        handshake.extend_from_slice(piece);
        match chosen(&handshake) {
            Answer::More if piece.len() == length && handshake.len() < MOST => read = &rest[length..],
            answer => return answer,
        }
    }
}

/// Version and suite of a ServerHello (RFC 5246 7.4.1.3).
fn chosen(message: &[u8]) -> Answer {
    match message {
        [] | [2] => return Answer::More,
        [2, ..] => {}
        _ => return Answer::Nothing,
    }
    // Type and length, version, random, then a session id of up to 32 octets.
    let Some(session) = message.get(38) else { return Answer::More };
    let at = 39 + usize::from(*session);
    match (message.get(4..6), message.get(at..at + 2)) {
        _ if *session > 32 => Answer::Nothing,
        (Some(version), Some(suite)) => {
            let number = |pair: &[u8]| pair.iter().fold(0, |n, octet| n << 8 | u16::from(*octet));
            Answer::Chose { version: number(version), suite: number(suite) }
        }
        _ => Answer::More,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A ServerHello of this version and suite, with a session id of so many octets.
    fn server_hello((version, suite): (u16, u16), session: u8) -> Vec<u8> {
        let body = [
            &version.to_be_bytes()[..],
            &[7; 32],
            &[session],
            &vec![9; usize::from(session)],
            &suite.to_be_bytes(),
            &[0],
        ]
        .concat();
        [&[2, 0][..], &counted(&body)].concat()
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        message.chunks(size).flat_map(|piece| [&[22, 3, 1][..], &counted(piece)].concat()).collect()
    }

    #[test]
    fn what_is_sent_is_a_client_hello_that_another_make_reads() {
        for (host, named) in [("mx.partner.example", true), ("192.0.2.1", false), ("2001:db8::a", false)] {
            let hello = hello(host, [5; 32]);
            let mut acceptor = rustls::server::Acceptor::default();
            acceptor.read_tls(&mut &hello[..]).unwrap();
            let accepted = acceptor.accept().unwrap_or_else(|(error, _)| panic!("{error}")).unwrap();
            let read = accepted.client_hello();
            assert_eq!(read.server_name(), named.then_some(host));
            assert_eq!(read.cipher_suites().len(), SUITES.len());
        }
    }

    #[test]
    fn what_a_peer_chose_is_read_however_it_is_cut() {
        for session in [0, 32] {
            let message = server_hello((0x0301, 0x002f), session);
            for size in 1..message.len() {
                let all = records(&message, size);
                assert_eq!(answer(&all), Answer::Chose { version: 0x0301, suite: 0x002f }, "{size}");
            }
            let all = records(&message, message.len());
            // The last octet is the compression's.
            (0..all.len() - 1).for_each(|end| assert_eq!(answer(&all[..end]), Answer::More, "{end}"));
        }
    }

    #[test]
    fn what_is_no_server_hello_says_nothing() {
        let too_long = server_hello((0x0303, 1), 33);
        for read in [
            &b"\x15\x03\x01\x00\x02\x02\x28"[..],
            b"220 hello\r\n",
            b"2",
            b"\x16\x03\x03\x00\x00",
            b"\x16\x03\x03\x00\x01\x01",
            &records(&too_long, too_long.len()),
        ] {
            assert_eq!(answer(read), Answer::Nothing, "{read:?}");
        }
    }

    #[test]
    fn what_keeps_us_from_what_was_chosen_depends_on_the_profile() {
        use crate::tls::Profile;
        for (version, suite, compat, strict) in [
            (0x0300, 0x0005, Some(Reason::TlsVersionTooOld), Some(Reason::TlsVersionTooOld)),
            (0x0302, 0xc02f, Some(Reason::TlsVersionTooOld), Some(Reason::TlsVersionTooOld)),
            (0x0303, 0x002f, Some(Reason::TlsNoCommonCipher), Some(Reason::TlsVersionTooOld)),
            (0x0303, 0xc02f, None, Some(Reason::TlsVersionTooOld)),
        ] {
            for (profile, found) in [(Profile::Compat, compat), (Profile::Strict, strict)] {
                let connector = Connector::of(profile).unwrap();
                assert_eq!(connector.wrong_with(version, suite), found, "{version:x} {suite:x} {profile:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(read in proptest::collection::vec(any::<u8>(), 0..600)) {
            answer(&read);
        }

        #[test]
        fn no_answer_that_begins_well_makes_it_panic(
            mut read in proptest::collection::vec(any::<u8>(), 0..600),
            size in 1..100_usize,
            broken in any::<(u16, u8)>(),
        ) {
            let mut message = server_hello((0x0303, 1), 32);
            message.append(&mut read);
            let mut all = records(&message, size);
            let at = usize::from(broken.0) % all.len();
            all[at] = broken.1;
            answer(&all);
        }

        #[test]
        fn a_hello_has_the_lengths_that_it_says(host in "\\PC{0,300}", random in any::<[u8; 32]>()) {
            let made = hello(&host, random);
            prop_assert_eq!(usize::from(u16::from_be_bytes([made[3], made[4]])) + 5, made.len());
            prop_assert_eq!(usize::from(u16::from_be_bytes([made[7], made[8]])) + 9, made.len());
        }
    }
}
