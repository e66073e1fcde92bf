//! What is packed in an attachment is read as the text of a letter is, by processes of the gateway's that live as long as it does.

use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::world::{NUMBER, POLICY, Setup, World};
use std::io::Write as _;
use std::process::Command;

fn letter(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("letter.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    let letters = base64::engine::general_purpose::STANDARD.encode(zip.finish().unwrap().into_inner());
    format!(
        "From: doctor@trust.example\r\nSubject: papers\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; \
         name=papers.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{letters}\r\n"
    )
    .into_bytes()
}

/// The processes that a gateway has started.
fn workers(gateway: u32) -> Vec<u32> {
    let out = Command::new("pgrep").args(["-P", &gateway.to_string()]).output().unwrap().stdout;
    String::from_utf8_lossy(&out).split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[test]
fn a_number_in_a_zip_keeps_the_letter_from_the_open_internet() {
    let world = World::new(239);
    let _exchange = world.exchange();
    let shows_itself = Behaviour { tls: Tls::Shows(self_signed(&["mx.webmail.example"])), ..Behaviour::default() };
    let webmail = world.mx(10, "webmail.example", shows_itself);
    let gateway = world.gateway(&Setup { policy: POLICY, ..Setup::default() });
    let ready = until(|| Some(workers(gateway.process())).filter(|all| all.len() >= 2)).unwrap();

    let mut client = gateway.session();
    let clinical = letter(&format!("NHS number {NUMBER}, seen in clinic"));
    let kept = client.send("", &["p@webmail.example"], &clinical).unwrap();
    assert_eq!(kept.code, 250, "{kept:?}");
    let waits = until(|| gateway.queue().into_iter().find(|row| row["state"] == "held" || row["reason"].is_string()));
    assert!(waits.is_some(), "{:?}", gateway.queue());
    let ordinary = client.send("", &["p@webmail.example"], &letter("the rota for May")).unwrap();
    assert_eq!(ordinary.code, 250, "{ordinary:?}");
    assert_eq!(webmail.wait_for(1).len(), 1, "only the ordinary one went");

    // Readers that are ended are replaced, and nothing of the mail is lost or passed over meanwhile.
    for worker in &ready {
        Command::new("kill").args(["-9", &worker.to_string()]).status().unwrap();
    }
    let again = client.send("", &["p@webmail.example"], &clinical).unwrap();
    assert_eq!(again.code, 250, "{again:?}");
    let anew = until(|| {
        Some(workers(gateway.process())).filter(|all| all.len() >= 2 && all.iter().all(|w| !ready.contains(w)))
    });
    assert!(anew.is_some());
    assert_eq!(gateway.queue().len(), 2, "another one has read it: {}", gateway.log());
    assert_eq!(webmail.received().len(), 1);
}
