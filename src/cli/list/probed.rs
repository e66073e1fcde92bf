//! What domains show that a newer edition of a list adds: how they could prove themselves, or why they cannot now.
//!
//! Called by `list import --probe`. Promises: twenty at once, a minute each, ten minutes in all; nothing is sent; only rows that say nothing
//! of their hosts get a proposal, and a person's yes writes it. Fails where nothing can be asked at all.

use crate::cli::Failure;
use crate::cli::known::Source;
use crate::cli::prober::{Without, blocking, prober};
use crate::deliver::probe::{Probed, Prober};
use crate::mail::Domain;
use crate::policy::Imported;
use crate::vocabulary::{Level, Reason};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

const AT_ONCE: usize = 20;
const EACH: Duration = Duration::from_secs(60);
const ALL: Duration = Duration::from_secs(600);

/// What a domain's hosts show.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    /// Each has a certificate for its own name.
    Names(Vec<String>),
    /// It proves itself by what it publishes, and by nothing else.
    Proved,
    /// A host does not, and why.
    Short(Option<String>, Reason),
    /// The time was up.
    Unasked,
}

impl Shown {
    fn of(probed: &Probed) -> Shown {
        let short = probed.hosts.iter().find_map(|host| Some((host.name.clone(), host.valid_for_name.err()?)));
        match (short, probed.unroutable) {
            (_, Some(reason)) => Shown::Short(None, reason),
            (Some(_), None) if probed.level() == Some(Level::Verified) => Shown::Proved,
            (Some((host, reason)), None) => Shown::Short(Some(host), reason),
            (None, None) if probed.hosts.is_empty() => Shown::Short(None, Reason::NoAddress),
            (None, None) => Shown::Names(probed.hosts.iter().map(|host| host.name.clone()).collect()),
        }
    }
}

/// What all that were asked show.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<Domain, Shown>);

impl Findings {
    /// Asks those that are added, and puts into their rows what they show.
    ///
    /// # Errors
    /// When there is nothing to ask with.
    pub fn of(source: &Source, made: &mut Imported) -> Result<Findings, Failure> {
        let domains = made.silent();
        if domains.is_empty() {
            return Ok(Findings::default());
        }
        // The list may be what its policy lacks.
        let prober = Arc::new(prober(source, Without::GoesOn)?);
        let mut found = blocking(ask(prober, domains))?;
        for (domain, shown) in &mut found {
            if matches!(shown, Shown::Names(names) if !made.propose(domain, names)) {
                *shown = Shown::Short(None, Reason::HostNotListed);
            }
        }
        Ok(Findings(found))
    }

    fn proposed(&self) -> impl Iterator<Item = (&Domain, &[String])> {
        self.0.iter().filter_map(|(domain, shown)| match shown {
            Shown::Names(names) => Some((domain, names.as_slice())),
            _ => None,
        })
    }

    /// Those that get a proposal.
    pub fn count(&self) -> usize {
        self.proposed().count()
    }

    /// For people, in parts with a heading each.
    pub fn parts(&self) -> Vec<(&'static str, Vec<String>)> {
        let proposed = self.proposed().map(|(domain, names)| format!("{domain}: {}", names.join(" "))).collect();
        let short = |(domain, shown): (&Domain, &Shown)| match shown {
            Shown::Short(host, reason) => {
                let host = host.as_ref().map(|host| format!(" of {host}")).unwrap_or_default();
                Some(format!("{domain}: {reason}{host}: {}", reason.words()))
            }
            Shown::Unasked => Some(format!("{domain}: the time was up before it was asked")),
            Shown::Names(_) | Shown::Proved => None,
        };
        vec![
            ("mx proposed, from certificates that hosts show now", proposed),
            ("cannot reach verified now", self.0.iter().filter_map(short).collect()),
        ]
    }

    /// `proposed` and `unproved`.
    pub fn add_to(&self, told: &mut Value) {
        let proposed = self.proposed().map(|(domain, names)| json!({ "domain": domain, "mx": names }));
        told["proposed"] = proposed.collect();
        let short = self.0.iter().filter_map(|(domain, shown)| match shown {
            Shown::Short(host, reason) => Some(json!({ "domain": domain, "host": host, "reason": reason })),
            Shown::Unasked => Some(json!({ "domain": domain, "host": null, "reason": null })),
            Shown::Names(_) | Shown::Proved => None,
        });
        told["unproved"] = short.collect();
    }
}

async fn ask(prober: Arc<Prober>, domains: Vec<Domain>) -> BTreeMap<Domain, Shown> {
    let (until, turns) = (Instant::now() + ALL, Arc::new(Semaphore::new(AT_ONCE)));
    let mut found: BTreeMap<Domain, Shown> = domains.iter().map(|d| (d.clone(), Shown::Unasked)).collect();
    let mut asking = JoinSet::new();
    for domain in domains {
        let (prober, turns) = (prober.clone(), turns.clone());
        asking.spawn(async move {
            let _turn = turns.acquire().await;
            let probed = timeout(EACH, prober.probe(&domain)).await;
            let shown = probed.map_or(Shown::Short(None, Reason::ConnectionTimedOut), |probed| Shown::of(&probed));
            (domain, shown)
        });
    }
    let all = found.len();
    let mut done = 0;
    while let Ok(Some(asked)) = timeout_at(until, asking.join_next()).await {
        done += 1;
        // What ended badly was not asked.
        found.extend(asked.ok());
        progress(done, all);
    }
    found
}

/// For whoever watches.
fn progress(done: usize, all: usize) {
    if std::io::stderr().is_terminal() {
        eprint!("\rasked {done} of {all}{}", if done == all { "\n" } else { "" });
    }
}
