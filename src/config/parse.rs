//! Reads gateway.toml: tables and their keys, then what the tables say of one another.

use super::read::{self, Reader};
use super::veil::veiled;
use super::{Config, Deliver, Dns, Limits, Listener, QueueSettings, Relay, Site, Text, TlsFiles};
use crate::policy::diagnostic::{Complaints, Mistake, Place};
use crate::policy::typed::{Keys, Table};
use crate::policy::{Diagnostic, SourceFile};
use crate::queue::Retry;
use crate::receive::access::{MailFrom, Network};
use crate::vocabulary::Level;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why gateway.toml cannot be used.
#[derive(Debug)]
pub enum ConfigError {
    Unreadable { file: PathBuf, why: std::io::Error },
    Wrong(Vec<Diagnostic>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable { file, why } => {
                write!(f, "{} cannot be read: {why}\nhint: name another with --config FILE", file.display())
            }
            ConfigError::Wrong(found) => {
                found.iter().try_for_each(|d| writeln!(f, "{d}\n"))?;
                write!(
                    f,
                    "gateway.toml: {} to mend",
                    if found.len() == 1 { "one mistake".into() } else { format!("{} mistakes", found.len()) }
                )
            }
        }
    }
}

impl std::error::Error for ConfigError {}

const TOP: Keys = Keys {
    known: &[
        "hostname", "data", "policies", "site", "listen", "relay", "deliver", "dns", "tls", "queue", "limits", "web",
    ],
    later: &["seal"],
};
const SITE: Keys = Keys {
    known: &[
        "description",
        "ods",
        "domains",
        "exchange",
        "networks",
        "logins",
        "senders",
        "require",
        "names",
        "pins",
        "duty",
        "phone",
        "elsewhere",
        "requiretls",
        "journal",
    ],
    later: &["client-pins", "language", "mailboxes"],
};
const JOURNAL: Keys = Keys { known: &["to", "require"], later: &[] };
const LISTEN: Keys = Keys { known: &["address", "mail-from", "tls"], later: &[] };
const RELAY: Keys =
    Keys { known: &["hosts", "require", "names", "pins", "onward", "carries", "auth", "reason", "review"], later: &[] };
const AUTH: Keys = Keys { known: &["user", "password-file"], later: &[] };
const DELIVER: Keys = Keys { known: &["port", "smarthost", "allow-private", "mta-sts-port"], later: &[] };
const DNS: Keys = Keys { known: &["servers", "dnssec", "self-test"], later: &[] };
const TLS: Keys = Keys { known: &["certificate", "key", "extra-roots", "profile"], later: &["client-certificate"] };
const QUEUE: Keys = Keys { known: &["retry", "expire", "min-free"], later: &["store"] };
const LIMITS: Keys = Keys {
    known: &[
        "max-message",
        "sessions",
        "sessions-per-client",
        "recipients",
        "line",
        "header",
        "hops",
        "idle",
        "message-time",
        "links",
        "links-per-destination",
    ],
    later: &[],
};
const WEB: Keys = Keys { known: &["admin"], later: &["portal"] };

/// Reads `file`. Relative paths in it are relative to its folder.
///
/// # Errors
/// When it cannot be read, or with everything that is wrong in it.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|why| ConfigError::Unreadable { file: file.to_owned(), why })?;
    read_text(file, &text)
}

/// The same of a text that is, or was, in `file`.
///
/// # Errors
/// With everything that is wrong in it.
pub fn read_text(file: &Path, text: &str) -> Result<Config, ConfigError> {
    let name = file.file_name().map_or_else(|| "gateway.toml".into(), |n| n.to_string_lossy().into_owned());
    let files = [SourceFile { name, text: veiled(text, RELAY, AUTH) }];
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let mut complaints = Complaints::about(&files);
    let config = read::root(text, &mut complaints, |table, c| config(table, &mut Reader { c, folder: &folder }));
    let failed = complaints.failed();
    match config {
        Some(config) if !failed => Ok(Config { file: file.to_owned(), text: Text(text.into()), ..config }),
        _ => Err(ConfigError::Wrong(complaints.finish())),
    }
}

fn config(top: Table<'_>, r: &mut Reader<'_, '_>) -> Option<Config> {
    top.check_keys_or(r.c, "gateway.toml", TOP, read::later);
    let hostname = r.required(top, "hostname", "gateway.toml", read::domain);
    let data = r.required(top, "data", "gateway.toml", read::text);
    let policies = r.required(top, "policies", "gateway.toml", read::text);
    let sites = r.tables(top, "site", SITE, site);
    let listeners = r.tables(top, "listen", LISTEN, listener);
    let relays = r.tables(top, "relay", RELAY, relay);
    for (what, missing) in [("site", sites.is_empty()), ("listen", listeners.is_empty())] {
        if missing && !top.has(what) {
            let mistake = Mistake::new("missing-table", format!("there is no [{what}.NAME]"));
            r.c.error(top.place, mistake.hint("the gateway needs one site and one listener at least"));
        }
    }
    let config = Config {
        file: PathBuf::new(),
        text: Text::default(),
        deliver: deliver(top, r),
        dns: dns(top, r),
        tls: tls(top, r),
        queue: queue(top, r),
        limits: limits(top, r),
        admin: r
            .table(top, "web", WEB)
            .and_then(|t| t.one(r.c, "admin", read::address))
            .map_or(DEFAULT_ADMIN, |s| s.value),
        hostname: hostname?,
        data: r.path(&data?),
        policies: r.path(&policies?),
        sites,
        listeners,
        relays,
    };
    check_names(top, &config, r);
    check_networks(top, &config, r);
    Some(config)
}

fn dns(top: Table<'_>, r: &mut Reader<'_, '_>) -> Dns {
    let Some(table) = r.table(top, "dns", DNS) else { return Dns::default() };
    let self_test = |text: &str| match text {
        "." => Ok(text.to_owned()),
        name => read::domain(name).map(|domain| domain.to_string()),
    };
    let default = Dns::default();
    Dns {
        servers: table.many_or_none(r.c, "servers", read::address).map(read::values).unwrap_or_default(),
        dnssec: table.one(r.c, "dnssec", read::dnssec).map_or(default.dnssec, |s| s.value),
        self_test: table.one(r.c, "self-test", self_test).map_or(default.self_test, |s| s.value),
    }
}

const DEFAULT_ADMIN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8025);

fn site(name: &str, table: Table<'_>, r: &mut Reader<'_, '_>) -> Option<Site> {
    let what = format!("[site.{name}]");
    let domains = r.required_list(table, "domains", &what, read::domain);
    let exchange = r.required_list(table, "exchange", &what, read::host_port);
    let logins = table.text(r.c, "logins").map(|s| r.path(&s.value));
    let networks = match logins {
        // Its clients may all come from elsewhere, and log in.
        Some(_) if !table.has("networks") => Some(Vec::new()),
        _ => r.required_list(table, "networks", &what, read::network),
    };
    let senders = table.one(r.c, "senders", read::senders).map(|s| s.value).unwrap_or_default();
    let require = table.one(r.c, "require", read::leg_level).map_or(Level::Encrypted, |s| s.value);
    let (names, pins) = r.proofs(table, &what, require);
    let requiretls = table.boolean(r.c, "requiretls").is_some_and(|s| s.value);
    if requiretls && require < Level::Verified && names.is_empty() && pins.is_empty() {
        let mistake =
            Mistake::new("missing-key", format!("{what} says `requiretls` and gives neither `names` nor `pins`"));
        r.c.error(
            table.key_place("requiretls"),
            mistake.hint("RFC 8689 2: its certificate has to prove it, so name what it must say, or pin its key"),
        );
    }
    let duty = table.one(r.c, "duty", read::mailbox).map(|s| s.value);
    let journal = r.journal(table, &what, (JOURNAL, duty.as_ref()));
    Some(Site {
        name: name.into(),
        description: table.text(r.c, "description").map_or_else(|| name.to_owned(), |s| s.value),
        senders,
        require,
        names,
        pins,
        duty,
        phone: table.text(r.c, "phone").map(|s| s.value),
        elsewhere: table.one(r.c, "elsewhere", read::relay_name).map(|s| s.value),
        requiretls,
        domains: domains?,
        exchange: exchange?,
        networks: networks?,
        logins,
        journal,
    })
}

fn listener(name: &str, table: Table<'_>, r: &mut Reader<'_, '_>) -> Option<Listener> {
    let what = format!("[listen.{name}]");
    let address = r.required(table, "address", &what, read::address);
    let mail_from = r.required(table, "mail-from", &what, read::mail_from);
    let tls = table.one(r.c, "tls", read::listener_tls).map(|s| s.value);
    let mail_from = mail_from?;
    // A site's Exchange can be told to use TLS; the internet cannot (RFC 3207 4).
    let default = if mail_from == MailFrom::Sites { super::ListenerTls::Require } else { super::ListenerTls::Offer };
    Some(Listener { name: Arc::from(name), address: address?, mail_from, tls: tls.unwrap_or(default) })
}

fn relay(name: &str, table: Table<'_>, r: &mut Reader<'_, '_>) -> Option<Relay> {
    let what = format!("[relay.{name}]");
    let hosts = r.required_list(table, "hosts", &what, read::host_port);
    let require = table.one(r.c, "require", read::leg_level).map_or(Level::Verified, |s| s.value);
    let (names, pins) = r.proofs(table, &what, require);
    Some(Relay {
        name: name.into(),
        hosts: hosts?,
        require,
        names,
        pins,
        // Nobody promised anything: it is taken to go on encrypted at most, and proves nothing.
        onward: table.one(r.c, "onward", read::leg_level).map_or(require.min(Level::Encrypted), |s| s.value),
        carries: table.many_or_none(r.c, "carries", read::text).map(read::values).unwrap_or_default(),
        auth: r.relay_auth(table, &what, (AUTH, require)),
    })
}

fn deliver(top: Table<'_>, r: &mut Reader<'_, '_>) -> Deliver {
    let default = Deliver::default();
    let Some(table) = r.table(top, "deliver", DELIVER) else { return default };
    Deliver {
        port: r.port(table, "port", default.port),
        smarthost: table.one(r.c, "smarthost", read::relay_name).map(|s| s.value),
        allow_private: table.boolean(r.c, "allow-private").is_some_and(|s| s.value),
        mta_sts_port: r.port(table, "mta-sts-port", default.mta_sts_port),
    }
}

fn tls(top: Table<'_>, r: &mut Reader<'_, '_>) -> TlsFiles {
    let Some(table) = r.table(top, "tls", TLS) else { return TlsFiles::default() };
    let mut file = |key| table.text(r.c, key).map(|s| r.folder.join(s.value));
    let (certificate, key) = (file("certificate"), file("key"));
    if certificate.is_some() != key.is_some() {
        let mistake = Mistake::new("missing-key", "`certificate` and `key` belong together");
        r.c.error(table.place, mistake.hint("give both, or neither for a self-signed certificate"));
    }
    let extra = table.many_or_none(r.c, "extra-roots", read::text).map(read::values).unwrap_or_default();
    let profile = table.one(r.c, "profile", read::profile).map(|s| s.value).unwrap_or_default();
    TlsFiles { identity: certificate.zip(key), extra_roots: extra.iter().map(|p| r.folder.join(p)).collect(), profile }
}

fn queue(top: Table<'_>, r: &mut Reader<'_, '_>) -> QueueSettings {
    let mut settings = QueueSettings { retry: Retry::default(), min_free: 2_000_000_000 };
    let Some(table) = r.table(top, "queue", QUEUE) else { return settings };
    if let Some(pauses) = table.many(r.c, "retry", read::pause).map(read::values).filter(|p| !p.is_empty()) {
        settings.retry.pauses = pauses;
    }
    settings.retry.expire = r.some_time(table, "expire", settings.retry.expire);
    settings.min_free = table.size(r.c, "min-free").map_or(settings.min_free, |s| s.value);
    settings
}

/// RFC 5321 4.5.3.1.8: what every server must take.
const LEAST_RECIPIENTS: usize = 100;
/// RFC 5321 4.5.3.1.4 has 512, and what is offered adds to it (RFC 1870 3, 3461 4, 4954 5, 6531 3.1): so the longest MAIL and
/// RCPT fit.
const LEAST_LINE: usize = 1_024;

fn limits(top: Table<'_>, r: &mut Reader<'_, '_>) -> Limits {
    let mut limits = Limits::default();
    let Some(table) = r.table(top, "limits", LIMITS) else { return limits };
    limits.max_message = r.some_size(table, "max-message", limits.max_message);
    limits.header = usize::try_from(r.some_size(table, "header", limits.header as u64)).unwrap_or(usize::MAX);
    for (key, into, least) in [
        ("sessions", &mut limits.sessions, 1),
        ("sessions-per-client", &mut limits.sessions_per_client, 1),
        ("recipients", &mut limits.recipients, LEAST_RECIPIENTS),
        ("line", &mut limits.line, LEAST_LINE),
        ("hops", &mut limits.hops, 1),
        ("links", &mut limits.links, 1),
        ("links-per-destination", &mut limits.links_per_destination, 1),
    ] {
        *into = r.at_least(table, key, *into, least);
    }
    for (key, into) in [("idle", &mut limits.idle), ("message-time", &mut limits.message_time)] {
        *into = r.some_time(table, key, *into);
    }
    limits
}

/// What one table says of another: relays that are named exist, a domain has one site.
fn check_names(top: Table<'_>, config: &Config, r: &mut Reader<'_, '_>) {
    let known: Vec<&str> = config.relays.iter().map(|relay| relay.name.as_ref()).collect();
    let smarthost = config.deliver.smarthost.as_deref().map(|name| (name, place_in(top, r, &["deliver"], "smarthost")));
    let elsewhere = config.sites.iter().filter_map(|s| {
        let name = s.elsewhere.as_deref()?;
        Some((name, place_in(top, r, &["site", &s.name], "elsewhere")))
    });
    let named: Vec<_> = elsewhere.chain(smarthost).collect();
    for (name, place) in named.into_iter().filter(|(name, _)| !known.contains(name)) {
        let message = format!("there is no [relay.{name}]");
        r.c.error(place, Mistake::unknown("unknown-relay", message, name, known.iter().copied()));
    }
    let mut owners = std::collections::HashMap::new();
    for (domain, site) in config.sites.iter().flat_map(|s| s.domains.iter().map(move |d| (d, &s.name))) {
        if let Some(other) = owners.insert(domain, site).filter(|other| *other != site) {
            let message = format!("the domain `{domain}` belongs to two sites, `{other}` and `{site}`");
            let place = place_in(top, r, &["site", site], "domains");
            r.c.error(place, Mistake::new("domain-twice", message).hint("a recipient can go to one Exchange only"));
        }
    }
}

/// A network inside another site's is the narrower one's; the same one twice would be whose it is by the order of tables.
fn check_networks(top: Table<'_>, config: &Config, r: &mut Reader<'_, '_>) {
    let all: Vec<_> = config.sites.iter().flat_map(|s| s.networks.iter().map(move |n| (n, &s.name))).collect();
    for (at, (network, site)) in all.iter().enumerate() {
        let same = |(other, of): &&(&Network, &Arc<str>)| of != site && network.covers(other) && other.covers(network);
        if let Some((_, other)) = all[..at].iter().find(same) {
            let message = format!("the network {network} belongs to two sites, `{other}` and `{site}`");
            let place = place_in(top, r, &["site", site], "networks");
            r.c.error(
                place,
                Mistake::new("network-twice", message)
                    .hint("a client sends as one site; a narrower network may lie in a wider one"),
            );
        }
    }
}

/// Where a key of a table below `top` was typed.
fn place_in(top: Table<'_>, r: &mut Reader<'_, '_>, path: &[&str], key: &str) -> Place {
    let table = path.iter().try_fold(top, |table, name| table.below(r.c, name));
    table.map_or(top.place, |table| table.key_place(key))
}
