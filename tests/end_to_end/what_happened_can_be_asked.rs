//! Metrics, health, `status`, `queue show` and `trace`, with the gateway running and stopped.

use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};

#[test]
fn a_life_is_found_by_id_message_id_sender_and_recipient_running_and_stopped() {
    let world = World::new(54);
    let tls = Tls::Shows(world.ca.good(&["mx.partner.example"]));
    let peer = world.mx(10, "partner.example", Behaviour { tls, ..Behaviour::default() });
    let mut gateway = world.gateway(&Setup::default());
    let id = gateway.send(&["b@partner.example"], &world::clinical("letter-54"));
    peer.wait_for(1);
    gateway.wait_until_empty();
    let asks = [id.as_str(), "<letter-54@trust.example>", DOCTOR, "b@partner.example"];
    let check = |gateway: &world::Gateway, asked: &str| {
        let lives = gateway.json(&["trace", asked, "--json"]);
        let life = lives.as_array().unwrap().iter().find(|l| l["id"] == id.as_str());
        let life = life.unwrap_or_else(|| panic!("{asked}: {lives}"));
        assert_eq!(life["reverse_path"], DOCTOR);
        assert_eq!(life["decision"]["findings"][0]["kind"], "nhs-number");
        assert_eq!(life["decision"]["findings"][0]["masked"], "943***5919");
        assert_eq!(life["decision"]["recipients"][0]["rules"][0]["name"], "clinical-verified");
        let ending = &life["endings"][0];
        assert_eq!((&ending["outcome"], &ending["proof"]), (&"delivered".into(), &"pkix".into()), "{life}");
        assert_eq!((&ending["host"], &ending["reached"]), (&"mx.partner.example".into(), &"verified".into()));
    };
    asks.iter().for_each(|asked| check(&gateway, asked));
    let unknown = gateway.cli(&["trace", "nobody@nowhere.example"]);
    assert_eq!(unknown.status.code(), Some(1));
    gateway.terminate();
    assert!(gateway.wait_for_end().success());
    asks.iter().for_each(|asked| check(&gateway, asked));
    let status = gateway.cli(&["status", "--json"]);
    assert_eq!(status.status.code(), Some(1), "a stopped gateway is not good");
    assert!(String::from_utf8_lossy(&status.stdout).contains("\"running\":false"));
}

#[test]
fn health_metrics_and_status_tell_what_is() {
    let world = World::new(55);
    let peer = world.mx(10, "partner.example", Behaviour::default());
    let gateway = world.gateway(&Setup::default());
    assert_eq!(gateway.get("/healthz").unwrap().0, 200);
    assert_eq!(gateway.get("/readyz").unwrap().0, 200);
    let delivered = "mailward_messages_total{direction=\"outbound\",outcome=\"delivered\"}";
    assert_eq!(gateway.metric(delivered), 0.0, "closed label sets start at 0");
    let session = gateway.session();
    until(|| (gateway.metric("mailward_sessions{listener=\"exchange\"}") == 1.0).then_some(())).unwrap();
    session.quit();
    let id = gateway.send(&["b@partner.example"], &world::clinical("letter"));
    gateway.waits_for("tls-not-offered");
    gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    peer.wait_for(1);
    until(|| (gateway.metric(delivered) == 1.0).then_some(())).unwrap();
    assert_eq!(gateway.metric("mailward_findings_total{kind=\"nhs-number\"}"), 1.0);
    assert_eq!(gateway.metric("mailward_class_messages_total{class=\"clinical\"}"), 1.0);
    assert_eq!(gateway.metric("mailward_queue_messages{state=\"deferred\"}"), 1.0);
    let verdict = "mailward_policy_verdicts_total{fate=\"send\",mode=\"enforce\",rule=\"clinical-verified\"}";
    assert_eq!(gateway.metric(verdict), 1.0);
    let status = gateway.json(&["status", "--json"]);
    assert_eq!(status["running"], true);
    assert_eq!(status["queue"], serde_json::json!({ "active": 0, "deferred": 1, "held": 0 }));
    let shown = gateway.json(&["queue", "show", &id, "--json"]);
    assert_eq!(shown["waiting"][0]["reason"], "tls-not-offered");
    assert_eq!(gateway.json(&["queue", "list", "--json", "--class", "clinical"]).as_array().unwrap().len(), 1);
    assert_eq!(gateway.json(&["queue", "list", "--json", "--reason", "expired"]).as_array().unwrap().len(), 0);
    assert!(!gateway.get("/metrics").unwrap().1.contains('@'), "never an address");
}

#[test]
fn every_metric_is_there_before_anything_happened() {
    let world = World::new(143);
    let watched = "[rule.watched]\ndirection = \"outbound\"\nwhen = { content = [\"clinical\"] }\nrequire = \"sealed\"\nmode = \"monitor\"\nuntil = 2099-12-31\n";
    let gateway = world.gateway(&Setup { policy: &format!("{}{watched}", world::POLICY), ..Setup::default() });
    let (_, page) = gateway.get("/metrics").unwrap();
    for row in mailward::metrics::TABLE {
        let is_of = |line: &str| {
            let rest = line.strip_prefix(row.name).map(|rest| rest.strip_prefix("_count").unwrap_or(rest));
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        assert!(page.lines().any(is_of), "{} is missing in\n{page}", row.name);
    }
    for listener in ["exchange", "internet"] {
        assert_eq!(gateway.metric(&format!("mailward_sessions{{listener=\"{listener}\"}}")), 0.0);
    }
}

/// A count and a line of the log for each thing that is refused though no rule asked for it.
#[test]
fn what_is_refused_at_the_door_is_counted_and_said() {
    let world = World::new(144);
    let more = "[limits]\nmax-message = \"100KB\"\nheader = \"64KB\"\nrecipients = 100\nsessions-per-client = 2";
    let gateway = world.gateway(&Setup { more, ..Setup::default() });
    let mut client = gateway.session();
    let mut refused = |message: &[u8], code: u16| {
        let reply = client.send(DOCTOR, &["b@partner.example"], message).unwrap();
        assert_eq!(reply.code, code, "{reply:?}");
    };
    let counted = |reason: &str| gateway.metric(&format!("mailward_refusals_total{{reason=\"{reason}\"}}"));
    refused(&[b"Subject: a\r\n\r\n".to_vec(), b"long line\r\n".repeat(20_000)].concat(), 552);
    refused(&[b"X-Long: a\r\n".repeat(6_500), b"\r\ntext\r\n".to_vec()].concat(), 552);
    assert_eq!(counted("message-too-large"), 2.0);
    refused(&[b"Received: from a by b; c\r\n".repeat(31), b"\r\ntext\r\n".to_vec()].concat(), 554);
    assert_eq!(counted("mail-loop"), 1.0);
    refused(b"Subject: secret-word\r\n\r\nbare\nline\r\n", 550);
    assert_eq!(counted("line-ending-refused"), 1.0);
    client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
    let codes: Vec<u16> =
        (0..101).map(|n| client.say(&format!("RCPT TO:<b{n}@partner.example>")).unwrap().code).collect();
    assert_eq!((codes[99], codes[100]), (250, 452));
    assert_eq!(counted("too-many-recipients"), 1.0);
    let second = gateway.session();
    assert!(gateway.greeting().starts_with("421"));
    assert_eq!(counted("too-many-sessions"), 1.0);
    drop(second);
    let log = gateway.log();
    let line = |reason: &str| log.lines().find(|l| l.contains("\"WARN\"") && l.contains(&format!("\"{reason}\"")));
    for reason in ["message-too-large", "mail-loop", "line-ending-refused", "too-many-recipients", "too-many-sessions"]
    {
        let line = line(reason).unwrap_or_else(|| panic!("no line for {reason}\n{log}"));
        assert!(line.contains("127.") && line.contains("code"), "{line}");
        assert!(!line.contains("partner.example") && !line.contains("secret-word"), "{line}");
    }
}
