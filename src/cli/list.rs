//! `mailward list import`: a newer edition of a list, shown before it is taken.
//!
//! Promises: the list is written whole or not at all; who took it, when, and what changed stands in its first lines. A file that
//! lets a fifth of the list lapse is taken only by somebody who says that it is meant. Fails by exit code 1 and a sentence.

mod probed;

use super::known::Source;
use super::queue::agreed;
use super::{Failure, fail};
use crate::clock::{Now, rfc3339};
use crate::policy::{Imported, import};
use probed::Findings;
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

/// Rows of each kind that are shown to people.
const SHOWN: usize = 20;

/// Lists of domains beside the policy
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mailward list import dcb1596-december.csv --as lists/dcb1596.csv --by 'J. Smith'")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lay a newer edition over a list: shows what is added, gone, changed and wrong, and asks. What is gone lapses
    #[command(
        after_help = "Example:\n  mailward list import dcb1596-december.csv --as lists/dcb1596.csv --by 'J. Smith'"
    )]
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Import {
    #[command(flatten)]
    source: Source,
    /// The newer edition, as CSV
    file: PathBuf,
    /// The list in the policy's folder, such as lists/dcb1596.csv
    #[arg(long, value_name = "PATH")]
    r#as: PathBuf,
    /// Who takes it, for the record in the list
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Ask the mail hosts of the domains that are added what they show, and propose their `mx`. Sends nothing
    #[arg(long)]
    probe: bool,
    /// A fifth of the list or more is gone, and that is meant
    #[arg(long)]
    accept_gone: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[must_use]
pub fn run(args: Args) -> ExitCode {
    let Verb::Import(args) = args.verb;
    args.answer().unwrap_or_else(Failure::print)
}

impl Import {
    fn answer(&self) -> Result<ExitCode, Failure> {
        let list = self.source.surroundings()?.policies.join(inside(&self.r#as)?);
        let newer = read(&self.file)?.ok_or_else(|| {
            Failure::usage(format!("`{}` is not there", self.file.display()), "name the newer edition, as CSV")
        })?;
        let before = read(&list)?.unwrap_or_default();
        let mut made = import(&before, &newer, jiff::Zoned::now().date())?;
        let found = if self.probe { Findings::of(&self.source, &mut made)? } else { Findings::default() };
        if !self.json {
            lines(&made, self.probe.then_some(&found)).iter().for_each(|line| say!("{line}"));
        }
        let much = made.gone.len() * 5 > made.current_before && made.gone.len() > 1;
        if much && !self.accept_gone {
            return Ok(fail(format!(
                "{} of {} rows would lapse: is the file whole?\nhint: if it is meant: --accept-gone",
                made.gone.len(),
                made.current_before
            )));
        }
        let is_wanted = !made.is_nothing() && (self.yes || agreed(&format!("write {}? [y/N] ", list.display())));
        if is_wanted {
            write(&list, &made.text(&self.record(&made, &found)))?;
        }
        if self.json {
            let mut told = told(&made, &found);
            told["written"] = is_wanted.into();
            say!("{told}");
        } else if is_wanted {
            say!("written: {}\nnext: mailward check, then mailward reload", list.display());
        } else {
            say!("nothing is written");
        }
        Ok(ExitCode::from(u8::from(!is_wanted && !made.is_nothing())))
    }

    fn record(&self, made: &Imported, found: &Findings) -> String {
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "{} by {} from {file}: {} added, {} gone, {} dates changed{}",
            rfc3339(Now::read().wall),
            self.by,
            made.added.len(),
            made.gone.len(),
            made.dates.len(),
            if self.probe { format!(", mx of {} as they showed it", found.count()) } else { String::new() }
        )
    }
}

fn told(made: &Imported, found: &Findings) -> Value {
    let at = |(line, what): &(u64, String)| json!({ "line": line, "message": what });
    let date = |(domain, from, to): &(String, String, String)| json!({ "domain": domain, "from": from, "to": to });
    let mut told = json!({
        "added": made.added,
        "gone": made.gone,
        "dates": made.dates.iter().map(date).collect::<Vec<_>>(),
        "wrong": made.wrong.iter().map(at).collect::<Vec<_>>(),
        "odd": made.odd.iter().map(at).collect::<Vec<_>>(),
        "left_out": made.left_out,
    });
    found.add_to(&mut told);
    told
}

/// A list lies in the policy's folder.
fn inside(path: &Path) -> Result<&Path, Failure> {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain && path.extension().is_some_and(|e| e == "csv") && path.components().count() <= 2 {
        return Ok(path);
    }
    let hint = "name a *.csv in the policy's folder or right below it, such as lists/dcb1596.csv";
    Err(Failure::usage(format!("`{}` is no place for a list", path.display()), hint))
}

/// None: it is not there.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Failure::from(format!("`{}` cannot be read: {why}", path.display()))),
    }
}

/// Writes a file of the policy, whole or not at all.
pub(super) fn write(list: &Path, text: &str) -> Result<(), Failure> {
    let folder = list.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        // As the policy's other files: the gateway reads them as another user.
        let mode = fs::metadata(list)
            .map_or_else(|_| std::os::unix::fs::PermissionsExt::from_mode(0o644), |m| m.permissions());
        file.as_file().set_permissions(mode)?;
        file.as_file().sync_all()?;
        file.persist(list).map_err(|error| error.error)?;
        fs::File::open(folder)?.sync_all()
    });
    written.map_err(|why| Failure::from(format!("`{}` cannot be written: {why}", list.display())))
}

fn lines(made: &Imported, found: Option<&Findings>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut part = |what: &str, all: Vec<String>| {
        lines.push(format!("{what}: {}", all.len()));
        lines.extend(all.iter().take(SHOWN).map(|line| format!("  {line}")));
        if all.len() > SHOWN {
            lines.push(format!("  … and {} more", all.len() - SHOWN));
        }
    };
    part("added", made.added.clone());
    part("gone, and lapsing today", made.gone.clone());
    part("dates changed", made.dates.iter().map(|(domain, from, to)| format!("{domain}: {from} -> {to}")).collect());
    let at = |(line, what): &(u64, String)| format!("line {line}: {what}");
    part("wrong, and not taken", made.wrong.iter().map(at).collect());
    part("odd, and taken", made.odd.iter().map(at).collect());
    found.iter().flat_map(|found| found.parts()).for_each(|(what, all)| part(what, all));
    if !made.left_out.is_empty() {
        lines.push(format!("columns left out: {}", made.left_out.join(", ")));
    }
    lines
}
