//! Why a command could not do its work: one text, one exit code.
//!
//! Made by the commands, printed by them last. Promises: the text begins with one `error` and has one hint at most of the
//! command's own; 2 where something that was named is not there, 1 where it is there and wrong. Never fails.

use crate::config::ConfigError;
use crate::policy::Diagnostic;
use crate::serve::ServeError;
use std::fmt::Display;
use std::process::ExitCode;

/// Not done, or found wrong.
const WRONG: u8 = 1;
/// Not asked rightly: a file or folder that is not there.
const USAGE: u8 = 2;

#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    pub fn wrong(why: impl Display) -> Failure {
        Failure { code: WRONG, text: why.to_string() }
    }

    /// Something that was named cannot be read. `hint`: what to name, where `why` does not say it.
    pub fn usage(why: impl Display, hint: &str) -> Failure {
        let why = why.to_string();
        let text = if why.contains("\nhint:") { why } else { format!("{why}\nhint: {hint}") };
        Failure { code: USAGE, text }
    }

    pub fn diagnosed(wrong: &[Diagnostic]) -> Failure {
        Failure::wrong(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
    }

    /// The policy's folder cannot be read.
    pub fn no_policy(why: impl Display) -> Failure {
        Failure::usage(why, "give the policy's folder with --policies DIR, or a gateway.toml with --config FILE")
    }

    pub fn print(self) -> ExitCode {
        // Diagnostics say themselves that they are errors.
        let said = ["error", "warning"].iter().any(|word| self.text.starts_with(word));
        eprintln!("{}{}", if said { "" } else { "error: " }, self.text);
        ExitCode::from(self.code)
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure::wrong(why)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        match error {
            ConfigError::Unreadable { .. } => Failure::usage(error, "name another with --config FILE"),
            ConfigError::Wrong(_) => Failure::wrong(error),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Failure {
        match error {
            ServeError::Config(error) => error.into(),
            ServeError::Policy(wrong) => match wrong.unreadable {
                Some(why) => Failure::usage(why, "name the policy's folder as `policies` in gateway.toml"),
                None => Failure::wrong(ServeError::Policy(wrong)),
            },
            error => Failure::wrong(error),
        }
    }
}
