//! `mailward inspect FILE`: what recognition finds in a message, where, and what it could not read.
//!
//! Called by `cli`. Promises: prints masked findings only; the JSON shape of the interface. Fails with exit code 2 and a
//! sentence when the file cannot be read.

mod why_not;

use super::Failure;
use super::known::Source;
use crate::clinical::Findings;
use crate::decide::{self, Judge};
use crate::vocabulary::FindingKind;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use why_not::WhyNot;

/// Say what a message contains, as the gateway would see it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  mailward inspect letter.eml --json\n  mailward inspect letter.eml --why-not nhs-number"
)]
pub struct Args {
    /// A message as it travels (RFC 5322), or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Say of what was nearly recognised why it was not, and what would have made it sure; of this kind only
    #[arg(long, value_name = "KIND", num_args = 0..=1)]
    why_not: Option<Option<FindingKind>>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Scores by class name.
type Classes = BTreeMap<String, f64>;

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    findings: &'a Findings,
    /// The classes that the policy puts such a message into.
    classes: Classes,
    millis: u64,
    /// Only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<Vec<WhyNot>>,
}

/// Runs the command.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let message = match read(&args.file) {
        Ok(message) => message,
        Err(failure) => return failure.print(),
    };
    let judge = match judge(&args.source) {
        Ok(judge) => judge,
        Err(failure) => return failure.print(),
    };
    let start = Instant::now();
    let findings = judge.inspect(&message);
    let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let evidence = decide::evidence(&findings);
    let why_not = args.why_not.map(|kind| why_not::of(&judge, &message, &evidence, kind));
    let printed = Printed { classes: judge.policy.classify(&evidence), findings: &findings, millis, why_not };
    let text = if args.json { json(&printed) } else { plain(&printed) };
    say_as_is!("{text}");
    ExitCode::SUCCESS
}

/// The policy's own words for what is recognised; its tests need not pass for that.
fn judge(source: &Source) -> Result<Judge, Failure> {
    let surroundings = source.surroundings()?;
    let files = decide::read(&surroundings.policies).map_err(Failure::no_policy)?;
    decide::judge_of(&files, &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong))
}

/// A message from a file, or from standard input where it is called `-`.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut message = Vec::new();
    let read = match file == Path::new("-") {
        true => std::io::stdin().lock().read_to_end(&mut message).map(|_| message),
        false => std::fs::read(file),
    };
    read.map_err(|why| {
        let hint = "give the path of a message that was saved whole, with its header (often *.eml)";
        Failure::usage(format!("`{}` cannot be read: {why}", file.display()), hint)
    })
}

fn json(printed: &Printed<'_>) -> String {
    // Strings, numbers and lists of them always serialise; were it otherwise, the sentence says so instead of a panic.
    let text = serde_json::to_string(printed).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    text + "\n"
}

fn plain(printed: &Printed<'_>) -> String {
    let mut out = String::new();
    for f in &printed.findings.findings {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:<24} {:<7} {:<24} {}", f.kind, f.confidence, f.masked, f.place);
    }
    if printed.findings.findings.is_empty() {
        out.push_str("nothing found\n");
    }
    for (class, score) in &printed.classes {
        let _ = writeln!(out, "class {class}: {score}");
    }
    let _ = writeln!(out, "read: {}", printed.findings.read.join(", "));
    for unread in &printed.findings.unread {
        let limit = unread.limit.as_ref().map(|l| format!(" (limit: {l})")).unwrap_or_default();
        let _ = writeln!(out, "not read: {}: {}{limit}", unread.place, unread.kind);
    }
    printed.why_not.iter().for_each(|all| why_not::print(all, &mut out));
    let _ = writeln!(out, "in {} ms", printed.millis);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clinical;

    #[test]
    fn the_json_has_the_promised_keys() {
        let message = b"Subject: NHS number 943 476 5919\r\n\r\nx\r\n";
        let findings = clinical::inspect(message, &clinical::Rules::default(), &clinical::Limits::default());
        let classes = Classes::from([("clinical".to_owned(), 10.0)]);
        let value: serde_json::Value =
            serde_json::from_str(&json(&Printed { findings: &findings, classes, millis: 1, why_not: None })).unwrap();
        assert_eq!(value["findings"][0]["kind"], "nhs-number");
        assert_eq!(value["findings"][0]["masked"], "943***5919");
        assert_eq!(value["classes"]["clinical"], 10.0);
        assert_eq!(value["read"], serde_json::json!(["subject", "text"]));
        assert_eq!(value["unread"], serde_json::json!([]));
        assert_eq!(value["millis"], 1);
    }
}
