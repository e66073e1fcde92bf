use super::damage::{leaves, zero};
use super::*;
use std::fs::File;
use std::time::Duration;

const PUT: &str = "INSERT INTO body (id, bytes) VALUES (?1, ?2)";

fn put(id: i64) -> Change {
    Change::new(PUT, vec![Value::Int(id), Value::Blob(Bytes::from_static(b"text"))])
}

fn count(opened: &Opened) -> i64 {
    opened.reader().unwrap().query_row("SELECT count(*) FROM body", [], |row| row.get(0)).unwrap()
}

fn open(folder: &std::path::Path) -> Opened {
    Opened::open(folder, |_| {}).unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    opened.store.commit(vec![put(1), put(2)]).await.unwrap();
    opened.close();
    assert_eq!(count(&open(folder.path())), 2);
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    assert!(opened.store.commit(vec![put(1), put(1)]).await.is_err(), "the same id twice");
    assert_eq!(count(&opened), 0);
    assert!(opened.store.is_writable(), "a wrong statement is no broken disk");
}

#[tokio::test]
async fn a_wrong_batch_does_not_take_its_neighbours_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let (good, wrong) = tokio::join!(opened.store.commit(vec![put(1)]), opened.store.commit(vec![put(2), put(2)]));
    assert!(good.is_ok() && wrong.is_err());
    assert_eq!(count(&opened), 1);
}

#[tokio::test]
async fn riders_are_in_the_next_flush() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    opened.store.ride(vec![put(1)]);
    opened.store.flush().await.unwrap();
    assert_eq!(count(&opened), 1);
}

#[tokio::test]
async fn riders_are_flushed_when_the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    opened.store.ride(vec![put(7)]);
    opened.close();
    assert_eq!(count(&open(folder.path())), 1);
}

#[test]
fn nobody_else_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let _opened = open(folder.path());
    assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    assert!(matches!(Opened::open(folder.path(), |_| {}), Err(StoreError::Locked(_))));
}

#[test]
fn what_is_left_of_a_killed_gateway_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let left = File::create(folder.path().join("lock")).unwrap();
    left.lock().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            left.unlock().unwrap();
        });
        open(folder.path()).close();
    });
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close();
    let connection = rusqlite::Connection::open(folder.path().join("mailward.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(Opened::open(folder.path(), |_| {}), Err(StoreError::Newer { found: 99, .. })));
}

#[tokio::test]
async fn a_body_file_goes_with_the_row_that_named_it() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let mut file = opened.store.bodies().create(9).unwrap();
    file.write_all(b"large").unwrap();
    file.sync().unwrap();
    let path = file.path().to_owned();
    opened.store.commit_with_file(vec![put(9)], file).await.unwrap();
    assert!(path.exists());
    let delete =
        |id| Change::new("DELETE FROM body WHERE id = ?1", vec![Value::Int(id)]).then_unlink(Some(path.clone()));
    opened.store.commit(vec![delete(8)]).await.unwrap();
    assert!(path.exists(), "a change that changed nothing removes nothing");
    opened.store.commit(vec![delete(9)]).await.unwrap();
    opened.close();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_body_file_that_is_not_kept_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let path = opened.store.bodies().create(9).map(|f| f.path().to_owned()).unwrap();
    assert!(!path.exists());
}

/// 200,000 rows pass through; the log is cut meanwhile and stays far below what was written.
#[tokio::test]
async fn the_log_does_not_grow_without_bound() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let blob = Bytes::from(vec![b'x'; 4096]);
    for batch in 0..200 {
        let changes = (0..100).map(|n| Change::new(PUT, vec![Value::Int(batch * 100 + n), Value::Blob(blob.clone())]));
        opened.store.commit(changes.collect()).await.unwrap();
        if batch % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let log = std::fs::metadata(folder.path().join("mailward.db-wal")).unwrap().len();
    assert!(log < 64 * 1024 * 1024, "{log} octets of log after 80 MB");
}

#[tokio::test]
async fn a_body_file_shares_the_fate_of_its_row_though_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let file = opened.store.bodies().create(3).unwrap();
    let (path, store) = (file.path().to_owned(), opened.store.clone());
    // The session is gone before the answer: the job is with the committer already.
    let mut commit = Box::pin(store.commit_with_file(vec![put(3)], file));
    assert!(futures_poll_once(commit.as_mut()).await);
    drop(commit);
    opened.store.flush().await.unwrap();
    assert!(path.exists() && count(&opened) == 1);
    let refused = opened.store.bodies().create(4).unwrap();
    let gone = refused.path().to_owned();
    assert!(opened.store.commit_with_file(vec![put(3)], refused).await.is_err(), "the id is taken");
    assert!(!gone.exists());
}

/// Whether the future is still pending after one poll.
async fn futures_poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

/// A mark that was kept too late must not undo what a later batch settled.
#[tokio::test]
async fn riders_are_written_before_the_puts_that_came_after_them() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let set = |text: &'static str| {
        let values = vec![Value::Int(1), Value::Blob(Bytes::from_static(text.as_bytes()))];
        Change::new("INSERT OR REPLACE INTO body (id, bytes) VALUES (?1, ?2)", values)
    };
    opened.store.ride(vec![set("waiting")]);
    opened.store.commit(vec![set("final")]).await.unwrap();
    let kept: Vec<u8> =
        opened.reader().unwrap().query_row("SELECT bytes FROM body WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, b"final");
}

/// What nobody keeps must not be answered with 250: a committer that fell over stops the store.
#[tokio::test]
async fn a_committer_that_falls_over_stops_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Opened::open(folder.path(), |_| panic!("as a defect would")).unwrap();
    let file = opened.store.bodies().create(1).unwrap();
    let path = file.path().to_owned();
    assert!(matches!(opened.store.commit_with_file(vec![put(1)], file).await, Err(StoreError::Stopped)));
    // Whether the row was committed, only the next start can know.
    assert!(path.exists() && count(&opened) == 1);
    assert!(!opened.store.is_writable());
    assert!(matches!(opened.store.commit(vec![put(2)]).await, Err(StoreError::Stopped)));
}

#[tokio::test]
async fn a_start_begins_the_log_anew() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let reader = opened.reader().unwrap();
    opened.store.commit(vec![put(1)]).await.unwrap();
    assert!(log_octets(folder.path()) > 0);
    // A reader that is left keeps the log from being removed at the end.
    assert_eq!(reader.query_row("SELECT count(*) FROM body", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    opened.close();
    assert!(log_octets(folder.path()) > 0);
    let opened = open(folder.path());
    assert_eq!((log_octets(folder.path()), count(&opened)), (0, 1));
}

/// Two readers take turns so that one of them always reads; a log that only began anew when nobody reads would hold all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_somebody_always_reads_begins_anew_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let done = std::sync::atomic::AtomicBool::new(false);
    let longest = std::thread::scope(|scope| {
        for offset in [0, 20] {
            let (mut reader, done) = (opened.reader().unwrap(), &done);
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(offset));
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let reading = reader.transaction().unwrap();
                    reading.query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0)).unwrap();
                    std::thread::sleep(Duration::from_millis(40));
                }
            });
        }
        let blob = Bytes::from(vec![b'x'; 1 << 20]);
        let mut longest = 0;
        for id in 0..300 {
            let put = Change::new(PUT, vec![Value::Int(id), Value::Blob(blob.clone())]);
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opened.store.commit(vec![put])))
                .unwrap();
            longest = longest.max(log_octets(folder.path()));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        longest
    });
    assert!(longest < 200 << 20, "{} MiB of log for 300 MiB of rows", longest >> 20);
}

/// Puts 400 rows of 3,000 octets on some 400 pages, and closes.
async fn filled(folder: &std::path::Path) -> u64 {
    let opened = open(folder);
    let blob = Bytes::from(vec![b'x'; 3000]);
    let rows = (1..=400).map(|id| Change::new(PUT, vec![Value::Int(id), Value::Blob(blob.clone())]));
    opened.store.commit(rows.collect()).await.unwrap();
    opened.close();
    open(folder).close();
    std::fs::metadata(folder.join("mailward.db")).unwrap().len() / 4096
}

fn overwrite(folder: &std::path::Path, at: u64, octets: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(folder.join("mailward.db")).unwrap();
    file.write_all_at(octets, at).unwrap();
}

/// Every page is zeroed once, each in a queue of its own: the store opens, and what is lost is what was on that page.
#[tokio::test]
async fn a_page_that_is_gone_takes_its_rows_with_it_and_no_others() {
    let whole = tempfile::tempdir().unwrap();
    let pages = filled(whole.path()).await;
    let (mut fewest, mut salvaged) = (400, 0);
    for page in (0..pages).step_by(7).chain([0, 1, 2, pages - 1]) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["mailward.db", "first-page"] {
            std::fs::copy(whole.path().join(name), folder.path().join(name)).unwrap();
        }
        overwrite(folder.path(), page * 4096, &[0; 4096]);
        let opened = open(folder.path());
        salvaged += usize::from(folder.path().join("damaged-1/mailward.db").exists());
        // The root of the table's tree is one page; without it none of its rows can be found.
        if count(&opened) > 0 {
            fewest = fewest.min(count(&opened));
        }
        opened.store.commit(vec![put(9_000)]).await.unwrap();
    }
    println!("{pages} pages, {salvaged} salvages, at least {fewest} of 400 rows");
    assert!(fewest >= 390 && salvaged > 10, "{fewest} {salvaged}");
}

#[tokio::test]
async fn a_body_file_whose_row_was_lost_is_set_aside_and_not_swept() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let opened = open(folder.path());
    opened.store.bodies().create(77).unwrap().keep();
    opened.close();
    overwrite(folder.path(), 0, &[0; 100]);
    let opened = open(folder.path());
    assert_eq!(count(&opened), 400, "the first page is known");
    assert!(folder.path().join("damaged-1/000000000000004d").exists());
    assert!(opened.store.bodies().ids().unwrap().is_empty());
}

#[tokio::test]
async fn damage_that_a_reader_finds_stops_the_store_and_is_salvaged_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    opened.store.commit(vec![put(1)]).await.unwrap();
    opened.store.look_at::<()>(&Err(StoreError::Damaged("as a reader saw it".into())));
    assert!(!opened.store.is_writable());
    assert!(matches!(opened.store.commit(vec![put(2)]).await, Err(StoreError::Stopped)));
    opened.close();
    let opened = open(folder.path());
    assert!(folder.path().join("damaged-1/mailward.db").exists());
    assert_eq!(count(&opened), 1);
    opened.close();
    open(folder.path()).close();
    assert!(!folder.path().join("damaged-2").exists(), "once is enough");
}

/// Where the ids of 250 messages a second begin, and how far they are apart.
const ID: (i64, i64) = (62_000_000_000_000_000, 4 * 65_536);

/// As many rows in `body` and in `progress` as asked for, written by SQLite itself; in the log too if it is kept.
fn spread(folder: &std::path::Path, rows: i64) {
    open(folder).close();
    let connection = rusqlite::Connection::open(folder.join("mailward.db")).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    for (table, columns) in [("body", "id, bytes"), ("progress", "recipient, final, entry, record")] {
        let values = if table == "body" { "" } else { "0, 0, " };
        let insert = format!("INSERT INTO {table} ({columns}) VALUES ({values}?1, ?2)");
        let mut insert = connection.prepare(&insert).unwrap();
        for row in 0..rows {
            insert.execute((ID.0 + row * ID.1, vec![b'x'; 300])).unwrap();
        }
    }
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

fn rows(opened: &Opened, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    opened.reader().unwrap().query_row(&count, [], |row| row.get(0)).unwrap()
}

/// Ids lie far apart: no search among the keys finds where the next leaf begins.
#[test]
fn however_many_leaves_are_gone_what_is_on_the_others_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    spread(folder.path(), 6_000);
    let mut kept = Vec::new();
    for table in ["body", "progress"] {
        let leaves = leaves(folder.path(), table);
        let last = leaves.len() - 1;
        let gone = [0, 1, 2, 90, 92, 94, 95, 200, last / 2, last - 2, last];
        // In a table without row ids, a row that parts two leaves is found through one of them.
        let between = if table == "body" { 0 } else { gone.windows(2).filter(|two| two[0] + 1 == two[1]).count() };
        let lost = gone.iter().map(|at| leaves[*at].1).sum::<i64>() + between as i64;
        gone.iter().for_each(|at| zero(folder.path(), leaves[*at].0));
        kept.push(6_000 - lost);
    }
    let opened = open(folder.path());
    assert_eq!([rows(&opened, "body"), rows(&opened, "progress")], [kept[0], kept[1]]);
}

#[test]
fn a_large_queue_is_salvaged_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    spread(folder.path(), 100_000);
    let leaves = leaves(folder.path(), "body");
    let gone = [0, leaves.len() / 2, leaves.len() - 1].map(|at| leaves[at]);
    gone.iter().for_each(|(page, _)| zero(folder.path(), *page));
    let begun = std::time::Instant::now();
    let opened = open(folder.path());
    let took = begun.elapsed();
    println!("{} leaves, salvaged in {took:?}", leaves.len());
    assert_eq!(rows(&opened, "body"), 100_000 - gone.iter().map(|(_, rows)| rows).sum::<i64>());
    assert!(took < Duration::from_secs(30), "{took:?}");
}

/// Mail is found by its date in an index: one flipped bit there, and nobody would ever look for it again.
#[tokio::test]
async fn an_index_that_differs_from_its_table_is_made_anew() {
    const DUE: i64 = 0x0123_4567_89ab;
    let folder = tempfile::tempdir().unwrap();
    let opened = open(folder.path());
    let row = "INSERT INTO progress (entry, recipient, final, record, due, lane) VALUES (?1, 0, 0, x'', ?2, 'a')";
    let rows = (1..=3).map(|entry| Change::new(row, vec![Value::Int(entry), Value::Int(DUE)]));
    opened.store.commit(rows.collect()).await.unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'progress_due'";
    let root: u32 = opened.reader().unwrap().query_row(root, [], |row| row.get(0)).unwrap();
    opened.close();
    // What is in the log goes into the database with the last connection.
    open(folder.path()).close();
    let database = folder.path().join("mailward.db");
    let mut octets = std::fs::read(&database).unwrap();
    let page = (root as usize - 1) * 4096..root as usize * 4096;
    let cell = memchr::memmem::find(&octets[page.clone()], &DUE.to_be_bytes()[2..]).unwrap();
    octets[page.start + cell] ^= 0x40;
    std::fs::write(&database, octets).unwrap();
    let opened = open(folder.path());
    let due = "SELECT count(*) FROM progress INDEXED BY progress_due WHERE due <= ?1";
    let due: i64 = opened.reader().unwrap().query_row(due, [DUE], |row| row.get(0)).unwrap();
    assert_eq!(due, 3);
    assert!(folder.path().join("damaged-1").exists());
}
