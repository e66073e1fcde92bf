//! What a group could say of a domain's hosts: from what they show now, and from what the gateway remembers of them.
//!
//! Called by `probe --propose`. Promises: names where certificates prove all of them, keys where they do not; a key is proposed only where it has
//! been the same for a month, for whoever changes it more often would get no mail; a person confirms, nothing is written. Never fails.

use crate::clock::{Wall, rfc3339};
use crate::deliver::probe::{HostProbed, Probed};
use crate::mail::Domain;
use crate::proof::memory::Past;
use crate::vocabulary::Proof;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a key has to be the same before it is proposed.
const STABLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A proposal. Inside one group pins replace mx.
pub(super) struct Proposed {
    mx: BTreeSet<String>,
    /// Empty while one of them is too young.
    pins: BTreeSet<String>,
    hosts: Vec<Remembered>,
    silent: Vec<String>,
}

/// One host, with what is remembered of it.
struct Remembered {
    name: String,
    key: Option<String>,
    past: Option<Past>,
}

impl Remembered {
    fn of(host: &HostProbed, offered: &[Past]) -> Option<Remembered> {
        let key = host.tls.as_ref()?.spki.clone();
        let past = offered.iter().find(|past| past.host.eq_ignore_ascii_case(host.name.trim_end_matches('.'))).cloned();
        Some(Remembered { name: host.name.clone(), key, past })
    }

    /// Since when it has the key that it shows now.
    fn key_since(&self) -> Option<Wall> {
        let past = self.past.as_ref()?;
        (past.offered.key.is_some() && past.offered.key == self.key).then_some(past.key_since)
    }

    fn is_stable(&self, now: Wall) -> bool {
        self.key_since().is_some_and(|since| since.plus(STABLE) <= now)
    }

    /// A comment for whoever confirms it.
    fn comment(&self) -> String {
        let Some(past) = &self.past else { return format!("# {}: nothing is remembered of it\n", self.name) };
        let proved = match past.offered.proof {
            Proof::Nothing => "not proved before".to_owned(),
            proof => format!("proved by {proof}"),
        };
        let key = match self.key_since() {
            Some(since) => format!("this key since {}", day(since)),
            None => format!("ANOTHER key than the one since {}", day(past.key_since)),
        };
        let fallen = if past.fall.is_some() { "; it offers less than it did: see `mailward hosts show`" } else { "" };
        format!("# {}: {proved}, known since {}, {key}{fallen}\n", self.name, day(past.first))
    }

    fn json(&self, now: Wall) -> Value {
        let past = self.past.as_ref();
        json!({
            "name": self.name,
            "key": self.key,
            "proof": past.map(|past| past.offered.proof),
            "since": past.map(|past| rfc3339(past.first)),
            "key_since": self.key_since().map(rfc3339),
            "stable": self.is_stable(now),
        })
    }
}

/// `2026-10-01`
fn day(at: Wall) -> String {
    rfc3339(at).chars().take(10).collect()
}

impl Proposed {
    pub fn of(probed: &Probed, offered: &[Past], now: Wall) -> Proposed {
        let shown = || probed.hosts.iter().filter(|host| host.tls.is_some());
        let hosts: Vec<Remembered> = shown().filter_map(|host| Remembered::of(host, offered)).collect();
        let silent = probed.hosts.iter().filter(|host| host.tls.is_none()).map(|host| host.name.clone()).collect();
        let (mut mx, mut pins) = (BTreeSet::new(), BTreeSet::new());
        if shown().all(|host| host.valid_for_name.is_ok()) {
            mx = shown().map(|host| host.name.clone()).collect();
        } else if hosts.iter().all(|host| host.is_stable(now)) {
            pins = hosts.iter().filter_map(|host| host.key.clone()).collect();
        }
        Proposed { mx, pins, hosts, silent }
    }

    pub fn json(&self) -> Value {
        let hosts = self.hosts.iter().map(|host| host.json(crate::clock::Now::read().wall)).collect::<Vec<_>>();
        json!({ "mx": self.mx, "pins": self.pins, "hosts": hosts })
    }

    pub fn text(&self, domain: &Domain) -> String {
        if self.hosts.is_empty() {
            return "\nproposal    none: no host showed a certificate\n".to_owned();
        }
        let list = |items: &mut dyn Iterator<Item = &String>| {
            items.map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
        };
        let line = match (self.mx.is_empty(), self.pins.is_empty()) {
            (false, _) => format!("mx      = [{}]", list(&mut self.mx.iter())),
            (true, false) => format!("pins    = [{}]", list(&mut self.pins.iter())),
            (true, true) => format!(
                "# not yet: a key is proposed once it has been the same for 30 days\n# pins  = [{}]",
                list(&mut self.hosts.iter().filter_map(|host| host.key.as_ref()))
            ),
        };
        let silent = match self.silent.as_slice() {
            [] => String::new(),
            names => {
                format!("# nothing is known of {}: mail that has to be proved would not go there\n", names.join(", "))
            }
        };
        let remembered: String = self.hosts.iter().map(Remembered::comment).collect();
        format!(
            "\n{silent}{remembered}# what the hosts show now: ask the partner by another way before it goes into a group of the policy\n\
             domains = [\"{domain}\"]\n{line}\n"
        )
    }
}
