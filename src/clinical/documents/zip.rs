//! Zip archives, and the documents that are zip archives inside.
//!
//! Called by `documents`. Readers disagree about which entries an archive has: some believe its directory, others the header
//! before each content, and some look for either from the start. Promises: what any of them shows is unpacked within the
//! limits, each content once, or said to be unread; an archive of which they do not show the same is broken. Fails with
//! `Wrong` when nothing of it can be read, and when it is broken.

use super::document::Document;
use super::office::Package;
use super::packed::is_memory;
use super::{Read, Wrong};
use crate::vocabulary::FindingKind;
use directory::{Directory, End};
use headers::{CENTRAL, DESCRIPTOR, Header, LOCAL};
use memchr::memmem;
use methods::Packed;
use std::collections::HashSet;
use std::io::{Cursor, Read as _};

mod directory;
mod headers;
mod methods;
mod names;

pub(super) use directory::{TAIL, ends_with_one};

/// Entries of one archive that are looked for: more than a message may have parts.
const MOST: usize = 4_096;
/// So often the octets of an archive may be unpacked: entries may lie inside one another.
const PASSES: usize = 4;

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut archive = Archive::new(Cursor::new(bytes))?;
    archive.tell(document);
    let mut package = Package::of(&archive);
    for index in package.order(&archive) {
        if let Some(entry) = unpack(&mut archive, index, document) {
            package.entry(&entry, document);
        }
    }
    package.finish(document);
    archive.verdict(document)
}

/// An unpacked entry.
pub(super) struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What some reader may show of an archive.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    claims: Vec<Claim<'a>>,
    /// Contents that are claimed: where the header is, how it is packed, whether it is closed.
    known: HashSet<(usize, u16, bool)>,
    /// Directories and their records, from where to where.
    records: Vec<(usize, usize)>,
    comments: Vec<&'a [u8]>,
    /// The first thing that is wrong with it.
    flaw: Option<&'static str>,
    is_spanned: bool,
    /// Octets that may still be unpacked.
    fuel: usize,
}

/// What one or two headers say of an entry.
#[derive(Debug, Clone, Copy)]
struct Claim<'a> {
    header: Header<'a>,
    /// The local header beside the central one.
    twin: Option<Header<'a>>,
    /// Where the local header is.
    at: usize,
    content: Content,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Where it starts, and how long it is, if that is known.
    At(usize, Option<usize>),
    /// It is another entry's too.
    Again,
    /// There is no header where the directory says.
    Lost,
}

impl<'a> Archive<'a> {
    pub fn new(source: Cursor<&'a [u8]>) -> Result<Archive<'a>, Wrong> {
        let bytes = source.into_inner();
        let fuel = bytes.len().saturating_mul(PASSES);
        let (claims, known, records, comments) = (Vec::new(), HashSet::new(), Vec::new(), Vec::new());
        let mut archive = Archive { bytes, claims, known, records, comments, flaw: None, is_spanned: false, fuel };
        let ends = directory::ends(bytes);
        // Most readers look for the last one.
        for end in ends.iter().rev() {
            archive.directories(end);
        }
        archive.hidden();
        match archive.claims.is_empty() && ends.is_empty() {
            true => Err(Wrong::Broken("zip directory")),
            false => Ok(archive),
        }
    }

    pub fn len(&self) -> usize {
        self.claims.len()
    }

    /// Octets that may still be unpacked.
    #[cfg(test)]
    pub fn fuel(&self) -> usize {
        self.fuel
    }

    pub fn name(&self, index: usize) -> String {
        self.claims.get(index).map(Claim::name).unwrap_or_default()
    }

    /// The first octets of an entry, unpacked; none where they cannot be had.
    pub fn beginning(&self, index: usize, most: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(claim) = self.claims.get(index).filter(|claim| !claim.header.is_closed()) else { return bytes };
        let Content::At(start, length) = claim.content else { return bytes };
        let Header { method, flags, size, .. } = claim.header;
        let mut source = self.bytes.get(start..).unwrap_or_default();
        if let Some(Ok(decoder)) = (Packed { method, flags, length, size }).decoder(&mut source) {
            // As far as it goes: what is wrong with it is said when it is read.
            let _ = decoder.take(most).read_to_end(&mut bytes);
        }
        bytes
    }

    /// Says what people see beside the entries' contents: names and comments, in every reading.
    pub fn tell(&self, document: &mut Document<'_, '_>) {
        for comment in self.comments.iter().flat_map(|raw| names::readings(raw)) {
            document.text("comment", &comment);
        }
        let headers = self.claims.iter().flat_map(|claim| [Some(claim.header), claim.twin]).flatten();
        headers.flat_map(|header| names::all(&header)).for_each(|name| document.name(&name));
    }

    /// What is wrong with the archive as a whole.
    pub fn verdict(&self, document: &mut Document<'_, '_>) -> Read {
        if self.claims.len() >= MOST {
            document.limit("", "parts");
        }
        match (self.flaw, self.is_spanned) {
            (_, true) => Err(Wrong::Unknown("spanned zip")),
            (Some(what), _) => Err(Wrong::Broken(what)),
            (None, false) => Ok(()),
        }
    }

    fn is_flawed(&mut self, what: &'static str) {
        self.flaw.get_or_insert(what);
    }

    /// The entries of the directories that an end record leads to.
    fn directories(&mut self, end: &End<'_>) {
        // It is a file's inside, which is read for itself.
        if self.is_inside_a_document(end.at) {
            return;
        }
        let is_first = self.records.is_empty();
        let before = self.claims.len();
        for directory in &end.directories {
            self.directory(*directory);
        }
        if (!is_first && self.claims.len() > before) || end.directories.len() > 1 {
            self.is_flawed("two zip directories");
        }
        if is_first && end.has_trail {
            self.is_flawed("data behind the archive");
        }
        self.is_spanned |= end.is_spanned;
        self.comments.push(&self.bytes[end.at + 22..end.at + 22 + end.comment.len()]);
        self.records.push((end.at, end.at + 22 + end.comment.len()));
    }

    fn is_inside_a_document(&self, at: usize) -> bool {
        let holds = |claim: &&Claim<'_>| match claim.content {
            Content::At(start, Some(length)) => start <= at && at < start + length,
            _ => false,
        };
        self.claims.iter().find(holds).is_some_and(|claim| match claim.content {
            Content::At(start, _) => super::is_document(&self.bytes[start..]),
            _ => false,
        })
    }

    /// Reads on as long as there are records: readers differ in what tells them how many there are.
    fn directory(&mut self, directory: Directory) {
        let mut at = directory.start;
        while let Some(header) = Header::central(self.bytes, at).filter(|_| self.claims.len() < MOST) {
            self.entry(header, directory.shift);
            at = header.end;
        }
        self.records.push((directory.start, at));
    }

    /// An entry of a directory.
    fn entry(&mut self, header: Header<'a>, shift: i64) {
        let said = i64::try_from(header.offset).ok();
        let places = [said.and_then(|said| said.checked_add(shift)), said];
        let places = places.into_iter().flatten().filter_map(|place| usize::try_from(place).ok());
        let Some((at, local)) = places.filter_map(|at| Header::local(self.bytes, at).map(|local| (at, local))).next()
        else {
            self.is_flawed("zip entry");
            return self.claims.push(Claim { header, twin: None, at: 0, content: Content::Lost });
        };
        let length = self.length(&header, &local);
        self.claim(Claim { header, twin: Some(local), at, content: Content::At(local.end, length) });
        if (header.method, header.is_closed()) != (local.method, local.is_closed()) {
            self.is_flawed("zip headers differ");
            let size = local.size.max(header.size);
            self.claim(Claim {
                header: Header { size, ..local },
                twin: None,
                at,
                content: Content::At(local.end, length),
            });
        }
    }

    /// How long the content is by what both headers say: the longer is read, and it begins with the shorter.
    fn length(&mut self, header: &Header<'_>, local: &Header<'_>) -> Option<usize> {
        if header.packed != local.packed && !local.is_open_ended() && local.packed > 0 {
            self.is_flawed("zip headers differ");
        }
        let packed = header.packed.max(local.packed);
        if packed == 0 {
            return self.open_length(local);
        }
        let there = self.bytes.len() - local.end;
        let length = usize::try_from(packed).unwrap_or(usize::MAX);
        if length > there {
            self.is_flawed("zip entry");
        }
        Some(length.min(there))
    }

    /// The length of content whose header does not tell it: up to what follows, where its octets stand as they are.
    fn open_length(&self, local: &Header<'_>) -> Option<usize> {
        if local.method != 0 {
            return None;
        }
        let there = &self.bytes[local.end..];
        if local.flags & 0b1000 == 0 {
            return Some(0);
        }
        let before = |signature| memmem::find(there, signature);
        Some(before(DESCRIPTOR).or_else(|| before(LOCAL)).or_else(|| before(CENTRAL)).unwrap_or(there.len()))
    }

    fn claim(&mut self, claim: Claim<'a>) {
        let is_new = self.known.insert((claim.at, claim.header.method, claim.header.is_closed()));
        self.claims.push(if is_new { claim } else { Claim { content: Content::Again, ..claim } });
    }

    /// Entries that no directory names, in what is between the others.
    fn hidden(&mut self) {
        let mut spans = self.spans();
        spans.push((self.bytes.len(), self.bytes.len()));
        let mut from = 0;
        for (start, end) in spans {
            if start > from {
                self.hidden_in(from, start);
            }
            from = from.max(end);
        }
    }

    /// What the known entries and the directories take up, in order.
    fn spans(&mut self) -> Vec<(usize, usize)> {
        let taken = |claim: &Claim<'_>| match claim.content {
            Content::At(start, length) => Some((claim.at, start + length.unwrap_or(0))),
            _ => None,
        };
        let mut entries: Vec<(usize, usize)> = self.claims.iter().filter_map(taken).collect();
        entries.sort_unstable();
        entries.dedup_by_key(|(start, _)| *start);
        if entries.windows(2).any(|two| two[1].0 < two[0].1) {
            self.is_flawed("zip entries overlap");
        }
        entries.extend(&self.records);
        entries.sort_unstable();
        entries
    }

    fn hidden_in(&mut self, from: usize, to: usize) {
        let mut next = from;
        for at in memmem::find_iter(&self.bytes[from..to], LOCAL).map(|at| from + at) {
            let Some(header) = Header::local(self.bytes, at).filter(|_| at >= next && self.claims.len() < MOST) else {
                continue;
            };
            // Octets that happen to look like a header have no name.
            if header.name.is_empty() || header.method > 99 {
                continue;
            }
            self.is_flawed("zip entry outside the directory");
            let length = self.length(&header, &header);
            self.claim(Claim { header, twin: None, at, content: Content::At(header.end, length) });
            next = header.end + length.unwrap_or(0);
        }
    }

    /// Unpacks content that is there; nothing where that cannot be.
    fn content(&mut self, claim: &Claim<'a>, place: Place, document: &mut Document<'_, '_>) -> Option<Vec<u8>> {
        let name = claim.name();
        let Place { start, length } = place;
        let there = &self.bytes[start..];
        let mut source = &there[..there.len().min(self.fuel)];
        let offered = source.len();
        let size = claim.header.size.max(claim.twin.map_or(0, |twin| twin.size));
        let packed = Packed { method: claim.header.method, flags: claim.header.flags, length, size };
        let Some(decoder) = packed.decoder(&mut source) else {
            document.unread(FindingKind::UnknownAttachment, &name, "compression method");
            return None;
        };
        let read = decoder.and_then(|mut decoder| {
            let bytes = document.unpack(&name, &mut decoder, length.unwrap_or(offered))?;
            let has_ended = decoder.read(&mut [0]).is_ok_and(|more| more == 0);
            Ok((bytes, has_ended))
        });
        let used = offered - source.len();
        self.fuel -= used;
        match read {
            Ok((bytes, has_ended)) => {
                let is_other = length.is_some_and(|length| used > length || (has_ended && used < length));
                if packed.ends_itself() && is_other {
                    self.is_flawed("zip sizes differ");
                }
                Some(bytes)
            }
            Err(_) if self.fuel == 0 => {
                document.limit(&name, "ratio");
                None
            }
            Err(error) if is_memory(&error) => {
                document.limit(&name, "memory");
                None
            }
            Err(_) => {
                document.unread(FindingKind::BrokenAttachment, &name, "zip entry");
                None
            }
        }
    }
}

/// Where content starts, and how long it is, if that is known.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    length: Option<usize>,
}

impl Claim<'_> {
    fn name(&self) -> String {
        names::likely(self.header.name)
    }
}

/// Unpacks one entry; nothing where that cannot be, which is said, and nothing for folders. What is wrong with the archive
/// itself is in its `verdict`.
pub(super) fn unpack(archive: &mut Archive<'_>, index: usize, document: &mut Document<'_, '_>) -> Option<Entry> {
    let claim = archive.claims.get(index).copied()?;
    let name = claim.name();
    if document.is_full(&name) {
        return None;
    }
    let place = match claim.content {
        Content::At(start, length) => Place { start, length },
        _ => {
            document.count(&name);
            return None;
        }
    };
    let is_folder = claim.header.is_folder() && claim.twin.is_none_or(|twin| twin.is_folder());
    if is_folder || claim.header.is_closed() {
        document.count(&name);
        if !is_folder {
            document.closed(&name, "zip");
        }
        return None;
    }
    let bytes = archive.content(&claim, place, document)?;
    Some(Entry { name, bytes })
}
