//! Why a demo could not be shown: one sentence. Anything that goes wrong becomes one by `?`.

use std::fmt;

/// The demo itself failed; what the gateway did with a message is never an error here.
#[derive(Debug)]
pub struct DemoError(pub String);

// Not `std::error::Error` itself, or the conversion below would meet its own.
impl<E: std::error::Error> From<E> for DemoError {
    fn from(error: E) -> DemoError {
        DemoError(error.to_string())
    }
}

impl fmt::Display for DemoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
