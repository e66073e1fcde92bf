//! Listening sockets: each connection becomes one session's task, if there is a place for it.
//!
//! `serve` starts one per listener. Promises: a listener outlives every error of accept (no descriptors, aborted
//! connections); who finds no place hears 421 and is gone. Fails only when the address cannot be bound, before it starts.

use super::accept::Acceptance;
use super::access::{Door, MailFrom};
use super::budget::Budget;
use super::connection::Connection;
use super::limits::{SessionLimits, Who};
use super::login::Desk;
use super::refusals::Crowd;
use super::standing::Standing;
use crate::decide::InForce;
use crate::mail::Enhanced;
use crate::metrics::Metrics;
use crate::smtp::data::chunks::BareLineEndings;
use crate::smtp::reply::Reply;
use crate::smtp::server::{self, Auth, Ending, RequireTls, Session, Settings, StartTls};
use crate::tls::Acceptor;
use crate::vocabulary::Level;
use arc_swap::ArcSwap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// How one listener behaves.
#[derive(Debug, Clone)]
pub struct Rules {
    pub name: Arc<str>,
    pub mail_from: MailFrom,
    pub tls: Tls,
}

/// What a listener does about TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Off,
    Offer,
    Require,
    /// From the first octet, before the greeting.
    Implicit,
}

/// Times and sizes of a session.
#[derive(Debug, Clone)]
pub struct Bounds {
    pub max_message: u64,
    pub max_recipients: usize,
    pub max_line: usize,
    pub max_header: usize,
    pub idle: Duration,
    pub message_time: Duration,
    /// A handshake that takes longer is given up; a stranger's a third of that.
    pub handshake: Duration,
}

/// Handshakes cost: only so many at once. Strangers have places of their own, and one of them only a few, so that however
/// many stall, a site's Exchange finds its way in, and so does every other stranger.
pub struct Handshakes {
    pub sites: Semaphore,
    pub strangers: Arc<SessionLimits>,
}

/// What every session of the gateway shares.
pub struct Reception {
    pub hostname: String,
    /// The newest: swapped whole, before the policy in force is.
    pub standing: ArcSwap<Standing>,
    pub bounds: Bounds,
    pub limits: Arc<SessionLimits>,
    pub crowd: Crowd,
    pub budget: Arc<Budget>,
    pub acceptor: Acceptor,
    pub handshakes: Handshakes,
    pub desk: Desk,
    pub judge: Arc<InForce>,
    pub acceptance: Acceptance,
    pub metrics: Arc<Metrics>,
    /// Free octets are below the mark: MAIL is put off.
    pub no_room: Arc<AtomicBool>,
    /// True when the gateway stops.
    pub stopping: watch::Receiver<bool>,
}

/// Takes connections until the gateway stops.
pub async fn listen(listener: TcpListener, rules: Rules, reception: Arc<Reception>) {
    let rules = Arc::new(rules);
    let mut stopping = reception.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((socket, client)) => admit(socket, client, &rules, &reception),
            Err(error) => {
                tracing::warn!(listener = %rules.name, %error, "a connection could not be accepted");
                // Out of descriptors: sessions that end give some back.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn admit(socket: TcpStream, client: SocketAddr, rules: &Arc<Rules>, reception: &Arc<Reception>) {
    let client = client.ip().to_canonical();
    let who = reception.standing.load().access.door_of(client).map_or(Who::Stranger, |_| Who::Site);
    let Some(place) = reception.limits.take(client, who) else {
        reception.crowd.turned_away(client, &rules.name, &reception.metrics);
        // In clear text nobody would read it there.
        if rules.tls != Tls::Implicit {
            refuse(socket, &reception.hostname);
        }
        return;
    };
    let (rules, reception) = (rules.clone(), reception.clone());
    tokio::spawn(async move {
        let open = reception.metrics.sessions.with_label_values(&[&rules.name]);
        open.inc();
        serve(socket, client, rules, reception).await;
        open.dec();
        drop(place);
    });
}

/// A session ends with its client: what goes wrong on the socket is no event of ours.
async fn serve(socket: TcpStream, client: IpAddr, rules: Arc<Rules>, reception: Arc<Reception>) {
    let standing = reception.standing.load_full();
    let settings = Arc::new(settings(&rules, standing.door(client, None).as_deref(), &reception));
    let connection = Connection::new((socket, client), standing, rules, reception);
    if let Err(error) = connection.run(settings).await {
        tracing::debug!(%client, %error, "session ended");
    }
}

/// 421 without a session: the socket's buffer takes it, or the client learns nothing.
fn refuse(socket: TcpStream, hostname: &str) {
    let reply = Session::ending(hostname, Ending::Busy).to_bytes();
    tokio::spawn(async move {
        let mut socket = socket;
        let _ = tokio::time::timeout(Duration::from_secs(5), socket.write_all(&reply)).await;
    });
}

/// The stricter of the listener's `tls` and the site's `require` holds.
pub(super) fn settings(rules: &Rules, door: Option<&Door>, reception: &Reception) -> Settings {
    let leg = door.is_some_and(|d| d.require > Level::Any);
    let starttls = match (rules.tls, leg) {
        (Tls::Off, false) => StartTls::NotOffered,
        (Tls::Offer, false) => StartTls::Offered,
        // Inside TLS from the first octet nothing is left to ask.
        (Tls::Off | Tls::Offer | Tls::Require | Tls::Implicit, _) => StartTls::Required(tls_first(rules.mail_from)),
    };
    let (bounds, with_logins) = (&reception.bounds, reception.desk.is_open());
    // To whose mail it could never be kept it is not offered: nobody's who is no client of a site, where no site's server keeps it. Whoever logs in
    // is one from then on: these settings are made anew.
    let keeps = door.is_some() || !reception.standing.load().access.routes.require_tls.is_empty();
    let require_tls =
        if keeps && starttls != StartTls::NotOffered { RequireTls::Offered } else { RequireTls::NotOffered };
    server::Settings {
        hostname: reception.hostname.clone(),
        max_message: bounds.max_message,
        max_recipients: bounds.max_recipients,
        max_line: bounds.max_line,
        max_errors: 20,
        max_commands: 10_000,
        starttls,
        // What a site's own programmes send is mended for them; a stranger's may be meant to end where we do not see it.
        bare_line_endings: door.map_or(BareLineEndings::Refused, |_| BareLineEndings::Normalised),
        auth: if with_logins { Auth::Offered } else { Auth::NotOffered },
        require_tls,
    }
}

/// On a sites' listener a missing TLS is a set-up fault: Exchange keeps the mail and tries again.
pub(super) fn tls_first(mail_from: MailFrom) -> Reply {
    match mail_from {
        MailFrom::Sites => Reply::fixed(
            451,
            Enhanced(4, 7, 0),
            "Start TLS first: this gateway takes a site's mail over TLS only (set RequireTLS on the send connector)",
        ),
        MailFrom::Anyone => Reply::fixed(530, Enhanced(5, 7, 0), "Must issue a STARTTLS command first"),
    }
}
