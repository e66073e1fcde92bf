//! What the session itself says, in one place.
//!
//! Called by `server` only. Promises: an enhanced code on every 2xx, 4xx and 5xx but greeting and EHLO (RFC 2034 3), and a
//! sentence that says what to do.

use super::login::Login;
use super::{Auth, Ending, RequireTls, Settings, StartTls};
use crate::mail::Enhanced;
use crate::smtp::Security;
use crate::smtp::reply::Reply;

const fn say(code: u16, enhanced: Enhanced, text: &'static str) -> Reply {
    Reply::fixed(code, enhanced, text)
}

pub(super) const SENDER_OK: Reply = say(250, Enhanced(2, 1, 0), "Sender ok");
pub(super) const RECIPIENT_OK: Reply = say(250, Enhanced(2, 1, 5), "Recipient ok");
pub(super) const RESET: Reply = say(250, Enhanced(2, 0, 0), "Reset");
pub(super) const NOOP: Reply = say(250, Enhanced(2, 0, 0), "Ok");
pub(super) const VRFY: Reply = say(252, Enhanced(2, 1, 5), "Cannot verify the address; send mail to it to find out");
pub(super) const EXPN: Reply = say(502, Enhanced(5, 5, 1), "Lists are not expanded here");
pub(super) const HELP: Reply = say(214, Enhanced(2, 0, 0), "This is a mail gateway; RFC 5321 says how to talk to it");
pub(super) const START_TLS: Reply = say(220, Enhanced(2, 0, 0), "Ready to start TLS");
pub(super) const LOGGED_IN: Reply = say(235, Enhanced(2, 7, 0), "Logged in");
pub(super) const BYE: Reply = say(221, Enhanced(2, 0, 0), "Goodbye");

pub(super) const TOO_MANY_ERRORS: Reply = say(421, Enhanced(4, 7, 0), "Too many errors; closing the connection");
pub(super) const TOO_MANY_COMMANDS: Reply =
    say(421, Enhanced(4, 7, 0), "Too many commands without a message; closing the connection");
pub(super) const TOO_MANY_LOGINS: Reply =
    say(421, Enhanced(4, 7, 0), "Too many refused logins; closing the connection");
pub(super) const HOPELESS_LINE: Reply = say(421, Enhanced(4, 7, 0), "A line without end; closing the connection");
pub(super) const FOREIGN: Reply = say(421, Enhanced(4, 7, 0), "This is a mail server; closing the connection");
pub(super) const NOT_ASKED: Reply = say(451, Enhanced(4, 3, 0), "A fault of this server; try again later");
pub(super) const TOO_MANY_RECIPIENTS: Reply =
    say(452, Enhanced(4, 5, 3), "Too many recipients; send the others in another transaction");

pub(super) const LONG_LINE: Reply = say(500, Enhanced(5, 5, 2), "The line is too long");
pub(super) const LONG_ANSWER: Reply = say(500, Enhanced(5, 5, 6), "The answer to AUTH is too long");
pub(super) const NOT_BASE64: Reply = say(501, Enhanced(5, 5, 2), "That is not Base64 of UTF-8");
pub(super) const NOT_CREDENTIALS: Reply =
    say(501, Enhanced(5, 5, 2), "That is no name and password for this mechanism");
pub(super) const AUTH_CANCELLED: Reply = say(501, Enhanced(5, 7, 0), "AUTH is cancelled");
pub(super) const NO_AUTH_HERE: Reply = say(502, Enhanced(5, 5, 1), "AUTH is not offered here");
pub(super) const AUTH_TWICE: Reply = say(503, Enhanced(5, 5, 1), "You are logged in already");
pub(super) const AUTH_IN_TRANSACTION: Reply =
    say(503, Enhanced(5, 5, 1), "AUTH does not belong into a transaction; say RSET first");
pub(super) const NO_SUCH_MECHANISM: Reply = say(504, Enhanced(5, 5, 4), "AUTH knows PLAIN and LOGIN here");
pub(super) const REQUIRE_TLS_NEEDS_TLS: Reply =
    say(530, Enhanced(5, 7, 0), "REQUIRETLS is asked for inside TLS only: say STARTTLS first");
pub(super) const AUTH_NEEDS_TLS: Reply = say(538, Enhanced(5, 7, 11), "Log in inside TLS only: say STARTTLS first");
pub(super) const BARE_IN_COMMAND: Reply =
    say(500, Enhanced(5, 5, 2), "A command ends in CR LF and holds no CR, LF or NUL of its own");
pub(super) const NOT_UTF8: Reply = say(500, Enhanced(5, 5, 2), "The command is not valid UTF-8");
pub(super) const CHUNK_WITHOUT_SIZE: Reply = say(
    501,
    Enhanced(5, 5, 4),
    "Write BDAT size or BDAT size LAST; closing the connection, for what follows is no command",
);
pub(super) const CHUNK_FORM: Reply = say(501, Enhanced(5, 5, 4), "Write BDAT size or BDAT size LAST");
pub(super) const NO_TLS_HERE: Reply = say(502, Enhanced(5, 5, 1), "STARTTLS is not offered here");
pub(super) const HELLO_FIRST: Reply = say(503, Enhanced(5, 5, 1), "Say EHLO first");
pub(super) const NESTED_MAIL: Reply =
    say(503, Enhanced(5, 5, 1), "A transaction is already open; finish it or say RSET");
pub(super) const MAIL_FIRST: Reply = say(503, Enhanced(5, 5, 1), "Say MAIL first");
pub(super) const RCPT_FIRST: Reply = say(503, Enhanced(5, 5, 1), "Say RCPT first");
pub(super) const CHUNKS_OPEN: Reply =
    say(503, Enhanced(5, 5, 1), "A message has begun with BDAT; go on with BDAT or say RSET");
pub(super) const CHUNKS_FAILED: Reply = say(503, Enhanced(5, 5, 1), "A chunk was refused; say RSET first");
pub(super) const TLS_TWICE: Reply = say(503, Enhanced(5, 5, 1), "TLS is already active");
pub(super) const NO_POSTMASTER: Reply = say(550, Enhanced(5, 1, 1), "This host has no postmaster without a domain");
pub(super) const BARE_LINE_ENDING: Reply =
    say(550, Enhanced(5, 6, 11), "The message has a CR or LF on its own, or a NUL; every line must end in CR LF");
pub(super) const NEEDS_SMTPUTF8: Reply = say(553, Enhanced(5, 6, 7), "An address outside ASCII needs SMTPUTF8 on MAIL");
pub(super) const NO_VALID_RECIPIENTS: Reply = say(554, Enhanced(5, 5, 1), "No valid recipients");

pub(super) fn go_ahead() -> Reply {
    Reply::plain(354, "Send the message; end it with a line that holds only a dot")
}

/// RFC 3030 2: each chunk has its reply.
pub(super) fn chunk_taken(octets: u64) -> Reply {
    Reply::new(250, Enhanced(2, 0, 0), format!("{octets} octets received"))
}

/// RFC 1870 6: both limits are named, so that the sender knows how much to take off.
pub(super) fn too_large(octets: u64, limit: u64) -> Reply {
    let text = format!("The message has {octets} octets; at most {limit} octets are taken here");
    Reply::new(552, Enhanced(5, 3, 4), text)
}

pub(super) fn ending(hostname: &str, why: Ending) -> Reply {
    let (enhanced, text) = match why {
        Ending::Busy => (Enhanced(4, 7, 0), "too many sessions; try again later"),
        Ending::Stopping => (Enhanced(4, 3, 2), "the service stops; try again later"),
        Ending::TimedOut => (Enhanced(4, 4, 2), "waited too long for you; closing the connection"),
    };
    Reply::new(421, enhanced, format!("{hostname} {text}"))
}

/// RFC 9422 3: a limit has six digits at most. More are taken all the same.
const MOST_ANNOUNCED: usize = 999_999;

/// RFC 5321 4.1.1.1. What is listed here works.
pub(super) fn ehlo(settings: &Settings, link: Security, login: Login) -> Reply {
    let mut text = format!(
        "{}\nPIPELINING\nSIZE {}\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nDSN\nCHUNKING\nLIMITS RCPTMAX={}",
        settings.hostname,
        settings.max_message,
        settings.max_recipients.min(MOST_ANNOUNCED)
    );
    // RFC 3207 4.2: not again inside TLS.
    if link == Security::Clear && settings.starttls != StartTls::NotOffered {
        text.push_str("\nSTARTTLS");
    }
    if (link, settings.require_tls) == (Security::Tls, RequireTls::Offered) {
        text.push_str("\nREQUIRETLS");
    }
    // RFC 4954 4: not in clear text, and not a second time.
    if (link, settings.auth) == (Security::Tls, Auth::Offered) && login != Login::Done {
        text.push_str("\nAUTH PLAIN LOGIN");
    }
    Reply::plain(250, text)
}
