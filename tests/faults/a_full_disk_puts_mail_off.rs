//! A disk without room, or without inodes: mail is put off, what was answered with 250 is kept, and when there is room again
//! everything goes on without a restart.

use crate::account::{Load, Sinks, hand_over};
use crate::disk::Mounted;
use crate::world::{Setup, World};

/// The watermark, which would put mail off long before, is out of the way.
const TO_THE_BRIM: Setup<'static> = Setup {
    policy: crate::world::POLICY,
    site: "require = \"any\"",
    more: "[queue]\nretry = [\"1s\"]\nmin-free = \"1B\"",
    deliver: "",
    door: "offer",
    dns: "",
};

#[test]
fn a_disk_without_room_puts_mail_off_until_there_is_some() {
    if !crate::can("a_disk_without_room_puts_mail_off_until_there_is_some", &["mount"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(128);
    let sinks = Sinks::that_defer(&world, usize::MAX);
    let mut gateway = world.prepared(&TO_THE_BRIM);
    let disk = Mounted::small(&gateway, "size=3m");
    gateway.start();
    let load = Load::start(gateway.door, 6);
    assert!(load.is_put_off(), "the disk is not full: {:?}\n{}", load.refused(), gateway.log());
    assert!(load.is_put_off());
    let codes = load.refused();
    println!("put off on a full disk: {codes:?}, after {} kept", load.acknowledged());
    assert!(codes.keys().eq([&452]), "{codes:?}");
    assert_eq!(gateway.get("/readyz").unwrap().0, 200, "a full disk is no broken one");
    disk.becomes("size=200m");
    sinks.relent();
    assert!(load.goes_on(20), "nothing is taken though there is room\n{}", gateway.log());
    let acknowledged = load.stop();
    gateway.wait_until_empty();
    sinks.settle(&acknowledged, &[]).assert_clean();
}

/// Messages 71 and 191 are large; 1 is small.
#[test]
fn without_inodes_large_messages_are_put_off_and_small_ones_go_on() {
    if !crate::can("without_inodes_large_messages_are_put_off_and_small_ones_go_on", &["mount"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(128);
    let sinks = Sinks::that_defer(&world, 1);
    let mut gateway = world.prepared(&TO_THE_BRIM);
    let disk = Mounted::small(&gateway, "size=200m,nr_inodes=20");
    gateway.start();
    let fillers = (0..).map(|n| gateway.folder.path().join(format!("data/filler{n}")));
    let made = fillers.map_while(|path| std::fs::write(path, b"").ok()).count();
    println!("{made} inodes were left");
    let answer = |number| hand_over(gateway.door, number).unwrap_or_else(|why| panic!("{why}\n{}", gateway.log()));
    assert_eq!(answer(71), 452);
    assert_eq!(answer(1), 250, "a small one needs no inode");
    disk.becomes("nr_inodes=1000");
    assert_eq!(hand_over(gateway.door, 191).unwrap(), 250);
    gateway.wait_until_empty();
    sinks.settle(&[1, 191], &[]).assert_clean();
}

#[test]
fn a_disk_that_cannot_be_written_refuses_the_start_in_clear_words() {
    if !crate::can("a_disk_that_cannot_be_written_refuses_the_start_in_clear_words", &["mount"]) {
        return;
    }
    let _alone = crate::alone();
    let world = World::new(128);
    let mut gateway = world.gateway(&TO_THE_BRIM);
    gateway.kill();
    let disk = Mounted::small(&gateway, "size=4m");
    disk.becomes("ro");
    let refused = gateway.refused();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("hint: look at the disk"), "{said}");
    assert!(said.contains("Read-only"), "{said}");
}
