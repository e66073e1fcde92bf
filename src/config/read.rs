//! The values of gateway.toml, one function per kind, and the tables that hold them.

use super::{HostPort, ListenerTls, RelayAuth};
use crate::clock::{duration_words, parse_duration};
use crate::dns::Dnssec;
use crate::mail::{Domain, Mailbox};
use crate::policy::Journal;
use crate::policy::diagnostic::{Complaints, Mistake, Place, Sited};
use crate::policy::syntax;
use crate::policy::typed::{self, Keys, Parsed, Table};
use crate::receive::access::{MailFrom, Network, Senders};
use crate::tls::Profile;
use crate::vocabulary::Level;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// Where values are read from and complaints go to.
pub(super) struct Reader<'r, 'f> {
    pub c: &'r mut Complaints<'f>,
    /// Relative paths are relative to it.
    pub folder: &'r Path,
}

/// Parses the text and hands its top table over.
pub(super) fn root<T>(
    text: &str,
    c: &mut Complaints<'_>,
    read: impl FnOnce(Table<'_>, &mut Complaints<'_>) -> Option<T>,
) -> Option<T> {
    match DeTable::parse(text) {
        Ok(parsed) => {
            let top = Table { file: 0, place: Place { file: 0, start: 0, end: 0 }, inner: parsed.get_ref() };
            read(top, c)
        }
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            c.error(typed::place(0, span.clone()), syntax::mistake(text, span, error.message()));
            None
        }
    }
}

impl Reader<'_, '_> {
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// A table of fixed name, its keys checked.
    pub fn table<'a>(&mut self, top: Table<'a>, name: &str, keys: Keys) -> Option<Table<'a>> {
        let table = top.below(self.c, name)?;
        table.check_keys_or(self.c, &format!("[{name}]"), keys, later);
        Some(table)
    }

    /// All tables `[kind.NAME]`, in the order in which they stand.
    pub fn tables<T>(
        &mut self,
        top: Table<'_>,
        kind: &str,
        keys: Keys,
        read: impl Fn(&str, Table<'_>, &mut Self) -> Option<T>,
    ) -> Vec<T> {
        let Some(all) = top.below(self.c, kind) else { return Vec::new() };
        let mut found = Vec::new();
        for (name, value) in all.inner.iter() {
            let at = typed::place(0, name.span());
            let (name, what) = (name.get_ref().as_ref(), format!("[{kind}.{}]", name.get_ref()));
            match value.get_ref() {
                DeValue::Table(inner) if typed::is_name(name) => {
                    let table = Table { file: 0, place: at, inner };
                    table.check_keys_or(self.c, &what, keys, later);
                    found.extend(read(name, table, self));
                }
                DeValue::Table(_) => {
                    let mistake = Mistake::new("wrong-name", format!("`{name}` is not a name here"));
                    self.c.error(at, mistake.hint("names have small letters, digits and hyphens"));
                }
                other => self.c.error(at, typed::wrong_type(name, "a table", other)),
            }
        }
        found
    }

    pub fn required<T>(
        &mut self,
        table: Table<'_>,
        key: &str,
        what: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<T> {
        self.must_have(table, key, what);
        table.one(self.c, key, parse).map(|s| s.value)
    }

    /// `auth` of a relay, whose link needs `require`.
    pub fn relay_auth(&mut self, relay: Table<'_>, what: &str, (keys, require): (Keys, Level)) -> Option<RelayAuth> {
        let table = relay.below(self.c, "auth")?;
        let what = format!("auth of {what}");
        table.check_keys_or(self.c, &what, keys, later);
        if require < Level::Encrypted {
            let mistake = Mistake::new("wrong-value", format!("{what} would be said in clear text"));
            self.c
                .error(relay.key_place("auth"), mistake.hint("`require` of the relay has to be encrypted or verified"));
        }
        let user = self.required(table, "user", &what, user);
        let file = self.required(table, "password-file", &what, text);
        Some(RelayAuth { user: user?, password_file: self.path(&file?) })
    }

    /// `journal` of a site, whose duty hears when it is held.
    pub fn journal(&mut self, site: Table<'_>, what: &str, (keys, duty): (Keys, Option<&Mailbox>)) -> Option<Journal> {
        let table = site.below(self.c, "journal")?;
        let what = format!("journal of {what}");
        table.check_keys_or(self.c, &what, keys, later);
        let to = self.required_list(table, "to", &what, mailbox)?;
        let require = table.one(self.c, "require", leg_level).map_or(Level::Verified, |s| s.value);
        let wrong = match duty {
            None => "has nobody to tell when it is held",
            Some(duty) if to.iter().any(|to| to.key() == duty.key()) => {
                "names the site's duty, whose notices would go there"
            }
            Some(_) => return Some(Journal { to, require }),
        };
        let mistake = Mistake::new("wrong-value", format!("{what} {wrong}"));
        self.c.error(site.key_place("journal"), mistake.hint("give the site a `duty` that is another mailbox"));
        None
    }

    pub fn required_list<T>(
        &mut self,
        table: Table<'_>,
        key: &str,
        what: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<Vec<T>> {
        self.must_have(table, key, what);
        let given = table.many_or_none(self.c, key, parse)?;
        let typed = table.value(key)?;
        if typed.get_ref().as_array().is_some_and(|items| items.is_empty()) {
            let mistake = Mistake::new("empty-list", format!("`{key}` is empty"));
            let at = typed::place(table.file, typed.span());
            self.c.error(at, mistake.hint(format!("name at least one: {what} does nothing without")));
        }
        Some(values(given))
    }

    fn must_have(&mut self, table: Table<'_>, key: &str, what: &str) {
        if !table.has(key) {
            self.c.error(table.place, Mistake::new("missing-key", format!("{what} has no `{key}`")));
        }
    }

    /// `names` and `pins` of a leg; a leg that must be verified needs one of them.
    pub fn proofs(&mut self, table: Table<'_>, what: &str, require: Level) -> (Vec<String>, Vec<String>) {
        let names = table.many_or_none(self.c, "names", host).map(values).unwrap_or_default();
        let pins = table.many_or_none(self.c, "pins", pin).map(values).unwrap_or_default();
        if require >= Level::Verified && names.is_empty() && pins.is_empty() {
            let mistake =
                Mistake::new("missing-key", format!("{what} asks `verified` and gives neither `names` nor `pins`"));
            self.c.error(table.place, mistake.hint("name what its certificate must say, or pin its key"));
        }
        (names, pins)
    }

    pub fn port(&mut self, table: Table<'_>, key: &str, default: u16) -> u16 {
        let Some(read) = table.count(self.c, key) else { return default };
        match u16::try_from(read.value) {
            Ok(port) if port > 0 => port,
            _ => {
                self.c
                    .error(read.place, Mistake::new("wrong-value", format!("`{key}` must be a port from 1 to 65535")));
                default
            }
        }
    }

    /// A number that is not below what makes sense, or what every server must take.
    pub fn at_least(&mut self, table: Table<'_>, key: &str, default: usize, least: usize) -> usize {
        let Some(read) = table.count(self.c, key) else { return default };
        if read.value < least {
            let mistake = Mistake::new("wrong-value", format!("`{key}` must be {least} or more"));
            let hint = format!("RFC 5321 4.5.3.1: every server takes {least}; without the key it is {default}");
            let mistake = if least > 1 { mistake.hint(hint) } else { mistake };
            self.c.error(read.place, mistake);
        }
        read.value
    }

    /// A time that has some length.
    pub fn some_time(&mut self, table: Table<'_>, key: &str, default: Duration) -> Duration {
        let Some(read) = table.duration(self.c, key) else { return default };
        if read.value < SHORTEST {
            let mistake = Mistake::new("wrong-value", format!("`{key}` must be {} or more", duration_words(SHORTEST)));
            self.c.error(read.place, mistake.hint(format!("without the key it is {}", duration_words(default))));
        }
        read.value
    }

    /// A size that has room for something.
    pub fn some_size(&mut self, table: Table<'_>, key: &str, default: u64) -> u64 {
        let Some(read) = table.size(self.c, key) else { return default };
        if read.value < SMALLEST {
            self.c.error(read.place, Mistake::new("wrong-value", format!("`{key}` must be 1KB or more")));
        }
        read.value
    }
}

/// Below it nobody could answer in time.
const SHORTEST: Duration = Duration::from_secs(1);
/// Below it no message has room.
const SMALLEST: u64 = 1_000;

/// `not in this version`, said alike everywhere in gateway.toml.
pub(super) fn later(what: &str) -> Mistake {
    Mistake::new("not-in-this-version", format!("{what} is not in this version"))
        .hint("take it out; the gateway never promises what this version cannot keep")
}

pub(super) fn values<T>(sited: Vec<Sited<T>>) -> Vec<T> {
    sited.into_iter().map(|s| s.value).collect()
}

pub(super) fn text(written: &str) -> Parsed<String> {
    Ok(written.to_owned())
}

pub(super) fn domain(written: &str) -> Parsed<Domain> {
    written.parse().map_err(|e| Mistake::new("wrong-value", format!("`{written}` is not a domain: {e}")))
}

pub(super) fn mailbox(written: &str) -> Parsed<Mailbox> {
    written.parse().map_err(|e| Mistake::new("wrong-value", format!("`{written}` is not an address: {e}")))
}

pub(super) fn address(written: &str) -> Parsed<SocketAddr> {
    written.parse().map_err(|_| {
        Mistake::new("wrong-value", format!("`{written}` is not an address and port"))
            .hint("write it as \"127.0.0.1:25\" or \"[::1]:25\"")
    })
}

/// `10.20.0.5:25`, `[2001:db8::1]:25`, `relay.hub.example:587`; port 25 where none is given.
pub(super) fn host_port(written: &str) -> Parsed<HostPort> {
    let wrong = || {
        Mistake::new("wrong-value", format!("`{written}` is not a host and port"))
            .hint("write it as \"10.20.0.5:25\" or \"relay.hub.example:587\"")
    };
    if let Ok(address) = written.parse::<SocketAddr>() {
        return Ok(HostPort { host: address.ip().to_string(), port: address.port() });
    }
    let (name, port) = match written.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().map_err(|_| wrong())?),
        None => (written, 25),
    };
    if name.parse::<std::net::IpAddr>().is_err() && host(name).is_err() {
        return Err(wrong());
    }
    Ok(HostPort { host: name.to_ascii_lowercase(), port })
}

pub(super) fn host(written: &str) -> Parsed<String> {
    match written.parse::<Domain>() {
        Ok(domain) if domain.literal().is_none() && !written.starts_with('[') => Ok(domain.as_str().to_owned()),
        _ => Err(Mistake::new("wrong-value", format!("`{written}` is not a host name"))),
    }
}

pub(super) fn network(written: &str) -> Parsed<Network> {
    written.parse().map_err(|why: String| Mistake::new("wrong-value", why).hint("write it as \"10.20.0.0/24\""))
}

/// Levels that a link can have: `sealed` is a property of messages.
pub(super) fn leg_level(written: &str) -> Parsed<Level> {
    let level = typed::word::<Level>(&["any", "encrypted", "verified"])(written)?;
    match level {
        Level::Sealed => {
            Err(Mistake::new("wrong-value", "a link cannot be `sealed`").hint("any, encrypted or verified"))
        }
        level => Ok(level),
    }
}

/// `sha256/BASE64` of a key's SPKI.
pub(super) fn pin(written: &str) -> Parsed<String> {
    use base64::Engine;
    let digest = written.strip_prefix("sha256/").and_then(|b| base64::engine::general_purpose::STANDARD.decode(b).ok());
    match digest {
        Some(digest) if digest.len() == 32 => Ok(written.to_owned()),
        _ => Err(Mistake::new("wrong-value", format!("`{written}` is not a pin"))
            .hint("\"sha256/\" and the key's SHA-256 in base64")),
    }
}

/// RFC 4616 2: 1 to 255 octets, no NUL; nobody's name has another control character.
fn user(written: &str) -> Parsed<String> {
    match written.len() {
        1..=255 if !written.chars().any(char::is_control) => Ok(written.to_owned()),
        _ => Err(Mistake::new("wrong-value", "that is no user name").hint("1 to 255 octets, no control characters")),
    }
}

pub(super) fn pause(written: &str) -> Parsed<Duration> {
    let pause = parse_duration(written).map_err(|why| Mistake::new("wrong-value", why))?;
    if pause.is_zero() { Err(Mistake::new("wrong-value", "a pause of no time would never rest")) } else { Ok(pause) }
}

pub(super) fn relay_name(written: &str) -> Parsed<Arc<str>> {
    match written.strip_prefix("relay:").filter(|name| typed::is_name(name)) {
        Some(name) => Ok(name.into()),
        None => {
            Err(Mistake::new("wrong-value", format!("`{written}` names no relay")).hint("write it as \"relay:NAME\""))
        }
    }
}

fn choice<T: Copy>(written: &str, choices: &[(&'static str, T)]) -> Parsed<T> {
    let found = choices.iter().find(|(name, _)| *name == written).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names = choices.iter().map(|(name, _)| *name);
        Mistake::unknown("wrong-value", format!("`{written}` is not a value here"), written, names)
    })
}

/// Whose AD bit is believed.
pub(super) fn dnssec(text: &str) -> Parsed<Dnssec> {
    match text {
        "local" => Ok(Dnssec::Local),
        "trusted" => Ok(Dnssec::Trusted),
        "off" => Ok(Dnssec::Off),
        _ => {
            let mistake = Mistake::new("wrong-value", format!("`{text}` says nobody whose word on signatures counts"));
            Err(mistake.hint("write \"local\" (servers on this machine), \"trusted\" (all of `servers`) or \"off\""))
        }
    }
}

pub(super) fn profile(text: &str) -> Parsed<Profile> {
    match text {
        "compat" => Ok(Profile::Compat),
        "strict" => Ok(Profile::Strict),
        _ => {
            let mistake = Mistake::new("wrong-value", format!("`{text}` is no profile of TLS"));
            Err(mistake.hint(
                "write \"compat\" (TLS 1.3 and 1.2) or \"strict\" (TLS 1.3 only: README, TLS, says what that costs)",
            ))
        }
    }
}

pub(super) fn senders(written: &str) -> Parsed<Senders> {
    choice(written, &[("own", Senders::Own), ("any", Senders::Any)])
}

pub(super) fn mail_from(written: &str) -> Parsed<MailFrom> {
    choice(written, &[("sites", MailFrom::Sites), ("anyone", MailFrom::Anyone)])
}

pub(super) fn listener_tls(written: &str) -> Parsed<ListenerTls> {
    use ListenerTls::{Implicit, Off, Offer, Require};
    choice(written, &[("off", Off), ("offer", Offer), ("require", Require), ("implicit", Implicit)])
}
