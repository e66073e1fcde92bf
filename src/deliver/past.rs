//! Compares what a mail host offers now with what it offered before.
//!
//! Called by `link` for every link that was opened. Promises: who is fallen carries nothing that asks for more than `any` (`policy::permit`
//! holds it); that is said once, as an error, when mail waits because of it; what nobody asks of a domain's hosts is missed in none of them.
//! Never fails.

use super::Delivery;
use crate::clock::Now;
use crate::mail::Link;
use crate::policy::{ProofCheck, ProofSource};
use crate::proof::memory::{Fall, Offered, Past};
use crate::proof::{Asked, prove};
use crate::queue::{Destination, Lane};
use crate::tls::PeerCertificates;
use crate::vocabulary::{Level, Reason};

impl Delivery {
    /// The link, and whether its host has fallen; what is no fall is remembered.
    pub(super) fn compared(&self, link: Link, lane: &Lane, shown: Option<&PeerCertificates>) -> Link {
        if !matches!(lane.destination, Destination::Mx(_)) {
            return link;
        }
        let offered = Offered::on(&link);
        let Some(past) = self.offered.of(&link.host).filter(|past| self.has_fallen(past, (&link, &offered), shown))
        else {
            self.offered.renew(&link.host, offered);
            return link;
        };
        let reason = link.shortfall.unwrap_or(Reason::RequirementNotMet);
        let fall =
            Fall { since: Now::read().wall, offered, reason, keeps_mail: lane.level > Level::Any || lane.require_tls };
        if self.offered.fell(&link.host, fall) {
            tracing::error!(
                host = link.host, domain = %lane.destination, %reason, before = %past.offered.proof, key = past.offered.key,
                "a mail host offers less protection than it did before: mail that needs it waits. If this is right, say so: \
                 mailward hosts accept HOST"
            );
        }
        // As over TLS: mail with REQUIRETLS waits for a person too, and is not given up as if the host had never had it.
        Link { fallen: true, no_require_tls: Some(Reason::StrippingSuspected), ..link }
    }

    fn has_fallen(&self, past: &Past, (link, offered): (&Link, &Offered), shown: Option<&PeerCertificates>) -> bool {
        if !past.falls_to(offered) {
            return false;
        }
        let Some(shown) = shown else { return true };
        // Nobody says how this domain's hosts prove themselves: that one of them did so for another domain asks nothing here. And what signed
        // names proved cannot be proved while our resolver does not validate.
        let is_asked =
            link.shortfall != Some(Reason::NoProofSource) && link.shortfall != Some(Reason::DnssecNotValidated);
        is_asked && !self.is_itself(shown, &link.host)
    }

    /// Public roots vouch for the host's own name, whatever policy lists: nobody in between could bring that.
    pub(super) fn is_itself(&self, shown: &PeerCertificates, host: &str) -> bool {
        let own = ProofSource::new("host", ProofCheck::Names(vec![host.trim_end_matches('.').to_owned()]));
        prove(shown, Asked::of(host, &[own]), &self.roots, Now::read().wall).is_ok()
    }
}
