//! A certificate that ran out a while ago, with the key that the host always had: a group may let that pass for so long.
//!
//! Called by `proof`. Promises: off where no group says so; another key, or one that was never proved, is excused nothing; whoever
//! stole the key gains no more than the days that the group names. Fails with `CertificateExpired`.

use crate::clock::Wall;
use crate::tls::PeerCertificates;
use crate::vocabulary::Reason;
use std::time::Duration;

/// The last moment of the certificate, at which the rest of it is looked at.
pub(super) fn excused(
    peer: &PeerCertificates,
    grace: Option<Duration>,
    proved_key: Option<&str>,
    now: Wall,
) -> Result<Wall, Reason> {
    let excused = || {
        let (grace, key, end) = (grace?, proved_key?, peer.not_after()?);
        let is_its_key = peer.spki().as_deref() == Some(key);
        (is_its_key && now.since(end) <= grace).then(|| Wall(end.0.min(now.0) - 1_000))
    };
    excused().ok_or(Reason::CertificateExpired)
}
