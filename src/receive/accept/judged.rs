//! One recipient with its direction and verdict, and how all of them are judged.

use super::super::collect::Collected;
use super::{Acceptance, Arrived};
use crate::clinical::Findings;
use crate::clock::Now;
use crate::decide::{Grounds, Transaction};
use crate::mail::{Enhanced, Envelope, Recipient, Status};
use crate::policy::{Sites, Verdict};
use crate::vocabulary::{Direction, Fate, Level, Mode};
use serde_json::Value;
use std::sync::Arc;

pub(super) struct Judged {
    pub recipient: Recipient,
    pub direction: Direction,
    pub verdict: Verdict,
    /// The site that it reaches.
    pub reaches: Option<String>,
    pub grounds: Arc<Grounds>,
}

impl Judged {
    /// Never accepted: policy is sure already.
    pub fn is_refused(&self) -> bool {
        matches!(self.verdict.fate, Fate::Reject | Fate::Refuse)
    }

    /// What the decision record says of it.
    pub fn record(&self) -> Value {
        let way = (self.direction, self.reaches.as_deref());
        self.verdict.record(&self.recipient.mailbox, way)
    }
}

impl Acceptance {
    /// Judges every recipient, those of one direction and the same sites together.
    pub(super) fn judge(
        &self,
        arrived: &Arrived<'_>,
        collected: &Collected,
        findings: &Findings,
    ) -> Result<Vec<Judged>, Status> {
        let (ways, now) = (self.ways(arrived)?, Now::read().wall);
        let mut judged: Vec<Option<Judged>> = ways.iter().map(|_| None).collect();
        for way in distinct(&ways) {
            let members: Vec<usize> = (0..ways.len()).filter(|i| ways[*i] == way).collect();
            let recipients = members.iter().map(|i| arrived.envelope.recipients[*i].clone()).collect();
            let envelope = Envelope { recipients, ..arrived.envelope.clone() };
            let transaction = Transaction {
                at: now,
                direction: way.0,
                sites: way.1,
                envelope: &envelope,
                message: collected.header(),
                size: collected.size(),
                peer: (way.0 == Direction::Inbound).then_some(arrived.level),
                can: &[],
            };
            let judgement = arrived.judge.at_accept(&transaction, findings);
            let (verdicts, grounds) = (judgement.recipients, Arc::new(judgement.grounds));
            for ((index, recipient), verdict) in members.into_iter().zip(envelope.recipients.clone()).zip(verdicts) {
                let reaches = way.1.reaches.map(str::to_owned);
                judged[index] =
                    Some(Judged { recipient, direction: way.0, verdict, reaches, grounds: grounds.clone() });
            }
        }
        Ok(judged.into_iter().flatten().collect())
    }

    /// Between sites, what a rule asks holds on both legs: the one that lies behind us too. A client cannot prove itself
    /// beyond its network here, so more than `encrypted` is not asked of it.
    pub(super) fn check_leg_in(&self, arrived: &Arrived<'_>, judged: &[Judged]) -> Result<(), Status> {
        let short = |j: &&Judged| {
            j.direction == Direction::Internal
                && j.verdict.require.min(Level::Encrypted) > arrived.level
                && !j.is_refused()
        };
        let Some(first) = judged.iter().find(short) else { return Ok(()) };
        let rule = first.verdict.deciding_rule().unwrap_or("unknown");
        let text =
            format!("This mail between sites must come over TLS; set RequireTLS on the send connector (rule {rule})");
        Err(Status::new(451, Enhanced(4, 7, 0), text))
    }

    /// Direction and sites, recipient by recipient. RCPT has asked already; the answer cannot differ.
    fn ways<'a>(&self, arrived: &'a Arrived<'_>) -> Result<Vec<(Direction, Sites<'a>)>, Status> {
        let own = arrived.door.map(|d| d.site.as_ref());
        let way = |r: &Recipient| {
            let direction = arrived.access.direction(arrived.door, &r.mailbox).map_err(|denied| denied.status)?;
            let reaches = arrived.access.routes.site_of(r.mailbox.domain()).map(AsRef::as_ref);
            Ok((direction, Sites { leaves: own, reaches }))
        };
        arrived.envelope.recipients.iter().map(way).collect()
    }

    pub(super) fn count(&self, judged: &[Judged], findings: &Findings) {
        for finding in &findings.findings {
            self.metrics.findings.with_label_values(&[finding.kind.to_string().as_str()]).inc();
        }
        for class in judged.first().into_iter().flat_map(|j| j.verdict.classes.keys()) {
            self.metrics.class_messages.with_label_values(&[class.as_str()]).inc();
        }
        for verdict in judged.iter().map(|j| &j.verdict) {
            let fate = verdict.fate_name();
            for rule in verdict.rules.iter().filter(|r| r.mode == Mode::Enforce) {
                self.metrics.policy_verdicts.with_label_values(&[&rule.name, rule.mode.name(), &fate]).inc();
            }
            for monitored in &verdict.monitored {
                let labels: [&str; 3] = [&monitored.rule, Mode::Monitor.name(), monitored.fate.name()];
                self.metrics.policy_verdicts.with_label_values(&labels).inc();
                if monitored.fate != verdict.fate {
                    self.metrics.policy_would_block.with_label_values(&[monitored.rule.as_ref()]).inc();
                }
            }
        }
    }
}

fn distinct<T: PartialEq + Copy>(all: &[T]) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(one) {
            distinct.push(*one);
        }
    }
    distinct
}
