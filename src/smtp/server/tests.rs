//! What transcripts cannot show: octets that are no text, limits, misuse. Conversations are in tests/sessions.

use super::*;
use crate::mail::Enhanced;
use crate::smtp::command;

fn settings() -> Arc<Settings> {
    Arc::new(Settings {
        hostname: "gw.example".into(),
        max_message: 1_000,
        max_recipients: 10,
        max_line: 512,
        max_errors: 10,
        max_commands: 1_000,
        starttls: StartTls::Offered,
        bare_line_endings: BareLineEndings::Refused,
        auth: Auth::Offered,
        require_tls: RequireTls::Offered,
    })
}

/// All replies to `input`; every verdict is yes.
fn talk(input: &[u8]) -> Vec<u16> {
    let (mut session, greeting) = Session::open(settings(), Security::Clear);
    let (mut codes, mut at, mut body) = (vec![greeting.code], 0, Vec::new());
    loop {
        let step = session.step(&input[at..], &mut body);
        at += step.consumed;
        session = step.session;
        let reply = match step.action {
            Action::Need => return codes,
            Action::Body | Action::Again | Action::Collect(None) => continue,
            Action::AskSender(_) | Action::AskRecipient(_) => {
                let (next, reply) = session.answer(Ok(()));
                session = next;
                reply
            }
            Action::AskMessage(_) => {
                let (next, reply) = session.answer_message(Reply::fixed(250, Enhanced(2, 0, 0), "queued"));
                session = next;
                reply
            }
            Action::Reply(reply) | Action::Collect(Some(reply)) | Action::Chunk(reply) | Action::Discard(reply) => {
                reply
            }
            Action::AskLogin(_) => panic!("a login in clear text"),
            Action::StartTls(reply) | Action::Close(reply) => {
                codes.push(reply.code);
                return codes;
            }
        };
        codes.push(reply.code);
    }
}

#[test]
fn nothing_behind_a_bare_lf_is_obeyed_before_the_next_crlf() {
    assert_eq!(talk(b"EHLO x\r\nNOOP\nQUIT\r\nNOOP\r\n"), [220, 250, 500, 500, 250]);
    assert_eq!(talk(b"EHLO x\n"), [220, 500], "and a client that knows only LF hears it at once");
}

#[test]
fn commands_with_cr_nul_or_invalid_utf8_are_refused() {
    for line in [&b"NOOP\rQUIT\r\n"[..], b"NOOP \0\r\n", b"NOOP\r\r\n", b"NOOP \xff\r\n"] {
        assert_eq!(talk(line), [220, 500], "{line:?}");
    }
}

#[test]
fn a_line_may_have_the_limit_and_not_one_octet_more() {
    let line = |octets: usize| format!("NOOP {}\r\nNOOP\r\n", "x".repeat(octets - 7));
    assert_eq!(talk(line(512).as_bytes()), [220, 250, 250]);
    assert_eq!(talk(line(513).as_bytes()), [220, 500, 250]);
}

#[test]
fn a_line_without_end_is_thrown_away_and_then_closed() {
    let (mut session, _) = Session::open(settings(), Security::Clear);
    let mut held = Vec::new();
    for n in 0..1_000 {
        held.extend_from_slice(&[b'x'; 1_000]);
        let step = session.step(&held, &mut Vec::new());
        held.drain(..step.consumed);
        session = step.session;
        assert!(held.len() < 512 + 1_000);
        if matches!(step.action, Action::Close(_)) {
            assert_eq!(n, 65);
            return;
        }
    }
    panic!("never closed");
}

#[test]
fn a_chunk_without_a_size_ends_the_session_for_nobody_knows_where_it_ends() {
    for line in ["BDAT", "BDAT LAST", "BDAT -1", "BDAT +1", "BDAT 0x10", "BDAT 18446744073709551616 LAST"] {
        assert_eq!(talk(format!("EHLO x\r\n{line}\r\nNOOP\r\n").as_bytes()), [220, 250, 501], "{line}");
    }
    assert_eq!(talk(b"EHLO x\r\nBDAT 0000000000000000000000002\r\nxxNOOP\r\n"), [220, 250, 503, 250]);
}

#[test]
fn a_chunk_of_any_size_is_waited_for_and_never_held() {
    let input = format!("EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT {} LAST\r\n", u64::MAX);
    let (mut session, _) = Session::open(settings(), Security::Clear);
    let (mut unread, mut body) = (input.into_bytes(), Vec::new());
    for _ in 0..1_000 {
        let step = session.step(&unread, &mut body);
        unread.drain(..step.consumed);
        session = match step.action {
            Action::AskSender(_) | Action::AskRecipient(_) => step.session.answer(Ok(())).0,
            Action::Need | Action::Body => {
                assert!(unread.is_empty() && body.is_empty());
                unread.extend_from_slice(&[b'x'; 10_000]);
                step.session
            }
            Action::Reply(reply) => {
                assert_eq!(reply.code, 250);
                step.session
            }
            Action::Again => step.session,
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn chunks_that_are_pipelined_behind_a_refusal_do_not_close_the_session() {
    let mut input = b"EHLO x\r\nMAIL FROM:<a@b.example> SIZE=9999\r\nRCPT TO:<c@d.example>\r\n".to_vec();
    input.extend(b"BDAT 2\r\nxx".repeat(100));
    input.extend(b"BDAT 2 LAST\r\nxxNOOP\r\n");
    let codes = talk(&input);
    assert_eq!(codes[..4], [220, 250, 552, 503]);
    assert!(codes[4..105].iter().all(|code| *code == 503) && codes.last() == Some(&250), "{codes:?}");
}

#[test]
fn an_idle_session_is_small() {
    assert!(std::mem::size_of::<Session>() <= 128, "{}", std::mem::size_of::<Session>());
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let (session, _) = Session::open(settings(), Security::Clear);
    let (session, reply) = session.answer(Ok(()));
    assert_eq!(reply.code, 451);
    let (session, reply) = session.answer_message(Reply::fixed(250, Enhanced(2, 0, 0), "queued"));
    assert_eq!(reply.code, 451);
    assert!(matches!(session.state, State::Idle));
}

#[test]
fn every_own_reply_carries_an_enhanced_code_of_its_class() {
    let all = [
        replies::SENDER_OK,
        replies::RECIPIENT_OK,
        replies::RESET,
        replies::NOOP,
        replies::VRFY,
        replies::HELP,
        replies::EXPN,
        replies::CHUNK_WITHOUT_SIZE,
        replies::CHUNK_FORM,
        replies::CHUNKS_OPEN,
        replies::CHUNKS_FAILED,
        replies::chunk_taken(1),
        replies::START_TLS,
        replies::BYE,
        replies::TOO_MANY_ERRORS,
        replies::TOO_MANY_COMMANDS,
        replies::HOPELESS_LINE,
        replies::FOREIGN,
        replies::NOT_ASKED,
        replies::TOO_MANY_RECIPIENTS,
        replies::LONG_LINE,
        replies::BARE_IN_COMMAND,
        replies::NOT_UTF8,
        replies::LOGGED_IN,
        replies::TOO_MANY_LOGINS,
        replies::LONG_ANSWER,
        replies::NOT_BASE64,
        replies::NOT_CREDENTIALS,
        replies::AUTH_CANCELLED,
        replies::NO_AUTH_HERE,
        replies::AUTH_TWICE,
        replies::AUTH_IN_TRANSACTION,
        replies::NO_SUCH_MECHANISM,
        replies::AUTH_NEEDS_TLS,
        replies::NO_TLS_HERE,
        replies::HELLO_FIRST,
        replies::NESTED_MAIL,
        replies::MAIL_FIRST,
        replies::RCPT_FIRST,
        replies::TLS_TWICE,
        replies::NO_POSTMASTER,
        replies::BARE_LINE_ENDING,
        replies::NEEDS_SMTPUTF8,
        replies::NO_VALID_RECIPIENTS,
        replies::too_large(2, 1),
        Session::ending("gw.example", Ending::Busy),
    ];
    for reply in all {
        assert_eq!(reply.enhanced.map(|e| u16::from(e.0)), Some(reply.code / 100), "{reply:?}");
    }
}

#[test]
fn a_password_is_in_no_debug_output() {
    let (session, _) = Session::open(settings(), Security::Tls);
    let input = b"EHLO x\r\nAUTH PLAIN AG5hbWUAc2VjcmV0LXdvcmQ=\r\n";
    let step = session.step(input, &mut Vec::new());
    let step = step.session.step(&input[step.consumed..], &mut Vec::new());
    let Action::AskLogin(credentials) = &step.action else { panic!("{:?}", step.action) };
    assert_eq!((credentials.name.as_str(), credentials.password.as_str()), ("name", "secret-word"));
    let shown = format!("{step:?} {:?}", command::parse("AUTH PLAIN AG5hbWUAc2VjcmV0LXdvcmQ="));
    assert!(!shown.contains("secret") && !shown.contains("c2Vjcm"), "{shown}");
}
