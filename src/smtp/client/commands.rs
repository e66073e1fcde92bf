//! MAIL and RCPT as they go over the wire.
//!
//! Called by `transaction` only. Promises: a parameter that the peer did not offer is not sent, and no value adds a command
//! of its own. Never fails.

use super::Offer;
use crate::mail::{Body, Envelope, Recipient, Ret};

pub(super) fn mail(envelope: &Envelope, size: u64, offer: &Offer) -> String {
    let mut line = format!("MAIL FROM:<{}>", envelope.reverse_path);
    if offer.size_known {
        line.push_str(&format!(" SIZE={size}"));
    }
    if envelope.body == Body::EightBitMime {
        line.push_str(" BODY=8BITMIME");
    }
    let international = |r: &Recipient| r.mailbox.is_international();
    let sender_international = envelope.reverse_path.mailbox().is_some_and(|m| m.is_international());
    if envelope.smtputf8 || sender_international || envelope.recipients.iter().any(international) {
        line.push_str(" SMTPUTF8");
    }
    if offer.dsn {
        match envelope.ret {
            Some(Ret::Full) => line.push_str(" RET=FULL"),
            Some(Ret::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        push_graphic(&mut line, "ENVID", envelope.envid.as_deref());
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
        push_graphic(&mut line, "ORCPT", recipient.orcpt.as_deref());
    }
    line.push_str("\r\n");
    line
}

/// A value with a blank or a line end in it would be a command of its own: it is left out.
fn push_graphic(line: &mut String, keyword: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_graphic())) {
        line.push_str(&format!(" {keyword}={value}"));
    }
}
