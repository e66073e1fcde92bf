//! The message itself: after DATA up to its dot, or chunk by chunk after BDAT (RFC 3030).
//!
//! Called by `server`. Promises: no octet of a message, or of a chunk that was refused, is ever taken for a command; a chunk
//! is never held whole; what is handed over is clean. Fails by a reply once all announced octets have come, and by
//! refusing the chunks behind one that was refused.

use super::{Action, Complete, Next, Session, State, Step, Transaction, replies};
use crate::smtp::command::Marker;
use crate::smtp::data::chunks::Chunks;
use crate::smtp::data::{Decoder, End};
use crate::smtp::reply::Reply;

/// A message that comes in chunks, with the chunk that is being received.
#[derive(Debug)]
pub(super) struct Chunked {
    open: Transaction,
    content: Chunks,
    /// Octets of the chunk.
    size: u64,
    /// Those that have not come yet.
    left: u64,
    marker: Marker,
}

/// A refused chunk.
#[derive(Debug)]
pub(super) struct Skip {
    /// Octets that have not come yet.
    left: u64,
    reply: Reply,
    then: State,
}

impl Session {
    pub(super) fn collect(
        self,
        open: Box<Transaction>,
        mut decoder: Decoder,
        input: &[u8],
        body: &mut Vec<u8>,
    ) -> Step {
        let progress = decoder.feed(input, body);
        let (session, action) = match progress.end {
            None => (Session { state: State::Collecting(open, decoder), ..self }, Action::Body),
            Some(End::Complete) => {
                let complete = Complete { envelope: open.into_envelope(), normalised: 0 };
                (Session { state: State::MessageAsked, ..self }, Action::AskMessage(complete))
            }
            Some(fault) => {
                let reply = self.unfit(fault, decoder.octets());
                (self, Action::Discard(reply))
            }
        };
        Step { session, consumed: progress.consumed, action }
    }

    /// RFC 3030 2. Refusals are no errors of the client's: it may have pipelined many chunks before it heard the first.
    pub(super) fn bdat(self, octets: u64, marker: Marker) -> Next {
        let refusal = match &self.state {
            State::Open(_) | State::BetweenChunks(_) if marker == Marker::Unknown => Some(replies::CHUNK_FORM),
            State::Open(open) if !open.recipients.is_empty() => self.too_large(0, octets),
            // RFC 5321 3.3: nobody is left to send it to.
            State::Open(open) if open.refused > 0 => Some(replies::NO_VALID_RECIPIENTS),
            State::Open(_) => Some(replies::RCPT_FIRST),
            State::BetweenChunks(chunked) => self.too_large(chunked.content.octets(), octets),
            State::ChunksRefused(reply) => Some((**reply).clone()),
            _ => Some(replies::MAIL_FIRST),
        };
        match (refusal, self.state) {
            (None, State::Open(open)) => {
                let content = Chunks::new(self.settings.max_message, self.settings.bare_line_endings);
                let chunked = Chunked { open: *open, content, size: octets, left: octets, marker };
                (Session { state: State::Chunk(Box::new(chunked)), ..self }, Action::Collect(None))
            }
            (None, State::BetweenChunks(mut chunked)) => {
                (chunked.size, chunked.left, chunked.marker) = (octets, octets, marker);
                (Session { state: State::Chunk(chunked), ..self }, Action::Again)
            }
            (refusal, state) => {
                let reply = refusal.unwrap_or(replies::MAIL_FIRST);
                let then = after_refusal(state, marker, &reply);
                let skip = Skip { left: octets, reply, then };
                (Session { state: State::Skipping(Box::new(skip)), ..self }, Action::Again)
            }
        }
    }

    /// A chunk that is known to be too much before it comes.
    fn too_large(&self, before: u64, octets: u64) -> Option<Reply> {
        let (whole, limit) = (before.saturating_add(octets), self.settings.max_message);
        (whole > limit).then(|| replies::too_large(whole, limit))
    }

    fn unfit(&self, fault: End, octets: u64) -> Reply {
        match fault {
            End::TooLarge => replies::too_large(octets, self.settings.max_message),
            End::BareLineEnding | End::Complete => replies::BARE_LINE_ENDING,
        }
    }

    pub(super) fn take_chunk(self, mut chunked: Box<Chunked>, input: &[u8], body: &mut Vec<u8>) -> Step {
        let (here, left) = share(input, chunked.left);
        chunked.content.feed(here, body);
        chunked.left = left;
        let (session, action) = match left {
            0 => self.end_chunk(chunked, body),
            _ => (Session { state: State::Chunk(chunked), ..self }, more(here)),
        };
        Step { session, consumed: here.len(), action }
    }

    fn end_chunk(mut self, mut chunked: Box<Chunked>, body: &mut Vec<u8>) -> Next {
        if chunked.size > 0 {
            // Like recipients that are taken: what brings a message on is no idle command.
            self.commands = self.commands.saturating_sub(1);
        }
        let end = match chunked.marker {
            Marker::Last => chunked.content.finish(body),
            Marker::More | Marker::Unknown => match chunked.content.fault() {
                Some(fault) => fault,
                None => {
                    let reply = replies::chunk_taken(chunked.size);
                    return (Session { state: State::BetweenChunks(chunked), ..self }, Action::Chunk(reply));
                }
            },
        };
        if end == End::Complete {
            let complete =
                Complete { normalised: chunked.content.normalised(), envelope: chunked.open.into_envelope() };
            return (Session { state: State::MessageAsked, ..self }, Action::AskMessage(complete));
        }
        let (reply, marker) = (self.unfit(end, chunked.content.octets()), chunked.marker);
        let state = after_refusal(State::BetweenChunks(chunked), marker, &reply);
        (Session { state, ..self }, Action::Discard(reply))
    }

    /// RFC 3030 2: the octets of a refused chunk are taken in and thrown away before it is answered.
    pub(super) fn skip_chunk(self, mut skip: Box<Skip>, input: &[u8]) -> Step {
        let (here, left) = share(input, skip.left);
        skip.left = left;
        let (session, action) = match left {
            0 => (Session { state: skip.then, ..self }, Action::Discard(skip.reply)),
            _ => (Session { state: State::Skipping(skip), ..self }, more(here)),
        };
        Step { session, consumed: here.len(), action }
    }
}

/// The part of `input` that belongs to a chunk, and what is left of the chunk then.
fn share(input: &[u8], left: u64) -> (&[u8], u64) {
    let here = usize::try_from(left).map_or(input, |left| &input[..left.min(input.len())]);
    (here, left - here.len() as u64)
}

fn more(here: &[u8]) -> Action {
    if here.is_empty() { Action::Need } else { Action::Body }
}

/// A refused chunk ends its transaction; until the last one the others of the same message are refused alike.
fn after_refusal(state: State, marker: Marker, reply: &Reply) -> State {
    match (state, marker) {
        (State::SenderRefused, Marker::More | Marker::Unknown) => State::SenderRefused,
        (State::Open(_) | State::BetweenChunks(_) | State::ChunksRefused(_), Marker::More | Marker::Unknown) => {
            State::ChunksRefused(Box::new(reply.clone()))
        }
        _ => State::Idle,
    }
}
