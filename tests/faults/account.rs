//! Load with an account of its own: what was answered with 250, what arrived, when, and whether it is what was sent.
//!
//! Used by every scenario of this binary. It lives outside the gateway's process, so no fault of the gateway's touches it.

use crate::lab::client::{Client, Reply};
use crate::lab::peers::{Behaviour, Peer, Received};
use crate::lab::until_within;
use crate::world::{DOCTOR, World, queued_as, without_received};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A mark is flushed 50 ms after the peer's 250 at the latest; the flush itself, and a machine that is busy, take time too.
const MARK: Duration = Duration::from_millis(50);
/// What a flush under load may take beyond it. Whatever needed more than `MARK` is counted on its own.
const SLOW_FLUSH: Duration = Duration::from_millis(450);
/// Every so many messages is a file's size.
const LARGE: usize = 24;

/// xorshift: enough for moments and sizes, and repeatable by its seed.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new() -> Dice {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
        println!("seed {seed}");
        Dice(seed)
    }

    pub fn throw(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// Message `number`: its text follows from the number, so the account can make it again.
pub fn message(number: usize) -> Vec<u8> {
    let mut dice = Dice(number as u64 * 7_919 + 1);
    let lines = match number % (2 * LARGE) {
        n if n == LARGE - 1 => 3_600 + dice.throw(1_000),
        // Large enough to go to the disk as it stands in memory.
        n if n == 2 * LARGE - 1 => 7_000 + dice.throw(1_000),
        _ => dice.throw(40),
    };
    let mut text = format!("Subject: {number}\r\nMessage-ID: <{number}@trust.example>\r\n\r\n").into_bytes();
    for _ in 0..lines {
        let word = (0..40).map(|_| b'a' + dice.throw(26) as u8);
        text.extend(word.chain(*b"\r\n."));
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// To whom message `number` goes: most to one domain, some to one that puts off, some to both.
fn recipients(number: usize) -> Vec<String> {
    match number % 5 {
        0 => vec![format!("n{number}@partner.example"), format!("n{number}@later.example")],
        1 => vec![format!("n{number}@later.example")],
        _ => vec![format!("n{number}@partner.example")],
    }
}

#[derive(Default)]
struct Counts {
    next: AtomicUsize,
    stop: AtomicBool,
    acknowledged: Mutex<Vec<usize>>,
    /// Other replies, by their code.
    refused: Mutex<BTreeMap<u16, usize>>,
}

/// Clients that send one message after the other.
pub struct Load {
    counts: Arc<Counts>,
    sources: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    pub fn start(door: SocketAddr, sources: usize) -> Load {
        Load::from(door, sources, 0)
    }

    /// The same with messages from `first` on.
    pub fn from(door: SocketAddr, sources: usize, first: usize) -> Load {
        let counts = Arc::new(Counts { next: AtomicUsize::new(first), ..Counts::default() });
        let source = |_| {
            let counts = counts.clone();
            std::thread::spawn(move || source(&counts, door))
        };
        let sources = (0..sources).map(source).collect();
        Load { counts, sources }
    }

    pub fn acknowledged(&self) -> usize {
        self.counts.acknowledged.lock().unwrap().len()
    }

    /// How often anything but 250 was answered, by code.
    pub fn refused(&self) -> BTreeMap<u16, usize> {
        self.counts.refused.lock().unwrap().clone()
    }

    /// Waits until some more messages were put off.
    pub fn is_put_off(&self) -> bool {
        let before: usize = self.refused().values().sum();
        let more = || (self.refused().values().sum::<usize>() > before + 10).then_some(());
        until_within(Duration::from_secs(60), more).is_some()
    }

    /// Waits until `more` messages were answered with 250 from now on.
    pub fn goes_on(&self, more: usize) -> bool {
        let before = self.acknowledged();
        until_within(Duration::from_secs(60), || (self.acknowledged() >= before + more).then_some(())).is_some()
    }

    /// Ends the load; the numbers that were answered with 250.
    pub fn stop(self) -> Vec<usize> {
        self.counts.stop.store(true, Ordering::SeqCst);
        self.sources.into_iter().for_each(|s| s.join().unwrap());
        std::mem::take(&mut *self.counts.acknowledged.lock().unwrap())
    }
}

/// A connection that breaks is made again, and its message is sent again as a new one.
fn source(counts: &Counts, door: SocketAddr) {
    while !counts.stop.load(Ordering::SeqCst) {
        let Ok(mut client) = connect(door) else {
            std::thread::park_timeout(Duration::from_millis(10));
            continue;
        };
        while !counts.stop.load(Ordering::SeqCst) {
            let number = counts.next.fetch_add(1, Ordering::SeqCst);
            match hand_over_in(&mut client, number) {
                Ok(reply) if reply.code == 250 => counts.acknowledged.lock().unwrap().push(number),
                Ok(reply) => {
                    *counts.refused.lock().unwrap().entry(reply.code).or_default() += 1;
                    // Put off: what Exchange does next is to wait.
                    std::thread::park_timeout(Duration::from_millis(10));
                }
                Err(_) => break,
            }
        }
    }
}

/// One message on a connection of its own; the code that answered it.
pub fn hand_over(door: SocketAddr, number: usize) -> std::io::Result<u16> {
    Ok(hand_over_in(&mut connect(door)?, number)?.code)
}

pub fn hand_over_in(client: &mut Client, number: usize) -> std::io::Result<Reply> {
    let to = recipients(number);
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    client.send(DOCTOR, &to, &message(number))
}

/// The same for one that must be taken; the id that it is queued as.
pub fn hand_over_as(door: SocketAddr, number: usize) -> String {
    let reply = hand_over_in(&mut connect(door).unwrap(), number).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    queued_as(&reply.text)
}

fn connect(door: SocketAddr) -> std::io::Result<Client> {
    Client::over(TcpStream::connect_timeout(&door, Duration::from_secs(1))?)
}

/// The peers that the load is for.
pub struct Sinks {
    peers: Vec<Peer>,
}

impl Sinks {
    /// `later.example` puts the first messages off, so that marks of every kind are written.
    pub fn of(world: &World) -> Sinks {
        Sinks::that_defer(world, 10)
    }

    pub fn that_defer(world: &World, defers: usize) -> Sinks {
        let later = Behaviour { defers, ..Behaviour::default() };
        let sink = |host: u8, domain: &str, behaviour| {
            let name = format!("mx.{domain}");
            world.names.mx(domain, &[(10, &name)]).address_of(&name, world.ip(host));
            // Without a tap, which would keep every octet of a long run.
            Peer::start(SocketAddr::new(world.ip(host), world.port), &name, behaviour)
        };
        let peers = vec![sink(10, "partner.example", Behaviour::default()), sink(11, "later.example", later)];
        Sinks { peers }
    }

    /// From now on nothing is deferred.
    pub fn relent(&self) {
        self.peers[1].relents();
    }

    /// Messages that the peer that never defers has taken.
    pub fn taken_at_once(&self) -> usize {
        self.peers[0].received().len()
    }

    /// What the domain that puts off has received.
    pub fn taken_later(&self) -> Vec<Received> {
        self.peers[1].received()
    }

    fn received(&self) -> Vec<Received> {
        self.peers.iter().flat_map(Peer::received).collect()
    }

    /// Compares what was acknowledged with what arrived, and each duplicate with the cuts: it is one that may be only if its
    /// first delivery's mark could not have been flushed before the cut that followed.
    pub fn settle(&self, acknowledged: &[usize], cuts: &[Instant]) -> Figures {
        let mut arrivals: BTreeMap<String, Vec<Arrival>> = BTreeMap::new();
        for one in self.received() {
            assert_eq!(one.recipients.len(), 1, "each of a message's domains has a peer of its own");
            let number = number_of(&one.recipients[0]);
            assert!(without_received(&one.message) == message(number), "message {number} is corrupted");
            arrivals.entry(one.recipients[0].clone()).or_default().push(Arrival { at: one.at, session: one.session });
        }
        let lost = acknowledged.iter().flat_map(|n| recipients(*n)).filter(|r| !arrivals.contains_key(r)).collect();
        let mut figures = Figures { acknowledged: acknowledged.len(), lost, ..Figures::default() };
        for (recipient, arrivals) in &mut arrivals {
            arrivals.sort_unstable_by_key(|a| a.at);
            figures.arrived += arrivals.len();
            for pair in arrivals.windows(2) {
                // Sent before the cut, it may have waited in the peer's socket until after it.
                let cut = cuts.iter().find(|cut| (pair[0].session..pair[1].session).contains(*cut));
                figures.duplicate(recipient, cut.map(|cut| cut.saturating_duration_since(pair[0].at)));
            }
        }
        println!("{figures}");
        figures
    }
}

/// When a message came, and when the session began that it came in.
struct Arrival {
    at: Instant,
    session: Instant,
}

pub fn number_of(recipient: &str) -> usize {
    recipient.trim_start_matches('n').split('@').next().unwrap().parse().unwrap()
}

/// How an account came out.
#[derive(Default)]
pub struct Figures {
    pub acknowledged: usize,
    pub arrived: usize,
    pub lost: Vec<String>,
    /// How long before a cut the first delivery was, of each duplicate that may be.
    pub duplicates: Vec<Duration>,
    /// Duplicates that no cut excuses.
    pub inexcusable: Vec<String>,
}

impl Figures {
    fn duplicate(&mut self, recipient: &str, before_the_cut: Option<Duration>) {
        match before_the_cut {
            Some(age) if age <= MARK + SLOW_FLUSH => self.duplicates.push(age),
            age => self.inexcusable.push(format!("{recipient} ({age:?} before a cut)")),
        }
    }

    /// Nothing lost, no duplicate without its excuse.
    pub fn assert_clean(&self) {
        assert!(self.lost.is_empty(), "acknowledged and lost: {:?}", self.lost);
        assert!(self.inexcusable.is_empty(), "delivered twice without a reason: {:?}", self.inexcusable);
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut by_millisecond: BTreeMap<u128, usize> = BTreeMap::new();
        self.duplicates.iter().for_each(|age| *by_millisecond.entry(age.as_millis()).or_default() += 1);
        let late = self.duplicates.iter().filter(|age| **age > MARK).count();
        write!(
            f,
            "{} messages acknowledged, {} arrivals, {} lost; {} duplicates, {late} of them delivered more than {MARK:?} before \
             the cut; {} inexcusable\nwhole milliseconds before the cut that duplicates were first delivered, and how many: {:?}",
            self.acknowledged,
            self.arrived,
            self.lost.len(),
            self.duplicates.len(),
            self.inexcusable.len(),
            by_millisecond,
        )
    }
}
