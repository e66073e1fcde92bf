//! The wall clock jumps by years, forth and back, under a gateway that runs and between two starts: ids never run
//! backwards, nothing is lost, sent twice or left behind.

use crate::account::{Sinks, hand_over_as};
use crate::world::{Gateway, Setup, World};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What libfaketime adds to the time of day, from now on.
fn jump(clock: &Path, offset: &str) {
    let new = clock.with_extension("new");
    fs::write(&new, format!("{offset}\n")).unwrap();
    fs::rename(new, clock).unwrap();
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").unwrap().map_while(Result::ok);
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
}

/// Messages to both domains, small and large; their ids.
fn some(gateway: &Gateway, first: usize) -> Vec<(usize, String)> {
    [0, 1, 2, 23].map(|n| first + n).map(|number| (number, hand_over_as(gateway.door, number))).into()
}

#[test]
fn a_clock_that_jumps_by_years_harms_nothing() {
    let Some(library) = library() else {
        return crate::lab::skipped("a_clock_that_jumps_by_years_harms_nothing", "faketime not installed");
    };
    let _alone = crate::alone();
    let world = World::new(129);
    let sinks = Sinks::that_defer(&world, 6);
    let mut gateway =
        world.prepared(&Setup { more: "[queue]\nretry = [\"1s\"]\nexpire = \"3650d\"", ..Setup::default() });
    let clock = gateway.folder.path().join("clock");
    jump(&clock, "+0d");
    let settings =
        ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1"].map(str::to_owned);
    gateway.launcher = vec!["env".into(), format!("LD_PRELOAD={}", library.display())];
    gateway.launcher.push(format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()));
    gateway.launcher.extend(settings);
    gateway.start();
    let mut sent = some(&gateway, 0);
    for (round, offset) in (1..).zip(["+800d", "-2000d", "+400d", "-1d", "+0d"]) {
        jump(&clock, offset);
        sent.extend(some(&gateway, round * 120));
    }
    let mut ends = Vec::new();
    for (round, offset) in (10..).zip(["-1500d", "+700d", "+0d"]) {
        ends.push(Instant::now());
        gateway.kill();
        jump(&clock, offset);
        gateway.start();
        sent.extend(some(&gateway, round * 120));
    }
    gateway.wait_until_empty();
    assert!(sent.is_sorted_by(|a, b| a.1 < b.1), "ids ran backwards: {sent:?}");
    let years: Vec<_> = gateway.log().lines().filter_map(|line| line.get(14..18).map(str::to_owned)).collect();
    assert!(years.iter().any(|year| year < &years[0]), "the clock did not jump");
    let numbers: Vec<usize> = sent.iter().map(|(number, _)| *number).collect();
    sinks.settle(&numbers, &ends).assert_clean();
}
