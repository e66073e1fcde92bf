//! Command lines as they come: good, sloppy and hostile.

use super::*;

fn sender(line: &str) -> Sender {
    match parse(line) {
        Ok(Command::Mail(sender)) => *sender,
        other => panic!("{line}: {other:?}"),
    }
}

fn forward(line: &str) -> Forward {
    match parse(line) {
        Ok(Command::Rcpt(forward)) => *forward,
        other => panic!("{line}: {other:?}"),
    }
}

fn recipient(line: &str) -> String {
    match forward(line).to {
        Addressee::Mailbox(mailbox) => mailbox.to_string(),
        Addressee::Postmaster => "postmaster".into(),
    }
}

fn refused(line: &str) -> String {
    match parse(line) {
        Err(reply) => reply.status().to_string().split_inclusive(' ').take(2).collect::<String>().trim().to_owned(),
        Ok(command) => panic!("{line:?} was understood as {command:?}"),
    }
}

#[test]
fn mail_with_everything() {
    let sender = sender("mail from:<A@B.Example> SIZE=123 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1");
    assert_eq!(sender.reverse_path.to_string(), "A@b.example");
    assert_eq!((sender.size, sender.body, sender.smtputf8), (Some(123), Body::EightBitMime, true));
    assert_eq!((sender.ret, sender.envid.as_deref()), (Some(Ret::Headers), Some("QQ+2B1")));
}

#[test]
fn the_null_reverse_path_is_understood() {
    assert!(sender("MAIL FROM:<>").reverse_path.is_null());
    assert_eq!(refused("RCPT TO:<>"), "501 5.1.3");
}

#[test]
fn blanks_are_tolerated_where_the_world_writes_them() {
    assert_eq!(recipient("RCPT  TO:   <a@b.example>   NOTIFY=NEVER  "), "a@b.example");
    assert_eq!(parse("DATA "), Ok(Command::Data));
    assert_eq!(parse("EHLO   mx.example \t"), Ok(Command::Ehlo("mx.example".into())));
}

#[test]
fn postmaster_needs_no_domain() {
    assert_eq!(forward("RCPT TO:<PostMaster>").to, Addressee::Postmaster);
    assert_eq!(refused("RCPT TO:<anybody>"), "501 5.1.3");
}

#[test]
fn source_routes_are_read_over() {
    assert_eq!(recipient("RCPT TO:<@a.example,@b.example:c@d.example>"), "c@d.example");
    for wrong in [
        "@a.example",
        "@a.example,b:c@d.example",
        "@:c@d.example",
        "@a b:c@d.example",
        "@a.example:@b.example:c@d.example",
    ] {
        assert!(parse(&format!("RCPT TO:<{wrong}>")).is_err(), "{wrong}");
    }
}

#[test]
fn a_quoted_local_part_cannot_end_the_path() {
    for quoted in ["\"a b\"@c.example", "\"x> NOTIFY=NEVER\"@e.example", "\"a\\\">b\"@c.example", "\"@x:y\"@c.example"]
    {
        let forward = forward(&format!("RCPT TO:<{quoted}> NOTIFY=FAILURE"));
        assert_eq!(forward.to, Addressee::Mailbox(quoted.parse().unwrap()));
        assert!(forward.notify.is_some_and(|n| n.failure), "{quoted}");
    }
}

#[test]
fn paths_that_are_none_are_refused() {
    for wrong in
        ["a@b.example", "<a@b.example", "<a@b.example>x", "<\"a@b.example>", "", "<a@b.example>>", "<<a@b.example>>"]
    {
        assert!(refused(&format!("MAIL FROM:{wrong}")).starts_with("501 "), "{wrong}");
    }
    assert_eq!(refused("MAIL <a@b.example>"), "501 5.5.4");
    assert_eq!(refused("MAIL FROM:<a@b..example>"), "501 5.1.2");
}

#[test]
fn parameters_are_understood_or_refused() {
    for unknown in ["XOORG=x", "REQUIRETL", "BY=1;R", "NOTIFY=NEVER", "MT-PRIORITY=3"] {
        assert_eq!(refused(&format!("MAIL FROM:<> {unknown}")), "555 5.5.4", "{unknown}");
    }
    assert_eq!(refused("RCPT TO:<a@b.example> SIZE=1"), "555 5.5.4");
    for wrong in [
        "SIZE=1 size=1",
        "SIZE=18446744073709551616",
        "SIZE=",
        "SIZE",
        "SIZE=-1",
        "SIZE=+1",
        "SIZE=1x",
        "BODY=BINARYMIME",
        "BODY",
        "SMTPUTF8=1",
        "REQUIRETLS=1",
        "REQUIRETLS=",
        "REQUIRETLS requiretls",
        "RET=ALL",
        "=1",
        "-A=1",
        "ENVID=",
        "ENVID=a=b",
        "ENVID=a+2",
        "ENVID=a+2b",
        "ENVID=a+0A",
        "ENVID=a+7F",
        "ENVID=é",
    ] {
        assert_eq!(refused(&format!("MAIL FROM:<> {wrong}")), "501 5.5.4", "{wrong}");
    }
    assert_eq!(sender("MAIL FROM:<> SIZE=18446744073709551615").size, Some(u64::MAX));
}

#[test]
fn delivery_reports_are_asked_for_strictly() {
    let forward = forward("RCPT TO:<a@b.example> NOTIFY=success,DELAY ORCPT=rfc822;Bob+2Bx@Example.org");
    assert_eq!(forward.notify, Some(Notify { success: true, failure: false, delay: true }));
    assert_eq!(forward.orcpt.as_deref(), Some("rfc822;Bob+2Bx@Example.org"));
    for wrong in [
        "NOTIFY=NEVER,DELAY",
        "NOTIFY=",
        "NOTIFY=ALWAYS",
        "NOTIFY=DELAY,",
        "ORCPT=a@b",
        "ORCPT=;a",
        "ORCPT=rfc822;",
        "ORCPT=r c;a",
    ] {
        assert!(parse(&format!("RCPT TO:<a@b.example> {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn arguments_where_none_belong_are_refused() {
    for verb in ["DATA", "RSET", "QUIT", "STARTTLS"] {
        assert_eq!(refused(&format!("{verb} x")), "501 5.5.4");
    }
    assert_eq!(parse("NOOP anything"), Ok(Command::Noop));
}

#[test]
fn host_names_cannot_disturb_a_received_field() {
    for good in ["mx.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "under_score", "-"] {
        assert!(parse(&format!("EHLO {good}")).is_ok(), "{good}");
    }
    for wrong in ["", "a b", "a)b", "a;b", "a\u{1b}b", "é", "a\tb"] {
        assert_eq!(refused(&format!("EHLO {wrong}")), "501 5.5.4", "{wrong:?}");
    }
}

#[test]
fn unknown_commands_and_other_protocols_are_told_apart() {
    for unknown in ["", "BURL x", "\u{fffd}", "MAILFROM:<>"] {
        assert_eq!(refused(unknown), "500 5.5.1", "{unknown:?}");
    }
    assert_eq!(parse("GET / HTTP/1.1"), Ok(Command::Foreign));
}

#[test]
fn a_chunk_is_counted_whatever_else_is_wrong_with_its_line() {
    for (line, command) in [
        ("BDAT 10", Command::Bdat(10, Marker::More)),
        ("bdat  10  last ", Command::Bdat(10, Marker::Last)),
        ("BDAT 0 LAST", Command::Bdat(0, Marker::Last)),
        ("BDAT 18446744073709551615", Command::Bdat(u64::MAX, Marker::More)),
        ("BDAT 10 FIRST", Command::Bdat(10, Marker::Unknown)),
        ("BDAT 10 LAST LAST", Command::Bdat(10, Marker::Unknown)),
        ("BDAT 18446744073709551616", Command::Adrift),
        ("BDAT -1", Command::Adrift),
        ("BDAT +1", Command::Adrift),
        ("BDAT LAST", Command::Adrift),
        ("BDAT", Command::Adrift),
    ] {
        assert_eq!(parse(line), Ok(command), "{line}");
    }
}

/// RFC 5321 4.5.3.1, with all that the extensions on offer add.
#[test]
fn the_longest_mail_and_rcpt_fit_the_least_line_that_may_be_set() {
    let domain = format!("{}.example", ["d".repeat(60), "d".repeat(60), "d".repeat(60)].join("."));
    let path = format!("{}@{domain}", "l".repeat(64));
    assert!(path.len() >= 250, "{}", path.len());
    let xtext = |octets: usize| "+2B".repeat(octets / 3);
    let mail = format!(
        "MAIL FROM:<{path}> SIZE=18446744073709551615 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID={} AUTH={}\r\n",
        xtext(99),
        xtext(498)
    );
    let rcpt = format!("RCPT TO:<{path}> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{}\r\n", xtext(492));
    for line in [mail, rcpt] {
        assert!(parse(line.trim_end()).is_ok(), "{line}");
        assert!(line.len() <= 1_024, "{}", line.len());
    }
}
