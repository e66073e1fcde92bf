//! The protocol on generated input: whatever comes, however it is split, the result is the same and nothing panics.
//!
//! The targets are plain functions, so that a fuzzer can call them as well. proptest prints a failing input with its seed.

use mailward::mail::Envelope;
use mailward::smtp::client::{Client, Event, Extent};
use mailward::smtp::command::{self, Addressee, Command};
use mailward::smtp::data::chunks::{BareLineEndings, Chunks};
use mailward::smtp::data::{self, Decoder, Encoder, End};
use mailward::smtp::reply::{self, Parsed, Reply};
use mailward::smtp::server::{Action, Auth, RequireTls, Session, Settings, StartTls, Step};
use mailward::smtp::{Security, client};
use proptest::prelude::*;
use std::sync::Arc;

/// Octets that mean something to the protocol, and some that do not.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\r\n".to_vec()), 3 => Just(b".".to_vec()), 1 => Just(b"\r".to_vec()), 1 => Just(b"\n".to_vec()),
        1 => Just(b"\0".to_vec()), 4 => Just(b"text".to_vec()), 1 => Just(b"\r\n.\r\n".to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Lines that a client might send, sensible or not.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("EHLO x\r\n"),
        Just("MAIL FROM:<a@b.example>\r\n"),
        Just("MAIL FROM:<a@b.example> REQUIRETLS\r\n"),
        Just("RCPT TO:<c@d.example>\r\n"),
        Just("DATA\r\n"),
        Just("text\r\n"),
        Just(".\r\n"),
        Just("RSET\r\n"),
        Just("NOOP\n"),
        Just("x\r"),
        Just("\n.\r\n"),
        Just("HELO \u{1b}\r\n"),
        Just("STARTTLS\r\n"),
        Just("QUIT\r\n"),
        Just("AUTH PLAIN\r\n"),
        Just("AUTH LOGIN bmFtZQ==\r\n"),
        Just("AGEAYg==\r\n"),
        Just("*\r\n"),
        Just("BDAT 6\r\n"),
        Just("BDAT 12 LAST\r\n"),
        Just("BDAT 0 LAST\r\n"),
        Just("BDAT 61\r\n"),
        Just("BDAT 7 FIRST\r\n"),
        Just("NOOP 012345678901234567890123456789012345678901234567890123456789012345678901234567890\r\n"),
    ];
    proptest::collection::vec(line, 0..24).prop_map(|lines| lines.concat().into_bytes())
}

/// Cuts `bytes` into chunks whose lengths `cuts` gives in turn.
fn chunks<'a>(mut bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    for cut in cuts.iter().cycle().take(bytes.len()) {
        let (head, tail) = bytes.split_at((*cut).clamp(1, bytes.len().max(1)).min(bytes.len()));
        parts.push(head);
        bytes = tail;
    }
    parts
}

/// The message if it was clean, how it ended, and the octets it took.
type Received = (Option<End>, Vec<u8>, usize);

fn receive(parts: &[&[u8]], limit: u64) -> Received {
    let (mut decoder, mut out, mut taken) = (Decoder::new(limit), Vec::new(), 0);
    for part in parts {
        let progress = decoder.feed(part, &mut out);
        taken += progress.consumed;
        assert!(out.len() as u64 <= limit);
        if progress.end.is_some() {
            let clean = progress.end == Some(End::Complete);
            return (progress.end, if clean { out } else { Vec::new() }, taken);
        }
    }
    (None, Vec::new(), taken)
}

/// The same, written as the standard says it, octet by octet: RFC 5321 4.1.1.4 and 4.5.2.
fn receive_by_the_book(bytes: &[u8], limit: u64) -> Received {
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
    let large = message.len() as u64 > limit;
    let result = if bare {
        End::BareLineEnding
    } else if large {
        End::TooLarge
    } else {
        End::Complete
    };
    (Some(result), if result == End::Complete { message } else { Vec::new() }, end + 3)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Whether there is no CR or LF outside a CRLF, and no NUL.
fn is_clean(bytes: &[u8]) -> bool {
    let rest = String::from_utf8_lossy(bytes).replace("\r\n", "");
    !rest.contains(['\r', '\n', '\0'])
}

/// Everything the server session does to `parts`; every verdict is yes.
fn serve(parts: &[&[u8]], link: Security) -> Vec<String> {
    let settings = Settings {
        hostname: "gw.example".into(),
        max_message: 60,
        max_recipients: 2,
        max_line: 64,
        max_errors: 8,
        max_commands: 50,
        starttls: StartTls::Offered,
        bare_line_endings: BareLineEndings::Refused,
        auth: Auth::Offered,
        require_tls: RequireTls::Offered,
    };
    let (mut session, _) = Session::open(Arc::new(settings), link);
    let (mut log, mut unread, mut body) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        unread.extend_from_slice(part);
        loop {
            let step = session.step(&unread, &mut body);
            unread.drain(..step.consumed);
            // Inside TLS an answer to AUTH may be as long as RFC 4616 wants.
            let longest = if link == Security::Tls { 2_048 } else { 64 };
            assert!(unread.len() <= longest + part.len());
            let needs_more = matches!(step.action, Action::Need);
            match perform(step, &mut body, &mut log) {
                Some(next) => session = next,
                None => return log,
            }
            if needs_more {
                break;
            }
        }
    }
    log
}

/// What the caller of the session does; None when the session has ended.
fn perform(step: Step, body: &mut Vec<u8>, log: &mut Vec<String>) -> Option<Session> {
    let (session, reply) = match step.action {
        Action::Need | Action::Body | Action::Again => return Some(step.session),
        Action::Reply(reply) | Action::Discard(reply) | Action::Chunk(reply) => (step.session, reply),
        Action::Collect(reply) => {
            body.clear();
            match reply {
                Some(reply) => (step.session, reply),
                None => return Some(step.session),
            }
        }
        Action::AskSender(_) | Action::AskRecipient(_) => step.session.answer(Ok(())),
        Action::AskMessage(complete) => {
            log.push(format!("{complete:?} {}", body.escape_ascii()));
            step.session.answer_message(Reply::plain(250, "queued"))
        }
        Action::AskLogin(_) => {
            let (session, action) = step.session.answer_login(Err(Reply::plain(535, "no")));
            return perform(Step { session, consumed: 0, action }, body, log);
        }
        Action::StartTls(reply) | Action::Close(reply) => {
            log.push(format!("{reply:?}"));
            return None;
        }
    };
    log.push(format!("{reply:?}"));
    Some(session)
}

/// Talks to the client session until the input is used up; every recipient must get one outcome.
fn call(envelope: &Envelope, parts: &[&[u8]]) -> Option<Vec<client::Outcome>> {
    let mut client = Client::<()>::open("gw.example");
    let mut unread = Vec::new();
    for part in parts {
        unread.extend_from_slice(part);
        loop {
            let step = client.step(&unread);
            unread.drain(..step.consumed);
            client = step.client;
            match step.event {
                Event::Need => break,
                Event::Ready(_) => match client.mail((), envelope, Extent::Whole(10)) {
                    Ok((next, Event::SendChunk { .. })) => client = next.body_sent(),
                    Ok((next, _)) => client = next,
                    Err(_) => return None,
                },
                Event::SendBody | Event::SendChunk { .. } => client = client.body_sent(),
                Event::Finished(outcomes, _) => return Some(outcomes),
                Event::Failed(reason, status) => return Some(client.abandon(reason, status)),
                Event::Send(_) | Event::TlsReady | Event::TlsRefused(_) => {}
                Event::LoggedIn | Event::LoginRefused(_) => {}
            }
        }
    }
    None
}

fn replies() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        6 => Just("250 ok\r\n"), 2 => Just("354 go\r\n"), 1 => Just("250-more\r\n"), 1 => Just("450 4.2.0 later\r\n"),
        1 => Just("550 5.1.1 no\r\n"), 1 => Just("421 bye\r\n"), 1 => Just("garbage\r\n"), 1 => Just("250\n"),
        1 => Just("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"), 1 => Just("452 4.5.3 many\r\n"),
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| ["220 mx\r\n", &lines.concat()].concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_decoder_does_the_same_as_the_book_at_every_split(
        bytes in wire(), cuts in proptest::collection::vec(1usize..9, 1..5), limit in prop_oneof![Just(12u64), Just(10_000)]
    ) {
        let expected = receive_by_the_book(&bytes, limit);
        prop_assert_eq!(&receive(&[&bytes], limit), &expected);
        prop_assert_eq!(&receive(&chunks(&bytes, &cuts), limit), &expected);
    }

    #[test]
    fn chunks_are_cleaned_alike_at_every_split_and_can_always_be_sent_on(
        bytes in wire(), cuts in proptest::collection::vec(1usize..9, 1..5),
        bare in prop_oneof![Just(BareLineEndings::Refused), Just(BareLineEndings::Normalised)]
    ) {
        let take = |parts: &[&[u8]]| {
            let (mut chunks, mut out) = (Chunks::new(10_000, bare), Vec::new());
            parts.iter().for_each(|part| chunks.feed(part, &mut out));
            (chunks.finish(&mut out), out, chunks.normalised())
        };
        let (end, kept, normalised) = take(&[&bytes]);
        let (again, streamed, count) = take(&chunks(&bytes, &cuts));
        prop_assert_eq!(end, again);
        prop_assert_eq!(end == End::Complete, bare == BareLineEndings::Normalised && !bytes.contains(&0) || is_clean(&bytes));
        if end == End::Complete {
            prop_assert_eq!((&kept, normalised), (&streamed, count));
            // What travels on is the same message for a server that goes by the book, and for one that is naive.
            let mut sent = Vec::new();
            data::encode(&kept, &mut sent).unwrap();
            prop_assert_eq!(receive_by_the_book(&sent, u64::MAX), (Some(End::Complete), kept, sent.len()));
            for end in [&b"\n.\n"[..], b"\n.\r", b"\r.\r", b"\r.\n"] {
                prop_assert_eq!(find(&sent[..sent.len() - 3], end), None);
            }
        }
    }

    #[test]
    fn what_the_encoder_sends_comes_back_and_nothing_else(
        message in wire(), cuts in proptest::collection::vec(1usize..9, 1..5)
    ) {
        let mut whole = Vec::new();
        let sent = data::encode(&message, &mut whole);
        let (mut encoder, mut streamed) = (Encoder::new(), Vec::new());
        let parts = chunks(&message, &cuts);
        let stream = parts.iter().try_for_each(|p| encoder.encode(p, &mut streamed)).and_then(|()| encoder.finish(&mut streamed));
        prop_assert_eq!(sent, stream);
        if sent.is_ok() {
            prop_assert_eq!(&whole, &streamed);
            let (end, back, taken) = receive_by_the_book(&whole, u64::MAX);
            prop_assert_eq!((end, taken), (Some(End::Complete), whole.len()));
            let mut expected = message.clone();
            if !message.is_empty() && !message.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(back, expected);
        }
    }

    #[test]
    fn the_server_session_says_the_same_at_every_split(
        bytes in conversation(), cuts in proptest::collection::vec(1usize..40, 1..5),
        link in prop_oneof![Just(Security::Clear), Just(Security::Tls)]
    ) {
        prop_assert_eq!(serve(&chunks(&bytes, &cuts), link), serve(&[&bytes], link));
    }

    #[test]
    fn the_client_session_gives_one_outcome_for_each_recipient(
        bytes in replies(), cuts in proptest::collection::vec(1usize..9, 1..5)
    ) {
        let envelope: Envelope = serde_json::from_str(
            r#"{"reverse_path":"","recipients":[{"mailbox":"a@b.example"},{"mailbox":"c@d.example"}]}"#
        ).unwrap();
        if let Some(outcomes) = call(&envelope, &chunks(&bytes, &cuts)) {
            let recipients: Vec<usize> = outcomes.iter().map(|o| o.recipient).collect();
            // Before MAIL there is nothing to settle.
            prop_assert!(recipients.is_empty() || recipients == [0, 1], "{:?}", recipients);
        }
    }

    #[test]
    fn command_lines_never_panic_and_addresses_print_as_one_path(line in "(MAIL FROM|RCPT TO|EHLO):? ?<?[ -~é]{0,40}>?( [A-Z0-9+=;,-]{1,20}){0,3}") {
        if let Ok(Command::Rcpt(forward)) = command::parse(&line)
            && let Addressee::Mailbox(mailbox) = forward.to
        {
            let again = command::parse(&format!("RCPT TO:<{mailbox}>"));
            prop_assert!(matches!(again, Ok(Command::Rcpt(f)) if f.to == Addressee::Mailbox(mailbox)));
        }
    }

    #[test]
    fn replies_are_read_alike_at_every_split_and_print_as_one(bytes in replies(), text in "\\PC{0,600}") {
        let whole = reply::parse(&bytes);
        for at in 0..bytes.len() {
            let part = reply::parse(&bytes[..at]);
            prop_assert!(part == Parsed::Need || part == whole);
        }
        let printed = Reply::plain(550, text).to_bytes();
        let whole = matches!(reply::parse(&printed), Parsed::Reply { consumed, .. } if consumed == printed.len());
        prop_assert!(whole);
    }
}
