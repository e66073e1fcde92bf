//! What another gateway.toml protects less, in sentences for whoever has to accept it. Pure.
//!
//! Called at a reload. Promises: whoever may send that could not before, a leg or relay that needs less, and a domain that other rules
//! hold for, is in the list. What changes only where mail is taken to is not.

use super::{Config, Relay, Site};
use crate::receive::access::Senders;
use std::fmt::Display;

/// Sentences; empty: nothing is lowered.
#[must_use]
pub fn lowered(old: &Config, new: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for site in &new.sites {
        match old.sites.iter().find(|before| before.name == site.name) {
            Some(before) => site_lowered(before, site, &mut found),
            None => found.push(format!(
                "site `{}` is new: clients in {} may send as it, and its domains ({}) are internal",
                site.name,
                listed(&site.networks),
                listed(&site.domains)
            )),
        }
    }
    for gone in old.sites.iter().filter(|before| new.sites.iter().all(|site| site.name != before.name)) {
        found.push(format!("site `{}` is gone: mail to its domains goes out, and its leg asks nothing", gone.name));
    }
    for relay in &new.relays {
        if let Some(before) = old.relays.iter().find(|before| before.name == relay.name) {
            relay_lowered(before, relay, &mut found);
        }
    }
    if let Some(relay) = new.deliver.smarthost.as_ref().filter(|_| new.deliver.smarthost != old.deliver.smarthost) {
        found.push(format!(
            "all outbound mail goes to the relay `{relay}`, which proves itself in place of the domains"
        ));
    }
    found
}

fn site_lowered(old: &Site, new: &Site, found: &mut Vec<String>) {
    let mut say = |what: String| found.push(format!("site `{}` {what}", new.name));
    if new.require < old.require {
        say(format!("asks {} of its legs instead of {}", new.require, old.require));
    }
    for network in new.networks.iter().filter(|n| !old.networks.iter().any(|before| before.covers(n))) {
        say(format!("lets clients in {network} send as it"));
    }
    if new.senders == Senders::Any && old.senders == Senders::Own {
        say("lets its clients use reverse-paths of other domains".to_owned());
    }
    for domain in new.domains.iter().filter(|d| !old.domains.contains(d)) {
        say(format!("has gained {domain}: mail to it is internal, and rules for outbound mail do not hold for it"));
    }
    for domain in old.domains.iter().filter(|d| !new.domains.contains(d)) {
        say(format!(
            "has lost {domain}: mail to it goes out, and rules for inbound and internal mail do not hold for it"
        ));
    }
    for proof in proofs_gained((&old.names, &old.pins), (&new.names, &new.pins)) {
        say(format!("may prove itself by {proof}"));
    }
    for to in new.journal.iter().flat_map(|journal| &journal.to) {
        if old.journal.as_ref().is_none_or(|before| before.to.iter().all(|known| known.key() != to.key())) {
            say(format!("lets anything go to its journal {to} that holds what the table asks: no rule is heard"));
        }
    }
    if let (Some(before), Some(after)) = (&old.journal, &new.journal)
        && after.require < before.require
    {
        say(format!("asks {} of its journal instead of {}", after.require, before.require));
    }
    if old.duty.is_some() && new.duty.is_none() {
        say("has no duty any more that is told".to_owned());
    }
}

fn relay_lowered(old: &Relay, new: &Relay, found: &mut Vec<String>) {
    let mut say = |what: String| found.push(format!("relay `{}` {what}", new.name));
    if new.require < old.require {
        say(format!("asks {} of its link instead of {}", new.require, old.require));
    }
    if new.onward > old.onward {
        say(format!("is believed to go on {} instead of {}, so more may go through it", new.onward, old.onward));
    }
    if new.onward < old.onward {
        say(format!("goes on {} beyond it instead of {}", new.onward, old.onward));
    }
    for class in new.carries.iter().filter(|class| !old.carries.contains(class)) {
        say(format!("may carry the class `{class}`"));
    }
    for proof in proofs_gained((&old.names, &old.pins), (&new.names, &new.pins)) {
        say(format!("may prove itself by {proof}"));
    }
}

/// Names and pins that prove and did not before: without pins names do, with pins they do not.
fn proofs_gained<'a>(old: (&'a [String], &'a [String]), new: (&'a [String], &'a [String])) -> Vec<&'a String> {
    let proving = |(names, pins): (&'a [String], &'a [String])| if pins.is_empty() { names } else { pins };
    let before = proving(old);
    proving(new).iter().filter(|proof| !before.is_empty() && !before.contains(proof)).collect()
}

fn listed<T: Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    const OLD: &str = r#"
hostname = "gw.example"
data = "d"
policies = "p"
[site.s]
domains = ["s.example"]
exchange = ["10.0.0.1:25"]
networks = ["10.0.0.0/24"]
require = "verified"
names = ["exch.s.example"]
duty = "duty@s.example"
[listen.a]
address = "127.0.0.1:25"
mail-from = "sites"
[relay.hub]
hosts = ["hub.example"]
require = "verified"
names = ["hub.example"]
onward = "encrypted"
carries = ["clinical"]
"#;

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, text.replace("\"d\"", "\"/d\"").replace("\"p\"", "\"/p\"")).unwrap();
        load(&file).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    #[test]
    fn whatever_lowers_is_in_the_list_and_its_opposite_is_not() {
        let old = config(OLD);
        for (typed, instead, said, back) in [
            (
                "require = \"verified\"\nnames = [\"exch",
                "require = \"encrypted\"\nnames = [\"exch",
                "asks encrypted of its legs",
                "",
            ),
            ("10.0.0.0/24", "10.0.0.0/23", "clients in 10.0.0.0/23 send as it", ""),
            ("duty = ", "senders = \"any\"\nduty = ", "reverse-paths of other domains", ""),
            ("[\"s.example\"]", "[\"s.example\", \"t.example\"]", "has gained t.example", "has lost t.example"),
            ("[\"exch.s.example\"]", "[\"exch.s.example\", \"x.example\"]", "prove itself by x.example", ""),
            ("duty = \"duty@s.example\"", "", "has no duty", ""),
            (
                "duty = ",
                "journal = { to = [\"j@archive.example\"] }\nduty = ",
                "lets anything go to its journal j@archive.example",
                "",
            ),
            (
                "require = \"verified\"\nnames = [\"hub",
                "require = \"encrypted\"\nnames = [\"hub",
                "asks encrypted of its link",
                "",
            ),
            (
                "onward = \"encrypted\"",
                "onward = \"verified\"",
                "believed to go on verified",
                "goes on encrypted beyond",
            ),
            ("[\"clinical\"]", "[\"clinical\", \"opaque\"]", "may carry the class `opaque`", ""),
            (
                "[relay.hub]",
                "[deliver]\nsmarthost = \"relay:hub\"\n[relay.hub]",
                "all outbound mail goes to the relay `hub`",
                "",
            ),
        ] {
            assert!(OLD.contains(typed), "{typed}");
            let new = config(&OLD.replacen(typed, instead, 1));
            let list = lowered(&old, &new);
            assert!(list.len() == 1 && list[0].contains(said), "{said}: {list:?}");
            let list = lowered(&new, &old).join("; ");
            assert!(if back.is_empty() { list.is_empty() } else { list.contains(back) }, "back: {list}");
        }
        assert!(lowered(&old, &old).is_empty());
        let renamed = lowered(&old, &config(&OLD.replacen("[site.s]", "[site.t]", 1))).join("; ");
        assert!(renamed.contains("site `t` is new") && renamed.contains("site `s` is gone"), "{renamed}");
    }

    #[test]
    fn what_needs_a_restart_is_named_with_both_values() {
        let old = config(OLD);
        let new = config(&OLD.replacen("127.0.0.1:25", "127.0.0.1:26", 1).replacen("gw.", "gw2.", 1));
        let named = super::super::needs_restart(&old, &new).join("\n");
        assert!(
            named.contains("\"gw.example\" now, \"gw2.example\" in the file") && named.contains("127.0.0.1:26"),
            "{named}"
        );
        let new = config(&(OLD.replacen("10.0.0.0/24", "10.0.0.0/23", 1) + "[queue]\nexpire = \"1d\"\n"));
        assert!(super::super::needs_restart(&old, &new).is_empty());
    }
}
