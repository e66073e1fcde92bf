//! What another gateway.toml protects less, in sentences for whoever has to accept it. Pure.
//!
//! Called at a reload and at a start. Promises: whoever may send that could not before or gains another site's rights, a leg or relay that
//! is new, needs less, or is known by its address alone and has another, mail that takes another way, a domain that other rules hold
//! for, and mail that is given up sooner, is in the list.

use super::{Config, HostPort, Relay, Site};
use crate::clock::duration_words;
use crate::receive::access::{Network, Senders, narrowest};
use crate::vocabulary::Level;
use std::fmt::Display;

/// Sentences; empty: nothing is lowered.
#[must_use]
pub fn lowered(old: &Config, new: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for site in &new.sites {
        match old.sites.iter().find(|before| before.name == site.name) {
            Some(before) => {
                site_lowered(before, site, &mut found);
                elsewhere((old, before.elsewhere.as_deref()), (new, site), &mut found);
            }
            None => found.push(new_site(site)),
        }
    }
    for gone in old.sites.iter().filter(|before| new.sites.iter().all(|site| site.name != before.name)) {
        found.push(format!("site `{}` is gone: mail to its domains goes out, and its leg asks nothing", gone.name));
    }
    doors(old, new, &mut found);
    for relay in &new.relays {
        match old.relays.iter().find(|before| before.name == relay.name) {
            Some(before) => relay_lowered(before, relay, &mut found),
            None => found.push(format!("relay `{}` is new: {}", relay.name, promises(relay))),
        }
    }
    match (&old.deliver.smarthost, &new.deliver.smarthost) {
        (before, Some(relay)) if before.as_ref() != Some(relay) => found.push(format!(
            "all outbound mail goes to the relay `{relay}`, which proves itself in place of the domains"
        )),
        (Some(relay), None) => {
            found.push(format!("outbound mail goes to the hosts of its domains, and no longer to the relay `{relay}`"));
        }
        _ => {}
    }
    let (before, after) = (old.queue.retry.expire, new.queue.retry.expire);
    if after < before {
        let (before, after) = (duration_words(before), duration_words(after));
        found.push(format!("mail that no rule holds longer is given up after {after} instead of {before}"));
    }
    found
}

fn new_site(site: &Site) -> String {
    let senders = if site.senders == Senders::Any { ", with any reverse-path" } else { "" };
    format!(
        "site `{}` is new: clients in {} may send as it{senders}, its legs ask {}, and its domains ({}) are internal",
        site.name,
        listed(&site.networks),
        site.require,
        listed(&site.domains)
    )
}

/// What its Exchange sends to its own domains: where that takes a relay it did not take.
fn elsewhere((old, before): (&Config, Option<&str>), (new, site): (&Config, &Site), found: &mut Vec<String>) {
    let Some(to) = site.elsewhere.as_deref().filter(|to| before != Some(*to)) else { return };
    let Some(relay) = new.relays.iter().find(|relay| relay.name.as_ref() == to) else { return };
    let mut say = |what: String| {
        found.push(format!(
            "what the Exchange of site `{}` sends to its own domains goes to the relay `{to}`{what}",
            site.name
        ));
    };
    match old.relays.iter().find(|relay| before == Some(relay.name.as_ref())) {
        Some(before) => {
            say(format!(" instead of `{}`: {}, instead of: {}", before.name, promises(relay), promises(before)))
        }
        None => say(format!(": {}", promises(relay))),
    }
}

/// Clients that have another site's rights than before: of each network that was or is named, what no narrower one takes out of it.
fn doors(old: &Config, new: &Config, found: &mut Vec<String>) {
    let door = |config: &'_ Config, of: &Network| -> Option<usize> {
        let sites = config.sites.iter().enumerate().map(|(at, site)| (at, site.networks.as_slice()));
        narrowest(sites, |network| network.covers(of))
    };
    let mut seen: Vec<&Network> = Vec::new();
    for network in new.sites.iter().chain(&old.sites).flat_map(|site| &site.networks) {
        let is_seen = seen.iter().any(|other| other.covers(network) && network.covers(other));
        seen.push(network);
        let Some(after) = door(new, network).map(|at| &new.sites[at]).filter(|_| !is_seen) else { continue };
        let is_new = old.sites.iter().all(|site| site.name != after.name);
        match door(old, network).map(|at| &old.sites[at]) {
            // A new site is listed with all its networks.
            None if is_new => {}
            None => found.push(format!("site `{}` lets clients in {network} send as it", after.name)),
            Some(before) if before.name == after.name => {}
            Some(before) => found.push(format!(
                "site `{}` lets clients in {network} send as it, who sent as `{}`{}",
                after.name,
                before.name,
                wider(before, after)
            )),
        }
    }
}

/// What a client may do at another site that it might not.
fn wider(before: &Site, after: &Site) -> String {
    let mut more = String::new();
    if after.senders == Senders::Any && before.senders == Senders::Own {
        more.push_str(", with reverse-paths of any domain");
    }
    if after.require < before.require {
        more.push_str(&format!(", over legs that have to be {} instead of {}", after.require, before.require));
    }
    more
}

/// What a relay asks and is believed.
fn promises(relay: &Relay) -> String {
    let proof = match (relay.names.as_slice(), relay.pins.as_slice()) {
        ([], []) => "nothing proves it".to_owned(),
        (names, []) => format!("it proves itself by {}", listed(names)),
        (_, pins) => format!("it proves itself by {}", listed(pins)),
    };
    let carries = match relay.carries.as_slice() {
        [] => String::new(),
        carries => format!(", and may carry {}", listed(carries)),
    };
    format!("it asks {} of its link, {proof}, is believed to go on {}{carries}", relay.require, relay.onward)
}

/// Hosts that mail goes to and did not: where no proof is asked, the address is all that says who it is.
fn hosts_gained((old, new): (&[HostPort], &[HostPort]), require: Level) -> Option<String> {
    let gained: Vec<String> =
        new.iter().filter(|host| !old.contains(host)).map(|host| format!("{}:{}", host.host, host.port)).collect();
    (require < Level::Verified && !gained.is_empty()).then(|| {
        format!("is at {}, and nothing but the address says who that is, for its leg asks {require}", gained.join(", "))
    })
}

fn site_lowered(old: &Site, new: &Site, found: &mut Vec<String>) {
    let mut say = |what: String| found.push(format!("site `{}` {what}", new.name));
    if new.require < old.require {
        say(format!("asks {} of its legs instead of {}", new.require, old.require));
    }
    if let Some(gained) = hosts_gained((&old.exchange, &new.exchange), new.require) {
        say(gained);
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
    if let Some(gained) = hosts_gained((&old.hosts, &new.hosts), new.require) {
        say(gained);
    }
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
                "no longer to the relay `hub`",
            ),
            (
                "duty = ",
                "elsewhere = \"relay:hub\"\nduty = ",
                "sends to its own domains goes to the relay `hub`: it asks verified of its link, it proves itself by hub.example",
                "",
            ),
            ("[relay.hub]", "[queue]\nexpire = \"1d\"\n[relay.hub]", "is given up after 1d instead of 2d", ""),
        ] {
            assert!(OLD.contains(typed), "{typed}");
            let new = config(&OLD.replacen(typed, instead, 1));
            let list = lowered(&old, &new);
            assert!(list.len() == 1 && list[0].contains(said), "{said}: {list:?}");
            let list = lowered(&new, &old).join("; ");
            assert!(if back.is_empty() { list.is_empty() } else { list.contains(back) }, "back: {list}");
        }
        assert!(lowered(&old, &old).is_empty());
        let list = lowered(&config(&OLD[..OLD.find("[relay").unwrap()]), &old).join("; ");
        let hub = "relay `hub` is new: it asks verified of its link, it proves itself by hub.example, is believed to go on encrypted, and may carry clinical";
        assert_eq!(list, hub);
        let renamed = lowered(&old, &config(&OLD.replacen("[site.s]", "[site.t]", 1))).join("; ");
        assert!(renamed.contains("site `t` is new") && renamed.contains("site `s` is gone"), "{renamed}");
    }

    #[test]
    fn an_address_is_all_there_is_where_no_proof_is_asked() {
        let open = OLD.replace("require = \"verified\"", "require = \"encrypted\"");
        for (typed, instead, said) in [
            ("10.0.0.1:25", "10.0.0.2:25", "site `s` is at 10.0.0.2:25"),
            ("hosts = [\"hub.example\"]", "hosts = [\"hub.test\"]", "relay `hub` is at hub.test:25"),
        ] {
            let of = |text: &str| lowered(&config(text), &config(&text.replacen(typed, instead, 1)));
            let list = of(&open);
            assert!(list.len() == 1 && list[0].contains(said), "{said}: {list:?}");
            assert!(of(OLD).is_empty(), "it has to prove itself there");
        }
    }

    #[test]
    fn clients_that_fall_to_another_site_are_listed_with_what_they_gain() {
        let two = OLD.to_owned()
            + "[site.wide]\ndomains = [\"w.example\"]\nexchange = [\"10.9.0.1\"]\nnetworks = [\"10.0.0.0/8\"]\nrequire = \"any\"\nsenders = \"any\"\n";
        let old = config(&two);
        let list = lowered(&old, &config(&two.replacen("10.0.0.0/24", "10.0.0.0/25", 1)));
        let fallen = "site `wide` lets clients in 10.0.0.0/24 send as it, who sent as `s`, with reverse-paths of any domain, over legs that have to be any instead of verified";
        assert_eq!(list, [fallen]);
        let list = lowered(&old, &config(&two.replacen("10.0.0.0/8", "10.1.0.0/16", 1)));
        assert!(list.is_empty(), "fewer: {list:?}");
        let list = lowered(&old, &config(&two.replacen("10.0.0.0/24", "10.0.0.0/23", 1)));
        assert_eq!(list, ["site `s` lets clients in 10.0.0.0/23 send as it, who sent as `wide`"]);
        let list = lowered(&config(OLD), &old);
        assert!(list.len() == 1 && list[0].contains("with any reverse-path, its legs ask any"), "{list:?}");
    }

    #[test]
    fn another_relay_for_what_goes_elsewhere_is_listed_with_both() {
        let two = OLD.replacen("duty", "elsewhere = \"relay:hub\"\nduty", 1)
            + "[relay.weak]\nhosts = [\"weak.example\"]\nrequire = \"any\"\n";
        let list = lowered(&config(&two), &config(&two.replacen("\"relay:hub\"", "\"relay:weak\"", 1)));
        assert!(
            list.len() == 1 && list[0].contains("goes to the relay `weak` instead of `hub`: it asks any of its link"),
            "{list:?}"
        );
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
        let named = super::super::needs_restart(&old, &config(&(OLD.to_owned() + "[tls]\nprofile = \"strict\"\n")));
        assert_eq!(named, ["tls.profile: Compat now, Strict in the file"]);
        let new = config(&(OLD.replacen("10.0.0.0/24", "10.0.0.0/23", 1) + "[queue]\nexpire = \"1d\"\n"));
        assert!(super::super::needs_restart(&old, &new).is_empty());
    }
}
