//! What is kept of the world over a restart: a file of rows in the data folder, written whole and renamed.
//!
//! Called by `proof` and `deliver`. Promises: a row that cannot be read does not take the others along; a file that cannot be is put
//! aside for whoever wants to look at it, and is as if nothing were kept. Fails at writing, with the disk's error.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The rows that can be read. `what` says what is lost where none can.
#[must_use]
pub fn read<T: DeserializeOwned>(file: &Path, what: &str) -> Vec<T> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tracing::error!(%error, "{} cannot be read: {what} is not known", file.display());
            // It is not written over: it may be read again.
            let _ = fs::rename(file, file.with_extension("json.unread"));
            return Vec::new();
        }
    };
    let whole = serde_json::from_slice::<Vec<serde_json::Value>>(&text).unwrap_or_else(|error| {
        tracing::error!(%error, "{} cannot be read: {what} is not known any more", file.display());
        let _ = fs::rename(file, file.with_extension("json.damaged"));
        Vec::new()
    });
    let rows = whole.len();
    let known: Vec<T> = whole.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect();
    if known.len() < rows {
        tracing::warn!(lost = rows - known.len(), "some rows of {} cannot be read", file.display());
    }
    known
}

/// Writes all rows in the place of what was there.
///
/// # Errors
/// When the disk does not take them; what was there stays.
pub fn write<T: Serialize>(file: &Path, all: &[T]) -> io::Result<()> {
    let beside = file.with_extension("json.new");
    let mut new = File::create(&beside)?;
    new.write_all(&serde_json::to_vec(all)?)?;
    new.sync_all()?;
    fs::rename(&beside, file)?;
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
