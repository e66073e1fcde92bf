//! The keeper, the schedule and a real store against a model: whatever is interleaved, a recipient is one task at most, and
//! in the end each was delivered once.

use super::*;
use crate::clock::EntryId;
use crate::queue::Task;
use crate::queue::entry::{brought_forward, tests::entry};
use crate::queue::schedule::Caps;
use crate::store::Opened;
use crate::store::damage::{leaves, zero};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const MINUTE: u64 = 60;

#[derive(Debug, Clone)]
enum Op {
    /// A new message; its recipients share a lane, or do not.
    Arrive(usize),
    Take(usize),
    Deliver(usize),
    /// All recipients of a task wait.
    Defer(usize, u64),
    /// The first recipient is delivered, the others wait.
    Split(usize, u64),
    /// A task is lost: its link panicked.
    Lose(usize),
    Miss(usize),
    PutOff(usize, u64),
    Forward(usize),
    Tick(u64),
    /// The next step of a reading: begin, flush, read, admit.
    Step,
    Fail,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..4usize).prop_map(Op::Arrive),
        4 => (0..3usize).prop_map(Op::Take),
        2 => (0..8usize).prop_map(Op::Deliver),
        3 => (0..8usize, 0..4u64).prop_map(|(n, minutes)| Op::Defer(n, minutes)),
        2 => (0..8usize, 0..4u64).prop_map(|(n, minutes)| Op::Split(n, minutes)),
        1 => (0..8usize).prop_map(Op::Lose),
        1 => (0..3usize).prop_map(Op::Miss),
        1 => (0..8usize, 0..4u64).prop_map(|(n, minutes)| Op::PutOff(n, minutes)),
        1 => (0..40usize).prop_map(Op::Forward),
        2 => (0..5u64).prop_map(Op::Tick),
        8 => Just(Op::Step),
        1 => Just(Op::Fail),
    ]
}

/// Where a reading is.
enum Stage {
    Idle,
    Begun(Position),
    Flushed(Position),
    Read(Read),
}

struct World {
    opened: Opened,
    keeper: Arc<Keeper>,
    reader: Connection,
    now: Wall,
    stage: Stage,
    entries: BTreeMap<i64, Entry>,
    in_hand: Vec<Task>,
    delivered: BTreeSet<(i64, u16)>,
    lanes: [Arc<Lane>; 3],
    _folder: tempfile::TempDir,
}

const KINDS: [&[&str]; 4] = [
    &["a@one.example"],
    &["a@one.example", "b@two.example"],
    &["a@one.example", "b@one.example"],
    &["c@three.example"],
];

/// With little room.
fn keeper(opened: &Opened) -> Arc<Keeper> {
    let (openings, _) = tokio::sync::mpsc::unbounded_channel();
    let store = opened.store.clone();
    let caps = Caps { tasks: 7, tasks_per_lane: 4, ..Caps::of_links(4, 2) };
    let schedule = Arc::new(Schedule::new(caps, openings, Box::new(move |rows| store.ride(rows))));
    Arc::new(Keeper {
        schedule,
        routes: Arc::default(),
        store: opened.store.clone(),
        reader: Mutex::new(opened.reader().unwrap()),
        longest: Box::new(|| Duration::from_secs(5 * MINUTE)),
    })
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let keeper = keeper(&opened);
        let lanes = ["one.example", "two.example", "three.example"].map(|domain| {
            let destination = crate::queue::Destination::Mx(domain.parse().unwrap());
            Arc::new(Lane { destination, level: Level::Verified, require_tls: false })
        });
        let reader = opened.reader().unwrap();
        let (now, stage) = (Now::read().wall, Stage::Idle);
        let (entries, in_hand, delivered) = Default::default();
        World { opened, keeper, reader, now, stage, entries, in_hand, delivered, lanes, _folder: folder }
    }

    async fn arrive(&mut self, kind: usize) {
        let id = i64::try_from(self.entries.len()).unwrap() + 1;
        let entry = entry(id, KINDS[kind]);
        self.opened.store.commit(entry.admitted(None)).await.unwrap();
        tasks::enqueue(&entry, None, &self.keeper.routes.now(), &self.keeper.schedule);
        self.entries.insert(id, entry);
    }

    fn take(&mut self, lane: usize) {
        let Some(task) = self.keeper.schedule.take(&self.lanes[lane]) else { return };
        for recipient in &task.recipients {
            let one = (task.entry.row(), *recipient);
            assert!(!self.delivered.contains(&one), "{one:?} was delivered and is a task again");
            let twice = self.in_hand.iter().any(|t| t.entry == task.entry && t.recipients.contains(recipient));
            assert!(!twice, "{one:?} is two tasks");
        }
        self.in_hand.push(task);
    }

    fn chosen(&mut self, n: usize) -> Option<Task> {
        (!self.in_hand.is_empty()).then(|| self.in_hand.swap_remove(n % self.in_hand.len()))
    }

    fn deliver(&mut self, task: &Task, recipients: &[u16]) {
        let entry = &self.entries[&task.entry.row()];
        self.opened.store.ride(entry.finished(recipients, None));
        self.delivered.extend(recipients.iter().map(|r| (task.entry.row(), *r)));
    }

    /// As `settle` does it: rows ride, then their date is expected, then the task is dropped.
    fn defer(&self, task: Task, recipients: &[u16], minutes: u64) {
        let due = self.now.plus(Duration::from_secs(minutes * MINUTE));
        let part = Task { attempts: task.attempts + 1, ..task.for_recipients(recipients.to_vec()) };
        self.opened.store.ride(part.rows(due));
        self.keeper.schedule.backlog.expect(due);
    }

    async fn step(&mut self) -> bool {
        let backlog = &self.keeper.schedule.backlog;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle => Stage::Begun(backlog.begin()),
            Stage::Begun(after) => {
                self.opened.store.flush().await.unwrap();
                Stage::Flushed(after)
            }
            Stage::Flushed(after) => Stage::Read(self.keeper.read(&self.reader, after, self.now).unwrap()),
            Stage::Read(read) => return self.keeper.admit(read),
        };
        false
    }

    async fn apply(&mut self, op: &Op) {
        match *op {
            Op::Arrive(kind) => self.arrive(kind).await,
            Op::Take(lane) => self.take(lane),
            Op::Deliver(n) => {
                let Some(task) = self.chosen(n) else { return };
                self.deliver(&task, &task.recipients);
            }
            Op::Defer(n, minutes) => {
                let Some(task) = self.chosen(n) else { return };
                let all = task.recipients.to_vec();
                self.defer(task, &all, minutes);
            }
            Op::Split(n, minutes) => {
                let Some(task) = self.chosen(n) else { return };
                let (first, rest) = (task.recipients[..1].to_vec(), task.recipients[1..].to_vec());
                self.deliver(&task, &first);
                self.defer(task, &rest, minutes);
            }
            // What has no row is lost until the next start; the others are what this is about.
            Op::Lose(n) => {
                if let Some(task) = self.chosen(n).filter(|task| task.residence.is_none()) {
                    self.in_hand.push(task);
                }
            }
            Op::Miss(lane) => {
                for task in self.keeper.schedule.missed(&self.lanes[lane]) {
                    let all = task.recipients.to_vec();
                    self.defer(task, &all, 1);
                }
            }
            Op::PutOff(n, minutes) => {
                let due = self.now.plus(Duration::from_secs(minutes * MINUTE));
                let Some(task) = self.chosen(n) else { return };
                self.keeper.schedule.put_off(task, due);
            }
            Op::Forward(id) => {
                let id = EntryId::from_row(i64::try_from(id).unwrap());
                self.opened.store.ride(vec![brought_forward(id, None, self.now)]);
                self.keeper.schedule.backlog.expect(self.now);
            }
            Op::Tick(minutes) => self.now = self.now.plus(Duration::from_secs(minutes * MINUTE)),
            Op::Step => drop(self.step().await),
            Op::Fail if !matches!(self.stage, Stage::Idle) => {
                self.keeper.schedule.backlog.abandon();
                self.stage = Stage::Idle;
            }
            Op::Fail => {}
        }
    }

    /// Time goes on and links take all there is, until nothing is left.
    async fn finish(&mut self, lost: bool) {
        while !matches!(self.stage, Stage::Idle) {
            self.step().await;
        }
        if lost {
            self.keeper.schedule.backlog.rescan();
        }
        let all: BTreeSet<(i64, u16)> =
            self.entries.values().flat_map(|e| (0u16..).zip(&e.destined).map(|(r, _)| (e.id.row(), r))).collect();
        for _ in 0..4 * all.len() + 8 {
            self.now = self.now.plus(Duration::from_secs(10 * MINUTE));
            for lane in 0..3 {
                // A lane that had no link rests; here its links are back.
                while {
                    self.take(lane);
                    !self.in_hand.is_empty()
                } {
                    let task = self.in_hand.remove(0);
                    self.deliver(&task, &task.recipients);
                }
                self.keeper.schedule.wake(&self.lanes[lane]);
            }
            for _ in 0..4 {
                self.step().await;
            }
            if self.delivered == all {
                break;
            }
        }
        assert_eq!(self.delivered, all, "something waits for ever");
        self.opened.store.flush().await.unwrap();
        let rows = |table| self.reader.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, i64>(0));
        assert_eq!((rows("entry").unwrap(), rows("progress").unwrap()), (0, 0));
        assert_eq!(self.keeper.schedule.backlog.residents(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_interleaved_each_recipient_is_delivered_once(ops in vec(op(), 20..160)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for op in &ops {
                world.apply(op).await;
            }
            let lost = ops.iter().any(|op| matches!(op, Op::Lose(_)));
            world.finish(lost).await;
        });
    }
}

/// Passing over what is on a damaged page would leave it behind for ever, and nobody would know.
#[tokio::test]
async fn a_damaged_page_stops_the_store_and_the_next_start_goes_on_with_the_others() {
    for damaged in ["entry", "progress", "progress_due", "instruction"] {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        for id in 1..=60 {
            let entry = entry(id, &["a@one.example"]);
            let mut changes = entry.admitted(None);
            changes.push(Progress::unattempted(Wall(1)).kept(entry.id, 0));
            opened.store.commit(changes).await.unwrap();
        }
        opened.close();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let (page, rows) = leaves(folder.path(), damaged)[0];
        zero(folder.path(), page);
        let reading = tokio::spawn(keeper(&opened).run());
        let stops = async {
            while opened.store.is_writable() {
                tokio::task::yield_now().await;
            }
        };
        assert!(timeout(Duration::from_secs(20), stops).await.is_ok(), "{damaged}: nobody hears of it");
        reading.abort();
        opened.close();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let left = opened.reader().unwrap().query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0));
        assert_eq!(left.unwrap(), if damaged == "entry" { 60 - rows } else { 60 }, "{damaged}");
        assert!(folder.path().join("damaged-1/mailward.db").exists(), "{damaged}");
    }
}
