//! The commands, a file each: arguments in, exit code out. 0 done or good, 1 refused or found wrong, 2 usage.

/// Prints a line for whoever called the command. A reader that went away (`| head`) is no reason to panic.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// The same for text that brings its own line ends.
macro_rules! say_as_is {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stdout(), $($text)*);
    }};
}

pub mod check;
pub mod demo;
pub mod doctor;
pub mod explain;
mod failure;
pub mod hosts;
pub mod inspect;
pub mod known;
pub mod levels;
mod life;
pub mod list;
mod log;
pub mod login_entry;
pub mod mta_sts;
pub mod policy;
pub mod probe;
mod prober;
pub mod queue;
pub mod reload;
pub mod replay;
pub mod schema;
pub mod serve;
pub mod status;
pub mod trace;
mod usage;

pub(crate) use failure::Failure;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// An SMTP gateway between an organisation's own Exchange and the internet: clinical mail never crosses it unprotected
#[derive(Debug, Parser)]
#[command(name = "mailward", version, max_term_width = 100)]
#[command(
    after_help = "Examples:\n  mailward demo\n  mailward check --policies policies && mailward serve --config gateway.toml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Demo(demo::Args),
    Doctor(doctor::Args),
    Check(check::Args),
    Explain(explain::Args),
    Hosts(hosts::Args),
    Inspect(inspect::Args),
    Levels(levels::Args),
    Schema(schema::Args),
    List(list::Args),
    LoginEntry(login_entry::Args),
    MtaSts(mta_sts::Args),
    Policy(policy::Args),
    Probe(probe::Args),
    Queue(queue::Args),
    Trace(trace::Args),
    Status(status::Args),
    Replay(replay::Args),
    Reload(reload::Args),
    Rollback(reload::Back),
    /// Read documents for the gateway that started this process
    #[command(hide = true)]
    Worker,
}

/// Runs the command that was given.
#[must_use]
pub fn run() -> ExitCode {
    crate::workers::this_programme_works();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::print(&error),
    };
    match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Hosts(args) => hosts::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Levels(args) => levels::run(args),
        Command::List(args) => list::run(args),
        Command::LoginEntry(args) => login_entry::run(args),
        Command::MtaSts(args) => mta_sts::run(args),
        Command::Probe(args) => probe::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Queue(args) => queue::run(args),
        Command::Trace(args) => trace::run(args),
        Command::Status(args) => status::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Reload(args) => reload::run(args),
        Command::Rollback(args) => reload::back(args),
        Command::Worker => crate::workers::work(),
    }
}

/// Where gateway.toml is.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigFile {
    /// gateway.toml [default: /etc/mailward/gateway.toml, else ./gateway.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let installed = PathBuf::from("/etc/mailward/gateway.toml");
        match &self.config {
            Some(file) => file.clone(),
            None if installed.exists() => installed,
            None => PathBuf::from("gateway.toml"),
        }
    }
}

/// Says what is wrong: one sentence, and a hint where the text has one.
pub(crate) fn fail(why: impl std::fmt::Display) -> ExitCode {
    Failure::wrong(why).print()
}

/// Asks the gateway that `config` describes.
pub(crate) fn ask(config: &ConfigFile, request: &crate::control::Request) -> Result<serde_json::Value, Failure> {
    let config = crate::config::load(&config.path())?;
    Ok(crate::control::client::ask(&config.data, request)?)
}
