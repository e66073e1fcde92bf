//! The Received field that goes in front of every message (RFC 5321 4.4). Pure.

use crate::clock::{EntryId, Wall, rfc5322_date};
use crate::mail::{Envelope, TlsFacts};
use std::net::IpAddr;

/// What the field says of the session.
#[derive(Debug, Clone, Copy)]
pub struct Trace<'a> {
    pub hello: &'a str,
    pub client: IpAddr,
    pub hostname: &'a str,
    /// `ESMTPS` (RFC 3848).
    pub protocol: &'a str,
    pub tls: Option<&'a TlsFacts>,
}

/// The whole field with its CRLF. The recipient is named only where there is one: others are nobody's business.
#[must_use]
pub fn field(trace: &Trace<'_>, id: EntryId, envelope: &Envelope, now: Wall) -> String {
    // RFC 6531 3.7.3: UTF8SMTP, UTF8SMTPS
    let protocol = match (envelope.smtputf8, trace.protocol) {
        (true, "ESMTPS") => "UTF8SMTPS",
        (true, "ESMTP") => "UTF8SMTP",
        (_, protocol) => protocol,
    };
    let tls =
        trace.tls.map(|t| format!("\r\n\t(version={} cipher={})", t.version.name(), t.cipher)).unwrap_or_default();
    let recipient = match envelope.recipients.as_slice() {
        [only] => format!("\r\n\tfor <{}>", only.mailbox),
        _ => String::new(),
    };
    format!(
        "Received: from {} ({})\r\n\tby {} with {protocol}{tls}\r\n\tid {id}{recipient};\r\n\t{}\r\n",
        trace.hello,
        literal(trace.client),
        trace.hostname,
        rfc5322_date(now)
    )
}

/// RFC 5321 4.1.3
fn literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(a) => format!("[{a}]"),
        IpAddr::V6(a) => format!("[IPv6:{a}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Header, Recipient, ReversePath, TlsVersion};

    fn envelope(recipients: &[&str]) -> Envelope {
        Envelope {
            reverse_path: ReversePath::Null,
            recipients: recipients.iter().map(|r| Recipient::new(r.parse().unwrap())).collect(),
            body: Default::default(),
            smtputf8: false,
            ret: None,
            envid: None,
            require_tls: false,
        }
    }

    fn tls() -> TlsFacts {
        TlsFacts {
            version: TlsVersion::Tls13,
            cipher: "TLS13_AES_256_GCM_SHA384".into(),
            names: vec![],
            not_after: None,
            issuer: None,
            spki: None,
        }
    }

    #[test]
    fn it_is_one_field_with_everything_rfc_5321_asks() {
        let tls = tls();
        let trace = Trace {
            hello: "exch01.kingston.local",
            client: "10.20.0.5".parse().unwrap(),
            hostname: "gw1.trust.example",
            protocol: "ESMTPS",
            tls: Some(&tls),
        };
        let text = field(&trace, EntryId::from_row(1), &envelope(&["a@nhs.net"]), Wall(1_795_348_471_000));
        let header = Header::of(text.as_bytes());
        assert_eq!(header.fields().count(), 1);
        assert_eq!(
            header.first("Received").map(|f| f.text()).unwrap_or_default(),
            "from exch01.kingston.local ([10.20.0.5])\tby gw1.trust.example with ESMTPS\t(version=TLSv1.3 \
             cipher=TLS13_AES_256_GCM_SHA384)\tid 0000000000001\tfor <a@nhs.net>;\tSun, 22 Nov 2026 11:54:31 +0000"
        );
    }

    #[test]
    fn recipients_are_not_shown_to_one_another() {
        let trace = Trace { hello: "x", client: "::1".parse().unwrap(), hostname: "gw", protocol: "SMTP", tls: None };
        let text = field(&trace, EntryId::from_row(1), &envelope(&["a@nhs.net", "b@nhs.net"]), Wall(0));
        assert!(!text.contains("nhs.net") && text.contains("([IPv6:::1])"));
    }
}
