//! What an attachment says that it is: its media type, and the ending of its name.
//!
//! Made by `clinical` while it walks a message, asked by conditions of rules. A claim of whoever wrote the message: what the
//! content is, findings say.

/// Octets of a media type or an ending that are kept.
const LONGEST: usize = 100;

/// Both in lower case, empty where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentType {
    /// `application/pdf`
    pub media: String,
    /// `docx`: what stands behind the last dot of the name.
    pub ending: String,
}

impl AttachmentType {
    /// Kinds that are told of one message; of more nobody can say what they all are.
    pub const MOST: usize = 256;

    #[must_use]
    pub fn of(media: &str, name: Option<&str>) -> AttachmentType {
        // What is not shown or is dropped at the end of a name changes nothing: Windows opens `a.exe. ` as `a.exe`.
        let shown = |name| {
            str::trim_end_matches(name, |c: char| c == '.' || !(c.is_alphanumeric() || c.is_ascii_punctuation()))
        };
        let ending = name.map(shown).and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
        AttachmentType { media: kept(media), ending: kept(ending) }
    }
}

fn kept(text: &str) -> String {
    text.chars().take(LONGEST).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_is_what_stands_behind_the_last_dot() {
        let ending = |name: &str| AttachmentType::of("Application/PDF", Some(name)).ending;
        assert_eq!(
            (ending("a.b.DOCX. \u{200B}"), ending("letter"), ending(".")),
            ("docx".into(), String::new(), String::new())
        );
        assert_eq!(AttachmentType::of("Application/PDF", None).media, "application/pdf");
        assert_eq!(ending(&format!("a.{}", "é".repeat(500))).chars().count(), LONGEST);
    }
}
