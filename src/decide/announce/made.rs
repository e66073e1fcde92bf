//! A notice as an entry of the queue: judged like any other mail, and asked for what its message was asked for.
//!
//! Called by `announce`. Promises: nobody is told of what becomes of it, and what REQUIRETLS was asked for stays asked. Fails never.

use super::super::Transaction;
use super::Announcer;
use crate::clinical::Findings;
use crate::clock::{EntryId, Now};
use crate::mail::{Body, Envelope, Header, Mailbox, Recipient, ReversePath};
use crate::policy::{Sites, Verdict};
use crate::queue::{Destined, Entry};
use crate::store::digest_of;
use crate::vocabulary::Direction;
use bytes::Bytes;

impl Announcer {
    /// A notice is judged like any other mail, so that it meets what its reader's domain asks.
    /// `about`: the entry that it tells of; none: it tells of no message.
    pub(super) fn entry(&self, id: EntryId, about: Option<&Entry>, reader: Mailbox, body: &Bytes) -> Entry {
        let site = self.routes.now().site_of(reader.domain()).cloned();
        let direction = if site.is_some() { Direction::Internal } else { Direction::Outbound };
        let international = reader.is_international();
        let recipient = Recipient { notify: Some(crate::mail::Notify::NEVER), ..Recipient::new(reader) };
        let envelope = Envelope {
            reverse_path: ReversePath::Null,
            recipients: vec![recipient],
            body: if body.is_ascii() { Body::SevenBit } else { Body::EightBitMime },
            smtputf8: international,
            ret: None,
            envid: None,
            // RFC 8689 5: a report goes as its message had to.
            require_tls: about.is_some_and(|about| about.envelope.require_tls),
        };
        let transaction = Transaction {
            at: Now::read().wall,
            direction,
            sites: Sites { leaves: None, reaches: site.as_deref() },
            envelope: &envelope,
            message: Header::of(body).bytes(),
            size: body.len() as u64,
            peer: None,
            can: &[],
        };
        let verdicts = self.judge.now().at_accept(&transaction, &Findings::default()).recipients;
        Entry {
            version: Entry::version(&envelope),
            id,
            accepted: Now::read().wall,
            // Not from the site's Exchange: it goes there.
            site: None,
            session: about.map_or("reminder", |about| &about.session).to_owned(),
            destined: vec![Destined { direction, requirement: 0 }],
            requirements: verdicts.iter().map(Verdict::requirement).collect(),
            size: body.len() as u64,
            received: String::new(),
            message_id: Some(format!("<{id}@{}>", self.hostname)),
            large: false,
            digest: Some(digest_of(body)),
            notice: true,
            instructions: Vec::new(),
            envelope,
        }
    }
}
