//! The parameters behind a path: each known, at most once, and with a value of its own form.
//!
//! Called by `command` only. Promises: xtext stays as it was written and is strict (RFC 3461 4), so that it can be sent
//! on as it is. Fails by the reply for the client.

use crate::mail::{Body, Enhanced, Notify, Ret};
use crate::smtp::reply::Reply;

const FORM: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "A parameter is not well formed");
const TWICE: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "A parameter is given twice");
const SIZE: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "SIZE must be a number of octets");
const BODY: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "BODY must be 7BIT or 8BITMIME");
const RET: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "RET must be FULL or HDRS");
const ENVID: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "ENVID must be xtext of at most 100 characters");
const AUTH: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "AUTH must be xtext of at most 500 characters");
const NOTIFY: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "NOTIFY must be NEVER or a list of SUCCESS, FAILURE, DELAY");
const ORCPT: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "ORCPT must be a type and xtext of at most 500 characters");

/// The parameters not yet understood.
pub(super) struct Parameters<'a> {
    given: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Parameters<'a> {
    pub(super) fn of(text: &'a str) -> Result<Parameters<'a>, Reply> {
        let mut given: Vec<(&str, Option<&str>)> = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let (keyword, value) = match word.split_once('=') {
                Some((keyword, value)) => (keyword, Some(value)),
                None => (word, None),
            };
            if !is_keyword(keyword) || value == Some("") {
                return Err(FORM);
            }
            if given.iter().any(|(known, _)| known.eq_ignore_ascii_case(keyword)) {
                return Err(TWICE);
            }
            given.push((keyword, value));
        }
        Ok(Parameters { given })
    }

    /// The value of a parameter that must have one; nothing for a value makes the value's own check fail.
    pub(super) fn take(&mut self, keyword: &str) -> Option<&'a str> {
        self.remove(keyword).map(Option::unwrap_or_default)
    }

    /// A parameter without a value; `otherwise` is the reply to one with a value.
    pub(super) fn take_flag(&mut self, keyword: &str, otherwise: Reply) -> Result<bool, Reply> {
        match self.remove(keyword) {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(_)) => Err(otherwise),
        }
    }

    fn remove(&mut self, keyword: &str) -> Option<Option<&'a str>> {
        let at = self.given.iter().position(|(known, _)| known.eq_ignore_ascii_case(keyword))?;
        Some(self.given.swap_remove(at).1)
    }

    /// RFC 5321 4.1.1.11: what we did not offer is refused, for passing over it would break what it asks for.
    pub(super) fn none_left(self) -> Result<(), Reply> {
        match self.given.first() {
            None => Ok(()),
            Some((keyword, _)) => Err(not_offered(&keyword.to_ascii_uppercase())),
        }
    }
}

/// A parameter that EHLO did not announce.
pub(in crate::smtp) fn not_offered(keyword: &str) -> Reply {
    Reply::new(555, Enhanced(5, 5, 4), format!("The parameter {keyword} is not offered here"))
}

/// RFC 5321 4.1.2 `esmtp-keyword`.
fn is_keyword(word: &str) -> bool {
    !word.is_empty() && !word.starts_with('-') && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// RFC 1870 3: up to twenty digits.
pub(super) fn size(value: &str) -> Result<u64, Reply> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|_| digits).ok_or(SIZE)
}

pub(super) fn body(value: &str) -> Result<Body, Reply> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(Body::SevenBit),
        "8BITMIME" => Ok(Body::EightBitMime),
        _ => Err(BODY),
    }
}

pub(super) fn ret(value: &str) -> Result<Ret, Reply> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(Ret::Full),
        "HDRS" => Ok(Ret::Headers),
        _ => Err(RET),
    }
}

pub(super) fn envid(value: &str) -> Result<String, Reply> {
    if value.len() <= 100 && is_xtext(value) { Ok(value.to_owned()) } else { Err(ENVID) }
}

pub(super) fn auth(value: &str) -> Result<String, Reply> {
    if value.len() <= 500 && is_xtext(value) { Ok(value.to_owned()) } else { Err(AUTH) }
}

pub(super) fn notify(value: &str) -> Result<Notify, Reply> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(Notify::NEVER);
    }
    let mut notify = Notify::NEVER;
    for word in value.split(',') {
        let event = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut notify.success,
            "FAILURE" => &mut notify.failure,
            "DELAY" => &mut notify.delay,
            _ => return Err(NOTIFY),
        };
        *event = true;
    }
    Ok(notify)
}

pub(super) fn orcpt(value: &str) -> Result<String, Reply> {
    let (kind, address) = value.split_once(';').ok_or(ORCPT)?;
    // RFC 6533 3: in a message with SMTPUTF8, characters outside ASCII stand as they are; the session asks for that.
    let bare = |c: char| kind.eq_ignore_ascii_case("utf-8") && !c.is_ascii() && !c.is_control();
    let good = value.len() <= 500 && is_keyword(kind) && is_xtext(&address.replace(bare, "x"));
    if good { Ok(value.to_owned()) } else { Err(ORCPT) }
}

/// RFC 3461 4: `+` and two upper-case hexadecimal digits, or a graphic character that is neither `+` nor `=`; and what it
/// stands for is printable (4.2, 4.4), so that it cannot break a report's line.
fn is_xtext(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = match first {
            b'+' => match tail {
                [high @ b'2'..=b'7', low @ (b'0'..=b'9' | b'A'..=b'F'), tail @ ..] if (*high, *low) != (b'7', b'F') => {
                    tail
                }
                _ => return false,
            },
            b'=' => return false,
            b if b.is_ascii_graphic() => tail,
            _ => return false,
        };
    }
    !text.is_empty()
}
