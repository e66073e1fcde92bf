//! Each row of the table in `src/queue/states.rs`: a data folder as a crash leaves it, and what the next start makes of it.
//!
//! A case is a folder of tests/queue, named as a sentence: `before.sql` (and `bodies/`) into a fresh data folder of schema 1
//! (so every case is migrated, too), `before-3.sql` behind the migrations to schema 3 for what is new in it, and `after.toml` with what is there once nothing moves any more. In the SQL `NOW`,
//! `NOW-60` and `NOW+60` are milliseconds of the wall clock with an offset in seconds, `ID_NOW` is an entry id of this moment. A head is
//! one line; it is written on several here, to be read.

use crate::lab::peers::{Behaviour, Peer, Received};
use crate::lab::until;
use crate::world::{Gateway, POLICY, Setup, World};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The rows of the table.
fn rows_of_the_table() -> BTreeSet<String> {
    let table = include_str!("../../src/queue/states.rs");
    let cells = table.lines().filter_map(|l| l.strip_prefix("//! | ")?.split_once(" |")).map(|(first, _)| first);
    cells.filter(|first| *first != "state").map(str::to_owned).collect()
}

/// What is there when nothing moves any more.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct After {
    /// The row of the table.
    state: String,
    delivered: Vec<String>,
    /// `ID STATE RECIPIENTS REASON ATTEMPTS`
    queue: Vec<String>,
    /// `READER: ACTION RECIPIENT REASON`
    told: Vec<String>,
    /// Body files.
    files: Vec<String>,
    /// Rows of the table `entry`.
    entries: u32,
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/queue");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    cases.retain(|case| case.join("before.sql").exists());
    cases.sort();
    cases
}

/// The SQL with its times.
fn dated(sql: &str) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let mut pieces = sql.split("NOW");
    let mut out = pieces.next().unwrap().to_owned();
    for piece in pieces {
        if let Some(before) = out.strip_suffix("ID_") {
            out = format!("{before}{}{piece}", now << 21);
            continue;
        }
        let end = piece.find(|c: char| !c.is_ascii_digit() && !"+-".contains(c)).unwrap_or(piece.len());
        let offset: i64 = if end == 0 { 0 } else { piece[..end].parse().unwrap() };
        out.push_str(&format!("{}{}", now + offset * 1_000, &piece[end..]));
    }
    out
}

/// The data folder as the crash left it.
fn lay(case: &Path, gateway: &Gateway) {
    let data = gateway.folder.path().join("data");
    fs::create_dir_all(data.join("bodies")).unwrap();
    let database = rusqlite::Connection::open(data.join("mailward.db")).unwrap();
    let schema = include_str!("../../src/store/schema_001.sql");
    let before = dated(&fs::read_to_string(case.join("before.sql")).unwrap());
    database.execute_batch(&format!("{schema} PRAGMA user_version = 1; {before}")).unwrap();
    if let Ok(newer) = fs::read_to_string(case.join("before-3.sql")) {
        for schema in [include_str!("../../src/store/schema_002.sql"), include_str!("../../src/store/schema_003.sql")] {
            database.execute_batch(schema).unwrap();
        }
        database.execute_batch(&format!("PRAGMA user_version = 3; {}", dated(&newer))).unwrap();
    }
    for file in fs::read_dir(case.join("bodies")).into_iter().flatten() {
        let file = file.unwrap();
        fs::copy(file.path(), data.join("bodies").join(file.file_name())).unwrap();
    }
}

/// The peers of all cases, and how much each had received when the case began.
struct Seen<'a> {
    partner: (&'a Peer, usize),
    exchange: (&'a Peer, usize),
}

fn since((peer, before): (&Peer, usize)) -> Vec<Received> {
    peer.received().split_off(before)
}

/// `failed b@plain.example expired`
fn news(report: &Received) -> String {
    let text = report.text();
    let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or("?").to_owned();
    let recipient = field("Final-Recipient: rfc822; ");
    format!("{}: {} {recipient} {}", report.recipients[0], field("Action: "), field("X-Mailward-Reason: "))
}

fn found(state: &str, gateway: &Gateway, seen: &Seen<'_>) -> After {
    let row = |row: serde_json::Value| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        let recipients: Vec<&str> = row["recipients"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
        format!("{} {} {} {} {}", text("id"), text("state"), recipients.join(","), text("reason"), row["attempts"])
    };
    let data = gateway.folder.path().join("data");
    let files = fs::read_dir(data.join("bodies")).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    let database = rusqlite::Connection::open(data.join("mailward.db")).unwrap();
    let mut after = After {
        state: state.to_owned(),
        delivered: since(seen.partner).into_iter().flat_map(|r| r.recipients).collect(),
        queue: gateway.queue().into_iter().map(row).collect(),
        told: since(seen.exchange).iter().map(news).collect(),
        files: files.collect(),
        entries: database.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap(),
    };
    [&mut after.delivered, &mut after.queue, &mut after.told, &mut after.files].into_iter().for_each(|l| l.sort());
    after
}

#[test]
fn each_state_of_the_table_is_recovered_as_it_says() {
    let world = World::new(124);
    let exchange = world.exchange();
    let partner = world.mx(10, "partner.example", Behaviour::default());
    let _plain = world.mx(11, "plain.example", Behaviour::default());
    let _slow = world.mx(12, "slow.example", Behaviour { defers: 10_000, ..Behaviour::default() });
    let setup = Setup { policy: POLICY, ..Setup::default() };
    let mut rows = BTreeSet::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let expected: After = toml::from_str(&fs::read_to_string(case.join("after.toml")).unwrap()).unwrap();
        let seen =
            Seen { partner: (&partner, partner.received().len()), exchange: (&exchange, exchange.received().len()) };
        let mut gateway = world.prepared(&setup);
        lay(&case, &gateway);
        gateway.start();
        until(|| (found(&expected.state, &gateway, &seen) == expected).then_some(()));
        // Whatever is still moving ends here; what must not happen has had its time.
        gateway.terminate();
        assert!(gateway.wait_for_end().success(), "{name}\n{}", gateway.log());
        assert_eq!(found(&expected.state, &gateway, &seen), expected, "{name}\n{}", gateway.log());
        rows.insert(expected.state);
    }
    assert_eq!(rows, rows_of_the_table(), "a case for every row, and none of a row that the table does not have");
    assert!(rows.len() >= 7, "the table was not found: {rows:?}");
}
