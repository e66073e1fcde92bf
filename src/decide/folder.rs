//! The files of a policy in their folder: which of them belong to it, and which only look so.
//!
//! Called by `load` and by the commands that read policy. Promises: hidden files (an editor's) are passed over, anything else that is
//! passed over is told. Fails with a sentence: which folder or file, and why it could not be read.

use crate::policy::{Diagnostic, SourceFile};
use std::io;
use std::path::{Path, PathBuf};

/// Endings of what may lie beside a policy: lists, notes for people, messages for tests, a schema for editors.
const BESIDE: [&str; 6] = [".csv", ".txt", ".md", ".eml", ".html", ".json"];

/// The policy in a folder: its `*.toml` files, and the lists (`*.csv`, `*.txt`) in it and in folders right below it. Hidden
/// files (an editor's) are passed over.
///
/// # Errors
/// A sentence: which folder or file, and why it could not be read.
pub fn read(dir: &Path) -> Result<Vec<SourceFile>, String> {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    for path in entries(dir)? {
        let name = name_of(&path);
        if path.is_dir() {
            folders.push(path);
        } else if path.is_file() && (name.ends_with(".toml") || is_list(&name)) {
            files.push(SourceFile { text: text(&path)?, name });
        }
    }
    if !files.iter().any(SourceFile::is_toml) {
        let like = passed_over_names(dir).into_iter().next();
        let hint = like.map_or_else(String::new, |name| format!("\nhint: {}", renamed(&name)));
        return Err(format!("`{}` holds no policy: there is no file *.toml in it{hint}", dir.display()));
    }
    for folder in folders {
        for path in entries(&folder)?.into_iter().filter(|path| is_list(&name_of(path)) && path.is_file()) {
            let name = format!("{}/{}", name_of(&folder), name_of(&path));
            files.push(SourceFile { text: text(&path)?, name });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn unreadable(path: &Path, why: &io::Error) -> String {
    if why.kind() == io::ErrorKind::InvalidData {
        return format!(
            "`{}` is not written in UTF-8\nhint: save it as UTF-8, which every text editor can",
            path.display()
        );
    }
    format!("`{}` cannot be read: {why}", path.display())
}

/// Warnings about files that look as if they were meant to be of the policy, and are not.
pub(super) fn passed_over(dir: &Path) -> Vec<Diagnostic> {
    let told = |name: String| {
        let message = format!("`{name}` is passed over: it is neither rules (*.toml) nor a list (*.csv, *.txt)");
        Diagnostic::overall("file-passed-over", message, &renamed(&name))
    };
    passed_over_names(dir).into_iter().map(told).collect()
}

fn passed_over_names(dir: &Path) -> Vec<String> {
    let files = entries(dir).unwrap_or_default().into_iter().filter(|path| path.is_file());
    let mut names: Vec<String> = files.map(|path| name_of(&path)).filter(|name| !belongs(name)).collect();
    names.sort();
    names
}

/// Rules with a list's ending, as Windows hides it, are rules to whoever saved them.
fn belongs(name: &str) -> bool {
    let is_rules_in_disguise =
        name.to_lowercase().trim_end_matches(".txt").ends_with(".toml") && !name.ends_with(".toml");
    !is_rules_in_disguise
        && (name.ends_with(".toml") || BESIDE.iter().any(|ending| name.ends_with(ending)) || !name.contains('.'))
}

fn renamed(name: &str) -> String {
    let stem = name.split('.').next().unwrap_or(name);
    format!("if it holds rules, call it `{stem}.toml`; if it does not, put it elsewhere")
}

/// What is in a folder and not hidden.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let listed =
        std::fs::read_dir(dir).and_then(|entries| entries.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>());
    let mut paths = listed.map_err(|why| unreadable(dir, &why))?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    Ok(paths)
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|why| unreadable(path, &why))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_list(name: &str) -> bool {
    name.ends_with(".csv") || name.ends_with(".txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_rules_and_is_not_taken_is_told() {
        let told: Vec<bool> =
            ["a.toml", "lists.csv", "terms.txt", "README", "README.md", "a.toml.txt", "A.TOML", "a.tml", "a.toml.bak"]
                .into_iter()
                .map(|name| !belongs(name))
                .collect();
        assert_eq!(told, [false, false, false, false, false, true, true, true, true]);
        assert!(renamed("a.toml.txt").contains("`a.toml`"));
    }

    #[test]
    fn a_folder_without_rules_names_the_file_that_may_be_meant() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.toml.txt"), "").unwrap();
        assert!(
            read(folder.path())
                .unwrap_err()
                .ends_with("hint: if it holds rules, call it `rules.toml`; if it does not, put it elsewhere")
        );
        std::fs::write(folder.path().join("b.toml"), [b'#', 0xE9]).unwrap();
        assert!(read(folder.path()).unwrap_err().contains("save it as UTF-8"));
    }
}
