//! What the small internet saw: every octet that reached it outside TLS, searched for what must not be there.
//!
//! Called by `demo`. Promises: looks for the very lines that were sent, in the encoding in which they were sent, and for
//! the numbers themselves; a search that would find nothing anywhere is noticed, for it must find the ordinary mail that
//! did cross in clear text. Fails never.

use super::play::Played;
use super::world::{VILLAGE, World};
use memchr::memmem;

/// The NHS numbers of the demo, as people write them. The first is the published example, the others are test numbers.
const NUMBERS: [&str; 6] = ["943 476 5919", "943-476-5919", "9434765919", "401 023 2137", "401-023-2137", "4010232137"];
/// Shorter lines say nothing and could stand anywhere.
const LINE: usize = 16;

/// Lines that begin so are MIME's, and the same in every message.
const STRUCTURE: [&str; 5] = ["--", "Content-", "MIME-Version:", "From:", "Subject:"];

/// What was seen.
#[derive(Debug)]
pub struct Testimony {
    /// Octets that reached servers outside TLS.
    pub octets: usize,
    /// Lines and numbers that were looked for.
    pub looked_for: usize,
    /// Hosts that saw one of them.
    pub leaks: Vec<String>,
    /// The ordinary mail that crossed in clear text was found where it went: the search works.
    pub search_works: bool,
}

impl Testimony {
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.leaks.is_empty() && self.search_works
    }
}

#[must_use]
pub fn hear(world: &World, played: &[Played]) -> Testimony {
    let in_class = |p: &&Played| p.facts.recipients.iter().any(|r| !r.classes.is_empty());
    let lines = |p: &Played| lines_of(&p.message);
    let mut needles: Vec<String> = played.iter().filter(in_class).flat_map(lines).collect();
    needles.extend(NUMBERS.map(str::to_owned));
    let peers = || world.internet.iter().map(|(_, peer)| peer).chain([&world.exchange]);
    let saw = |clear: &[u8], needle: &String| memmem::find(clear, needle.as_bytes()).is_some();
    let leaks = peers().filter(|peer| needles.iter().any(|n| saw(&peer.clear(), n))).map(|peer| peer.host.clone());
    let village = world.internet.iter().find(|(domain, _)| *domain == VILLAGE).map(|(_, peer)| peer.clear());
    let ordinary = played.iter().filter(|p| !in_class(p)).filter(|p| p.scenario.recipients[0].to.ends_with(VILLAGE));
    let mut ordinary = ordinary.flat_map(lines).peekable();
    let search_works =
        ordinary.peek().is_some() && ordinary.all(|line| village.as_ref().is_some_and(|clear| saw(clear, &line)));
    Testimony {
        octets: peers().map(|peer| peer.clear().len()).sum(),
        looked_for: needles.len(),
        leaks: leaks.collect(),
        search_works,
    }
}

/// The lines of a message's body that carry content, as they go over the wire.
fn lines_of(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let structure = |line: &str| STRUCTURE.iter().any(|begin| line.starts_with(begin));
    body.lines().filter(|line| line.len() >= LINE && !structure(line)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::letter;
    use super::super::scenario::{Content, SCENARIOS};
    use super::*;
    use crate::clock::Wall;

    fn encoded(content: &Content) -> bool {
        matches!(content, Content::Table(..) | Content::Forwarded(..) | Content::Unreadable(_))
    }

    #[test]
    fn every_message_has_lines_that_would_be_recognised_on_the_wire() {
        for scenario in SCENARIOS {
            let lines = lines_of(&letter::message(scenario, 1, Wall(1_795_348_471_000)));
            assert!(!lines.is_empty(), "{}", scenario.title);
            assert!(!lines.iter().any(|line| line.contains("boundary") || line.contains('@')), "{lines:?}");
            let base64 = |line: &String| line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
            assert_eq!(lines.iter().any(base64), encoded(&scenario.content), "{lines:?}");
        }
    }
}
