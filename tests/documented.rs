//! House rule: every metric, reason and command that exists is explained in README.md.

// A file that cannot be read, or a programme that does not run, is a failed test.
#![allow(clippy::expect_used)]

use mailward::vocabulary::Reason;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read ({error}); it is part of the project", path.display()))
}

/// What of `wanted` README.md does not say, in the form in which it has to say it.
fn missing(readme: &str, wanted: impl IntoIterator<Item = String>) -> Vec<String> {
    wanted.into_iter().filter(|text| !says(readme, text)).collect()
}

/// Whether `text` stands there as a whole: `queue` is not explained by `queued`.
fn says(readme: &str, text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    readme
        .match_indices(text)
        .any(|(at, _)| !readme[..at].ends_with(inner) && !readme[at + text.len()..].starts_with(inner))
}

fn assert_documented(what: &str, wanted: Vec<String>) {
    assert!(!wanted.is_empty(), "no {what} was found to look for: the search is broken");
    let missing = missing(&read("README.md"), wanted);
    assert!(missing.is_empty(), "README.md does not explain {what}: {}", missing.join(", "));
}

/// The names in a source text: every string that begins with `mailward_`.
fn metric_names(source: &str) -> Vec<String> {
    let strings = source.split("\"mailward_").skip(1);
    strings.filter_map(|rest| rest.split_once('"')).map(|(name, _)| format!("mailward_{name}")).collect()
}

/// The commands below `words` that `--help` lists, and theirs.
fn commands(words: &[String]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_mailward")).args(words).arg("--help").output();
    let help = String::from_utf8_lossy(&output.expect("mailward runs").stdout).into_owned();
    let mut found = Vec::new();
    for name in listed(&help) {
        let mut below = words.to_vec();
        below.push(name);
        found.push(format!("mailward {}", below.join(" ")));
        found.extend(commands(&below));
    }
    found
}

/// The first words of the section `Commands:`.
fn listed(help: &str) -> Vec<String> {
    let section = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = section.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_metric_is_documented() {
    assert_documented("metrics", metric_names(&read("src/metrics.rs")));
}

#[test]
fn every_reason_is_documented() {
    assert_documented("reasons", Reason::NAMES.iter().map(|name| format!("`{name}`")).collect());
}

#[test]
fn every_command_is_documented() {
    assert_documented("commands", commands(&[]));
}

#[test]
fn what_is_not_documented_is_found() {
    let wanted = || ["mailward_a_total".to_owned(), "mailward queue".to_owned(), "`null-mx`".to_owned()];
    assert_eq!(missing("mailward_a_total `null-mx` mailward queue list", wanted()), Vec::<String>::new());
    assert_eq!(missing("mailward_a_total_x null-mx mailward queued", wanted()).len(), 3);
    assert_eq!(metric_names("name: \"mailward_a_total\", x(\"mailward_b\")"), ["mailward_a_total", "mailward_b"]);
    assert_eq!(listed("Usage\n\nCommands:\n  check  Reads\n         more\n  help   x\n\nOptions:\n  --x"), ["check"]);
}
