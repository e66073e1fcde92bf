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
