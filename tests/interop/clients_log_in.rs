//! AUTH as clients speak it: who logs in sends as the site from any address, and who cannot is told so by the client.

use crate::clients::{CURL, Client, Login, MSMTP, NET_SMTP, Order, SMTPLIB, SWAKS, Tls, s_nail, show};
use crate::lab::ca::self_signed;
use crate::lab::peers::{Behaviour, Tls as Offers};
use crate::letter::{self, TO, arrival, assert_same, has};
use crate::programme::{Said, run, version};
use crate::world::{Gateway, Setup, World};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

const GOOD: Login<'_> = Login { name: "scanner", password: "correct-horse-battery", mechanism: "PLAIN" };

/// What `mailward login-entry` makes of the password.
fn entry(login: Login<'_>) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailward"));
    let mut child =
        command.args(["login-entry", login.name]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(login.password.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// A gateway to which this machine's clients are strangers, unless they log in.
fn gateway(world: &World) -> Gateway {
    let gateway = world.prepared(&Setup { site: "require = \"any\"\nlogins = \"trust.logins\"", ..Setup::default() });
    let (logins, config) = (gateway.folder.path().join("trust.logins"), gateway.folder.path().join("gateway.toml"));
    std::fs::write(&logins, entry(GOOD)).unwrap();
    std::fs::set_permissions(&logins, std::fs::Permissions::from_mode(0o600)).unwrap();
    let lines = std::fs::read_to_string(&config).unwrap();
    let strangers = lines.replacen("networks = [\"127.0.0.1\", ", "networks = [", 1);
    assert_ne!(lines, strangers);
    std::fs::write(&config, strangers).unwrap();
    show(&gateway, &world.ca.good(&[&world.ip(1).to_string(), "gw.trust.example"]));
    gateway.started()
}

fn hand_over(gateway: &Gateway, client: &Client, login: Option<Login<'_>>, message: &[u8]) -> Said {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), message).unwrap();
    let roots = gateway.folder.path().join("lab-ca.pem");
    let (server, tls, to) = (gateway.internet, Tls::Start, &[TO][..]);
    run(&mut (client.hand_over)(&Order { server, tls, roots: &roots, to, message: file.path(), login }))
}

#[test]
fn clients_log_in() {
    let world = World::new(135);
    let tls = Offers::Shows(self_signed(&["mx.partner.example"]));
    let sink = world.mx(12, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let gateway = gateway(&world);
    let wrong = Some(Login { password: "guess", ..GOOD });
    for (client, mechanisms) in [
        (SWAKS, &["PLAIN", "LOGIN"][..]),
        (CURL, &["PLAIN", "LOGIN"]),
        (MSMTP, &["PLAIN", "LOGIN"]),
        // These choose for themselves.
        (SMTPLIB, &["PLAIN"]),
        (NET_SMTP, &["PLAIN"]),
    ] {
        if version("clients_log_in", client.name, client.version).is_none() {
            continue;
        }
        for &mechanism in mechanisms {
            let subject = format!("{} {mechanism}", client.name);
            let message = letter::nasty(&subject);
            let said = hand_over(&gateway, &client, Some(Login { mechanism, ..GOOD }), &message);
            assert!(said.success, "{subject}: {}\n{}", said.text, gateway.log());
            let arrived = arrival(&sink, &subject);
            assert!(has(&arrived.message, "with ESMTPSA\r\n"), "{subject}: {}", arrived.text());
            assert_same(&arrived.message, &message);
        }
        for (login, words) in [(None, "550"), (wrong, "535")] {
            let said = hand_over(&gateway, &client, login, &letter::ordinary("refused"));
            assert!(!said.success && said.text.contains(words), "{}: {said:?}", client.name);
        }
    }
    assert!(!sink.received().iter().any(|m| has(&m.message, "Subject: refused")));
}

#[test]
fn s_nail_logs_in() {
    if version("s_nail_logs_in", "s-nail", &["s-nail", "--version"]).is_none() {
        return;
    }
    let world = World::new(135);
    let tls = Offers::Shows(self_signed(&["mx.partner.example"]));
    let sink = world.mx(13, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let gateway = gateway(&world);
    let file = tempfile::NamedTempFile::new().unwrap();
    let roots = gateway.folder.path().join("lab-ca.pem");
    let (server, tls, to) = (gateway.internet, Tls::Start, &[TO][..]);
    let order = |login| Order { server, tls, roots: &roots, to, message: file.path(), login: Some(login) };
    for mechanism in ["PLAIN", "LOGIN"] {
        let said = run(&mut s_nail(&order(Login { mechanism, ..GOOD }), mechanism, "hello\n"));
        assert!(said.success, "{}\n{}", said.text, gateway.log());
        assert!(has(&arrival(&sink, mechanism).message, "with ESMTPSA\r\n"));
    }
    let said = run(&mut s_nail(&order(Login { password: "guess", ..GOOD }), "refused", "hello\n"));
    assert!(!said.success && said.text.contains("535"), "{said:?}");
}
