//! After a start: sweeps left-over body files and puts what the store keeps back into the schedule, page by page.
//!
//! Called by `serve` beside the listeners, which do not wait for it. Promises: every entry that can be read is scheduled;
//! one that cannot is reported and set aside in place, the rest goes on. Fails only when the database cannot be read.

use super::entry::{self, Entry, Progress};
use super::lane::Routes;
use super::schedule::{Schedule, Task};
use super::states::State;
use super::tasks;
use crate::clock::{EntryId, Now};
use crate::store::{Bodies, StoreError};
use crate::vocabulary::Level;
use rusqlite::Connection;
use std::time::{Duration, Instant};

/// Entries per read transaction: well under 100 ms.
const PAGE: usize = 500;

/// What a recovery found.
#[derive(Debug, Default)]
pub struct Recovered {
    pub entries: usize,
    pub tasks: usize,
    /// Entries that could not be read, and why. They stay where they are.
    pub damaged: Vec<(EntryId, String)>,
    pub swept: usize,
}

/// The newest entry id of the store, so that ids never run backwards.
///
/// # Errors
/// When the database cannot be read.
pub fn newest(connection: &Connection) -> Result<Option<EntryId>, StoreError> {
    let newest: Option<i64> = connection.query_row(
        "SELECT max(id) FROM (SELECT max(id) AS id FROM entry UNION SELECT max(id) FROM decision)",
        [],
        |r| r.get(0),
    )?;
    Ok(newest.map(EntryId::from_row))
}

/// Schedules every entry up to `last` (later ones were admitted by this process and are scheduled already).
///
/// # Errors
/// When the database cannot be read.
pub fn recover(
    connection: &Connection,
    last: EntryId,
    routes: &Routes,
    schedule: &Schedule,
) -> Result<Recovered, StoreError> {
    let mut recovered = Recovered::default();
    let mut after = 0;
    loop {
        let page = page(connection, after, last)?;
        let Some((newest, _)) = page.last() else { return Ok(recovered) };
        after = newest.row();
        for (id, head) in page {
            match entry::parse(id, &head).and_then(|e| Ok((entry::read_progress(connection, id)?, e))) {
                Ok((progress, entry)) => {
                    recovered.entries += 1;
                    recovered.tasks += reschedule(&entry, &progress, routes, schedule);
                }
                Err(error) => recovered.damaged.push((id, error.to_string())),
            }
        }
    }
}

fn page(connection: &Connection, after: i64, last: EntryId) -> Result<Vec<(EntryId, Vec<u8>)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, head FROM entry WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3")?;
    let rows = statement
        .query_map(rusqlite::params![after, last.row(), i64::try_from(PAGE).unwrap_or(i64::MAX)], |row| {
            Ok((EntryId::from_row(row.get(0)?), row.get(1)?))
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts the recipients that are not final back: one task per lane and next attempt.
fn reschedule(entry: &Entry, progress: &[(u16, Progress)], routes: &Routes, schedule: &Schedule) -> usize {
    let now = Now::read();
    let levels: Vec<Level> = entry.requirements.iter().map(|r| r.level).collect();
    let mut count = 0;
    for (lane, recipients) in tasks::lanes(entry, routes, &levels) {
        let open =
            recipients.into_iter().filter(|r| !progress.iter().any(|(p, state)| p == r && *state == Progress::Final));
        let mut by_state: Vec<(Option<&Progress>, Vec<u16>)> = Vec::new();
        for recipient in open {
            let known = progress.iter().find(|(p, _)| *p == recipient).map(|(_, state)| state);
            match by_state.iter_mut().find(|(state, _)| same_state(*state, known)) {
                Some((_, recipients)) => recipients.push(recipient),
                None => by_state.push((known, vec![recipient])),
            }
        }
        for (known, recipients) in by_state {
            count += 1;
            let task = tasks::task(entry, lane.clone(), recipients);
            match known {
                Some(waiting @ Progress::Waiting { next_attempt, .. }) => {
                    let pause = next_attempt.since(now.wall).min(Duration::from_secs(86_400));
                    schedule.defer(resumed(task, waiting), Instant::now() + pause);
                }
                _ => schedule.push(task),
            }
        }
    }
    count
}

/// Whether two recipients were waiting together; what the peer said to each may differ.
fn same_state(one: Option<&Progress>, other: Option<&Progress>) -> bool {
    let waiting = |state: Option<&Progress>| match state {
        Some(Progress::Waiting { attempts, held, told, next_attempt, reason, .. }) => {
            Some((*attempts, *held, *told, *next_attempt, *reason))
        }
        _ => None,
    };
    waiting(one) == waiting(other)
}

fn resumed(task: Task, progress: &Progress) -> Task {
    match progress {
        Progress::Waiting { attempts, held, told, reason, .. } => {
            let state = if *held { State::Held } else { State::Deferred };
            Task { attempts: *attempts, state, told: task.told || *told, reason: *reason, ..task }
        }
        Progress::Final => task,
    }
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
    use crate::queue::entry::tests::entry;
    use crate::queue::schedule::Caps;
    use crate::store::{Change, Opened, Value};
    use crate::vocabulary::Reason;

    fn schedule() -> Schedule {
        // Nobody opens links in these tests: what is pushed stays where it is.
        let (openings, _) = tokio::sync::mpsc::unbounded_channel();
        Schedule::new(Caps { links: 1, links_per_lane: 1 }, openings)
    }

    fn seen(schedule: &Schedule) -> Vec<(i64, Vec<u16>, State)> {
        let mut seen = Vec::new();
        schedule.look(|t| seen.push((t.entry.row(), t.recipients.to_vec(), t.state)));
        seen
    }

    #[tokio::test]
    async fn what_is_not_final_is_scheduled_again_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let entry = entry(5, &["a@one.example", "b@one.example", "c@two.example"]);
        let waiting = Progress::Waiting {
            attempts: 3,
            held: true,
            told: true,
            next_attempt: Now::read().wall.plus(Duration::from_secs(3_600)),
            reason: Reason::CertificateExpired,
            status: None,
            host: None,
        };
        let mut changes = entry.admitted(None);
        changes.extend([Progress::Final.kept(entry.id, 0), waiting.kept(entry.id, 2)]);
        opened.store.commit(changes).await.unwrap();
        let schedule = schedule();
        let recovered = recover(&opened.reader().unwrap(), entry.id, &Routes::default(), &schedule).unwrap();
        assert_eq!((recovered.entries, recovered.tasks), (1, 2));
        assert_eq!(seen(&schedule), [(5, vec![1], State::Active), (5, vec![2], State::Held)]);
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
        let schedule = schedule();
        let recovered =
            recover(&opened.reader().unwrap(), EntryId::at(Wall(1)), &Routes::default(), &schedule).unwrap();
        assert_eq!((recovered.entries, recovered.damaged.len()), (1, 1));
        assert_eq!(recovered.damaged[0].0.row(), 4);
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
