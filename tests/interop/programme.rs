//! A programme that is installed here: found, named with its version, run with an end to its time.

use crate::lab::skipped;
use std::io::Write as _;
use std::process::{Command, Output};

/// Seconds after which a programme is stopped; no exchange here needs a tenth of them.
const TIME: &str = "60";

/// Says which version took part, past the test harness's capture.
pub fn announce(name: &str, version: &str) {
    let _ = writeln!(std::io::stderr(), "\nPEER {name}: {}", version.trim());
}

/// The first line of `words` that has a digit, announced as the version of `name`; without it the test is skipped.
pub fn version(test: &str, name: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(words[0]).args(&words[1..]).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        skipped(test, &format!("{name} is not installed"));
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit())).unwrap_or("unknown").to_owned();
    announce(name, &line);
    Some(line)
}

/// What a programme that was run said, both streams, and whether it calls that a success.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    pub text: String,
}

/// A command that is stopped when its time is over.
pub fn bounded(programme: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "1", TIME, programme]);
    command
}

pub fn run(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    Said { success: status.success(), text }
}
