//! Mail that goes round: too many servers, or this one again and again. Pure.
//!
//! Called at the end of data. Promises: every way through this gateway counts, whatever else stands in the header section.
//! Fails with 554 5.4.6.

use crate::mail::{Enhanced, Header, Status};

/// How often a message may have passed this gateway. A list outside, a forward back and a hybrid Exchange make three honest
/// ways through; a loop has no end.
const OWN: usize = 5;

/// RFC 5321 6.3
pub(super) fn check(header: &[u8], hostname: &str, most: usize) -> Result<(), Status> {
    let header = Header::of(header);
    let hops = header.count("Received");
    if hops > most {
        return Err(round(format!("The message has passed {hops} servers, more than {most}: it goes round in a loop")));
    }
    let own = header.fields().filter(|f| f.is("Received") && is_by(&f.text(), hostname)).count();
    if own < OWN {
        return Ok(());
    }
    Err(round(format!("The message has passed this gateway {own} times already: it goes round in a loop")))
}

fn round(text: String) -> Status {
    Status::new(554, Enhanced(5, 4, 6), text)
}

/// Whether a Received field says that `hostname` wrote it (RFC 5321 4.4: `by` and a name, outside of comments).
fn is_by(field: &str, hostname: &str) -> bool {
    let mut depth = 0usize;
    let outside: String = field
        .chars()
        .filter(|c| {
            let before = depth;
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            before == 0 && depth == 0
        })
        .collect();
    let mut words = outside.split_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("by")).skip(1);
    words.next().is_some_and(|name| name.trim_end_matches([';', '.']).eq_ignore_ascii_case(hostname))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str =
        "Received: from exch01.local ([10.20.0.5])\r\n\tby GW1.trust.example with ESMTPS\r\n\tid 1; Sun\r\n";
    const OTHER: &str =
        "Received: from gw1.trust.example (by gw1.trust.example (Postfix))\r\n\tby mx.other.example; Sun\r\n";

    fn check_of(ours: usize, others: usize) -> Result<(), Status> {
        let message = format!("{}{}Subject: a\r\n\r\n{OURS}", OURS.repeat(ours), OTHER.repeat(others));
        check(message.as_bytes(), "gw1.trust.example", 30)
    }

    #[test]
    fn a_message_that_keeps_coming_back_goes_round() {
        assert_eq!(check_of(4, 20), Ok(()));
        let round = check_of(5, 0).unwrap_err();
        assert_eq!((round.code, round.enhanced), (554, Some(Enhanced(5, 4, 6))));
        assert!(round.text.contains("this gateway 5 times"), "{}", round.text);
    }

    #[test]
    fn another_servers_field_that_names_us_is_none_of_ours() {
        assert_eq!(check_of(0, 30), Ok(()));
        assert_eq!(check_of(0, 31).unwrap_err().code, 554, "too many servers all the same");
    }
}
