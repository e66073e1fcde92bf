//! The small world: names, an authority, a stand-in Exchange, a small internet, and the real gateway between them.
//!
//! Called by `demo`. Promises: loopback only, ports of the kernel's choice, everything written into one folder; the gateway
//! is started as `mailward serve` starts it, from a gateway.toml that stays readable with --keep. Fails with a sentence.

use super::authority::{Authority, Flaw};
use super::error::DemoError;
use super::names::Names;
use super::peer::{Manner, Offer, Peer};
use super::policy;
use crate::serve::{self, Gateway};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// Where the site's Exchange is, and from where it sends.
pub const EXCHANGE: Ipv4Addr = Ipv4Addr::new(127, 20, 0, 5);
/// From where servers of the small internet send: in no site's network.
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(127, 30, 0, 250);
pub const EXCHANGE_NAME: &str = "exch01.kingston-surgery.example";
const NAMES: Ipv4Addr = Ipv4Addr::new(127, 30, 0, 1);
/// Attempts to find a port that is free on every address.
const PORTS: usize = 50;

/// A domain and its one mail host.
struct Host {
    domain: &'static str,
    name: &'static str,
    tls: Tls,
    refuses: &'static [&'static str],
}

/// What the host does about TLS.
enum Tls {
    Shows(Flaw),
    Nothing,
    Masked,
}

const fn host(domain: &'static str, name: &'static str, tls: Tls) -> Host {
    Host { domain, name, tls, refuses: &[] }
}

const INTERNET: &[Host] = &[
    host("nhs.net", "nhs-net.mail.protection.outlook.com", Tls::Shows(Flaw::None)),
    host("riverside-council.gov.uk", "mx.riverside-council.gov.uk", Tls::Shows(Flaw::None)),
    host("northmoor.gov.uk", "mx.northmoor.gov.uk", Tls::Shows(Flaw::Expired)),
    host("eastmoor.gov.uk", "mx.eastmoor.gov.uk", Tls::Shows(Flaw::SelfSigned)),
    host("westmoor.gov.uk", "mx.westmoor.gov.uk", Tls::Shows(Flaw::WrongName)),
    host("southmoor.gov.uk", "mx.southmoor.gov.uk", Tls::Masked),
    host("accredited-trust.example", "mail.accredited-trust.example", Tls::Shows(Flaw::SelfSigned)),
    Host {
        refuses: &["left@supplies.example"],
        ..host("supplies.example", "mx.supplies.example", Tls::Shows(Flaw::None))
    },
    host("webmail.example", "mx.webmail.example", Tls::Shows(Flaw::None)),
    host("law.example", "mx.law.example", Tls::Shows(Flaw::None)),
    host(VILLAGE, "mail.village-hall.example", Tls::Nothing),
];

/// The domain to which ordinary mail crosses in clear text.
pub const VILLAGE: &str = "village-hall.example";
const CLOSED: &str = "closed-practice.example";

/// Everything that runs.
pub struct World {
    pub data: PathBuf,
    /// The gateway's listener for its site, and the one for the internet.
    pub to_site_listener: SocketAddr,
    pub to_internet_listener: SocketAddr,
    pub exchange: Peer,
    /// Domain and server.
    pub internet: Vec<(&'static str, Peer)>,
    gateway: Gateway,
}

impl World {
    /// # Errors
    /// When the folder cannot be written, an address cannot be had, or the gateway does not start.
    pub async fn start(folder: &Path) -> Result<World, DemoError> {
        let authority = Authority::new(&folder.join("certificates"))?;
        policy::write(&folder.join("policies"))?;
        std::fs::create_dir_all(folder.join("data"))?;
        let (names, port, internet) = internet(&authority).await?;
        let dns = names.serve(NAMES).await?;
        let listener = TcpListener::bind((EXCHANGE, 0)).await?;
        let file = folder.join("gateway.toml");
        std::fs::write(&file, settings(&authority, (listener.local_addr()?, dns), port)?)?;
        let offer = Offer::Tls(authority.acceptor(EXCHANGE_NAME, Flaw::None)?);
        let exchange = Peer::serve(listener, Manner { host: EXCHANGE_NAME.to_owned(), offer, refuses: &[] });
        let gateway = serve::start(serve::config(&file)?).await?;
        let listener = |wanted: &str| {
            let found = gateway.listening.iter().find(|(name, _)| &**name == wanted).map(|(_, address)| *address);
            found.ok_or_else(|| DemoError(format!("the gateway has no listener `{wanted}`")))
        };
        let (to_site_listener, to_internet_listener) = (listener("exchange")?, listener("internet")?);
        let data = folder.join("data");
        Ok(World { data, to_site_listener, to_internet_listener, exchange, internet, gateway })
    }

    /// # Errors
    /// When the last flush failed.
    pub async fn stop(self) -> Result<(), DemoError> {
        Ok(self.gateway.stop().await?)
    }
}

type Internet = Vec<(&'static str, Peer)>;

async fn internet(authority: &Authority) -> Result<(Names, u16, Internet), DemoError> {
    let listeners = on_one_port(INTERNET.len()).await?;
    let mut names = Names::default();
    names.no_mail(CLOSED);
    let (mut port, mut peers) = (0, Vec::new());
    for (host, (address, listener)) in INTERNET.iter().zip(listeners) {
        port = listener.local_addr()?.port();
        names.mail_host(host.domain, host.name, address);
        let offer = match host.tls {
            Tls::Shows(flaw) => Offer::Tls(authority.acceptor(host.name, flaw)?),
            Tls::Nothing => Offer::Nothing,
            Tls::Masked => Offer::Masked,
        };
        let manner = Manner { host: host.name.to_owned(), offer, refuses: host.refuses };
        peers.push((host.domain, Peer::serve(listener, manner)));
    }
    Ok((names, port, peers))
}

/// Mail hosts have an address each and share one port, as they share port 25 out there.
async fn on_one_port(count: usize) -> io::Result<Vec<(Ipv4Addr, TcpListener)>> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..PORTS {
        match try_one_port(count).await {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn try_one_port(count: usize) -> io::Result<Vec<(Ipv4Addr, TcpListener)>> {
    let (mut port, mut listeners) = (0, Vec::new());
    for number in (10..=u8::MAX).take(count) {
        let address = Ipv4Addr::new(127, 30, 0, number);
        let listener = TcpListener::bind((address, port)).await?;
        port = listener.local_addr()?.port();
        listeners.push((address, listener));
    }
    Ok(listeners)
}

/// The gateway.toml of the demo.
fn settings(authority: &Authority, (exchange, dns): (SocketAddr, SocketAddr), port: u16) -> Result<String, DemoError> {
    let (certificate, key) = authority.certificate("gw1.kingston-surgery.example", Flaw::None)?;
    Ok(format!(
        r#"# The gateway of the demo, on loopback addresses. Paths are relative to this file.
hostname = "gw1.kingston-surgery.example"
data     = "data"
policies = "policies"

[site.kingston-surgery]
description = "Kingston Surgery"
domains     = ["kingston-surgery.example"]
exchange    = ["{exchange}"]
networks    = ["127.20.0.0/24"]
names       = ["{EXCHANGE_NAME}"]
require     = "verified"
duty        = "ig-duty@kingston-surgery.example"
phone       = "020 7946 0000"

[listen.exchange]
address   = "127.20.0.1:0"
mail-from = "sites"

[listen.internet]
address   = "127.20.0.2:0"
mail-from = "anyone"

[deliver]
port          = {port}
allow-private = true

[dns]
servers = ["{dns}"]
dnssec  = "off"

[tls]
certificate = "{certificate}"
key         = "{key}"
extra-roots = ["{root}"]

[queue]
min-free = "50MB"

[web]
admin = "127.20.0.1:0"
"#,
        certificate = certificate.display(),
        key = key.display(),
        root = authority.root().display(),
    ))
}
