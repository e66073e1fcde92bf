//! `mailward serve`: runs the gateway until it is told to stop.

use super::{ConfigFile, Failure, fail};
use crate::serve::DroppedLines;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_appender::non_blocking::WorkerGuard;
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
    let (_written, dropped) = log();
    match runtime.block_on(crate::serve::run(config, dropped)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => Failure::from(error).print(),
    }
}

/// JSON lines, or for people on a terminal. The writer has its own thread, never blocks, and drops what it cannot keep up
/// with.
fn log() -> (WorkerGuard, DroppedLines) {
    // Buffered: lines that come together are written together.
    let buffered = std::io::BufWriter::with_capacity(64 * 1024, std::io::stderr());
    let (writer, guard) = tracing_appender::non_blocking(buffered);
    let counter = writer.error_counter();
    let filter = EnvFilter::try_from_env("MAILWARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let to = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    if std::io::stderr().is_terminal() {
        to.init();
    } else {
        to.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    }
    (guard, Arc::new(move || counter.dropped_lines() as u64))
}
