//! The transcripts of the server once more, against a running gateway: over TCP and, where they say so, inside TLS.
//!
//! So do those in tests/sessions/gateway, which are about verdicts of the gateway's own; their first line, `= at …`, says
//! where a stranger connects to. What the transcripts call `= message` and `= body` is what arrives at the site's Exchange. Those that set a verdict or a
//! limit that no gateway.toml can set are for the session alone; how many ran is printed.

use super::transcript::{agrees, fed};
use super::{escape, transcripts};
use crate::lab::peers::{Behaviour, Peer, Received, Tls};
use crate::lab::stream::Stream;
use crate::world::{EXCHANGE, Gateway, OWN, Setup, World, connect_from, without_received};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Refuses one sender in clear text.
const POLICY: &str = r#"
[class.clinical]
threshold = 10
[class.clinical.score]
nhs-number = 10

[rule.clinical-is-verified]
direction = "outbound"
when = { content = ["clinical"] }
require = "verified"
otherwise = "reject"

[rule.nhsmail-arrives-encrypted]
direction = "inbound"
when = { from = ["nhs.net"] }
require = "encrypted"
"#;

/// Who is in nobody's network.
const STRANGER: u8 = 66;

/// The gateways that the transcripts need, all before one Exchange.
struct Wired {
    world: World,
    exchange: Peer,
    plain: Doors,
    /// The same, where `kingston` can log in with `secret`.
    with_logins: Doors,
    /// The same, where the site's server keeps REQUIRETLS.
    with_require_tls: Doors,
}

struct Doors {
    gateway: Gateway,
    off: SocketAddr,
    required: SocketAddr,
    /// For anyone, inside TLS only.
    anyone_with_tls: SocketAddr,
    implicit: SocketAddr,
}

impl Wired {
    fn start() -> Wired {
        let world = World::new(100);
        let (name, offers) = ("exchange.d.example", vec!["DSN", "SMTPUTF8", "8BITMIME", "REQUIRETLS"]);
        let tls = Tls::Shows(world.ca.good(&[name]));
        let exchange = world.peer(EXCHANGE, name, Behaviour { tls, offers, ..Behaviour::default() });
        let plain = Doors::open(&world, "");
        let with_logins = Doors::open(&world, "logins = \"kingston\"\n");
        let with_require_tls = Doors::open(&world, &format!("requiretls = true\nnames = [\"{name}\"]\n"));
        Wired { world, exchange, plain, with_logins, with_require_tls }
    }
}

impl Doors {
    fn open(world: &World, site: &str) -> Doors {
        let [off, required, anyone_with_tls, implicit] = [(); 4].map(|()| world.free(1));
        let more = format!(
            "[limits]\nmax-message = \"1KB\"\nrecipients = 100\nline = 1024\n\
             [listen.off]\naddress = \"{off}\"\nmail-from = \"anyone\"\ntls = \"off\"\n\
             [listen.required]\naddress = \"{required}\"\nmail-from = \"sites\"\ntls = \"require\"\n\
             [listen.with-tls]\naddress = \"{anyone_with_tls}\"\nmail-from = \"anyone\"\ntls = \"require\"\n\
             [listen.implicit]\naddress = \"{implicit}\"\nmail-from = \"anyone\"\ntls = \"implicit\"\n"
        );
        let site = format!("require = \"any\"\nsenders = \"any\"\n{site}");
        let gateway = world.prepared(&Setup { policy: POLICY, site: &site, more: &more, ..Setup::default() });
        let folder = gateway.folder.path();
        let config = fs::read_to_string(folder.join("gateway.toml")).expect("the world wrote it");
        let config = config.replace("gw.trust.example", "gw.example").replace(
            "domains = [\"trust.example\"]",
            "domains = [\"d.example\", \"e.example\", \"f.example\", \"h.example\"]",
        );
        fs::write(folder.join("gateway.toml"), config).expect("the folder is ours");
        let entry = mailward::receive::logins::entry("kingston", "secret").expect("a name and a password");
        fs::write(folder.join("kingston"), entry).expect("the folder is ours");
        fs::set_permissions(folder.join("kingston"), fs::Permissions::from_mode(0o600)).expect("the file is ours");
        Doors { gateway: gateway.started(), off, required, anyone_with_tls, implicit }
    }
}

/// How the octets of a block are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writes {
    Whole,
    Octets,
}

/// Where a transcript's session begins, as its first lines say.
struct Begin {
    from: u8,
    to: SocketAddr,
    implicit: bool,
}

/// None for what only the session itself can be told.
fn begin(text: &str, wired: &Wired) -> Option<Begin> {
    let events: BTreeSet<&str> = text.lines().filter_map(|l| l.strip_prefix("= ")?.split(' ').next()).collect();
    if ["answer", "max-recipients", "max-errors", "max-commands"].iter().any(|e| events.contains(e)) {
        return None;
    }
    if let Some(at) = text.lines().find_map(|line| line.strip_prefix("= at ")) {
        return Some(named(at, wired));
    }
    let doors = match () {
        () if events.contains("auth") => &wired.with_logins,
        () if events.contains("requiretls") => &wired.with_require_tls,
        () => &wired.plain,
    };
    let implicit = events.contains("implicit-tls");
    let (from, to) = if events.contains("starttls-required") {
        (OWN, doors.required)
    } else if events.contains("starttls-not-offered") {
        (STRANGER, doors.off)
    } else if implicit {
        (STRANGER, doors.implicit)
    } else if events.contains("normalise-line-endings") {
        (OWN, doors.gateway.internet)
    } else {
        (STRANGER, doors.gateway.internet)
    };
    Some(Begin { from, to, implicit })
}

fn named(at: &str, wired: &Wired) -> Begin {
    let doors = &wired.plain;
    let to = match at {
        "internet" => doors.gateway.internet,
        "sites" => doors.gateway.door,
        "anyone-with-tls" => doors.anyone_with_tls,
        "logins" => wired.with_logins.implicit,
        other => panic!("no listener is called {other}"),
    };
    Begin { from: STRANGER, to, implicit: at == "logins" }
}

/// One transcript against the gateway; the messages that must have arrived then.
fn play(text: &str, begin: &Begin, wired: &Wired, writes: Writes) -> Result<Vec<Expected>, String> {
    let mut stream = Stream::new(connect_from(wired.world.ip(begin.from), begin.to));
    if begin.implicit {
        stream = stream.start_tls().map_err(|e| e.to_string())?;
    }
    let (mut block, mut messages) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
        let fail = |what: String| format!("line {}: {what}", number + 1);
        if let Some(octets) = fed(line, 'C') {
            block.extend(octets);
            continue;
        }
        write(&mut stream, &std::mem::take(&mut block), writes).map_err(|e| fail(e.to_string()))?;
        match line.strip_prefix("= ") {
            Some("starttls") => stream = stream.start_tls().map_err(|e| fail(e.to_string()))?,
            Some(event) => note(event, &mut messages),
            None => hear(&mut stream, line).map_err(fail)?,
        }
    }
    write(&mut stream, &block, writes).map_err(|e| e.to_string())?;
    match stream.rest() {
        rest if rest.is_empty() => Ok(messages),
        rest => Err(format!("at the end, not expected: {}", escape(&rest))),
    }
}

fn write(stream: &mut Stream, block: &[u8], writes: Writes) -> io::Result<()> {
    match writes {
        Writes::Whole => stream.write(block),
        Writes::Octets => block.iter().try_for_each(|octet| stream.write(&[*octet])),
    }
}

fn hear(stream: &mut Stream, expected: &str) -> Result<(), String> {
    let said = stream.line().map_err(|e| format!("expected {expected}\n          got {e}"))?;
    let kept = expected == "S: 250 2.0.0 queued" && said.starts_with("250 2.0.0 ") && said.contains("queued as ");
    if kept || agrees(expected, &format!("S: {said}")) {
        return Ok(());
    }
    Err(format!("expected {expected}\n          got S: {said}"))
}

/// A message as a transcript describes it.
#[derive(Debug, Default)]
struct Expected {
    from: String,
    to: BTreeSet<String>,
    body: String,
}

fn note(event: &str, messages: &mut Vec<Expected>) {
    if let Some(envelope) = event.strip_prefix("message ") {
        // Parameters stand between; a `>` in a path is quoted.
        let mut paths = envelope.split(" <").map(path);
        let from = paths.next().unwrap_or_default();
        // The gateway sends its own postmaster's mail to the site's.
        let to = paths.map(|to| to.replace("postMASTER@gw.example", "postmaster@d.example"));
        let to = to.map(|to| to.replace("postmaster@gw.example", "postmaster@d.example")).collect();
        messages.push(Expected { from, to, body: String::new() });
    } else if let (Some(body), Some(last)) = (event.strip_prefix("body "), messages.last_mut()) {
        body.clone_into(&mut last.body);
    }
}

fn path(text: &str) -> String {
    let inner = text.split_once('<').map_or(text, |(_, inner)| inner);
    inner.rsplit_once('>').map_or(inner, |(path, _)| path).to_owned()
}

fn arrived_as(expected: &Expected, arrived: &Received) -> Result<(), String> {
    let mut paths = arrived.commands.iter().map(|command| path(command));
    let (from, to) = (paths.next().unwrap_or_default(), paths.collect::<BTreeSet<String>>());
    let body = escape(&without_received(&arrived.message));
    if (&from, &to, &body) == (&expected.from, &expected.to, &expected.body) {
        return Ok(());
    }
    Err(format!("expected {expected:?}\n          arrived from {from} to {to:?}: {body}"))
}

/// Both ways for what the peer of a socket can tell apart; once the session may end in between, one write only.
fn ways(text: &str) -> &'static [Writes] {
    let ends = text.lines().any(|line| line == "= closed" || line == "= starttls");
    if ends { &[Writes::Whole] } else { &[Writes::Whole, Writes::Octets] }
}

fn run(file: &Path, wired: &Wired, sent: &mut usize) -> Result<usize, String> {
    let text = fs::read_to_string(file).expect("a transcript can be read");
    let Some(begin) = begin(&text, wired) else { return Ok(0) };
    for writes in ways(&text) {
        let messages = play(&text, &begin, wired, *writes).map_err(|what| format!("({writes:?}): {what}"))?;
        *sent += messages.len();
        let arrived = wired.exchange.wait_for(*sent);
        let mut unmatched: Vec<&Received> = arrived[arrived.len() - messages.len()..].iter().collect();
        for expected in &messages {
            let found = unmatched.iter().position(|a| arrived_as(expected, a).is_ok());
            let Some(at) = found else {
                let why = unmatched.first().map(|a| arrived_as(expected, a).unwrap_err());
                return Err(format!("({writes:?}): {why:?}"));
            };
            unmatched.remove(at);
        }
    }
    Ok(1)
}

#[test]
fn the_running_gateway_keeps_to_the_transcripts_of_the_server() {
    let wired = Wired::start();
    let (mut played, mut sent, mut failures) = (0, 0, Vec::new());
    let files = [transcripts("server"), transcripts("gateway")].concat();
    for file in &files {
        match run(file, &wired, &mut sent) {
            Ok(one) => played += one,
            Err(what) => failures.push(format!("{} {what}", file.display())),
        }
    }
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), files.len(), failures.join("\n"));
    wired.plain.gateway.wait_until_empty();
    wired.with_logins.gateway.wait_until_empty();
    wired.with_require_tls.gateway.wait_until_empty();
    assert_eq!(wired.exchange.received().len(), sent, "one message in is one message out");
    println!("{played} of {} transcripts played over sockets, {sent} messages", files.len());
    assert!(played >= 100, "only {played} transcripts were played");
}
