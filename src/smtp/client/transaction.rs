//! One transaction: MAIL, RCPT and DATA in one write where the peer pipelines, step by step where not.
//!
//! Called by `client` only. Promises: replies are matched with commands in order; at most a window of commands is
//! unanswered, so that neither side blocks on a full buffer; each recipient is settled once. Fails by `Broken`, when a
//! reply cannot belong to its command.

use super::{Offer, Outcome, Refusal, Reuse};
use crate::mail::{Body, Envelope, Recipient, Ret, Severity, Status};
use crate::smtp::reply::Reply;
use crate::vocabulary::Reason;

/// Commands in one write (RFC 2920 3.1: what is unanswered has to fit the peer's window).
const WINDOW: usize = 100;

/// What the transaction wants after a reply.
pub(super) enum Progress {
    More,
    Send(Vec<u8>),
    SendBody,
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
    /// 354 came though no recipient is left: an empty message was ended at once (RFC 2920 3.1).
    Emptied,
    Resetting,
    /// A reply was broken: nothing that the peer still says counts.
    Broken,
}

/// What is known of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Open,
    Accepted,
    Settled(Result<Status, Refusal>),
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
}

impl Transaction {
    pub(super) fn new(envelope: &Envelope, size: u64, offer: &Offer) -> Transaction {
        let mut commands = mail_command(envelope, size, offer).into_bytes();
        let mut ends = vec![commands.len()];
        for recipient in &envelope.recipients {
            commands.extend_from_slice(rcpt_command(recipient, offer).as_bytes());
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
        }
    }

    /// The next commands; DATA is the last.
    pub(super) fn next_commands(&mut self) -> Vec<u8> {
        let until = (self.sent + self.window).min(self.ends.len());
        let from = self.sent.checked_sub(1).map_or(0, |last| self.ends[last]);
        let mut bytes = self.commands[from..self.ends[until - 1]].to_vec();
        let all = until == self.ends.len();
        let data = all && (self.window > 1 || self.sent == until);
        if data {
            bytes.extend_from_slice(b"DATA\r\n");
        }
        self.sent = until + usize::from(data);
        bytes
    }

    pub(super) fn hear(&mut self, reply: &Reply) -> Progress {
        match self.phase {
            Phase::Commands => self.command_answered(reply),
            Phase::Body if reply.code < 400 => Progress::Broken,
            // The peer gave up in the middle: the rest of the message is lost on it.
            Phase::Body => {
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
        if self.phase == Phase::Body {
            self.phase = Phase::Final;
        }
    }

    pub(super) fn break_off(&mut self) {
        self.phase = Phase::Broken;
    }

    /// One outcome for each recipient; `unknown` for those that were never settled.
    pub(super) fn into_outcomes(self, unknown: &Refusal) -> Vec<Outcome> {
        let result = |standing| match standing {
            Standing::Settled(result) => result,
            Standing::Open | Standing::Accepted => Err(unknown.clone()),
        };
        let numbered = self.standings.into_iter().enumerate();
        numbered.map(|(recipient, standing)| Outcome { recipient, result: result(standing) }).collect()
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
                _ => Standing::Settled(Err(refusal(Reason::RecipientDeferred, Reason::RecipientRefused, reply))),
            };
        }
    }

    /// All that was sent is answered, and DATA was not sent.
    fn go_on(&mut self) -> Progress {
        let anybody = self.standings.iter().any(|s| !matches!(s, Standing::Settled(_)));
        if anybody { Progress::Send(self.next_commands()) } else { self.reset() }
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

    fn message_answered(&mut self, reply: &Reply) -> Progress {
        match reply.code {
            200..=299 => {
                let status = reply.status();
                self.settle_where(&Standing::Accepted, &Ok(status));
                Progress::Finished(Reuse::Possible)
            }
            300..=399 => Progress::Broken,
            code => {
                self.settle_accepted(reply);
                Progress::Finished(if code == 421 { Reuse::Close } else { Reuse::Possible })
            }
        }
    }

    /// 421 in answer to a command: nothing more will be answered, and everybody who is left is put off.
    fn closed(&mut self, at: usize, reply: &Reply) -> Progress {
        let reason = match at {
            0 => Reason::SenderDeferred,
            at if at <= self.standings.len() => Reason::RecipientDeferred,
            _ => Reason::MessageDeferred,
        };
        self.settle_all(&Refusal { reason, status: Some(reply.status()) });
        Progress::Finished(Reuse::Close)
    }

    fn reset(&mut self) -> Progress {
        self.phase = Phase::Resetting;
        Progress::Send(b"RSET\r\n".to_vec())
    }

    fn settle_accepted(&mut self, reply: &Reply) {
        let refusal = refusal(Reason::MessageDeferred, Reason::MessageRefused, reply);
        self.settle_where(&Standing::Accepted, &Err(refusal));
    }

    fn settle_all(&mut self, refusal: &Refusal) {
        self.settle_where(&Standing::Open, &Err(refusal.clone()));
        self.settle_where(&Standing::Accepted, &Err(refusal.clone()));
    }

    fn settle_where(&mut self, standing: &Standing, result: &Result<Status, Refusal>) {
        for known in self.standings.iter_mut().filter(|s| *s == standing) {
            *known = Standing::Settled(result.clone());
        }
    }
}

fn refusal(deferred: Reason, refused: Reason, reply: &Reply) -> Refusal {
    let status = reply.status();
    let reason = if status.severity() == Severity::Permanent { refused } else { deferred };
    Refusal { reason, status: Some(status) }
}

fn mail_command(envelope: &Envelope, size: u64, offer: &Offer) -> String {
    let mut line = format!("MAIL FROM:<{}>", envelope.reverse_path);
    if offer.size_known {
        line.push_str(&format!(" SIZE={size}"));
    }
    if envelope.body == Body::EightBitMime {
        line.push_str(" BODY=8BITMIME");
    }
    let international = |r: &Recipient| r.mailbox.is_international();
    let sender_international = envelope.reverse_path.mailbox().is_some_and(|m| m.is_international());
    if envelope.smtputf8 || sender_international || envelope.recipients.iter().any(international) {
        line.push_str(" SMTPUTF8");
    }
    if offer.dsn {
        match envelope.ret {
            Some(Ret::Full) => line.push_str(" RET=FULL"),
            Some(Ret::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        push_graphic(&mut line, "ENVID", envelope.envid.as_deref());
    }
    line.push_str("\r\n");
    line
}

fn rcpt_command(recipient: &Recipient, offer: &Offer) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.mailbox);
    if offer.dsn {
        if let Some(notify) = recipient.notify {
            line.push_str(&format!(" NOTIFY={}", notify.as_parameter()));
        }
        push_graphic(&mut line, "ORCPT", recipient.orcpt.as_deref());
    }
    line.push_str("\r\n");
    line
}

/// A value with a blank or a line end in it would be a command of its own: it is left out.
fn push_graphic(line: &mut String, keyword: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_graphic())) {
        line.push_str(&format!(" {keyword}={value}"));
    }
}
