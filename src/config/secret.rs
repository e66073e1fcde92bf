//! A password from its file: never from gateway.toml, never in a message, a log or a `Debug`.
//!
//! Called by `serve` at the start. Promises: a file that everybody can read is refused, and so is a password that no server
//! could be told. Fails with the file and a hint.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Octets of a password (RFC 4616 2 lets a server stop at 255).
const LONGEST: usize = 255;

/// Why a password file cannot be used.
#[derive(Debug)]
pub enum SecretError {
    Unreadable { file: PathBuf, why: std::io::Error },
    OpenToEverybody { file: PathBuf },
    Unusable { file: PathBuf },
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretError::Unreadable { file, why } => {
                let file = file.display();
                write!(f, "the password in {file} cannot be read: {why}\nhint: see `auth` of the relay")
            }
            SecretError::OpenToEverybody { file } => {
                let file = file.display();
                write!(f, "everybody on this machine can read or write the password in {file}\nhint: chmod 640 {file}")
            }
            SecretError::Unusable { file } => {
                let file = file.display();
                write!(f, "{file} holds no password\nhint: one line of 1 to {LONGEST} octets, and nothing else")
            }
        }
    }
}

impl std::error::Error for SecretError {}

/// The password in `file`, without the line end behind it.
///
/// # Errors
/// When the file cannot be read, is open to everybody, or holds something else.
pub fn password(file: &Path) -> Result<String, SecretError> {
    let unreadable = |why| SecretError::Unreadable { file: file.to_owned(), why };
    let mode = fs::metadata(file).map_err(unreadable)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(SecretError::OpenToEverybody { file: file.to_owned() });
    }
    let text = fs::read_to_string(file).map_err(unreadable)?;
    let password = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    match password {
        p if p.is_empty() || p.len() > LONGEST || p.chars().any(char::is_control) => {
            Err(SecretError::Unusable { file: file.to_owned() })
        }
        password => Ok(password.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, mode: u32) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        password(file.path()).map_err(|e| e.to_string())
    }

    #[test]
    fn one_line_that_others_cannot_read() {
        assert_eq!(read("pass word \r\n", 0o640), Ok("pass word ".into()));
        assert_eq!(read("x", 0o600), Ok("x".into()));
        for wrong in ["", "\n", "two\nlines\n", "a\0b", &"x".repeat(256)] {
            assert!(read(wrong, 0o600).unwrap_err().contains("holds no password"), "{wrong:?}");
        }
        let open = read("sesame", 0o644).unwrap_err();
        assert!(open.contains("chmod 640") && !open.contains("sesame"), "{open}");
    }
}
