//! A document while it is read: where its text and its files go, and how much of it may still be unpacked.
//!
//! Called by the readers. Promises: everything that a reader hands over is looked at or said to be unread; what is unpacked
//! counts against the limits of the whole message. Fails never.

use super::super::fields::Content;
use super::super::leaf::{self, Octets, Shown};
use super::super::walk::{Spot, Walk};
use super::super::{markings, names};
use crate::vocabulary::{Confidence, FindingKind};
use std::io::{self, Read};

/// What is packed may be so much smaller than what it holds …
const RATIO: usize = 200;
/// … once it holds more than this.
const RATIO_FROM: usize = 1_000_000;

pub(in super::super) struct Document<'w, 'r> {
    walk: &'w mut Walk<'r>,
    place: String,
    /// Where the files inside are.
    inside: Spot,
    has_text: bool,
    unread_before: usize,
}

impl<'w, 'r> Document<'w, 'r> {
    pub(super) fn new(walk: &'w mut Walk<'r>, place: &str, inside: Spot) -> Document<'w, 'r> {
        let unread_before = walk.report.unread_count();
        Document { walk, place: place.to_owned(), inside, has_text: false, unread_before }
    }

    /// Whether there was text, a file, or something that was said to be unread.
    pub(super) fn has_told(&self) -> bool {
        self.has_text || self.walk.report.unread_count() > self.unread_before
    }

    /// It was read to its end, and nothing is written in it.
    pub fn empty(&mut self) {
        self.has_text = true;
    }

    /// Text of the document itself. `piece`: which part of it, a name of ours or one that is in the document; empty: all of it.
    pub fn text(&mut self, piece: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.has_text = true;
        let place = self.place_of(piece);
        let fitting = self.spend_text(text, &place);
        self.walk.shapes(fitting, &place);
        self.walk.scan(fitting, &place);
        self.walk.report.read(&place);
    }

    /// The document is known to show nothing at all.
    pub fn nothing_shown(&mut self) {
        self.has_text = true;
    }

    /// The subject of a message inside.
    pub fn subject(&mut self, subject: &str) {
        self.text("subject", subject);
        let place = self.place_of("subject");
        for (kind, shown) in markings::of_subject(subject) {
            // A tag inside a forwarded message was for another sending.
            if !matches!(kind, FindingKind::TagSecure | FindingKind::TagEncrypt) {
                self.walk.report.found(kind, &place, shown, Confidence::High);
            }
        }
    }

    /// As much of the text as may still be looked at.
    fn spend_text<'t>(&mut self, text: &'t str, place: &str) -> &'t str {
        let mut end = text.len().min(self.walk.left);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end < text.len() {
            self.walk.report.limit(place, "decoded");
        }
        self.walk.left -= end;
        &text[..end]
    }

    /// A file inside, told by its octets, whatever its name.
    pub fn file(&mut self, name: &str, bytes: &[u8]) {
        self.has_text |= !bytes.is_empty();
        let place = self.place_of(name);
        self.name(name);
        if self.walk.count_part(&place) {
            let content = unnamed();
            let about = Octets { content: &content, place: &place, spot: &self.inside.clone(), shown: Shown::Apart };
            leaf::octets(self.walk, bytes, &about);
        }
    }

    /// A picture that is shown in the text: small ones are logos.
    pub fn picture(&mut self, name: &str, bytes: &[u8]) {
        let place = self.place_of(name);
        if self.walk.count_part(&place) {
            let content = unnamed();
            let about = Octets { content: &content, place: &place, spot: &self.inside.clone(), shown: Shown::InText };
            leaf::octets(self.walk, bytes, &about);
        }
    }

    /// A name that a reader may see: it is looked at as text is.
    pub fn name(&mut self, name: &str) {
        let place = format!("{}attachment-name", self.inside.prefix);
        self.walk.scan(name, &place);
    }

    /// A piece that could not be read.
    pub fn unread(&mut self, kind: FindingKind, piece: &str, what: &'static str) {
        let place = self.place_of(piece);
        self.walk.report.unread(kind, &place, what);
    }

    /// A piece that is closed with a password or a key.
    pub fn closed(&mut self, piece: &str, what: &'static str) {
        let place = self.place_of(piece);
        self.walk.report.closed(&place, what);
    }

    /// A bound was reached.
    pub fn limit(&mut self, piece: &str, which: &'static str) {
        let place = self.place_of(piece);
        self.walk.report.limit(&place, which);
    }

    /// Counts a piece; false when there are too many, which is said.
    pub fn count(&mut self, piece: &str) -> bool {
        let place = self.place_of(piece);
        self.walk.count_part(&place)
    }

    /// Whether no piece more may be counted, which is said.
    pub fn is_full(&mut self, piece: &str) -> bool {
        let is_full = self.walk.is_full();
        if is_full {
            self.limit(piece, "parts");
        }
        is_full
    }

    /// Octets that may still be looked at in the whole message.
    pub fn left(&self) -> usize {
        self.walk.left
    }

    /// Octets that one piece may still be unpacked to.
    pub fn room(&self) -> usize {
        self.walk.limits.part.min(self.walk.left)
    }

    /// Unpacks a piece that is `packed` octets long, as far as the limits allow; what was cut is said. An error is the source's.
    pub fn unpack(&mut self, piece: &str, source: &mut dyn Read, packed: usize) -> io::Result<Vec<u8>> {
        let most = self.allowance(packed);
        let mut bytes = Vec::new();
        let read = source.take(most as u64 + 1).read_to_end(&mut bytes);
        if bytes.len() > most {
            bytes.truncate(most);
            self.cut(piece, packed);
        }
        self.spend(bytes.len());
        match read {
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                self.limit(piece, "memory");
                Ok(bytes)
            }
            // What came before the damage is looked at by the caller.
            Err(error) if bytes.is_empty() => Err(error),
            Err(_) => {
                self.unread(FindingKind::BrokenAttachment, piece, "damaged");
                Ok(bytes)
            }
            Ok(_) => Ok(bytes),
        }
    }

    /// Octets that a piece of `packed` octets may be unpacked to. Whoever unpacks it says what it took by `spend`, and that it
    /// was cut by `cut`.
    pub fn allowance(&self, packed: usize) -> usize {
        self.room().min(by_ratio(packed))
    }

    /// Octets were unpacked.
    pub fn spend(&mut self, octets: usize) {
        self.walk.left -= octets.min(self.walk.left);
    }

    /// Says which limit cut a piece of `packed` octets short; before what it took is spent.
    pub fn cut(&mut self, piece: &str, packed: usize) {
        let which = match () {
            () if self.allowance(packed) == by_ratio(packed) => "ratio",
            () if self.walk.left <= self.walk.limits.part => "decoded",
            () => "part",
        };
        self.limit(piece, which);
    }

    fn place_of(&self, piece: &str) -> String {
        match piece {
            "" => self.place.clone(),
            piece => format!("{}{}", self.inside.prefix, names::path(piece)),
        }
    }
}

/// Nothing says what a file inside is: where it is not text, it is not broken text.
fn unnamed() -> Content {
    Content { kind: "application/octet-stream".to_owned(), ..Content::default() }
}

/// How large a piece of so many octets may become.
fn by_ratio(packed: usize) -> usize {
    packed.saturating_mul(RATIO).max(RATIO_FROM)
}
