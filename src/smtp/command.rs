//! One command line: what the client asks for, or the reply that says why it is no command.
//!
//! Called by `smtp::server` with a line that is UTF-8, within the limit, and free of CR, LF and NUL. Promises: an address
//! that comes out prints as one that cannot break out of a path; parameters are understood strictly or refused, never
//! passed over. Fails by a finished `Reply` with its enhanced code.

pub(super) mod parameters;
mod path;

use super::reply::Reply;
use crate::mail::{Body, Enhanced, Mailbox, Notify, Ret, ReversePath};
use parameters::Parameters;
use std::fmt;

/// What MAIL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub reverse_path: ReversePath,
    /// As the client declares it (RFC 1870), never to be relied on.
    pub size: Option<u64>,
    pub body: Body,
    pub smtputf8: bool,
    pub ret: Option<Ret>,
    pub envid: Option<String>,
    /// Who the client says submitted the message (RFC 4954 5): xtext, believed by nobody and passed on to nobody.
    pub auth: Option<String>,
    /// RFC 8689 2: to be passed on over proved TLS only.
    pub require_tls: bool,
}

/// What RCPT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    pub to: Addressee,
    pub notify: Option<Notify>,
    pub orcpt: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    Mailbox(Mailbox),
    /// `<Postmaster>` without a domain: this host's own (RFC 5321 4.5.1).
    Postmaster,
}

/// What a client gives with AUTH, in Base64: it may hold a password, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Given(Box<str>);

impl Given {
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

/// What stands behind the size of a chunk (RFC 3030 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    More,
    Last,
    /// Something else. The octets follow nevertheless.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Ehlo(Box<str>),
    Helo(Box<str>),
    Mail(Box<Sender>),
    Rcpt(Box<Forward>),
    Data,
    /// So many octets of the message follow.
    Bdat(u64, Marker),
    /// BDAT without a number: nobody knows where the next command begins.
    Adrift,
    /// A mechanism by its name, and the answer to a challenge that is not waited for.
    Auth(Box<str>, Option<Given>),
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    StartTls,
    /// The first word of another protocol: a browser was led here.
    Foreign,
}

const UNKNOWN: Reply = Reply::fixed(500, Enhanced(5, 5, 1), "Command not recognised");
const NO_ARGUMENT: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "This command takes no argument");
const ARGUMENT_NEEDED: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "This command needs an argument");
const NAME: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Give your host name or an address literal");
const MAIL_FORM: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Write MAIL FROM:<address>");
const RCPT_FORM: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Write RCPT TO:<address>");
const AUTH_FORM: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Write AUTH mechanism, or AUTH mechanism response");
const FLAG: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "SMTPUTF8 takes no value");
/// RFC 8689 2, item 4.
const REQUIRE_TLS: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "REQUIRETLS takes no value");
const NO_RECIPIENT: Reply = Reply::fixed(501, Enhanced(5, 1, 3), "The recipient is empty");

/// Understands one line without its CRLF.
///
/// # Errors
/// The reply for the client.
pub fn parse(line: &str) -> Result<Command, Reply> {
    let line = line.trim_end_matches([' ', '\t']);
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_start_matches(' ');
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => host_name(rest).map(Command::Ehlo),
        "HELO" => host_name(rest).map(Command::Helo),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => alone(rest, Command::Data),
        "BDAT" => Ok(bdat(rest)),
        "AUTH" => auth(rest),
        "RSET" => alone(rest, Command::Rset),
        "QUIT" => alone(rest, Command::Quit),
        "STARTTLS" => alone(rest, Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if rest.is_empty() => Err(ARGUMENT_NEEDED),
        "VRFY" => Ok(Command::Vrfy),
        "EXPN" => Ok(Command::Expn),
        "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" => Ok(Command::Foreign),
        _ => Err(UNKNOWN),
    }
}

fn alone(rest: &str, command: Command) -> Result<Command, Reply> {
    if rest.is_empty() { Ok(command) } else { Err(NO_ARGUMENT) }
}

/// RFC 3030 2. A size that is a number is believed whatever else is wrong, for so many octets are no commands.
fn bdat(rest: &str) -> Command {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let digits = words.next().filter(|word| word.bytes().all(|b| b.is_ascii_digit()));
    let Some(octets) = digits.and_then(|word| word.parse().ok()) else { return Command::Adrift };
    let marker = match (words.next(), words.next()) {
        (None, _) => Marker::More,
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => Marker::Last,
        _ => Marker::Unknown,
    };
    Command::Bdat(octets, marker)
}

/// RFC 4954 4
fn auth(rest: &str) -> Result<Command, Reply> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Err(ARGUMENT_NEEDED),
        (Some(mechanism), initial, None) => Ok(Command::Auth(mechanism.into(), initial.map(|i| Given(i.into())))),
        _ => Err(AUTH_FORM),
    }
}

/// RFC 5321 4.1.1.1, as lenient as the world is: any one word that cannot disturb a Received field.
fn host_name(word: &str) -> Result<Box<str>, Reply> {
    let harmless = |b: u8| b.is_ascii_graphic() && !b"()<>\"\\;,".contains(&b);
    if (1..=255).contains(&word.len()) && word.bytes().all(harmless) { Ok(word.into()) } else { Err(NAME) }
}

fn mail(rest: &str) -> Result<Command, Reply> {
    let (path, rest) = path::split(after_keyword(rest, "FROM:").ok_or(MAIL_FORM)?)?;
    let mut given = Parameters::of(rest)?;
    let sender = Sender {
        reverse_path: if path.is_empty() { ReversePath::Null } else { ReversePath::Mailbox(path::mailbox(path)?) },
        size: given.take("SIZE").map(parameters::size).transpose()?,
        body: given.take("BODY").map(parameters::body).transpose()?.unwrap_or_default(),
        smtputf8: given.take_flag("SMTPUTF8", FLAG)?,
        ret: given.take("RET").map(parameters::ret).transpose()?,
        envid: given.take("ENVID").map(parameters::envid).transpose()?,
        auth: given.take("AUTH").map(parameters::auth).transpose()?,
        require_tls: given.take_flag("REQUIRETLS", REQUIRE_TLS)?,
    };
    given.none_left()?;
    Ok(Command::Mail(Box::new(sender)))
}

fn rcpt(rest: &str) -> Result<Command, Reply> {
    let (path, rest) = path::split(after_keyword(rest, "TO:").ok_or(RCPT_FORM)?)?;
    let mut given = Parameters::of(rest)?;
    let to = match path {
        "" => return Err(NO_RECIPIENT),
        path if path.eq_ignore_ascii_case("postmaster") => Addressee::Postmaster,
        path => Addressee::Mailbox(path::mailbox(path)?),
    };
    let forward = Forward {
        to,
        notify: given.take("NOTIFY").map(parameters::notify).transpose()?,
        orcpt: given.take("ORCPT").map(parameters::orcpt).transpose()?,
    };
    given.none_left()?;
    Ok(Command::Rcpt(Box::new(forward)))
}

/// What follows `FROM:` or `TO:`. Blanks behind the colon are wrong and common.
fn after_keyword<'a>(rest: &'a str, keyword: &str) -> Option<&'a str> {
    let (word, rest) = rest.split_at_checked(keyword.len())?;
    word.eq_ignore_ascii_case(keyword).then(|| rest.trim_start_matches(' '))
}

#[cfg(test)]
mod tests;
