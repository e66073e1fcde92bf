//! The disk watermark: below it nothing new is taken, and what was kept is delivered and told, for that makes room.

use crate::lab::peers::Behaviour;
use crate::lab::until;
use crate::world::{self, DOCTOR, Setup, World};
use std::fs;

#[test]
fn deliveries_reports_and_marks_find_room_while_mail_is_put_off() {
    let world = World::new(123);
    let exchange = world.exchange();
    let refuses = vec!["nobody@partner.example".into()];
    let mending = Behaviour { defers: 1, refuses, ..Behaviour::default() };
    let partner = world.mx(10, "partner.example", mending);
    let mut gateway =
        world.gateway(&Setup { more: "[queue]\nretry = [\"1h\"]\nmin-free = \"1B\"", ..Setup::default() });
    assert!(gateway.log().contains("`min-free` is less than one message may have"), "{}", gateway.log());
    gateway.send(&["b@partner.example"], &world::ordinary("put off once"));
    gateway.waits_for("message-deferred");
    world.names.fails("late.example");
    gateway.send(&["nobody@late.example"], &world::ordinary("returned"));
    gateway.waits_for("dns-tempfail");
    gateway.kill();

    let config = gateway.folder.path().join("gateway.toml");
    let text = fs::read_to_string(&config).unwrap().replace("min-free = \"1B\"", "min-free = \"999999GB\"");
    fs::write(&config, text).unwrap();
    world.names.forget("late.example").null_mx("late.example");
    gateway.start();
    let mut client = gateway.session();
    let put_off = until(|| {
        let reply = client.say(&format!("MAIL FROM:<{DOCTOR}>")).unwrap();
        client.say("RSET").unwrap();
        (reply.code == 452).then_some(reply)
    });
    assert!(put_off.unwrap().text.contains("4.3.1"));
    let (code, why) = gateway.get("/readyz").unwrap();
    assert!(code == 503 && why.contains("no-room"), "{code} {why}");
    assert_eq!(gateway.json(&["status", "--json"])["room"], "no-room");
    let status = gateway.cli(&["status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("below min-free"), "{status:?}");
    let log = gateway.log();
    let line = log.lines().find(|line| line.contains("below min-free")).unwrap();
    assert!(["no-room", "999999000000000", "/data", "free"].iter().all(|fact| line.contains(fact)), "{line}");
    until(|| gateway.cli(&["queue", "retry", "--yes"]).status.success().then_some(())).unwrap();
    assert_eq!(partner.wait_for(1)[0].recipients, ["b@partner.example"]);
    let told = exchange.wait_for(1).remove(0);
    assert!(told.recipients == [DOCTOR] && told.text().contains("X-Mailward-Reason: null-mx"), "{}", told.text());
    gateway.wait_until_empty();
    gateway.kill();
    gateway.start();
    gateway.wait_until_empty();
    assert_eq!((partner.dots(), exchange.received().len()), (2, 1), "the marks were kept");
}
