//! Open files: as many as the system gives, shared out so that sessions never take what the store and delivery need.
//!
//! Called once at start. Promises: whatever the limit is, a session that was taken can keep its message and a message that
//! was kept can leave. Fails never: with too few it says so, and takes fewer sessions.

use crate::config::Limits;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// For the database, the listeners, the log, name servers and the admin listener.
const RESERVE: u64 = 100;
/// A link, and the file of the message that it carries.
const PER_LINK: u64 = 2;

/// Raises the limit of open files as far as it goes; the limit that holds now.
pub(super) fn raise() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            tracing::warn!(%error, soft, "the limit of open files could not be raised");
            soft
        }
    }
}

/// Brings sessions and links down to what `files` allow: an eighth is for links, and a quarter of the rest is for the files
/// of large messages on their way in. Returns how many these are.
pub(super) fn share(files: u64, limits: &mut Limits) -> usize {
    let rest = files.saturating_sub(RESERVE);
    let links = (rest / 8).max(1).min(limits.links as u64);
    let sessions = ((rest.saturating_sub(links * PER_LINK)) / 4 * 3).max(1).min(limits.sessions as u64);
    let (links, sessions) = (links as usize, sessions as usize);
    if links < limits.links || sessions < limits.sessions {
        tracing::warn!(
            files,
            sessions,
            links,
            "the limit of open files allows fewer than gateway.toml: raise LimitNOFILE"
        );
    }
    (limits.links, limits.sessions) = (links, sessions);
    // A session has one message at a time.
    let body_files = files.saturating_sub(RESERVE + links as u64 * PER_LINK + sessions as u64);
    usize::try_from(body_files).unwrap_or(usize::MAX).clamp(1, sessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(files: u64) -> (usize, usize, usize) {
        let mut limits = Limits::default();
        (limits.sessions, limits.links) = (10_000, 500);
        let body_files = share(files, &mut limits);
        (limits.sessions, limits.links, body_files)
    }

    #[test]
    fn sessions_leave_the_store_and_delivery_what_they_need() {
        assert_eq!(shared(u64::MAX), (10_000, 500, 10_000));
        assert_eq!(shared(20_000), (10_000, 500, 8_900));
        for files in [0, 60, 200, 1_024, 4_096] {
            let (sessions, links, body_files) = shared(files);
            assert!(sessions >= 1 && links >= 1 && body_files >= 1);
            assert!(
                files < 110 || (sessions + body_files) as u64 + links as u64 * PER_LINK + RESERVE <= files,
                "{files}"
            );
        }
    }
}
