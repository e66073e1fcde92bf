//! How the files of a policy look from outside, so that a change is seen without reading them. Fails never: what cannot be looked at
//! is left out, and its return is a change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What tells that a file was changed, without reading it.
pub(super) type Looks = Vec<(PathBuf, u64, i64, i64, u64)>;

pub(super) fn look(folder: &Path) -> Looks {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    // A link that was swapped and swapped back leads where it led, and is another.
    let mut looks: Looks = of_link(folder).into_iter().collect();
    for path in entries(folder) {
        looks.extend(of_link(&path));
        let below = if path.is_dir() { entries(&path) } else { vec![path] };
        // What an editor leaves beside them is none of the policy's.
        let below = below.into_iter().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.starts_with('.') && [".toml", ".csv", ".txt"].iter().any(|end| name.ends_with(end))
        });
        // A link is followed: swapping it changes what is read.
        looks.extend(below.filter_map(of_file));
    }
    looks.sort();
    looks
}

/// The same with one file more.
pub(super) fn look_with(file: &Path, folder: &Path) -> Looks {
    let mut looks = look(folder);
    looks.extend(of_link(file));
    looks.extend(of_file(file.to_owned()));
    looks
}

/// How long ago `file` was changed; none for what is not there, and where the clock went back.
pub(super) fn age(file: &Path) -> Option<Duration> {
    let found = fs::metadata(file).ok()?;
    let changed = Duration::new(u64::try_from(found.ctime()).ok()?, u32::try_from(found.ctime_nsec()).ok()?);
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + changed).ok()
}

/// What is not as it was.
pub(super) fn moved<'l>(before: &'l Looks, now: &'l Looks) -> Option<&'l Path> {
    let differs =
        |of: &'l Looks, other: &Looks| of.iter().find(|look| !other.contains(look)).map(|look| look.0.as_path());
    differs(now, before).or_else(|| differs(before, now))
}

fn of_file(path: PathBuf) -> Option<(PathBuf, u64, i64, i64, u64)> {
    let found = fs::metadata(&path).ok()?;
    // Not mtime: who copies with dates sets it back.
    Some((path, found.len(), found.ctime(), found.ctime_nsec(), found.ino()))
}

/// A link itself, and not what it leads to.
fn of_link(path: &Path) -> Option<(PathBuf, u64, i64, i64, u64)> {
    let found = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_symlink)?;
    Some((path.to_owned(), u64::MAX, found.ctime(), found.ctime_nsec(), found.ino()))
}
