//! What a transaction asks: whether this sender and these recipients may, and what becomes of the message.
//!
//! Called by `connection`. Promises: rules that need no content are asked before the text crosses; a message is answered
//! once. Fails with replies.

use super::super::accept::{Arrived, Record};
use super::super::access::Denied;
use super::super::listener;
use super::super::received::Trace;
use super::super::refusals::To;
use super::{Connection, Flow};
use crate::clock::Now;
use crate::decide::Transaction;
use crate::mail::{Envelope, Mailbox, Status};
use crate::policy::Sites;
use crate::smtp::command::Sender;
use crate::smtp::reply::Reply;
use crate::smtp::server::{Complete, Ending, Session};
use crate::vocabulary::{Direction, Level, Reason};
use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Per message, and nothing is closed: a server that sends it keeps its mail and tries again.
const NO_POLICY: &str = "No mail is taken at the moment: this gateway has no policy in force. The mail waits where it is; ask \
                         whoever looks after this gateway to mend its policy (mailward check, then mailward reload)";

impl Connection {
    pub(super) fn ask_sender(&mut self, session: Session, sender: Sender) -> Flow {
        let verdict = self.judge_sender(&sender);
        self.declared = sender.size;
        self.envelope = Some(Envelope {
            reverse_path: sender.reverse_path,
            recipients: Vec::new(),
            body: sender.body,
            smtputf8: sender.smtputf8,
            ret: sender.ret,
            envid: sender.envid,
            require_tls: sender.require_tls,
        });
        self.answer(session, verdict)
    }

    /// Whatever is loaded after MAIL holds for the next transaction.
    fn take_newest(&mut self) {
        let newest = self.reception.standing.load_full();
        if !Arc::ptr_eq(&newest, &self.standing) {
            self.door = newest.door(self.client, self.login.as_deref());
            self.standing = newest;
        }
    }

    fn judge_sender(&mut self, sender: &Sender) -> Result<(), Reply> {
        // What was pipelined behind the last message: nothing more is taken once the gateway stops.
        if *self.reception.stopping.borrow() {
            return Err(Session::ending(&self.reception.hostname, Ending::Stopping));
        }
        if !self.reception.acceptance.store.is_writable() {
            return Err(Reply::fixed(
                451,
                crate::mail::Enhanced(4, 3, 0),
                "Mail cannot be kept safely at the moment, try again later",
            ));
        }
        if self.reception.no_room.load(Ordering::Relaxed) {
            return Err(Reply::fixed(
                452,
                crate::mail::Enhanced(4, 3, 1),
                "No room to keep mail at the moment, try again later",
            ));
        }
        if self.reception.judge.is_none() {
            return Err(Reply::fixed(451, crate::mail::Enhanced(4, 7, 10), NO_POLICY));
        }
        self.take_newest();
        // It was said at EHLO, if it was so then.
        if self.tls.is_none() && self.door.as_ref().is_some_and(|door| door.require > Level::Any) {
            return Err(listener::tls_first(self.rules.mail_from));
        }
        let may = self.standing.access.may_send(self.rules.mail_from, self.door.as_deref(), &sender.reverse_path);
        may.map_err(|denied| self.deny(denied))
    }

    /// Whether the recipient is ours to take, and whether rules that need no content refuse it already.
    pub(super) fn judge_recipient(&mut self, given: &Mailbox) -> Result<(), Reply> {
        let reception = self.reception.clone();
        let standing = self.standing.clone();
        let access = &standing.access;
        let postmaster = self.as_own_postmaster(given);
        let recipient = postmaster.as_ref().unwrap_or(given);
        let direction = access.direction(self.door.as_deref(), recipient).map_err(|d| self.deny(d))?;
        // An Exchange that writes to us by our name has not missed a mailbox of its own.
        if postmaster.is_none() {
            access.comes_back(self.door.as_deref(), self.client, recipient).map_err(|d| self.deny(d))?;
        }
        if self.envelope.as_ref().is_some_and(Envelope::goes_by_require_tls_only) {
            access
                .keeps_require_tls(self.door.as_deref().map(|door| door.site.as_ref()), recipient)
                .map_err(|d| self.deny(d))?;
        }
        let Some(envelope) = self.envelope.as_ref().filter(|_| direction == Direction::Inbound) else { return Ok(()) };
        let transaction = Transaction {
            at: Now::read().wall,
            direction,
            sites: Sites { leaves: None, reaches: access.routes.site_of(recipient.domain()).map(AsRef::as_ref) },
            envelope,
            message: b"",
            size: 0,
            peer: Some(self.level()),
            can: &[],
        };
        match standing.judge.at_rcpt(&transaction, recipient) {
            Some(verdict) => {
                // One record a session is evidence enough: a stranger must not fill the disk with them.
                let record = if std::mem::replace(&mut self.recorded, true) { Record::Counted } else { Record::Kept };
                Err(reception.acceptance.refuse_at_rcpt((&transaction, recipient), &verdict, record))
            }
            None => Ok(()),
        }
    }

    /// Who has the mail for the postmaster of this host (RFC 5321 4.5.1), if that is whom it is for.
    fn as_own_postmaster(&self, recipient: &Mailbox) -> Option<Mailbox> {
        let is_own = recipient.domain().as_str() == self.reception.hostname
            && recipient.local().eq_ignore_ascii_case("postmaster");
        self.standing.access.postmaster(self.door.as_deref()).filter(|_| is_own)
    }

    fn deny(&self, denied: Denied) -> Reply {
        self.reception.metrics.refusals.with_label_values(&[denied.reason.name()]).inc();
        if denied.reason == Reason::ClientUnknown {
            // A site's server with an address that nobody told us, or a stranger who found the wrong door.
            tracing::warn!(session = self.session_id, client = %self.client, listener = %self.rules.name, "client in no site's network");
        } else if denied.reason == Reason::SiteLoop {
            tracing::warn!(session = self.session_id, client = %self.client, text = denied.status.text, "a site sends mail to itself");
        } else {
            tracing::info!(session = self.session_id, client = %self.client, reason = %denied.reason, "refused at the door");
        }
        reply_of(denied.status)
    }

    /// What this link reached, seen from here: the client did not prove itself.
    fn level(&self) -> Level {
        if self.tls.is_some() { Level::Encrypted } else { Level::Any }
    }

    pub(super) async fn ask_message(&mut self, session: Session, complete: Complete) -> io::Result<Flow> {
        let Some(collector) = self.collector.take() else { return Ok(Flow::On(session)) };
        let Complete { mut envelope, normalised } = complete;
        self.reception.metrics.line_endings_normalised.inc_by(normalised);
        let hello = session.hello().map_or_else(|| "unknown".to_owned(), |h| h.name.to_string());
        for recipient in &mut envelope.recipients {
            if let Some(postmaster) = self.as_own_postmaster(&recipient.mailbox) {
                recipient.mailbox = postmaster;
            }
        }
        let trace = Trace {
            hello: &hello,
            client: self.client,
            hostname: &self.reception.hostname,
            protocol: session.protocol(),
            tls: self.tls.as_ref(),
        };
        let arrived = Arrived {
            session: &self.session_id,
            door: self.door.as_deref(),
            access: &self.standing.access,
            level: self.level(),
            judge: self.standing.judge.clone(),
            trace,
            envelope,
        };
        let status = self.reception.acceptance.accept(arrived, collector).await;
        self.forget_message();
        let (session, reply) = session.answer_message(reply_of(status));
        match reply.code {
            // Its line is written: the message has an id there.
            400..500 => drop(self.say_counted(To::Message, &reply)),
            _ => self.say(&reply),
        }
        Ok(Flow::On(session))
    }

    pub(super) fn forget_message(&mut self) {
        (self.collector, self.envelope, self.message_deadline) = (None, None, None);
    }
}

fn reply_of(status: Status) -> Reply {
    Reply { code: status.code, enhanced: status.enhanced, text: Cow::Owned(status.text) }
}
