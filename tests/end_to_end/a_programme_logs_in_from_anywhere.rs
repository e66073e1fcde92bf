//! AUTH: who knows a site's password is its client from any address, inside TLS only, and nobody learns more by asking.

use crate::lab::client::{Client, Reply};
use crate::lab::peers::Behaviour;
use crate::world::{DOCTOR, Gateway, Setup, World, without_received};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

const PASSWORD: &str = "correct-horse-battery";

/// What `mailward login-entry` makes of a password on its standard input.
fn entry(name: &str, password: &str) -> String {
    use std::io::Write;
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailward"));
    let mut child = command.args(["login-entry", name]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn prepared(world: &World, logins: &str, mode: u32) -> Gateway {
    let site = "require = \"any\"\nlogins = \"trust.logins\"";
    let gateway = world.prepared(&Setup { site, ..Setup::default() });
    let file = gateway.folder.path().join("trust.logins");
    fs::write(&file, logins).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    gateway
}

fn plain(client: &mut Client, name: &str, password: &str) -> Reply {
    client.say(&format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{name}\0{password}")))).unwrap()
}

#[test]
fn who_knows_a_sites_password_is_its_client() {
    let world = World::new(104);
    let partner = world.mx(10, "partner.example", Behaviour::default());
    for (logins, mode, complaint) in [
        (entry("scanner", PASSWORD), 0o644, "everybody on this machine can read or write the logins in"),
        (
            "# ours\nscanner:correct-horse-battery\n".to_owned(),
            0o600,
            "trust.logins:2: what follows the name is no hash",
        ),
    ] {
        let output = prepared(&world, &logins, mode).refused();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(complaint) && said.contains("hint: "), "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let gateway = prepared(&world, &entry("scanner", PASSWORD), 0o640).started();

    let mut client = gateway.stranger(world.ip(66), gateway.internet);
    assert!(!client.ehlo.text.contains("AUTH"), "{}", client.ehlo.text);
    let reply = plain(&mut client, "scanner", PASSWORD);
    assert!(reply.code == 538 && reply.text.starts_with("5.7.11 "), "{reply:?}");
    let mut client = client.start_tls().unwrap();
    assert!(client.ehlo.text.contains("AUTH PLAIN LOGIN"), "{}", client.ehlo.text);
    assert!(!client.ehlo.text.contains("REQUIRETLS"), "still a stranger, and no site keeps it");
    client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    assert_eq!(client.say("RCPT TO:<b@partner.example>").unwrap().code, 550, "still a stranger");
    client.say("RSET").unwrap();
    let (unknown, wrong) = (plain(&mut client, "ghost", PASSWORD), plain(&mut client, "scanner", "guess"));
    assert!(unknown == wrong && wrong.code == 535 && wrong.text.starts_with("5.7.8 "), "{unknown:?} {wrong:?}");
    assert_eq!(plain(&mut client, "scanner", PASSWORD).code, 235);
    let after = client.say("EHLO scanner.example").unwrap().text;
    assert!(!after.contains("AUTH") && after.contains("REQUIRETLS"), "{after}");
    let reply = client.say("MAIL FROM:<ceo@elsewhere.example>").unwrap();
    assert_eq!(reply.code, 550, "as its site only: {reply:?}");
    let replies = client.send_in_chunks(DOCTOR, "b@partner.example", &[b"Subject: scan\n\n", b"text\n"]).unwrap();
    assert!(replies.iter().all(|reply| reply.code == 250), "its line endings are mended: {replies:?}");
    let arrived = partner.wait_for(1).remove(0);
    assert!(arrived.text().contains(" with ESMTPSA\r\n"), "{}", arrived.text());
    assert_eq!(without_received(&arrived.message), b"Subject: scan\r\n\r\ntext\r\n");

    assert_eq!(gateway.metric("mailward_logins_refused_total{reason=\"wrong\"}"), 2.0);
    let log = gateway.log();
    assert!(log.contains("logged in") && log.contains("login refused"), "{log}");
    assert!(!log.contains(PASSWORD) && !log.contains("scanner") && !log.contains("ghost"), "{log}");

    who_guesses_is_put_off_unread(&world, &gateway);
}

fn who_guesses_is_put_off_unread(world: &World, gateway: &Gateway) {
    let from = |host| gateway.stranger(world.ip(host), gateway.internet).start_tls().unwrap();
    let guesses: Vec<u16> = (0..5)
        .flat_map(|_| {
            let mut client = from(70);
            [(); 3].map(|()| plain(&mut client, "scanner", "guess").code)
        })
        .take(11)
        .collect();
    assert_eq!(guesses, [535, 535, 421, 535, 535, 421, 535, 535, 421, 535, 454]);
    assert_eq!(plain(&mut from(70), "scanner", PASSWORD).code, 454);
    assert_eq!(plain(&mut from(71), "scanner", PASSWORD).code, 235);
}
