//! The text of gateway.toml as complaints may show it: without what may be a password.
//!
//! Called by `parse` before anything is complained of. Promises: in the tables of a relay the value of a key that does not exist
//! is stars, and so is the rest of a line that speaks of a password where the text cannot be parsed; every place stays
//! where it is. Fails never.

use crate::policy::typed::Keys;
use std::ops::Range;
use toml::de::DeTable;

/// In a text that cannot be parsed: what a line says before a password.
const SPOKEN: &[&str] = &["auth", "pass", "pwd", "secret"];

/// `text` with stars in place of the values of unknown keys of `[relay.NAME]` and of its `auth`.
pub(super) fn veiled(text: &str, relay: Keys, auth: Keys) -> String {
    let Ok(parsed) = DeTable::parse(text) else { return text.split_inclusive('\n').map(line_veiled).collect() };
    let mut secret = Vec::new();
    for relay_table in tables_of(parsed.get_ref(), "relay") {
        secret.extend(unknown(relay_table, relay));
        secret.extend(
            relay_table
                .get("auth")
                .and_then(|v| v.get_ref().as_table())
                .map(|t| unknown(t, auth))
                .into_iter()
                .flatten(),
        );
    }
    let is_secret = |at: &usize| secret.iter().any(|range| range.contains(at));
    text.char_indices().map(|(at, c)| if is_secret(&at) { stars(c) } else { c.to_string() }).collect()
}

/// The tables below `key`.
fn tables_of<'t>(top: &'t DeTable<'t>, key: &str) -> impl Iterator<Item = &'t DeTable<'t>> {
    let all = top.get(key).and_then(|value| value.get_ref().as_table());
    all.into_iter().flat_map(DeTable::values).filter_map(|value| value.get_ref().as_table())
}

/// Where the values of unknown keys stand.
fn unknown<'t>(table: &'t DeTable<'t>, keys: Keys) -> Vec<Range<usize>> {
    let is_known = |key: &str| keys.known.contains(&key) || keys.later.contains(&key);
    let unknown = table.iter().filter(|(key, _)| !is_known(key.get_ref()));
    unknown.map(|(_, value)| value.span()).collect()
}

/// A line of which nobody can say where its values end.
fn line_veiled(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let spoken = SPOKEN.iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min();
    match spoken.filter(|_| line.contains('=')) {
        Some(from) => line[..from].to_owned() + &line[from..].chars().map(stars).collect::<String>(),
        None => line.to_owned(),
    }
}

/// As many stars as `c` has octets; a line's end stays one.
fn stars(c: char) -> String {
    if matches!(c, '\r' | '\n') { c.to_string() } else { "*".repeat(c.len_utf8()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAY: Keys = Keys { known: &["hosts", "auth"], later: &[] };
    const AUTH: Keys = Keys { known: &["user", "password-file"], later: &[] };

    #[test]
    fn the_value_of_a_misspelt_key_is_stars_and_nothing_else_moves() {
        for text in [
            "[relay.hub]\nhosts = 'a'\nauth = { user = 'trust', password = 'sesämé' }\n",
            "[relay.hub.auth]\nuser = 'trust'\npasword-file = '''\nsesämé\n'''\n",
            "[relay.hub]\npassword = 'sesämé'\nhosts = 'trust'\n",
            "relay.hub.auth = { user = 'trust', login = { secret = ['sesämé'] } }",
            "[relay.'Not a name']\nauth = { password = 'sesämé' } # trust\n",
            // Nothing of these can be parsed.
            "[relay.hub]\nauth = { user = 1, password = 'sesämé\n'trust' = 1\n",
            "[relay.hub.auth]\nuser = 'trust\nPASSWORD = 'sesämé'\n",
        ] {
            let veiled = veiled(text, RELAY, AUTH);
            assert!(!veiled.contains("sesämé") && veiled.contains("trust"), "{veiled}");
            assert_eq!(veiled.len(), text.len());
            assert!(veiled.split('\n').map(str::len).eq(text.split('\n').map(str::len)), "{veiled}");
        }
    }

    #[test]
    fn what_is_no_secret_stays_to_be_read() {
        for text in [
            "[relay.hub]\nhosts = 'é'\nauth = { user = 'x', password-file = 'y' }\n",
            "[site.x]\nnmae = 'z'\n",
            "a = \n",
            "",
        ] {
            assert_eq!(veiled(text, RELAY, AUTH), text);
        }
    }
}
