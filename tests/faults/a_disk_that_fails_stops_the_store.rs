//! A disk that answers with errors: from the first one on nothing is answered with 250, everybody who asks is told so, and
//! what was kept before is delivered after a restart.

use crate::account::{Load, Sinks, hand_over};
use crate::lab::until;
use crate::system_calls::Fault;
use crate::world::{Setup, World};
use std::time::Instant;

fn stops_after(test: &str, inject: &str) {
    if !crate::can(test, &["strace"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(128);
    let sinks = Sinks::that_defer(&world, 10);
    let mut gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let load = Load::start(gateway.door, 6);
    assert!(load.goes_on(40));
    let fault = Fault::of(&gateway, inject, &[]);
    let stopped = until(|| gateway.get("/readyz").filter(|(code, _)| *code == 503));
    let stopped_at = Instant::now();
    let (_, why) = stopped.unwrap_or_else(|| panic!("the gateway goes on\n{}", gateway.log()));
    drop(fault);
    // The disk is mended, but what a failed flush dropped is not there again: it stays stopped.
    let before = load.acknowledged();
    assert!(load.is_put_off());
    assert_eq!(load.acknowledged(), before, "250 from a store that stopped");
    assert!(load.refused().keys().all(|code| [451, 452].contains(code)), "{:?}", load.refused());
    assert!(why.contains("the store stopped"), "{why}");
    assert_eq!(gateway.metric("mailward_store_writable"), 0.0);
    assert_eq!(gateway.json(&["status", "--json"])["store"], "stopped");
    assert!(gateway.log().contains("the store stops"), "{}", gateway.log());
    let acknowledged = load.stop();
    gateway.terminate();
    gateway.wait_for_end();
    gateway.start();
    gateway.wait_until_empty();
    sinks.settle(&acknowledged, &[stopped_at]).assert_clean();
}

#[test]
fn a_flush_that_fails_stops_the_store() {
    stops_after("a_flush_that_fails_stops_the_store", "fsync,fdatasync:error=EIO");
}

#[test]
fn a_write_that_fails_stops_the_store() {
    stops_after("a_write_that_fails_stops_the_store", "pwrite64:error=EIO");
}

#[test]
fn a_disk_that_turns_read_only_stops_the_store() {
    stops_after("a_disk_that_turns_read_only_stops_the_store", "pwrite64,ftruncate:error=EROFS");
}

/// Message 71 is large and is put off once; its file cannot be read then.
#[test]
fn a_body_that_cannot_be_read_waits_and_the_rest_flows() {
    if !crate::can("a_body_that_cannot_be_read_waits_and_the_rest_flows", &["strace"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(128);
    let sinks = Sinks::that_defer(&world, 1);
    let gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    assert_eq!(hand_over(gateway.door, 71).unwrap(), 250);
    let bodies = gateway.folder.path().join("data/bodies");
    let body = until(|| std::fs::read_dir(&bodies).unwrap().find_map(Result::ok)).unwrap().path();
    let fault = Fault::of(&gateway, "read:error=EIO", &[&body.display().to_string()]);
    let numbers = [1, 2, 5, 6, 7];
    numbers.iter().for_each(|n| assert_eq!(hand_over(gateway.door, *n).unwrap(), 250));
    let row = until(|| match gateway.queue().as_slice() {
        [one] if one["reason"] == "store-failed" => Some(one.clone()),
        _ => None,
    });
    assert!(row.is_some(), "{:?}\n{}", gateway.queue(), gateway.log());
    assert_eq!(sinks.taken_at_once(), 3);
    drop(fault);
    gateway.wait_until_empty();
    sinks.settle(&[71, 1, 2, 5, 6, 7], &[]).assert_clean();
}
