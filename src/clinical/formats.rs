//! What some decoded octets are, by looking at them: never by their name, and by their declared type only where that adds
//! caution.
//!
//! Called by `walk`. Promises: at most two passes. Fails never: what nothing explains is `binary`.

use super::documents::{self, Kind};
use super::sealed;

/// How content is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Empty,
    Text,
    /// Text that begins with a tag.
    Markup,
    /// Begins like a message: fields that mail has.
    Message,
    Image(&'static str),
    Scan,
    /// Text that stands for something which this version does not read.
    Opaque(&'static str),
    /// A document or an archive: see `documents`.
    Document(Kind),
    /// Closed with a password or a key.
    Encrypted(&'static str),
    /// Signed, sealed or neither: Cryptographic Message Syntax says it inside.
    Cms,
    /// An image of a patient, with its data.
    Dicom,
    /// What a Macintosh keeps of a file or a folder beside it.
    Finder,
    /// Binary that no reader of this version knows.
    Unknown(&'static str),
}

const MAGIC: &[(&[u8], Format)] = &[
    (b"\x89PNG\r\n\x1A\n", Format::Image("png")),
    (b"\xFF\xD8\xFF", Format::Image("jpeg")),
    (b"GIF87a", Format::Image("gif")),
    (b"GIF89a", Format::Image("gif")),
    (b"II*\0", Format::Scan),
    (b"MM\0*", Format::Scan),
    (b"II+\0", Format::Scan),
    (b"MM\0+", Format::Scan),
    (b"PK\x03\x04", Format::Document(Kind::Zip)),
    (b"PK\x05\x06", Format::Document(Kind::Zip)),
    (b"PK\x07\x08", Format::Document(Kind::Zip)),
    (b"\x76\xE8\x04\x60\xC4\x11\xE3\x86", Format::Encrypted("rpmsg")),
    (b"\x1F\x8B", Format::Document(Kind::Gzip)),
    (b"7z\xBC\xAF\x27\x1C", Format::Document(Kind::SevenZip)),
    (b"Rar!\x1A\x07", Format::Unknown("rar")),
    (b"\xFD7zXZ\0", Format::Document(Kind::Xz)),
    (b"\x28\xB5\x2F\xFD", Format::Unknown("zstd")),
    (b"\x78\x9F\x3E\x22", Format::Document(Kind::Tnef)),
    (b"MSCF", Format::Unknown("cab")),
    (b"\0\0\0\x0CjP  \r\n\x87\n", Format::Image("jpeg2000")),
    (b"II\xBC\x01", Format::Image("jpegxr")),
    (b"\0\x05\x16\x07\0\x02\0\0", Format::Finder),
    (b"\0\0\0\x01Bud1", Format::Finder),
    (b"ID3", Format::Unknown("audio")),
    (b"OggS", Format::Unknown("audio")),
];

/// Text that hides its content from a reader of text.
const ARMOUR: &[(&[u8], &str)] = &[
    (b"%!PS", "postscript"),
    (b"-----BEGIN PGP MESSAGE", "pgp"),
    (b"-----BEGIN PKCS7", "pkcs7"),
    (b"-----BEGIN CMS", "pkcs7"),
    (b"(This file must be converted with BinHex", "binhex"),
    (b"=ybegin ", "yenc"),
];

/// Looks at `bytes`; `charset` is what they are said to be written in.
pub(super) fn of(bytes: &[u8], charset: Option<&str>) -> Format {
    if bytes.is_empty() {
        return Format::Empty;
    }
    // A slide scanner's file is a TIFF for whoever wants one, and has its patient's data all the same.
    if bytes.get(128..132) == Some(b"DICM") {
        return Format::Dicom;
    }
    let magic = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, format)| *format);
    // Readers of PDF pass over what stands before it.
    let may_hold_pdf = matches!(magic, Some(Format::Image(_) | Format::Scan | Format::Unknown("audio")));
    if let Some(format) = magic.filter(|_| !(may_hold_pdf && has_pdf(bytes))) {
        return format;
    }
    if has_pdf(bytes) { Format::Document(Kind::Pdf) } else { without_signature(bytes, charset) }
}

/// Whether octets are a PDF only for whoever looks for one in text.
pub(super) fn may_name_pdf(bytes: &[u8]) -> bool {
    let is_first = bytes.trim_ascii_start().starts_with(b"%PDF-") || bytes.starts_with(b"\xEF\xBB\xBF%PDF-");
    !is_first && is_texty(bytes) && !MAGIC.iter().any(|(magic, _)| bytes.starts_with(magic))
}

/// What is told by none of the signatures that stand at the beginning.
pub(super) fn without_signature(bytes: &[u8], charset: Option<&str>) -> Format {
    if let Some(format) = deeper_magic(bytes) {
        return format;
    }
    // Word asks for no more than this, and data in it is anything.
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    if start.starts_with(b"{\\rt") {
        return Format::Document(Kind::Rtf);
    }
    if sealed::looks_like_cms(bytes) {
        return Format::Cms;
    }
    let is_wide = super::charset::wide(bytes, charset).is_some();
    if !is_wide && !is_texty(bytes) {
        let is_sealed = sealed::looks_like_openpgp(bytes) && sealed::is_openpgp(bytes);
        return if is_sealed { Format::Encrypted("pgp") } else { Format::Unknown("binary") };
    }
    if let Some((_, name)) = ARMOUR.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Format::Opaque(name);
    }
    if (is_wide || start.first() == Some(&b'<')) && super::documents::is_markup(bytes) {
        return Format::Document(Kind::Markup);
    }
    match start.first() {
        Some(b'<') => Format::Markup,
        _ if has_uuencoded(bytes) => Format::Opaque("uuencode"),
        _ if begins_within(bytes, b"=ybegin line=") => Format::Opaque("yenc"),
        _ if begins_within(bytes, b"(This file must be converted with BinHex") => Format::Opaque("binhex"),
        _ if is_message(start) => Format::Message,
        _ => Format::Text,
    }
}

/// Octets that tell what is behind them, where `is_settled` says so: more than any signature needs, detached ones with their
/// certificates too.
pub(super) const TELLING: usize = 72 * 1024;

/// Whether `of` says the same of `start` and of anything that begins with it and has `octets` at most, and that it is no
/// format that is read. So most attachments are told without being decoded to their end.
pub(super) fn is_settled(start: &[u8], octets: usize, charset: Option<&str>) -> bool {
    let signed = start.get(128..132) == Some(b"DICM")
        || MAGIC.iter().any(|(magic, _)| start.starts_with(magic))
        || has_pdf(start)
        || deeper_magic(start).is_some();
    // Those are told by their whole structure.
    let is_structured = sealed::looks_like_cms(start) || sealed::looks_like_openpgp(start);
    let is_long = start.len() >= TELLING && !is_structured;
    is_long && (signed || (super::charset::wide(start, charset).is_none() && controls(start, octets / 200).is_none()))
}

/// Readers of PDF look for the signature in the first 1,024 octets.
fn has_pdf(bytes: &[u8]) -> bool {
    memchr::memmem::find(&bytes[..bytes.len().min(1_024)], b"%PDF-").is_some()
}

/// The picture that octets begin as, whatever else they are.
pub(super) fn picture(bytes: &[u8]) -> Option<&'static str> {
    MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)).and_then(|(_, format)| match format {
        Format::Image(what) => Some(*what),
        Format::Scan => Some("tiff"),
        _ => None,
    })
}

/// Signatures that do not stand at the very beginning.
fn deeper_magic(bytes: &[u8]) -> Option<Format> {
    let at = |from: usize, magic: &[u8]| bytes.get(from..from + magic.len()) == Some(magic);
    if at(0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Some(Format::Document(Kind::Ole));
    }
    // [MS-EMF] 2.3.4.2, [MS-WMF] 2.3.2.3: drawings, which may have text.
    if at(0, b"\x01\0\0\0") && at(40, b" EMF") {
        return Some(Format::Image("emf"));
    }
    // [MS-WMF] 2.3.2.2: the header without a place before it, nine words long.
    let is_bare_wmf = matches!(bytes, [1 | 2, 0, 9, 0, 0, 1 | 3, ..]);
    if at(0, b"\xD7\xCD\xC6\x9A\0\0") || is_bare_wmf {
        return Some(Format::Image("wmf"));
    }
    // An icon's directory: how many pictures, and an octet of the first entry that is zero.
    if matches!(bytes, [0, 0, 1, 0, 1..=64, 0, _, _, _, 0, ..]) {
        return Some(Format::Image("ico"));
    }
    if at(0, b"RIFF") {
        return Some(if at(8, b"WEBP") { Format::Image("webp") } else { Format::Unknown("riff") });
    }
    if at(4, b"ftyp") {
        let is_picture = [&b"hei"[..], b"hev", b"mif", b"msf", b"avi"].iter().any(|brand| at(8, brand));
        return Some(if is_picture { Format::Image("heif") } else { Format::Unknown("video") });
    }
    // A bitmap's header says its own length, and its reserved octets are zero.
    if at(0, b"BM") && at(6, &[0, 0, 0, 0]) {
        return Some(Format::Image("bmp"));
    }
    // bzip2's first block, or its end where there is none.
    if at(0, b"BZh") && (at(4, b"\x31\x41\x59\x26\x53\x59") || at(4, b"\x17\x72\x45\x38\x50\x90")) {
        return Some(Format::Document(Kind::Bzip2));
    }
    (at(257, b"ustar") || documents::is_tar(bytes)).then_some(Format::Document(Kind::Tar))
}

/// Fields that are looked at to tell whether octets are mail.
const FIELDS: usize = 10_000;

/// Whether octets begin as an entity of mail does: with fields, some of which say what it is.
pub(super) fn is_entity(bytes: &[u8]) -> bool {
    let mut fields = super::fields::Fields::of(bytes).take(FIELDS).take_while(|field| !field.name.is_empty());
    fields.any(|field| ["content-type", "content-transfer-encoding", "mime-version"].iter().any(|name| field.is(name)))
}

/// Hardly any control characters, and no zeros.
pub(super) fn is_texty(bytes: &[u8]) -> bool {
    let few = if bytes.len() < 256 && !bytes.contains(&0) { 4 } else { 0 };
    controls(bytes, few.max(bytes.len() / 200)).is_some()
}

/// How many control characters there are; none: more than `most`, and nobody looked further.
fn controls(bytes: &[u8], most: usize) -> Option<usize> {
    let mut controls = 0;
    for block in bytes.chunks(128) {
        // One octet counts a block: the compiler looks at many at once.
        controls += usize::from(block.iter().fold(0u8, |odd, byte| odd + u8::from(is_control(*byte))));
        if controls > most {
            return None;
        }
    }
    Some(controls)
}

/// A control character that text has no use for.
const fn is_control(byte: u8) -> bool {
    // Tab, line feed, vertical tab, form feed and carriage return stand in a row.
    (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0D) && byte != 0x1B) || byte == 0x7F
}

/// A field that people write and one that only programmes write, before the first line that is none: a forwarded
/// message pasted as text has none of the latter.
fn is_message(start: &[u8]) -> bool {
    const USUAL: &[&str] = &["from", "to", "subject", "date"];
    const TECHNICAL: &[&str] = &["received", "return-path", "message-id", "mime-version", "content-type"];
    let among = |f: &super::fields::Field<'_>, names: &[&str]| names.iter().any(|name| f.is(name));
    let (mut usual, mut technical) = (false, false);
    for field in super::fields::Fields::of(start).take(FIELDS).take_while(|f| !f.name.is_empty()) {
        usual |= among(&field, USUAL);
        technical |= among(&field, TECHNICAL);
    }
    usual && technical
}

/// Whether a line begins so.
fn begins_within(bytes: &[u8], start: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, start).any(|at| at == 0 || bytes.get(at - 1) == Some(&b'\n'))
}

/// `begin 644 name` at the start of a line, as uuencode writes it.
fn has_uuencoded(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"begin ").any(|at| {
        let starts_line = at == 0 || bytes.get(at - 1) == Some(&b'\n');
        let mode = bytes.get(at + 6..at + 10).is_some_and(|m| m[..3].iter().all(|b| (b'0'..=b'7').contains(b)));
        starts_line && mode && data_follows(&bytes[at..])
    })
}

/// The first full line of uuencoded data begins with M; a short file's with a smaller length.
fn data_follows(text: &[u8]) -> bool {
    let line = memchr::memchr(b'\n', &text[..text.len().min(512)]).and_then(|end| text.get(end + 1));
    line.is_some_and(|b| (b'!'..=b'M').contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_by_its_start_stays_so_whatever_follows() {
        let mut noise = 1u32;
        let mut random = |octets: usize| -> Vec<u8> {
            let next = |_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            };
            (0..octets).map(next).collect()
        };
        let text = b"NHS number 943 476 5919\r\n".repeat(20_000);
        let signed = |magic: &[u8]| [magic, &text[..TELLING]].concat();
        let starts = [random(TELLING), signed(b"PK\x03\x04"), signed(b"%PDF-1.7"), signed(b"\xFF\xD8\xFF")];
        for start in starts {
            let whole = [start.clone(), text.clone()].concat();
            assert!(is_settled(&start, whole.len(), None));
            assert_eq!(of(&start, None), of(&whole, None));
        }
        let begins_binary = [random(2_000), text[..TELLING].to_vec()].concat();
        assert!(!is_settled(&begins_binary, 20_000_000, None), "so much text may follow that it is text");
        assert!(is_settled(&begins_binary, begins_binary.len() / 4, None));
        assert!(!is_settled(&text, text.len(), None) && !is_settled(b"PK\x03\x04", 4, None));
        assert!(!is_settled(&b"9\0".repeat(TELLING), 2 * TELLING, None), "UTF-16 is read");
    }

    #[test]
    fn content_is_known_by_its_octets() {
        assert_eq!(of(b"\x89PNG\r\n\x1A\nrest", None), Format::Image("png"));
        assert_eq!(of(b"junk %PDF-1.7 9434765919", None), Format::Document(Kind::Pdf));
        assert_eq!(of(b"PK\x03\x04\x14\0\0\0rest", None), Format::Document(Kind::Zip));
        assert_eq!(of(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", None), Format::Document(Kind::Ole));
        assert_eq!(of(&[&[0; 128][..], b"DICM"].concat(), None), Format::Dicom);
        assert_eq!(of(&[&b"II*\0"[..], &[0; 124], b"DICM"].concat(), None), Format::Dicom);
        assert_eq!(of(&[&b"\x01\0\0\0"[..], &[0; 36], b" EMF"].concat(), None), Format::Image("emf"));
        assert_eq!(of(b"\xD7\xCD\xC6\x9A\0\0rest", None), Format::Image("wmf"));
        assert_eq!(of(b"\x01\0\x09\0\0\x03rest", None), Format::Image("wmf"));
        assert_eq!(of(b"\x00\x01\x02binary\x00\x00", None), Format::Unknown("binary"));
        assert_eq!(of(b"9\x004\x003\x004\x00", None), Format::Text);
        assert_eq!(of("name;nhs\nJosé;943".as_bytes(), None), Format::Text);
        assert_eq!(of(b"  <html>", None), Format::Markup);
        assert_eq!(of(b"From: a@b\nMIME-Version: 1.0\n\nbody", None), Format::Message);
        assert_eq!(of(b"From: a@b\nSent: today\nSubject: pasted\n\nbody", None), Format::Text);
        assert_eq!(of(b"hello\nbegin 644 x.txt\nM86)C\nend\n", None), Format::Opaque("uuencode"));
        assert_eq!(of(b"we begin 644 things\nand go on", None), Format::Text);
        assert_eq!(of(b"{\\rt 943}", None), Format::Document(Kind::Rtf));
        assert_eq!(of(b"Hi,\n=ybegin line=128 size=23 name=a\nx", None), Format::Opaque("yenc"));
        assert_eq!(of(b"(This file must be converted with BinHex 4.0)\n:", None), Format::Opaque("binhex"));
        assert_eq!(of(b"see =ybegin line=128", None), Format::Text);
    }
}
