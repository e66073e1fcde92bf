//! SMTP smuggling: an end of data with a bare CR or LF ends nothing and is refused; the sink sees one message per message.

use crate::lab::peers::Behaviour;
use crate::lab::{PATIENCE, until};
use crate::world::{DOCTOR, Setup, World, connect_from, without_received};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// What a naive server might take for the end of data, and what RFC 5321 4.1.1.4 does not.
const ENDS: [&[u8]; 10] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\0.\r\n\n",
    b"\r\r\n.\r\r\n",
];

#[test]
fn no_bare_line_end_is_an_end() {
    let world = World::new(47);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let exchange = world.exchange();
    let gateway = world.gateway(&Setup::default());
    for end in ENDS {
        for (from, to, inbound) in [(DOCTOR, "b@partner.example", false), ("b@partner.example", DOCTOR, true)] {
            let mut client = if inbound { gateway.stranger(world.ip(66), gateway.internet) } else { gateway.session() };
            for line in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), "DATA".to_owned()] {
                assert!(client.say(&line).unwrap().code < 400);
            }
            client.raw(b"Subject: outer\r\n\r\nouter").unwrap();
            client.raw(end).unwrap();
            client.raw(b"MAIL FROM:<ceo@trust.example>\r\nRCPT TO:<victim@trust.example>\r\nDATA\r\n").unwrap();
            client.raw(b"Subject: smuggled\r\n\r\nsmuggled\r\n.\r\n").unwrap();
            let reply = client.reply().unwrap();
            assert!(reply.code == 550 && reply.text.starts_with("5.6.11 "), "{end:?}: {reply:?}");
            assert_eq!(client.say("NOOP").unwrap().code, 250, "{end:?}: one message, one reply");
        }
    }
    assert_eq!((peer.dots(), exchange.dots()), (0, 0));
    assert!(gateway.queue().is_empty());
    gateway.send(&["b@partner.example"], "Subject: honest\r\n\r\ntext\r\n");
    assert_eq!(without_received(&peer.wait_for(1)[0].message), b"Subject: honest\r\n\r\ntext\r\n");
}

/// How many messages a server sees that takes any line end around a dot for the end of data.
fn as_the_most_naive_server_counts(sent: &[u8]) -> usize {
    let is_end = |b: u8| b == b'\r' || b == b'\n';
    sent.windows(3).filter(|w| is_end(w[0]) && w[1] == b'.' && is_end(w[2])).count()
}

/// The same message in one chunk, in two that are cut in the middle of what might end it, and octet by octet.
fn cuts(message: &[u8], at: usize) -> [Vec<&[u8]>; 3] {
    let (head, tail) = message.split_at(at);
    [vec![message], vec![head, tail], message.chunks(1).collect()]
}

#[test]
fn nothing_in_a_chunk_is_an_end_here_or_further_on() {
    let world = World::new(100);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let exchange = world.exchange();
    let gateway = world.gateway(&Setup::default());
    let mut ends = ENDS.to_vec();
    ends.push(b"\r\n.\r\n");
    let (mut sent, mut normalised) = (0, 0.0);
    for end in ends {
        let inner = b"MAIL FROM:<ceo@trust.example>\r\nRCPT TO:<victim@trust.example>\r\nDATA\r\nsmuggled\r\n.\r\n";
        let message = [b"Subject: outer\r\n\r\nouter", end, inner].concat();
        for chunks in cuts(&message, 23 + end.len() / 2) {
            let mut stranger = gateway.stranger(world.ip(66), gateway.internet);
            let replies = stranger.send_in_chunks("b@partner.example", DOCTOR, &chunks).unwrap();
            let taken = end == b"\r\n.\r\n";
            assert_eq!(replies.last().unwrap().code, if taken { 250 } else { 550 }, "{end:?}: {replies:?}");
            assert_eq!(stranger.say("NOOP").unwrap().code, 250, "{end:?}: one message, one reply");
            if taken {
                let arrived = exchange.wait_for(exchange.dots().max(1)).pop().unwrap();
                assert_eq!(without_received(&arrived.message), message);
            }

            let mut own = gateway.session();
            let replies = own.send_in_chunks(DOCTOR, "b@partner.example", &chunks).unwrap();
            let taken = !end.contains(&0);
            assert_eq!(replies.last().unwrap().code, if taken { 250 } else { 550 }, "{end:?}: {replies:?}");
            assert_eq!(own.say("NOOP").unwrap().code, 250, "{end:?}: one message, one reply");
            if taken {
                sent += 1;
                let arrived = peer.wait_for(sent).pop().unwrap();
                let (kept, count) = with_crlf(&message);
                normalised += count;
                assert_eq!(without_received(&arrived.message), kept, "{end:?}");
            }
        }
    }
    gateway.wait_until_empty();
    assert_eq!((peer.received().len(), exchange.received().len()), (sent, 3));
    let crossed = world.wire.captures();
    let naive: usize = crossed.iter().map(|c| as_the_most_naive_server_counts(&c.from_client)).sum();
    assert_eq!(naive, sent + 3);
    assert_eq!(gateway.metric("mailward_line_endings_normalised_total"), normalised);
}

/// Every CR, LF or CRLF as a CRLF, and how many were not one.
fn with_crlf(message: &[u8]) -> (Vec<u8>, f64) {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let marked = text.replace("\r\n", "\u{1}");
    let bare = marked.matches(['\r', '\n']).count();
    (marked.replace(['\r', '\n', '\u{1}'], "\r\n").into_bytes(), f64::from(u32::try_from(bare).unwrap()))
}

/// One octet after the other for as long as the gateway takes them; the last line that it says.
fn dribble(mut stream: TcpStream, begin: &str) -> String {
    stream.write_all(begin.as_bytes()).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let dribbling = std::thread::spawn(move || until(|| writer.write_all(b"x").is_err().then_some(())));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let last = BufReader::new(stream).lines().map_while(Result::ok).last();
    assert!(dribbling.join().unwrap().is_some(), "the gateway takes them for ever");
    last.unwrap_or_default()
}

#[test]
fn a_client_that_goes_away_or_is_too_slow_in_a_chunk_has_sent_nothing() {
    let world = World::new(101);
    let exchange = world.exchange();
    let more = "[limits]\nidle = \"2s\"\nmessage-time = \"3s\"";
    let gateway = world.gateway(&Setup { more, ..Setup::default() });
    let connect = || connect_from(world.ip(66), gateway.internet);
    let open = format!("EHLO x\r\nMAIL FROM:<b@partner.example>\r\nRCPT TO:<{DOCTOR}>\r\nBDAT 5\r\nabc\r\n");

    let mut client = gateway.stranger(world.ip(66), gateway.internet);
    client.raw(format!("{open}BDAT 1000 LAST\r\nthis is not all of it\r\n.\r\n").as_bytes()).unwrap();
    assert_eq!([(); 4].map(|()| client.reply().unwrap().code), [250; 4]);
    drop(client);

    let mut silent = gateway.stranger(world.ip(66), gateway.internet);
    silent.raw(format!("{open}BDAT 1000 LAST\r\nthis is not all of it").as_bytes()).unwrap();
    assert_eq!([(); 4].map(|()| silent.reply().unwrap().code), [250; 4]);
    let reply = silent.reply().unwrap();
    assert!(reply.code == 421 && reply.text.starts_with("4.4.2 "), "{reply:?}");

    for begin in [format!("{open}BDAT 1000000 LAST\r\n"), "EHLO x\r\nBDAT 1000000 LAST\r\n".to_owned()] {
        let last = dribble(connect(), &begin);
        assert!(last.starts_with("421 4.4.2 "), "{last}");
    }
    let ended = until(|| (gateway.metric("mailward_sessions{listener=\"internet\"}") == 0.0).then_some(()));
    assert!(ended.is_some());
    assert!(gateway.queue().is_empty() && exchange.dots() == 0);
}

#[test]
fn a_large_message_arrives_whole_however_it_is_cut() {
    let world = World::new(102);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    (0..60_000).for_each(|n| message.extend_from_slice(format!(".line {n} of a long message\r\n").as_bytes()));
    for (n, size) in [7_000, 65_536, message.len()].into_iter().enumerate() {
        let chunks: Vec<&[u8]> = message.chunks(size).collect();
        let replies = gateway.session().send_in_chunks(DOCTOR, "b@partner.example", &chunks).unwrap();
        assert!(replies.iter().all(|reply| reply.code == 250), "{size}: {:?}", replies.last());
        assert!(without_received(&peer.wait_for(n + 1)[n].message) == message, "{size}");
    }
}
