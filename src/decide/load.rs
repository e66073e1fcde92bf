//! From files to a judge: compiles them, and runs the policy's own tests.
//!
//! Called at start and by the commands that read policy. Promises: nothing is used that is wrong anywhere.
//! Fails by `LoadError` with all that is wrong.

use super::cases::{self, FailedTest};
use super::{Judge, cases::Folder};
use super::{folder, own};
use crate::clock::start_of;
use crate::policy::{self, Diagnostic, Known, PolicyTest, SourceFile, Style, TestContent};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A policy that can be put into force.
pub struct Loaded {
    pub judge: Judge,
    pub files: Vec<SourceFile>,
    pub warnings: Vec<Diagnostic>,
    /// All of them passed.
    pub tests: Vec<PolicyTest>,
}

/// All that is wrong with a policy.
#[derive(Debug, Default)]
pub struct LoadError {
    /// Why the folder or a file of it could not be read.
    pub unreadable: Option<String>,
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    pub passed: usize,
    pub failed: Vec<FailedTest>,
}

impl LoadError {
    /// For people.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let unreadable = self.unreadable.iter().map(|why| format!("error: {why}"));
        let wrong = self.diagnostics.iter().map(|d| d.render(style));
        let failed = self.failed.iter().map(ToString::to_string);
        unreadable.chain(wrong).chain(failed).collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

impl std::error::Error for LoadError {}

/// Loads the policy in `dir`.
///
/// # Errors
/// All that is wrong: files, rules, failing tests.
pub fn load(dir: &Path, known: &Known, today: Date) -> Result<Loaded, LoadError> {
    let files = folder::read(dir).map_err(|why| LoadError { unreadable: Some(why), ..LoadError::default() })?;
    let mut loaded = examine(files, known, today, Some(dir))?;
    loaded.warnings.extend(folder::passed_over(dir));
    Ok(loaded)
}

/// The same for files that are in memory; tests whose message is a file are left out.
///
/// # Errors
/// All that is wrong.
pub fn load_files(files: Vec<SourceFile>, known: &Known, today: Date) -> Result<Loaded, LoadError> {
    examine(files, known, today, None)
}

fn examine(files: Vec<SourceFile>, known: &Known, today: Date, dir: Option<&Path>) -> Result<Loaded, LoadError> {
    let compiled =
        policy::compile(&files, known).map_err(|diagnostics| LoadError { diagnostics, ..LoadError::default() })?;
    let mut warnings = compiled.warnings_on(today);
    let day = compiled.day.unwrap_or(today);
    let (judge, mut tests) = (Judge::new(compiled.policy), compiled.tests);
    let failing = own::failing(&judge, &compiled.samples);
    if !failing.is_empty() {
        return Err(LoadError { diagnostics: [warnings, failing].concat(), ..LoadError::default() });
    }
    // Without a smarthost it is this very judge.
    let other = known.smarthost.as_ref().map(|_| without_smarthost(&files, known)).transpose()?;
    let tested = other.as_ref().unwrap_or(&judge);
    tests.retain(|test| dir.is_some() || matches!(test.content, TestContent::Text { .. }));
    let on = |day| cases::run(tested, &tests, &Folder(dir.unwrap_or(Path::new("."))), start_of(day));
    let failed = on(day);
    if failed.is_empty() {
        let today = if day == today { Vec::new() } else { on(today) };
        warnings.extend(today.iter().map(fails_today));
        return Ok(Loaded { judge, files, warnings, tests });
    }
    let passed = tests.len().saturating_sub(failed.len());
    Err(LoadError { unreadable: None, diagnostics: warnings, passed, failed })
}

/// A test that holds on the day that it lives on, and not today: an end has come, or a membership has lapsed.
fn fails_today(failed: &FailedTest) -> Diagnostic {
    let FailedTest { name, at, expected, got, .. } = failed;
    let message = format!("test `{name}` ({at}) would fail today: expected {expected}, got {got}");
    Diagnostic::overall("test-fails-today", message, "see which date has passed since the day in [tests] at")
}

/// The judge that a policy's tests meet: they are about the rules, and one policy serves gateways with and without a
/// smarthost. What cannot be met behind one is lint.
fn without_smarthost(files: &[SourceFile], known: &Known) -> Result<Judge, LoadError> {
    let known = Known { smarthost: None, domains: BTreeMap::new(), ..known.clone() };
    judge_of(files, &known).map_err(|diagnostics| LoadError { diagnostics, ..LoadError::default() })
}

/// A judge for files in memory, without running their tests.
///
/// # Errors
/// All that is wrong in them.
pub fn judge_of(files: &[SourceFile], known: &Known) -> Result<Judge, Vec<Diagnostic>> {
    policy::compile(files, known).map(|compiled| Judge::new(compiled.policy))
}
