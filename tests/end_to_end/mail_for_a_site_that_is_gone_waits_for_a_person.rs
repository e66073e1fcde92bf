//! A site is taken out of gateway.toml while mail for it waits: it was judged as mail within the house, and is not sent into the world.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, POLICY, SECRET, Setup, World};

#[test]
fn it_is_held_and_told_and_goes_only_where_a_person_says() {
    let world = World::new(231);
    let exchange = world.exchange();
    // Its Exchange is down; and anybody may have an MX for its domain.
    let down = world.free(41);
    let thief = world.mx(42, "b.example", Behaviour::default());
    let site = format!(
        "[site.b]\ndomains = [\"b.example\"]\nexchange = [\"{down}\"]\nnetworks = [\"{}/32\"]\nrequire = \"encrypted\"\nduty = \"duty@trust.example\"\n",
        down.ip()
    );
    let more = format!("[queue]\nretry = [\"1s\"]\n{site}");
    let mut gateway = world.gateway(&Setup { policy: POLICY, more: &more, ..Setup::default() });
    gateway.send(&["nurse@b.example"], &world::clinical("letter"));
    gateway.waits_for("connection-refused");
    gateway.terminate();
    assert!(gateway.wait_for_end().success());
    let config = gateway.config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(&site, "")).unwrap();
    gateway.start();
    let row = gateway.waits_for("way-gone");
    assert_eq!(row["state"], "held");
    let told =
        until(|| exchange.received().into_iter().find(|m| m.text().contains("somebody has to say where it goes")));
    assert!(told.is_some(), "{:?}", exchange.received().iter().map(|m| m.text()).collect::<Vec<_>>());
    // A person who names the way gets no less than proof.
    let id = row["id"].as_str().unwrap();
    let words = ["queue", "reroute", id, "--to", "mx", "--because", "moved, ref 7", "--by", "A. Admin", "--yes"];
    let rerouted = gateway.cli(&words);
    assert!(rerouted.status.success(), "{rerouted:?}");
    gateway.waits_for("tls-not-offered");
    assert_eq!((thief.received().len(), world.wire.sightings(&[SECRET])), (0, vec![]));
}
