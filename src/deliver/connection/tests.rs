use super::*;
use crate::deliver::link::clear_link;
use crate::deliver::outgoing::Outgoing;
use crate::mail::{Body, Recipient, ReversePath};
use crate::policy;
use crate::vocabulary::Level;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Never faster than so.
fn slowly(pace: Duration) -> Interval {
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// One session of a peer that offers nothing: `slow` says which commands it answers after `pace`, and `crumbs` that it
/// answers EHLO an octet at a time. In the end it takes everything.
struct Peer {
    pace: Duration,
    slow: &'static str,
    crumbs: bool,
}

impl Peer {
    async fn start(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { self.run(listener.accept().await.unwrap().0).await });
        address
    }

    async fn run(self, stream: TcpStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut ticks = slowly(self.pace);
        write.write_all(b"220 slow\r\n").await?;
        let mut in_message = false;
        while let Some(line) = lines.next_line().await? {
            if in_message && line != "." {
                continue;
            }
            in_message = line == "DATA";
            let reply = if in_message { "354 go\r\n" } else { "250 ok\r\n" };
            if self.crumbs {
                for octet in format!("250-{}\r\n{reply}", "a".repeat(100)).bytes() {
                    ticks.tick().await;
                    write.write_all(&[octet]).await?;
                }
            } else {
                if line.starts_with(self.slow) {
                    ticks.tick().await;
                }
                write.write_all(reply.as_bytes()).await?;
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_reply_has_its_time_however_it_trickles() {
    let peer = Peer { pace: Duration::from_millis(20), slow: "EHLO", crumbs: true };
    let patience = Patience { greeting: Duration::from_millis(300), ..Patience::default() };
    let opened = Connection::open(peer.start().await, "gw.example", patience).await;
    assert_eq!(opened.map(|_| ()).map_err(|broken| broken.reason), Err(Reason::ConnectionTimedOut));
}

fn envelope(recipients: usize) -> Envelope {
    let recipient = |n| Recipient::new(format!("r{n}@slow.example").parse().unwrap());
    Envelope {
        reverse_path: ReversePath::Null,
        recipients: (0..recipients).map(recipient).collect(),
        body: Body::default(),
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: false,
    }
}

/// What a message to 40 recipients comes to, at a peer that takes 20 ms at each of the commands `slow`.
async fn outcomes(slow: &'static str, patience: Patience) -> Vec<Outcome> {
    let peer = Peer { pace: Duration::from_millis(20), slow, crumbs: false }.start().await;
    let (connection, _) = Connection::open(peer, "gw.example", patience).await.unwrap();
    let permit = policy::grant(&clear_link("slow", peer, Reason::TlsNotOffered), Level::Any, 1).unwrap();
    let body = Outgoing::Memory("Subject: x\r\n\r\ntext\r\n".into());
    let message = Message { received: "", body, size: 20 };
    connection.send(permit, &envelope(40), message).await.outcomes
}

#[tokio::test]
async fn a_transaction_has_its_time_however_many_replies_are_in_time() {
    let patience = Patience { replies: Duration::from_millis(300), ..Patience::default() };
    let outcomes = outcomes("RCPT", patience).await;
    let timed_out = |o: &Outcome| o.result.as_ref().is_err_and(|r| r.reason == Reason::ConnectionTimedOut);
    assert_eq!((outcomes.len(), outcomes.iter().all(timed_out)), (40, true), "{outcomes:?}");
}

#[tokio::test]
async fn each_reply_of_many_has_its_own_time() {
    let patience = Patience { reply: Duration::from_millis(600), ..Patience::default() };
    let outcomes = outcomes("RCPT", patience).await;
    assert!(outcomes.iter().all(|o| o.result.is_ok()), "{outcomes:?}");
}
