//! The envelope: reverse-path, recipients, and the parameters that were given with them.
//!
//! Made by `smtp::server` and `notice`; kept by `queue`; sent by `smtp::client`. Promises: ENVID and ORCPT stay as they
//! were written (xtext is not decoded, RFC 3461 4), so nothing can be smuggled through them. Fails never.

use super::address::{Mailbox, ReversePath};
use serde::{Deserialize, Serialize};

/// BODY of RFC 6152. BINARYMIME is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Body {
    #[default]
    SevenBit,
    EightBitMime,
}

/// RET of RFC 3461 4.3: how much of the message a failure report returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ret {
    Full,
    Headers,
}

/// NOTIFY of RFC 3461 4.1. Not given: failure, and delay at our discretion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

impl Notify {
    pub const NEVER: Notify = Notify { success: false, failure: false, delay: false };

    /// As it is written behind `NOTIFY=`.
    #[must_use]
    pub fn as_parameter(self) -> String {
        let words: Vec<&str> = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")]
            .into_iter()
            .filter_map(|(given, word)| given.then_some(word))
            .collect();
        if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }
    }
}

/// One recipient with what was asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub mailbox: Mailbox,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// `rfc822;Bob@Example.org` exactly as written (RFC 3461 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orcpt: Option<String>,
}

impl Recipient {
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Recipient {
        Recipient { mailbox, notify: None, orcpt: None }
    }

    /// Whether a failure may be reported to the sender.
    #[must_use]
    pub fn wants_failure(&self) -> bool {
        self.notify.is_none_or(|n| n.failure)
    }

    #[must_use]
    pub fn wants_success(&self) -> bool {
        self.notify.is_some_and(|n| n.success)
    }
}

/// Reverse-path, recipients and transaction parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub reverse_path: ReversePath,
    pub recipients: Vec<Recipient>,
    #[serde(default)]
    pub body: Body,
    #[serde(default)]
    pub smtputf8: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret: Option<Ret>,
    /// As written, xtext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envid: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notify_prints_as_it_is_sent_on() {
        assert_eq!(Notify::NEVER.as_parameter(), "NEVER");
        assert_eq!(Notify { success: true, failure: true, delay: false }.as_parameter(), "SUCCESS,FAILURE");
    }

    #[test]
    fn failure_is_told_unless_the_sender_said_otherwise() {
        let mut recipient = Recipient::new("a@b.example".parse().unwrap());
        assert!(recipient.wants_failure() && !recipient.wants_success());
        recipient.notify = Some(Notify::NEVER);
        assert!(!recipient.wants_failure());
    }
}
