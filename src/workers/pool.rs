//! What workers read of a message, and what becomes of it where one ends.
//!
//! Called by whoever inspects a message with documents in it; callers wait on threads that may wait. Promises: a message has
//! 5 s of a core; what was read by a faulty worker is said as unread, and the worker is gone. Fails with `Busy` when there is
//! no worker for the time being.

use super::Confined;
use super::child::{End, Unfit};
use super::keeper::{Busy, Ended, Keeper, Killed};
use super::telling::Telling;
use crate::clinical::Findings;
use crate::vocabulary::FindingKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Of a core, for one message.
const CPU: Duration = Duration::from_secs(5);
/// Of that, for all documents of a message that has several …
const TOGETHER: Duration = Duration::from_secs(3);
/// … and for reading each by itself where a worker ended on one of them …
const APART: Duration = Duration::from_secs(2);
/// … as long as so much is left for one …
const LEAST: Duration = Duration::from_millis(30);
/// … and for so many.
const MOST_APART: usize = 16;
/// A worker that somebody else kills says nothing of the message: another one tries.
const ATTEMPTS: usize = 2;

/// Workers, kept ready.
pub struct Workers {
    keeper: Arc<Keeper>,
}

impl Workers {
    /// Starts `wanted` workers, and a thread that keeps as many. `ended` is told of each that is replaced.
    #[must_use]
    pub fn new(programme: PathBuf, wanted: usize, ended: impl Fn(Ended) + Send + Sync + 'static) -> Workers {
        let keeper = Arc::new(Keeper::new(programme, wanted, ended));
        let keeping = keeper.clone();
        // Workers die with the thread that started them, so it is one that stays.
        let kept = std::thread::Builder::new().name("workers".into()).spawn(move || keeping.keep());
        if let Err(error) = kept {
            keeper.lock().unfit = Some(Unfit(error.to_string()));
        }
        Workers { keeper }
    }

    /// Reads a message with its documents. `first` is what was found without them, and says which there are. Where a worker ends
    /// on one of several, each is read by itself: none hides what another holds.
    ///
    /// # Errors
    /// When there is no worker now.
    pub fn inspect(&self, telling: &Telling, message: &[u8], first: Findings) -> Result<Findings, Busy> {
        let is_one = first.documents.len() <= 1;
        let job = Job { message, only: None, cpu: if is_one { CPU } else { TOGETHER } };
        match self.read(telling, &job)? {
            Outcome::Found(findings, _) => Ok(Findings { attachments: first.attachments, ..findings }),
            Outcome::Unfit => Ok(unread(first, &Outcome::Unfit)),
            ended if is_one => Ok(unread(first, &ended)),
            _ => self.one_by_one(telling, message, first),
        }
    }

    fn one_by_one(&self, telling: &Telling, message: &[u8], mut whole: Findings) -> Result<Findings, Busy> {
        let (documents, mut left) = (std::mem::take(&mut whole.documents), APART);
        let count = documents.len();
        for (number, place) in documents.into_iter().enumerate() {
            let cpu = if number + 1 == count { left } else { left / 2 };
            if cpu < LEAST || number >= MOST_APART {
                Outcome::Ended(Ended::Time).tell(&mut whole, place);
                continue;
            }
            match self.read(telling, &Job { message, only: Some(number), cpu })? {
                Outcome::Found(findings, used) => {
                    whole.join(findings);
                    left = left.saturating_sub(used);
                }
                ended => {
                    ended.tell(&mut whole, place);
                    left = left.saturating_sub(cpu);
                }
            }
        }
        Ok(whole)
    }

    /// Has one job done. A worker that somebody else kills says nothing of the message: another one tries.
    fn read(&self, telling: &Telling, job: &Job<'_>) -> Result<Outcome, Busy> {
        let mut ended = Ended::Killed;
        for _ in 0..ATTEMPTS {
            let mut worker = match self.keeper.take(job.cpu)? {
                Ok(worker) => worker,
                Err(Unfit(_)) => return Ok(Outcome::Unfit),
            };
            let read = worker.read(telling, job.message, job.only);
            let was = self.keeper.no_longer_running(worker.pid());
            ended = match read {
                Ok(findings) => {
                    self.keeper.give_back(worker);
                    return Ok(Outcome::Found(findings, was.used));
                }
                Err(error) => why(was.killed, worker.end(error.kind())),
            };
            self.keeper.replace(ended);
            tracing::warn!(reason = ended.name(), "a worker ended while it read a message");
            match (ended, was.killed) {
                (Ended::Killed, _) => {}
                (_, Some(Killed::Wall)) => return Err(Busy),
                _ => break,
            }
        }
        Ok(Outcome::Ended(ended))
    }

    /// Why there are no workers at present, if there are none.
    #[must_use]
    pub fn unfit(&self) -> Option<Unfit> {
        self.keeper.lock().unfit.clone()
    }

    /// What holds the workers, or why there are none. Waits for the first.
    ///
    /// # Errors
    /// With the reason.
    pub fn confined(&self) -> Result<Confined, Unfit> {
        match self.keeper.take(CPU) {
            Ok(Ok(worker)) => {
                let confined = worker.confined;
                self.keeper.no_longer_running(worker.pid());
                self.keeper.give_back(worker);
                Ok(confined)
            }
            Ok(Err(unfit)) => Err(unfit),
            Err(Busy) => Err(Unfit("none is free".into())),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.keeper.close();
    }
}

fn why(killed: Option<Killed>, end: End) -> Ended {
    match (killed, end) {
        (Some(_), _) => Ended::Time,
        (None, End::Memory) => Ended::Memory,
        (None, End::Killed) => Ended::Killed,
        (None, End::Forbidden) => Ended::Forbidden,
        (None, End::Fault) => Ended::Fault,
    }
}

/// Reads one message with a worker that is started for it, and ended.
#[must_use]
pub fn inspect_once(programme: &Path, telling: &Telling, message: &[u8], first: Findings) -> Findings {
    let workers = Workers::new(programme.to_owned(), 1, |_| ());
    let kept = first.clone();
    // Whoever asks for one message has nothing else to wait for; a machine that is so busy has not read it.
    workers.inspect(telling, message, first).unwrap_or_else(|Busy| unread(kept, &Outcome::Ended(Ended::Time)))
}

/// The documents that were passed over are unread.
fn unread(mut first: Findings, outcome: &Outcome) -> Findings {
    for place in std::mem::take(&mut first.documents) {
        outcome.tell(&mut first, place);
    }
    first
}

/// What is to be read, and how much of a core it may take.
struct Job<'m> {
    message: &'m [u8],
    /// One of its documents.
    only: Option<usize>,
    cpu: Duration,
}

/// What came of it.
enum Outcome {
    /// With what it used.
    Found(Findings, Duration),
    Ended(Ended),
    Unfit,
}

impl Outcome {
    /// Says that a document is unread, and why.
    fn tell(&self, findings: &mut Findings, place: String) {
        match self {
            Outcome::Found(..) => {}
            Outcome::Unfit => findings.add_unread(FindingKind::UnknownAttachment, place, "no worker"),
            Outcome::Ended(ended @ (Ended::Fault | Ended::Forbidden)) => {
                findings.add_unread(FindingKind::BrokenAttachment, place, ended.name());
            }
            Outcome::Ended(ended) => findings.add_unread(FindingKind::LimitReached, place, ended.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_know_every_reason() {
        assert_eq!(Ended::ALL.map(Ended::name).as_slice(), crate::metrics::WORKER_ENDS);
    }

    #[test]
    fn a_programme_that_is_no_worker_leaves_documents_unread() {
        let telling = Telling::of(&crate::clinical::Told::default());
        let first = || Findings { documents: vec!["a.zip".into()], ..Findings::default() };
        for programme in ["/bin/true", "/bin/cat", "/there/is/none"] {
            let workers = Workers::new(programme.into(), 1, |_| ());
            let found = workers.inspect(&telling, b"", first()).unwrap();
            assert_eq!(
                found.unread.first().map(|u| (u.place.as_str(), u.kind)),
                Some(("a.zip", FindingKind::UnknownAttachment))
            );
            assert!(workers.unfit().is_some() && workers.confined().is_err(), "{programme}");
        }
    }
}
