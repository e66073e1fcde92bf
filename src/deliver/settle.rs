//! What an attempt came to, recipient by recipient: delivered, waiting, or failed with its sender told.
//!
//! Called by `attempt` and when a lane is missed. Promises: a failure and its notice are one batch; delivered marks ride;
//! nothing is settled in the schedule before it is settled in the store, but what merely waits. When the store refuses,
//! the recipients wait and are tried again.

use super::Delivery;
use super::attempt::all;
use super::attempted::{Attempt, Setting};
use super::heed::stopped;
use super::link::Missed;
use super::next::{Next, Shortfall, Times, is_for_good, next};
use super::waited::waited;
use crate::clock::{Now, Wall};
use crate::decide::announce::{Announced, News};
use crate::mail::Link;
use crate::policy::Requirement;
use crate::queue::{Destination, Entry, Lane, Progress, State, Task, entry, tasks};
use crate::record::{self, Ending};
use crate::smtp::client::Refusal;
use crate::store::Change;
use crate::vocabulary::{Direction, Level, Outcome, Reason};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What an attempt adds up to.
#[derive(Default)]
pub(super) struct Settled {
    pub delivered: Vec<u16>,
    pub failed: Vec<(u16, Reason)>,
    /// Recipients that wait, by whether they are held and why.
    waiting: BTreeMap<(bool, &'static str), (Reason, Vec<u16>)>,
}

/// Recipients that go on waiting, what is kept of them, and who is told.
struct Waiting {
    task: Task,
    due: Wall,
    progress: Vec<(u16, Progress)>,
    announced: Vec<Announced>,
}

impl Delivery {
    /// A link could not be opened: everything that is ready in its lane shares its fate.
    pub(super) async fn lane_missed(self: &Arc<Self>, lane: &Arc<Lane>, missed: &Missed) {
        if lane.destination != Destination::Operator {
            tracing::info!(%lane, reason = %missed.reason, host = missed.host, "no link");
        }
        for task in self.schedule.missed(lane) {
            let turn = self.under_way.begin(task.entry);
            self.task_missed(task, missed).await;
            self.end(turn);
        }
    }

    /// One task's share of its lane's fate.
    async fn task_missed(self: &Arc<Self>, mut task: Task, missed: &Missed) {
        let entry = match self.entry_of(&task).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(entry = %task.entry, %error, "an entry cannot be read back and waits");
                return self.put_off(task);
            }
        };
        self.move_to_their_lanes(&mut task, &entry);
        if task.recipients.is_empty() {
            return;
        }
        let stripped =
            missed.reason == Reason::StrippingSuspected && missed.link.as_ref().is_some_and(|link| link.tls.is_none());
        if (stripped || matches!(missed.reason, Reason::TlsNotOffered | Reason::TlsMasked))
            && task.attempts == 0
            && entry.is_in_class()
        {
            self.metrics.kept_from_cleartext.inc_by(task.recipients.len() as u64);
        }
        let attempted = match task.lane.destination {
            Destination::Operator => stopped(&task, &entry),
            _ => all(&task, &Refusal { reason: self.causes.behind(missed.reason), status: missed.status.clone() }),
        };
        let setting = Setting { link: missed.link.clone(), host: missed.host.clone(), offers_dsn: false };
        self.settle(Attempt { task, entry, attempted, setting, now: Now::read() }).await;
    }

    /// The task as it is, a little later: the cause is ours.
    pub(super) fn put_off(&self, task: Task) {
        let pause = self.terms().retry.pause(task.attempts.max(1), task.entry);
        self.schedule.put_off(task, Now::read().wall.plus(pause));
    }

    pub(super) async fn settle(self: &Arc<Self>, attempt: Attempt) {
        let mut settled = self.sort(&attempt);
        // Notices first: they show the message's header section, which goes with its entry.
        let mut news = self.tell(&attempt, News::Failed, &settled.failed).await;
        news.extend(self.tell(&attempt, News::Relayed, &to_report(&attempt, &settled)).await);
        let waiting = self.waiting(&attempt, &settled).await;
        let mut changes = self.endings(&attempt, delivered(&settled));
        changes.extend(self.endings(&attempt, failed(&settled)));
        for waiting in &waiting {
            let (lane, class) = (&waiting.task.lane, waiting.task.class.as_deref());
            changes.extend(waiting.progress.iter().map(|(r, p)| p.kept_in(attempt.entry.id, *r, lane, class)));
            news.extend(waiting.announced.iter().cloned());
        }
        changes.extend(news.iter().flat_map(Announced::admitted));
        if news.is_empty() && settled.failed.is_empty() {
            self.store.ride(changes);
        } else if let Err(error) = self.store.commit(changes).await {
            tracing::error!(entry = %attempt.entry.id, %error, "an outcome could not be kept; it will be tried again");
            // What was delivered stays delivered, whatever becomes of the rest.
            self.store.ride(self.endings(&attempt, delivered(&settled)));
            settled.failed.clear();
            self.count(&attempt, &settled);
            return self.try_rest_again(&attempt);
        }
        for announced in news {
            tasks::enqueue(&announced.entry, None, &self.routes.now(), &self.schedule);
        }
        self.count(&attempt, &settled);
        for waiting in waiting {
            self.schedule.backlog.expect(waiting.due);
        }
    }

    fn try_rest_again(&self, attempt: &Attempt) {
        let left: Vec<u16> = attempt.attempted.iter().filter(|a| a.result.is_err()).map(|a| a.recipient).collect();
        if !left.is_empty() {
            self.put_off(attempt.task.for_recipients(left));
        }
    }

    fn sort(&self, attempt: &Attempt) -> Settled {
        let mut settled = Settled::default();
        let (held, terms) = (attempt.task.state == State::Held, self.terms());
        let times = Times {
            accepted: attempt.task.accepted,
            attempts: attempt.task.attempts,
            now: attempt.now.wall,
            excused: Duration::ZERO,
            held,
            retry: &terms.retry,
        };
        for one in &attempt.attempted {
            let refusal = match &one.result {
                Ok(_) => {
                    settled.delivered.push(one.recipient);
                    continue;
                }
                Err(refusal) => refusal,
            };
            let requirement = self.requirement(&attempt.entry, one.recipient);
            let shortfall = self.is_shortfall(attempt, one.recipient, refusal.reason, &requirement);
            let excused = self.causes.excused(attempt.task.accepted, attempt.now, refusal.reason);
            let held = match next(refusal, shortfall, &requirement, Times { excused, ..times }) {
                Next::Fail(reason) => {
                    settled.failed.push((one.recipient, reason));
                    continue;
                }
                Next::Defer => false,
                Next::Hold => true,
            };
            let group = settled.waiting.entry((held, refusal.reason.name())).or_insert((refusal.reason, Vec::new()));
            group.1.push(one.recipient);
        }
        settled
    }

    /// Whether the attempt failed for want of what the rules ask, or of what the sender asked by REQUIRETLS. Mail that came in was judged on its way in, and the own
    /// floor of a site's or relay's leg is ours: these wait like any other fault of a network.
    pub(super) fn is_shortfall(
        &self,
        attempt: &Attempt,
        recipient: u16,
        reason: Reason,
        requirement: &Requirement,
    ) -> Shortfall {
        let reached = attempt.setting.link.as_ref().map_or(Level::Any, Link::level);
        let asked = attempt.entry.direction(recipient) != Direction::Inbound && reached < requirement.level;
        let link = attempt.setting.link.as_ref();
        let of_sender =
            attempt.entry.envelope.goes_by_require_tls_only() && link.is_none_or(|link| link.no_require_tls.is_some());
        match reason {
            reason if is_for_good(reason) => Shortfall::OfRules,
            reason if of_sender && reason.is_of_protection() => Shortfall::OfSender,
            reason if asked && reason.is_of_protection() => Shortfall::OfRules,
            _ => Shortfall::None,
        }
    }

    /// What is final: records of how it ended, and the entry's rows that go with its last recipient.
    fn endings(&self, attempt: &Attempt, ended: Vec<(u16, Reason, Outcome)>) -> Vec<Change> {
        let entry = &attempt.entry;
        let mut changes = Vec::new();
        let mut last = Vec::new();
        for (recipient, reason, outcome) in ended {
            last.push(recipient);
            changes.push(record::ended(entry.id, recipient, &ending(attempt, recipient, outcome, reason)));
        }
        if !last.is_empty() {
            let file = entry.large.then(|| self.store.bodies().path(entry.id.row()));
            changes.extend(entry.finished(&last, file));
        }
        changes
    }

    /// The recipients that go on waiting: a task for each reason.
    async fn waiting(self: &Arc<Self>, attempt: &Attempt, settled: &Settled) -> Vec<Waiting> {
        let before = self.before(attempt).await;
        let mut waiting = Vec::new();
        for ((held, _), (reason, recipients)) in &settled.waiting {
            let state = if *held { State::Held } else { State::Deferred };
            let mut task = Task {
                attempts: attempt.task.attempts + 1,
                state,
                reason: *reason,
                warm: None,
                ..attempt.task.for_recipients(recipients.clone())
            };
            // What a person holds is told of when waiting has to be told: many a hold is over sooner.
            let newly_held = *held && attempt.task.state != State::Held && *reason != Reason::HeldByOperator;
            if newly_held {
                self.count_held_journal(&task, &attempt.entry);
            }
            let age = self.age(attempt);
            let mut announced = Vec::new();
            if newly_held || (!task.told && age >= self.tell_after(&task, &attempt.entry)) {
                task.told = true;
                let news = if *held { News::Held } else { News::Delayed };
                let about: Vec<_> = recipients.iter().map(|r| (*r, *reason)).collect();
                announced = self.tell(attempt, news, &about).await;
            }
            let due = self.next_attempt(&task, attempt);
            let progress = recipients.iter().map(|r| (*r, progress_of(&task, attempt, (*r, due), &before))).collect();
            waiting.push(Waiting { task, due, progress, announced });
        }
        waiting
    }

    /// What is known of an operator's recipients: where their last attempt ended is not forgotten by a hold.
    async fn before(self: &Arc<Self>, attempt: &Attempt) -> Vec<(u16, Progress)> {
        let id = attempt.entry.id;
        match attempt.task.lane.destination {
            Destination::Operator => self.read(move |c| entry::read_progress(c, id)).await.unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// How long after accept the sender hears that the mail waits.
    fn tell_after(&self, task: &Task, entry: &Entry) -> Duration {
        let told = task.recipients.iter().map(|r| self.requirement(entry, *r).tell_sender).min();
        told.unwrap_or(Duration::from_secs(4 * 3_600))
    }

    fn age(&self, attempt: &Attempt) -> Duration {
        waited((attempt.task.accepted, attempt.task.attempts), attempt.now.wall, &self.terms().retry)
    }

    /// The next date by the schedule, but not later than the moment when the sender has to be told.
    fn next_attempt(&self, task: &Task, attempt: &Attempt) -> Wall {
        let pause = self.terms().retry.pause(task.attempts, task.entry);
        let age = self.age(attempt);
        let until_told = self.tell_after(task, &attempt.entry).saturating_sub(age);
        let pause = if task.told || until_told.is_zero() { pause } else { pause.min(until_told) };
        attempt.now.wall.plus(pause)
    }
}

fn delivered(settled: &Settled) -> Vec<(u16, Reason, Outcome)> {
    settled.delivered.iter().map(|r| (*r, Reason::Delivered, Outcome::Delivered)).collect()
}

fn failed(settled: &Settled) -> Vec<(u16, Reason, Outcome)> {
    settled.failed.iter().map(|(r, reason)| (*r, *reason, outcome_of(*reason))).collect()
}

/// Delivered recipients whose success has to be reported by us, because the peer will not (RFC 3461 5.2.2).
fn to_report(attempt: &Attempt, settled: &Settled) -> Vec<(u16, Reason)> {
    let wants = |r: &&u16| {
        let recipient = attempt.entry.envelope.recipients.get(usize::from(**r));
        !attempt.setting.offers_dsn && recipient.is_some_and(|r| r.wants_success())
    };
    settled.delivered.iter().filter(wants).map(|r| (*r, Reason::Delivered)).collect()
}

fn progress_of(task: &Task, attempt: &Attempt, (recipient, due): (u16, Wall), before: &[(u16, Progress)]) -> Progress {
    let (status, host) = match before.iter().find(|(known, _)| *known == recipient) {
        Some((_, Progress::Waiting { status, host, .. })) => (status.clone(), host.clone()),
        _ => (attempt.status_of(recipient), attempt.setting.host.clone()),
    };
    Progress::Waiting {
        attempts: task.attempts,
        held: task.state == State::Held,
        told: task.told,
        next_attempt: due,
        reason: task.reason,
        status,
        host,
        names: attempt.other_names(task.reason),
    }
}

pub(super) fn outcome_of(reason: Reason) -> Outcome {
    if reason == Reason::Expired { Outcome::Expired } else { Outcome::Failed }
}

fn ending(attempt: &Attempt, recipient: u16, outcome: Outcome, reason: Reason) -> Ending {
    let (entry, link) = (&attempt.entry, attempt.setting.link.as_ref());
    let mailbox = entry.envelope.recipients.get(usize::from(recipient)).map(|r| r.mailbox.to_string());
    Ending {
        at: attempt.now.wall,
        recipient: mailbox.unwrap_or_default(),
        direction: entry.direction(recipient),
        outcome,
        reason,
        last_reason: attempt.behind(recipient, reason),
        host: attempt.setting.host.clone(),
        address: link.map(|l| l.address.to_string()),
        tls: link.and_then(|l| l.tls.as_ref()).map(|t| format!("{} {}", t.version.name(), t.cipher)),
        proof: link.map(|l| l.proof.name().to_owned()),
        reached: link.map(|l| l.level().name().to_owned()),
        status: attempt.status_of(recipient),
        attempts: attempt.task.attempts + 1,
    }
}
