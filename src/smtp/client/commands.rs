//! MAIL and RCPT as they go over the wire.
//!
//! Called by `transaction` only. Promises: a parameter that the peer did not offer is not sent, and no value adds a command
//! of its own. Never fails.

use super::Offer;
use crate::mail::text::is_disturbing;
use crate::mail::{Body, Envelope, Recipient, Ret};
use std::borrow::Cow;

pub(super) fn mail(envelope: &Envelope, size: u64, offer: &Offer) -> String {
    let mut line = format!("MAIL FROM:<{}>", envelope.reverse_path);
    if offer.size_known {
        line.push_str(&format!(" SIZE={size}"));
    }
    if envelope.body == Body::EightBitMime {
        line.push_str(" BODY=8BITMIME");
    }
    let orcpt_international = |r: &Recipient| offer.smtputf8 && r.orcpt.as_ref().is_some_and(|o| !o.is_ascii());
    let international = |r: &Recipient| r.mailbox.is_international() || orcpt_international(r);
    let sender_international = envelope.reverse_path.mailbox().is_some_and(|m| m.is_international());
    if envelope.smtputf8 || sender_international || envelope.recipients.iter().any(international) {
        line.push_str(" SMTPUTF8");
    }
    if envelope.require_tls && offer.require_tls {
        line.push_str(" REQUIRETLS");
    }
    if offer.dsn {
        match envelope.ret {
            Some(Ret::Full) => line.push_str(" RET=FULL"),
            Some(Ret::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        push_graphic(&mut line, "ENVID", envelope.envid.as_deref().filter(|e| e.is_ascii()).map(Cow::Borrowed));
    }
    line.push_str("\r\n");
    line
}

pub(super) fn rcpt(recipient: &Recipient, offer: &Offer) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.mailbox);
    if offer.dsn {
        if let Some(notify) = recipient.notify {
            line.push_str(&format!(" NOTIFY={}", notify.as_parameter()));
        }
        push_graphic(&mut line, "ORCPT", recipient.orcpt.as_deref().map(|orcpt| original(orcpt, offer)));
    }
    line.push_str("\r\n");
    line
}

/// An original recipient as it was written; to a peer without SMTPUTF8 with its characters outside ASCII as `\x{…}`
/// (RFC 6533 3, utf-8-addr-xtext).
fn original<'a>(orcpt: &'a str, offer: &Offer) -> Cow<'a, str> {
    if offer.smtputf8 || orcpt.is_ascii() {
        return Cow::Borrowed(orcpt);
    }
    let embedded = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\x{{{:02X}}}", u32::from(c)) };
    Cow::Owned(orcpt.chars().map(embedded).collect())
}

/// A value with a blank or a line end in it would be a command of its own: it is left out.
fn push_graphic(line: &mut String, keyword: &str, value: Option<Cow<'_, str>>) {
    let is_graphic = |c: char| !c.is_whitespace() && !is_disturbing(c);
    if let Some(value) = value.filter(|v| !v.is_empty() && v.chars().all(is_graphic)) {
        line.push_str(&format!(" {keyword}={value}"));
    }
}
