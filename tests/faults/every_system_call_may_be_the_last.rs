//! The gateway is killed at every system call that changes something on its disk, one after the other, while it starts,
//! accepts small and large messages, delivers, puts off and stops. Each life begins with what the last one left. Then the
//! account.

use crate::account::{Sinks, hand_over};
use crate::lab::until_within;
use crate::system_calls::{OF_THE_STORE, ends_at};
use crate::world::{Gateway, Setup, World};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

/// Lives of one system call at most; where it is made more often, the later ones are like the earlier ones.
const LIVES: usize = 200;
/// How long after the last delivery its mark has to be under way.
const MARKS: Duration = Duration::from_millis(150);

/// What has happened in all lives so far.
#[derive(Default)]
struct Lives {
    number: usize,
    acknowledged: Vec<usize>,
    ends: Vec<Instant>,
    points: BTreeMap<&'static str, usize>,
}

impl Lives {
    /// One life with a little of everything; whether it came to its end.
    fn live(&mut self, gateway: &mut Gateway, sinks: &Sinks) -> bool {
        self.number += 1;
        let ended = match gateway.try_start() {
            Err(ended) => ended,
            Ok(()) => {
                self.use_it(gateway, sinks);
                if !gateway.has_ended() {
                    gateway.terminate();
                }
                gateway.wait_for_end()
            }
        };
        self.ends.push(Instant::now());
        assert!(ended.success() || ended.signal() == Some(9), "{ended}\n{}", gateway.log());
        ended.success()
    }

    /// By their numbers: to both domains, to one that puts off, to one, a large one, a large one to both.
    fn use_it(&mut self, gateway: &mut Gateway, sinks: &Sinks) {
        let before = sinks.taken_at_once();
        let mut expected = 0;
        for number in [0, 1, 2, 23, 95].map(|n| self.number * 120 + n) {
            match hand_over(gateway.door, number) {
                Ok(250) => self.acknowledged.push(number),
                _ => return,
            }
            expected += usize::from(number % 5 != 1);
        }
        let mut delivered = || (gateway.has_ended() || sinks.taken_at_once() >= before + expected).then_some(());
        until_within(Duration::from_secs(10), &mut delivered);
        until_within(MARKS, || gateway.has_ended().then_some(()));
    }
}

/// Pages are written most often, one after the other: unless all are asked for, some of them will do.
fn step(call: &str) -> usize {
    if call == "pwrite64" { crate::rounds("FAULTS_EVERY", 3) } else { 1 }
}

#[test]
fn every_system_call_of_the_store_may_be_the_last() {
    if !crate::can("every_system_call_of_the_store_may_be_the_last", &["strace"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(127);
    let sinks = Sinks::that_defer(&world, 400);
    let mut gateway = world.prepared(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let mut lives = Lives::default();
    for call in OF_THE_STORE {
        for nth in (1..LIVES).step_by(step(call)) {
            ends_at(&mut gateway, call, nth);
            if lives.live(&mut gateway, &sinks) {
                break;
            }
            *lives.points.entry(call).or_default() += 1;
        }
    }
    gateway.launcher.clear();
    gateway.start();
    gateway.wait_until_empty();
    println!("killed at {} system calls: {:?}", lives.points.values().sum::<usize>(), lives.points);
    sinks.settle(&lives.acknowledged, &lives.ends).assert_clean();
    assert!(lives.points.values().sum::<usize>() >= 20, "{:?}", lives.points);
}

/// The same for the first start, which makes the folder, the database and its tables.
#[test]
fn every_system_call_of_the_first_start_may_be_the_last() {
    if !crate::can("every_system_call_of_the_first_start_may_be_the_last", &["strace"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(127);
    let sinks = Sinks::that_defer(&world, 0);
    let mut gateway = world.prepared(&Setup::default());
    let data = gateway.folder.path().join("data");
    let (mut points, mut acknowledged, mut ends) = (0, Vec::new(), Vec::new());
    for call in OF_THE_STORE {
        for nth in (1..LIVES).step_by(step(call)) {
            let _ = std::fs::remove_dir_all(&data);
            ends_at(&mut gateway, call, nth);
            if gateway.try_start().is_ok() {
                gateway.kill();
                break;
            }
            points += 1;
            gateway.launcher.clear();
            gateway.start();
            assert_eq!(hand_over(gateway.door, points * 5 + 2).unwrap(), 250, "after {call} {nth}");
            acknowledged.push(points * 5 + 2);
            gateway.wait_until_empty();
            ends.push(Instant::now());
            gateway.kill();
        }
    }
    println!("killed at {points} system calls of a first start");
    sinks.settle(&acknowledged, &ends).assert_clean();
    assert!(points >= 20, "{points}");
}
