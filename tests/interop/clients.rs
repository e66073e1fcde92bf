//! How each client is called: the same order in the words of every command line.

use crate::lab::ca::Leaf;
use crate::programme::bounded;
use crate::world::{DOCTOR, Gateway};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// How the client reaches the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Clear,
    Start,
    /// From the first octet (RFC 8314 3.3).
    Implicit,
}

/// One message to be handed over.
pub struct Order<'a> {
    pub server: SocketAddr,
    pub tls: Tls,
    pub roots: &'a Path,
    pub to: &'a [&'a str],
    pub message: &'a Path,
    /// Who hands it over, where that must be proved.
    pub login: Option<Login<'a>>,
}

/// What a user of the client types in, and the mechanism that the client is told to use.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    pub name: &'a str,
    pub password: &'a str,
    pub mechanism: &'a str,
}

/// What a client does when one of several recipients is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partial {
    /// Sends to the others.
    GoesOn,
    /// Sends to nobody and says so.
    GivesUp,
}

pub struct Client {
    pub name: &'static str,
    pub version: &'static [&'static str],
    pub hand_over: fn(&Order<'_>) -> Command,
    pub partial: Partial,
}

pub const SWAKS: Client =
    Client { name: "swaks", version: &["swaks", "--version"], hand_over: swaks, partial: Partial::GoesOn };
pub const CURL: Client =
    Client { name: "curl", version: &["curl", "--version"], hand_over: curl, partial: Partial::GivesUp };
pub const MSMTP: Client =
    Client { name: "msmtp", version: &["msmtp", "--version"], hand_over: msmtp, partial: Partial::GivesUp };
pub const SMTPLIB: Client =
    Client { name: "smtplib", version: &["python3", "--version"], hand_over: smtplib, partial: Partial::GoesOn };
pub const NET_SMTP: Client = Client {
    name: "Net::SMTP",
    version: &[
        "perl",
        "-MNet::SMTP",
        "-MIO::Socket::SSL",
        "-MAuthen::SASL",
        "-e",
        "print qq(Net::SMTP $Net::SMTP::VERSION, IO::Socket::SSL $IO::Socket::SSL::VERSION)",
    ],
    hand_over: net_smtp,
    partial: Partial::GoesOn,
};

/// Gives the gateway a certificate that clients can check.
pub fn show(gateway: &Gateway, leaf: &Leaf) {
    let (certificate, key) = leaf.write(gateway.folder.path(), "gateway");
    let path = gateway.folder.path().join("gateway.toml");
    let lines = format!("[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n", certificate.display(), key.display());
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replacen("[tls]\n", &lines, 1)).unwrap();
}

fn swaks(order: &Order<'_>) -> Command {
    let mut command = bounded("swaks");
    command.args(["--server", &order.server.ip().to_string(), "--port", &order.server.port().to_string()]);
    command.args(["--helo", "client.lab.example", "--from", DOCTOR, "--to", &order.to.join(",")]);
    // It ends every message with one more end of line.
    if let Some(login) = order.login {
        command.args(["--auth", login.mechanism, "--auth-user", login.name, "--auth-password", login.password]);
    }
    let message = std::fs::read_to_string(order.message).unwrap();
    command.args(["--data", "-"]).stdin(file_of(message.trim_end_matches("\r\n")));
    match order.tls {
        Tls::Clear => return command,
        Tls::Start => command.arg("--tls"),
        Tls::Implicit => command.arg("--tls-on-connect"),
    };
    command.args(["--tls-verify", "--tls-ca-path"]).arg(order.roots);
    command
}

fn curl(order: &Order<'_>) -> Command {
    let mut command = bounded("curl");
    command.args(["--silent", "--show-error", "--verbose", "--url"]);
    let scheme = if order.tls == Tls::Implicit { "smtps" } else { "smtp" };
    command.arg(format!("{scheme}://{}/client.lab.example", order.server));
    command.args(["--mail-from", DOCTOR]).args(order.to.iter().flat_map(|to| ["--mail-rcpt", to]));
    if let Some(login) = order.login {
        command.args(["--user", &format!("{}:{}", login.name, login.password)]);
        command.args(["--login-options", &format!("AUTH={}", login.mechanism)]);
    }
    command.arg("--upload-file").arg(order.message);
    if order.tls != Tls::Clear {
        command.args(["--ssl-reqd", "--cacert"]).arg(order.roots);
    }
    command
}

fn msmtp(order: &Order<'_>) -> Command {
    let mut command = bounded("msmtp");
    command.arg(format!("--host={}", order.server.ip())).arg(format!("--port={}", order.server.port()));
    command.args(["--domain=client.lab.example", &format!("--from={DOCTOR}")]);
    if let Some(login) = order.login {
        command.args([format!("--auth={}", login.mechanism.to_lowercase()), format!("--user={}", login.name)]);
        command.arg(format!("--passwordeval=echo {}", login.password));
    } else {
        command.arg("--auth=off");
    }
    command.args(match order.tls {
        Tls::Clear => ["--tls=off", "--tls-starttls=off"],
        Tls::Start => ["--tls=on", "--tls-starttls=on"],
        Tls::Implicit => ["--tls=on", "--tls-starttls=off"],
    });
    command.arg("--tls-certcheck=on").arg(format!("--tls-trust-file={}", order.roots.display()));
    command.arg("--").args(order.to).stdin(std::fs::File::open(order.message).unwrap());
    command
}

/// One of the scripts beside this file.
fn script(interpreter: &str, name: &str, order: &Order<'_>) -> Command {
    let mut command = bounded(interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name));
    command.arg(order.server.to_string()).arg(match order.tls {
        Tls::Clear => "clear",
        Tls::Start => "starttls",
        Tls::Implicit => "implicit",
    });
    command.arg(order.roots).arg(DOCTOR).arg(order.to.join(",")).arg(order.message);
    command.args(order.login.map(|login| format!("{}:{}", login.name, login.password)));
    command
}

fn smtplib(order: &Order<'_>) -> Command {
    script("python3", "send_with_smtplib.py", order)
}

fn net_smtp(order: &Order<'_>) -> Command {
    script("perl", "send_with_net_smtp.pl", order)
}

/// It writes its messages itself: the text comes from its standard input, a file goes along.
pub fn s_nail(order: &Order<'_>, subject: &str, text: &str) -> Command {
    let mut command = bounded("s-nail");
    let scheme = if order.tls == Tls::Implicit { "smtps" } else { "smtp" };
    let user = order.login.map_or(String::new(), |login| format!("{}:{}@", login.name, login.password));
    let mta = format!("mta={scheme}://{user}{}", order.server);
    let auth = format!("smtp-auth={}", order.login.map_or("none".to_owned(), |login| login.mechanism.to_lowercase()));
    let from = format!("from={DOCTOR}");
    let settings = ["v15-compat", &mta, &from, &auth, "hostname=client.lab.example", "sendwait", "mime-encoding=8bit"];
    command.args(["-:/", "-s", subject]).args(settings.iter().flat_map(|setting| ["-S", setting]));
    if order.tls == Tls::Start {
        command.args(["-S", "smtp-use-starttls"]);
    }
    command.args(["-S", "tls-verify=strict", "-S"]).arg(format!("tls-ca-file={}", order.roots.display()));
    command
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", order.roots.parent().unwrap())
        .arg("-a")
        .arg(order.message)
        .args(order.to)
        .stdin(file_of(text));
    command
}

fn file_of(text: &str) -> std::fs::File {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}
