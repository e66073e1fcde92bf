//! `mailward reload` and `mailward rollback`: another policy in force, without a restart. Fails by exit code 1 with all that is
//! wrong, or with what would be lowered; the policy in force stays then.

use super::{ConfigFile, ask};
use crate::control::{Accepting, Request};
use serde_json::Value;
use std::process::ExitCode;

/// Take gateway.toml and the policy's files anew: checked, tested and compared with what is in force, then put into force for new mail
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mailward reload\n  mailward reload --accept-lowering 'Certificate of St Elsewhere, IG-1234' --by 'J. Smith'"
)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
}

/// Put the policy into force that was in force before. The files stay as they are; a restart does not take them
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward rollback")]
pub struct Back {
    #[command(flatten)]
    asked: Asked,
}

/// What both take.
#[derive(Debug, clap::Args)]
struct Asked {
    #[command(flatten)]
    config: ConfigFile,
    /// What it lowers is meant; why, for the record
    #[arg(long, value_name = "REASON", requires = "by")]
    accept_lowering: Option<String>,
    /// Who decided it, for the record
    #[arg(long, value_name = "NAME", requires = "accept_lowering")]
    by: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Asked {
    fn accepting(&self) -> Option<Accepting> {
        Some(Accepting { because: self.accept_lowering.clone()?, by: self.by.clone()? })
    }

    fn answer(&self, request: &Request) -> ExitCode {
        match ask(&self.config, request) {
            Ok(answer) if self.json => say!("{answer}"),
            Ok(answer) => say!("{}", lines(&answer).join("\n")),
            Err(failure) => return failure.print(),
        }
        ExitCode::SUCCESS
    }
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    args.asked.answer(&Request::Reload { accepting: args.asked.accepting() })
}

#[must_use]
pub fn back(args: Back) -> ExitCode {
    args.asked.answer(&Request::Rollback { accepting: args.asked.accepting() })
}

/// The same for people.
fn lines(answer: &Value) -> Vec<String> {
    let text = |key: &str| answer[key].as_str().unwrap_or("?").to_owned();
    let of = |key: &str| answer[key].as_array().cloned().unwrap_or_default();
    let mut lines: Vec<String> =
        of("warnings").iter().filter_map(|w| Some(format!("warning: {}", w["message"].as_str()?))).collect();
    lines.extend(of("lowered").iter().filter_map(|sentence| Some(format!("lowered: {}", sentence.as_str()?))));
    if answer["settings_changed"] == true {
        lines.push("gateway.toml: what has changed is in force".to_owned());
    }
    let tests = answer["tests"].as_u64().map_or_else(String::new, |tests| format!(", {tests} tests passed"));
    lines.push(match answer["changed"] == true {
        true => {
            let was = answer["was"].as_str().unwrap_or("none");
            format!("in force: {} (was {was}){tests}", text("policy_hash"))
        }
        false => format!("in force already: {}{tests}", text("policy_hash")),
    });
    lines
}
