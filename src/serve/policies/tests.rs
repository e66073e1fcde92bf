//! What is read while it is swapped.

use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

const NAMES: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
const SWAPS: usize = 3_000;

fn edition(folder: &Path, edition: &str) {
    let below = folder.join(format!("..{edition}"));
    fs::create_dir(&below).unwrap();
    for name in NAMES {
        let rule = format!("[rule.{name}-{edition}]\ndirection = \"outbound\"\nwait = \"1h\"\n");
        fs::write(below.join(format!("{name}.toml")), rule).unwrap();
    }
}

fn swap(folder: &Path, edition: &str) {
    symlink(format!("..{edition}"), folder.join("..new")).unwrap();
    fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
}

#[test]
fn files_that_are_swapped_while_they_are_read_are_of_one_edition_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    ["a", "b"].iter().for_each(|name| edition(path, name));
    fs::write(path.join("policy.toml"), "[policy]\nempty = true\n").unwrap();
    swap(path, "a");
    NAMES.iter().for_each(|n| symlink(format!("..data/{n}.toml"), path.join(format!("{n}.toml"))).unwrap());
    let hash = || load(path, &Known::default()).ok().map(|loaded| loaded.judge.policy.hash().to_owned());
    let first = hash().unwrap();
    swap(path, "b");
    let whole = BTreeSet::from([first, hash().unwrap()]);
    // Made before, so that no two have one inode.
    let beside = tempfile::tempdir_in(path).unwrap();
    let link = |number: usize| beside.path().join(number.to_string());
    (0..SWAPS).for_each(|n| symlink(if n % 2 == 0 { "..a" } else { "..b" }, link(n)).unwrap());
    let done = AtomicBool::new(false);
    let mut read = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..SWAPS).for_each(|n| {
                fs::rename(link(n), path.join("..data")).unwrap();
                std::thread::yield_now();
            });
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            read.extend(hash());
        }
    });
    let mixed = read.iter().filter(|hash| !whole.contains(*hash)).count();
    assert_eq!(mixed, 0, "of {} that were read", read.len());
    assert!(hash().is_some_and(|hash| whole.contains(&hash)), "and when it stands still it is read");
}
