//! A permit: the right to send one transaction's MAIL over one link. The only maker of a `Permit` is here.
//!
//! Called by `deliver`, whose client session consumes the permit when it sends MAIL. Promises: there is no permit below
//! the requirement, nor below what the peer itself publishes, nor where a host offers less than it did and more than `any` is asked; none for `sealed` (a link cannot seal), and none is used twice: it cannot be copied, and it names the
//! link and the transaction that it is for; none for mail with REQUIRETLS where the link does not hold what RFC 8689 2 asks. From TLS that failed to clear text there is one way, `grant_after_failed_tls`:
//! it takes evidence, and never for mail in a class. Fails by the reason why the link is not enough.

use super::requirement::Requirement;
use crate::mail::Link;
use crate::vocabulary::{Level, Reason};

/// The right to send one transaction over one link.
///
/// ```compile_fail
/// # fn twice(permit: mailward::policy::Permit) {
/// let again = permit.clone();
/// # }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    level: Level,
    link: u64,
    transaction: u64,
}

impl Permit {
    /// What the link reached.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    #[must_use]
    pub fn link_id(&self) -> u64 {
        self.link
    }

    #[must_use]
    pub fn transaction(&self) -> u64 {
        self.transaction
    }
}

/// What must hold for one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub level: Level,
    /// Whoever sent the message asked for REQUIRETLS (RFC 8689 4.2.1). It adds to the level and never takes its place.
    pub require_tls: bool,
}

impl From<Level> for Asked {
    fn from(level: Level) -> Asked {
        Asked { level, require_tls: false }
    }
}

/// Compares what the link reached with what must hold.
///
/// # Errors
/// Why the link is not enough.
pub fn grant(link: &Link, asked: impl Into<Asked>, transaction: u64) -> Result<Permit, Reason> {
    let Asked { level: require, require_tls } = asked.into();
    if require == Level::Sealed {
        return Err(Reason::SealingNotPossible);
    }
    let level = link.level();
    if link.fallen && require > Level::Any {
        return Err(Reason::StrippingSuspected);
    }
    if level < require.max(link.floor) {
        return Err(link.shortfall.unwrap_or(Reason::RequirementNotMet));
    }
    if let Some(reason) = link.no_require_tls.filter(|_| require_tls) {
        return Err(reason);
    }
    match link.shortfall {
        // A link that is in clear because TLS failed needs a permit of its own.
        Some(failure) if link.tls.is_none() && is_failure_of_tls(failure) => Err(failure),
        _ => Ok(Permit { level, link: link.id, transaction }),
    }
}

/// TLS was offered by one host, tried twice, and failed both times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTls {
    host: String,
    last: Reason,
}

impl FailedTls {
    /// None where a reason is not one of TLS that was offered and failed.
    #[must_use]
    pub fn of(host: &str, first: Reason, second: Reason) -> Option<FailedTls> {
        let failed = is_failure_of_tls(first) && is_failure_of_tls(second);
        failed.then(|| FailedTls { host: host.to_owned(), last: second })
    }

    /// Why it failed the second time.
    #[must_use]
    pub fn last(&self) -> Reason {
        self.last
    }
}

/// Evidence that no host of a destination can do the TLS that it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFailedEverywhere {
    hosts: Vec<FailedTls>,
}

impl TlsFailedEverywhere {
    /// None where there is no host, or one of them has not failed twice.
    #[must_use]
    pub fn of(hosts: &[&str], failed: Vec<FailedTls>) -> Option<TlsFailedEverywhere> {
        let known = |host: &&str| failed.iter().any(|f| f.host == **host);
        (!hosts.is_empty() && hosts.iter().all(known)).then_some(TlsFailedEverywhere { hosts: failed })
    }
}

/// The permit for a new session without TLS where every host failed the handshake twice, for recipients with
/// `requirements`. Each use is counted by the caller.
///
/// # Errors
/// When anything more than `any` is asked, the message is in any class, or the link is not one of the evidence.
pub fn grant_after_failed_tls(
    link: &Link,
    evidence: &TlsFailedEverywhere,
    requirements: &[Requirement],
    transaction: u64,
) -> Result<Permit, Reason> {
    let Some(failed) = evidence.hosts.iter().find(|failed| failed.host == link.host) else {
        return Err(Reason::RequirementNotMet);
    };
    let ordinary = |r: &Requirement| r.level == Level::Any && r.classes.is_empty();
    if link.tls.is_some() || link.floor > Level::Any || requirements.is_empty() || !requirements.iter().all(ordinary) {
        return Err(failed.last);
    }
    Ok(Permit { level: Level::Any, link: link.id, transaction })
}

/// TLS was offered, and it did not come about.
fn is_failure_of_tls(reason: Reason) -> bool {
    use Reason as R;
    let said = matches!(reason, R::TlsVersionTooOld | R::TlsNoCommonCipher);
    said || matches!(reason, R::TlsRefused | R::TlsHandshakeFailed | R::TlsStalled | R::TlsReset | R::ConnectionLost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{TlsFacts, TlsVersion};
    use crate::vocabulary::Proof;

    fn link(tls: bool, proof: Proof) -> Link {
        let facts = TlsFacts {
            version: TlsVersion::Tls13,
            cipher: "c".into(),
            names: vec![],
            not_after: None,
            issuer: None,
            spki: None,
        };
        let address = "127.0.0.1:25".parse().unwrap();
        Link {
            id: 7,
            host: "mx".into(),
            address,
            tls: tls.then_some(facts),
            proof,
            shortfall: None,
            floor: Level::Any,
            fallen: false,
            no_require_tls: Some(Reason::RequireTlsNotOffered),
        }
    }

    #[test]
    fn require_tls_adds_to_the_level_and_takes_nothing_away() {
        let asked = |level| Asked { level, require_tls: true };
        for level in [Level::Any, Level::Encrypted, Level::Verified] {
            for (mut link, reason) in [
                (link(false, Proof::Nothing), Reason::TlsNotOffered),
                (link(true, Proof::Nothing), Reason::CertificateSelfSigned),
                (link(true, Proof::Dane), Reason::RequireTlsNotOffered),
            ] {
                (link.shortfall, link.no_require_tls) = (Some(reason), Some(reason));
                assert_eq!(grant(&link, asked(level), 1), Err(reason), "{level}");
            }
            let mut keeps = link(true, Proof::Nothing);
            keeps.no_require_tls = None;
            assert_eq!(grant(&keeps, asked(level), 1).is_ok(), level < Level::Verified, "{level}: by the link alone");
        }
        let sealed = Link { no_require_tls: None, ..link(true, Proof::Dane) };
        assert_eq!(grant(&sealed, asked(Level::Sealed), 1), Err(Reason::SealingNotPossible));
    }

    #[test]
    fn a_host_that_offers_less_than_it_did_gets_nothing_that_asks_for_more_than_any() {
        let fallen = Link { fallen: true, ..link(true, Proof::Nothing) };
        assert_eq!(grant(&fallen, Level::Encrypted, 1), Err(Reason::StrippingSuspected), "though it is encrypted");
        assert!(grant(&fallen, Level::Any, 1).is_ok());
    }

    #[test]
    fn a_permit_is_granted_at_or_above_the_requirement_only() {
        let links =
            [link(false, Proof::Nothing), link(false, Proof::Pin), link(true, Proof::Nothing), link(true, Proof::Pkix)];
        for link in &links {
            for require in Level::ALL.iter().copied() {
                let granted = grant(link, require, 1).is_ok();
                assert_eq!(granted, require != Level::Sealed && link.level() >= require, "{link:?} {require}");
            }
        }
    }

    #[test]
    fn what_a_peer_publishes_is_a_floor_for_all_mail() {
        for require in [Level::Any, Level::Encrypted] {
            let mut short = link(true, Proof::Nothing);
            (short.floor, short.shortfall) = (Level::Verified, Some(Reason::TlsaMismatch));
            assert_eq!(grant(&short, require, 1), Err(Reason::TlsaMismatch), "{require}");
            short.floor = Level::Encrypted;
            assert!(grant(&short, require, 1).is_ok(), "{require}");
        }
        let (mut clear, evidence) = after_failure();
        clear.floor = Level::Encrypted;
        let ordinary = [requirement(Level::Any, &[])];
        assert_eq!(grant_after_failed_tls(&clear, &evidence, &ordinary, 1), Err(Reason::TlsHandshakeFailed));
    }

    #[test]
    fn it_names_link_and_transaction_and_the_reason_is_the_links_own() {
        let permit = grant(&link(true, Proof::Pin), Level::Verified, 42).unwrap();
        assert_eq!((permit.link_id(), permit.transaction(), permit.level()), (7, 42, Level::Verified));
        let mut short = link(true, Proof::Nothing);
        short.shortfall = Some(Reason::CertificateExpired);
        assert_eq!(grant(&short, Level::Verified, 1), Err(Reason::CertificateExpired));
        assert_eq!(grant(&short, Level::Sealed, 1), Err(Reason::SealingNotPossible));
    }

    fn after_failure() -> (Link, TlsFailedEverywhere) {
        let mut clear = link(false, Proof::Nothing);
        clear.shortfall = Some(Reason::TlsHandshakeFailed);
        let failed = FailedTls::of("mx", Reason::TlsStalled, Reason::TlsHandshakeFailed).unwrap();
        (clear, TlsFailedEverywhere::of(&["mx"], vec![failed]).unwrap())
    }

    fn requirement(level: Level, classes: &[&str]) -> Requirement {
        let classes = classes.iter().map(|c| (*c).to_owned()).collect();
        Requirement { level, classes, ..Requirement::unreadable() }
    }

    #[test]
    fn a_link_in_clear_after_failed_tls_carries_nothing_by_the_usual_permit() {
        let (clear, _) = after_failure();
        assert_eq!(grant(&clear, Level::Any, 1), Err(Reason::TlsHandshakeFailed));
        let plain = Link { shortfall: Some(Reason::TlsNotOffered), ..clear };
        assert!(grant(&plain, Level::Any, 1).is_ok(), "a peer that never offered is another case");
    }

    #[test]
    fn after_failed_tls_only_ordinary_mail_at_any_leaves() {
        let (clear, evidence) = after_failure();
        let grant = |requirements: &[Requirement]| grant_after_failed_tls(&clear, &evidence, requirements, 3);
        let any = || requirement(Level::Any, &[]);
        assert_eq!(grant(&[any(), any()]).map(|p| (p.link_id(), p.transaction())), Ok((7, 3)));
        let refused = Err(Reason::TlsHandshakeFailed);
        assert_eq!(grant(&[any(), requirement(Level::Any, &["clinical"])]), refused);
        assert_eq!(grant(&[]), refused);
        for level in [Level::Encrypted, Level::Verified, Level::Sealed] {
            assert_eq!(grant(&[any(), requirement(level, &[])]), refused);
        }
        let elsewhere = Link { host: "mx2".into(), ..clear.clone() };
        assert_eq!(grant_after_failed_tls(&elsewhere, &evidence, &[any()], 1), Err(Reason::RequirementNotMet));
        let secured = Link { tls: link(true, Proof::Nothing).tls, ..clear.clone() };
        assert_eq!(grant_after_failed_tls(&secured, &evidence, &[any()], 1), refused);
    }

    #[test]
    fn evidence_is_two_failures_of_tls_at_every_host() {
        use Reason as R;
        for wrong in
            [R::ConnectionTimedOut, R::ConnectionRefused, R::TlsNotOffered, R::ProtocolError, R::CertificateExpired]
        {
            assert_eq!(FailedTls::of("mx", R::TlsStalled, wrong), None, "{wrong}");
            assert_eq!(FailedTls::of("mx", wrong, R::TlsStalled), None, "{wrong}");
        }
        for told in [R::TlsVersionTooOld, R::TlsNoCommonCipher, R::TlsReset] {
            assert!(FailedTls::of("mx", R::TlsHandshakeFailed, told).is_some(), "{told}");
            assert!(FailedTls::of("mx", told, told).is_some(), "{told}");
        }
        let one = FailedTls::of("mx1", R::TlsRefused, R::TlsRefused).unwrap();
        assert_eq!(TlsFailedEverywhere::of(&["mx1", "mx2"], vec![one.clone()]), None);
        assert_eq!(TlsFailedEverywhere::of(&[], vec![]), None);
        assert!(TlsFailedEverywhere::of(&["mx1"], vec![one]).is_some());
    }
}
