//! The built-in rule `published`: what a peer publishes about itself holds for all mail to it.
//!
//! Asked by `deliver` when a link is opened. Promises: only an exception that names the rule lowers it, for whole domains, until its end.
//! Never fails.

use super::exception::{Exception, Lowering};
use super::judge::Policy;
use super::when::{When, Who};
use crate::clock::Wall;
use crate::mail::{Domain, Mailbox};
use crate::vocabulary::Level;

/// Its name: no rule of a file may have it.
pub(super) const PUBLISHED: &str = "published";

impl Policy {
    /// What exceptions in force leave of what a peer of this domain publishes; None: there is none.
    #[must_use]
    pub fn published_cap(&self, domain: &Domain, at: Wall) -> Option<Cap> {
        let for_it =
            self.exceptions.iter().filter(|exception| exception.is_for(PUBLISHED) && exception.is_in_force(at));
        let mut for_it = for_it.peekable();
        for_it.peek()?;
        // Conditions on the rest of an address are refused at load.
        let anybody = Mailbox::new("postmaster", domain.clone()).ok()?;
        let to = self.party(&anybody, at);
        let cap = |exception: &Exception| match exception.lowering {
            Lowering::Lift => Level::Any,
            Lowering::To(level) => level,
        };
        let holding: Vec<&Exception> = for_it.filter(|exception| exception.when.holds_for(&to)).collect();
        let level = holding.iter().map(|exception| cap(exception)).min()?;
        // With the first that ends it may be more again.
        let until = holding.iter().map(|exception| exception.ends()).min()?;
        Some(Cap { level, until })
    }
}

/// The most that what a peer publishes may ask, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    pub level: Level,
    pub until: Wall,
}

/// Whether an exception looks at nothing but the recipient's domain.
pub(super) fn is_by_domain(when: &When) -> bool {
    let by_domain = |who: &[Who]| who.iter().all(|who| !matches!(who, Who::Address(..)));
    !when.needs_content()
        && when.from.is_empty()
        && when.site.is_empty()
        && when.null_sender.is_none()
        && when.requiretls.is_none()
        && by_domain(&when.to)
        && by_domain(&when.not_to)
}
