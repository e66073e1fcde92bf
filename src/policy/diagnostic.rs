//! Diagnostics: what is wrong in the files of a policy, where, and what to do about it.
//!
//! Made by the compiler and lint, printed by `check`, `serve` and the tests. Promises: a code never changes its meaning;
//! file, line and column point at what was typed; a diagnostic renders without the file at hand. Fails never.

use super::SourceFile;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Serialize;
use std::fmt;

/// Whether the policy can be used as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong, or looks wrong, in the files of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable: `unknown-key`, `unknown-group`, `not-in-this-version` ….
    pub code: &'static str,
    /// None where the policy as a whole is meant.
    pub file: Option<String>,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub message: String,
    pub hint: Option<String>,
    #[serde(skip)]
    pub severity: Severity,
    #[serde(skip)]
    excerpt: Excerpt,
}

/// The line that is meant, and the bytes of it to point at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Excerpt {
    text: String,
    start: usize,
    end: usize,
}

impl Diagnostic {
    /// A warning about the policy as a whole.
    #[must_use]
    pub fn overall(code: &'static str, message: String, hint: &str) -> Diagnostic {
        Diagnostic {
            code,
            file: None,
            line: None,
            column: None,
            message,
            hint: Some(hint.to_owned()),
            severity: Severity::Warning,
            excerpt: Excerpt::default(),
        }
    }

    /// With source line, caret and hint; colours only where the reader has a terminal.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Terminal => Renderer::styled(),
        }
        .decor_style(DecorStyle::Ascii);
        let mut group = level.primary_title(self.message.as_str()).id(self.code).elements(self.snippet());
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        renderer.render(&[group])
    }

    fn snippet(&self) -> Option<Snippet<'_, annotate_snippets::Annotation<'_>>> {
        let (file, line) = self.file.as_deref().zip(self.line)?;
        let caret = AnnotationKind::Primary.span(self.excerpt.start..self.excerpt.end);
        Some(Snippet::source(self.excerpt.text.as_str()).line_start(line).path(file).fold(false).annotation(caret))
    }

    fn order(&self) -> (Option<&str>, Option<usize>, Option<usize>, &str, &str) {
        (self.file.as_deref(), self.line, self.column, self.code, &self.message)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Style::Plain))
    }
}

/// How a diagnostic is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Terminal,
}

/// Bytes of one file: what a diagnostic points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

/// A value with the place where it was typed.
#[derive(Debug, Clone)]
pub(crate) struct Sited<T> {
    pub value: T,
    pub place: Place,
}

/// What is wrong, before its place is known.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

const NEAR: &str = "did you mean ";

impl Mistake {
    pub fn new(code: &'static str, message: impl Into<String>) -> Mistake {
        Mistake { code, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Mistake {
        self.hint = Some(hint.into());
        self
    }

    /// Whether there is a name that may have been meant.
    pub fn is_near(&self) -> bool {
        self.hint.as_ref().is_some_and(|hint| hint.starts_with(NEAR))
    }

    /// A name that is not there, with the nearest that is.
    pub fn unknown<'n>(
        code: &'static str,
        message: String,
        written: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Mistake {
        let known: Vec<&str> = known.collect();
        let hint = match nearest(written, &known) {
            Some(name) => format!("{NEAR}`{name}`?"),
            None if known.is_empty() => "none is defined".to_owned(),
            None => format!("known are: {}", known.join(", ")),
        };
        Mistake::new(code, message).hint(hint)
    }
}

fn nearest<'n>(written: &str, known: &[&'n str]) -> Option<&'n str> {
    known
        .iter()
        .map(|name| (strsim::jaro_winkler(written, name), *name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Collects all that is wrong, so that the operator sees everything at once.
pub(crate) struct Complaints<'a> {
    files: &'a [SourceFile],
    found: Vec<Diagnostic>,
}

impl<'a> Complaints<'a> {
    pub fn about(files: &'a [SourceFile]) -> Complaints<'a> {
        Complaints { files, found: Vec::new() }
    }

    pub fn error(&mut self, place: Place, mistake: Mistake) {
        let diagnostic = self.diagnostic(Some(place), mistake, Severity::Error);
        self.found.push(diagnostic);
    }

    pub fn warn(&mut self, place: Place, mistake: Mistake) {
        let diagnostic = self.diagnostic(Some(place), mistake, Severity::Warning);
        self.found.push(diagnostic);
    }

    /// An error for later: somebody else finds out whether it is one.
    pub fn prepared(&self, place: Place, mistake: Mistake) -> Diagnostic {
        self.diagnostic(Some(place), mistake, Severity::Error)
    }

    /// About the policy as a whole.
    pub fn error_overall(&mut self, mistake: Mistake) {
        let diagnostic = self.diagnostic(None, mistake, Severity::Error);
        self.found.push(diagnostic);
    }

    /// About gateway.toml, of which the policy knows no place.
    pub fn warn_overall(&mut self, mistake: Mistake) {
        let diagnostic = self.diagnostic(None, mistake, Severity::Warning);
        self.found.push(diagnostic);
    }

    /// A file of the policy that is no TOML, by the path that was typed.
    pub fn file(&self, name: &str) -> Option<(usize, &'a SourceFile)> {
        let name = name.strip_prefix("./").unwrap_or(name);
        self.files.iter().enumerate().find(|(_, file)| file.name == name && !file.is_toml())
    }

    /// The paths of all of them.
    pub fn lists(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.files.iter().filter(|file| !file.is_toml()).map(|file| file.name.as_str())
    }

    /// `30-rules.toml:12`
    pub fn line_of(&self, place: Place) -> String {
        let Some(file) = self.files.get(place.file) else { return String::new() };
        format!("{}:{}", file.name, line_at(&file.text, place.start).0)
    }

    pub fn failed(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    /// In the order of files, lines and columns.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| a.order().cmp(&b.order()));
        self.found.dedup();
        self.found
    }

    fn diagnostic(&self, place: Option<Place>, mistake: Mistake, severity: Severity) -> Diagnostic {
        let Mistake { code, message, hint } = mistake;
        let mut made = Diagnostic {
            code,
            file: None,
            line: None,
            column: None,
            message,
            hint,
            severity,
            excerpt: Excerpt::default(),
        };
        let Some((place, file)) = place.and_then(|p| self.files.get(p.file).map(|f| (p, f))) else { return made };
        let (line, begin) = line_at(&file.text, place.start);
        let text = file.text[begin..].split(['\n', '\r']).next().unwrap_or_default();
        let start = floor(text, place.start.saturating_sub(begin));
        let end = floor(text, place.end.saturating_sub(begin)).max(start);
        made.file = Some(file.name.clone());
        made.line = Some(line);
        made.column = Some(text[..start].chars().count() + 1);
        made.excerpt = Excerpt { text: text.to_owned(), start, end };
        made
    }
}

/// The line number that `offset` is on, from 1, and where that line begins.
fn line_at(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    (line, memchr::memrchr(b'\n', before).map_or(0, |at| at + 1))
}

/// The nearest character boundary at or below `offset`.
fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, start: usize, end: usize) -> String {
        let files = [SourceFile { name: "a.toml".into(), text: text.into() }];
        let mut complaints = Complaints::about(&files);
        complaints.error(Place { file: 0, start, end }, Mistake::new("unknown-key", "wrong").hint("right"));
        complaints.finish()[0].to_string()
    }

    #[test]
    fn the_caret_stands_under_what_was_typed() {
        let text = render("one = 1\ntwö = 2\nthree = 3\n", 8, 12);
        assert!(text.contains("a.toml:2:1") && text.contains("two".replace('o', "ö").as_str()), "{text}");
        assert!(text.contains("^^^") && !text.contains("^^^^") && text.contains("hint: right"), "{text}");
    }

    #[test]
    fn no_place_makes_it_panic() {
        for (start, end) in [(0, 0), (3, 1), (9, 9), (10, 99), (99, 100)] {
            assert!(!render("é = \"é\"\r\né", start, end).is_empty());
        }
        assert!(!render("", 0, 5).is_empty());
    }
}
