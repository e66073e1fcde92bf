//! A queue whose files are damaged while the gateway is down: it starts, says so, delivers what can be read, and never a
//! message that is not what was sent.

use crate::account::{Dice, Sinks, hand_over};
use crate::lab::{until, until_within};
use crate::world::{Gateway, Setup, World, without_received};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Messages that wait: all of them for the domain that puts off, two of them in files.
const NUMBERS: [usize; 24] =
    [71, 191, 1, 6, 11, 16, 21, 26, 31, 36, 41, 46, 51, 56, 61, 66, 76, 81, 86, 91, 96, 101, 106, 111];

/// What is done to a file at an offset.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip,
    Zero,
    CutOff,
    Remove,
}

impl Damage {
    fn to(self, path: &Path, at: u64) {
        let file = fs::File::options().read(true).write(true).open(path).unwrap();
        match self {
            Damage::Flip => {
                let mut octet = [0];
                file.read_exact_at(&mut octet, at).unwrap();
                file.write_all_at(&[octet[0] ^ 0x55], at).unwrap();
            }
            Damage::Zero => {
                let end = file.metadata().unwrap().len().min(at / 4096 * 4096 + 4096);
                file.write_all_at(&vec![0; (end - at / 4096 * 4096) as usize], at / 4096 * 4096).unwrap();
            }
            Damage::CutOff => file.set_len(at).unwrap(),
            Damage::Remove => fs::remove_file(path).unwrap(),
        }
    }
}

/// A queue that waits, as it is on the disk, and the gateway that it is put into.
struct Waiting {
    _world: World,
    sinks: Sinks,
    gateway: Gateway,
    kept: PathBuf,
}

impl Waiting {
    /// Some killed (the log is full), some stopped in order (the database is).
    fn new(stopped_in_order: bool) -> Waiting {
        let world = World::new(129);
        let sinks = Sinks::that_defer(&world, usize::MAX);
        let mut gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
        NUMBERS.iter().for_each(|n| assert_eq!(hand_over(gateway.door, *n).unwrap(), 250));
        let tried = || gateway.queue().iter().all(|row| row["state"] == "deferred").then_some(());
        assert!(until(tried).is_some(), "{:?}", gateway.queue());
        if stopped_in_order {
            gateway.terminate();
            gateway.wait_for_end();
            // The next start brings what is in the log into the database.
            gateway.start();
        }
        gateway.kill();
        let kept = gateway.folder.path().join("kept");
        copy(&gateway.folder.path().join("data"), &kept);
        sinks.relent();
        Waiting { _world: world, sinks, gateway, kept }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.gateway.folder.path().join("data").join(name)
    }

    /// Starts from the kept queue with this damage; the numbers that arrived, and what the log says.
    fn after(&mut self, name: &str, damage: Damage, at: u64) -> (BTreeSet<usize>, String) {
        copy(&self.kept, &self.file(""));
        damage.to(&self.file(name), at);
        let log = self.gateway.folder.path().join("log");
        fs::write(&log, "").unwrap();
        let before = self.sinks.taken_later().len();
        self.gateway.start();
        // All that can be read is brought forward; notices of what cannot go to the doctor's own Exchange, and wait.
        let retried = self.gateway.cli(&["queue", "retry", "--to-domain", "later.example", "--yes"]);
        assert!(retried.status.success(), "{name} {damage:?} {at}: {retried:?}");
        let done = || {
            self.gateway
                .queue()
                .iter()
                .all(|row| !row["recipients"].to_string().contains("later.example"))
                .then_some(())
        };
        assert!(until(done).is_some(), "{name} {damage:?} {at}: {:?}\n{}", self.gateway.queue(), self.gateway.log());
        // What is missing is said sooner or later.
        let said =
            || self.sinks.taken_later().len() - before == NUMBERS.len() || self.gateway.log().contains("damaged");
        until_within(Duration::from_secs(3), || said().then_some(()));
        self.gateway.kill();
        let arrived = self.sinks.taken_later().split_off(before).into_iter().map(|received| {
            let number = crate::account::number_of(&received.recipients[0]);
            let whole = without_received(&received.message) == crate::account::message(number);
            assert!(whole, "{name} {damage:?} {at}: message {number} is corrupted");
            number
        });
        (arrived.collect(), self.gateway.log())
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// Every page of the database and of its log, damaged in its middle or as a whole.
fn sweep(name: &str, stopped_in_order: bool) {
    let _alone = crate::alone();
    let mut dice = Dice::new();
    let mut waiting = Waiting::new(stopped_in_order);
    let length = fs::metadata(waiting.kept.join(name)).unwrap().len();
    let pages = (length / 4096) as usize;
    let step = (pages / crate::rounds("FAULTS_PAGES", 8)).max(1);
    let (mut points, mut missing, mut silent) = (0, 0, Vec::new());
    for page in (0..pages).step_by(step) {
        let at = (page * 4096) as u64 + dice.throw(4096);
        for damage in [Damage::Flip, Damage::Zero] {
            let (arrived, log) = waiting.after(name, damage, at.min(length - 1));
            points += 1;
            let lost = NUMBERS.len() - arrived.len();
            missing += lost;
            if lost > 0 && !log.contains("damaged") {
                silent.push(format!("{damage:?} at {at}: {lost} missing"));
            }
        }
    }
    println!(
        "{name}: {points} points on {pages} pages, {missing} of {} messages not delivered",
        points * NUMBERS.len()
    );
    assert!(silent.is_empty(), "missing, and nothing is said: {silent:?}");
    assert!(missing * 2 < points * NUMBERS.len(), "most of it is gone");
}

#[test]
fn damage_to_any_page_of_the_database_is_said_and_the_rest_is_delivered() {
    sweep("mailward.db", true);
}

#[test]
fn damage_to_the_databases_log_is_said_and_the_rest_is_delivered() {
    sweep("mailward.db-wal", false);
}

#[test]
fn damage_to_the_logs_index_costs_nothing() {
    let _alone = crate::alone();
    let mut waiting = Waiting::new(false);
    for (damage, at) in [(Damage::Flip, 40), (Damage::Zero, 0), (Damage::CutOff, 100), (Damage::Remove, 0)] {
        let (arrived, _) = waiting.after("mailward.db-shm", damage, at);
        assert_eq!(arrived.len(), NUMBERS.len(), "{damage:?}");
    }
}

#[test]
fn a_damaged_or_missing_body_is_not_sent_and_its_sender_is_told() {
    let _alone = crate::alone();
    let mut waiting = Waiting::new(true);
    let body = fs::read_dir(waiting.kept.join("bodies")).unwrap().next().unwrap().unwrap().file_name();
    let name = format!("bodies/{}", body.to_str().unwrap());
    for (damage, at) in [(Damage::Flip, 70_000), (Damage::Zero, 4_096), (Damage::CutOff, 100_000), (Damage::Remove, 0)]
    {
        let (arrived, log) = waiting.after(&name, damage, at);
        assert_eq!(arrived.len(), NUMBERS.len() - 1, "{damage:?}");
        assert!(log.contains("damaged or missing on the disk"), "{log}");
        assert!(log.contains("message-damaged"), "{log}");
    }
}

/// A queue file that is nothing at all any more.
#[test]
fn a_database_that_is_gone_or_cut_off_does_not_keep_the_gateway_from_starting() {
    let _alone = crate::alone();
    let mut waiting = Waiting::new(true);
    let length = fs::metadata(waiting.kept.join("mailward.db")).unwrap().len();
    for at in [length / 2, 5_000, 100, 1] {
        let (_, log) = waiting.after("mailward.db", Damage::CutOff, at);
        assert!(log.contains("the database is damaged"), "cut off at {at}: {log}");
    }
}
