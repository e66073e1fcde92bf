//! `mailward policy`: the making of tests in `add_case`, and here `policy readiness`: what each monitored rule would have stopped, and whether it may be put in force.
//!
//! Reads records, of a running gateway or of a stopped one. Fails by exit code 1 while a rule is not ready.

mod add_case;

use super::known::Source;
use super::{ConfigFile, Failure, ask};
use crate::clock::{duration_words, parse_duration};
use crate::control::Request;
use crate::decide;
use crate::vocabulary::Mode;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::Duration;

/// What a policy would do
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward policy readiness --since 14d")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// What each monitored rule would have stopped or kept waiting, by domain and with examples. Exit code 1 while one is not ready
    #[command(after_help = "Example:\n  mailward policy readiness --since 14d --json")]
    Readiness(Readiness),
    /// Make a test of the policy from a message that was judged wrongly: shows what is left of it, and asks. The test fails until
    /// the policy is mended
    #[command(
        after_help = "Example:\n  mailward policy add-case letter.eml --expect reject clinical --name results-to-a-patient"
    )]
    AddCase(add_case::AddCase),
}

#[derive(Debug, clap::Args)]
struct Readiness {
    #[command(flatten)]
    config: ConfigFile,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    since: Duration,
    /// This rule only
    #[arg(long)]
    rule: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let answer = match args.verb {
        Verb::Readiness(args) => args.answer(),
        Verb::AddCase(args) => args.answer(),
    };
    answer.unwrap_or_else(Failure::print)
}

impl Readiness {
    fn answer(&self) -> Result<ExitCode, Failure> {
        let seconds = self.since.as_secs();
        let mut found = ask(&self.config, &Request::Readiness { seconds })?;
        let monitored = self.monitored()?;
        let rules: Vec<Value> = monitored.iter().map(|name| told(name, found["rules"][name].take())).collect();
        if let Some(unknown) = self.rule.as_ref().filter(|_| rules.is_empty()) {
            return Err(Failure::wrong(format!(
                "no rule `{unknown}` is monitored\nhint: `mailward check` reads the policy"
            )));
        }
        if self.json {
            say!("{}", json!({ "since": found["since"], "rules": rules }));
        } else {
            say!(
                "records of {} (since {})",
                duration_words(self.since),
                found["since"].as_str().unwrap_or("nothing is on record")
            );
            rules.iter().for_each(print);
            if rules.is_empty() {
                say!("no rule is monitored");
            }
        }
        Ok(ExitCode::from(u8::from(rules.iter().any(|rule| rule["ready"] != true))))
    }

    /// Names of the rules that the policy watches.
    fn monitored(&self) -> Result<Vec<String>, Failure> {
        let source = Source { policies: None, config: Some(self.config.path()) };
        let surroundings = source.surroundings()?;
        let files = decide::read(&surroundings.policies).map_err(Failure::no_policy)?;
        let judge = decide::judge_of(&files, &surroundings.known).map_err(|wrong| Failure::diagnosed(&wrong))?;
        let monitored = judge.policy.rule_modes().filter(|(_, mode)| *mode == Mode::Monitor);
        let wanted = |name: &&str| self.rule.as_deref().is_none_or(|rule| rule == *name);
        Ok(monitored.map(|(name, _)| name).filter(wanted).map(str::to_owned).collect())
    }
}

/// One rule, also if nothing is on record of it.
fn told(name: &str, mut found: Value) -> Value {
    if found.is_null() {
        found = json!({ "matched": 0, "unchanged": 0, "stopped": 0, "waited": 0, "open": 0, "domains": [], "examples": [] });
    }
    let count = |key: &str| found[key].as_u64().unwrap_or(0);
    let changes = count("stopped") + count("waited");
    found["ready"] = (count("matched") > 0 && changes == 0).into();
    found["name"] = name.into();
    found
}

fn print(rule: &Value) {
    let count = |key: &str| rule[key].as_u64().unwrap_or(0);
    let verdict = match (count("matched"), rule["ready"] == true) {
        (0, _) => "not ready: it has matched nothing, so nobody knows what it does",
        (_, true) => "ready: in force it would have changed nothing",
        (_, false) => "not ready",
    };
    say!("\n{}: {verdict}", rule["name"].as_str().unwrap_or("?"));
    say!(
        "  matched {}: unchanged {}, stopped at once {}, kept waiting {}, not known {}",
        count("matched"),
        count("unchanged"),
        count("stopped"),
        count("waited"),
        count("open")
    );
    for domain in rule["domains"].as_array().into_iter().flatten() {
        say!("  {:>6}  {}", domain[1], domain[0].as_str().unwrap_or("?"));
    }
    let examples: Vec<&str> = rule["examples"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !examples.is_empty() {
        say!("  such as {} (mailward trace ID)", examples.join(" "));
    }
}
