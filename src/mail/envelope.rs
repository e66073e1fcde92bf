//! The envelope: reverse-path, recipients, and the parameters that were given with them.
//!
//! Made by `smtp::server` and `notice`; kept by `queue`; sent by `smtp::client`. Promises: ENVID and ORCPT stay as they
//! were written (xtext is not decoded, RFC 3461 4), so nothing can be smuggled through them. Fails never.

use super::address::{Mailbox, ReversePath};
use serde::{Deserialize, Deserializer, Serialize};

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
    /// REQUIRETLS of RFC 8689: whoever passes it on does so over proved TLS only, to whoever promises the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not", deserialize_with = "asked_unless_false")]
    pub require_tls: bool,
}

impl Envelope {
    /// Whether REQUIRETLS decides where it may go. RFC 8689 4.2.1 and 5: of a report, which nobody may bounce, it does not:
    /// such a message is sent with REQUIRETLS where that can be kept, and without it elsewhere.
    #[must_use]
    pub fn goes_by_require_tls_only(&self) -> bool {
        self.require_tls && !self.reverse_path.is_null()
    }
}

/// What is written there and is not plainly no counts as asked.
fn asked_unless_false<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
    Ok(serde_json::Value::deserialize(d)? != serde_json::Value::Bool(false))
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
    fn an_envelope_of_an_older_version_asks_nothing_and_what_cannot_be_read_asks_for_tls() {
        let read = |more: &str| {
            let json = format!(r#"{{"reverse_path":"a@b.example","recipients":[]{more}}}"#);
            serde_json::from_str::<Envelope>(&json).unwrap().require_tls
        };
        assert!(!read("") && !read(r#","require_tls":false"#));
        for asked in ["true", "1", "null", r#""no""#, "{}"] {
            assert!(read(&format!(r#","require_tls":{asked}"#)), "{asked}");
        }
    }

    #[test]
    fn it_is_kept_with_the_envelope_and_binds_all_but_reports() {
        let mut envelope: Envelope = serde_json::from_str(r#"{"reverse_path":"a@b.example","recipients":[]}"#).unwrap();
        assert!(!serde_json::to_string(&envelope).unwrap().contains("require_tls"), "an older version reads it too");
        envelope.require_tls = true;
        let kept: Envelope = serde_json::from_str(&serde_json::to_string(&envelope).unwrap()).unwrap();
        assert!(kept == envelope && kept.goes_by_require_tls_only());
        let report = Envelope { reverse_path: ReversePath::Null, ..envelope };
        assert!(report.require_tls && !report.goes_by_require_tls_only());
    }

    #[test]
    fn failure_is_told_unless_the_sender_said_otherwise() {
        let mut recipient = Recipient::new("a@b.example".parse().unwrap());
        assert!(recipient.wants_failure() && !recipient.wants_success());
        recipient.notify = Some(Notify::NEVER);
        assert!(!recipient.wants_failure());
    }
}
