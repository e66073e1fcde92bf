//! The forms of a probe: lines to be read aloud, JSON for scripts. Never fails.

use super::propose::Proposed;
use crate::deliver::probe::{HostProbed, Probed};
use crate::dns::Security;
use crate::mail::{Domain, TlsFacts};
use crate::vocabulary::{Level, Proof, Reason};
use serde_json::{Value, json};
use std::fmt::Write;

/// Whether the domain's mail hosts are named by signed names.
fn dnssec(probed: &Probed) -> &'static str {
    match (probed.security, probed.unroutable) {
        (_, Some(Reason::DnsBogus)) => "bogus",
        (Some(Security::Secure), _) => "secure",
        (Some(Security::Insecure), Some(Reason::DnsTempfail)) => "tempfail",
        (Some(Security::Insecure), _) => "insecure",
        (None, _) => "not-checked",
    }
}

pub(super) fn json(domain: &Domain, probed: &Probed, proposed: Option<&Proposed>) -> Value {
    let certificate = |tls: &TlsFacts| json!({ "names": tls.names, "issuer": tls.issuer, "not_after": tls.not_after, "spki": tls.spki });
    let host = |host: &HostProbed| {
        json!({
            "name": host.name,
            "addresses": host.addresses,
            "tlsa": host.tlsa,
            "starttls": host.starttls,
            "tls": host.tls.as_ref().map(|tls| format!("{} {}", tls.version.name(), tls.cipher)),
            "certificate": host.tls.as_ref().map(certificate),
            "level": host.level,
            "floor": host.floor,
            "proof": host.proof,
            "reason": host.reason,
        })
    };
    let mut answer = json!({
        "domain": domain,
        "dnssec": dnssec(probed),
        "mta_sts": { "mode": probed.sts.mode, "id": probed.sts.id, "reason": probed.sts.reason },
        "hosts": probed.hosts.iter().map(host).collect::<Vec<_>>(),
        "level": probed.level(),
        "why_not_more": probed.why_not_more(),
    });
    if let Some(proposed) = proposed {
        answer["proposal"] = proposed.json();
    }
    answer
}

pub(super) fn text(domain: &Domain, probed: &Probed) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{domain}");
    let _ = writeln!(text, "  dnssec    {}", dnssec(probed));
    let sts = match (&probed.sts.mode, &probed.sts.reason) {
        (Some(mode), _) => mode.to_string(),
        (None, Some(reason)) => format!("not usable: {reason}"),
        (None, None) => "none".to_owned(),
    };
    let _ = writeln!(text, "  mta-sts   {sts}");
    probed.hosts.iter().for_each(|host| host_lines(&mut text, host));
    let level = probed.level().map_or("nothing goes there", Level::name);
    let _ = writeln!(text, "\nreached     {level}");
    if let Some(reason) = probed.why_not_more().filter(|_| probed.level() < Some(Level::Verified)) {
        let _ = writeln!(text, "not more    because {} ({reason})", reason.words());
    }
    text
}

fn host_lines(text: &mut String, host: &HostProbed) {
    let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "\n  {}  {}", host.name, addresses.join(" "));
    for record in &host.tlsa {
        let _ = writeln!(text, "    tlsa      {record}");
    }
    if let Some(tls) = &host.tls {
        let _ = writeln!(text, "    tls       {} {}", tls.version.name(), tls.cipher);
        let _ = writeln!(text, "    names     {}", tls.names.join(" "));
        let _ = writeln!(text, "    issuer    {}", tls.issuer.as_deref().unwrap_or("?"));
        let _ = writeln!(text, "    until     {}", tls.not_after.as_deref().unwrap_or("?"));
        let _ = writeln!(text, "    key       {}", tls.spki.as_deref().unwrap_or("?"));
    }
    let level = host.level.map_or("no link", Level::name);
    let proof = if host.proof == Proof::Nothing { String::new() } else { format!(", proved by {}", host.proof) };
    let _ = writeln!(text, "    level     {level}{proof}");
    if host.usable_level().is_none() && host.level.is_some() {
        let _ = writeln!(text, "    floor     {}: by what it publishes no mail goes there at less", host.floor);
    }
    if let Some(reason) = host.reason {
        let _ = writeln!(text, "    because   {} ({reason})", reason.words());
    }
}
