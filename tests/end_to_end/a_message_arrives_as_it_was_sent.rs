//! The original bytes travel: dots, long lines, eight bits, twenty megabytes, international addresses.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::world::{DOCTOR, Setup, World, without_received};

#[test]
fn nasty_bodies_arrive_octet_by_octet() {
    let world = World::new(48);
    let tls = Tls::Shows(self_signed(&["mx.partner.example"]));
    let peer = world.mx(10, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    let long = [b"x".repeat(997), b"\r\n.".to_vec(), b"y".repeat(996), b"\r\n".to_vec()].concat();
    let bodies: [&[u8]; 10] = [
        b".\r\n",
        b"..\r\n...\r\n....\r\n",
        b".leading\r\n..two\r\n. \r\n.\t\r\n",
        b"\r\n\r\n\r\n",
        b"",
        b"no end of line but the dot's\r\n",
        b"tab\there\r\ntrailing blanks   \r\n \r\n",
        "UTF-8: \u{e9}\u{20ac}\u{1f3e5}\r\n".as_bytes(),
        b"eight bits: \x80\xff\xfe\xa0\r\n",
        &long,
    ];
    let mut client = gateway.session();
    let mut sent = Vec::new();
    for body in bodies {
        let message = [b"Subject: nasty\r\n\r\n", body].concat();
        assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> BODY=8BITMIME")).unwrap().code, 250);
        assert_eq!(client.say("RSET").unwrap().code, 250);
        let reply = client.send(DOCTOR, &["b@partner.example"], &message).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        sent.push(message);
    }
    let mut arrived: Vec<Vec<u8>> = peer.wait_for(sent.len()).iter().map(|m| without_received(&m.message)).collect();
    arrived.sort();
    sent.sort();
    assert_eq!(arrived, sent);
}

#[test]
fn eight_bits_go_where_they_can_and_are_told_where_they_cannot() {
    let world = World::new(63);
    let exchange = world.exchange();
    let peer = world.mx(10, "old.example", Behaviour { lacks: vec!["8BITMIME"], ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.session();
    for line in [&format!("MAIL FROM:<{DOCTOR}> BODY=8BITMIME"), "RCPT TO:<b@old.example>", "DATA"] {
        assert!(client.say(line).unwrap().code < 400, "{line}");
    }
    client.raw(b"Subject: eight bits\r\n\r\n\xe9\xff\r\n.\r\n").unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let told = exchange.wait_for(1)[0].text();
    assert!(told.contains("X-Mailward-Reason: eight-bit-not-offered") && told.contains("Status: 5.6.3"), "{told}");
    assert_eq!(peer.dots(), 0);
}

#[test]
fn twenty_megabytes_arrive() {
    let world = World::new(49);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    let mut message = b"Subject: large\r\n\r\n".to_vec();
    for line in 0_u64.. {
        if message.len() > 20_000_000 {
            break;
        }
        message.extend_from_slice(format!(".{line:072x}\r\n").as_bytes());
    }
    let mut client = gateway.session();
    let reply = client.send(DOCTOR, &["b@partner.example"], &message);
    assert!(reply.as_ref().is_ok_and(|r| r.code == 250), "{reply:?}\n{}", gateway.log());
    let got = peer.wait_for(1).remove(0);
    assert!(without_received(&got.message) == message, "{} octets arrived", got.message.len());
    gateway.wait_until_empty();
    let left: Vec<_> = crate::lab::until(|| {
        let files: Vec<_> = walk(&gateway.folder.path().join("data/bodies"));
        files.is_empty().then_some(files)
    })
    .unwrap_or_else(|| walk(&gateway.folder.path().join("data/bodies")));
    assert_eq!(left, Vec::<std::path::PathBuf>::new(), "a body outlived its entry");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).map(|e| e.filter_map(|e| Some(e.ok()?.path())).collect::<Vec<_>>());
    entries.unwrap_or_default().into_iter().flat_map(|p| if p.is_dir() { walk(&p) } else { vec![p] }).collect()
}

#[test]
fn a_message_over_the_limit_is_refused_at_mail_and_at_the_dot() {
    let world = World::new(50);
    let gateway = world.gateway(&Setup { more: "[limits]\nmax-message = \"1MB\"", ..Setup::default() });
    let mut client = gateway.session();
    let declared = client.say(&format!("MAIL FROM:<{DOCTOR}> SIZE=2000000")).unwrap();
    assert!(declared.code == 552 && declared.text.starts_with("5.3.4 "), "{declared:?}");
    let message =
        b"Subject: large\r\n\r\n".iter().copied().chain(b"0123456789\r\n".repeat(100_000)).collect::<Vec<_>>();
    let reply = client.send(DOCTOR, &["b@partner.example"], &message).unwrap();
    assert!(reply.code == 552 && reply.text.starts_with("5.3.4 "), "{reply:?}");
    assert_eq!(client.say("NOOP").unwrap().code, 250);
}

#[test]
fn an_international_address_goes_where_it_can_and_is_told_where_it_cannot() {
    let world = World::new(51);
    let exchange = world.exchange();
    let able = world.mx(10, "able.example", Behaviour::default());
    let unable = world.mx(11, "unable.example", Behaviour { lacks: vec!["SMTPUTF8"], ..Behaviour::default() });
    let gateway = world.gateway(&Setup::default());
    let mut client = gateway.session();
    assert_eq!(client.say(&format!("MAIL FROM:<{DOCTOR}> SMTPUTF8 BODY=8BITMIME")).unwrap().code, 250);
    for to in ["j\u{f6}rg@able.example", "j\u{f6}rg@unable.example"] {
        assert_eq!(client.say(&format!("RCPT TO:<{to}>")).unwrap().code, 250, "{to}");
    }
    assert_eq!(client.say("DATA").unwrap().code, 354);
    client.raw("Subject: gr\u{fc}\u{df}e\r\n\r\ntext\r\n.\r\n".as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let got = able.wait_for(1).remove(0);
    assert_eq!(got.recipients, ["j\u{f6}rg@able.example"]);
    assert!(got.commands[0].contains("SMTPUTF8") && got.text().contains("UTF8SMTP"), "{got:?}");
    let told = exchange.wait_for(1).remove(0);
    assert!(told.text().contains("smtputf8-not-offered") && told.text().contains("utf-8; j\u{f6}rg@unable"));
    assert_eq!(unable.dots(), 0);
}
