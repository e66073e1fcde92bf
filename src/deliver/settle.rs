//! What an attempt came to, recipient by recipient: delivered, waiting, or failed with its sender told.
//!
//! Called by `attempt` and when a lane is missed. Promises: a failure and its notice are one batch; delivered marks ride;
//! nothing is settled in the schedule before it is settled in the store, but what merely waits. When the store refuses,
//! the recipients wait and are tried again.

use super::Delivery;
use super::attempt::{Loaded, all, for_recipients};
use super::connection::Outgoing;
use super::link::Missed;
use super::verdict::{Next, Times, next};
use crate::clock::{Now, Wall};
use crate::decide::announce::{Announced, News, Told};
use crate::mail::{Enhanced, Link, Status};
use crate::queue::{Entry, Lane, Progress, State, Task, tasks};
use crate::record::{Ending, ended};
use crate::smtp::client::Refusal;
use crate::store::Change;
use crate::vocabulary::{Level, Outcome, Reason};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One recipient's part of an attempt.
#[derive(Debug)]
pub(super) struct Attempted {
    pub recipient: u16,
    pub result: Result<Status, Refusal>,
}

/// Where the attempt happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Setting {
    pub link: Option<Link>,
    pub host: Option<String>,
    /// The peer reports on its own what the sender asked to hear.
    pub offers_dsn: bool,
}

impl Setting {
    pub fn of(link: &Link) -> Setting {
        Setting { link: Some(link.clone()), host: Some(link.host.clone()), offers_dsn: false }
    }
}

/// What one attempt adds up to.
#[derive(Default)]
struct Settled {
    delivered: Vec<u16>,
    failed: Vec<(u16, Reason)>,
    /// Recipients that wait, by whether they are held and why.
    waiting: BTreeMap<(bool, &'static str), (Reason, Vec<u16>)>,
}

impl Delivery {
    /// A link could not be opened: everything that is ready in its lane shares its fate.
    pub(super) async fn lane_missed(self: &Arc<Self>, lane: &Arc<Lane>, missed: &Missed) {
        tracing::info!(lane = %lane.destination, level = %lane.level, reason = %missed.reason, host = missed.host, "no link");
        for mut task in self.schedule.take_all(lane) {
            let entry = match self.load(&mut task).await {
                Ok(Some(Loaded { entry, .. })) => entry,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(entry = %task.entry, %error, "an entry cannot be read back and waits");
                    self.put_off(task);
                    continue;
                }
            };
            if missed.reason == Reason::TlsNotOffered && task.attempts == 0 && entry.is_in_class() {
                self.metrics.kept_from_cleartext.inc_by(task.recipients.len() as u64);
            }
            let refusal = Refusal { reason: missed.reason, status: Some(missed.status.clone()) };
            let attempted = all(&task, &refusal);
            let setting = Setting { link: missed.link.clone(), host: missed.host.clone(), offers_dsn: false };
            self.settle(task, &entry, attempted, setting).await;
        }
    }

    /// The task as it is, a little later: the cause is ours.
    pub(super) fn put_off(&self, task: Task) {
        let pause = self.retry.pause(task.attempts.max(1), task.entry);
        self.schedule.defer(Task { warm: None, ..task }, Instant::now() + pause);
    }

    pub(super) async fn settle(
        self: &Arc<Self>,
        task: Task,
        entry: &Arc<Entry>,
        attempted: Vec<Attempted>,
        setting: Setting,
    ) {
        let now = Now::read();
        let settled = self.sort(&task, entry, &attempted, now.wall);
        let mut changes = self.endings(&task, entry, (&attempted, &settled), &setting, now.wall);
        let mut news: Vec<Announced> = Vec::new();
        if !settled.failed.is_empty() {
            news.extend(self.tell(entry, News::Failed, &settled.failed, (&attempted, &setting)).await);
        }
        let reported = self.reported(entry, &settled.delivered, &setting);
        if !reported.is_empty() {
            news.extend(self.tell(entry, News::Relayed, &reported, (&attempted, &setting)).await);
        }
        let waiting = self.waiting(&task, entry, &settled, (&attempted, &setting), now).await;
        for (_, progress, announced) in &waiting {
            changes.extend(progress.iter().map(|(r, p)| p.kept(entry.id, *r)));
            news.extend(announced.iter().cloned());
        }
        changes.extend(news.iter().flat_map(Announced::admitted));
        if news.is_empty() && settled.failed.is_empty() {
            self.store.ride(changes);
        } else if let Err(error) = self.store.commit(changes).await {
            tracing::error!(entry = %entry.id, %error, "an outcome could not be kept; it will be tried again");
            let all = attempted.iter().filter(|a| a.result.is_err()).map(|a| a.recipient).collect();
            return self.put_off(for_recipients(&task, all));
        }
        for announced in news {
            tasks::enqueue(&announced.entry, None, &self.routes, &self.schedule);
        }
        self.count(&task, entry, &settled, &setting);
        for (task, _, _) in waiting {
            let at = self.next_attempt(&task, entry, now);
            self.schedule.defer(task, at);
        }
    }

    fn sort(&self, task: &Task, entry: &Entry, attempted: &[Attempted], now: Wall) -> Settled {
        let mut settled = Settled::default();
        let times = Times { accepted: task.accepted, now, held: task.state == State::Held, retry: &self.retry };
        for one in attempted {
            let refusal = match &one.result {
                Ok(_) => {
                    settled.delivered.push(one.recipient);
                    continue;
                }
                Err(refusal) => refusal,
            };
            let requirement = self.requirement(entry, one.recipient);
            let held = match next(refusal.reason, refusal.status.as_ref(), &requirement, times) {
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

    /// What is final: records of how it ended, and the entry's rows that go with its last recipient.
    fn endings(
        &self,
        task: &Task,
        entry: &Entry,
        (attempted, settled): (&[Attempted], &Settled),
        setting: &Setting,
        now: Wall,
    ) -> Vec<Change> {
        let failed = settled.failed.iter().map(|(r, reason)| (*r, *reason, outcome_of(*reason)));
        let delivered = settled.delivered.iter().map(|r| (*r, Reason::Delivered, Outcome::Delivered));
        let mut changes = Vec::new();
        let mut last = Vec::new();
        for (recipient, reason, outcome) in delivered.chain(failed) {
            last.push(recipient);
            let ending = ending(entry, (recipient, reason, outcome), setting, (now, task.attempts + 1));
            let status = status_of(attempted, recipient);
            changes.push(ended(entry.id, recipient, &Ending { status, ..ending }));
        }
        if !last.is_empty() {
            let file = entry.large.then(|| self.store.bodies().path(entry.id.row()));
            changes.extend(entry.finished(&last, file));
        }
        changes
    }

    /// Delivered recipients whose success has to be reported by us, because the peer will not (RFC 3461 5.2.2).
    fn reported(&self, entry: &Entry, delivered: &[u16], setting: &Setting) -> Vec<(u16, Reason)> {
        let wants = |r: &&u16| {
            let recipient = entry.envelope.recipients.get(usize::from(**r));
            !setting.offers_dsn && recipient.is_some_and(|r| r.wants_success())
        };
        delivered.iter().filter(wants).map(|r| (*r, Reason::Delivered)).collect()
    }

    /// The tasks that go on waiting, what is kept of them, and who is told.
    async fn waiting(
        self: &Arc<Self>,
        task: &Task,
        entry: &Arc<Entry>,
        settled: &Settled,
        (attempted, setting): (&[Attempted], &Setting),
        now: Now,
    ) -> Vec<(Task, Vec<(u16, Progress)>, Vec<Announced>)> {
        let mut waiting = Vec::new();
        for ((held, _), (reason, recipients)) in &settled.waiting {
            let state = if *held { State::Held } else { State::Deferred };
            let newly_held = *held && task.state != State::Held;
            let mut task = Task {
                attempts: task.attempts + 1,
                state,
                reason: *reason,
                warm: None,
                ..for_recipients(task, recipients.clone())
            };
            let mut announced = Vec::new();
            let is_due = !task.told && now.wall.since(task.accepted) >= self.tell_after(&task, entry);
            if newly_held || is_due {
                task.told = true;
                let news = if *held { News::Held } else { News::Delayed };
                let told: Vec<_> = recipients.iter().map(|r| (*r, *reason)).collect();
                announced = self.tell(entry, news, &told, (attempted, setting)).await;
            }
            let next_attempt = now.wall.plus(self.next_attempt(&task, entry, now).saturating_duration_since(now.mono));
            let progress = |r: &u16| {
                let kept = Progress::Waiting {
                    attempts: task.attempts,
                    held: *held,
                    told: task.told,
                    next_attempt,
                    reason: *reason,
                    status: status_of(attempted, *r),
                    host: setting.host.clone(),
                };
                (*r, kept)
            };
            let progress = recipients.iter().map(progress).collect();
            waiting.push((task, progress, announced));
        }
        waiting
    }

    /// How long after accept the sender hears that the mail waits.
    fn tell_after(&self, task: &Task, entry: &Entry) -> Duration {
        let told = task.recipients.iter().map(|r| self.requirement(entry, *r).tell_sender).min();
        told.unwrap_or(Duration::from_secs(4 * 3_600))
    }

    /// The next date by the schedule, but not later than the moment when the sender has to be told.
    fn next_attempt(&self, task: &Task, entry: &Entry, now: Now) -> Instant {
        let pause = self.retry.pause(task.attempts, task.entry);
        let age = now.wall.since(task.accepted);
        let until_told = self.tell_after(task, entry).saturating_sub(age);
        let pause = if task.told || until_told.is_zero() { pause } else { pause.min(until_told) };
        now.mono + pause
    }

    /// Notices about some recipients, ready to be admitted.
    async fn tell(
        self: &Arc<Self>,
        entry: &Arc<Entry>,
        news: News,
        about: &[(u16, Reason)],
        (attempted, setting): (&[Attempted], &Setting),
    ) -> Vec<Announced> {
        let told: Vec<Told> = about
            .iter()
            .filter_map(|(recipient, reason)| {
                let status = status_of(attempted, *recipient).filter(|_| *reason != Reason::Expired);
                Some(Told {
                    recipient: entry.envelope.recipients.get(usize::from(*recipient))?.clone(),
                    requirement: self.requirement(entry, *recipient),
                    reason: *reason,
                    status: status.unwrap_or_else(|| general_status(*reason, news)),
                    host: setting.host.clone(),
                })
            })
            .collect();
        let original = self.original(entry).await;
        let announced = self.announcer.announce(entry, news, &told, &original);
        if announced.is_empty() && news == News::Failed && !entry.notice {
            self.metrics.refused_untold.inc_by(about.len() as u64);
        }
        announced
    }

    /// The message, or the beginning of a large one: at least its header section.
    async fn original(self: &Arc<Self>, entry: &Arc<Entry>) -> Vec<u8> {
        let mut probe = tasks::task(entry, Arc::new(Lane { destination: probe_lane(), level: Level::Any }), Vec::new());
        match self.load(&mut probe).await {
            Ok(Some(Loaded { message: Outgoing::Memory(body), .. })) => body.to_vec(),
            Ok(Some(Loaded { message: Outgoing::File(path), .. })) => {
                tokio::task::spawn_blocking(move || head_of(&path)).await.unwrap_or_default()
            }
            // A notice without the original's header section is still a notice.
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    fn count(&self, task: &Task, entry: &Entry, settled: &Settled, setting: &Setting) {
        for recipient in &settled.delivered {
            self.count_final(entry, *recipient, Outcome::Delivered, Reason::Delivered, setting);
            self.metrics.delivery_duration.observe(Now::read().wall.since(task.accepted).as_secs_f64());
        }
        for (recipient, reason) in &settled.failed {
            self.count_final(entry, *recipient, outcome_of(*reason), *reason, setting);
        }
        let Some(link) = setting.link.as_ref().filter(|_| !settled.delivered.is_empty()) else { return };
        let direction = entry.direction(settled.delivered[0]).name();
        match &link.tls {
            Some(tls) => {
                self.metrics.link_sessions.with_label_values(&[direction, tls.version.name(), link.proof.name()]).inc();
            }
            None => {
                let class = task.class.as_deref().unwrap_or(crate::metrics::NO_CLASS);
                self.metrics.cleartext_messages.with_label_values(&[direction, class]).inc();
            }
        }
    }

    fn count_final(&self, entry: &Entry, recipient: u16, outcome: Outcome, reason: Reason, setting: &Setting) {
        let direction = entry.direction(recipient);
        self.metrics.messages.with_label_values(&[direction.name(), outcome.name()]).inc();
        let mailbox = entry.envelope.recipients.get(usize::from(recipient)).map(|r| r.mailbox.domain().as_str());
        let level = setting.link.as_ref().map(Link::level);
        tracing::info!(
            entry = %entry.id, session = entry.session, %direction, domain = mailbox, %outcome, %reason,
            fault = %reason.fault(), host = setting.host, level = level.map(Level::name), "final"
        );
    }
}

/// A place that `original` needs to name and nobody goes to.
fn probe_lane() -> crate::queue::Destination {
    crate::queue::Destination::Relay("".into())
}

/// Enough of a large message for its header section.
fn head_of(path: &std::path::Path) -> Vec<u8> {
    use std::io::Read;
    let mut head = Vec::new();
    // What cannot be read is not shown; the notice goes all the same.
    let _ = std::fs::File::open(path).map(|file| file.take(256 * 1024).read_to_end(&mut head));
    head
}

fn outcome_of(reason: Reason) -> Outcome {
    if reason == Reason::Expired { Outcome::Expired } else { Outcome::Failed }
}

fn status_of(attempted: &[Attempted], recipient: u16) -> Option<Status> {
    let one = attempted.iter().find(|a| a.recipient == recipient)?;
    match &one.result {
        Ok(status) => Some(status.clone()),
        Err(refusal) => refusal.status.clone(),
    }
}

/// What a notice says where no peer said anything.
fn general_status(reason: Reason, news: News) -> Status {
    let (code, enhanced) = match (news, reason) {
        (News::Failed, Reason::Expired) => (451, Enhanced(4, 4, 7)),
        (News::Failed, Reason::NullMx) => (556, Enhanced(5, 1, 10)),
        (News::Failed, Reason::NoSuchDomain) => (550, Enhanced(5, 1, 2)),
        (News::Failed, Reason::MessageTooLarge) => (552, Enhanced(5, 3, 4)),
        (News::Failed, Reason::SmtpUtf8NotOffered) => (553, Enhanced(5, 6, 7)),
        (News::Failed, Reason::EightBitNotOffered) => (554, Enhanced(5, 6, 3)),
        (News::Failed, _) => (550, Enhanced(5, 7, 10)),
        (News::Relayed, _) => (250, Enhanced(2, 0, 0)),
        (News::Held | News::Delayed, _) => (451, Enhanced(4, 7, 10)),
    };
    Status::new(code, enhanced, reason.words())
}

fn ending(entry: &Entry, what: (u16, Reason, Outcome), setting: &Setting, when: (Wall, u32)) -> Ending {
    let (recipient, reason, outcome) = what;
    let link = setting.link.as_ref();
    let mailbox = entry.envelope.recipients.get(usize::from(recipient)).map(|r| r.mailbox.to_string());
    Ending {
        at: when.0,
        recipient: mailbox.unwrap_or_default(),
        direction: entry.direction(recipient),
        outcome,
        reason,
        host: setting.host.clone(),
        address: link.map(|l| l.address.to_string()),
        tls: link.and_then(|l| l.tls.as_ref()).map(|t| format!("{} {}", t.version.name(), t.cipher)),
        proof: link.map(|l| l.proof.name().to_owned()),
        reached: link.map(|l| l.level().name().to_owned()),
        status: None,
        attempts: when.1,
    }
}
