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
/// of large messages on their way in.
pub(super) fn share(files: u64, limits: &mut Limits) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(files: u64) -> (usize, usize) {
        let mut limits = Limits::default();
        (limits.sessions, limits.links) = (10_000, 500);
        share(files, &mut limits);
        (limits.sessions, limits.links)
    }

    #[test]
    fn sessions_leave_the_store_and_delivery_what_they_need() {
        assert_eq!(shared(u64::MAX), (10_000, 500));
        assert_eq!(shared(20_000), (10_000, 500));
        for files in [0, 60, 200, 1_024, 4_096] {
            let (sessions, links) = shared(files);
            assert!(sessions >= 1 && links >= 1);
            assert!(files < 110 || sessions as u64 + links as u64 * PER_LINK + RESERVE <= files, "{files}");
        }
    }
}
