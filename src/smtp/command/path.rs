//! The path of MAIL and RCPT: where it ends, and which mailbox it names.
//!
//! Called by `command` only. Promises: a quoted `>` or blank does not end a path; a source route is read over, as
//! RFC 5321 4.1.1.3 wants. Fails by the reply for the client.

use crate::mail::{AddressError, Domain, Enhanced, Mailbox};
use crate::smtp::reply::Reply;

const BRACKETS: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "The address must stand in angle brackets");
const ROUTE: Reply = Reply::fixed(501, Enhanced(5, 1, 3), "The source route is not valid");

/// Divides `<path> parameters` into the two, without the brackets.
pub(super) fn split(text: &str) -> Result<(&str, &str), Reply> {
    let inner = text.strip_prefix('<').ok_or(BRACKETS)?;
    let end = closing(inner, b'>').ok_or(BRACKETS)?;
    let rest = &inner[end + 1..];
    if rest.is_empty() || rest.starts_with(' ') { Ok((&inner[..end], rest)) } else { Err(BRACKETS) }
}

/// Where `wanted` stands outside quotes.
fn closing(text: &str, wanted: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|b| {
        let found = !quoted && b == wanted;
        if b == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && b == b'\\' && !escaped;
        found
    })
}

pub(super) fn mailbox(path: &str) -> Result<Mailbox, Reply> {
    without_route(path)?.parse().map_err(|error: AddressError| {
        let code = match error {
            AddressError::Domain | AddressError::DomainTooLong | AddressError::Literal => Enhanced(5, 1, 2),
            _ => Enhanced(5, 1, 3),
        };
        Reply::new(501, code, format!("Bad address: {error}"))
    })
}

/// `@one,@two:user@three` is `user@three` (RFC 5321 appendix C).
fn without_route(path: &str) -> Result<&str, Reply> {
    if !path.starts_with('@') {
        return Ok(path);
    }
    let (route, mailbox) = path.split_once(':').ok_or(ROUTE)?;
    let good = route.split(',').all(|hop| hop.strip_prefix('@').is_some_and(|d| d.parse::<Domain>().is_ok()));
    if good { Ok(mailbox) } else { Err(ROUTE) }
}
