//! `mailward demo`: shows on this machine alone what the gateway does with mail, and why.

use super::fail;
use crate::demo::{self, DemoError, Shown};
use std::process::ExitCode;

/// Show what the gateway does: real messages between a stand-in Exchange and a small internet, on this machine alone
///
/// Needs no configuration, no root, no network and no other mail server. Exit code 0: every message met the fate that
/// the shipped policy promises.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward demo --keep")]
pub struct Args {
    /// Keep the folder (gateway.toml, policies, data, log) and print where it is
    #[arg(long)]
    keep: bool,
    /// Print JSON, a line for each message
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let printed = runtime.block_on(demo::show()).and_then(|shown| {
        print(&args, &shown)?;
        Ok(shown)
    });
    let shown = match printed {
        Ok(shown) => shown,
        Err(error) => return fail(error),
    };
    let code = ExitCode::from(u8::from(!shown.is_good()));
    if args.keep {
        let folder = shown.keep();
        eprintln!("kept: {0}\nTry: mailward queue list --config {0}/gateway.toml", folder.display());
    }
    code
}

fn print(args: &Args, shown: &Shown) -> Result<(), DemoError> {
    if args.json {
        shown.lines()?.iter().for_each(|line| say!("{line}"));
    } else {
        say_as_is!("{}", shown.report());
    }
    Ok(())
}
