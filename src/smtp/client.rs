//! Our side of a conversation with a peer: `step` on the unread input gives the next event, methods start what is next.
//!
//! Called by `deliver::connection`, which owns the socket and TLS. `P` is the permit: `mail` takes one by value, and there
//! is no other way to MAIL. Promises: a reply is believed only after its command was sent, none from before TLS counts
//! inside it, and `250` counts only after the whole message went out; every recipient gets exactly one outcome. Fails by
//! `Failed` when the connection is worth nothing any more; `abandon` then says what is known of each recipient.

mod chunk;
mod commands;
mod login;
mod offer;
mod outcome;
mod transaction;

use super::Security;
use super::reply::{self, Parsed, Reply};
use crate::mail::{Envelope, Status};
use crate::vocabulary::Reason;
use std::marker::PhantomData;
use transaction::{Progress, Transaction};

pub use chunk::Chunk;
pub use offer::{Limits, Logins, Offer};
pub use outcome::{Extent, Outcome, Refusal, Reuse, Sequel};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Read more input; what was not consumed stays in front of it.
    Need,
    Send(Vec<u8>),
    /// Greeting and EHLO are done: `starttls`, `mail` or `quit`.
    Ready(Offer),
    /// The peer is ready and said nothing else: shake hands, then `secured`.
    TlsReady,
    /// The peer refused to start TLS; the connection goes on in clear.
    TlsRefused(Status),
    /// The peer knows us now; `mail` may follow.
    LoggedIn,
    /// The peer does not take name and password, or wants none.
    LoginRefused(Status),
    /// Stream the message through `data::Encoder` with its end, then `body_sent`.
    SendBody,
    /// Send `commands` and right behind them, in one write where it fits, the next `octets` of the message, unchanged but
    /// passed through `Chunk`; then `body_sent`.
    SendChunk {
        commands: Vec<u8>,
        octets: u64,
    },
    /// The transaction is over.
    Finished(Vec<Outcome>, Reuse),
    /// The connection is unusable.
    Failed(Reason, Option<Status>),
}

/// What one `step` did.
#[derive(Debug)]
pub struct ClientStep<P> {
    pub client: Client<P>,
    pub consumed: usize,
    pub event: Event,
}

/// One connection to a peer.
#[derive(Debug)]
pub struct Client<P> {
    hostname: Box<str>,
    link: Security,
    offer: Offer,
    state: State,
    /// Transactions that ended with the connection in order.
    carried: u64,
    permit: PhantomData<fn(P)>,
}

#[derive(Debug)]
enum State {
    Greeting,
    Ehlo,
    Helo,
    TlsAsked,
    /// The handshake is the caller's: nothing that is read belongs to us.
    Handshake,
    Ready,
    /// AUTH was said; these answers are still to be given.
    LoggingIn(Box<login::Answers>),
    Transaction(Box<Transaction>),
    Closed,
}

/// A client and what it has to say now.
pub type Speaking<P> = (Client<P>, Vec<u8>);

/// A client as it was, and why it says nothing.
pub type Declined<P> = (Client<P>, Reason);

/// A client after a reply, and the event if there is one.
type Next<P> = (Client<P>, Option<Event>);

impl<P> Client<P> {
    /// A connection that was just made; the peer speaks first.
    #[must_use]
    pub fn open(hostname: &str) -> Client<P> {
        Client {
            hostname: hostname.into(),
            link: Security::Clear,
            offer: Offer::default(),
            state: State::Greeting,
            carried: 0,
            permit: PhantomData,
        }
    }

    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// One step on the unread input; takes as many replies as it needs for an event.
    #[must_use]
    pub fn step(mut self, input: &[u8]) -> ClientStep<P> {
        let mut consumed = 0;
        while !matches!(self.state, State::Closed | State::Handshake) {
            let event = match reply::parse(&input[consumed..]) {
                Parsed::Need => break,
                Parsed::Garbage(what) => {
                    let said = Status { code: 500, enhanced: None, text: what.to_owned() };
                    Some(self.fail(Reason::ProtocolError, Some(said)))
                }
                Parsed::Reply { reply, consumed: octets } => {
                    consumed += octets;
                    let (client, event) = self.hear(&reply, Rest::of(&input[consumed..]));
                    self = client;
                    event
                }
            };
            if let Some(event) = event {
                return ClientStep { client: self, consumed, event };
            }
        }
        ClientStep { client: self, consumed, event: Event::Need }
    }

    /// Asks for TLS. Only after `Ready` with an offer of it.
    #[must_use]
    pub fn starttls(self) -> Speaking<P> {
        (Client { state: State::TlsAsked, ..self }, b"STARTTLS\r\n".to_vec())
    }

    /// TLS is up: what the peer said before is forgotten (RFC 3207 4.2), and EHLO is sent again.
    #[must_use]
    pub fn secured(self) -> Speaking<P> {
        let hello = self.hello("EHLO");
        (Client { link: Security::Tls, offer: Offer::default(), state: State::Ehlo, ..self }, hello)
    }

    /// Begins a transaction for all recipients of `envelope`. The permit is spent. Gives `Send`, or `SendChunk` where all of
    /// it goes out in one flight.
    ///
    /// # Errors
    /// When the peer cannot take such a message; nothing was sent, and the connection is as it was.
    pub fn mail(self, permit: P, envelope: &Envelope, extent: Extent) -> Result<(Client<P>, Event), Declined<P>> {
        drop(permit);
        if !matches!(self.state, State::Ready) {
            return Err((self, Reason::ProtocolError));
        }
        if let Some(reason) = self.offer.obstacle(envelope, extent.octets()) {
            return Err((self, reason));
        }
        let link = if self.carried > 0 { transaction::Link::Kept } else { transaction::Link::New };
        let mut transaction = Transaction::new(envelope, extent, &self.offer, link);
        let first = match transaction.next_commands() {
            Progress::SendChunk { commands, octets } => Event::SendChunk { commands, octets },
            Progress::Send(bytes) => Event::Send(bytes),
            _ => return Err((self, Reason::ProtocolError)),
        };
        Ok((Client { state: State::Transaction(Box::new(transaction)), ..self }, first))
    }

    /// DATA is used whatever the peer offers: it has failed BDAT before.
    #[must_use]
    pub fn without_chunking(mut self) -> Client<P> {
        self.offer.chunking = false;
        self
    }

    /// What `SendBody` or `SendChunk` asked for was written, all of it.
    #[must_use]
    pub fn body_sent(mut self) -> Client<P> {
        if let State::Transaction(transaction) = &mut self.state {
            transaction.body_sent();
        }
        self
    }

    /// What to send before closing.
    #[must_use]
    pub fn quit(self) -> Vec<u8> {
        b"QUIT\r\n".to_vec()
    }

    /// The connection is lost or given up: what became of every recipient of the open transaction. Those of which the
    /// peer said nothing final get `reason`.
    #[must_use]
    pub fn abandon(self, reason: Reason, status: Option<Status>) -> Vec<Outcome> {
        match self.state {
            State::Transaction(transaction) => transaction.into_outcomes(&Refusal { reason, status }),
            _ => Vec::new(),
        }
    }

    fn hello(&self, verb: &str) -> Vec<u8> {
        format!("{verb} {}\r\n", self.hostname).into_bytes()
    }

    fn hear(self, reply: &Reply, rest: Rest) -> Next<P> {
        match self.state {
            State::Transaction(transaction) => {
                Client { state: State::Ready, ..self }.in_transaction(transaction, reply, rest)
            }
            _ if reply.code == 421 => self.closing(reply),
            State::Greeting | State::Ehlo | State::Helo if rest == Rest::More => {
                self.stop(Reason::ProtocolError, reply)
            }
            State::Greeting => self.greeted(reply),
            State::Ehlo => self.introduced(reply),
            State::Helo => self.introduced_plainly(reply),
            State::TlsAsked => self.tls_answered(reply, rest),
            State::LoggingIn(answers) => Client { state: State::Ready, ..self }.login_answered(answers, reply, rest),
            State::Ready | State::Handshake | State::Closed => self.stop(Reason::ProtocolError, reply),
        }
    }

    /// RFC 5321 3.8: 421 may come at any time.
    fn closing(self, reply: &Reply) -> Next<P> {
        let reason = match self.state {
            State::TlsAsked => Reason::TlsRefused,
            State::Ready => Reason::ConnectionLost,
            State::LoggingIn(_) => Reason::LoginRefused,
            _ => Reason::GreetingRefused,
        };
        self.stop(reason, reply)
    }

    fn greeted(self, reply: &Reply) -> Next<P> {
        if reply.code != 220 {
            return self.stop(Reason::GreetingRefused, reply);
        }
        let hello = self.hello("EHLO");
        (Client { state: State::Ehlo, ..self }, Some(Event::Send(hello)))
    }

    fn introduced(self, reply: &Reply) -> Next<P> {
        match reply.code {
            250 => {
                let offer = Offer::of(reply, self.link);
                (Client { offer, state: State::Ready, ..self }, Some(Event::Ready(offer)))
            }
            // RFC 5321 3.2: an old server knows HELO only.
            500..=599 => {
                let hello = self.hello("HELO");
                (Client { state: State::Helo, ..self }, Some(Event::Send(hello)))
            }
            _ => self.stop(Reason::GreetingRefused, reply),
        }
    }

    fn introduced_plainly(self, reply: &Reply) -> Next<P> {
        if reply.code != 250 {
            return self.stop(Reason::GreetingRefused, reply);
        }
        (Client { state: State::Ready, ..self }, Some(Event::Ready(self.offer)))
    }

    fn tls_answered(self, reply: &Reply, rest: Rest) -> Next<P> {
        match (reply.code, rest) {
            (220, Rest::Nothing) => (Client { state: State::Handshake, ..self }, Some(Event::TlsReady)),
            // Anybody on the way can put replies behind the 220; they would be read inside TLS as the peer's.
            (220, Rest::More | Rest::Closing) => self.stop(Reason::ProtocolError, reply),
            (400..=599, _) => (Client { state: State::Ready, ..self }, Some(Event::TlsRefused(reply.status()))),
            _ => self.stop(Reason::ProtocolError, reply),
        }
    }

    fn in_transaction(self, mut transaction: Box<Transaction>, reply: &Reply, rest: Rest) -> Next<P> {
        let event = match transaction.hear(reply) {
            Progress::More => None,
            Progress::Broken => return self.broken(transaction, reply),
            Progress::Finished(reuse) => return self.finished(*transaction, reply, (reuse, rest)),
            // The answer to what was not sent yet is nobody's word.
            _ if rest == Rest::More => return self.broken(transaction, reply),
            Progress::Send(bytes) => Some(Event::Send(bytes)),
            Progress::SendBody => Some(Event::SendBody),
            Progress::SendChunk { commands, octets } => Some(Event::SendChunk { commands, octets }),
        };
        (Client { state: State::Transaction(transaction), ..self }, event)
    }

    fn finished(self, transaction: Transaction, reply: &Reply, (reuse, rest): (Reuse, Rest)) -> Next<P> {
        // One reply too many would be believed as the next command's.
        let reuse = if reuse == Reuse::Possible && rest != Rest::Nothing { Reuse::Close } else { reuse };
        let state = if reuse == Reuse::Possible { State::Ready } else { State::Closed };
        let unknown = Refusal { reason: Reason::ProtocolError, status: Some(reply.status()) };
        let outcomes = transaction.into_outcomes(&unknown);
        (Client { state, carried: self.carried + 1, ..self }, Some(Event::Finished(outcomes, reuse)))
    }

    /// Keeps the transaction, so that `abandon` still knows what was settled.
    fn broken(self, mut transaction: Box<Transaction>, reply: &Reply) -> Next<P> {
        transaction.break_off();
        let event = Event::Failed(Reason::ProtocolError, Some(reply.status()));
        (Client { state: State::Transaction(transaction), ..self }, Some(event))
    }

    fn stop(mut self, reason: Reason, reply: &Reply) -> Next<P> {
        let event = self.fail(reason, Some(reply.status()));
        (self, Some(event))
    }

    fn fail(&mut self, reason: Reason, status: Option<Status>) -> Event {
        match &mut self.state {
            State::Transaction(transaction) => transaction.break_off(),
            state => *state = State::Closed,
        }
        Event::Failed(reason, status)
    }
}

/// Whether unread input follows a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// 421, which may come at any time (RFC 5321 3.8): it is heard as the answer to what is sent next.
    Closing,
    More,
}

impl Rest {
    fn of(unread: &[u8]) -> Rest {
        match unread {
            [] => Rest::Nothing,
            [b'4', b'2', b'1', ..] => Rest::Closing,
            _ => Rest::More,
        }
    }
}

#[cfg(test)]
mod tests;
