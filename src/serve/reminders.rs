//! Before an exception ends, whoever approved it and the sites' duties hear of it: a week before, and a day before.
//!
//! Started by `serve`. Promises: each is told once for each end, over restarts too; who cannot be told now is told at the next look. Never
//! fails.

use crate::clock::{Now, Wall};
use crate::decide::announce::Announced;
use crate::deliver::Delivery;
use crate::policy::Ending;
use crate::queue::tasks;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 86_400_000;
/// Days before the end on which people are told, the first first.
const BEFORE: [i64; 2] = [7, 1];
/// Between two looks.
const LOOK: Duration = Duration::from_secs(15 * 60);
/// Before the first: the queue is being read back.
const FIRST: Duration = Duration::from_secs(5);

/// What was told already: a line for each.
fn file(data: &Path) -> PathBuf {
    data.join("reminded")
}

/// The reminder that is due: the latest whose day has come, by a name that no other end has.
fn due(ending: &Ending, now: Wall) -> Option<String> {
    let left = ending.ends.0.saturating_sub(now.0);
    let days = BEFORE.into_iter().filter(|days| left > 0 && left <= days * DAY).min()?;
    Some(format!("{} {} {days}", ending.name, ending.until))
}

pub(super) async fn remind(delivery: Arc<Delivery>, data: PathBuf) {
    tokio::time::sleep(FIRST).await;
    loop {
        look(&delivery, &data).await;
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(delivery: &Delivery, data: &Path) {
    let (now, judge) = (Now::read().wall, delivery.judge.now());
    let mut told: BTreeSet<String> =
        fs::read_to_string(file(data)).unwrap_or_default().lines().map(str::to_owned).collect();
    for ending in judge.policy.endings() {
        let Some(name) = due(&ending, now).filter(|name| !told.contains(name)) else { continue };
        let notices = delivery.announcer.remind(&ending);
        let changes = notices.iter().flat_map(Announced::admitted).collect();
        if let Err(error) = delivery.store.commit(changes).await {
            tracing::error!(exception = %ending.name, %error, "nobody could be told that an exception ends");
            continue;
        }
        tracing::warn!(exception = %ending.name, until = %ending.until, told = notices.len(), "an exception ends");
        notices.iter().for_each(|n| tasks::enqueue(&n.entry, None, &delivery.routes.now(), &delivery.schedule));
        told.insert(name);
        let text: String = told.iter().map(|line| format!("{line}\n")).collect();
        if let Err(error) = write(data, &text) {
            tracing::error!(%error, "who was told of an exception's end could not be kept: they may be told again");
        }
    }
}

fn write(data: &Path, text: &str) -> std::io::Result<()> {
    let beside = data.join("reminded.new");
    fs::write(&beside, text)?;
    fs::rename(beside, file(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_a_week_and_a_day_before_and_not_afterwards() {
        let ends = Wall(100 * DAY);
        let ending = Ending {
            name: "new-key".into(),
            at: "p.toml:1".into(),
            until: "2026-12-23".parse().unwrap(),
            ends,
            rules: Vec::new(),
            reason: String::new(),
            approved_by: String::new(),
        };
        let told = |before: i64| due(&ending, Wall(ends.0 - before));
        assert_eq!((told(8 * DAY), told(0), told(-DAY)), (None, None, None));
        assert_eq!(told(7 * DAY).as_deref(), Some("new-key 2026-12-23 7"));
        assert_eq!(told(DAY + 1).as_deref(), Some("new-key 2026-12-23 7"));
        assert_eq!(told(DAY).as_deref(), Some("new-key 2026-12-23 1"));
    }
}
