//! Who may log in as a site's client: lines `name:$argon2id$…` in a file of each site, read once at the start.
//!
//! `serve` reads the files, `login` asks, `cli` makes lines. Promises: a file that everybody can read, a hash that is weak or
//! could exhaust memory, and a name that stands twice are refused; a name that does not exist takes as long as a wrong
//! password. Fails with the file, the line and a hint; no text ever holds a hash or a password.

use crate::smtp::server::Credentials;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// KiB that one check may take: less is weak, more could exhaust memory.
const MEMORY: std::ops::RangeInclusive<u32> = 7_168..=65_536;
const PASSES: std::ops::RangeInclusive<u32> = 1..=10;
const LANES: std::ops::RangeInclusive<u32> = 1..=4;
/// Octets of salt of a new entry.
const SALT: usize = 16;

/// Why a file of logins cannot be used.
#[derive(Debug)]
pub enum LoginsError {
    Unreadable { file: PathBuf, why: std::io::Error },
    OpenToEverybody { file: PathBuf },
    Line { file: PathBuf, number: usize, what: &'static str },
    Twice { file: PathBuf, number: usize, name: String },
}

impl fmt::Display for LoginsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoginsError::Unreadable { file, why } => {
                write!(f, "the logins in {} cannot be read: {why}\nhint: see `logins` of the site", file.display())
            }
            LoginsError::OpenToEverybody { file } => {
                write!(
                    f,
                    "everybody on this machine can read or write the logins in {0}\nhint: chmod 640 {0}",
                    file.display()
                )
            }
            LoginsError::Line { file, number, what } => {
                write!(f, "{}:{number}: {what}\nhint: `mailward login-entry NAME` makes a line", file.display())
            }
            LoginsError::Twice { file, number, name } => {
                write!(f, "{}:{number}: `{name}` stands twice\nhint: a name logs in to one site, once", file.display())
            }
        }
    }
}

impl std::error::Error for LoginsError {}

struct Entry {
    site: Arc<str>,
    hash: PasswordHash,
}

/// All entries of all sites.
#[derive(Default)]
pub struct Logins {
    entries: HashMap<Box<str>, Entry>,
}

impl Logins {
    /// Reads the files of all sites.
    ///
    /// # Errors
    /// With the first that cannot be used.
    pub fn read<'a>(files: impl Iterator<Item = (&'a Arc<str>, &'a Path)>) -> Result<Logins, LoginsError> {
        let mut logins = Logins::default();
        for (site, file) in files {
            let unreadable = |why| LoginsError::Unreadable { file: file.to_owned(), why };
            let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode();
            if mode & 0o007 != 0 {
                return Err(LoginsError::OpenToEverybody { file: file.to_owned() });
            }
            logins.add(site, file, &fs::read_to_string(file).map_err(unreadable)?)?;
        }
        Ok(logins)
    }

    /// Whether nobody can log in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn add(&mut self, site: &Arc<str>, file: &Path, text: &str) -> Result<(), LoginsError> {
        for (number, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) =
                entry_of(line).map_err(|what| LoginsError::Line { file: file.to_owned(), number, what })?;
            let entry = Entry { site: site.clone(), hash };
            if self.entries.insert(name.into(), entry).is_some() {
                return Err(LoginsError::Twice { file: file.to_owned(), number, name: name.to_owned() });
            }
        }
        Ok(())
    }

    /// The site that these credentials belong to. Takes some 20 ms of one core and some 20 MB, whoever asks.
    #[must_use]
    pub fn check(&self, given: &Credentials) -> Option<Arc<str>> {
        // Nobody is to learn from the clock whether a name exists: somebody else's password is tried in its place.
        let known = self.entries.get(given.name.as_str());
        let tried = known.or_else(|| self.entries.values().next())?;
        let right = Argon2::default().verify_password(given.password.as_bytes(), &tried.hash).is_ok();
        known.filter(|_| right).map(|entry| entry.site.clone())
    }
}

fn entry_of(line: &str) -> Result<(&str, PasswordHash), &'static str> {
    let (name, hash) = line.split_once(':').ok_or("a line must be name:$argon2id$…")?;
    check_name(name)?;
    let hash = PasswordHash::new(hash).map_err(|_| "what follows the name is no hash of the form $argon2id$…")?;
    if hash.algorithm.as_str() != "argon2id" || hash.version != Some(19) {
        return Err("the hash must be argon2id of version 19");
    }
    let params = Params::try_from(&hash).map_err(|_| "the hash has parameters that argon2id does not know")?;
    if !(MEMORY.contains(&params.m_cost()) && PASSES.contains(&params.t_cost()) && LANES.contains(&params.p_cost())) {
        return Err("the hash must take 7168 to 65536 KiB (m), 1 to 10 passes (t) and 1 to 4 lanes (p)");
    }
    match (&hash.salt, &hash.hash) {
        (Some(_), Some(output)) if output.len() >= 16 => Ok((name, hash)),
        _ => Err("the hash has no salt, or fewer than 16 octets"),
    }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    let good = (1..=255).contains(&name.len()) && !name.contains(|c: char| c == ':' || c.is_control());
    if good && name.trim() == name {
        Ok(())
    } else {
        Err("a name has 1 to 255 octets, no colon and no blank at its ends")
    }
}

/// Why no entry can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEntry(&'static str);

impl fmt::Display for NoEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The line for one login, with a salt of its own.
///
/// # Errors
/// When the name or the password is none, or the machine gives no random numbers.
pub fn entry(name: &str, password: &str) -> Result<String, NoEntry> {
    check_name(name).map_err(NoEntry)?;
    if !(1..=1_024).contains(&password.len()) || password.contains('\0') {
        return Err(NoEntry("a password has 1 to 1024 octets and no NUL"));
    }
    let mut salt = [0; SALT];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| NoEntry("this machine gives no random numbers"))?;
    let hashed: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    let hash = hashed.map_err(|_| NoEntry("the password cannot be hashed"))?;
    Ok(format!("{name}:{hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(text: &str) -> Result<Logins, LoginsError> {
        let mut logins = Logins::default();
        logins.add(&"kingston".into(), Path::new("k.logins"), text)?;
        Ok(logins)
    }

    fn given(name: &str, password: &str) -> Credentials {
        Credentials { name: name.into(), password: password.into() }
    }

    #[test]
    fn an_entry_logs_in_with_its_password_and_nothing_else() {
        let text =
            format!("# made today\n\n{}\n{}\n", entry("exchange", "päss word").unwrap(), entry("b", "b").unwrap());
        let logins = logins(&text).unwrap();
        assert_eq!(logins.check(&given("exchange", "päss word")).as_deref(), Some("kingston"));
        for wrong in [
            ("exchange", "päss"),
            ("Exchange", "päss word"),
            ("b", "päss word"),
            ("nobody", "b"),
            ("nobody", "päss word"),
        ] {
            assert_eq!(logins.check(&given(wrong.0, wrong.1)), None, "{wrong:?}");
        }
        assert_eq!(Logins::default().check(&given("a", "b")), None);
    }

    #[test]
    fn two_entries_of_one_password_do_not_look_alike() {
        assert_ne!(entry("a", "same").unwrap(), entry("a", "same").unwrap());
    }

    #[test]
    fn a_line_that_cannot_be_used_is_named_and_its_hash_is_not_shown() {
        let hash = "c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        for (line, what) in [
            ("name".to_owned(), "must be name:"),
            ("name:secret".to_owned(), "no hash"),
            (format!(":$argon2id$v=19$m=19456,t=2,p=1${hash}"), "a name has"),
            (format!("a:$argon2i$v=19$m=19456,t=2,p=1${hash}"), "must be argon2id"),
            (format!("a:$argon2id$v=16$m=19456,t=2,p=1${hash}"), "must be argon2id"),
            (format!("a:$argon2id$v=19$m=4194304,t=2,p=1${hash}"), "must take"),
            (format!("a:$argon2id$v=19$m=8,t=2,p=1${hash}"), "must take"),
            (format!("a:$argon2id$v=19$m=19456,t=4000000000,p=1${hash}"), "must take"),
            ("a:$argon2id$v=19$m=19456,t=2,p=1".to_owned(), "no salt"),
            (
                format!("b:$argon2id$v=19$m=19456,t=2,p=1${hash}\nb:$argon2id$v=19$m=19456,t=2,p=1${hash}"),
                "stands twice",
            ),
        ] {
            let text = format!("# a comment\n{line}\n");
            let error = logins(&text).map(|_| ()).unwrap_err().to_string();
            let number = 1 + line.lines().count();
            assert!(error.starts_with(&format!("k.logins:{number}: ")) && error.contains(what), "{line}: {error}");
            assert!(error.contains("\nhint: ") && !error.contains("aGFz") && !error.contains("secret"), "{error}");
        }
        assert!(logins(&format!("a:$argon2id$v=19$m=19456,t=2,p=1${hash}\n")).is_ok());
    }

    #[test]
    fn a_file_that_everybody_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("k.logins");
        fs::write(&file, "").unwrap();
        let read = |mode| {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            Logins::read([(&"k".into(), file.as_path())].into_iter()).map(|_| ())
        };
        assert!(read(0o640).is_ok());
        assert!(matches!(read(0o644), Err(LoginsError::OpenToEverybody { .. })));
    }
}
