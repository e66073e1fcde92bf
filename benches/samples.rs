//! Reads real files, and says what became of each: `cargo bench --bench samples -- FOLDER [messages|attachments] [compare]`.
//!
//! The files are somebody else's and are fetched for the run: test messages of other libraries, sample documents. Each is read
//! by a worker as it would be in a message. Reported: how many were read, how many said to be unread and as what, those that ended their
//! worker, the slowest. With `compare`, words that other programmes (pdftotext, antiword, catdoc, xls2csv, catppt, LibreOffice)
//! find in a file are looked for in what is read here: those that are missing in a file that counts as read were passed over.
//! LibreOffice writes words of its own, such as the names of its styles.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use base64::Engine as _;
use mailward::clinical::{self, Findings, Limits, Rules, Told, ToldLexicon};
use mailward::vocabulary::{Confidence, FindingKind};
use mailward::workers::{Ended, Telling, Workers};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Words asked of one file.
const WORDS: usize = 12;
/// Shorter ones are too common to tell anything.
const LONG: usize = 7;

/// What makes a message clinical by itself.
const CLINICAL: &[FindingKind] = &[
    FindingKind::NhsNumber,
    FindingKind::ChiNumber,
    FindingKind::HcNumber,
    FindingKind::Hl7V2,
    FindingKind::Cda,
    FindingKind::FhirPatient,
    FindingKind::Dicom,
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some(folder) = args.first().map(PathBuf::from) else {
        println!("samples: no folder given, nothing read");
        return;
    };
    let has = |word: &str| args.iter().any(|arg| arg == word);
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = ends.clone();
    let count = move |why: Ended| seen.lock().unwrap().push(why);
    let workers = Workers::new(env!("CARGO_BIN_EXE_mailward").into(), 1, count);
    let mut tally = Tally::default();
    for path in files(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        let message = if has("messages") { bytes } else { attached(&path, &bytes) };
        let words = if has("compare") { words_of(&path) } else { BTreeSet::new() };
        let begun = Instant::now();
        let found = read(&workers, &words, &message);
        tally.add(&path, (&found, begun.elapsed()), &words);
        for end in ends.lock().unwrap().drain(..).filter(|end| *end != Ended::Used) {
            println!("ENDED {}: {}", end.name(), path.display());
        }
    }
    tally.print();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn attached(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let name: String =
        path.file_name().unwrap().to_string_lossy().chars().filter(|c| c.is_ascii_graphic() && *c != '"').collect();
    let letters = base64::engine::general_purpose::STANDARD.encode(bytes);
    let head = format!(
        "From: a@site.example\r\nSubject: sample\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    [head.as_bytes(), letters.as_bytes(), b"\r\n"].concat()
}

fn read(workers: &Workers, words: &BTreeSet<String>, message: &[u8]) -> Findings {
    let terms = words.iter().zip(1..).map(|(word, line)| (word.clone(), line)).collect();
    let lexicons = if words.is_empty() { Vec::new() } else { vec![ToldLexicon { name: "words".into(), terms }] };
    let told = Told { lexicons, ..Told::default() };
    let first = clinical::inspect_text(message, &Rules::told(&told), &Limits::default());
    if first.documents.is_empty() {
        return first;
    }
    workers.inspect(&Telling::of(&told), message, first).expect("a worker")
}

#[derive(Default)]
struct Tally {
    kinds: BTreeMap<String, BTreeMap<String, usize>>,
    slowest: Vec<(Duration, PathBuf)>,
    asked: BTreeMap<String, Asked>,
    /// Messages in which something of a patient was found, by kind: in ordinary mail these are false alarms.
    alarms: BTreeMap<String, usize>,
    files: usize,
}

/// Words, and files of which some were asked.
#[derive(Default)]
struct Asked {
    words: usize,
    found: usize,
    files: usize,
    /// Of those, the ones with every word.
    whole: usize,
}

impl Tally {
    fn add(&mut self, path: &Path, (found, took): (&Findings, Duration), words: &BTreeSet<String>) {
        let ending = path.extension().map_or_else(String::new, |e| e.to_string_lossy().to_lowercase());
        let said: BTreeSet<String> = found.unread.iter().map(|u| u.kind.to_string()).collect();
        let said = if said.is_empty() { "read".to_owned() } else { said.into_iter().collect::<Vec<_>>().join("+") };
        *self.kinds.entry(ending.clone()).or_default().entry(said.clone()).or_default() += 1;
        self.slowest.push((took, path.to_owned()));
        self.files += 1;
        let sure = found.findings.iter().filter(|f| f.confidence >= Confidence::Medium && CLINICAL.contains(&f.kind));
        for kind in sure.map(|f| f.kind).collect::<BTreeSet<_>>() {
            println!("ALARM {kind}: {}", path.display());
            *self.alarms.entry(kind.to_string()).or_default() += 1;
        }
        let lines = found.findings.iter().filter_map(|f| f.masked.strip_prefix("line ")?.parse().ok());
        let lines: BTreeSet<usize> = lines.collect();
        let missing: Vec<&String> =
            words.iter().zip(1..).filter(|(_, line)| !lines.contains(line)).map(|(word, _)| word).collect();
        let asked = self.asked.entry(ending).or_default();
        asked.words += words.len();
        asked.found += words.len() - missing.len();
        asked.files += usize::from(!words.is_empty());
        asked.whole += usize::from(!words.is_empty() && missing.is_empty());
        if !missing.is_empty() {
            println!("MISSING {}/{} {} ({said}): {missing:?}", missing.len(), words.len(), path.display());
        }
    }

    fn print(mut self) {
        for (ending, kinds) in &self.kinds {
            let shown: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            println!("{ending:<10} {}", shown.join(", "));
        }
        for (ending, Asked { words, found, files, whole }) in self.asked.iter().filter(|(_, asked)| asked.files > 0) {
            println!("words of other readers, {ending:<6}: {found}/{words}; files with all of them: {whole}/{files}");
        }
        println!("clinical, of {} files: {:?}", self.files, self.alarms);
        self.slowest.sort_by(|one, other| other.cmp(one));
        for (took, path) in self.slowest.iter().take(5) {
            println!("{took:?} {}", path.display());
        }
    }
}

/// What another programme reads in a file: plain words of some length.
fn words_of(path: &Path) -> BTreeSet<String> {
    let ending = path.extension().map_or_else(String::new, |e| e.to_string_lossy().to_lowercase());
    let text = match ending.as_str() {
        "pdf" => output("pdftotext", &["-q"], path, &["-"]),
        "doc" => output("antiword", &[], path, &[]),
        "xls" => output("xls2csv", &[], path, &[]),
        "ppt" => output("catppt", &[], path, &[]),
        "docx" | "pptx" | "xlsx" | "odt" | "ods" | "odp" | "rtf" => converted(path, &ending),
        _ => String::new(),
    };
    // Letters beside digits or accents are a part of a word, and so are those behind a hyphen that is not shown.
    let text = text.replace('\u{AD}', "");
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| (LONG..=20).contains(&word.len()));
    let words = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let words: BTreeSet<String> = words.map(str::to_lowercase).take(20_000).collect();
    // From the first letter to the last.
    let step = words.len().div_ceil(WORDS).max(1);
    words.into_iter().step_by(step).collect()
}

fn output(programme: &str, before: &[&str], path: &Path, behind: &[&str]) -> String {
    let ran = Command::new("timeout").args(["20", programme]).args(before).arg(path).args(behind).output().unwrap();
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// What LibreOffice makes of a file, with a profile of its own: another one that is open would answer for it.
fn converted(path: &Path, ending: &str) -> String {
    // Every sheet, as it is shown: the last number says which.
    const SHEETS: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1";
    let folder = tempfile::tempdir().unwrap();
    let filter = match ending {
        "xlsx" | "ods" => SHEETS,
        "pptx" | "odp" => "pdf",
        _ => "txt:Text (encoded):UTF8",
    };
    let profile = std::env::temp_dir().join(format!("samples-{}", std::process::id()));
    let mut command = Command::new("timeout");
    command.args(["60", "soffice", &format!("-env:UserInstallation=file://{}", profile.display()), "--headless"]);
    command.args(["--convert-to", filter, "--outdir"]).arg(folder.path()).arg(path);
    command.output().unwrap();
    let texts = files(folder.path()).into_iter().map(|made| match filter {
        "pdf" => output("pdftotext", &["-q"], &made, &["-"]),
        _ => String::from_utf8_lossy(&std::fs::read(made).unwrap()).into_owned(),
    });
    texts.collect::<Vec<_>>().join("\n")
}
