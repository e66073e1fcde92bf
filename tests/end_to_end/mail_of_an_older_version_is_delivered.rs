//! A data folder that an older version of the schema wrote, with entries in each state: it is taken over, and its mail arrives.

use crate::lab::peers::{Behaviour, Tls};
use crate::lab::until;
use crate::world::{Setup, World};
use rusqlite::Connection;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A data folder of an older version, and what becomes of it.
struct Case {
    /// Of the world.
    number: u8,
    rows: &'static str,
    /// Never tried: not more than so many are still there at the start.
    active: usize,
    deferred: usize,
    /// Who of lost.example gets a message.
    lost: &'static [&'static str],
    /// Notices that waited.
    notices: usize,
}

#[test]
fn every_state_of_schema_1_is_taken_over_and_everything_is_delivered() {
    let rows = include_str!("../queue/schema_001.sql");
    is_taken_over(&Case { number: 110, rows, active: 1, deferred: 5, lost: &["b@lost.example"], notices: 2 });
}

#[test]
fn every_state_of_schema_2_is_taken_over_and_everything_is_delivered() {
    let rows = include_str!("../queue/schema_002.sql");
    is_taken_over(&Case {
        number: 111,
        rows,
        active: 2,
        deferred: 3,
        lost: &["b@lost.example", "b@lost.example"],
        notices: 0,
    });
}

fn is_taken_over(case: &Case) {
    let world = World::new(case.number);
    let exchange = world.exchange();
    let hosts = ["partner.example", "down.example", "lost.example"];
    let peers = [10u8, 11, 12].map(|host| {
        let domain = hosts[usize::from(host) - 10];
        let name = format!("mx.{domain}");
        world.mx(host, domain, Behaviour { tls: Tls::Shows(world.ca.good(&[&name])), ..Behaviour::default() })
    });
    let mut gateway = world.prepared(&Setup::default());
    let data = gateway.folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let database = Connection::open(data.join("mailward.db")).unwrap();
    database.execute_batch(case.rows).unwrap();
    // It was stopped a moment ago: its dates are an hour away.
    let hour = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3_600);
    let dated = "UPDATE progress SET record = CAST(json_set(CAST(record AS TEXT), '$.waiting.next_attempt', ?1) AS BLOB) \
                 WHERE final = 0 AND json_extract(CAST(record AS TEXT), '$.waiting.attempts') > 0";
    let hour = i64::try_from(hour.as_millis()).unwrap();
    database.execute(dated, [hour]).unwrap();
    if database.prepare("SELECT due FROM progress").is_ok() {
        database.execute("UPDATE progress SET due = ?1 WHERE due IS NOT NULL AND state <> 'active'", [hour]).unwrap();
    }
    drop(database);
    gateway.start();
    let rows = gateway.queue();
    let states = |state: &str| rows.iter().filter(|row| row["state"] == state).count();
    assert_eq!(
        (states("active") <= case.active, states("held"), states("deferred")),
        (true, 1, case.deferred),
        "{rows:?}"
    );
    // What was never tried goes at once; the others at their time, or when somebody asks.
    peers[1].wait_for(1);
    until(|| {
        gateway.cli(&["queue", "retry", "--yes"]);
        gateway.queue().is_empty().then_some(())
    })
    .unwrap_or_else(|| panic!("{:?}\n{}", gateway.queue(), gateway.log()));
    let arrived = |n: usize| {
        let mut to: Vec<String> = peers[n].received().iter().flat_map(|r| r.recipients.clone()).collect();
        to.sort();
        to
    };
    assert_eq!(arrived(0), ["c@partner.example", "later@partner.example"], "what was final is not sent again");
    assert_eq!(arrived(1), ["b@down.example", "e@down.example"]);
    assert_eq!(arrived(2), case.lost);
    assert_eq!(exchange.received().len(), case.notices, "those that waited, and no new one was made");
}
