//! An entry: one message in the queue with its envelope and what must hold for each recipient. Written once.
//!
//! Made by `receive` and by `deliver` (notices); read back by `recover` and for cold attempts. Promises: the stored form is
//! versioned; a digest stands behind it, and a requirement that cannot be read counts as `sealed`, so damage never lowers
//! protection.

use super::instruction::{self, Instruction};
use super::lane::{Lane, Routes};
use super::states::State;
use crate::clock::{EntryId, Wall};
use crate::mail::Envelope;
use crate::policy::requirement::Requirement;
use crate::store::{Change, StoreError, Value, digest_as, digest_read};
use crate::vocabulary::{Direction, Level, Reason};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Deserializer, Serialize};
use std::path::PathBuf;

/// The stored form's version: 2 has another digest of the message, which nobody who does not know it may take for damage.
const VERSION: u8 = 2;
/// Of an entry with REQUIRETLS, which a gateway that does not know it must not send on as if nothing had been asked.
const NEWEST: u8 = 3;

/// How one recipient travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destined {
    pub direction: Direction,
    /// Which of the entry's requirements holds for it.
    pub requirement: u16,
}

/// One message in the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub version: u8,
    pub id: EntryId,
    pub accepted: Wall,
    pub site: Option<String>,
    pub session: String,
    pub envelope: Envelope,
    /// Recipient by recipient, as in the envelope.
    pub destined: Vec<Destined>,
    #[serde(deserialize_with = "readable_or_sealed")]
    pub requirements: Vec<Requirement>,
    /// Octets of the message without `received`.
    pub size: u64,
    /// The Received field that goes in front.
    pub received: String,
    pub message_id: Option<String>,
    /// The body is a file, not a row.
    pub large: bool,
    /// Of the message without `received`; none in entries of earlier versions.
    #[serde(default)]
    pub digest: Option<String>,
    /// Made by this gateway: never bounced, never announced.
    pub notice: bool,
    /// What people asked for recipients: kept beside the entry, read back with it.
    #[serde(skip)]
    pub instructions: Vec<(u16, Instruction)>,
}

fn readable_or_sealed<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Requirement>, D::Error> {
    let stored = Vec::<serde_json::Value>::deserialize(d)?;
    Ok(stored
        .into_iter()
        .map(|value| serde_json::from_value(value).unwrap_or_else(|_| Requirement::unreadable()))
        .collect())
}

impl Entry {
    /// The least version of the gateway's stored form that keeps all that is asked: what an older gateway can keep, it can read.
    #[must_use]
    pub fn version(envelope: &Envelope) -> u8 {
        if envelope.require_tls { NEWEST } else { VERSION }
    }

    /// What must hold for recipient number `recipient`; sealed where the entry does not say.
    #[must_use]
    pub fn requirement(&self, recipient: u16) -> Requirement {
        let index = self.destined.get(usize::from(recipient)).map(|d| usize::from(d.requirement));
        index.and_then(|i| self.requirements.get(i)).cloned().unwrap_or_else(Requirement::unreadable)
    }

    #[must_use]
    pub fn direction(&self, recipient: u16) -> Direction {
        self.destined.get(usize::from(recipient)).map_or(Direction::Outbound, |d| d.direction)
    }

    /// What a person asked for recipient number `recipient`.
    #[must_use]
    pub fn instruction(&self, recipient: u16) -> Option<&Instruction> {
        self.instructions.iter().find(|(r, _)| *r == recipient).map(|(_, instruction)| instruction)
    }

    /// The lane of a recipient for which `level` must hold; none: there is no such recipient. Where gateway.toml has its site or relay no
    /// more, it waits for a person.
    #[must_use]
    pub fn lane(&self, recipient: u16, level: Level, routes: &Routes) -> Option<Lane> {
        let domain = self.envelope.recipients.get(usize::from(recipient))?.mailbox.domain();
        let direction = self.direction(recipient);
        let usual = |level| routes.lane(domain, self.site.as_deref(), (direction, level));
        // Judged as mail for a site of ours: nobody has asked what must hold in the world.
        let is_stray = direction != Direction::Outbound && routes.site_of(domain).is_none();
        let level = if is_stray { level.max(Level::Verified) } else { level };
        let lane = match self.instruction(recipient) {
            Some(instruction) if instruction.stop.is_some() => Lane::operator(),
            Some(Instruction { route: Some(route), lowered_from, .. }) => {
                let level = if lowered_from.is_some() { Level::Any } else { level };
                routes.rerouted(usual(level), route.destination(domain), (direction, level))
            }
            _ if is_stray => Lane::operator(),
            Some(Instruction { lowered_from: Some(_), .. }) => usual(Level::Any),
            _ => usual(level),
        };
        let lane = if routes.has(&lane.destination) { lane } else { Lane::operator() };
        Some(lane.of(&self.envelope))
    }

    /// Whether any recipient's message is in a class: then no notice shows more than the allow-list.
    #[must_use]
    pub fn is_in_class(&self) -> bool {
        self.requirements.iter().any(|r| !r.classes.is_empty())
    }

    /// The stored form: JSON, and on a second line its digest. One turned bit could make `"requirement":1` a `0`.
    #[must_use]
    pub fn head(&self) -> Bytes {
        let json = crate::record::as_json(self);
        [&json, &b"\n"[..], digest(&json).as_bytes()].concat().into()
    }

    /// The changes that keep this entry. A large body is a file already.
    #[must_use]
    pub fn admitted(&self, body: Option<Bytes>) -> Vec<Change> {
        let id = Value::Int(self.id.row());
        let recipients = i64::try_from(self.envelope.recipients.len()).unwrap_or(i64::MAX);
        let head = Change::new(
            "INSERT INTO entry (id, head, recipients) VALUES (?1, ?2, ?3)",
            vec![id, Value::Blob(self.head()), Value::Int(recipients)],
        );
        let body = body.map(|bytes| {
            let values = vec![Value::Int(self.id.row()), Value::Blob(bytes)];
            Change::new("INSERT INTO body (id, bytes) VALUES (?1, ?2)", values)
        });
        std::iter::once(head).chain(body).collect()
    }

    /// Whether `message` is what was accepted.
    #[must_use]
    pub fn is(&self, message: &[u8]) -> bool {
        let same = |known: &str| digest_as(known, message) == known;
        self.size == message.len() as u64 && self.digest.as_deref().is_none_or(same)
    }

    /// The same of what can be read from `message`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_in(&self, message: impl std::io::Read) -> std::io::Result<bool> {
        let known = self.digest.as_deref();
        let (digest, size) = digest_read(known.unwrap_or_default(), message)?;
        Ok(self.size == size && known.is_none_or(|known| known == digest))
    }

    /// The changes after which the recipients of one attempt are final. The last of an entry's recipients takes the entry
    /// and its body with it.
    #[must_use]
    pub fn finished(&self, recipients: &[u16], file: Option<PathBuf>) -> Vec<Change> {
        let id = || Value::Int(self.id.row());
        if recipients.len() == self.envelope.recipients.len() {
            return vec![
                Change::new("DELETE FROM entry WHERE id = ?1", vec![id()]).then_unlink(file),
                Change::new("DELETE FROM body WHERE id = ?1", vec![id()]),
                Change::new("DELETE FROM progress WHERE entry = ?1", vec![id()]),
                instruction::forgotten(self.id),
            ];
        }
        let mut changes: Vec<Change> = recipients.iter().map(|r| Progress::Final.kept(self.id, *r)).collect();
        let all = i64::try_from(self.envelope.recipients.len()).unwrap_or(i64::MAX);
        changes.extend([
            Change::new(
                "DELETE FROM entry WHERE id = ?1 AND (SELECT count(*) FROM progress WHERE entry = ?1 AND final = 1) >= ?2",
                vec![id(), Value::Int(all)],
            )
            .then_unlink(file),
            Change::new("DELETE FROM body WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE id = ?1)", vec![id()]),
            Change::new("DELETE FROM progress WHERE entry = ?1 AND NOT EXISTS (SELECT 1 FROM entry WHERE id = ?1)", vec![id()]),
            instruction::forgotten(self.id),
        ]);
        changes
    }
}

/// What has happened to a recipient that is still in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    Waiting {
        attempts: u32,
        held: bool,
        /// The sender was told that it waits.
        told: bool,
        next_attempt: Wall,
        reason: Reason,
        status: Option<crate::mail::Status>,
        host: Option<String>,
        /// Names in the host's certificate, where its own is not among them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        names: Vec<String>,
    },
    Final,
}

impl Progress {
    /// The change that keeps it. Rides: after a crash the entry is merely tried earlier.
    #[must_use]
    pub fn kept(&self, id: EntryId, recipient: u16) -> Change {
        self.filed(id, recipient, (Value::Null, Value::Null))
    }

    /// The same with its lane, by which it is found when there is more mail than memory, and its class for the gauges.
    #[must_use]
    pub fn kept_in(&self, id: EntryId, recipient: u16, lane: &Lane, class: Option<&str>) -> Change {
        let class = class.map_or(Value::Null, |class| Value::Text(class.to_owned()));
        self.filed(id, recipient, (Value::Text(lane.to_string()), class))
    }

    fn filed(&self, id: EntryId, recipient: u16, (lane, class): (Value, Value)) -> Change {
        let due = self.due().map_or(Value::Null, |due| Value::Int(due.0));
        let state = self.state().map_or(Value::Null, |state| Value::Text(state.name().to_owned()));
        Change::new(
            "INSERT OR REPLACE INTO progress (entry, recipient, final, record, due, lane, state, class) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            vec![
                Value::Int(id.row()),
                Value::Int(i64::from(recipient)),
                Value::Int(i64::from(*self == Progress::Final)),
                Value::Blob(crate::record::as_json(self)),
                due,
                lane,
                state,
                class,
            ],
        )
    }

    /// The change that puts it in the place of what is known of a recipient that still waits; none once it is final or gone.
    #[must_use]
    pub fn rewritten(&self, id: EntryId, recipient: u16) -> Change {
        Change::new(
            "UPDATE progress SET record = ?3, due = ?4, state = ?5 WHERE entry = ?1 AND recipient = ?2 AND final = 0",
            vec![
                Value::Int(id.row()),
                Value::Int(i64::from(recipient)),
                Value::Blob(crate::record::as_json(self)),
                self.due().map_or(Value::Null, |due| Value::Int(due.0)),
                self.state().map_or(Value::Null, |state| Value::Text(state.name().to_owned())),
            ],
        )
    }

    /// Of a recipient that was never tried and has to wait outside memory.
    #[must_use]
    pub fn unattempted(next_attempt: Wall) -> Progress {
        let reason = Reason::Waiting;
        let (status, host, names) = (None, None, Vec::new());
        Progress::Waiting { attempts: 0, held: false, told: false, next_attempt, reason, status, host, names }
    }

    /// When it is tried again; the column of that name, which counts where the record says something else.
    #[must_use]
    pub fn due(&self) -> Option<Wall> {
        match self {
            Progress::Waiting { next_attempt, .. } => Some(*next_attempt),
            Progress::Final => None,
        }
    }

    /// None: it waits for nothing more. What was never tried is active, though it had to leave memory.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        match self {
            Progress::Waiting { held: true, .. } => Some(State::Held),
            Progress::Waiting { attempts: 0, .. } => Some(State::Active),
            Progress::Waiting { .. } => Some(State::Deferred),
            Progress::Final => None,
        }
    }
}

/// Reads an entry back, with what people asked for it. None: it has left. An entry that cannot be read is an error with its id.
///
/// # Errors
/// When the database cannot be read, or the row is damaged.
pub fn read(connection: &Connection, id: EntryId) -> Result<Option<Entry>, StoreError> {
    let Some(head) = read_head(connection, id)? else { return Ok(None) };
    with_instructions(connection, parse(id, &head)?).map(Some)
}

/// The same entry with what people asked for it.
///
/// # Errors
/// When the database cannot be read.
pub fn with_instructions(connection: &Connection, entry: Entry) -> Result<Entry, StoreError> {
    Ok(Entry { instructions: instruction::read(connection, entry.id)?, ..entry })
}

/// An entry as it is stored.
///
/// # Errors
/// When the database cannot be read.
pub fn read_head(connection: &Connection, id: EntryId) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT head FROM entry WHERE id = ?1")?;
    Ok(statement.query_row([id.row()], |row| row.get(0)).optional()?)
}

/// # Errors
/// When `head` is no entry of a version that is known.
pub fn parse(id: EntryId, head: &[u8]) -> Result<Entry, StoreError> {
    let json = undamaged(head).ok_or_else(|| StoreError::Io(format!("entry {id} is damaged: its digest differs")))?;
    let entry: Entry = serde_json::from_slice(json)
        .map_err(|e| StoreError::Io(format!("entry {id} is damaged or from a newer version: {e}")))?;
    let whole = entry.version <= NEWEST && entry.id == id && entry.destined.len() == entry.envelope.recipients.len();
    if whole { Ok(entry) } else { Err(StoreError::Io(format!("entry {id} is damaged or from a newer version"))) }
}

/// The change after which a recipient that waits is looked at now. `Backlog::expect` has to hear of it.
#[must_use]
pub fn looked_at(id: EntryId, recipient: u16, now: Wall) -> Change {
    Change::new(
        "UPDATE progress SET due = ?3 WHERE entry = ?1 AND recipient = ?2 AND due > ?3",
        vec![Value::Int(id.row()), Value::Int(i64::from(recipient)), Value::Int(now.0)],
    )
}

/// The change that brings forward what of an entry waits: all of it, or what goes to `domain` (through whatever site or
/// relay). Where rows are brought forward, `Backlog::expect` has to hear of it.
#[must_use]
pub fn brought_forward(id: EntryId, domain: Option<&str>, now: Wall) -> Change {
    let lane = domain.map_or(Value::Null, |domain| Value::Text(format!("{domain}/")));
    Change::new(
        "UPDATE progress SET due = ?2 WHERE entry = ?1 AND due > ?2 \
         AND (?3 IS NULL OR lane IS NULL OR instr(lane, ?3) = 1 OR lane GLOB 'site:*' OR lane GLOB 'relay:*')",
        vec![Value::Int(id.row()), Value::Int(now.0), lane],
    )
}

/// The JSON of a head, which has no line end of its own. Heads of the first release have no digest.
fn undamaged(head: &[u8]) -> Option<&[u8]> {
    match memchr::memrchr(b'\n', head) {
        None => Some(head),
        Some(at) => (digest(&head[..at]).as_bytes() == &head[at + 1..]).then_some(&head[..at]),
    }
}

/// Enough of SHA-256 to see damage; it keeps nobody out who can write to the database.
fn digest(json: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, json);
    digest.as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect()
}

/// Reads a small body back.
///
/// # Errors
/// When the database cannot be read.
pub fn read_body(connection: &Connection, id: EntryId) -> Result<Option<Bytes>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM body WHERE id = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([id.row()], |row| row.get(0)).optional()?;
    Ok(bytes.map(Bytes::from))
}

/// What is known of an entry's recipients; those without a row are new.
///
/// # Errors
/// When the database cannot be read.
pub fn read_progress(connection: &Connection, id: EntryId) -> Result<Vec<(u16, Progress)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT recipient, final, record, due FROM progress WHERE entry = ?1")?;
    let rows = statement.query_map([id.row()], |row| {
        let progress = readable(row.get(1)?, &row.get::<_, Vec<u8>>(2)?, row.get(3)?);
        Ok((row.get::<_, u16>(0)?, progress))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A damaged record of a waiting recipient only means that it is tried as if it were new.
fn readable(is_final: bool, record: &[u8], due: Option<i64>) -> Progress {
    let known = serde_json::from_slice(record).ok().filter(|p| is_final == (*p == Progress::Final));
    match known {
        Some(Progress::Waiting { attempts, held, told, next_attempt, reason, status, host, names }) => {
            let next_attempt = due.map_or(next_attempt, Wall);
            Progress::Waiting { attempts, held, told, next_attempt, reason, status, host, names }
        }
        Some(Progress::Final) => Progress::Final,
        None if is_final => Progress::Final,
        None => Progress::unattempted(Wall(due.unwrap_or(0))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::mail::{Recipient, ReversePath};
    use crate::store::Opened;
    use crate::vocabulary::Level;

    pub(crate) fn entry(id: i64, recipients: &[&str]) -> Entry {
        Entry {
            version: VERSION,
            id: EntryId::from_row(id),
            accepted: Wall(1_000),
            site: Some("kingston".into()),
            session: "s1".into(),
            envelope: Envelope {
                reverse_path: ReversePath::Null,
                recipients: recipients.iter().map(|r| Recipient::new(r.parse().unwrap())).collect(),
                body: Default::default(),
                smtputf8: false,
                ret: None,
                envid: None,
                require_tls: false,
            },
            destined: recipients.iter().map(|_| Destined { direction: Direction::Outbound, requirement: 0 }).collect(),
            requirements: vec![Requirement { level: Level::Verified, ..Requirement::unreadable() }],
            size: 4,
            received: "Received: x\r\n".into(),
            message_id: None,
            large: false,
            digest: None,
            notice: false,
            instructions: Vec::new(),
        }
    }

    #[test]
    fn a_turned_bit_is_seen_before_anything_is_believed() {
        let head = entry(1, &["a@b.example"]).head();
        assert!(parse(EntryId::from_row(1), &head).is_ok());
        for at in 0..head.len() {
            let mut damaged = head.to_vec();
            damaged[at] ^= 1;
            let error = parse(EntryId::from_row(1), &damaged).unwrap_err().to_string();
            assert!(error.contains("1 is damaged"), "octet {at}: {error}");
        }
    }

    fn rows(opened: &Opened, table: &str) -> i64 {
        opened.reader().unwrap().query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
    }

    #[test]
    fn a_requirement_that_cannot_be_read_counts_as_sealed() {
        let mut json = serde_json::to_value(entry(1, &["a@b.example"])).unwrap();
        json["requirements"][0]["level"] = "lowest".into();
        let read = parse(EntryId::from_row(1), json.to_string().as_bytes()).unwrap();
        assert_eq!(read.requirement(0).level, Level::Sealed);
        assert_eq!(read.requirement(99).level, Level::Sealed, "nor does a missing one lower anything");
    }

    #[test]
    fn whoevers_site_or_relay_is_gone_waits_for_a_person_and_nothing_leads_into_the_world_unasked() {
        use crate::queue::{Destination, Instruction, Route};
        let site: std::sync::Arc<str> = "b".into();
        let with_site = Routes {
            sites: [("b.example".parse().unwrap(), site.clone())].into(),
            floors: [(Destination::Site(site.clone()), Level::Encrypted)].into(),
            ..Routes::default()
        };
        for direction in [Direction::Internal, Direction::Inbound] {
            let mut stray = entry(1, &["a@b.example"]);
            stray.destined[0].direction = direction;
            let lane = |entry: &Entry, routes: &Routes| entry.lane(0, Level::Any, routes).unwrap();
            assert_eq!(lane(&stray, &with_site).destination, Destination::Site(site.clone()), "{direction}");
            assert_eq!(lane(&stray, &Routes::default()), Lane::operator(), "{direction}");
            let instructed = |route| (0, Instruction { stop: None, route: Some(route), lowered_from: None });
            stray.instructions = vec![instructed(Route::Mx)];
            let asked = lane(&stray, &Routes::default());
            assert_eq!((asked.level, matches!(asked.destination, Destination::Mx(_))), (Level::Verified, true));
            stray.instructions = vec![instructed(Route::Relay("gone".to_owned()))];
            assert_eq!(lane(&stray, &Routes::default()), Lane::operator(), "a relay that is gone");
        }
        let outbound = entry(2, &["a@b.example"]);
        assert!(matches!(outbound.lane(0, Level::Any, &Routes::default()).unwrap().destination, Destination::Mx(_)));
    }

    #[test]
    fn mail_with_require_tls_has_lanes_of_its_own_and_no_older_gateway_takes_it() {
        use crate::queue::{Instruction, Route, Stop};
        let routes = Routes::default();
        let mut asked = entry(1, &["a@b.example"]);
        asked.envelope.reverse_path = "x@y.example".parse().unwrap();
        let plain = asked.lane(0, Level::Any, &routes).unwrap();
        assert_eq!((plain.to_string().as_str(), Entry::version(&asked.envelope)), ("b.example/any", 2));
        asked.envelope.require_tls = true;
        asked.version = Entry::version(&asked.envelope);
        assert_eq!(asked.version, 3, "version 2 would pass over what it does not know");
        let lane = |entry: &Entry| entry.lane(0, Level::Any, &routes).unwrap();
        assert_eq!(lane(&asked).to_string(), "b.example/any+requiretls");
        assert_ne!(lane(&asked), plain, "a link for one is not used for the other");
        assert_eq!(parse(asked.id, &asked.head()).unwrap(), asked);
        for (route, lowered_from) in [(None, Some(Level::Verified)), (Some(Route::Mx), None)] {
            asked.instructions = vec![(0, Instruction { stop: None, route, lowered_from })];
            assert!(lane(&asked).require_tls, "nobody here releases what the sender asked");
        }
        asked.instructions = vec![(0, Instruction { stop: Some(Stop::Hold), route: None, lowered_from: None })];
        assert_eq!(lane(&asked), Lane::operator());
        let report = Entry { instructions: vec![], ..asked };
        let report =
            Entry { envelope: Envelope { reverse_path: ReversePath::Null, ..report.envelope.clone() }, ..report };
        assert!(!lane(&report).require_tls, "a report is not lost for it (RFC 8689 5)");
    }

    #[tokio::test]
    async fn a_damaged_record_keeps_its_date_and_counts_as_never_tried() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let entry = entry(5, &["a@b.example", "c@d.example"]);
        let destination = crate::queue::Destination::Mx("b.example".parse().unwrap());
        let lane = Lane { destination, level: Level::Any, require_tls: false };
        let waiting = Progress::unattempted(Wall(77)).kept_in(entry.id, 0, &lane, Some("clinical"));
        let damage = Change::new("UPDATE progress SET record = ?1 WHERE recipient = 0", vec![Value::Blob("{".into())]);
        let changes = vec![waiting, Progress::Final.kept(entry.id, 1), damage];
        opened.store.commit(changes).await.unwrap();
        let reader = opened.reader().unwrap();
        let expected = [(0, Progress::unattempted(Wall(77))), (1, Progress::Final)];
        assert_eq!(read_progress(&reader, entry.id).unwrap(), expected);
        let filed: (String, String, String) = reader
            .query_row("SELECT lane, state, class FROM progress WHERE due = 77", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?))
            })
            .unwrap();
        assert_eq!(filed, ("b.example/any".into(), "active".into(), "clinical".into()));
        assert_eq!(rows(&opened, "progress WHERE due IS NULL"), 1, "what is final has no date");
    }

    #[tokio::test]
    async fn an_entry_leaves_with_its_last_recipient_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        let entry = entry(5, &["a@b.example", "c@d.example", "e@f.example"]);
        opened.store.commit(entry.admitted(Some(Bytes::from_static(b"text")))).await.unwrap();
        opened.store.commit(entry.finished(&[1], None)).await.unwrap();
        opened.store.commit(entry.finished(&[0], None)).await.unwrap();
        assert_eq!((rows(&opened, "entry"), rows(&opened, "body"), rows(&opened, "progress")), (1, 1, 2));
        assert_eq!(read(&opened.reader().unwrap(), entry.id).unwrap(), Some(entry.clone()));
        opened.store.commit(entry.finished(&[2], None)).await.unwrap();
        assert_eq!((rows(&opened, "entry"), rows(&opened, "body"), rows(&opened, "progress")), (0, 0, 0));
    }
}
