//! The power goes under load, again and again: only what was flushed is there afterwards, and it is enough.

use crate::account::{Dice, Figures, Load, Sinks};
use crate::disk::Image;
use crate::world::{Setup, World};
use std::time::Instant;

const RETRY: Setup<'static> = Setup {
    policy: crate::world::POLICY,
    site: "require = \"any\"",
    more: "[queue]\nretry = [\"1s\"]\nmin-free = \"1MB\"",
    deliver: "",
    door: "offer",
    dns: "",
};

/// Some rounds of load and cut on a disk of its own; the account.
fn cuts(number: u8, rounds: usize, launcher: &[&str]) -> Figures {
    let mut dice = Dice::new();
    let world = World::new(number);
    let sinks = Sinks::of(&world);
    let mut gateway = world.prepared(&RETRY);
    gateway.launcher = launcher.iter().map(|&word| word.to_owned()).collect();
    let mut disk = Image::of(&gateway);
    gateway.start();
    let load = Load::start(gateway.door, 6);
    let mut cuts = Vec::new();
    for _ in 0..rounds {
        assert!(load.goes_on(20 + dice.throw(100) as usize), "no load\n{}", gateway.log());
        cuts.push(Instant::now());
        disk.cut(&mut gateway);
        gateway.start();
    }
    let acknowledged = load.stop();
    gateway.wait_until_empty();
    println!("{} power cuts", cuts.len());
    let figures = sinks.settle(&acknowledged, &cuts);
    gateway.kill();
    figures
}

#[test]
fn only_what_was_flushed_is_there_after_a_power_cut_and_it_is_enough() {
    if !crate::can("only_what_was_flushed_is_there_after_a_power_cut_and_it_is_enough", &["mkfs.ext4", "losetup"]) {
        return;
    }
    let _alone = crate::alone();
    let figures = cuts(126, crate::rounds("FAULTS_POWER_CUTS", 3), &[]);
    figures.assert_clean();
}

/// The control: without flushes the same must lose mail, or the test above proves nothing.
#[test]
fn without_flushes_a_power_cut_loses_mail() {
    if !crate::can("without_flushes_a_power_cut_loses_mail", &["mkfs.ext4", "losetup", "eatmydata"]) {
        return;
    }
    let _alone = crate::alone();
    let figures = cuts(126, 1, &["eatmydata"]);
    assert!(!figures.lost.is_empty(), "nothing was flushed, and nothing is missing: the cut is none");
}
