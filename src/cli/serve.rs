//! `mailward serve`: runs the gateway until it is told to stop.

use super::log::Writer;
use super::{ConfigFile, Failure, fail};
use crate::serve::DroppedLines;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// Run the gateway
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward serve --config /etc/mailward/gateway.toml")]
pub struct Args {
    #[command(flatten)]
    config: ConfigFile,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let config = match crate::serve::config(&args.config.path()) {
        Ok(config) => config,
        Err(error) => return Failure::from(error).print(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let writer = match Writer::start(std::io::stderr()) {
        Ok(writer) => writer,
        Err(error) => return fail(error),
    };
    log_to(&writer);
    let lines = writer.lines();
    let dropped: DroppedLines = Arc::new(move || lines.dropped());
    let ended = runtime.block_on(crate::serve::run(config, dropped));
    // What it logged comes before what is said of its end.
    drop(writer);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::from(error).print(),
    }
}

/// JSON lines, or for people on a terminal.
fn log_to(writer: &Writer) {
    let filter = EnvFilter::try_from_env("MAILWARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let to = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.maker()).with_target(false);
    if std::io::stderr().is_terminal() {
        to.init();
    } else {
        to.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    }
}
