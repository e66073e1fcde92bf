//! What was refused or has not been accepted is not in force because of a restart, or it is said until a person accepts it.

use crate::lab::until;
use crate::world::{self, DOCTOR, Gateway, Setup, World};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

fn said(gateway: &Gateway, command: &[&str]) -> (bool, String) {
    let output = gateway.cli(command);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), text)
}

fn edit(gateway: &Gateway, typed: &str, instead: &str) {
    let text = fs::read_to_string(gateway.config()).unwrap();
    assert!(text.contains(typed), "{typed} is not in\n{text}");
    fs::write(gateway.config(), text.replacen(typed, instead, 1)).unwrap();
}

fn restart(gateway: &mut Gateway) {
    gateway.terminate();
    assert!(gateway.wait_for_end().success());
    gateway.start();
}

#[test]
fn what_was_refused_is_not_in_force_where_the_policy_before_it_no_longer_fits() {
    let world = World::new(221);
    let mut gateway = world.gateway(&Setup::default());
    gateway.policy_file("policy.toml", "[policy]\nempty = true\n");
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("is gone"), "{text}");

    // What was in force may keep mail waiting, and there is nobody any more who would be told.
    edit(&gateway, "duty = \"duty@trust.example\"\n", "");
    restart(&mut gateway);
    assert!(gateway.json(&["status", "--json"])["policy_hash"].is_null());
    assert!(gateway.log().contains("lowers and was not accepted"), "{}", gateway.log());
    assert_eq!(gateway.session().say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code, 451);
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("what it lowers cannot be shown") && text.contains("--accept-lowering"), "{text}");
    assert!(gateway.json(&["status", "--json"])["policy_hash"].is_null());

    let (taken, text) = said(&gateway, &["reload", "--accept-lowering", "nothing is asked, IG-12", "--by", "J. Smith"]);
    assert!(taken && text.contains("(was none)"), "{text}");
    assert_eq!(gateway.session().say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap().code, 250);
}

#[test]
fn a_gateway_toml_that_a_start_took_is_told_until_a_person_accepts_it() {
    let world = World::new(222);
    let mut gateway = world.gateway(&Setup::default());
    assert_eq!(gateway.metric("mailward_gateway_toml_lowered"), 0.0);
    edit(&gateway, "[site.trust]\n", "[site.trust]\nsenders = \"any\"\n");
    // Each start says it again: who starts it twice has accepted nothing.
    for _ in 0..2 {
        restart(&mut gateway);
    }
    let sentence = "site `trust` lets its clients use reverse-paths of other domains";
    let said_in_log = format!("in force since this start: {sentence}");
    assert_eq!(gateway.log().matches(&said_in_log).count(), 2, "{}", gateway.log());
    assert_eq!(gateway.metric("mailward_gateway_toml_lowered"), 1.0);
    assert_eq!(gateway.json(&["status", "--json"])["not_accepted"][0], sentence);
    let (_, text) = said(&gateway, &["status"]);
    assert!(text.contains("accepted by nobody: site `trust`"), "{text}");
    let (good, text) = said(&gateway, &["doctor"]);
    assert!(!good && text.contains("lowered at a start, accepted by nobody"), "{text}");

    // What does not lower goes on without a person, and settles nothing.
    assert!(said(&gateway, &["reload"]).0);
    assert_eq!(gateway.metric("mailward_gateway_toml_lowered"), 1.0);
    let (taken, text) = said(&gateway, &["reload", "--accept-lowering", "forwards, IG-13", "--by", "J. Smith"]);
    assert!(taken && text.contains(&format!("lowered: {sentence}")), "{text}");
    assert_eq!(gateway.metric("mailward_gateway_toml_lowered"), 0.0);
    restart(&mut gateway);
    assert_eq!(gateway.metric("mailward_gateway_toml_lowered"), 0.0);
}

#[test]
fn a_gateway_toml_that_is_being_written_is_not_taken() {
    let world = World::new(223);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let (whole, done) = (fs::read_to_string(gateway.config()).unwrap(), AtomicBool::new(false));
    // Good at each moment, so that the command itself has nothing to say.
    let half = whole.replacen("[queue]\nretry = [\"1s\"]", "", 1);
    let beside = gateway.folder.path().join("gateway.new");
    let (taken, text) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for text in [&half, &whole] {
                    fs::write(&beside, text).unwrap();
                    fs::rename(&beside, gateway.config()).unwrap();
                }
            }
        });
        let answer = said(&gateway, &["reload"]);
        done.store(true, Ordering::Relaxed);
        answer
    });
    assert!(!taken && text.contains("is being written") && text.contains("nothing is changed"), "{text}");
    assert_eq!(gateway.metric("mailward_policy_reload_success"), 0.0);
    assert!(said(&gateway, &["reload"]).0, "it stands");
}

#[test]
fn a_shorter_time_says_how_much_of_the_queue_it_would_end() {
    let world = World::new(224);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]\n", ..Setup::default() });
    // Nobody answers there.
    world.names.mx("partner.example", &[(10, "mx.partner.example")]).address_of("mx.partner.example", world.ip(10));
    let id = gateway.send(&["b@partner.example"], &world::ordinary("car park"));
    until(|| gateway.queue().into_iter().find(|row| row["age_seconds"].as_u64() > Some(1))).unwrap();
    edit(&gateway, "retry = [\"1h\"]\n", "retry = [\"1h\"]\nexpire = \"1s\"\n");
    let (taken, text) = said(&gateway, &["reload"]);
    assert!(!taken && text.contains("given up after 1s instead of 2d"), "{text}");
    assert!(text.contains("messages in the queue that are older than that already: 1"), "{text}");
    assert_eq!(gateway.queue()[0]["id"], id.as_str(), "and it is there");
}
