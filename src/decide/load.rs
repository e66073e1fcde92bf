//! From a folder to a judge: reads its files, compiles them, runs the policy's own tests.
//!
//! Called at start and by the commands that read policy. Promises: nothing is used that is wrong anywhere.
//! Fails by `LoadError` with all that is wrong.

use super::cases::{self, FailedTest};
use super::{Judge, cases::Folder};
use crate::policy::{self, Diagnostic, Known, PolicyTest, SourceFile, Style};
use std::fmt;
use std::io;
use std::path::Path;

/// A policy that can be put into force.
pub struct Loaded {
    pub judge: Judge,
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
pub fn load(dir: &Path, known: &Known, today: jiff::civil::Date) -> Result<Loaded, LoadError> {
    let files = read(dir).map_err(|why| LoadError { unreadable: Some(why), ..LoadError::default() })?;
    let compiled =
        policy::compile(&files, known).map_err(|diagnostics| LoadError { diagnostics, ..LoadError::default() })?;
    let warnings = compiled.warnings_on(today);
    let (judge, tests) = (Judge::new(compiled.policy), compiled.tests);
    let failed = cases::run(&without_smarthost(&files, known)?, &tests, &Folder(dir));
    if failed.is_empty() {
        return Ok(Loaded { judge, warnings, tests });
    }
    let passed = tests.len().saturating_sub(failed.len());
    Err(LoadError { unreadable: None, diagnostics: warnings, passed, failed })
}

/// The judge that a policy's tests meet: they are about the rules, and one policy serves gateways with and without a
/// smarthost. What cannot be met behind one is lint.
fn without_smarthost(files: &[SourceFile], known: &Known) -> Result<Judge, LoadError> {
    let known = Known { smarthost: None, ..known.clone() };
    judge_of(files, &known).map_err(|diagnostics| LoadError { diagnostics, ..LoadError::default() })
}

/// A judge for files in memory, without running their tests.
///
/// # Errors
/// All that is wrong in them.
pub fn judge_of(files: &[SourceFile], known: &Known) -> Result<Judge, Vec<Diagnostic>> {
    policy::compile(files, known).map(|compiled| Judge::new(compiled.policy))
}

/// The `*.toml` files of a folder, by name. Hidden files (an editor's) are passed over.
///
/// # Errors
/// A sentence: which folder or file, and why it could not be read.
pub fn read(dir: &Path) -> Result<Vec<SourceFile>, String> {
    let said = |path: &Path, why: io::Error| format!("`{}` cannot be read: {why}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|why| said(dir, why))? {
        let path = entry.map_err(|why| said(dir, why))?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".toml") && !name.starts_with('.') {
            let text = std::fs::read_to_string(&path).map_err(|why| said(&path, why))?;
            files.push(SourceFile { name, text });
        }
    }
    if files.is_empty() {
        return Err(format!("`{}` holds no policy: there is no file *.toml in it", dir.display()));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}
