//! SMTP smuggling: an end of data with a bare CR or LF ends nothing and is refused; the sink sees one message per message.

use crate::lab::peers::Behaviour;
use crate::world::{DOCTOR, Setup, World, without_received};

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
