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
            (Reason::SealingNotPossible, _) => {
                "Use an address in a secure domain such as nhs.net, or another safe way; \
                 do not take details out and resend unless no patient can be identified."
            }
            (Reason::RelayNotAllowedForClass, _) => "Ask your IT service desk to approve the mail relay for it.",
            (_, Level::Verified) => "Ask your IT service desk, or use another safe way.",
            _ => "Both mail systems must use encryption (TLS 1.2 or later) for it. Ask your IT service desk.",
        };
        format!("Not sent: {}. {advice}", self.why())
    }

    fn why(&self) -> String {
        let subject = match self.classes.keys().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => "this message".to_owned(),
            names => format!("this message (content: {})", names.join(", ")),
        };
        match self.reason {
            Reason::SealingNotPossible => {
                format!("{subject} may only go to this recipient sealed for its reader, which is not possible here")
            }
            Reason::RelayNotAllowedForClass => format!("{subject} may not go through the relay that mail leaves by"),
            _ => format!("{subject} must travel {}, which is not possible", self.protection()),
        }
    }

    fn protection(&self) -> &'static str {
        match self.require {
            Level::Any => "as it is",
            Level::Encrypted => "encrypted",
            Level::Verified => "encrypted to a server that has proved who it is",
            Level::Sealed => "sealed",
        }
    }
}
