//! What people and programmes write for us: policies, gateway.toml, requests. Mistakes are told with their place; nothing
//! makes us panic.

use super::text;
use mailward::clock::EntryId;
use mailward::config::{self, ConfigError};
use mailward::control::{Request, queries};
use mailward::policy::{Diagnostic, Known, SourceFile, Style, compile};
use mailward::store::Opened;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A file of a policy.
pub fn policy(bytes: &[u8]) {
    let file = SourceFile { name: "policy.toml".into(), text: text(bytes).into_owned() };
    let files = [file];
    match compile(&files, &Known::default()) {
        Err(found) => {
            assert!(!found.is_empty(), "what is wrong is said");
            placed(&found, &files[0].text);
        }
        Ok(compiled) => placed(&compiled.warnings_on("2027-01-15".parse().unwrap()), &files[0].text),
    }
}

/// Every place lies in the file, and every diagnostic can be printed.
fn placed(found: &[Diagnostic], text: &str) {
    for diagnostic in found {
        assert!(!diagnostic.message.is_empty() && !diagnostic.code.is_empty());
        for style in [Style::Plain, Style::Terminal] {
            assert!(diagnostic.render(style).contains(diagnostic.code));
        }
        let (Some(line), Some(column)) = (diagnostic.line, diagnostic.column) else { continue };
        // A file that ends in a line end has one more, empty, line to point at.
        let typed = text.split('\n').nth(line - 1);
        let typed = typed.unwrap_or_else(|| panic!("line {line} is not in the file: {diagnostic}"));
        assert!((1..=typed.chars().count() + 1).contains(&column), "column {column} of {typed:?}: {diagnostic}");
    }
}

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().unwrap();
    static OPENED: (TempDir, Opened) = {
        let folder = tempfile::tempdir().unwrap();
        let opened = Opened::open(folder.path(), |_| {}).unwrap();
        (folder, opened)
    };
}

/// A gateway.toml.
pub fn gateway(bytes: &[u8]) {
    let text = text(bytes);
    match FOLDER.with(|folder| load(folder.path(), &text)) {
        Ok(config) => {
            let _ = (config.known(), config.routes());
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if let ConfigError::Wrong(found) = &error {
                assert!(!found.is_empty());
                placed(found, &text);
            }
        }
    }
}

fn load(folder: &Path, text: &str) -> Result<config::Config, ConfigError> {
    let file = folder.join("gateway.toml");
    fs::write(&file, text).unwrap();
    config::load(&file)
}

/// A line on the control socket, answered from an empty queue.
pub fn control(bytes: &[u8]) {
    let line = text(bytes);
    let Ok(request) = serde_json::from_str::<Request>(&line) else { return };
    let again = serde_json::to_string(&request).unwrap();
    assert_eq!(serde_json::from_str::<Request>(&again).unwrap().verb(), request.verb());
    OPENED.with(|(_, opened)| {
        let reader = opened.reader().unwrap();
        match &request {
            Request::QueueList { filter, after } | Request::QueueCount { filter, after } => {
                assert_eq!(queries::list(&reader, filter, *after).unwrap()["rows"], serde_json::json!([]));
                assert_eq!(queries::count(&reader, filter, *after).unwrap()["messages"], 0);
            }
            Request::QueueShow { id } => {
                let Ok(id) = id.parse::<EntryId>() else { return };
                assert_eq!(id.to_string().parse(), Ok(id));
                let _ = queries::show(&reader, id);
            }
            Request::Trace { query } => drop(queries::trace(&reader, query).unwrap()),
            _ => {}
        }
    });
}
