//! House rule: every metric, reason, key of gateway.toml, command, package and cipher suite that exists is explained in
//! README.md, and README.md names no metric, key or package that does not.

// A file that cannot be read, or a programme that does not run, is a failed test.
#![allow(clippy::expect_used)]

use mailward::vocabulary::Reason;
use std::collections::BTreeSet;
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
fn every_reason_is_documented_and_none_that_does_not_exist() {
    let exist = Reason::NAMES.iter().map(|name| (*name).to_owned()).collect();
    let readme = read("README.md");
    assert_same("reasons", &exist, &explained(section(&readme, "Reasons"), "reason"));
}

/// The enhanced status codes (RFC 3463) that a source text writes as `Enhanced(5, 7, 10)`, but success.
fn enhanced_codes(source: &str) -> BTreeSet<String> {
    let written = source.split("Enhanced(").skip(1).filter_map(|rest| rest.split_once(')'));
    let codes = written.map(|(inside, _)| inside.replace(", ", "."));
    codes.filter(|code| code.starts_with(['4', '5']) && code.split('.').all(|n| n.parse::<u16>().is_ok())).collect()
}

/// The texts of the programme below `folder`, without their tests and without the demo, whose peers answer as others do.
fn programme(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if path.is_dir() && name != "demo" {
            programme(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = std::fs::read_to_string(&path).expect("a source file can be read");
            found.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
        }
    }
}

#[test]
fn every_reply_code_is_documented() {
    let mut sources = Vec::new();
    programme(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    assert!(sources.len() > 100, "only {} source files were found: the search is broken", sources.len());
    let codes: BTreeSet<String> = sources.iter().flat_map(|text| enhanced_codes(text)).collect();
    assert!(codes.len() > 20, "only {} codes were found: the search is broken", codes.len());
    let readme = read("README.md");
    let missing = missing(section(&readme, "SMTP replies"), codes);
    assert!(missing.is_empty(), "README.md does not explain these status codes: {}", missing.join(", "));
}

#[test]
fn every_command_is_documented() {
    assert_documented("commands", commands(&[]));
}

/// A table of keys in src/config/parse.rs: the prefix under which README.md lists them.
const KEY_TABLES: &[(&str, &str)] = &[
    ("TOP", ""),
    ("SITE", "site.NAME."),
    ("LISTEN", "listen.NAME."),
    ("RELAY", "relay.NAME."),
    ("AUTH", "relay.NAME.auth."),
    ("JOURNAL", "site.NAME.journal."),
    ("DELIVER", "deliver."),
    ("DNS", "dns."),
    ("TLS", "tls."),
    ("QUEUE", "queue."),
    ("LIMITS", "limits."),
    ("WEB", "web."),
];

/// Keys that this version reads, and keys that it refuses as a later version's.
struct ConfigKeys {
    known: BTreeSet<String>,
    later: BTreeSet<String>,
}

/// Every `const NAME: Keys = Keys { known: &[…], later: &[…] };` of the source.
fn config_keys(source: &str) -> ConfigKeys {
    let mut keys = ConfigKeys { known: BTreeSet::new(), later: BTreeSet::new() };
    for definition in source.split("const ").skip(1).filter(|rest| rest.contains(": Keys =")) {
        let Some((name, body)) = definition.split_once(": Keys =") else { continue };
        if name.contains(char::is_whitespace) {
            continue;
        }
        let body = body.split_once("};").map_or(body, |(body, _)| body);
        let prefix = KEY_TABLES.iter().find(|(table, _)| *table == name).map(|(_, prefix)| *prefix);
        let prefix =
            prefix.unwrap_or_else(|| panic!("say in KEY_TABLES where the keys of {name} stand in gateway.toml"));
        let (known, later) = body.split_once("later:").expect("a table names known and later keys");
        // Sections are no keys: README.md lists what stands in them.
        let is_key = |key: &String| !prefix.is_empty() || !is_section(key);
        keys.known.extend(quoted(known).filter(is_key).map(|key| format!("{prefix}{key}")));
        keys.later.extend(quoted(later).map(|key| format!("{prefix}{key}")));
    }
    keys
}

fn is_section(key: &str) -> bool {
    KEY_TABLES.iter().any(|(_, prefix)| prefix.split('.').next() == Some(key))
}

fn quoted(text: &str) -> impl Iterator<Item = String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned)
}

/// The part of README.md below the heading `## title`.
fn section<'a>(readme: &'a str, title: &str) -> &'a str {
    let heading = format!("\n## {title}\n");
    let (_, below) = readme.split_once(&heading).unwrap_or_else(|| panic!("README.md has no section {title}"));
    below.split_once("\n## ").map_or(below, |(section, _)| section)
}

/// What the table in a section explains: the first cells below `heading`, without back-quotes.
fn explained(section: &str, heading: &str) -> BTreeSet<String> {
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    cells.map(|(first, _)| first.trim_matches('`').to_owned()).filter(|first| first != heading).collect()
}

/// The packages under [dependencies] and [dev-dependencies].
fn packages(manifest: &str) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
    let tables =
        ["dependencies", "dev-dependencies"].map(|name| manifest[name].as_table().expect("a table of packages"));
    tables.into_iter().flat_map(|table| table.keys().cloned()).collect()
}

#[track_caller]
fn assert_same(what: &str, exist: &BTreeSet<String>, explained: &BTreeSet<String>) {
    assert!(!exist.is_empty(), "no {what} was found to look for: the search is broken");
    let missing: Vec<_> = exist.difference(explained).cloned().collect();
    assert!(missing.is_empty(), "README.md does not explain these {what}: {}", missing.join(", "));
    let invented: Vec<_> = explained.difference(exist).cloned().collect();
    assert!(invented.is_empty(), "README.md explains {what} that do not exist: {}", invented.join(", "));
}

#[test]
fn every_key_of_gateway_toml_is_documented_and_none_that_does_not_exist() {
    let keys = config_keys(&read("src/config/parse.rs"));
    let readme = read("README.md");
    let section = section(&readme, "gateway.toml");
    assert_same("keys of gateway.toml", &keys.known, &explained(section, "key"));
    let (_, refused) = section.split_once("Refused with").expect("README.md says which keys are refused");
    let missing = missing(refused, keys.later.iter().map(|key| format!("`{key}`")));
    assert!(missing.is_empty(), "README.md does not say that these keys are refused: {}", missing.join(", "));
}

#[test]
fn every_metric_is_documented_and_none_that_does_not_exist() {
    let exist = mailward::metrics::TABLE.iter().map(|row| row.name.to_owned()).collect();
    let readme = read("README.md");
    assert_same("metrics", &exist, &explained(section(&readme, "Metrics"), "metric"));
}

#[test]
fn every_package_has_its_reason() {
    let readme = read("README.md");
    let explained = explained(section(&readme, "Packages, and why"), "package");
    assert_same("packages", &packages(&read("Cargo.toml")), &explained);
}

#[test]
fn what_tls_offers_is_documented() {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let suites = provider.cipher_suites.iter().map(|suite| format!("`{:?}`", suite.suite()));
    let groups = provider.kx_groups.iter().map(|group| format!("`{:?}`", group.name()));
    let readme = read("README.md");
    let missing = missing(section(&readme, "TLS"), suites.chain(groups));
    assert!(missing.is_empty(), "README.md does not name these under TLS: {}", missing.join(", "));
}

#[test]
fn what_is_not_documented_is_found() {
    let wanted = || ["mailward_a_total".to_owned(), "mailward queue".to_owned(), "`null-mx`".to_owned()];
    assert_eq!(missing("mailward_a_total `null-mx` mailward queue list", wanted()), Vec::<String>::new());
    assert_eq!(missing("mailward_a_total_x null-mx mailward queued", wanted()).len(), 3);
    assert_eq!(listed("Usage\n\nCommands:\n  check  Reads\n         more\n  help   x\n\nOptions:\n  --x"), ["check"]);
    let keys = config_keys(
        "const A: u8 = 1; const TOP: Keys = Keys { known: &[\"data\", \"dns\"], later: &[\"seal\"] };\nconst DNS: Keys = Keys { known: &[\"servers\"], later: &[] };",
    );
    assert_eq!(keys.known.into_iter().collect::<Vec<_>>(), ["data", "dns.servers"]);
    assert_eq!(
        enhanced_codes("Enhanced(5, 7, 10) Enhanced(2, 0, 0) Enhanced(a, 1, 2)").into_iter().collect::<Vec<_>>(),
        ["5.7.10"]
    );
    assert_eq!(keys.later.into_iter().collect::<Vec<_>>(), ["seal"]);
    assert_eq!(
        explained(section("\n## A\n| `x.y` | 1 |\n| z | 2 |\n## B\n| w |\n", "A"), "x").into_iter().collect::<Vec<_>>(),
        ["x.y", "z"]
    );
}
