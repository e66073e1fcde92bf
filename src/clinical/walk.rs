//! Walks a message: header sections, multiparts, nested messages, each in every reading that its fields allow.
//!
//! Called by `inspect`; hands each part to `leaf`. Promises: levels, parts and readings are counted before they are entered
//! and recursion is no deeper than the levels; beyond a limit the rest is looked at as plain text and the limit is said.
//! Readers of mail disagree about malformed mail, so what is ambiguous is read in each way and called broken.

use super::about::About;
use super::fields::{Content, Field, Fields, content, is_trace, may_tell, shown, uncommented, unquoted};
use super::looks::{CALL, LOOKS, STEPS};
use super::report::Report;
use super::rules::Rules;
use super::{Findings, Limits, delimiter, leaf, markings, records, sealed, seam, words};
use crate::vocabulary::{Confidence, FindingKind};

/// Multiparts inside one another, for each nested message that is allowed.
const LEVELS_PER_MESSAGE: usize = 4;
/// Recursion ends here whatever the limits say.
const DEEPEST: usize = 64;
/// Numbers with a right check digit that are looked at in a message, whatever its size: each costs a look at the words around it.
const NUMBERS: usize = 2_000;
/// So many octets may have one more …
const OCTETS_PER_NUMBER: usize = 64;
/// … and no message more than this.
const MOST_NUMBERS: usize = 50_000;
/// Second and third readings of ambiguous entities, in one message.
const READINGS: usize = 16;
/// Octets of one header section that are read; a field costs as much as so many, however short it is.
const HEADER: usize = 2_000_000;
const FIELD: usize = 16;

/// The state of one inspection.
pub(super) struct Walk<'r> {
    pub rules: &'r Rules,
    pub limits: &'r Limits,
    pub report: Report,
    /// Octets of decoded text that may still be looked at.
    pub left: usize,
    parts: usize,
    readings: usize,
    /// Numbers that may still be looked at.
    pub numbers: usize,
    /// Octets that may still be looked at, in whatever reading.
    pub looks: usize,
    /// Comparisons that style sheets may still ask for.
    pub steps: usize,
    /// What may still be looked at for records of clinical systems.
    pub records: records::Room,
    /// The end of the last text that was the message's own, if it ends with a digit.
    pub begun: String,
    documents: Documents,
    /// Documents that are in no other one, so far.
    met: usize,
}

/// Where documents and archives are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Documents {
    Here,
    /// Only one of them, by its number.
    One(usize),
    Elsewhere,
}

/// Where the walk is.
#[derive(Debug, Clone, Default)]
pub(super) struct Spot {
    /// `letter.eml!/`
    pub prefix: String,
    messages: usize,
    levels: usize,
    /// RFC 2046 5.1.5: parts of a digest are messages unless they say otherwise.
    digest: bool,
    /// Nothing else is in the message, but what seals and signs it.
    pub sole: bool,
}

impl Spot {
    /// The same where something else stands beside it, or may.
    pub fn beside(&self) -> Spot {
        Spot { sole: false, ..self.clone() }
    }
}

/// What kind of header section is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Message,
    Part,
}

impl<'r> Walk<'r> {
    pub fn new(rules: &'r Rules, limits: &'r Limits) -> Walk<'r> {
        let (report, left, documents) = (Report::default(), limits.decoded, Documents::Here);
        Walk {
            rules,
            limits,
            report,
            left,
            parts: 0,
            readings: 0,
            numbers: NUMBERS,
            looks: LOOKS,
            steps: STEPS,
            records: records::Room::default(),
            begun: String::new(),
            documents,
            met: 0,
        }
    }

    pub fn without_documents(self) -> Walk<'r> {
        Walk { documents: Documents::Elsewhere, ..self }
    }

    /// Notes what was nearly recognised, too.
    pub fn observed(self) -> Walk<'r> {
        Walk { report: self.report.observed(), ..self }
    }

    pub fn with_one_document(self, number: usize) -> Walk<'r> {
        Walk { documents: Documents::One(number), ..self }
    }

    pub fn reads_documents(&self) -> bool {
        self.documents != Documents::Elsewhere
    }

    /// Counts a document that is in no other one; whether it is to be read here.
    pub fn wants_document(&mut self) -> bool {
        let number = self.met;
        self.met += 1;
        matches!(self.documents, Documents::Here) || self.documents == Documents::One(number)
    }

    /// Reads a document: what is inside it is its own, and not counted.
    pub fn within_document(&mut self, read: impl FnOnce(&mut Self)) {
        let before = (std::mem::replace(&mut self.documents, Documents::Here), self.met);
        read(self);
        (self.documents, self.met) = before;
    }

    pub fn all(self, message: &[u8]) -> Findings {
        self.through(message).finish()
    }

    /// Reads the whole message.
    pub fn through(mut self, message: &[u8]) -> Report {
        self.numbers = (NUMBERS + message.len() / OCTETS_PER_NUMBER).min(MOST_NUMBERS);
        self.entity(message, &Spot { sole: true, ..Spot::default() }, Head::Message);
        self.report
    }

    /// Where the files inside `place` are; nothing when that is too deep.
    pub fn inside(&mut self, place: &str, spot: &Spot) -> Option<Spot> {
        if spot.messages >= self.limits.depth || spot.levels + spot.messages >= DEEPEST {
            self.report.limit(place, "depth");
            return None;
        }
        Some(Spot { prefix: format!("{place}!/"), messages: spot.messages + 1, digest: false, sole: false, ..*spot })
    }

    /// A message inside a part.
    pub fn nested(&mut self, message: &[u8], place: &str, spot: &Spot) {
        match self.inside(place, spot) {
            Some(inner) => self.entity(message, &inner, Head::Message),
            None => self.raw(message, place),
        }
    }

    /// The content of a signed message: an entity by itself, with whatever its wrapper had around it.
    pub fn unwrapped(&mut self, entity: &[u8], place: &str, spot: &Spot) {
        match self.inside(place, spot) {
            Some(inner) => self.entity(entity, &Spot { sole: spot.sole, ..inner }, Head::Message),
            None => self.raw(entity, place),
        }
    }

    fn entity(&mut self, bytes: &[u8], spot: &Spot, head: Head) {
        let (mut about, mut fields, mut read) = (About::default(), Fields::of(bytes), 0);
        let (mut rest, mut is_broken, mut is_cut) = (fields.rest(), false, false);
        while let Some(field) = fields.next() {
            let is_envelope = read == 0 && field.value.starts_with(b"From ");
            if field.name.is_empty() && !is_broken && !is_envelope {
                is_broken = true;
                self.without_end(rest, &about, spot);
            }
            rest = fields.rest();
            read += field.value.len() + FIELD;
            if read <= HEADER && self.looks > 0 {
                self.field(&field, &mut about, spot, head);
            } else if !is_cut {
                is_cut = true;
                let which = if self.looks == 0 { "readings" } else { "header" };
                self.report.limit(&format!("{}header", spot.prefix), which);
            }
        }
        self.body(fields.body(), &about, spot);
    }

    /// A line that is no field ends the header section for some readers (RFC 5322 2.1 wants an empty one).
    fn without_end(&mut self, rest: &[u8], about: &About, spot: &Spot) {
        self.report.unread(FindingKind::BrokenAttachment, &format!("{}header", spot.prefix), "header");
        if self.may_read_again(spot) {
            self.body(rest, about, spot);
        }
    }

    fn field(&mut self, field: &Field<'_>, about: &mut About, spot: &Spot, head: Head) {
        if field.is("content-type") {
            about.add_type(content(field.value));
        } else if field.is("content-transfer-encoding") {
            about.add_encoding(field.value);
        } else if field.is("content-disposition") {
            about.add_disposition(content(field.value));
        } else if field.is("content-id") {
            about.has_id = true;
        } else if !self.programmes_mark(field, spot, head) && !is_trace(field.name) {
            self.words(field, spot, head);
        }
    }

    /// What Exchange's journal and Microsoft's labels write for programmes; whether it was that.
    fn programmes_mark(&mut self, field: &Field<'_>, spot: &Spot, head: Head) -> bool {
        if head != Head::Message {
            return false;
        }
        let place = format!("{}header", spot.prefix);
        if field.is("x-ms-journal-report") {
            self.report.found(FindingKind::JournalHeader, &place, "X-MS-Journal-Report", Confidence::High);
            return true;
        }
        if !field.is("msip_labels") {
            return false;
        }
        for label in markings::msip_labels(field.value) {
            self.report.found(FindingKind::MsipLabel, &place, &label, Confidence::High);
        }
        true
    }

    /// A field that a reader may see, or one that marks the message.
    fn words(&mut self, field: &Field<'_>, spot: &Spot, head: Head) {
        let is_subject = field.is("subject") && head == Head::Message;
        if !is_subject && !may_tell(field) && !self.rules.own.reads_fields() {
            return;
        }
        // Each may be a word in a charset of its own.
        self.charge(memchr::memmem::find_iter(field.value, b"=?").count() * CALL);
        let (text, sound) = words::text(shown(field));
        let place = format!("{}{}", spot.prefix, if is_subject { "subject" } else { "header" });
        if !sound {
            self.report.unread(FindingKind::BrokenAttachment, &place, "charset");
        }
        self.scan(&text, &place);
        if is_subject {
            seam::subject(self, &text);
        }
        let others = [unquoted(field.value), uncommented(field)];
        for undone in others.into_iter().flatten().filter(|_| !is_subject) {
            self.scan(&words::text(&undone).0, &place);
        }
        self.report.read(&place);
        let marked = if is_subject { markings::of_subject(&text) } else { Vec::new() };
        let field_itself = (head == Head::Message).then(|| markings::of_field(field.name, &text)).flatten();
        for (kind, shown) in marked.into_iter().chain(field_itself) {
            // A tag inside a forwarded message was for another sending; a protective marking stays with its text.
            let is_tag = matches!(kind, FindingKind::TagSecure | FindingKind::TagEncrypt);
            if !is_tag || spot.messages == 0 {
                self.report.found(kind, &place, shown, Confidence::High);
            }
        }
    }

    fn body(&mut self, body: &[u8], about: &About, spot: &Spot) {
        let default =
            Content { kind: if spot.digest { "message/rfc822" } else { "" }.to_owned(), ..Content::default() };
        let types = if about.types.is_empty() { std::slice::from_ref(&default) } else { &about.types };
        let none = [String::new()];
        let encodings = if about.encodings.is_empty() { &none[..] } else { &about.encodings };
        if about.conflict {
            let place = leaf::place(&types[0], about, spot);
            self.report.unread(FindingKind::BrokenAttachment, &place, "conflicting fields");
        }
        for (at, (content, encoding)) in types.iter().flat_map(|t| encodings.iter().map(move |e| (t, e))).enumerate() {
            if at > 0 && !self.may_read_again(spot) {
                return;
            }
            let part = leaf::Part { content, encoding, about, spot };
            match content.kind.starts_with("multipart/") {
                true => self.multipart(body, &part),
                false => leaf::read(self, body, &part),
            }
        }
    }

    fn may_read_again(&mut self, spot: &Spot) -> bool {
        self.readings += 1;
        if self.readings > READINGS {
            self.report.limit(&format!("{}text", spot.prefix), "readings");
        }
        self.readings <= READINGS
    }

    fn multipart(&mut self, body: &[u8], part: &leaf::Part<'_>) {
        let (content, spot) = (part.content, part.spot);
        let place = format!("{}text", spot.prefix);
        let levels = self.limits.depth.saturating_mul(LEVELS_PER_MESSAGE).min(DEEPEST);
        if spot.levels + spot.messages >= levels {
            self.report.limit(&place, "depth");
            return self.raw(body, &place);
        }
        let digest = content.kind == "multipart/digest";
        let inner = Spot { levels: spot.levels + 1, digest, sole: is_sealed_whole(body, part), ..spot.clone() };
        let mut divided = false;
        for (at, boundary) in content.boundaries.iter().enumerate() {
            if at == 0 || self.may_read_again(spot) {
                divided |= self.parts(body, boundary, &inner);
            }
        }
        let is_plain = matches!(part.encoding, "" | "7bit" | "8bit" | "binary");
        // Reports have the header of a message alone: nothing is there to be divided.
        if content.boundaries.len() == 1 && is_plain && body.trim_ascii().is_empty() {
            return;
        }
        if content.boundaries.len() != 1 || !divided || !is_plain {
            // RFC 2045 6.4: no other encoding is allowed here, so readers differ in what they make of it.
            self.report.unread(FindingKind::BrokenAttachment, &place, "boundary");
        }
        if !divided || !is_plain {
            let flat = Content { boundaries: Vec::new(), kind: String::new(), ..content.clone() };
            leaf::read(self, body, &leaf::Part { content: &flat, spot: &inner, ..*part });
        }
    }

    /// Reads what stands between the delimiters; false when there is none.
    fn parts(&mut self, body: &[u8], boundary: &[u8], spot: &Spot) -> bool {
        let place = format!("{}text", spot.prefix);
        let mut at = Segment::Outside;
        let mut rest = body;
        let mut divided = false;
        loop {
            let delimiter = delimiter::find(rest, boundary);
            let (segment, after) = match &delimiter {
                Some(found) => (&rest[..found.start], &rest[found.end..]),
                None => (rest, &rest[rest.len()..]),
            };
            match at {
                // Preamble and epilogue: text that some readers show.
                Segment::Outside => self.raw(segment, &place),
                Segment::Part if !self.count_part(&place) => {
                    self.raw(rest, &place);
                    return true;
                }
                Segment::Part => self.entity(segment, spot, Head::Part),
            }
            let Some(found) = delimiter else { return divided };
            divided = true;
            at = if found.last { Segment::Outside } else { Segment::Part };
            rest = after;
        }
    }

    /// Whether no part more may be counted.
    pub fn is_full(&self) -> bool {
        self.parts >= self.limits.parts
    }

    /// Counts a part or a file; false when there are too many.
    pub fn count_part(&mut self, place: &str) -> bool {
        self.parts += 1;
        if self.parts > self.limits.parts {
            self.report.limit(place, "parts");
        }
        self.parts <= self.limits.parts
    }
}

/// Whether a multipart is nothing but an encrypted message, in the one reading that there is.
fn is_sealed_whole(body: &[u8], part: &leaf::Part<'_>) -> bool {
    let [boundary] = part.content.boundaries.as_slice() else { return false };
    let is_plain = matches!(part.encoding, "" | "7bit" | "8bit" | "binary");
    let is_one = part.spot.sole && is_plain && !part.about.conflict;
    is_one && part.content.kind == "multipart/encrypted" && sealed::is_pgp_mime(body, boundary)
}

enum Segment {
    Outside,
    Part,
}
