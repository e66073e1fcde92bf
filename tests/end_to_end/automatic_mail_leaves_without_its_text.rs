//! Reports and automatic replies have nobody to bounce to: where they cannot be protected they are cut to their header
//! fields, and where even that may not leave they are refused and the duty is told.

use crate::lab::peers::Behaviour;
use crate::world::{self, DOCTOR, NUMBER, POLICY, SECRET, Setup, World, queued_as};

const REPLY: &str = "Auto-Submitted: auto-replied\r\n";

#[test]
fn what_cannot_be_protected_is_cut_and_what_may_not_leave_at_all_is_refused() {
    let world = World::new(121);
    let exchange = world.exchange();
    let patient = world.mx(10, "webmail.example", Behaviour::default());
    let policy = POLICY.replace("require = \"verified\"", "require = \"sealed\"").replace("\"hold\"", "\"reject\"")
        + "[rule.nothing-there]\ndirection = \"outbound\"\nwhen = { to = [\"closed.example\"] }\nrequire = \"sealed\"\notherwise = \"reject\"\n";
    let gateway = world.gateway(&Setup { policy: &policy, ..Setup::default() });
    let reply = format!("{REPLY}{}", world::clinical("away").replace("b@partner", "p@webmail"));

    let mut client = gateway.session();
    let kept = client.send("", &["p@webmail.example"], reply.as_bytes()).unwrap();
    assert_eq!(kept.code, 250, "{kept:?}");
    let got = patient.wait_for(1).remove(0);
    let text = got.text();
    assert!(text.contains(&format!("From: <{DOCTOR}>\r\n")) && text.contains("whose text was taken out"), "{text}");
    assert!(!text.contains(SECRET) && !text.contains(NUMBER) && !text.contains("away\r\n"), "{text}");
    let life = gateway.json(&["trace", &queued_as(&kept.text), "--json"]);
    assert_eq!(life[0]["decision"]["cut_from"], reply.len(), "{life:#}");
    assert!(!life[0]["decision"]["findings"].as_array().unwrap().is_empty(), "why it was cut is on record");
    gateway.wait_until_empty();

    let ordinary = format!("{REPLY}{}", world::ordinary("back on Monday"));
    assert_eq!(client.send("", &["p@webmail.example"], ordinary.as_bytes()).unwrap().code, 250);
    assert!(patient.wait_for(2)[1].text().contains("car park"), "what needs no protection goes as it is");

    let closed = client.send("", &["p@closed.example"], reply.as_bytes()).unwrap();
    assert!(closed.code == 550 && closed.text.contains("5.7.10"), "{closed:?}");
    let told = exchange.wait_for(1).remove(0);
    assert_eq!(told.recipients, ["duty@trust.example"]);

    let somebody = client.send(DOCTOR, &["p@webmail.example"], reply.as_bytes()).unwrap();
    assert_eq!(somebody.code, 550, "who can be told gets the refusal, and decides");
}
