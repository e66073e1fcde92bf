//! A permit: the right to send one transaction's MAIL over one link. The only maker of a `Permit` is here.
//!
//! Called by `deliver`, whose client session consumes the permit when it sends MAIL. Promises: there is no permit below
//! the requirement, none for `sealed` (a link cannot seal), and none is used twice: it cannot be copied, and it names the
//! link and the transaction that it is for. Fails by the reason why the link is not enough.

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

/// Compares what the link reached with what must hold.
///
/// # Errors
/// Why the link is not enough.
pub fn grant(link: &Link, require: Level, transaction: u64) -> Result<Permit, Reason> {
    if require == Level::Sealed {
        return Err(Reason::SealingNotPossible);
    }
    let level = link.level();
    if level < require {
        return Err(link.shortfall.unwrap_or(Reason::RequirementNotMet));
    }
    Ok(Permit { level, link: link.id, transaction })
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
        Link { id: 7, host: "mx".into(), address, tls: tls.then_some(facts), proof, shortfall: None }
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
    fn it_names_link_and_transaction_and_the_reason_is_the_links_own() {
        let permit = grant(&link(true, Proof::Pin), Level::Verified, 42).unwrap();
        assert_eq!((permit.link_id(), permit.transaction(), permit.level()), (7, 42, Level::Verified));
        let mut short = link(true, Proof::Nothing);
        short.shortfall = Some(Reason::CertificateExpired);
        assert_eq!(grant(&short, Level::Verified, 1), Err(Reason::CertificateExpired));
        assert_eq!(grant(&short, Level::Sealed, 1), Err(Reason::SealingNotPossible));
    }
}
