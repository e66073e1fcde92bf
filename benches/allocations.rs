//! Which allocations a message costs, and where: the gateway itself, with every allocation counted.
//!
//! `cargo bench --bench allocations --no-run` names the built program; called with `serve --config gateway.toml` it is
//! `mailward serve`. At its end (SIGTERM) it prints how many octets in how many blocks there were in all, and writes
//! `dhat-heap.json` with the calls that led to each, for DHAT's viewer. Two runs that differ by N messages give what one costs.
//! Called by `cargo bench` without arguments it says so and ends.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if arguments.count() == 0 {
        println!("allocations: give it the arguments of `mailward`, `serve --config gateway.toml`");
        return ExitCode::SUCCESS;
    }
    let _profiler = dhat::Profiler::builder().trim_backtraces(Some(40)).build();
    mailward::cli::run()
}
