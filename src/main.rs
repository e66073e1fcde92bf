//! Arguments in, exit code out.

/// Many small pieces come and go between threads here: a tenth of the processor time of a small message was the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    mailward::cli::run()
}
