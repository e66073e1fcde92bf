//! What people do to the queue: hold, release, release in clear, reroute, bounce. Written down with who and why, then heeded.
//!
//! Called by `server`. Promises: what is asked is on stable storage with its action before it is answered, a page of entries
//! at a time, so that no sender waits long for a flush; an attempt that is under way is finished first; nothing is lowered
//! without a name and a reason; a recipient that the order does not fit is left alone and counted. Fails with a sentence:
//! nobody has that name, a text that may be clinical, the store.

use super::order::{Left, Order, fitting};
use super::select::{self, Chosen};
use super::{Filter, order};
use crate::clock::{EntryId, Now, Wall};
use crate::decide::Judge;
use crate::deliver::Delivery;
use crate::queue::entry::{self, Progress};
use crate::queue::{Instruction, Lane};
use crate::record::{Action, Doing};
use crate::store::{Change, StoreError};
use crate::vocabulary::{Level, Reason};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of a reason or a name at most.
const TEXT: usize = 500;

/// What a person asks of the queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    pub filter: Filter,
    pub order: Order,
    /// The name that is given.
    pub by: Option<String>,
    pub because: Option<String>,
}

/// One order on its way through the queue.
pub struct Instruct<'a> {
    pub delivery: &'a Arc<Delivery>,
    pub reader: &'a Connection,
    pub uid: u32,
    pub runtime: &'a tokio::runtime::Handle,
}

/// What came of it.
#[derive(Debug, Default)]
struct Done {
    entries: Vec<EntryId>,
    recipients: usize,
    /// Entries that were being attempted: what was asked holds from the attempt's end.
    being_attempted: usize,
    lowered: usize,
    left: BTreeMap<Left, usize>,
}

/// What one page changes.
#[derive(Default)]
struct Changes {
    changes: Vec<Change>,
    entries: Vec<EntryId>,
    recipients: usize,
    lowered: usize,
}

impl Instruct<'_> {
    /// Does it, and says how much was done.
    ///
    /// # Errors
    /// With a sentence and a hint; what was done until then stays done and is on record.
    pub fn run(&self, wanted: &Wanted) -> Result<Value, String> {
        self.check(wanted)?;
        let action = self.delivery.ids.next(Now::read().wall);
        let mut done = Done::default();
        let ran = self.run_pages(wanted, action, &mut done);
        self.look_now(&mut done.entries);
        self.tell(wanted, action, &done);
        ran.map_err(|error| format!("{error} ({} messages were changed before)", done.entries.len()))?;
        Ok(answer(&wanted.order, action, &done))
    }

    fn check(&self, wanted: &Wanted) -> Result<(), String> {
        order::known(&wanted.order, self.delivery)?;
        if wanted.order.is_release() && (wanted.by.is_none() || wanted.because.is_none()) {
            return Err("a release needs a name and a reason\nhint: add --because TEXT --by NAME".to_owned());
        }
        let judge = self.delivery.judge.now();
        let given = [("--by", &wanted.by), ("--because", &wanted.because)];
        given.into_iter().try_for_each(|(option, text)| match text {
            Some(text) => check_text(&judge, option, text),
            None => Ok(()),
        })
    }

    fn run_pages(&self, wanted: &Wanted, action: EntryId, done: &mut Done) -> Result<(), StoreError> {
        // What was delivered a moment ago is marked first.
        self.runtime.block_on(self.delivery.store.flush())?;
        let mut after = None;
        loop {
            let now = Now::read().wall;
            let page = select::page(self.reader, &wanted.filter, after)?;
            let mut changes = self.changes(wanted, &page.chosen, (action, &mut done.left), now);
            if !changes.entries.is_empty() {
                if done.entries.is_empty() {
                    changes.changes.insert(0, self.action(wanted).kept(action));
                }
                // Before and after: an attempt that read the entry as it was, and ends between the commit and the second call, would
                // write its own date over this one and hear of nothing.
                self.delivery.under_way.instructed(&changes.entries);
                self.runtime.block_on(self.delivery.store.commit(changes.changes))?;
                self.delivery.schedule.backlog.expect(now);
                done.being_attempted += self.delivery.under_way.instructed(&changes.entries);
                self.delivery.metrics.released_in_clear.inc_by(changes.lowered as u64);
                done.entries.extend(changes.entries);
                done.recipients += changes.recipients;
                done.lowered += changes.lowered;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn action(&self, wanted: &Wanted) -> Action {
        Action {
            at: Now::read().wall,
            uid: self.uid,
            by: wanted.by.clone(),
            because: wanted.because.clone(),
            verb: wanted.order.name().to_owned(),
            to: wanted.order.route().map(ToString::to_string),
            selection: serde_json::to_value(&wanted.filter).unwrap_or_default(),
        }
    }

    fn changes(
        &self,
        wanted: &Wanted,
        chosen: &[Chosen],
        (action, left): (EntryId, &mut BTreeMap<Left, usize>),
        now: Wall,
    ) -> Changes {
        let mut all = Changes::default();
        for one in chosen {
            let mut doing = Doing::default();
            for (number, recipient) in one.rows.iter().filter_map(|row| row.numbers.first().zip(row.recipients.first()))
            {
                match fitting(&wanted.order, self.delivery, (&one.entry, *number), &wanted.filter) {
                    Ok(instruction) => {
                        doing.recipients.push(recipient.clone());
                        doing.lowered_from.extend(newly_lowered(&wanted.order, &instruction));
                        all.changes.push(instruction.kept(one.entry.id, *number));
                        all.changes.push(awake(one, *number, &instruction, now));
                    }
                    Err(why) => *left.entry(why).or_default() += 1,
                }
            }
            if !doing.recipients.is_empty() {
                all.recipients += doing.recipients.len();
                all.lowered += doing.lowered_from.len();
                all.entries.push(one.entry.id);
                all.changes.push(doing.kept(action, one.entry.id));
            }
        }
        all
    }

    /// Brings what was changed before the attempts' eyes.
    fn look_now(&self, entries: &mut [EntryId]) {
        entries.sort_unstable();
        let operators = Arc::new(Lane::operator());
        self.delivery.schedule.divert(|task| entries.binary_search(&task.entry).is_ok(), &operators);
    }

    fn tell(&self, wanted: &Wanted, action: EntryId, done: &Done) {
        if done.entries.is_empty() {
            // No action is on record, so none is named.
            return tracing::info!(verb = wanted.order.name(), uid = self.uid, "an operator's order changed nothing");
        }
        let masked = |text: &Option<String>| text.as_deref().map(mask);
        tracing::warn!(
            %action, verb = wanted.order.name(), uid = self.uid, by = masked(&wanted.by), because = masked(&wanted.because),
            messages = done.entries.len(), recipients = done.recipients, lowered = done.lowered, "operator"
        );
    }
}

/// People type what they like: digits are no business of the log.
fn mask(text: &str) -> String {
    text.chars().map(|c| if c.is_numeric() { '#' } else { c }).collect()
}

fn newly_lowered(order: &Order, instruction: &Instruction) -> Option<Level> {
    instruction.lowered_from.filter(|_| *order == Order::ReleaseInClear)
}

/// It is looked at now. What a person held waits for nobody any more once it is released.
fn awake(chosen: &Chosen, number: u16, instruction: &Instruction, now: Wall) -> Change {
    let id = chosen.entry.id;
    let known = chosen.progress.iter().find(|(r, _)| *r == number).map(|(_, progress)| progress.clone());
    match known {
        Some(Progress::Waiting { attempts, told, reason: Reason::HeldByOperator, status, host, names, .. })
            if instruction.stop.is_none() =>
        {
            let (reason, next_attempt) = (Reason::Waiting, now);
            Progress::Waiting { attempts, held: false, told, next_attempt, reason, status, host, names }
                .rewritten(id, number)
        }
        _ => entry::looked_at(id, number, now),
    }
}

fn answer(order: &Order, action: EntryId, done: &Done) -> Value {
    let left: BTreeMap<&str, usize> = done.left.iter().map(|(why, count)| (why.name(), *count)).collect();
    let mut answer = json!({
        "action": (!done.entries.is_empty()).then_some(action),
        "recipients": done.recipients,
        "lowered": done.lowered,
        "being_attempted": done.being_attempted,
        "left_alone": left,
    });
    answer[order.done()] = done.entries.len().into();
    answer
}

/// What is kept for two years and read by many says nothing about a patient.
pub(super) fn check_text(judge: &Judge, option: &str, text: &str) -> Result<(), String> {
    let empty = text.trim().is_empty();
    if empty || text.chars().count() > TEXT || text.chars().any(char::is_control) {
        return Err(format!(
            "{option} takes one line of 1 to {TEXT} characters\nhint: say who, or why, in a few words"
        ));
    }
    let message = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n");
    match judge.inspect(message.as_bytes()).findings.first() {
        Some(found) => Err(format!(
            "{option} seems to speak of a patient ({}), and it is kept on record\n\
             hint: name a ticket or an incident in its place",
            found.kind
        )),
        None => Ok(()),
    }
}
