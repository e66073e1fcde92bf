//! Streams of a PDF, unpacked within the limits of the message, and arrays whose items are looked up.
//!
//! Called by the other parts of the reader. Promises: what was cut or could not be unpacked is said. Fails never.

use super::super::document::Document;
use super::filters::{self, Decoded, End};
use crate::vocabulary::FindingKind;
use hayro_syntax::object::{Array, MaybeRef, Object, Stream};
use hayro_syntax::xref::XRef;
use std::borrow::Cow;

pub(super) struct Source<'s, 'w, 'r> {
    pub document: &'s mut Document<'w, 'r>,
}

impl Source<'_, '_, '_> {
    /// What a stream holds; its decryption is the library's.
    pub fn decoded<'a>(&mut self, stream: &Stream<'a>, piece: &str) -> Decoded<'a> {
        let raw = stream.raw_data();
        let packed = raw.len();
        let decoded = filters::decode(raw, &filters::steps(stream.dict()), self.document.allowance(packed));
        match decoded.end {
            End::Whole | End::Picture => {}
            End::Cut => self.document.cut(piece, packed),
            End::Damaged => self.document.unread(FindingKind::BrokenAttachment, piece, "damaged"),
            End::Unknown => self.document.unread(FindingKind::BrokenAttachment, piece, "filter"),
        }
        if let Cow::Owned(bytes) = &decoded.bytes {
            self.document.spend(bytes.len());
        }
        decoded
    }
}

/// The items of an array; those that are nowhere are passed over.
pub(super) fn items<'a>(array: &Array<'a>, xref: &'a XRef) -> impl Iterator<Item = Object<'a>> {
    array.raw_iter().filter_map(move |item| match item {
        MaybeRef::Ref(reference) => xref.get::<Object<'_>>(reference.into()),
        MaybeRef::NotRef(object) => Some(object),
    })
}
