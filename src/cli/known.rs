//! Where the policy commands find the policy, and what gateway.toml says that rules may name.
//!
//! Called by `check` and `explain`. Promises: only the keys that rules depend on are read, so these commands work while
//! other parts of a gateway.toml are still being written. Fails by a sentence.

use crate::mail::Domain;
use crate::policy::{Known, KnownRelay};
use crate::vocabulary::{Direction, Level};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `--policies DIR`, else what `--config FILE` names, else `./policies`.
#[derive(Debug, Clone, clap::Args)]
pub struct Source {
    /// The folder of the policy [default: the one that --config names, else ./policies]
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// A gateway.toml: its sites and relays may then be named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A policy's folder with what surrounds it.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub policies: PathBuf,
    pub known: Known,
    /// Each site's own domains.
    sites: Vec<SiteDomains>,
}

#[derive(Debug)]
struct SiteDomains {
    name: String,
    domains: Vec<Domain>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Gateway {
    policies: Option<PathBuf>,
    relay: BTreeMap<String, Relay>,
    site: BTreeMap<String, Site>,
    deliver: Deliver,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Relay {
    carries: Vec<String>,
    onward: Level,
    require: Level,
}

impl Default for Relay {
    fn default() -> Relay {
        Relay { carries: Vec::new(), onward: Level::Any, require: Level::Any }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Site {
    domains: Vec<Domain>,
    duty: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deliver {
    smarthost: Option<String>,
}

impl Source {
    /// # Errors
    /// A sentence: which file, and what is wrong with it.
    pub fn surroundings(&self) -> Result<Surroundings, String> {
        let Some(config) = &self.config else {
            let policies = self.policies.clone().unwrap_or_else(|| PathBuf::from("policies"));
            return Ok(Surroundings { policies, ..Surroundings::default() });
        };
        let text =
            std::fs::read_to_string(config).map_err(|why| format!("`{}` cannot be read: {why}", config.display()))?;
        let gateway: Gateway = toml::from_str(&text).map_err(|why| format!("`{}`: {why}", config.display()))?;
        let beside = config.parent().unwrap_or(Path::new("."));
        let named = gateway.policies.as_ref().map_or_else(|| PathBuf::from("policies"), |named| beside.join(named));
        let policies = self.policies.clone().unwrap_or(named);
        Ok(gateway.surroundings(policies))
    }
}

impl Gateway {
    fn surroundings(self, policies: PathBuf) -> Surroundings {
        let relay = |(name, relay): (String, Relay)| KnownRelay {
            name,
            carries: relay.carries,
            onward: relay.onward,
            require: relay.require,
        };
        let known = Known {
            relays: self.relay.into_iter().map(relay).collect(),
            sites: Some(self.site.keys().cloned().collect()),
            duty: self.site.values().all(|site| site.duty.is_some()),
            smarthost: self.deliver.smarthost,
        };
        let sites = self.site.into_iter().map(|(name, site)| SiteDomains { name, domains: site.domains }).collect();
        Surroundings { policies, known, sites }
    }
}

impl Surroundings {
    /// The site that has this domain.
    #[must_use]
    pub fn site_of(&self, domain: &Domain) -> Option<&str> {
        self.sites.iter().find(|site| site.domains.contains(domain)).map(|site| site.name.as_str())
    }

    /// Outbound, unless a site has the recipient's domain.
    #[must_use]
    pub fn direction(&self, from: Option<&Domain>, to: &Domain) -> Direction {
        match (from.and_then(|domain| self.site_of(domain)), self.site_of(to)) {
            (_, None) => Direction::Outbound,
            (Some(_), Some(_)) => Direction::Internal,
            (None, Some(_)) => Direction::Inbound,
        }
    }
}
