//! What is read back from the queue: damage is an error or asks for more protection, never for less.

use mailward::clock::EntryId;
use mailward::policy::Requirement;
use mailward::queue::Progress;
use mailward::queue::entry::{self, Entry};
use mailward::vocabulary::Level;
use serde_json::Value;

/// An entry's head, as any octets.
pub fn entry(bytes: &[u8]) {
    let json = bytes.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let id = serde_json::from_slice::<Value>(json).ok();
    let id = id.as_ref().and_then(|v| v["id"].as_str()).and_then(|id| id.parse().ok());
    let Ok(read) = entry::parse(id.unwrap_or(EntryId::from_row(1)), bytes) else { return };
    assert_eq!(read.destined.len(), read.envelope.recipients.len());
    for recipient in 0..=read.destined.len().min(100) as u16 {
        let stored = asked(json, recipient).unwrap_or_else(Requirement::unreadable);
        assert_eq!(read.requirement(recipient), stored, "what is readable counts as it is, all else as sealed");
        let _ = read.direction(recipient);
    }
    assert_eq!(entry::parse(read.id, &read.head()).unwrap(), read);
}

/// What the octets say, read as nothing but JSON.
fn asked(bytes: &[u8], recipient: u16) -> Option<Requirement> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let index = json["destined"].get(usize::from(recipient))?["requirement"].as_u64()?;
    serde_json::from_value(json["requirements"].get(usize::try_from(index).ok()?)?.clone()).ok()
}

/// What is kept of a recipient that waits.
pub fn progress(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<Progress>(bytes) else { return };
    let again = serde_json::to_vec(&read).unwrap();
    assert_eq!(serde_json::from_slice::<Progress>(&again).unwrap(), read);
}

/// Whether `damaged` asks for at least what `whole` does, for each recipient of `whole`, or cannot be read.
pub fn protects_as_much(whole: &Entry, damaged: &[u8]) -> bool {
    let Ok(read) = entry::parse(whole.id, damaged) else { return true };
    let level = |entry: &Entry, recipient| -> Level { entry.requirement(recipient).level };
    (0..whole.destined.len() as u16).all(|recipient| level(&read, recipient) >= level(whole, recipient))
}
