//! Cryptographic Message Syntax (RFC 5652) in BER: whether it is enveloped, signed with its content inside, or neither.
//!
//! Called by `leaf`. Promises: linear in the octets, whatever their lengths say; no recursion; the content of a signed message comes out
//! as its pieces are joined. Fails never: what does not fit the structure is `Other`.

use super::is_cipher_text;
use crate::clinical::transfer;
use memchr::memmem;

/// 1.2.840.113549.1.7.
const PKCS7: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07";
/// 1.2.840.113549.1.9.16.1.
const SMIME_CT: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01";
/// Levels of an octet string in pieces, and of what is passed over.
const DEEPEST: usize = 32;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const OCTETS_IN_PIECES: u8 = 0x24;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// What a ContentInfo is.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Cms {
    /// EnvelopedData or AuthEnvelopedData with recipients and cipher text.
    Enveloped,
    /// SignedData with the content that it signs.
    Signed(Vec<u8>),
    /// SignedData without: a detached signature, or certificates alone.
    Detached,
    /// Compressed, digested, or none that is well formed.
    Other,
}

/// Whether `bytes` are a ContentInfo, and of what; at most `room` octets of content.
pub(in super::super) fn cms(bytes: &[u8], room: usize) -> Option<Cms> {
    let outer = Element::of(bytes).filter(|outer| outer.tag == SEQUENCE)?;
    let kind = Element::of(outer.content).filter(|kind| kind.tag == OID)?;
    let number = content_type(kind.content)?;
    let inner = Element::of(kind.rest).filter(|inner| inner.tag == 0xA0).and_then(|inner| Element::of(inner.content));
    let Some(inner) = inner.filter(|inner| inner.tag == SEQUENCE) else { return Some(Cms::Other) };
    let is_whole = is_whole(bytes);
    Some(match number {
        Type::Signed => signed(inner.content, room),
        Type::Enveloped if is_whole && is_enveloped(inner.content) => Cms::Enveloped,
        Type::Enveloped | Type::Another => Cms::Other,
    })
}

/// Whether octets are one element, with all that it promises and nothing behind it.
pub(in super::super) fn is_whole(bytes: &[u8]) -> bool {
    // Transport may add an end of line; anything more may be text.
    let adds_nothing = |rest: &[u8]| rest.len() <= 4 && rest.iter().all(u8::is_ascii_whitespace);
    Element::of(bytes).is_some_and(|outer| outer.is_whole && adds_nothing(outer.rest))
}

/// Whether octets begin as a ContentInfo does.
pub(in super::super) fn looks_like(bytes: &[u8]) -> bool {
    let head = Head::of(bytes).filter(|head| head.tag == SEQUENCE);
    let kind = head.and_then(|head| Element::of(bytes.get(head.len..)?)).filter(|kind| kind.tag == OID);
    kind.is_some_and(|kind| content_type(kind.content).is_some())
}

/// The octets of a PEM block (RFC 7468), when the text is one.
pub(in super::super) fn pem(text: &[u8]) -> Option<Vec<u8>> {
    let start = memmem::find(text, b"-----BEGIN ")?;
    let body = text.get(start + 11..)?;
    let body = body.get(memchr::memchr(b'\n', body)? + 1..)?;
    let end = memmem::find(body, b"-----END ")?;
    Some(transfer::base64(body.get(..end)?, end).bytes)
}

enum Type {
    Enveloped,
    Signed,
    Another,
}

fn content_type(oid: &[u8]) -> Option<Type> {
    if let Some(last) = oid.strip_prefix(PKCS7) {
        return Some(match last {
            [2] => Type::Signed,
            [3] => Type::Enveloped,
            _ => Type::Another,
        });
    }
    Some(match oid.strip_prefix(SMIME_CT)? {
        // id-ct-authEnvelopedData (RFC 5083 2.1).
        [23] => Type::Enveloped,
        _ => Type::Another,
    })
}

/// RFC 5652 6.1, RFC 5083 2.1: version, perhaps originator information, recipients, and encrypted content.
fn is_enveloped(content: &[u8]) -> bool {
    let Some(version) = Element::of(content).filter(|e| e.tag == INTEGER && e.content.len() == 1) else { return false };
    let Some(mut next) = Element::of(version.rest) else { return false };
    if next.tag == 0xA0 {
        let Some(behind) = Element::of(next.rest) else { return false };
        next = behind;
    }
    let recipients =
        Some(next).filter(|set| set.tag == SET).and_then(|set| Some((Element::of(set.content)?, set.rest)));
    let Some((first, behind)) = recipients else { return false };
    let is_recipient = first.tag == SEQUENCE || (0xA1..=0xA4).contains(&first.tag);
    is_recipient && Element::of(behind).is_some_and(|info| info.tag == SEQUENCE && has_cipher_text(info.content))
}

/// EncryptedContentInfo (RFC 5652 6.1): type, algorithm, [0] IMPLICIT octets.
fn has_cipher_text(info: &[u8]) -> bool {
    let kind = Element::of(info).filter(|e| e.tag == OID);
    let algorithm = kind.and_then(|kind| Element::of(kind.rest)).filter(|e| e.tag == SEQUENCE);
    let has_name = algorithm.is_some_and(|a| Element::of(a.content).is_some_and(|name| name.tag == OID));
    let octets = algorithm.and_then(|algorithm| Element::of(algorithm.rest));
    has_name
        && octets.is_some_and(|o| matches!(o.tag, 0x80 | 0xA0) && !o.content.is_empty() && is_cipher_text(o.content))
}

/// RFC 5652 5.1: version, digest algorithms, the content with its type.
fn signed(content: &[u8], room: usize) -> Cms {
    let info = Element::of(content)
        .filter(|version| version.tag == INTEGER)
        .and_then(|version| Element::of(version.rest))
        .filter(|digests| digests.tag == SET)
        .and_then(|digests| Element::of(digests.rest))
        .filter(|info| info.tag == SEQUENCE);
    let Some(kind) = info.and_then(|info| Element::of(info.content)).filter(|kind| kind.tag == OID) else {
        return Cms::Other;
    };
    match Element::of(kind.rest) {
        None => Cms::Detached,
        Some(explicit) if explicit.tag == 0xA0 => joined(explicit.content, room).map_or(Cms::Other, Cms::Signed),
        Some(_) => Cms::Other,
    }
}

/// The octets of an octet string, whole or in pieces (X.690 8.7.3).
fn joined(bytes: &[u8], room: usize) -> Option<Vec<u8>> {
    let (mut out, mut open, mut is_first) = (Vec::new(), vec![bytes], true);
    while let Some(rest) = open.pop() {
        let Some(piece) = Element::of(rest) else { continue };
        // Behind the string itself there is nothing to read.
        if !is_first {
            open.push(piece.rest);
        }
        is_first = false;
        match piece.tag {
            OCTETS => {
                let fitting = piece.content.len().min(room.saturating_sub(out.len()));
                out.extend_from_slice(piece.content.get(..fitting)?);
            }
            OCTETS_IN_PIECES if open.len() < DEEPEST => open.push(piece.content),
            _ => return None,
        }
    }
    (!is_first).then_some(out)
}

/// One element of BER (X.690 8.1) with a tag of one octet.
#[derive(Debug, Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
    /// All the octets that it promises are there.
    is_whole: bool,
}

impl<'a> Element<'a> {
    /// The first element; nothing at the end, or where an indefinite length ends.
    fn of(bytes: &'a [u8]) -> Option<Element<'a>> {
        let head = Head::of(bytes)?;
        if head.tag == 0 || head.tag & 0x1F == 0x1F {
            return None;
        }
        let behind = bytes.get(head.len..)?;
        if let Some(len) = head.content {
            let end = len.min(behind.len());
            let (content, rest) = behind.split_at(end);
            return Some(Element { tag: head.tag, content, rest, is_whole: len == end });
        }
        let end = indefinite(behind);
        let content = behind.get(..end.unwrap_or(behind.len()))?;
        let rest = behind.get(end.map_or(behind.len(), |end| end.saturating_add(2))..).unwrap_or_default();
        Some(Element { tag: head.tag, content, rest, is_whole: end.is_some() })
    }
}

/// Tag and length.
struct Head {
    tag: u8,
    /// Octets of both.
    len: usize,
    /// None: indefinite.
    content: Option<usize>,
}

impl Head {
    fn of(bytes: &[u8]) -> Option<Head> {
        let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
        if first < 0x80 {
            return Some(Head { tag, len: 2, content: Some(usize::from(first)) });
        }
        let count = usize::from(first & 0x7F);
        if count == 0 {
            return Some(Head { tag, len: 2, content: None });
        }
        let octets = bytes.get(2..2 + count).filter(|_| count <= 8)?;
        let len = octets.iter().fold(0usize, |len, byte| len.saturating_mul(256).saturating_add(usize::from(*byte)));
        Some(Head { tag, len: 2 + count, content: Some(len) })
    }
}

/// Where the content of an indefinite length ends (X.690 8.1.5): before two zeros that close it and nothing inside it.
fn indefinite(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0usize, 1usize);
    loop {
        let head = Head::of(bytes.get(at..)?)?;
        match head.content {
            Some(0) if head.tag == 0 => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
                at += 2;
            }
            Some(len) => at = at.saturating_add(head.len).saturating_add(len),
            None => {
                open += 1;
                at += head.len;
            }
        }
    }
}
