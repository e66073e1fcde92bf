//! After a start: sweeps left-over body files, and puts entries that were never tried back into the schedule, page by page.
//!
//! Called by `serve`; the listeners do not wait for `recover`. What was tried has rows and is read back by `keeper`; this is
//! for recipients without. Promises: each of them is scheduled once; an entry that cannot be read is reported and set aside
//! in place, the rest goes on; it waits while memory is full, and goes on when it is not. A page that cannot be read is
//! tried again until it can; where the database is damaged the store stops, recovery ends, and the next start salvages.

use super::entry::{self, Entry};
use super::lane::CurrentRoutes;
use super::schedule::Schedule;
use super::tasks;
use crate::clock::{EntryId, Wall};
use crate::store::{Bodies, Store, StoreError};
use crate::vocabulary::Level;
use rusqlite::{Connection, params};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Entries that one page looks at: well under 100 ms.
const PAGE: usize = 500;
/// Between two pages, so that reading back a million entries leaves the machine to new mail.
const PAUSE: Duration = Duration::from_millis(20);
/// After a page that could not be read.
const AGAIN: Duration = Duration::from_secs(1);

/// What a recovery found.
#[derive(Debug, Default)]
pub struct Recovered {
    pub entries: usize,
    pub tasks: usize,
    /// Entries that could not be read, and why. They stay where they are.
    pub damaged: Vec<(EntryId, String)>,
}

/// What recovering needs.
pub struct Recovery {
    pub store: Store,
    pub reader: Mutex<Connection>,
    /// Later entries were admitted by this process and are scheduled already.
    pub last: EntryId,
    pub routes: Arc<CurrentRoutes>,
    pub schedule: Arc<Schedule>,
}

/// Entries of one page with recipients that were never tried.
struct Page {
    found: Vec<(Entry, Vec<u16>)>,
    damaged: Vec<(EntryId, String)>,
    /// The last entry that was looked at; none: there are no more.
    reached: Option<EntryId>,
}

/// The newest entry id of the store, so that ids never run backwards.
///
/// # Errors
/// When the database cannot be read.
pub fn newest(connection: &Connection) -> Result<Option<EntryId>, StoreError> {
    let newest: Option<i64> = connection.query_row(
        "SELECT max(id) FROM (SELECT max(id) AS id FROM entry UNION SELECT max(id) FROM decision UNION SELECT max(id) FROM action)",
        [],
        |r| r.get(0),
    )?;
    Ok(newest.map(EntryId::from_row))
}

/// How many entries came before `time`.
///
/// # Errors
/// When the database cannot be read.
pub fn older_than(connection: &Connection, time: Wall) -> Result<u64, StoreError> {
    let before = EntryId::at(time).row();
    let count: i64 = connection.query_row("SELECT count(*) FROM entry WHERE id < ?1", [before], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Recovery {
    /// Schedules what was never tried, up to the last entry of before.
    pub async fn run(self: Arc<Self>) -> Recovered {
        let mut recovered = Recovered::default();
        let mut after = EntryId::from_row(0);
        loop {
            self.schedule.has_room().await;
            let recovery = self.clone();
            let page = tokio::task::spawn_blocking(move || recovery.page(after)).await;
            let page = page.unwrap_or_else(|e| Err(StoreError::Io(e.to_string())));
            self.store.look_at(&page);
            match page {
                Ok(page) => {
                    recovered.damaged.extend(page.damaged);
                    recovered.entries += page.found.len();
                    recovered.tasks += page.found.iter().map(|(entry, open)| self.schedule(entry, open)).sum::<usize>();
                    match page.reached {
                        Some(reached) => after = reached,
                        None => return recovered,
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                // The store has stopped, and the next start salvages: until then it would only be found again.
                Err(StoreError::Damaged(_)) => return recovered,
                Err(error) => {
                    tracing::error!(%error, after = %after, "the queue cannot be read back; it is tried again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// The next page. It is bounded by what it looks at, for among a million entries there may be none without rows.
    fn page(&self, after: EntryId) -> Result<Page, StoreError> {
        let connection = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = Page { found: Vec::new(), damaged: Vec::new(), reached: None };
        let mut ids = connection.prepare_cached(
            "SELECT max(id) FROM (SELECT id FROM entry WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)",
        )?;
        let reached: Option<i64> =
            ids.query_row(params![after.row(), self.last.row(), PAGE as i64], |row| row.get(0))?;
        let Some(reached) = reached else { return Ok(page) };
        page.reached = Some(EntryId::from_row(reached));
        let mut statement = connection.prepare_cached(
            "SELECT id, head FROM entry WHERE id > ?1 AND id <= ?2 \
             AND recipients > (SELECT count(*) FROM progress WHERE entry = entry.id) ORDER BY id",
        )?;
        let rows = statement.query_map(params![after.row(), reached], |row| {
            Ok((EntryId::from_row(row.get(0)?), row.get::<_, Vec<u8>>(1)?))
        })?;
        for row in rows {
            let (id, head) = row?;
            match parsed(&connection, id, &head).and_then(|e| Ok((open(&connection, &e)?, e))) {
                Ok((open, entry)) if !open.is_empty() => page.found.push((entry, open)),
                Ok(_) => {}
                Err(StoreError::Damaged(why)) => return Err(StoreError::Damaged(why)),
                Err(error) => page.damaged.push((id, error.to_string())),
            }
        }
        Ok(page)
    }

    /// A task per lane of these recipients; returns how many.
    fn schedule(&self, entry: &Entry, open: &[u16]) -> usize {
        let levels: Vec<Level> = entry.requirements.iter().map(|r| r.level).collect();
        let mut count = 0;
        for (lane, mut recipients) in tasks::lanes(entry, &self.routes.now(), &levels) {
            recipients.retain(|recipient| open.contains(recipient));
            if !recipients.is_empty() {
                count += 1;
                self.schedule.push(tasks::task(entry, lane, recipients));
            }
        }
        count
    }
}

fn parsed(connection: &Connection, id: EntryId, head: &[u8]) -> Result<Entry, StoreError> {
    entry::with_instructions(connection, entry::parse(id, head)?)
}

/// Recipients of whom nothing is known yet.
fn open(connection: &Connection, entry: &Entry) -> Result<Vec<u16>, StoreError> {
    let known = entry::read_progress(connection, entry.id)?;
    let all = (0u16..).zip(&entry.envelope.recipients).map(|(recipient, _)| recipient);
    Ok(all.filter(|recipient| !known.iter().any(|(k, _)| k == recipient)).collect())
}

/// Removes body files that no entry names: the sender was never told that they are kept. Called before anything listens,
/// so that no file is of a message on its way in. What cannot be removed is reported and left.
///
/// # Errors
/// When the folder or the database cannot be read.
pub fn sweep(connection: &Connection, bodies: &Bodies) -> Result<usize, StoreError> {
    let mut statement = connection.prepare("SELECT 1 FROM entry WHERE id = ?1")?;
    let mut swept = 0;
    for id in bodies.ids()? {
        if statement.exists([id])? {
            continue;
        }
        match std::fs::remove_file(bodies.path(id)) {
            Ok(()) => swept += 1,
            Err(error) => tracing::error!(%error, file = %bodies.path(id).display(), "a left-over cannot be removed"),
        }
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::queue::Progress;
    use crate::queue::entry::tests::entry;
    use crate::queue::schedule::Caps;
    use crate::store::damage::{leaves, zero};
    use crate::store::{Change, Opened, Value};

    /// A recovery whose schedule has room for so many tasks of one lane; nobody opens links.
    fn recovery(opened: &Opened, last: EntryId, caps: Caps) -> Arc<Recovery> {
        let (openings, _) = tokio::sync::mpsc::unbounded_channel();
        let store = opened.store.clone();
        let schedule = Arc::new(Schedule::new(caps, openings, Box::new(move |rows| store.ride(rows))));
        let reader = Mutex::new(opened.reader().unwrap());
        Arc::new(Recovery { store: opened.store.clone(), reader, last, routes: Arc::default(), schedule })
    }

    fn seen(schedule: &Schedule) -> Vec<(i64, Vec<u16>)> {
        let mut seen = Vec::new();
        schedule.look(|t| seen.push((t.entry.row(), t.recipients.to_vec())));
        seen.sort();
        seen
    }

    #[tokio::test]
    async fn only_recipients_without_rows_are_scheduled() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let (entry, tried) =
            (entry(5, &["a@one.example", "b@one.example", "c@two.example"]), entry(6, &["a@one.example"]));
        let mut changes = entry.admitted(None);
        changes.extend(tried.admitted(None));
        let waiting = Progress::unattempted(Wall(1));
        changes.extend([Progress::Final.kept(entry.id, 0), waiting.kept(entry.id, 2), waiting.kept(tried.id, 0)]);
        opened.store.commit(changes).await.unwrap();
        let recovery = recovery(&opened, tried.id, Caps::of_links(1, 1));
        let recovered = recovery.clone().run().await;
        assert_eq!((recovered.entries, recovered.tasks), (1, 1));
        assert_eq!(seen(&recovery.schedule), [(5, vec![1])]);
    }

    #[tokio::test]
    async fn a_damaged_entry_is_set_aside_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let damage =
            Change::new("INSERT INTO entry (id, head) VALUES (?1, ?2)", vec![Value::Int(4), Value::Blob("{".into())]);
        let mut changes = entry(5, &["a@one.example"]).admitted(None);
        changes.push(damage);
        opened.store.commit(changes).await.unwrap();
        let recovered = recovery(&opened, EntryId::at(Wall(1)), Caps::of_links(1, 1)).run().await;
        assert_eq!((recovered.entries, recovered.damaged.len()), (1, 1));
        assert_eq!(recovered.damaged[0].0.row(), 4);
    }

    #[tokio::test]
    async fn a_damaged_page_ends_it_and_stops_the_store_and_the_next_start_goes_on() {
        for damaged in ["entry", "progress", "instruction"] {
            let folder = tempfile::tempdir().unwrap();
            let opened = Opened::open(folder.path(), |_| {}).unwrap();
            for id in 1..=60 {
                opened.store.ride(entry(id, &["a@one.example"]).admitted(None));
            }
            opened.store.flush().await.unwrap();
            opened.close();
            let opened = Opened::open(folder.path(), |_| {}).unwrap();
            let (page, rows) = leaves(folder.path(), damaged)[0];
            zero(folder.path(), page);
            let last = EntryId::from_row(60);
            assert_eq!(recovery(&opened, last, Caps::of_links(1, 1)).run().await.damaged.len(), 0, "{damaged}");
            assert!(!opened.store.is_writable(), "{damaged}");
            opened.close();
            let opened = Opened::open(folder.path(), |_| {}).unwrap();
            let recovered = recovery(&opened, last, Caps::of_links(1, 1)).run().await;
            let left = if damaged == "entry" { 60 - rows as usize } else { 60 };
            assert_eq!(recovered.entries, left, "{damaged}");
        }
    }

    #[tokio::test]
    async fn it_waits_while_memory_is_full_and_what_its_lane_cannot_hold_gets_rows() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        // Pages are of 500 entries: the first fills memory, and two lanes hold 200 each.
        let domain = |id: i64| if id % 2 == 0 { "a@even.example" } else { "a@odd.example" };
        for id in 1..=600 {
            opened.store.ride(entry(id, &[domain(id)]).admitted(None));
        }
        opened.store.flush().await.unwrap();
        let caps = Caps { tasks: 400, tasks_per_lane: 200, ..Caps::of_links(1, 1) };
        let recovery = recovery(&opened, EntryId::from_row(600), caps);
        let running = tokio::spawn(recovery.clone().run());
        let lanes = ["even.example", "odd.example"].map(|domain| {
            let destination = crate::queue::Destination::Mx(domain.parse().unwrap());
            Arc::new(crate::queue::Lane { destination, level: Level::Verified, require_tls: false })
        });
        while recovery.schedule.tasks() < 400 {
            tokio::task::yield_now().await;
        }
        assert!(!running.is_finished(), "a hundred entries are not read yet, and there is no room");
        // A quarter of the room is free again: it goes on by itself.
        (0..100).for_each(|_| lanes.iter().for_each(|lane| drop(recovery.schedule.take(lane))));
        let recovered = running.await.unwrap();
        assert_eq!(recovered.entries, 600);
        opened.store.flush().await.unwrap();
        let rows =
            "SELECT count(*) FROM progress WHERE state = 'active' AND due > 0 AND lane LIKE '%.example/verified'";
        let rows: i64 = opened.reader().unwrap().query_row(rows, [], |r| r.get(0)).unwrap();
        assert_eq!(
            (recovery.schedule.tasks(), rows),
            (300, 100),
            "of 600, 200 were taken; what found no room has rows"
        );
    }

    #[tokio::test]
    async fn a_body_without_an_entry_is_swept_and_what_cannot_be_removed_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        std::fs::create_dir(folder.path().join("bodies/00ff")).unwrap();
        for id in [1, 2, 900] {
            opened.store.bodies().create(id).unwrap().keep();
        }
        opened.store.commit(entry(2, &["a@one.example"]).admitted(None)).await.unwrap();
        assert_eq!(sweep(&opened.reader().unwrap(), opened.store.bodies()).unwrap(), 2);
        let mut left = opened.store.bodies().ids().unwrap();
        left.sort_unstable();
        assert_eq!(left, [2, 0xff]);
    }
}
