//! One transaction: MAIL, RCPT and DATA, or BDAT with the message itself, in one write where the peer pipelines, step by
//! step where not.
//!
//! Called by `client` only. Promises: replies are matched with commands in order; at most a window of commands is
//! unanswered, so that neither side blocks on a full buffer; each recipient is settled once; the message's own reply counts
//! only once all of it was written. Fails by `Broken`, when a reply cannot belong to its command.

use super::commands;
use super::{Extent, Offer, Outcome, Refusal, Reuse, Sequel};
use crate::mail::{Enhanced, Envelope, Severity, Status};
use crate::smtp::reply::Reply;
use crate::vocabulary::Reason;

/// Commands in one write (RFC 2920 3.1: what is unanswered has to fit the peer's window).
const WINDOW: usize = 100;

/// Octets of a streamed message in one BDAT: a peer that refuses has to say so before all of it has crossed.
const CHUNK: u64 = 1024 * 1024;

/// What the transaction wants after a reply.
pub(super) enum Progress {
    More,
    Send(Vec<u8>),
    SendBody,
    SendChunk { commands: Vec<u8>, octets: u64 },
    Finished(Reuse),
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Commands,
    /// 354 came; the message goes out.
    Body,
    /// The end of data was sent.
    Final,
    /// Octets of a BDAT are being written.
    Chunk,
    /// They are written; its reply is due, behind those of the commands before it.
    ChunkSent,
    /// 354 came though no recipient is left: an empty message was ended at once (RFC 2920 3.1).
    Emptied,
    Resetting,
    /// A reply was broken: nothing that the peer still says counts.
    Broken,
}

/// How the message goes to this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// DATA: dots, and a dot that ends it.
    Dots,
    /// BDAT (RFC 3030).
    Chunks,
}

/// What is known of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Open,
    Accepted,
    Settled(Result<Status, Refusal>),
    /// The peer took others and had no room for this one.
    Crowded(Refusal),
    /// The peer refused its own extension, not this recipient.
    Misled(Refusal),
}

/// What the session has seen of this peer before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    New,
    /// It has carried a transaction: that it is gone is nobody's failure.
    Kept,
}

#[derive(Debug)]
pub(super) struct Transaction {
    /// MAIL and every RCPT as they go out, and where each ends.
    commands: Vec<u8>,
    ends: Vec<usize>,
    window: usize,
    sent: usize,
    answered: usize,
    phase: Phase,
    standings: Vec<Standing>,
    framing: Framing,
    extent: Extent,
    /// Octets that no BDAT has announced yet.
    left: u64,
    link: Link,
    /// The peer has been given all of the message: from now on only its word tells what became of it.
    given: bool,
}

impl Transaction {
    pub(super) fn new(envelope: &Envelope, extent: Extent, offer: &Offer, link: Link) -> Transaction {
        let mut commands = commands::mail(envelope, extent.octets(), offer).into_bytes();
        let mut ends = vec![commands.len()];
        for recipient in &envelope.recipients {
            commands.extend_from_slice(commands::rcpt(recipient, offer).as_bytes());
            ends.push(commands.len());
        }
        Transaction {
            commands,
            ends,
            window: if offer.pipelining { WINDOW } else { 1 },
            sent: 0,
            answered: 0,
            phase: Phase::Commands,
            standings: vec![Standing::Open; envelope.recipients.len()],
            framing: if offer.chunking { Framing::Chunks } else { Framing::Dots },
            extent,
            left: extent.octets(),
            link,
            given: false,
        }
    }

    /// The next commands; DATA, or a first BDAT with its octets, is the last.
    pub(super) fn next_commands(&mut self) -> Progress {
        let until = (self.sent + self.window).min(self.ends.len());
        let from = self.sent.checked_sub(1).map_or(0, |last| self.ends[last]);
        let mut bytes = self.commands[from..self.ends[until - 1]].to_vec();
        // RFC 2920 3.1: DATA may be the last of a group; a streamed message waits until somebody is there to take it.
        let alone = self.sent == until;
        let last = until == self.ends.len() && (alone || self.window > 1);
        self.sent = until;
        match (self.framing, self.extent) {
            _ if !last => Progress::Send(bytes),
            (Framing::Dots, _) => {
                bytes.extend_from_slice(b"DATA\r\n");
                self.sent += 1;
                Progress::Send(bytes)
            }
            (Framing::Chunks, Extent::Pieces(_)) if !alone => Progress::Send(bytes),
            (Framing::Chunks, extent) => {
                self.sent += 1;
                let most = if matches!(extent, Extent::Whole(_)) { u64::MAX } else { CHUNK };
                self.next_chunk(bytes, most)
            }
        }
    }

    fn next_chunk(&mut self, mut commands: Vec<u8>, most: u64) -> Progress {
        let octets = self.left.min(most);
        self.left -= octets;
        let end = if self.left == 0 { " LAST" } else { "" };
        commands.extend_from_slice(format!("BDAT {octets}{end}\r\n").as_bytes());
        self.phase = Phase::Chunk;
        Progress::SendChunk { commands, octets }
    }

    pub(super) fn hear(&mut self, reply: &Reply) -> Progress {
        match self.phase {
            Phase::Commands => self.command_answered(reply),
            // The commands before a BDAT were written with it, and are answered before it.
            Phase::Chunk | Phase::ChunkSent if self.answered + 1 < self.sent => self.command_answered(reply),
            Phase::ChunkSent => self.chunk_answered(reply),
            Phase::Body | Phase::Chunk if reply.code < 400 => Progress::Broken,
            // The peer gave up in the middle: the rest of the message is lost on it.
            Phase::Body | Phase::Chunk => {
                self.settle_accepted(reply);
                Progress::Finished(Reuse::Close)
            }
            Phase::Final => self.message_answered(reply),
            Phase::Emptied if reply.code == 421 => Progress::Finished(Reuse::Close),
            Phase::Emptied => Progress::Finished(Reuse::Possible),
            Phase::Resetting if reply.code == 250 => Progress::Finished(Reuse::Possible),
            Phase::Resetting => Progress::Finished(Reuse::Close),
            Phase::Broken => Progress::Broken,
        }
    }

    pub(super) fn body_sent(&mut self) {
        match self.phase {
            Phase::Body => {
                self.phase = Phase::Final;
                self.given = true;
            }
            Phase::Chunk => {
                self.phase = Phase::ChunkSent;
                self.given = self.left == 0;
            }
            _ => {}
        }
    }

    pub(super) fn break_off(&mut self) {
        self.phase = Phase::Broken;
    }

    /// One outcome for each recipient; `unknown` for those that were never settled.
    pub(super) fn into_outcomes(self, unknown: &Refusal) -> Vec<Outcome> {
        let unsettled = match self.link {
            _ if self.given => Sequel::Unknown,
            Link::Kept if self.answered == 0 => Sequel::AtOnce,
            Link::Kept | Link::New => Sequel::Stands,
        };
        let took = |s: &Standing| matches!(s, Standing::Accepted | Standing::Settled(Ok(_)));
        let refused_later = |s: &Standing| match s {
            Standing::Settled(Err(r)) => matches!(r.reason, Reason::MessageDeferred | Reason::MessageRefused),
            _ => false,
        };
        // Only when others were taken is there progress: else the same would go on for ever.
        let took_some = self.standings.iter().any(|s| took(s) || refused_later(s));
        let crowded = if took_some { Sequel::AtOnce } else { Sequel::Stands };
        let settled = |standing| match standing {
            Standing::Settled(result) => (result, Sequel::Stands),
            Standing::Crowded(refusal) => (Err(refusal), crowded),
            Standing::Misled(refusal) => (Err(refusal), Sequel::AtOnce),
            Standing::Open | Standing::Accepted => (Err(unknown.clone()), unsettled),
        };
        let numbered = self.standings.into_iter().enumerate();
        numbered
            .map(|(recipient, standing)| {
                let (result, sequel) = settled(standing);
                Outcome { recipient, result, sequel }
            })
            .collect()
    }

    fn command_answered(&mut self, reply: &Reply) -> Progress {
        let (at, recipients) = (self.answered, self.standings.len());
        self.answered += 1;
        if reply.code == 421 {
            return self.closed(at, reply);
        }
        if at > recipients {
            return self.data_answered(reply);
        }
        match (at, reply.code) {
            (_, 300..=399) => return Progress::Broken,
            (0, 200..=299) => {}
            (0, _) => self.settle_all(&refusal(Reason::SenderDeferred, Reason::SenderRefused, reply)),
            (_, _) => self.recipient_answered(at - 1, reply),
        }
        if self.answered < self.sent { Progress::More } else { self.go_on() }
    }

    fn recipient_answered(&mut self, recipient: usize, reply: &Reply) {
        // Settled already when MAIL was refused: then RCPT's 503 is only an echo.
        if self.standings[recipient] == Standing::Open {
            self.standings[recipient] = match reply.code {
                200..=299 => Standing::Accepted,
                _ if is_crowded(reply) => Standing::Crowded(crowded(reply)),
                _ => Standing::Settled(Err(refusal(Reason::RecipientDeferred, Reason::RecipientRefused, reply))),
            };
        }
    }

    /// All that was sent is answered, and neither DATA nor BDAT was sent.
    fn go_on(&mut self) -> Progress {
        let open = self.answered < self.ends.len();
        let wanted = |s: &Standing| match s {
            Standing::Accepted => true,
            Standing::Open => open,
            _ => false,
        };
        if self.standings.iter().any(wanted) { self.next_commands() } else { self.reset() }
    }

    fn data_answered(&mut self, reply: &Reply) -> Progress {
        let anybody = self.standings.contains(&Standing::Accepted);
        match (reply.code, anybody) {
            (354, true) => {
                self.phase = Phase::Body;
                Progress::SendBody
            }
            (354, false) => {
                self.phase = Phase::Emptied;
                Progress::Send(b".\r\n".to_vec())
            }
            (400..=599, _) => {
                self.settle_accepted(reply);
                self.reset()
            }
            _ => Progress::Broken,
        }
    }

    /// RFC 3030 2: after a refusal nothing more is sent, and RSET clears what the peer has.
    fn chunk_answered(&mut self, reply: &Reply) -> Progress {
        let anybody = self.standings.contains(&Standing::Accepted);
        match reply.code {
            200..=299 if !anybody => self.reset(),
            200..=299 if self.left == 0 => self.delivered(reply),
            200..=299 => self.next_chunk(Vec::new(), CHUNK),
            300..=399 => Progress::Broken,
            421 => {
                self.settle_accepted(reply);
                Progress::Finished(Reuse::Close)
            }
            // The command itself is not known, though it is offered: whoever reads the octets as commands must be left.
            500 | 502 | 503 if anybody => {
                let misled = Standing::Misled(refusal(Reason::MessageDeferred, Reason::MessageDeferred, reply));
                self.replace(&Standing::Accepted, &misled);
                Progress::Finished(Reuse::CloseAndSayData)
            }
            _ => {
                self.settle_accepted(reply);
                self.reset()
            }
        }
    }

    fn message_answered(&mut self, reply: &Reply) -> Progress {
        match reply.code {
            200..=299 => self.delivered(reply),
            300..=399 => Progress::Broken,
            code => {
                self.settle_accepted(reply);
                Progress::Finished(if code == 421 { Reuse::Close } else { Reuse::Possible })
            }
        }
    }

    fn delivered(&mut self, reply: &Reply) -> Progress {
        self.replace(&Standing::Accepted, &Standing::Settled(Ok(reply.status())));
        Progress::Finished(Reuse::Possible)
    }

    /// 421 in answer to a command: nothing more will be answered, and everybody who is left is put off.
    fn closed(&mut self, at: usize, reply: &Reply) -> Progress {
        let reason = match at {
            0 => Reason::SenderDeferred,
            at if at <= self.standings.len() => Reason::RecipientDeferred,
            _ => Reason::MessageDeferred,
        };
        let refusal = Refusal { reason, status: Some(reply.status()) };
        match (at, self.link) {
            // The peer was about to close an idle connection; it has not looked at this message.
            (0, Link::Kept) => self.replace(&Standing::Open, &Standing::Misled(refusal)),
            _ => self.settle_all(&refusal),
        }
        Progress::Finished(Reuse::Close)
    }

    fn reset(&mut self) -> Progress {
        self.phase = Phase::Resetting;
        Progress::Send(b"RSET\r\n".to_vec())
    }

    fn settle_accepted(&mut self, reply: &Reply) {
        let refusal = refusal(Reason::MessageDeferred, Reason::MessageRefused, reply);
        self.replace(&Standing::Accepted, &Standing::Settled(Err(refusal)));
    }

    fn settle_all(&mut self, refusal: &Refusal) {
        let settled = Standing::Settled(Err(refusal.clone()));
        self.replace(&Standing::Open, &settled);
        self.replace(&Standing::Accepted, &settled);
    }

    fn replace(&mut self, known: &Standing, by: &Standing) {
        self.standings.iter_mut().filter(|s| *s == known).for_each(|s| *s = by.clone());
    }
}

fn refusal(deferred: Reason, refused: Reason, reply: &Reply) -> Refusal {
    let status = reply.status();
    let reason = if status.severity() == Severity::Permanent { refused } else { deferred };
    Refusal { reason, status: Some(status) }
}

/// RFC 5321 4.5.3.1.10: 452, and 552 from old servers, say that there are too many recipients. With an enhanced code they
/// say what it says: `552 5.2.2` is one full mailbox.
fn is_crowded(reply: &Reply) -> bool {
    matches!(reply.code, 452 | 552)
        && reply.enhanced.is_none_or(|Enhanced(_, subject, detail)| (subject, detail) == (5, 3))
}

fn crowded(reply: &Reply) -> Refusal {
    // RFC 5321 4.5.3.1.10: a 552 here is treated as the 452 that it should have been.
    let status = Status { code: 452, enhanced: reply.enhanced.map(|_| Enhanced(4, 5, 3)), ..reply.status() };
    Refusal { reason: Reason::RecipientDeferred, status: Some(status) }
}
