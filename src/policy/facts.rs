//! The facts that rules are judged by: about the message, and about one recipient.
//!
//! Made by `decide` on the live path, for `explain` and for the tests of a policy alike. Never a finding's text.

use super::looked::Said;
use crate::clock::Wall;
use crate::mail::{Mailbox, ReversePath};
use crate::vocabulary::{Confidence, Direction, FindingKind, Level, Rung};
use std::collections::BTreeMap;

/// The sites that a message leaves and reaches: outbound the first, inbound the second, internal both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sites<'a> {
    pub leaves: Option<&'a str>,
    pub reaches: Option<&'a str>,
}

impl Sites<'_> {
    /// Whether this site is one of them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.leaves == Some(name) || self.reaches == Some(name)
    }
}

/// What is known about a message.
#[derive(Debug, Clone, Copy)]
pub struct MessageFacts<'a> {
    /// When it is judged: exceptions end, and memberships lapse.
    pub at: Wall,
    pub direction: Direction,
    pub sites: Sites<'a>,
    pub reverse_path: &'a ReversePath,
    /// From and Sender.
    pub header_from: &'a [Mailbox],
    pub evidence: &'a [(FindingKind, Confidence)],
    /// Classes that the message is in, with scores: what `Policy::classify` said.
    pub classes: &'a BTreeMap<String, f64>,
    pub said: Said<'a>,
    pub size: u64,
    /// Recipients of the envelope.
    pub recipients: usize,
    /// Addresses in To and Cc.
    pub visible_recipients: usize,
    /// Auto-Submitted says that no person wrote it (RFC 3834 5).
    pub auto_submitted: bool,
    /// A rule of a mailbox or a person sent on what somebody else wrote.
    pub forwarded: bool,
    /// REQUIRETLS stands behind MAIL (RFC 8689).
    pub requiretls: bool,
}

/// What is known about one recipient.
#[derive(Debug, Clone, Copy)]
pub struct RecipientFacts<'a> {
    pub recipient: &'a Mailbox,
    /// What the other side reached or can reach; None: not known yet.
    pub peer: Option<Level>,
    /// Rungs that can serve this recipient.
    pub can: &'a [Rung],
}

/// What is still known about a recipient of a message that waits, when it is looked at again.
#[derive(Debug, Clone, Copy)]
pub struct QueuedFacts<'a> {
    pub at: Wall,
    /// REQUIRETLS stood behind MAIL.
    pub requiretls: bool,
    pub direction: Direction,
    pub sites: Sites<'a>,
    pub reverse_path: &'a ReversePath,
    pub recipient: &'a Mailbox,
}
