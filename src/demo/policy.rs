//! The shipped policy, carried in the binary, and one file of the demo's own.
//!
//! Called by `world`. Promises: the shipped files are byte for byte those of policies/; the demo's own file only adds how
//! its invented councils prove themselves, as an operator would, and changes no rule. Fails with the disk.

use std::io;
use std::path::Path;

/// Every file that `mailward check` reads in policies/.
const SHIPPED: &[(&str, &str)] = &[
    ("10-domains.toml", include_str!("../../policies/10-domains.toml")),
    ("20-content.toml", include_str!("../../policies/20-content.toml")),
    ("25-recognise.toml", include_str!("../../policies/25-recognise.toml")),
    ("30-rules.toml", include_str!("../../policies/30-rules.toml")),
    ("lists/clinical-terms.txt", include_str!("../../policies/lists/clinical-terms.txt")),
    ("lists/letter-headings.txt", include_str!("../../policies/lists/letter-headings.txt")),
    ("lists/letter-phrases.txt", include_str!("../../policies/lists/letter-phrases.txt")),
    ("tests.toml", include_str!("../../policies/tests.toml")),
    ("tests/unread-attachment.eml", include_str!("../../policies/tests/unread-attachment.eml")),
];

pub const OWN: &str = "40-demo-councils.toml";
const OWN_TEXT: &str = include_str!("40-demo-councils.toml");

/// Writes the policy into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    for below in ["lists", "tests"] {
        std::fs::create_dir_all(folder.join(below))?;
    }
    for (name, text) in SHIPPED.iter().chain([&(OWN, OWN_TEXT)]) {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn names(folder: &Path, extension: &str) -> BTreeSet<String> {
        let found = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        found.filter(|name| name.ends_with(extension)).collect()
    }

    #[test]
    fn no_file_of_the_shipped_policy_is_left_behind() {
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let written = tempfile::tempdir().unwrap();
        write(written.path()).unwrap();
        let mut expected = names(&policies, ".toml");
        expected.insert(OWN.to_owned());
        assert_eq!(names(written.path(), ".toml"), expected);
        for (below, extension) in [("tests", ".eml"), ("lists", ".txt")] {
            assert_eq!(names(&written.path().join(below), extension), names(&policies.join(below), extension));
        }
    }
}
