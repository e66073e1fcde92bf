//! `mailward replay`: decisions that were made are made anew under another policy, and what changes is printed.
//!
//! Reads records, beside a running gateway or a stopped one, and changes nothing. Fails by exit code 1 where that policy is not fit
//! for use.

use super::known::Source;
use super::{ConfigFile, Failure};
use crate::clock::{Now, Wall, duration_words, parse_duration};
use crate::config;
use crate::decide::replay::{Before, Decision, Replayed, recognised_otherwise, replay};
use crate::decide::{self, Judge};
use crate::store;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLE: &str = "Example:\n  mailward replay --against policies.new --since 30d";

/// Decide what was decided anew under another policy, and print what would change
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The folder of the other policy
    #[arg(long, value_name = "DIR")]
    against: PathBuf,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_duration)]
    since: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    args.answer().unwrap_or_else(Failure::print)
}

impl Args {
    fn answer(&self) -> Result<ExitCode, Failure> {
        let config = config::load(&self.config.path())?;
        let judge = judge(&self.against, &config.known())?;
        let connection = store::reader_of(&config.data).map_err(|_| {
            Failure::wrong(format!(
                "there are no records in {}\nhint: name the gateway.toml of the gateway with --config",
                config.data.display()
            ))
        })?;
        let reach = i64::try_from(self.since.as_millis()).unwrap_or(i64::MAX);
        let since = Wall(Now::read().wall.0.saturating_sub(reach));
        let replayed = replay(&connection, since, &judge, Before::AsRecorded)
            .map_err(|error| Failure::wrong(format!("the records cannot be read: {error}")))?;
        // The policy beside gateway.toml need not be good for this.
        let otherwise = self.in_force(&config).map(|old| recognised_otherwise(&old, &judge)).unwrap_or_default();
        if self.json {
            let mut answer = json!(replayed);
            answer["policy_hash"] = judge.policy.hash().into();
            answer["recognised_otherwise"] = json!(otherwise);
            say!("{answer}");
        } else {
            self.print(&replayed, &otherwise);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn in_force(&self, config: &config::Config) -> Option<Judge> {
        let source = Source { policies: None, config: Some(self.config.path()) };
        judge(&source.surroundings().ok()?.policies, &config.known()).ok()
    }

    fn print(&self, replayed: &Replayed, otherwise: &[String]) {
        say!(
            "{} recipients of the last {} decided anew: {} changed, {} of them asked less",
            replayed.decided,
            duration_words(self.since),
            replayed.changed,
            replayed.lowered
        );
        for change in &replayed.changes {
            let examples: Vec<String> = change.examples.iter().map(ToString::to_string).collect();
            let (was, now) = (shown(&change.was), shown(&change.now));
            say!("\n{:>7}  {was} -> {now}", change.recipients);
            say!("         such as {} (mailward trace ID)", examples.join(" "));
        }
        table(
            "by rule",
            replayed.by_rule.iter().map(|(rule, by)| {
                (by.more + by.less, format!("{rule} (more asked of {}, less of {})", by.more, by.less))
            }),
        );
        table("by domain", replayed.by_domain.iter().map(|(domain, count)| (*count, domain.to_string())));
        self.print_unknown(replayed, otherwise);
    }

    fn print_unknown(&self, replayed: &Replayed, otherwise: &[String]) {
        table("looks at words of which nothing was kept, so nobody knows whether it matches", {
            replayed.not_known.iter().map(|(rule, count)| (*count, rule.clone()))
        });
        if replayed.not_kept > 0 {
            say!(
                "\n{} decisions were not made anew: an older version made them, or no message had come",
                replayed.not_kept
            );
        }
        if !otherwise.is_empty() {
            say!(
                "\nwhat messages hold is as it was recognised then; these recognise something else now: {}",
                otherwise.join(", ")
            );
        }
    }
}

fn judge(folder: &Path, known: &crate::policy::Known) -> Result<Judge, Failure> {
    let files = decide::read(folder).map_err(Failure::no_policy)?;
    decide::judge_of(&files, known).map_err(|wrong| Failure::diagnosed(&wrong))
}

fn shown(decision: &Decision) -> String {
    format!("{} ({})", decision.require, decision.fate)
}

fn table(title: &str, rows: impl Iterator<Item = (u64, String)>) {
    let mut rows = rows.peekable();
    if rows.peek().is_some() {
        say!("\n{title}:");
        rows.for_each(|(count, row)| say!("{count:>7}  {row}"));
    }
}
