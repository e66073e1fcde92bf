//! `mailward login-entry NAME`: the line that lets a programme log in as a site's client.
//!
//! Called by `cli`. Promises: the password is read from standard input, so that no list of processes shows it. Fails with a
//! sentence and a hint.

use super::Failure;
use crate::receive::logins;
use std::io::Read as _;
use std::process::ExitCode;

/// Make a line for a site's `logins` file from a password on standard input
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  read -rs PASSWORD && printf %s \"$PASSWORD\" | mailward login-entry exchange >> /etc/mailward/kingston.logins"
)]
pub struct Args {
    /// The name to log in with
    name: String,
}

/// A password is short; what is longer is not one.
const MOST: u64 = 4_096;

/// Runs the command.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    let mut password = String::new();
    if let Err(why) = std::io::stdin().take(MOST).read_to_string(&mut password) {
        return Failure::usage(format!("no password could be read: {why}"), "write it to standard input").print();
    }
    // The line end that `echo` adds is not a part of it.
    let password = password.strip_suffix('\n').map_or(password.as_str(), |p| p.strip_suffix('\r').unwrap_or(p));
    match logins::entry(&args.name, password) {
        Ok(line) => {
            say!("{line}");
            ExitCode::SUCCESS
        }
        Err(why) => Failure::usage(why, "give the name as argument and the password on standard input").print(),
    }
}
