//! The one answer after the dot for all recipients' verdicts. Pure, but for counting.

use super::Message;
use super::judged::Judged;
use crate::clock::EntryId;
use crate::mail::{Enhanced, Status};
use crate::metrics::Metrics;
use crate::policy::Verdict;
use crate::vocabulary::{Direction, Fate, Outcome};

/// The refusal, if the message is refused: outbound when every recipient is, inbound when one is (no notice may ever go to
/// the internet about content).
pub(super) fn refusal(judged: &[Judged], id: EntryId) -> Option<Status> {
    let first = judged.iter().find(|j| j.is_refused())?;
    let whole = judged.iter().all(Judged::is_refused) || first.direction == Direction::Inbound;
    whole.then(|| status(&first.verdict, id))
}

/// 550 5.7.10 where protection is missing, 550 5.7.1 where a rule refuses.
pub(super) fn status(verdict: &Verdict, id: EntryId) -> Status {
    let enhanced = match verdict.fate {
        Fate::Refuse => Enhanced(5, 7, 1),
        _ => Enhanced(5, 7, 10),
    };
    Status::new(550, enhanced, format!("{} ID {id}", verdict.sentence()))
}

pub(super) fn any_refused(judged: &[Judged]) -> bool {
    judged.iter().any(Judged::is_refused)
}

/// The refused recipients with what is said of each.
pub(super) fn refused(judged: &[Judged]) -> Vec<(crate::mail::Recipient, Verdict)> {
    judged.iter().filter(|j| j.is_refused()).map(|j| (j.recipient.clone(), j.verdict.clone())).collect()
}

pub(super) fn count_rejected(metrics: &Metrics, judged: &[Judged]) {
    for refused in judged.iter().filter(|j| j.is_refused()) {
        metrics.messages.with_label_values(&[refused.direction.name(), Outcome::Rejected.name()]).inc();
    }
}

/// The one line of the log for a message that was judged: what was decided, by which rule, why.
pub(super) fn log(message: &Message<'_>, judged: &[Judged], status: &Status) {
    let first = judged.iter().find(|j| j.is_refused()).or(judged.first());
    tracing::info!(
        session = message.arrived.session,
        entry = %message.id,
        site = message.arrived.door.map(|d| d.site.as_ref()),
        code = status.code,
        size = message.collected.size(),
        recipients = judged.len(),
        rule = first.and_then(|j| j.verdict.deciding_rule()),
        reason = first.map(|j| j.verdict.reason.name()),
        "{}",
        if status.code < 300 { "accepted" } else { "refused" }
    );
}
