//! The points that `doctor` looks at, one function each. What cannot be found out is a warning that says so.

use super::{Point, State};
use crate::clock::{Now, rfc3339};
use crate::config::Config;
use crate::control::{Request, client};
use crate::decide;
use crate::deliver::probe::{HostProbed, Prober};
use crate::dns::{AddressAnswer, MxAnswer};
use crate::mail::Domain;
use crate::policy::ProofSource;
use crate::queue::Destination;
use crate::record;
use crate::store;
use crate::tls::Identity;
use crate::vocabulary::{Level, Reason};
use crate::workers::{self, Confined, Unfit, Workers};
use std::path::Path;
use std::process::Command;

const DAY: i64 = 86_400_000;
/// Before its end a certificate is a warning.
const RENEW: i64 = 21 * DAY;

pub(super) async fn all(config: &Config, prober: &Prober, reach: &Domain) -> Vec<Point> {
    let mut points = vec![clock(&config.data), disk(config), policy(config), certificate(config)];
    points.push(documents());
    points.extend(not_accepted(config));
    points.push(names(prober, reach).await);
    points.push(dnssec(config, prober).await);
    let proofs = config.proofs();
    for site in &config.sites {
        let sources = sources_of(&proofs, &Destination::Site(site.name.clone()));
        for host in &site.exchange {
            let probed = prober.configured((&host.host, host.port), sources).await;
            points.push(leg(&format!("exchange of {}", site.name), &probed, (host.port, site.require)));
        }
    }
    for relay in &config.relays {
        let sources = sources_of(&proofs, &Destination::Relay(relay.name.clone()));
        for host in &relay.hosts {
            let probed = prober.configured((&host.host, host.port), sources).await;
            points.push(leg(&format!("relay {}", relay.name), &probed, (host.port, relay.require)));
        }
    }
    // Behind a smarthost nothing else is called.
    if config.deliver.smarthost.is_none() {
        points.push(way_out(prober, reach).await);
    }
    points
}

fn sources_of<'p>(
    proofs: &'p std::collections::HashMap<String, Vec<ProofSource>>,
    destination: &Destination,
) -> &'p [ProofSource] {
    proofs.get(&destination.to_string()).map_or(&[], Vec::as_slice)
}

/// The clock decides when exceptions end and whether certificates are valid.
fn clock(data: &Path) -> Point {
    let now = Now::read().wall;
    let newest = store::reader_of(data).and_then(|reader| record::newest(&reader)).ok().flatten();
    if let Some(newest) = newest.filter(|newest| *newest > now.plus(std::time::Duration::from_secs(60))) {
        let said = format!("it is {} here, and mail was accepted at {}", rfc3339(now), rfc3339(newest));
        return Point::bad(
            "clock",
            State::Fail,
            said,
            "the clock went back: set it, and look at what sets it (chrony, timesyncd)",
        );
    }
    let asked = Command::new("timedatectl").args(["show", "-p", "NTPSynchronized", "--value"]).output();
    match asked.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).as_deref() {
        Some("yes") => Point::ok("clock", format!("{}, and kept right over the network", rfc3339(now))),
        Some("no") => Point::bad("clock", State::Warn, "nothing keeps it right", "turn chrony or systemd-timesyncd on"),
        _ => Point::bad(
            "clock",
            State::Warn,
            "the system does not say whether it is kept right",
            "look at chronyc tracking",
        ),
    }
}

/// Documents are read by processes that confine themselves, or not at all.
fn documents() -> Point {
    let programme = workers::programme().unwrap_or(Path::new("/proc/self/exe")).to_owned();
    match Workers::new(programme, 1, |_| ()).confined() {
        Ok(Confined::Twice) => Point::ok("documents", "their readers are confined by seccomp and landlock"),
        Ok(Confined::BySystemCalls) => {
            Point::ok("documents", "their readers are confined by seccomp; this kernel has no landlock")
        }
        Err(Unfit(why)) => Point::bad(
            "documents",
            State::Fail,
            format!("none is read, and all count as unread: {why}"),
            "a kernel with seccomp is needed (CONFIG_SECCOMP_FILTER), and a unit that allows @sandbox",
        ),
    }
}

fn disk(config: &Config) -> Point {
    let hint = "make the folder, for the account that runs the gateway; or give it another place with `data`";
    let Ok(found) = nix::sys::statvfs::statvfs(&config.data) else {
        return Point::bad("disk", State::Warn, format!("{} is not there yet", config.data.display()), hint);
    };
    let (free, wanted) = (found.blocks_available().saturating_mul(found.fragment_size()), config.queue.min_free);
    let megabytes = |octets: u64| octets / 1_000_000;
    let said = format!("{} MB are free in {}", megabytes(free), config.data.display());
    if free < wanted {
        let hint = format!("below {} MB (queue.min-free) no mail is accepted: make room", megabytes(wanted));
        return Point::bad("disk", State::Fail, said, hint);
    }
    if free < wanted.saturating_mul(2) {
        return Point::bad("disk", State::Warn, said, format!("below {} MB no mail is accepted", megabytes(wanted)));
    }
    Point::ok("disk", said)
}

fn policy(config: &Config) -> Point {
    let status = client::ask(&config.data, &Request::Status).unwrap_or_default();
    let is_running = status["running"] == true;
    let hash = status["policy_hash"].as_str();
    match decide::load(&config.policies, &config.known(), jiff::Zoned::now().date()) {
        Ok(_) if is_running && hash.is_none() => {
            Point::bad("policy", State::Fail, format!("its files are good; {NONE_IN_FORCE}"), "mailward reload")
        }
        Ok(loaded) if loaded.warnings.is_empty() => {
            Point::ok("policy", format!("{}, {} tests passed", loaded.judge.policy.hash(), loaded.tests.len()))
        }
        Ok(loaded) => {
            let said = format!("{}, good with {} warnings", loaded.judge.policy.hash(), loaded.warnings.len());
            Point::bad("policy", State::Warn, said, "mailward check --config FILE shows them")
        }
        Err(_) => {
            let said = match hash {
                Some(hash) => format!("its files are not fit for use; {hash} is in force"),
                None if is_running => format!("its files are not fit for use; {NONE_IN_FORCE}"),
                None => "its files are not fit for use".to_owned(),
            };
            let hint = "mailward check --config FILE says what is wrong; mailward reload takes it when mended";
            Point::bad("policy", State::Fail, said, hint)
        }
    }
}

/// What a restart took of gateway.toml without asking anybody.
fn not_accepted(config: &Config) -> Option<Point> {
    let status = client::ask(&config.data, &Request::Status).unwrap_or_default();
    let lowered: Vec<&str> = status["not_accepted"].as_array()?.iter().filter_map(serde_json::Value::as_str).collect();
    let hint = "if it is meant: mailward reload --accept-lowering \"REASON\" --by NAME";
    let said = || format!("lowered at a start, accepted by nobody: {}", lowered.join("; "));
    (!lowered.is_empty()).then(|| Point::bad("gateway.toml", State::Fail, said(), hint))
}

const NONE_IN_FORCE: &str = "the running gateway has no policy in force: MAIL gets 451 4.7.10, and nothing is sent";

fn certificate(config: &Config) -> Point {
    let now = Now::read().wall;
    let Some((certificate, key)) = &config.tls.identity else {
        return Point::bad(
            "certificate",
            State::Warn,
            "self-signed, made by the gateway itself",
            "partners and Exchange can pin its key; for proof by name give `certificate` and `key` under [tls]",
        );
    };
    let identity = match Identity::load(certificate, key) {
        Ok(identity) => identity,
        Err(error) => return Point::bad("certificate", State::Fail, error.to_string(), "mend the files under [tls]"),
    };
    let (ends, names) = (identity.not_after(), identity.names());
    let said = format!("for {} until {}", names.join(" "), rfc3339(ends));
    if ends <= now {
        return Point::bad(
            "certificate",
            State::Fail,
            said,
            "it has ended: renew it; the files are taken without a restart",
        );
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case(config.hostname.as_str())) {
        let hint = format!("it is not for `{}` (hostname): whoever checks the name refuses us", config.hostname);
        return Point::bad("certificate", State::Warn, said, hint);
    }
    if ends.0.saturating_sub(RENEW) <= now.0 {
        return Point::bad("certificate", State::Warn, said, "renew it: the files are taken without a restart");
    }
    Point::ok("certificate", said)
}

async fn names(prober: &Prober, reach: &Domain) -> Point {
    match prober.resolver.mx(reach).await {
        MxAnswer::Tempfail(cause) | MxAnswer::Bogus(cause) => {
            Point::bad("dns", State::Fail, cause, "look at [dns] servers, and whether a firewall lets port 53 through")
        }
        _ => match prober.resolver.addresses(&prober.hostname).await {
            AddressAnswer::Found(_) => Point::ok("dns", format!("{reach} and {} can be looked up", prober.hostname)),
            _ => Point::bad(
                "dns",
                State::Warn,
                format!("{} has no address in the DNS", prober.hostname),
                "many servers refuse mail from whoever says EHLO with a name that does not exist",
            ),
        },
    }
}

async fn dnssec(config: &Config, prober: &Prober) -> Point {
    match prober.resolver.self_test(&config.dns.self_test).await {
        Some(Ok(())) => Point::ok("dnssec", "the resolver validates"),
        Some(Err(cause)) => {
            let hint = "look at the resolver (unbound): its trust anchor, its clock; mail that is proved by signed names waits";
            Point::bad("dnssec", State::Fail, cause, hint)
        }
        None => Point::bad(
            "dnssec",
            State::Warn,
            "nobody's word on signatures is believed: no peer is proved by DANE",
            "run a validating resolver on this machine (unbound) and name it in [dns] servers",
        ),
    }
}

/// A host that configuration names.
fn leg(name: &str, probed: &HostProbed, (port, require): (u16, Level)) -> Point {
    let name = format!("{name} ({}:{port})", probed.name);
    let reason = probed.reason.unwrap_or(Reason::RequirementMet);
    match probed.level {
        None => {
            Point::bad(name, State::Fail, reason.words(), "look whether it runs, and whether a firewall is between")
        }
        Some(level) if level >= require => Point::ok(name, format!("{level}, {require} is required")),
        Some(level) => {
            let said = format!("{level}, and {require} is required, because {}", reason.words());
            Point::bad(name, State::Fail, said, hint_of(reason))
        }
    }
}

fn hint_of(reason: Reason) -> &'static str {
    match reason {
        Reason::TlsNotOffered => "turn TLS on there (Exchange: a certificate for the receive connector's SMTP service)",
        Reason::TlsMasked => "turn the firewall's ESMTP inspection off (Cisco: no inspect esmtp)",
        Reason::NoProofSource => "say in gateway.toml what its certificate has to say: `names`, or `pins`",
        _ => "mailward probe and the host's own log say more",
    }
}

/// Whether port 25 leads out, and whether something between spoils it.
async fn way_out(prober: &Prober, reach: &Domain) -> Point {
    let probed = prober.probe(reach).await;
    let (level, reason) = (probed.hosts.iter().filter_map(|host| host.level).max(), probed.why_not_more());
    let name = format!("port 25 to {reach}");
    match (level, reason) {
        (_, Some(Reason::TlsMasked)) => {
            Point::bad(name, State::Fail, Reason::TlsMasked.words(), hint_of(Reason::TlsMasked))
        }
        (Some(Level::Any), reason) => Point::bad(
            name,
            State::Warn,
            format!("open, without encryption, because {}", reason.unwrap_or(Reason::TlsNotOffered).words()),
            "if it is so with every domain, something between takes the offer away",
        ),
        (Some(level), _) => Point::ok(name, format!("open, {level} is reached")),
        (None, reason) => {
            let reason = reason.unwrap_or(Reason::ConnectionTimedOut);
            let blocked =
                matches!(reason, Reason::ConnectionTimedOut | Reason::ConnectionRefused | Reason::NetworkUnreachable);
            let hint = if blocked {
                "many networks block port 25: ask for it, or send by a smarthost ([deliver] smarthost)"
            } else {
                "try another domain with --reach; mailward probe DOMAIN says more"
            };
            Point::bad(name, State::Fail, reason.words(), hint)
        }
    }
}
