//! `mailward check`: is this policy fit for use? Errors, warnings, and its own tests. Fails by exit code 1 and what is wrong.

use super::Failure;
use super::known::Source;
use crate::config::ConfigError;
use crate::decide::{self, LoadError, Loaded};
use crate::policy::{Diagnostic, Severity, Style};
use serde_json::json;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Check a policy: errors, warnings, and the tests that it brings along
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward check --policies /etc/mailward/policies --strict")]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// Warnings count as errors
    #[arg(long)]
    strict: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came out.
struct Report {
    diagnostics: Vec<Diagnostic>,
    outcome: Result<usize, LoadError>,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let report = match report(&args.source) {
        Ok(report) => report,
        Err(failure) => return failure.print(),
    };
    if args.json {
        say!("{}", report.json());
    } else {
        report.print();
    }
    let tolerable = !args.strict || report.diagnostics.is_empty();
    let good = report.outcome.is_ok() && tolerable;
    if good { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// What is wrong in the policy, or already in the gateway.toml that names it.
fn report(source: &Source) -> Result<Report, Failure> {
    let surroundings = match source.surroundings() {
        Ok(surroundings) => surroundings,
        Err(ConfigError::Wrong(diagnostics)) => {
            return Ok(Report { diagnostics, outcome: Err(LoadError::default()) });
        }
        Err(unreadable) => return Err(unreadable.into()),
    };
    let today = jiff::Zoned::now().date();
    match decide::load(&surroundings.policies, &surroundings.known, today) {
        Ok(Loaded { warnings, tests, .. }) => Ok(Report { diagnostics: warnings, outcome: Ok(tests.len()) }),
        Err(LoadError { unreadable: Some(why), .. }) => Err(Failure::no_policy(why)),
        Err(mut wrong) => Ok(Report { diagnostics: std::mem::take(&mut wrong.diagnostics), outcome: Err(wrong) }),
    }
}

/// How diagnostics are printed here.
fn style() -> Style {
    if std::io::stdout().is_terminal() { Style::Terminal } else { Style::Plain }
}

impl Report {
    fn of(&self, severity: Severity) -> Vec<&Diagnostic> {
        self.diagnostics.iter().filter(|d| d.severity == severity).collect()
    }

    fn json(&self) -> serde_json::Value {
        let tests = match &self.outcome {
            Ok(passed) => json!({ "passed": passed, "failed": [] }),
            Err(wrong) => json!({ "passed": wrong.passed, "failed": wrong.failed }),
        };
        json!({ "errors": self.of(Severity::Error), "warnings": self.of(Severity::Warning), "tests": tests })
    }

    fn print(&self) {
        for diagnostic in &self.diagnostics {
            say!("{}\n", diagnostic.render(style()));
        }
        let (errors, warnings) = (self.of(Severity::Error).len(), self.of(Severity::Warning).len());
        let tests = match &self.outcome {
            Ok(passed) => format!("{passed} tests passed"),
            Err(wrong) if errors > 0 => {
                debug_assert!(wrong.failed.is_empty());
                "tests not run".to_owned()
            }
            Err(wrong) => {
                wrong.failed.iter().for_each(|failed| say!("{failed}\n"));
                format!("{} tests passed, {} failed", wrong.passed, wrong.failed.len())
            }
        };
        let verdict = if self.outcome.is_ok() { "good" } else { "not fit for use" };
        say!("{verdict}: {errors} errors, {warnings} warnings, {tests}");
    }
}
