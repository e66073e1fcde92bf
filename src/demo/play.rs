//! Sends every message of the demo and waits for what becomes of it.
//!
//! Called by `demo`. Promises: waits for conditions, never for time, and never longer than the deadline. Fails when the
//! gateway does not answer or does not come to an end.

use super::error::DemoError;
use super::facts::{self, Facts};
use super::letter;
use super::scenario::{Also, FORGED_FIELD, Origin, SCENARIOS, Scenario};
use super::sender::{self, Said, Way};
use super::world::{EXCHANGE, EXCHANGE_NAME, OUTSIDE, World};
use crate::clock::Now;
use crate::mail::Header;
use crate::smtp::Security;
use std::time::Duration;
use tokio::time::Instant;

/// For everything together.
const DEADLINE: Duration = Duration::from_secs(50);
/// Between two looks at what reached Exchange.
const PAUSE: Duration = Duration::from_millis(40);

/// One message and all that is known of it.
pub struct Played {
    pub scenario: &'static Scenario,
    pub message: Vec<u8>,
    pub said: Said,
    pub facts: Facts,
    /// The sentences of the notice that its sender got.
    pub notice: Option<Vec<String>>,
    /// Whether what `Also` asks for was seen.
    pub seen: bool,
}

impl Played {
    /// Whether all came as the scenario says.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        let expected = self.scenario.recipients;
        let fits = expected.iter().all(|e| {
            let share = self.facts.recipients.iter().find(|s| s.to == e.to);
            share.is_some_and(|s| (s.fate, s.outcome, s.reason) == (e.fate, e.outcome, e.reason))
        });
        fits && self.seen && expected.len() == self.facts.recipients.len()
    }
}

/// # Errors
/// When the gateway does not answer, or does not settle a message in time.
pub async fn all(world: &World) -> Result<Vec<Played>, DemoError> {
    let deadline = Instant::now() + DEADLINE;
    let mut sent = Vec::new();
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let message = letter::message(scenario, number + 1, Now::read().wall);
        let said = sender::send(way(world, scenario.origin), &letter::envelope(scenario)?, &message).await?;
        sent.push((scenario, message, said));
    }
    let mut played = Vec::new();
    for (scenario, message, said) in sent {
        let id =
            said.id().ok_or_else(|| DemoError(format!("no id in the answer to `{}`: {said:?}", scenario.title)))?;
        let facts = facts::settled(&world.data, id, deadline).await?;
        let notice = match scenario.also {
            Also::Notice => notice(world, &facts.id, deadline).await,
            _ => None,
        };
        let seen = match scenario.also {
            Also::Nothing => true,
            Also::Notice => notice.as_ref().is_some_and(|lines| names_all(lines, scenario)),
            Also::TextStays => !said.text_crossed,
            Also::FieldGone => arrived_without_field(world, &facts.id),
        };
        played.push(Played { scenario, message, said, facts, notice, seen });
    }
    Ok(played)
}

fn way(world: &World, origin: Origin) -> Way {
    match origin {
        Origin::Exchange => {
            Way { from: EXCHANGE, to: world.to_site_listener, hello: EXCHANGE_NAME, security: Security::Tls }
        }
        Origin::Outside(security) => {
            Way { from: OUTSIDE, to: world.to_internet_listener, hello: "outbound.provider.example", security }
        }
    }
}

/// The readable part of the notice about message `id` that reached Exchange.
async fn notice(world: &World, id: &str, deadline: Instant) -> Option<Vec<String>> {
    let reference = format!("Reference: {id} ");
    loop {
        let arrived = world.exchange.arrived();
        let about = arrived.iter().filter(|a| a.envelope.reverse_path.is_null());
        let texts = about.map(|a| String::from_utf8_lossy(&a.message).into_owned());
        if let Some(text) = texts.into_iter().find(|text| text.contains(&reference)) {
            return Some(readable(&text));
        }
        if Instant::now() >= deadline {
            return None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The first part's lines, up to the empty line that ends the list of recipients.
fn readable(notice: &str) -> Vec<String> {
    let part = notice.split("Content-Type: text/plain").nth(1).unwrap_or_default();
    let body = part.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let lines = body.lines().take_while(|line| !line.starts_with("Questions:") && !line.starts_with("Reference:"));
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn names_all(notice: &[String], scenario: &Scenario) -> bool {
    scenario.recipients.iter().all(|r| notice.iter().any(|line| line.trim_start().starts_with(r.to)))
}

/// Whether message `id` reached Exchange without the field that only an Exchange may write.
fn arrived_without_field(world: &World, id: &str) -> bool {
    let arrived = world.exchange.arrived();
    let ours = arrived.iter().find(|a| memchr::memmem::find(&a.message, id.as_bytes()).is_some());
    ours.is_some_and(|a| Header::of(&a.message).first(FORGED_FIELD).is_none())
}
