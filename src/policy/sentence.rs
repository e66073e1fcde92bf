//! What a doctor reads in Exchange's report when policy stops a message.
//!
//! Promises: plain ASCII, one line, no address, no finding; what happened, what to do now, and the rule's name.

use super::verdict::Verdict;
use crate::vocabulary::{Fate, Level, Reason};

impl Verdict {
    /// One or two plain sentences for the sender.
    #[must_use]
    pub fn sentence(&self) -> String {
        let text = match (&self.refuse, self.fate) {
            (Some((_, text)), _) => text.clone(),
            (None, Fate::Reject) => self.rejected(),
            (None, Fate::Hold) => format!("Not sent yet: {}. It is kept here and a person has been told.", self.why()),
            (None, Fate::Defer) => format!("Not sent yet: {}. It is being tried again.", self.why()),
            (None, Fate::Send | Fate::Refuse) => "Accepted.".to_owned(),
        };
        match self.deciding_rule() {
            Some(rule) => format!("{text} (rule {rule})"),
            None => text,
        }
    }

    fn rejected(&self) -> String {
        let advice = match (self.reason, self.require) {
            (Reason::RelayNotAllowedForClass, _) => "Ask your IT service desk to approve the mail relay for it.",
            (Reason::SealingNotPossible, _) | (_, Level::Sealed) => {
                "Use a secure address (such as nhs.net), telephone, or use another approved way; \
                 your IT service desk can help."
            }
            (_, Level::Verified) => "Telephone or use another approved way; your IT service desk can help.",
            _ => "Both mail systems must use encryption (TLS 1.2 or later). Ask your IT service desk.",
        };
        format!("Not sent: {}. {advice}", self.why())
    }

    /// A class may stand for what could not be read, so the content is not said to be more than it may be.
    fn why(&self) -> String {
        match self.classes.keys().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => self.obstacle().to_owned(),
            names => {
                format!(
                    "it contains or may contain patient information ({}), and {}",
                    names.join(", "),
                    self.obstacle()
                )
            }
        }
    }

    fn obstacle(&self) -> &'static str {
        match (self.reason, self.require) {
            (Reason::RelayNotAllowedForClass, _) => "the mail relay that it would leave by is not approved for it",
            (Reason::SealingNotPossible, _) | (_, Level::Sealed) => {
                "this recipient's mail system cannot receive it protected"
            }
            (_, Level::Verified) => "the receiving mail system cannot prove who it is",
            (_, Level::Any | Level::Encrypted) => "the two mail systems cannot use an encrypted connection",
        }
    }
}
