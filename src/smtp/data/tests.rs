//! End of data is where two servers that disagree let a second message through: every form, at every split.

use super::*;

/// What the decoder made of an input: the message, how it ended, and how much was left for the next command.
#[derive(Debug, PartialEq, Eq)]
struct Received {
    end: Option<End>,
    message: Vec<u8>,
    left: usize,
}

fn receive(input: &[u8], split_at: usize) -> Received {
    let mut decoder = Decoder::new(1_000);
    let (mut message, mut consumed) = (Vec::new(), 0);
    for part in [&input[..split_at], &input[split_at..]] {
        let progress = decoder.feed(part, &mut message);
        consumed += progress.consumed;
        if progress.end.is_some() {
            let kept = if progress.end == Some(End::Complete) { message } else { Vec::new() };
            return Received { end: progress.end, message: kept, left: input.len() - consumed };
        }
    }
    Received { end: None, message: Vec::new(), left: input.len() - consumed }
}

/// The result at every split, which must be one and the same.
fn at_every_split(input: &[u8]) -> Received {
    let whole = receive(input, 0);
    for at in 0..=input.len() {
        assert_eq!(receive(input, at), whole, "split at {at} of {:?}", String::from_utf8_lossy(input));
    }
    whole
}

const NEXT: &str = "MAIL FROM:<evil@e.example>\r\n";

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    let forms = [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r",
        "\r\n.\r\r\n",
        "\r\r\n.\r\r\n",
        "\n\n.\r\n",
        "\r\n\0.\r\n",
        "\r\n.\0\r\n",
        "\r\n.\r\0\n",
        "\r.\n",
        "\n.\r",
        "\r\n.\r.\r\n",
        "\0\n.\r\n",
    ];
    for form in forms {
        let input = format!("Subject: a\r\n\r\nx{form}{NEXT}\r\n.\r\n{NEXT}");
        let received = at_every_split(input.as_bytes());
        assert_eq!(received.end, Some(End::BareLineEnding), "{form:?}");
        assert_eq!(received.left, NEXT.len(), "{form:?}: what follows is a command again");
    }
}

#[test]
fn the_true_end_is_found_and_what_follows_is_left() {
    for (text, message) in [
        ("a\r\n.\r\n", "a\r\n"),
        (".\r\n", ""),
        ("\r\n.\r\n", "\r\n"),
        ("..\r\n.\r\n", ".\r\n"),
        (".a\r\n...\r\n.\r\n", "a\r\n..\r\n"),
        ("a\r\n\r\n.\r\n", "a\r\n\r\n"),
        ("a.\r\n.b.\r\n.\r\n", "a.\r\nb.\r\n"),
    ] {
        let received = at_every_split(format!("{text}{NEXT}").as_bytes());
        assert_eq!(received.end, Some(End::Complete), "{text:?}");
        assert_eq!(String::from_utf8_lossy(&received.message), message, "{text:?}");
        assert_eq!(received.left, NEXT.len());
    }
}

#[test]
fn bare_line_endings_and_nuls_at_any_edge_are_faults() {
    for text in [
        "\n", "\r", "\0", "a\n", "a\rb\r\n", "a\r\r\n", "\n\r\n", "\0\r\n", ".\n", ".\0\r\n", "..\0\r\n", "a\r\0\n",
        "a\0",
    ] {
        let received = at_every_split(format!("{text}\r\n.\r\n").as_bytes());
        assert_eq!(received.end, Some(End::BareLineEnding), "{text:?}");
        assert_eq!(received.left, 0);
    }
}

#[test]
fn a_message_without_end_has_no_end() {
    for text in ["", "a", "a\r\n", "a\r\n.", "a\r\n.\r", ".", ".\r", "a\r\n..\r\n"] {
        assert_eq!(at_every_split(text.as_bytes()).end, None, "{text:?}");
    }
}

#[test]
fn the_limit_counts_the_message_and_not_its_stuffing() {
    let of = |text: &str, limit| {
        let (mut decoder, mut out) = (Decoder::new(limit), Vec::new());
        let end = decoder.feed(text.as_bytes(), &mut out).end;
        assert!(out.len() as u64 <= limit, "no more than the limit is ever kept");
        end
    };
    assert_eq!(of("..12\r\n.\r\n", 5), Some(End::Complete));
    assert_eq!(of("..12\r\n.\r\n", 4), Some(End::TooLarge));
    assert_eq!(of(&format!("{}\r\n.\r\n", "x".repeat(100_000)), 10), Some(End::TooLarge));
}

#[test]
fn a_long_line_passes() {
    let line = format!("{}\r\n", "x".repeat(998 * 100));
    let (mut decoder, mut out) = (Decoder::new(1_000_000), Vec::new());
    assert_eq!(decoder.feed(format!("{line}.\r\n").as_bytes(), &mut out).end, Some(End::Complete));
    assert_eq!(out, line.as_bytes());
}

fn sent(chunks: &[&str]) -> Result<String, Unsendable> {
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    for chunk in chunks {
        encoder.encode(chunk.as_bytes(), &mut out)?;
    }
    encoder.finish(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn dots_are_stuffed_at_line_starts_only() {
    assert_eq!(sent(&[".a\r\n..\r\nb.c\r\n"]), Ok("..a\r\n...\r\nb.c\r\n.\r\n".into()));
    assert_eq!(sent(&["a\r", "\n", ".b\r\n"]), Ok("a\r\n..b\r\n.\r\n".into()));
    assert_eq!(sent(&["a\r\n", "", ".", ".\r\n"]), Ok("a\r\n...\r\n.\r\n".into()));
}

#[test]
fn a_missing_last_crlf_is_added() {
    assert_eq!(sent(&["a"]), Ok("a\r\n.\r\n".into()));
    assert_eq!(sent(&[]), Ok(".\r\n".into()));
    assert_eq!(sent(&["."]), Ok("..\r\n.\r\n".into()));
}

#[test]
fn what_could_end_elsewhere_is_never_sent() {
    for text in ["a\nb", "a\rb", "a\r", "\n", "\0", "a\r\r\n", "x\n.\r\n", "x\r\n.\r"] {
        for at in 0..=text.len() {
            let (head, tail) = text.split_at(at);
            assert_eq!(sent(&[head, tail]), Err(Unsendable), "{text:?} at {at}");
        }
        let mut out = b"before".to_vec();
        assert_eq!(encode(text.as_bytes(), &mut out), Err(Unsendable));
        assert_eq!(out, b"before");
    }
}
