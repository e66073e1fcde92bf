//! Warnings that somebody has accepted, in the file itself: `# accept(CODE): reason`.
//!
//! Called by the compiler when all is known. Promises: only warnings can be accepted, each at its own line and with a reason; an
//! acceptance that accepts nothing any more is told, so that none outlives what it was for. Never fails.

use super::SourceFile;
use super::diagnostic::{Complaints, Diagnostic, Mistake, Place, Severity};

/// One comment, and the line that it is about.
struct Acceptance<'a> {
    place: Place,
    file: &'a str,
    line: usize,
    code: &'a str,
    has_reason: bool,
    is_used: bool,
}

/// All acceptances of a policy's files.
pub(super) struct Acceptances<'a>(Vec<Acceptance<'a>>);

impl<'a> Acceptances<'a> {
    pub fn of(files: &'a [SourceFile]) -> Acceptances<'a> {
        let texts = files.iter().enumerate().filter(|(_, file)| file.is_toml());
        Acceptances(texts.flat_map(|(number, file)| in_file(number, file)).collect())
    }

    /// Whether the warning is accepted.
    pub fn accept(&mut self, warning: &Diagnostic) -> bool {
        let (Some(file), Some(line)) = (&warning.file, warning.line) else { return false };
        let is_meant = |a: &&mut Acceptance<'_>| a.file == *file && a.line == line && a.code == warning.code;
        let Some(acceptance) = self.0.iter_mut().find(is_meant) else { return false };
        acceptance.is_used = true;
        acceptance.has_reason && warning.severity == Severity::Warning
    }

    /// Those without a reason, and those that accepted nothing.
    pub fn complain(&self, c: &mut Complaints<'_>) {
        for acceptance in &self.0 {
            let mistake = match (acceptance.has_reason, acceptance.is_used) {
                (false, _) => Mistake::new("accepted-without-reason", "this accepts a warning and does not say why")
                    .hint("write # accept(CODE): the reason, for whoever reads it in a year"),
                (true, true) => continue,
                (true, false) => {
                    let message = format!("there is no warning `{}` to accept here", acceptance.code);
                    Mistake::new("accepts-nothing", message).hint(
                        "take the comment out; it stands at the end of the line that it is about, or right above it",
                    )
                }
            };
            c.warn(acceptance.place, mistake);
        }
    }
}

fn in_file(number: usize, file: &SourceFile) -> Vec<Acceptance<'_>> {
    const BEGIN: &str = "accept(";
    let lines: Vec<&str> = file.text.split_inclusive('\n').collect();
    let (mut found, mut start) = (Vec::new(), 0);
    for (index, line) in lines.iter().enumerate() {
        let begin = start;
        start += line.len();
        let Some((before, comment)) = line.split_once('#') else { continue };
        let Some((code, rest)) = comment.trim_start().strip_prefix(BEGIN).and_then(|rest| rest.split_once(')')) else {
            continue;
        };
        // Alone on its line, it is about the next one that is no comment.
        let is_alone = before.trim().is_empty();
        let below = |line: &&str| !line.trim_start().starts_with('#');
        let offset = if is_alone { lines[index..].iter().position(below).unwrap_or(0) } else { 0 };
        let at = begin + before.len();
        found.push(Acceptance {
            place: Place { file: number, start: at, end: at + 1 + comment.trim_end().len() },
            file: &file.name,
            line: index + offset + 1,
            code: code.trim(),
            has_reason: !rest.trim_start_matches(':').trim().is_empty(),
            is_used: false,
        });
    }
    found
}
