//! Whether a link holds what RFC 8689 2 asks of a session over which mail with REQUIRETLS goes.
//!
//! Called by `link` once TLS is up. Promises: nothing counts that the peer says before it has proved itself; where the domain's own word
//! or policy says how that is done, nothing else does. Fails by the reason why such mail must not go over it.

use super::Delivery;
use super::route::Host;
use crate::mail::Link;
use crate::smtp::client::Offer;
use crate::tls::PeerCertificates;
use crate::vocabulary::{Proof, Reason};

impl Delivery {
    /// Why the link cannot keep REQUIRETLS; None: it can.
    pub(super) fn no_require_tls(
        &self,
        link: &Link,
        (host, shown): (&Host, &PeerCertificates),
        offer: &Offer,
    ) -> Option<Reason> {
        let unproved = match (link.proof, link.shortfall) {
            _ if link.fallen => Some(Reason::StrippingSuspected),
            // Every proof is of a host that the domain's signed names, its MTA-STS policy, the operator's list, or gateway.toml
            // name: items 2 and 3. A certificate that has ended does not verify, whoever lets that pass for other mail.
            (Proof::Dane | Proof::MtaSts | Proof::Pkix | Proof::Pin, shortfall) => shortfall,
            // Signed names lead to the host, and public roots vouch for it by its name: enough here, though no source says so.
            (Proof::Nothing, Some(Reason::NoProofSource)) if host.is_secure && self.is_itself(shown, &host.name) => {
                None
            }
            (Proof::Nothing, shortfall) => Some(shortfall.unwrap_or(Reason::NoProofSource)),
        };
        // Item 4: in the reply to EHLO inside TLS.
        unproved.or((!offer.require_tls).then_some(Reason::RequireTlsNotOffered))
    }
}
