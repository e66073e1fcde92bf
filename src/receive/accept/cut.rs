//! Automatic mail that cannot be protected: nobody may bounce it, so it leaves without its text, or not at all.
//!
//! Called at the end of data. Promises: only mail of a site with the null reverse-path is touched; what is cut is read and
//! judged anew, like any other message; what may not leave even so is refused as ever, and the duty told. Fails with 451
//! when it cannot be read now.

use super::inspect::Octets;
use super::judged::Judged;
use super::{Acceptance, Arrived, answer};
use crate::clinical::Findings;
use crate::clock::EntryId;
use crate::decide::announce::boundary;
use crate::mail::Status;
use crate::notice;
use crate::receive::collect::Collected;
use crate::receive::limits::Who;
use crate::vocabulary::{Direction, Fate};
use bytes::Bytes;

/// A message that was read and judged.
pub(super) struct Seen {
    pub collected: Collected,
    /// What the original holds, whatever is left of it.
    pub findings: Findings,
    pub judged: Vec<Judged>,
    /// Octets before it was cut.
    pub cut_from: Option<u64>,
}

impl Acceptance {
    /// The message as it may go on: itself, or cut to its header fields where policy keeps the whole here and it comes from
    /// nobody.
    pub(super) async fn cut_where_needed(
        &self,
        id: EntryId,
        arrived: &Arrived<'_>,
        seen: Seen,
    ) -> Result<Seen, Status> {
        // A journal report is never changed, whoever else it is for.
        let is_journal = seen.judged.iter().any(|judged| judged.verdict.journal);
        if !arrived.envelope.reverse_path.is_null() || arrived.door.is_none() || is_journal || !stays(&seen.judged) {
            return Ok(seen);
        }
        let with = notice::Cut { gateway: arrived.trace.hostname, entry: &id.to_string(), boundary: &boundary(id) };
        let cut = Bytes::from(notice::cut(seen.collected.header(), &with));
        let findings = self.inspect(&arrived.judge, Octets::Here(cut.clone()), Who::Site).await?;
        let cut = Collected::Small(cut);
        let judged = self.judge(arrived, &cut, &findings)?;
        if stays(&judged) || answer::any_refused(&judged) {
            return Ok(seen);
        }
        tracing::info!(session = arrived.session, entry = %id, "an automatic message is cut to its header fields");
        Ok(Seen { cut_from: Some(seen.collected.size()), collected: cut, findings: seen.findings, judged })
    }
}

/// Whether protection is missing that no attempt can find. What a rule refuses by name is refused.
fn stays(judged: &[Judged]) -> bool {
    let kept_here = |j: &Judged| matches!(j.verdict.fate, Fate::Reject | Fate::Hold);
    let refused = |j: &Judged| j.verdict.fate == Fate::Refuse || j.direction != Direction::Outbound;
    judged.iter().any(kept_here) && !judged.iter().any(refused)
}
