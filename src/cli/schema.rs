//! `mailward schema`: the language of the policy for editors. Never fails.

use crate::policy::schema;
use std::process::ExitCode;

const EXAMPLE: &str = "Example, for an editor that reads TOML by schemas (taplo, Even Better TOML):
  mailward schema > policies/mailward.schema.json
  and as the first line of each file of the policy:  #:schema ./mailward.schema.json";

/// Print the policy's language as a JSON schema, for editors that complete and check while you type
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {}

#[must_use]
pub fn run(Args {}: Args) -> ExitCode {
    say!("{:#}", schema());
    ExitCode::SUCCESS
}
