//! Postfix and Exim as a partner's servers: verified TLS, everything that they offer, refusals now and for ever, reports.

use crate::lab::exim::Exim;
use crate::lab::mta::{Absent, Mta, Setup as Server};
use crate::lab::peers::{Behaviour, Peer, Tls};
use crate::lab::postfix::Postfix;
use crate::lab::{listen, skipped, until};
use crate::letter::{self, TO, assert_same, has};
use crate::programme::announce;
use crate::world::{DOCTOR, EXCHANGE, Gateway, NUMBER, SECRET, Setup, World};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A recipient that the server puts off once.
const LATER: &str = "later@partner.example";
/// One that it does not know.
const NOBODY: &str = "nobody@partner.example";

struct Scene {
    world: World,
    gateway: Gateway,
    exchange: Peer,
    /// Where the partner's server is in this world.
    host: u8,
}

impl Scene {
    fn new(host: u8) -> Scene {
        let world = World::new(137);
        let tls = Tls::Shows(world.ca.good(&["exchange.trust.example"]));
        let exchange = world.peer(EXCHANGE, "exchange.trust.example", Behaviour { tls, ..Behaviour::default() });
        let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
        world.names.mx("partner.example", &[(10, "mx.partner.example")]);
        world.names.address_of("mx.partner.example", world.ip(host));
        Scene { world, gateway, exchange, host }
    }

    /// Starts the partner's server with `start` and puts it behind its tap; its own mail goes to the gateway.
    fn server<M>(&self, start: impl FnOnce(&Server<'_>) -> Result<M, Absent>) -> Result<M, Absent> {
        let leaf = self.world.ca.good(&["mx.partner.example"]);
        let server = Server {
            listen: self.world.free(self.host + 100),
            hostname: "mx.partner.example",
            domains: &["partner.example"],
            relay: Some(self.gateway.internet),
            leaf: Some(&leaf),
        };
        let started = start(&server)?;
        self.world.wire.tap(SocketAddr::new(self.world.ip(self.host), self.world.port), server.listen);
        Ok(started)
    }

    fn submit(&self, mail: &str, recipients: &[&str], message: &[u8]) {
        let mut client = self.gateway.session();
        assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> {mail}")).unwrap().code, 250, "{mail}");
        for recipient in recipients {
            assert_eq!(client.say(&format!("RCPT TO:{recipient}")).unwrap().code, 250, "{recipient}");
        }
        assert_eq!(client.say("DATA").unwrap().code, 354);
        client.message(message).unwrap();
        let taken = client.reply().unwrap();
        assert_eq!(taken.code, 250, "{taken:?}");
        client.quit();
    }

    /// A report to the doctor that says all of `words`, in small letters: field names have no case.
    fn told(&self, words: &[&str]) -> String {
        let reports = || self.exchange.received().iter().map(|m| m.text().to_lowercase()).collect::<Vec<_>>();
        let found = until(|| reports().into_iter().find(|text| words.iter().all(|word| text.contains(word))));
        found
            .unwrap_or_else(|| panic!("no report says {words:?}\n{}\n{}", reports().join("\n--\n"), self.gateway.log()))
    }
}

/// Waits for the message with this subject in the server's mailbox. Mailboxes hold lines as this system ends them.
fn arrival(server: &Mta, subject: &str) -> Vec<u8> {
    let line = format!("\nSubject: {subject}\n");
    let found = until(|| server.mailbox().into_iter().find(|message| has(message, &line)));
    let stored = found.unwrap_or_else(|| panic!("`{subject}` did not come\n{}", server.log()));
    let mut message = Vec::with_capacity(stored.len() + stored.len() / 40);
    for byte in stored {
        if byte == b'\n' {
            message.push(b'\r');
        }
        message.push(byte);
    }
    message
}

/// What the server says in its own way.
struct Words {
    /// In the log of a message that came with BDAT.
    chunked: &'static [&'static str],
    /// Of `ENVID=lab+2Bone`, in small letters. RFC 3464 2.2.1 wants xtext decoded; Exim leaves it.
    envelope: &'static str,
    /// Of `ORCPT=rfc822;b+2Bold@partner.example`, likewise.
    original: &'static str,
}

fn gets_what_was_sent(scene: &Scene, server: &Mta, words: &Words) {
    scene.submit("", &[&format!("<{TO}>")], &letter::clinical("letter"));
    assert_same(&arrival(server, "letter"), &letter::clinical("letter"));
    scene.gateway.wait_until_empty();
    let trace = scene.gateway.json(&["trace", TO, "--json"]);
    assert_eq!(trace[0]["endings"][0]["proof"], "pkix", "{trace}");

    let big = letter::large("big", 5_000_000);
    for (subject, message) in [("nasty", letter::nasty("nasty")), ("big", big)] {
        scene.submit("BODY=8BITMIME", &[&format!("<{TO}>")], &message);
        assert_same(&arrival(server, subject), &message);
    }
    let international = letter::nasty("international");
    scene.submit("BODY=8BITMIME SMTPUTF8", &["<j\u{f6}rg@partner.example>"], &international);
    assert_same(&arrival(server, "international"), &international);

    refuses_now_and_for_ever(scene, server);

    let asks = format!("<{TO}> NOTIFY=SUCCESS ORCPT=rfc822;b+2Bold@partner.example");
    scene.submit("RET=HDRS ENVID=lab+2Bone", &[&asks], &letter::ordinary("report"));
    scene.told(&["action: delivered", words.envelope, words.original]);

    server.wait_for_log(words.chunked);
    let sessions = scene.world.wire.captures().iter().filter(|c| c.server == server.listen.to_string()).count();
    let messages = server.mailbox().len();
    assert!(sessions < messages, "{messages} messages over {sessions} connections: none was used again");
    assert_eq!(scene.world.wire.sightings(&[NUMBER, SECRET]), []);
    assert!(scene.gateway.queue().is_empty());
}

fn refuses_now_and_for_ever(scene: &Scene, server: &Mta) {
    let to = [NOBODY, LATER, TO].map(|to| format!("<{to}>"));
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let before = server.mailbox().len();
    scene.submit("", &to, &letter::ordinary("three fates"));
    server.wait_for_log(&[NOBODY, "no such user"]);
    server.wait_for_log(&[LATER, "greylisted"]);
    scene.told(&["action: failed", NOBODY, "no such user", "status: 5.1.1"]);
    let told = scene.exchange.received().iter().any(|m| m.text().contains(LATER));
    assert!(!told, "nobody is told of what was only put off");
    // One for the recipient that was taken at once; one, later, for the one that was put off.
    let both = server.wait_for(before + 2);
    assert_eq!(both.iter().filter(|message| has(message, "\nSubject: three fates\n")).count(), 2);
    scene.gateway.wait_until_empty();
}

/// A policy service for Postfix that puts `LATER` off once (SMTPD_POLICY_README). Each of its processes keeps a connection.
fn greylist(ip: IpAddr) -> SocketAddr {
    let listener = listen(SocketAddr::new(ip, 0));
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || answer_questions(&stream, &seen).ok());
        }
    });
    address
}

fn answer_questions(stream: &TcpStream, seen: &AtomicBool) -> std::io::Result<()> {
    let mut later = false;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        later |= line == format!("recipient={LATER}");
        if line.is_empty() {
            let new = later && !seen.swap(true, Ordering::SeqCst);
            let action = if new { "450 4.2.0 greylisted, come back" } else { "DUNNO" };
            write!(&mut &*stream, "action={action}\n\n")?;
            later = false;
        }
    }
    Ok(())
}

#[test]
fn postfix_gets_what_was_sent() {
    let scene = Scene::new(10);
    let policy = greylist(scene.world.ip(3));
    let more = format!(
        "smtpd_recipient_restrictions = check_recipient_access inline:{{{{ {NOBODY} = 550 5.1.1 no such user }}}},\n  \
         check_policy_service inet:{policy}\n"
    );
    let server = match scene.server(|setup| Postfix::start_with(setup, &more)) {
        Ok(server) => server,
        Err(Absent(why)) => return skipped("postfix_gets_what_was_sent", &why),
    };
    announce("Postfix", &Postfix::version().unwrap());
    gets_what_was_sent(
        &scene,
        &server,
        &Words {
            chunked: &["disconnect from", " bdat="],
            envelope: "original-envelope-id: lab+one",
            original: "b+old@partner.example",
        },
    );
}

#[test]
fn exim_gets_what_was_sent() {
    let scene = Scene::new(11);
    let recipients = "
  deny local_parts = nobody
       message = 550 5.1.1 no such user
  defer local_parts = later
        condition = ${if !exists{$spool_directory/seen}}
        condition = ${if eq{${run{/usr/bin/touch $spool_directory/seen}}}{}}
        message = 450 4.2.0 greylisted, come back
";
    let server = match scene.server(|setup| Exim::start_with(setup, recipients)) {
        Ok(server) => server,
        Err(Absent(why)) => return skipped("exim_gets_what_was_sent", &why),
    };
    announce("Exim", &Exim::version().unwrap());
    gets_what_was_sent(
        &scene,
        &server,
        &Words {
            chunked: &["<= dr.jones@trust.example", " K "],
            envelope: "original-envelope-id: lab+2bone",
            original: "b+2bold@partner.example",
        },
    );
}
