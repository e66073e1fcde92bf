//! `kill -9` under load, again and again, and then the account.

use crate::account::{Dice, Load, Sinks};
use crate::world::{Setup, World};
use std::time::Instant;

#[test]
fn kill_nine_under_load_and_the_account() {
    let _alone = crate::alone();
    let mut dice = Dice::new();
    let rounds = crate::rounds("FAULTS_KILLS", 4);
    let world = World::new(125);
    let sinks = Sinks::of(&world);
    let mut gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let load = Load::start(gateway.door, 6);
    let mut cuts = Vec::new();
    for _ in 0..rounds {
        assert!(load.goes_on(20 + dice.throw(100) as usize), "no load\n{}", gateway.log());
        cuts.push(Instant::now());
        gateway.kill();
        gateway.start();
    }
    let acknowledged = load.stop();
    gateway.wait_until_empty();
    println!("{} kills", cuts.len());
    let figures = sinks.settle(&acknowledged, &cuts);
    figures.assert_clean();
    assert!(acknowledged.len() >= rounds * 20);
}
