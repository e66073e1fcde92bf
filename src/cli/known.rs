//! Where the policy commands find the policy, and what gateway.toml says that rules may name.
//!
//! Called by `check`, `explain` and `inspect`. Promises: what they take from gateway.toml is what the gateway takes from it.
//! Fails with everything that is wrong in gateway.toml.

use crate::config::{self, ConfigError};
use crate::mail::{Domain, Mailbox};
use crate::policy::Known;
use crate::receive::access::{Access, Denied};
use crate::vocabulary::Direction;
use std::path::PathBuf;
use std::sync::Arc;

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
    /// Who may send what to whom; None without a gateway.toml.
    access: Option<Access>,
}

#[derive(Debug)]
struct SiteDomains {
    name: String,
    domains: Vec<Domain>,
}

impl Source {
    /// # Errors
    /// When gateway.toml cannot be read, or with everything that is wrong in it.
    pub fn surroundings(&self) -> Result<Surroundings, ConfigError> {
        let Some(config) = &self.config else {
            let policies = self.policies.clone().unwrap_or_else(|| PathBuf::from("policies"));
            return Ok(Surroundings { policies, ..Surroundings::default() });
        };
        let gateway = config::load(config)?;
        let policies = self.policies.clone().unwrap_or_else(|| gateway.policies.clone());
        let site = |s: &config::Site| SiteDomains { name: s.name.to_string(), domains: s.domains.clone() };
        let access = Some(Access { doors: Vec::new(), routes: Arc::new(gateway.routes()) });
        Ok(Surroundings { policies, known: gateway.known(), sites: gateway.sites.iter().map(site).collect(), access })
    }
}

impl Surroundings {
    /// The site that has this domain.
    #[must_use]
    pub fn site_of(&self, domain: &Domain) -> Option<&str> {
        self.sites.iter().find(|site| site.domains.contains(domain)).map(|site| site.name.as_str())
    }

    /// What RCPT gets of mail with REQUIRETLS that a site's client sends (None: a stranger): None where it can be kept.
    #[must_use]
    pub fn refuses_require_tls(&self, site: Option<&str>, to: &Mailbox) -> Option<Denied> {
        self.access.as_ref()?.keeps_require_tls(site, to).err()
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
