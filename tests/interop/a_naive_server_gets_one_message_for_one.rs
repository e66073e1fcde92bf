//! SMTP smuggling seen from behind: a server that ends a message at `LF . CRLF` gets one message for each that the
//! gateway took, whatever stood in it and however it came.

use crate::lab::client::{Client, Reply};
use crate::lab::mta::Absent;
use crate::lab::naive::Naive;
use crate::lab::skipped;
use crate::programme::announce;
use crate::world::{DOCTOR, EXCHANGE, Setup, World};
use std::net::SocketAddr;

/// What may stand before and after a dot that is alone on what somebody may take for a line.
const BREAKS: [&str; 9] = ["\n", "\r", "\r\n", "\n\r", "\r\r\n", "\r\n\r", "\n\n", "\0\r\n", "\r\n\0"];

/// What a naive server would take for a second message.
const SECOND: &str = "MAIL FROM:<ceo@trust.example>\r\nRCPT TO:<victim@trust.example>\r\nDATA\r\n\
                      Subject: smuggled\r\n\r\nsmuggled\r\n";

/// How the message is handed to the gateway.
#[derive(Debug, Clone, Copy)]
enum Way {
    Data,
    OneChunk,
    /// A chunk ends before the dot, and one after it.
    AroundTheDot,
    /// A chunk ends between any two octets of the break.
    EveryOctet,
}

const WAYS: [Way; 4] = [Way::Data, Way::OneChunk, Way::AroundTheDot, Way::EveryOctet];

struct Attempt {
    way: Way,
    before: &'static str,
    after: &'static str,
}

impl Attempt {
    fn end(&self) -> String {
        format!("{}.{}", self.before, self.after)
    }

    /// Whether RFC 5321 4.1.1.4 itself ends the message here; then the second is the client's own.
    fn ends_data(&self) -> bool {
        matches!(self.way, Way::Data) && self.end().contains("\r\n.\r\n")
    }

    fn chunks(&self) -> Vec<String> {
        let first = "Subject: outer\r\n\r\nouter".to_owned();
        match self.way {
            Way::Data | Way::OneChunk => vec![first + &self.end() + SECOND],
            Way::AroundTheDot => vec![first + self.before, ".".to_owned(), self.after.to_owned() + SECOND],
            Way::EveryOctet => {
                let octets = self.end().chars().map(String::from).collect::<Vec<_>>();
                [vec![first], octets, vec![SECOND.to_owned()]].concat()
            }
        }
    }
}

fn attempts() -> Vec<Attempt> {
    let pairs = BREAKS.iter().flat_map(|before| BREAKS.iter().map(move |after| (*before, *after)));
    let all = pairs.flat_map(|(before, after)| WAYS.map(|way| Attempt { way, before, after }));
    all.filter(|attempt| !attempt.ends_data()).collect()
}

/// The one reply to the message; every command before it must have been taken.
fn hand_over(client: &mut Client, from: &str, to: &str, attempt: &Attempt) -> Reply {
    for line in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>")] {
        assert_eq!(client.say(&line).unwrap().code, 250, "{line}");
    }
    let chunks = attempt.chunks();
    if matches!(attempt.way, Way::Data) {
        assert_eq!(client.say("DATA").unwrap().code, 354);
        client.raw(chunks[0].as_bytes()).unwrap();
        client.raw(b".\r\n").unwrap();
        return client.reply().unwrap();
    }
    let mut replies = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let last = if number + 1 == chunks.len() { " LAST" } else { "" };
        client.raw(format!("BDAT {}{last}\r\n{chunk}", chunk.len()).as_bytes()).unwrap();
        replies.push(client.reply().unwrap());
    }
    let refused = replies.iter().position(|reply| reply.code != 250);
    refused.map_or_else(|| replies.last().unwrap().clone(), |at| replies[at].clone())
}

#[test]
fn a_naive_server_gets_one_message_for_one() {
    let world = World::new(139);
    let naive = match Naive::start(world.free(110)) {
        Ok(naive) => naive,
        Err(Absent(why)) => return skipped("a_naive_server_gets_one_message_for_one", &why),
    };
    announce("mailin", "0.6.5, as tests/lab/naive/Cargo.lock has it");
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    for host in [10, EXCHANGE] {
        world.wire.tap(SocketAddr::new(world.ip(host), world.port), naive.listen);
    }
    let gateway = world.gateway(&Setup::default());
    let (mut taken, mut refused) = (0, 0);
    for (from, to, site) in [(DOCTOR, "b@partner.example", true), ("b@partner.example", DOCTOR, false)] {
        let open = || if site { gateway.session() } else { gateway.stranger(world.ip(66), gateway.internet) };
        let mut client = open();
        for (number, attempt) in attempts().into_iter().enumerate() {
            if number % 16 == 0 {
                client = open();
            }
            let reply = hand_over(&mut client, from, to, &attempt);
            let what = format!("{:?} {:?} site={site}: {reply:?}", attempt.way, attempt.end());
            match reply.code {
                250 => taken += 1,
                550 => {
                    refused += 1;
                    assert!(reply.text.starts_with("5.6.11 "), "{what}");
                }
                _ => panic!("{what}"),
            }
            assert!(reply.code == 550 || !matches!(attempt.way, Way::Data), "a bare break in DATA was taken: {what}");
            assert_eq!(client.say("NOOP").unwrap().code, 250, "one message, one reply: {what}");
        }
    }
    assert!(taken > 50 && refused > 50, "{taken} taken, {refused} refused");
    gateway.wait_until_empty();
    let got = naive.taken();
    assert_eq!(got.len(), taken, "messages for {taken} that were taken");
    for one in got {
        assert!([DOCTOR, "b@partner.example"].contains(&one.from.as_str()), "{one:?}");
        assert!(one.message.contains("Subject: outer\r\n") && one.message.contains("smuggled\r\n"), "{one:?}");
    }
}

#[test]
fn a_naive_server_is_naive() {
    let world = World::new(139);
    let naive = match Naive::start(world.free(111)) {
        Ok(naive) => naive,
        Err(Absent(why)) => return skipped("a_naive_server_is_naive", &why),
    };
    let mut client = Client::connect(naive.listen).unwrap();
    let attempt = Attempt { way: Way::Data, before: "\n", after: "\r\n" };
    assert_eq!(hand_over(&mut client, DOCTOR, "b@partner.example", &attempt).code, 250);
    let froms: Vec<String> = naive.wait_for(2).into_iter().map(|one| one.from).collect();
    assert_eq!(froms, [DOCTOR, "ceo@trust.example"], "or the other test proves nothing");
}
