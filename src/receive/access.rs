//! Who may send what to whom: sites by their networks, everybody else to sites' domains only. Pure.
//!
//! Called by `receive::connection` at MAIL and RCPT. Promises: nobody relays who is in no site's network; set-up faults on
//! a listener for sites are 4xx, or Exchange would bounce everything. Fails with a reply that says what to do.

use crate::mail::{Domain, Enhanced, Mailbox, ReversePath, Status};
use crate::queue::{Destination, Routes};
use crate::vocabulary::{Direction, Level, Reason};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// `10.20.0.0/24` or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    #[must_use]
    pub fn contains(&self, client: IpAddr) -> bool {
        match (self.address, client.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                u32::from(net) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                u128::from(net) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

impl Network {
    /// Whether every client of `other` is one of this network's.
    #[must_use]
    pub fn covers(&self, other: &Network) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4() && self.prefix <= other.prefix && self.contains(other.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("`{text}` is not a network");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(widest), |p| p.parse().map_err(|_| wrong()))?;
        if prefix <= widest { Ok(Network { address, prefix }) } else { Err(wrong()) }
    }
}

/// Whose reverse-paths a site's clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Senders {
    /// The site's domains, and null.
    #[default]
    Own,
    /// Others too: forwards.
    Any,
}

/// Who may send over a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFrom {
    /// Sites' clients, to anywhere.
    Sites,
    /// Anyone, to sites' domains; sites' clients to anywhere.
    Anyone,
}

/// A site as the door sees it.
#[derive(Debug, Clone)]
pub struct Door {
    pub site: Arc<str>,
    pub domains: Vec<Domain>,
    pub networks: Vec<Network>,
    pub senders: Senders,
    /// What the leg from its Exchange must have.
    pub require: Level,
    /// Where its Exchange is: what these send to the site's own domains would come straight back to them.
    pub exchange: Vec<IpAddr>,
}

/// Whose network it is, where one site's lies in another's: the narrowest decides, wherever it stands in the file.
pub fn narrowest<'n, T>(all: impl Iterator<Item = (T, &'n [Network])>, holds: impl Fn(&Network) -> bool) -> Option<T> {
    let one = |(whose, networks): (T, &[Network])| {
        let prefix = networks.iter().filter(|network| holds(network)).map(|network| network.prefix).max()?;
        Some((whose, prefix))
    };
    all.filter_map(one).min_by_key(|(_, prefix)| std::cmp::Reverse(*prefix)).map(|(whose, _)| whose)
}

/// All doors.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub doors: Vec<Arc<Door>>,
    pub routes: Arc<Routes>,
}

/// A refusal at the door: the public reply and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    pub reason: Reason,
    pub status: Status,
}

fn denied(reason: Reason, code: u16, enhanced: Enhanced, text: String) -> Denied {
    Denied { reason, status: Status::new(code, enhanced, text) }
}

impl Access {
    /// The site whose network the client is in.
    #[must_use]
    pub fn door_of(&self, client: IpAddr) -> Option<&Arc<Door>> {
        narrowest(self.doors.iter().map(|door| (door, door.networks.as_slice())), |n| n.contains(client))
    }

    /// Whether the client may use this reverse-path here.
    ///
    /// # Errors
    /// With the reply for MAIL.
    pub fn may_send(&self, from: MailFrom, door: Option<&Door>, path: &ReversePath) -> Result<(), Denied> {
        match (door, from) {
            (None, MailFrom::Sites) => Err(denied(
                Reason::ClientUnknown,
                450,
                Enhanced(4, 7, 1),
                "Your address is in no network of a site of this gateway; add it to networks in gateway.toml".into(),
            )),
            (None, MailFrom::Anyone) => Ok(()),
            (Some(door), _) => sender_fits(door, path),
        }
    }

    /// The direction of mail for `recipient`.
    ///
    /// # Errors
    /// With the reply for RCPT: relaying is not allowed.
    pub fn direction(&self, door: Option<&Door>, recipient: &Mailbox) -> Result<Direction, Denied> {
        match (door, self.routes.site_of(recipient.domain())) {
            (Some(_), Some(_)) => Ok(Direction::Internal),
            (Some(_), None) => Ok(Direction::Outbound),
            (None, Some(_)) => Ok(Direction::Inbound),
            (None, None) => Err(denied(
                Reason::RelayDenied,
                550,
                Enhanced(5, 7, 1),
                format!("This server does not take mail for {}", recipient.domain()),
            )),
        }
    }

    /// Mail with REQUIRETLS for a site whose server does not offer it: its sender hears so before the text crosses, from his own
    /// server, and no report of ours has to find him. A relay or a foreign host may offer it by the time of the attempt.
    ///
    /// # Errors
    /// With the reply for RCPT (RFC 8689 7).
    pub fn keeps_require_tls(&self, site: Option<&str>, recipient: &Mailbox) -> Result<(), Denied> {
        match self.routes.destination(recipient.domain(), site) {
            Destination::Site(site) if !self.routes.require_tls.contains(&site) => Err(denied(
                Reason::RequireTlsNotOffered,
                550,
                Enhanced(5, 7, 30),
                format!(
                    "REQUIRETLS cannot be kept: the mail server for {} does not offer it; send it again without",
                    recipient.domain()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Mail from a site's own Exchange to the site's own mailboxes is not sent back to it. A set-up fault: 4xx, so that
    /// nothing is bounced while somebody mends it.
    ///
    /// # Errors
    /// With the reply for RCPT, which says what to set.
    pub fn comes_back(&self, door: Option<&Door>, client: IpAddr, recipient: &Mailbox) -> Result<(), Denied> {
        let Some(door) = door.filter(|d| d.exchange.contains(&client.to_canonical())) else { return Ok(()) };
        let to_itself = self.routes.site_of(recipient.domain()) == Some(&door.site);
        if !to_itself || self.routes.elsewhere.contains_key(&door.site) {
            return Ok(());
        }
        Err(denied(
            Reason::SiteLoop,
            451,
            Enhanced(4, 4, 6),
            format!(
                "This would come straight back: {} is delivered to the server that sends it. Let Exchange deliver it itself \
                 (accepted domain), or set elsewhere for the site {} in gateway.toml",
                recipient.domain(),
                door.site
            ),
        ))
    }

    /// Where `<Postmaster>` without a domain goes (RFC 5321 4.5.1): to the client's site, else to the first.
    #[must_use]
    pub fn postmaster(&self, door: Option<&Door>) -> Option<Mailbox> {
        let door = door.or(self.doors.first().map(AsRef::as_ref))?;
        Mailbox::new("postmaster", door.domains.first()?.clone()).ok()
    }
}

fn sender_fits(door: &Door, path: &ReversePath) -> Result<(), Denied> {
    let fits = match (door.senders, path) {
        (Senders::Any, _) | (_, ReversePath::Null) => true,
        (Senders::Own, ReversePath::Mailbox(mailbox)) => door.domains.contains(mailbox.domain()),
    };
    if fits {
        return Ok(());
    }
    Err(denied(
        Reason::SenderNotOfSite,
        550,
        Enhanced(5, 7, 1),
        format!(
            "The sender's domain is not one of the site {}; forwarded mail needs senders = \"any\" there",
            door.site
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let domain: Domain = "kingston.example".parse().unwrap();
        let site: Arc<str> = "kingston".into();
        let door = Door {
            site: site.clone(),
            domains: vec![domain.clone()],
            networks: vec!["10.20.0.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
            senders: Senders::Own,
            require: Level::Encrypted,
            exchange: vec!["10.20.0.5".parse().unwrap()],
        };
        let routes = Routes { sites: [(domain, site)].into(), ..Routes::default() };
        Access { doors: vec![Arc::new(door)], routes: Arc::new(routes) }
    }

    fn path(text: &str) -> ReversePath {
        text.parse().unwrap()
    }

    #[test]
    fn networks_end_where_their_prefix_says() {
        let in_net = |net: &str, ip: &str| net.parse::<Network>().unwrap().contains(ip.parse().unwrap());
        assert!(in_net("10.20.0.0/24", "10.20.0.255") && !in_net("10.20.0.0/24", "10.20.1.0"));
        assert!(in_net("0.0.0.0/0", "8.8.8.8") && !in_net("0.0.0.0/0", "::1"));
        assert!(in_net("10.20.0.5", "::ffff:10.20.0.5"), "an IPv4 client on an IPv6 socket");
        assert!(in_net("2001:db8::/32", "2001:db8:ffff::1") && in_net("::/0", "::1"));
        let covers = |net: &str, other: &str| net.parse::<Network>().unwrap().covers(&other.parse().unwrap());
        assert!(covers("10.20.0.0/16", "10.20.7.0/24") && covers("10.20.7.0/24", "10.20.7.0/24"));
        assert!(
            !covers("10.20.7.0/24", "10.20.0.0/16")
                && !covers("10.20.7.0/24", "10.20.8.0/24")
                && !covers("::/0", "10.0.0.0/8")
        );
        for wrong in ["", "10.20.0.0/33", "10.20.0/24", "::/129", "a/8", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_relays_who_is_in_no_sites_network() {
        let access = access();
        let stranger = access.door_of("192.0.2.1".parse().unwrap()).map(|d| d.site.clone());
        assert_eq!(stranger, None);
        let (own, foreign): (Mailbox, Mailbox) = ("a@kingston.example".parse().unwrap(), "a@nhs.net".parse().unwrap());
        assert_eq!(access.direction(None, &own), Ok(Direction::Inbound));
        assert_eq!(access.direction(None, &foreign).map_err(|d| d.status.code), Err(550));
        for trick in
            ["a%nhs.net@evil.example", "\"a@nhs.net\"@evil.example", "a@evilkingston.example", "a@sub.kingston.example"]
        {
            assert!(access.direction(None, &trick.parse().unwrap()).is_err(), "{trick}");
        }
    }

    #[test]
    fn the_narrowest_network_decides_wherever_it_stands() {
        let mut access = access();
        let narrow = |site: &str, network: &str| {
            let networks = vec![network.parse().unwrap()];
            Arc::new(Door { site: site.into(), networks, ..access.doors[0].as_ref().clone() })
        };
        let (wide, narrow) = (narrow("wide", "10.0.0.0/8"), narrow("narrow", "10.20.0.8/29"));
        access.doors.insert(0, wide);
        access.doors.push(narrow);
        for (client, site) in [("10.20.0.9", "narrow"), ("10.20.0.16", "kingston"), ("10.21.0.1", "wide")] {
            assert_eq!(access.door_of(client.parse().unwrap()).map(|d| d.site.as_ref()), Some(site), "{client}");
        }
    }

    #[test]
    fn a_stranger_at_the_sites_listener_is_put_off_and_never_bounced() {
        let denied = access().may_send(MailFrom::Sites, None, &path("a@kingston.example")).unwrap_err();
        assert_eq!((denied.status.code, denied.status.enhanced), (450, Some(Enhanced(4, 7, 1))));
    }

    #[test]
    fn what_a_sites_exchange_sends_to_itself_is_put_off_until_somebody_says_where_it_goes() {
        let mut access = access();
        let own: Mailbox = "a@kingston.example".parse().unwrap();
        let from = |access: &Access, client: &str, to: &Mailbox| {
            let door = access.door_of("10.20.0.5".parse().unwrap()).cloned();
            access.comes_back(door.as_deref(), client.parse().unwrap(), to).map_err(|d| (d.reason, d.status.code))
        };
        assert_eq!(from(&access, "::ffff:10.20.0.5", &own), Err((Reason::SiteLoop, 451)));
        assert_eq!(from(&access, "10.20.0.9", &own), Ok(()), "a scanner in its network");
        assert_eq!(from(&access, "10.20.0.5", &"a@nhs.net".parse().unwrap()), Ok(()));
        let routes =
            Routes { elsewhere: [("kingston".into(), "online".into())].into(), ..access.routes.as_ref().clone() };
        access.routes = Arc::new(routes);
        assert_eq!(from(&access, "10.20.0.5", &own), Ok(()), "hybrid: it goes to the relay");
    }

    #[test]
    fn a_site_sends_as_itself_or_as_nobody() {
        let access = access();
        let door = access.door_of("10.20.0.7".parse().unwrap()).cloned();
        let may = |p: &str| access.may_send(MailFrom::Sites, door.as_deref(), &path(p)).is_ok();
        assert!(may("dr.jones@kingston.example") && may(""));
        assert!(!may("dr.jones@elsewhere.example"));
    }
}
