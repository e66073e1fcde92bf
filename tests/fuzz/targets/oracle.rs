//! What we understand against what smtp-proto, a parser that is not ours, understands of the same octets.
//!
//! Only what both accept is compared: what is refused goes nowhere. Every disagreement is in `KNOWN` with its reason and an
//! example that shows it still exists; any other fails.

use super::text;
use mailward::mail::{Body, Domain, Mailbox, Notify, Ret};
use mailward::smtp::command::{self, Addressee, Command, Marker};
use mailward::smtp::data::{Decoder, End};
use mailward::smtp::reply::{self, Parsed};
use smtp_proto::request::receiver::DataReceiver;
use smtp_proto::response::parser::ResponseReceiver;
use smtp_proto::{self as proto, Request};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What one side read, field by field.
type Fields = BTreeMap<&'static str, String>;

/// A disagreement that is understood.
pub struct Known {
    pub fields: &'static [&'static str],
    /// Input that shows it.
    pub example: &'static str,
    /// Who is right, and why it stays.
    pub why: &'static str,
    excuses: fn(&Sides<'_>) -> bool,
}

/// Both readings of one field.
struct Sides<'a> {
    input: &'a str,
    ours: &'a str,
    theirs: &'a str,
}

pub const KNOWN_COMMANDS: &[Known] = &[Known {
    fields: &["host", "orcpt", "envid"],
    example: "EHLO mx.example\t",
    why: "RFC 5321 4.1.1: white space at the end is tolerated; they take a tab into the last word",
    excuses: |s| s.ours == s.theirs.trim_end_matches('\t'),
}];

pub const KNOWN_REPLIES: &[Known] = &[
    Known {
        fields: &["enhanced"],
        example: "550 2.0.0 no\r\n",
        why: "RFC 2034 4: a code of another class than the reply's is text for us, and a code for them",
        excuses: |s| s.ours.is_empty() || s.input.contains('\n'),
    },
    Known {
        fields: &["lines"],
        example: "421 4.7\n",
        why: "they put the LF of a line that ends within what might be an enhanced code into the text",
        excuses: |s| s.input.split('\n').any(|line| line.get(4..).is_some_and(is_part_of_a_code)),
    },
];

fn is_part_of_a_code(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.' || octet == b'\r')
}

/// A command line.
pub fn command(bytes: &[u8]) {
    let line = text(bytes).replace(['\r', '\n', '\0'], "");
    compare(&line, our_command(&line), their_command(&line), KNOWN_COMMANDS);
}

/// A reply.
pub fn reply(bytes: &[u8]) {
    let text = text(bytes);
    compare(&text, our_reply(text.as_bytes()), their_reply(text.as_bytes()), KNOWN_REPLIES);
}

fn compare(input: &str, ours: Option<Fields>, theirs: Option<Fields>, known: &[Known]) {
    for (field, ours, theirs) in disagreements(ours, theirs) {
        let sides = Sides { input, ours: &ours, theirs: &theirs };
        let excused = known.iter().any(|row| row.fields.contains(&field) && (row.excuses)(&sides));
        assert!(excused, "{field} of {input:?}: we read {ours:?}, smtp-proto {theirs:?}");
    }
}

fn disagreements(ours: Option<Fields>, theirs: Option<Fields>) -> Vec<(&'static str, String, String)> {
    let (Some(ours), Some(mut theirs)) = (ours, theirs) else { return Vec::new() };
    let both = ours.into_iter().map(|(field, ours)| (field, ours, theirs.remove(field).unwrap_or_default()));
    both.filter(|(_, ours, theirs)| ours != theirs).collect()
}

/// Whether a row's example still shows its disagreement.
pub fn is_shown(row: &Known) -> bool {
    let found = if row.example.ends_with('\n') {
        disagreements(our_reply(row.example.as_bytes()), their_reply(row.example.as_bytes()))
    } else {
        disagreements(our_command(row.example), their_command(row.example))
    };
    found.iter().any(|(field, ours, theirs)| {
        row.fields.contains(field) && (row.excuses)(&Sides { input: row.example, ours, theirs })
    })
}

fn our_command(line: &str) -> Option<Fields> {
    let mut fields = Fields::new();
    let verb = match command::parse(line).ok()? {
        Command::Ehlo(host) => {
            fields.insert("host", host.into());
            "EHLO"
        }
        Command::Helo(host) => {
            fields.insert("host", host.into());
            "HELO"
        }
        Command::Mail(sender) => {
            fields.insert("address", sender.reverse_path.mailbox().map(plain).unwrap_or_default());
            fields.insert("size", sender.size.unwrap_or_default().to_string());
            fields.insert("8bit", (sender.body == Body::EightBitMime).to_string());
            fields.insert("utf8", sender.smtputf8.to_string());
            fields.insert("requiretls", sender.require_tls.to_string());
            fields.insert("full", (sender.ret == Some(Ret::Full)).to_string());
            fields.insert("headers", (sender.ret == Some(Ret::Headers)).to_string());
            fields.insert("envid", sender.envid.as_deref().map(unxtext).unwrap_or_default());
            "MAIL"
        }
        Command::Rcpt(forward) => {
            let address = match &forward.to {
                Addressee::Postmaster => String::new(),
                Addressee::Mailbox(mailbox) => plain(mailbox),
            };
            fields.insert("address", address);
            fields.insert("notify", forward.notify.map(Notify::as_parameter).unwrap_or_default());
            let orcpt = forward.orcpt.as_deref().and_then(|o| o.split_once(';'));
            fields.insert("orcpt", orcpt.map(|(_, address)| unxtext(address)).unwrap_or_default());
            "RCPT"
        }
        Command::Bdat(octets, marker) if marker != Marker::Unknown => {
            fields.insert("octets", octets.to_string());
            fields.insert("last", (marker == Marker::Last).to_string());
            "BDAT"
        }
        Command::Expn => "EXPN",
        Command::Data => "DATA",
        Command::Rset => "RSET",
        Command::Noop => "NOOP",
        Command::Quit => "QUIT",
        Command::Vrfy => "VRFY",
        Command::Help => "HELP",
        Command::StartTls => "STARTTLS",
        _ => return None,
    };
    fields.insert("verb", verb.to_owned());
    Some(fields)
}

fn their_command(line: &str) -> Option<Fields> {
    let wire = format!("{line}\r\n");
    let request = Request::parse(&mut wire.as_bytes().iter()).ok()?;
    let mut fields = Fields::from([("verb", request.name().to_owned())]);
    match request {
        Request::Ehlo { host } | Request::Helo { host } => {
            fields.insert("host", host.into_owned());
        }
        Request::Mail { from } => {
            fields.insert("address", canonical(&from.address));
            fields.insert("size", from.size.to_string());
            for (field, flag) in [
                ("8bit", proto::MAIL_BODY_8BITMIME),
                ("utf8", proto::MAIL_SMTPUTF8),
                ("requiretls", proto::MAIL_REQUIRETLS),
                ("full", proto::MAIL_RET_FULL),
                ("headers", proto::MAIL_RET_HDRS),
            ] {
                fields.insert(field, (from.flags & flag != 0).to_string());
            }
            fields.insert("envid", from.env_id.map(Cow::into_owned).unwrap_or_default());
        }
        Request::Bdat { chunk_size, is_last } => {
            fields.insert("octets", chunk_size.to_string());
            fields.insert("last", is_last.to_string());
        }
        Request::Rcpt { to } => {
            fields.insert("address", canonical(&to.address));
            fields.insert("notify", their_notify(to.flags));
            fields.insert("orcpt", to.orcpt.map(Cow::into_owned).unwrap_or_default());
        }
        _ => {}
    }
    Some(fields)
}

fn their_notify(flags: u64) -> String {
    let has = |flag| flags & flag != 0;
    let notify = Notify {
        success: has(proto::RCPT_NOTIFY_SUCCESS),
        failure: has(proto::RCPT_NOTIFY_FAILURE),
        delay: has(proto::RCPT_NOTIFY_DELAY),
    };
    let given = has(proto::RCPT_NOTIFY_NEVER) || notify != Notify::NEVER;
    if given { notify.as_parameter() } else { String::new() }
}

/// As smtp-proto shows a mailbox: without quotes and without the backslashes of escapes.
fn plain(mailbox: &Mailbox) -> String {
    let local = mailbox.local();
    let inner = local.strip_prefix('"').and_then(|l| l.strip_suffix('"')).unwrap_or(local);
    let mut escaped = false;
    let unescaped = inner.chars().filter(|c| {
        escaped = *c == '\\' && !escaped;
        !escaped
    });
    format!("{}@{}", unescaped.collect::<String>(), mailbox.domain())
}

/// Their address with its domain as we compare domains: A-labels in lower case, without a trailing dot.
fn canonical(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            format!("{local}@{}", domain.parse::<Domain>().map_or_else(|_| domain.to_owned(), |d| d.to_string()))
        }
        None => address.to_owned(),
    }
}

/// RFC 3461 4, of text that is known to be xtext.
fn unxtext(text: &str) -> String {
    let mut pieces = text.split('+');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (hex, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        out.extend(u8::from_str_radix(hex, 16).ok().map(char::from));
        out.push_str(rest);
    }
    out
}

fn our_reply(bytes: &[u8]) -> Option<Fields> {
    let Parsed::Reply { reply, consumed } = reply::parse(bytes) else { return None };
    Some(Fields::from([
        ("code", reply.code.to_string()),
        ("consumed", consumed.to_string()),
        ("enhanced", reply.enhanced.map(|e| e.to_string()).unwrap_or_default()),
        ("lines", reply.lines().count().to_string()),
    ]))
}

fn their_reply(bytes: &[u8]) -> Option<Fields> {
    let mut rest = bytes.iter();
    let response = ResponseReceiver::default().parse(&mut rest).ok()?;
    let [class, subject, detail] = response.esc;
    let enhanced = if class == 0 { String::new() } else { format!("{class}.{subject}.{detail}") };
    Some(Fields::from([
        ("code", response.code.to_string()),
        ("consumed", (bytes.len() - rest.as_slice().len()).to_string()),
        ("enhanced", enhanced),
        ("lines", response.message.split('\n').count().to_string()),
    ]))
}

/// A message that ends, and is clean: both take the same text and leave the same rest. What is not clean we refuse.
pub fn data(bytes: &[u8]) {
    let Some((ours, consumed)) =
        our_data(bytes).filter(|_| !KNOWN_DATA.iter().any(|(known, _)| bytes.starts_with(known)))
    else {
        return;
    };
    assert_eq!(their_data(bytes), Some((ours, consumed)));
}

/// How a message begins that smtp-proto reads otherwise, and why we are right.
pub const KNOWN_DATA: &[(&[u8], &str)] =
    &[(b".", "RFC 5321 4.1.1.4, 4.5.2: the first line begins behind a CRLF too, so its dot is stuffing or the end")];

/// Whether a message of which we read the same would still be read otherwise there.
pub fn is_data_shown(start: &[u8]) -> bool {
    let message = [start, b"\r\n.\r\n"].concat();
    our_data(&message) != their_data(&message)
}

fn our_data(bytes: &[u8]) -> Option<(String, usize)> {
    let mut text = Vec::new();
    let progress = Decoder::new(u64::MAX).feed(bytes, &mut text);
    (progress.end == Some(End::Complete)).then(|| (text.escape_ascii().to_string(), progress.consumed))
}

fn their_data(bytes: &[u8]) -> Option<(String, usize)> {
    let (mut text, mut rest) = (Vec::new(), bytes.iter());
    let ended = DataReceiver::new().ingest(&mut rest, &mut text);
    ended.then(|| (text.escape_ascii().to_string(), bytes.len() - rest.as_slice().len()))
}
