//! What a site's Exchange sends to its archive is judged by gateway.toml's `journal` alone: no rule, no refusal, no change, no bounce; it
//! is held with an alarm of its own until it can leave.

use crate::lab::peers::{Answer, Behaviour, Then, Tls};
use crate::lab::until;
use crate::world::{self, DOCTOR, NUMBER, POLICY, SECRET, Setup, World, queued_as, without_received};
use std::fs;

const SITE: &str = "require = \"any\"\njournal = { to = [\"journal@archive.example\"] }";

/// Nothing may go to the archive, nor anything clinical anywhere, if rules are asked.
fn policy() -> String {
    POLICY.replace("require = \"verified\"", "require = \"sealed\"").replace("\"hold\"", "\"reject\"")
        + "[group.archive]\ndomains = [\"archive.example\"]\nmx = [\"*.archive.example\"]\n\
           [rule.nothing-archived]\ndirection = \"outbound\"\nwhen = { to = [\"archive.example\"] }\nrefuse = \"No\"\n"
}

fn report() -> String {
    format!("X-MS-Journal-Report:\r\n{}", world::clinical("report"))
}

#[test]
fn it_waits_for_its_archive_and_leaves_as_it_came() {
    let world = World::new(203);
    let exchange = world.exchange();
    let good = Tls::Shows(world.ca.good(&["mx.archive.example"]));
    let no = Answer::new("RCPT", "550 5.1.1 No such archive\r\n", Then::Close);
    let closed = Behaviour { tls: good.clone(), answers: vec![no], ..Behaviour::default() };
    let archive = world.mx(10, "archive.example", closed);
    let patient = world.mx(11, "webmail.example", Behaviour::default());
    let policy = policy();
    let more = "[queue]\nretry = [\"1s\"]\nexpire = \"1s\"";
    let gateway = world.gateway(&Setup { policy: &policy, site: SITE, more, ..Setup::default() });

    let mut client = gateway.session();
    let kept = client.send("", &["journal@archive.example", "p@webmail.example"], report().as_bytes()).unwrap();
    assert_eq!(kept.code, 250, "{kept:?}");
    let id = queued_as(&kept.text);
    // Its archive says no, for good: it is held all the same, and the duty hears of it. So it does of the other recipient.
    let row = gateway.waits_for("recipient-refused");
    assert_eq!((row["state"].as_str(), row["journal"].as_bool()), (Some("held"), Some(true)), "{row}");
    assert_eq!(row["recipients"].as_array().unwrap().len(), 1);
    let told = exchange.wait_for(2);
    assert!(told.iter().all(|t| t.recipients == ["duty@trust.example"]), "{told:?}");
    assert!(told.iter().any(|t| t.text().contains("held, because")), "{}", told[1].text());
    assert!(told.iter().all(|t| !t.text().contains(SECRET) && !t.text().contains(NUMBER)));
    assert_eq!(gateway.metric("mailward_journal_held_total"), 1.0);
    assert!(gateway.log().contains("a journal report is held"));
    let listed = String::from_utf8(gateway.cli(&["queue", "list", "--rule", "journal"]).stdout).unwrap();
    assert!(listed.contains("journal report"), "{listed}");

    // Taken out of gateway.toml, it stays what it was; and past every time of the queue.
    let text = fs::read_to_string(gateway.config()).unwrap();
    fs::write(gateway.config(), text.replace(SITE, "require = \"any\"")).unwrap();
    assert!(gateway.cli(&["reload"]).status.success());
    until(|| gateway.queue().into_iter().find(|row| row["age_seconds"].as_u64() > Some(3))).unwrap();
    let shows_itself =
        Behaviour { tls: Tls::Shows(crate::lab::ca::self_signed(&["mx.archive.example"])), ..Behaviour::default() };
    archive.becomes(shows_itself);
    // It has proved itself before.
    gateway.waits_for("stripping-suspected");
    assert_eq!(archive.dots(), 0, "what was asked when it came still holds");
    archive.becomes(Behaviour { tls: good, ..Behaviour::default() });
    let got = archive.wait_for(1).remove(0);
    assert_eq!(without_received(&got.message), report().as_bytes());
    assert!(got.tls);
    gateway.wait_until_empty();
    assert_eq!((exchange.dots(), patient.dots()), (2, 0), "told once, and no report of the end");
    assert!(gateway.json(&["trace", &id, "--json"])[0]["decision"]["cut_from"].is_null());
    assert_eq!(world.wire.sightings(&[SECRET]), []);
}

#[test]
fn only_the_envelope_of_the_sites_client_makes_it_one() {
    let world = World::new(204);
    let policy = policy();
    let gateway = world.gateway(&Setup { policy: &policy, site: SITE, ..Setup::default() });
    let mut client = gateway.session();
    // A header is a claim, and a mailbox beside the journal's is none of it.
    for to in ["p@webmail.example", "other@archive.example"] {
        let refused = client.send(DOCTOR, &[to], report().as_bytes()).unwrap();
        assert_eq!(refused.code, 550, "{to}: {refused:?}");
    }
    let mut stranger = gateway.stranger(world.ip(40), gateway.internet);
    stranger.say("MAIL FROM:<a@elsewhere.example>").unwrap();
    assert_eq!(stranger.say("RCPT TO:<journal@archive.example>").unwrap().code, 550, "no relay for anybody");
    assert_eq!(client.send("", &["Journal@ARCHIVE.example"], report().as_bytes()).unwrap().code, 250);

    let config = gateway.config();
    let explain = |to: &str| {
        let words = ["explain", "--from", DOCTOR, "--to", to, "--body", NUMBER, "--site", "trust"];
        String::from_utf8(gateway.cli(&words).stdout).unwrap()
    };
    let told = explain("journal@archive.example");
    assert!(told.contains("gateway.toml [site.trust]") && told.contains("rule journal"), "{told}");
    assert!(!told.contains("nothing-archived"), "{told}");
    assert!(explain("other@archive.example").contains("nothing-archived"), "{}", config.display());
}
