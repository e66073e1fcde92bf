//! `kill -9` under load, several times, and then the account: what was answered with 250 arrives, whole.

use crate::lab::client::Client;
use crate::lab::peers::{Behaviour, Received};
use crate::lab::until_within;
use crate::world::{DOCTOR, Setup, World};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SOURCES: usize = 6;
const ROUNDS: usize = 5;

/// xorshift: enough for moments and sizes, and repeatable by its seed.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Message `number`: its text follows from the number, so the sink can make it again. One in twelve is a file's size.
fn message(number: usize) -> Vec<u8> {
    let mut dice = Dice(number as u64 * 7_919 + 1);
    let lines = if number.is_multiple_of(12) { 4_000 + dice.throw(2_500) } else { dice.throw(40) };
    let mut text = format!("Subject: {number}\r\nMessage-ID: <{number}@trust.example>\r\n\r\n").into_bytes();
    for line in 0..lines {
        let (one, two) = (dice.throw(u64::MAX), dice.throw(u64::MAX));
        text.extend_from_slice(format!("{line} {one:016x}{two:016x}\r\n.").as_bytes());
    }
    text.extend_from_slice(b"\r\n");
    text
}

#[derive(Default)]
struct Account {
    next: AtomicUsize,
    stop: AtomicBool,
    acknowledged: Mutex<Vec<usize>>,
}

/// Sends until it is stopped; a connection that breaks is made again, and its message is sent again as a new one.
fn source(account: &Account, door: SocketAddr) {
    while !account.stop.load(Ordering::SeqCst) {
        let Ok(mut client) = Client::connect(door) else {
            std::thread::park_timeout(Duration::from_millis(10));
            continue;
        };
        while !account.stop.load(Ordering::SeqCst) {
            let number = account.next.fetch_add(1, Ordering::SeqCst);
            match client.send(DOCTOR, &[&format!("n{number}@partner.example")], &message(number)) {
                Ok(reply) if reply.code == 250 => account.acknowledged.lock().unwrap().push(number),
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
}

fn number_of(received: &Received) -> usize {
    received.recipients[0].trim_start_matches('n').split('@').next().unwrap().parse().unwrap()
}

#[test]
fn kill_nine_under_load_and_the_account() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let world = World::new(38);
    let sink = world.mx(10, "partner.example", Behaviour::default());
    let mut gateway = world.gateway(&Setup { more: "[queue]\nretry = [\"1s\"]", ..Setup::default() });
    let account = Arc::new(Account::default());
    let sources: Vec<_> = (0..SOURCES)
        .map(|_| {
            let (account, door) = (account.clone(), gateway.door);
            std::thread::spawn(move || source(&account, door))
        })
        .collect();
    for _ in 0..ROUNDS {
        let before = account.acknowledged.lock().unwrap().len();
        let more = 20 + dice.throw(150) as usize;
        let loaded = until_within(Duration::from_secs(20), || {
            (account.acknowledged.lock().unwrap().len() >= before + more).then_some(())
        });
        assert!(loaded.is_some(), "no load\n{}", gateway.log());
        gateway.kill();
        gateway.start();
    }
    account.stop.store(true, Ordering::SeqCst);
    sources.into_iter().for_each(|s| s.join().unwrap());
    gateway.wait_until_empty();
    settle(&account.acknowledged.lock().unwrap(), &sink.received());
}

fn settle(acknowledged: &[usize], received: &[Received]) {
    let hash = RandomState::new();
    let mut arrivals: HashMap<usize, usize> = HashMap::new();
    for one in received {
        let number = number_of(one);
        let body = crate::world::without_received(&one.message);
        assert_eq!(hash.hash_one(&body), hash.hash_one(message(number)), "message {number} is corrupted");
        *arrivals.entry(number).or_default() += 1;
    }
    let lost: Vec<_> = acknowledged.iter().filter(|n| !arrivals.contains_key(n)).collect();
    let duplicates: usize = arrivals.values().map(|n| n - 1).sum();
    println!("{} acknowledged, {} arrived, {duplicates} duplicates", acknowledged.len(), received.len());
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(acknowledged.len() >= ROUNDS * 20);
}
