use super::*;
use crate::deliver::Patience;
use crate::deliver::link::clear_link;
use crate::deliver::outgoing::Outgoing;
use crate::mail::{Body, Recipient, ReversePath};
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A peer of one session that refuses MAIL, and what it was told.
async fn peer() -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = tokio::spawn(async move {
        let (read, mut write) = listener.accept().await.unwrap().0.into_split();
        write.write_all(b"220 peer\r\n").await.unwrap();
        let (mut lines, mut told) = (BufReader::new(read).lines(), Vec::new());
        while let Ok(Some(line)) = lines.next_line().await {
            let reply: &[u8] = if line.starts_with("EHLO") { b"250 peer\r\n" } else { b"550 5.7.1 no\r\n" };
            let _ = write.write_all(reply).await;
            told.push(line);
        }
        told
    });
    (address, told)
}

async fn link() -> (OpenLink, JoinHandle<Vec<String>>) {
    let (address, told) = peer().await;
    let (connection, _) = Connection::open(address, "gw.example", Patience::default()).await.unwrap();
    (OpenLink::new(connection, clear_link("peer", address, Reason::TlsNotOffered), None), told)
}

/// Sends a message by `permit`; the reason why it was not taken, and the commands of it that the peer heard.
async fn sent(link: OpenLink, permit: Permit, told: JoinHandle<Vec<String>>) -> (Reason, Vec<String>) {
    let envelope = Envelope {
        reverse_path: ReversePath::Null,
        recipients: vec![Recipient::new("a@peer.example".parse().unwrap())],
        body: Body::default(),
        smtputf8: false,
        ret: None,
        envid: None,
        require_tls: false,
    };
    let message = Message { received: "", body: Outgoing::Memory("a: b\r\n\r\n".into()), size: 8 };
    let (sent, _) = link.send(permit, &envelope, message).await;
    let reason = sent.outcomes[0].result.as_ref().unwrap_err().reason;
    drop(sent);
    (reason, told.await.unwrap().into_iter().filter(|line| line.starts_with("MAIL")).collect())
}

#[tokio::test]
async fn by_its_permit_a_transaction_is_sent() {
    let (mut link, told) = link().await;
    let permit = link.permit(Level::Any.into(), &[]).unwrap();
    let (reason, said) = sent(link, permit, told).await;
    assert_ne!(reason, Reason::ProtocolError);
    assert_eq!(said.len(), 1);
}

#[tokio::test]
async fn by_the_permit_of_another_link_nothing_is_sent() {
    let ((mut one, _), (mut other, told)) = (link().await, link().await);
    let permit = one.permit(Level::Any.into(), &[]).unwrap();
    assert!(other.permit(Level::Any.into(), &[]).is_ok());
    assert_eq!(sent(other, permit, told).await, (Reason::ProtocolError, vec![]));
}

#[tokio::test]
async fn by_the_permit_of_an_earlier_transaction_nothing_is_sent() {
    let (mut link, told) = link().await;
    let earlier = link.permit(Level::Any.into(), &[]).unwrap();
    assert!(link.permit(Level::Any.into(), &[]).is_ok());
    assert_eq!(sent(link, earlier, told).await, (Reason::ProtocolError, vec![]));
}

#[tokio::test]
async fn a_link_ends_with_the_exception_that_it_has_to_thank_and_is_not_used_for_ever() {
    let (mut link, _) = link().await;
    assert!(!link.is_spent());
    link.record.until = Some(Now::read().wall.plus(Duration::from_secs(60)));
    assert!(!link.is_spent());
    link.record.until = Some(Now::read().wall);
    assert!(link.is_spent());
    link.record.until = None;
    link.record.renewal = Instant::now();
    assert!(link.is_spent());
}

#[tokio::test]
async fn there_is_no_permit_for_require_tls_on_a_link_in_clear_whatever_evidence_it_has() {
    let asked = Asked { level: Level::Any, require_tls: true };
    let (mut link, _) = link().await;
    assert_eq!(link.permit(asked, &[]).unwrap_err(), Reason::TlsNotOffered);
    let failed = crate::policy::FailedTls::of("peer", Reason::TlsStalled, Reason::TlsStalled).unwrap();
    let evidence = TlsFailedEverywhere::of(&["peer"], vec![failed]).unwrap();
    let mut link = link.unprotected(Unprotected { evidence, until: Instant::now() + AGE });
    let any = Requirement { level: Level::Any, ..Requirement::unreadable() };
    assert!(link.permit(Level::Any.into(), std::slice::from_ref(&any)).is_ok());
    assert!(link.permit(asked, &[any]).is_err());
}
