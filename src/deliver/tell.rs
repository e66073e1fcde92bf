//! Who hears of an attempt's outcome: notices for the queue, counts and one log line for the operator.
//!
//! Called by `settle`. Promises: nothing of the message is in a log line or a label; a notice that cannot show the
//! original's header section goes all the same.

use super::Delivery;
use super::attempt::Loaded;
use super::attempted::Attempt;
use super::next::Shortfall;
use super::outgoing::Outgoing;
use super::settle::{Settled, outcome_of};
use crate::clock::Now;
use crate::decide::announce::{Announced, News, Peer, Told};
use crate::mail::{Enhanced, Link, Status};
use crate::metrics::NO_TLS;
use crate::policy::Requirement;
use crate::queue::{Entry, Task};
use crate::vocabulary::{Direction, Level, Otherwise, Outcome, Reason};
use std::sync::Arc;
use std::time::Duration;

/// Octets of a large message that are read for its header section.
const HEAD: u64 = 256 * 1024;

impl Delivery {
    /// Notices about some recipients, ready to be admitted.
    pub(super) async fn tell(
        self: &Arc<Self>,
        attempt: &Attempt,
        news: News,
        about: &[(u16, Reason)],
    ) -> Vec<Announced> {
        let entry = &attempt.entry;
        if entry.notice && news == News::Failed && !about.is_empty() {
            // Nobody is left to be told by mail: an operator has to look.
            self.metrics.refused_untold.inc_by(about.len() as u64);
            tracing::error!(entry = %entry.id, reason = %about[0].1, "a notice could not be delivered");
        }
        if about.is_empty() || entry.notice {
            return Vec::new();
        }
        let told: Vec<Told> = about.iter().filter_map(|(r, reason)| self.told(attempt, news, (*r, *reason))).collect();
        let original = self.original(entry).await;
        let announced = self.announcer.announce(entry, news, &told, &original);
        if announced.is_empty() && news == News::Failed {
            self.metrics.refused_untold.inc_by(about.len() as u64);
        }
        announced
    }

    fn told(&self, attempt: &Attempt, news: News, (recipient, reason): (u16, Reason)) -> Option<Told> {
        let entry = &attempt.entry;
        let requirement = self.requirement(entry, recipient);
        let said = attempt.status_of(recipient);
        let until = match news {
            News::Failed | News::Relayed => None,
            // For ever is no date.
            News::Held => (!requirement.journal).then_some(requirement.hold_for),
            News::Delayed => Some(self.kept_for(attempt, recipient, reason, &requirement)),
        };
        // What the peer said is the status; but what expired, expired.
        let status = said.clone().filter(|_| reason != Reason::Expired);
        Some(Told {
            recipient: entry.envelope.recipients.get(usize::from(recipient))?.clone(),
            requirement,
            reason,
            last_reason: attempt.behind(recipient, reason),
            status: status.unwrap_or_else(|| general_status(reason, news)),
            // Only what the peer itself said is put into its mouth.
            peer: attempt.setting.host.clone().zip(said).map(|(host, said)| Peer { host, said }),
            last_attempt: attempt.now.wall,
            until: until.map(|kept| entry.accepted.plus(kept)),
        })
    }

    /// How long a recipient that waits is tried.
    fn kept_for(&self, attempt: &Attempt, recipient: u16, reason: Reason, requirement: &Requirement) -> Duration {
        match (self.is_shortfall(attempt, recipient, reason, requirement), requirement.otherwise) {
            (Shortfall::None, _) => self.terms().retry.expire,
            (Shortfall::OfSender, _) | (Shortfall::OfRules, Otherwise::Reject) => requirement.wait,
            (Shortfall::OfRules, Otherwise::Hold) => requirement.hold_for,
        }
    }

    /// The message, or the beginning of a large one: at least its header section.
    async fn original(self: &Arc<Self>, entry: &Arc<Entry>) -> Vec<u8> {
        match self.load_cold(entry.id).await {
            Ok(Some(Loaded { body: Outgoing::Memory(body), .. })) => body.to_vec(),
            Ok(Some(Loaded { body: Outgoing::File(path), .. })) => {
                tokio::task::spawn_blocking(move || head_of(&path)).await.unwrap_or_default()
            }
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    /// An alarm of its own: nobody else misses a journal report.
    pub(super) fn count_held_journal(&self, task: &Task, entry: &Entry) {
        let held = task.recipients.iter().filter(|r| entry.requirement(**r).journal).count();
        if held > 0 {
            self.metrics.journal_held.inc_by(held as u64);
            tracing::error!(entry = %entry.id, site = entry.site, reason = %task.reason, "a journal report is held: it cannot reach its archive as gateway.toml asks");
        }
    }

    pub(super) fn count(&self, attempt: &Attempt, settled: &Settled) {
        for recipient in &settled.delivered {
            self.count_watched(attempt, *recipient);
            self.count_final(attempt, *recipient, Outcome::Delivered, Reason::Delivered);
            let took = Now::read().wall.since(attempt.task.accepted);
            self.metrics.delivery_duration.observe(took.as_secs_f64());
        }
        for (recipient, reason) in &settled.failed {
            self.count_final(attempt, *recipient, outcome_of(*reason), *reason);
        }
        if let (Some(link), Some(first)) = (&attempt.setting.link, settled.delivered.first()) {
            self.count_link(attempt, link, attempt.entry.direction(*first));
        }
    }

    /// Mail that came in was counted in clear when it came; the site's own leg is the site's.
    fn count_link(&self, attempt: &Attempt, link: &Link, direction: Direction) {
        match &link.tls {
            Some(tls) => {
                let labels = [direction.name(), tls.version.name(), link.proof.name()];
                self.metrics.link_sessions.with_label_values(&labels).inc();
            }
            None => {
                self.metrics.link_sessions.with_label_values(&[direction.name(), NO_TLS, link.proof.name()]).inc();
                if direction != Direction::Inbound {
                    let classes = attempt.entry.requirements.iter().flat_map(|r| r.classes.iter().map(String::as_str));
                    self.metrics.count_clear(direction, classes);
                }
            }
        }
    }

    /// What monitored rules would have stopped, now that the link has shown what it holds.
    fn count_watched(&self, attempt: &Attempt, recipient: u16) {
        let reached = attempt.setting.link.as_ref().map_or(Level::Any, Link::level);
        let watched = attempt.entry.requirement(recipient).watched;
        for one in watched.iter().filter(|w| w.require > reached) {
            self.metrics.policy_would_block.with_label_values(&[&one.rule]).inc();
        }
    }

    fn count_final(&self, attempt: &Attempt, recipient: u16, outcome: Outcome, reason: Reason) {
        let entry = &attempt.entry;
        let direction = entry.direction(recipient);
        self.metrics.messages.with_label_values(&[direction.name(), outcome.name()]).inc();
        let domain = entry.envelope.recipients.get(usize::from(recipient)).map(|r| r.mailbox.domain().as_str());
        let level = attempt.setting.link.as_ref().map(|l| l.level().name());
        let requirement = entry.requirement(recipient);
        let rule = requirement.deciding_rule();
        let names = attempt.other_names(attempt.behind(recipient, reason).unwrap_or(reason)).join(" ");
        let names = Some(names).filter(|names| !names.is_empty());
        tracing::info!(
            entry = %entry.id, session = entry.session, %direction, domain, rule, %outcome, %reason,
            last_reason = attempt.behind(recipient, reason).map(Reason::name), fault = %reason.fault(), host = attempt.setting.host, level, names, "final"
        );
    }
}

/// Enough of a large message for its header section.
fn head_of(path: &std::path::Path) -> Vec<u8> {
    use std::io::Read;
    let mut head = Vec::new();
    // What cannot be read is not shown.
    let _ = std::fs::File::open(path).map(|file| file.take(HEAD).read_to_end(&mut head));
    head
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
        // RFC 8689 4.2.1 and 7
        (News::Failed, Reason::RequireTlsNotOffered) => (550, Enhanced(5, 7, 30)),
        (News::Failed, Reason::EndedByOperator) => (554, Enhanced(5, 3, 0)),
        (News::Failed, Reason::MessageDamaged | Reason::BareLineEnding) => (554, Enhanced(5, 3, 0)),
        (News::Failed, _) => (550, Enhanced(5, 7, 10)),
        (News::Relayed, _) => (250, Enhanced(2, 0, 0)),
        (News::Held | News::Delayed, Reason::HeldByOperator) => (451, Enhanced(4, 3, 0)),
        (News::Held | News::Delayed, reason) if reason.is_of_protection() => (451, Enhanced(4, 7, 10)),
        (News::Held | News::Delayed, _) => (451, Enhanced(4, 4, 1)),
    };
    Status::new(code, enhanced, reason.words())
}
