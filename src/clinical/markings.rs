//! What senders write to ask for care: `[secure]`, `[encrypt]`, OFFICIAL-SENSITIVE, and the fields made for it.
//!
//! Called by `walk` for each field of a message. Promises: case, blanks, dashes and what cannot be seen do not matter.
//! Fails never.

use super::digits::{fold_into, is_invisible};
use crate::vocabulary::FindingKind;

/// A marking, and the words of ours that name it.
pub(super) type Marking = (FindingKind, &'static str);

/// The markings in a subject.
pub(super) fn of_subject(subject: &str) -> Vec<Marking> {
    let mut found = Vec::new();
    if has_tag(subject, "secure") {
        found.push((FindingKind::TagSecure, "[secure]"));
    }
    if has_tag(subject, "encrypt") {
        found.push((FindingKind::TagEncrypt, "[encrypt]"));
    }
    let mut folded = String::from(" ");
    fold_into(&mut folded, subject);
    folded.push(' ');
    if folded.contains(" official sensitive ") || folded.contains(" officialsensitive ") {
        found.push((FindingKind::MarkingOfficialSensitive, "OFFICIAL-SENSITIVE"));
    }
    found
}

/// The marking that a field is by itself.
pub(super) fn of_field(name: &[u8], value: &str) -> Option<Marking> {
    if name.eq_ignore_ascii_case(b"x-protective-marking") {
        return Some((FindingKind::MarkingHeader, "X-Protective-Marking"));
    }
    if name.eq_ignore_ascii_case(b"sio-label") {
        return Some((FindingKind::MarkingHeader, "SIO-Label"));
    }
    if !name.eq_ignore_ascii_case(b"sensitivity") {
        return None;
    }
    const VALUES: [&str; 3] = ["company-confidential", "private", "personal"];
    let value: String = value.chars().filter(|c| !c.is_whitespace()).take(32).collect::<String>().to_ascii_lowercase();
    VALUES.iter().find(|v| value == **v).map(|v| (FindingKind::SensitivityHeader, *v))
}

/// The labels of Microsoft's information protection in a field, each by the beginning of its id: several organisations' labels stand in one
/// field, `MSIP_Label_GUID_Enabled=True;MSIP_Label_GUID_Name=…;…`.
pub(super) fn msip_labels(value: &[u8]) -> Vec<String> {
    const MOST: usize = 16;
    let text = String::from_utf8_lossy(value);
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut labels: Vec<String> = Vec::new();
    for piece in text.split("MSIP_Label_").skip(1) {
        let id: String = piece.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect();
        let is_id = id.len() == 36 && id.matches('-').count() == 4;
        let shown = format!("label {}", id.get(..8).unwrap_or_default().to_ascii_lowercase());
        if is_id && labels.len() < MOST && !labels.contains(&shown) {
            labels.push(shown);
        }
    }
    labels
}

/// `[secure]` with any blanks and any case.
fn has_tag(subject: &str, tag: &str) -> bool {
    let open = |c: char| matches!(c, '[' | '\u{FF3B}');
    let close = |c: char| matches!(c, ']' | '\u{FF3D}');
    subject.split(open).skip(1).any(|piece| {
        // Blanks and invisible characters aside, a tag is short: what is longer is none.
        let inner: String =
            piece.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).take(tag.len() + 1).collect();
        let mut folded = String::new();
        fold_into(&mut folded, inner.trim_end_matches(close));
        folded == tag && inner.chars().last().is_some_and(close)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(subject: &str) -> Vec<FindingKind> {
        of_subject(subject).into_iter().map(|m| m.0).collect()
    }

    #[test]
    fn tags_are_read_with_any_case_and_blanks() {
        for subject in ["[secure] x", "Re: [ SECURE ] x", "x [\u{A0}Sec\u{200B}ure]", "［ｓｅｃｕｒｅ］"] {
            assert_eq!(kinds(subject), [FindingKind::TagSecure], "{subject}");
        }
        assert_eq!(kinds("[Encrypt] [secure"), [FindingKind::TagEncrypt]);
        for subject in ["secure", "[insecure]", "[secured]", "(secure)", "[]secure]"] {
            assert!(kinds(subject).is_empty(), "{subject}");
        }
    }

    #[test]
    fn official_sensitive_in_its_spellings() {
        for subject in ["OFFICIAL-SENSITIVE: x", "Official – Sensitive", "[OFFICIAL SENSITIVE]", "x OFFICIAL:SENSITIVE"]
        {
            assert_eq!(kinds(subject), [FindingKind::MarkingOfficialSensitive], "{subject}");
        }
        assert!(kinds("OFFICIAL").is_empty() && kinds("unofficial sensitive").is_empty());
    }

    #[test]
    fn labels_of_several_organisations_stand_in_one_field() {
        let field = "MSIP_Label_1A2b3c4d-0000-1111-2222-333344445555_Enabled=True;\r\n \
                     MSIP_Label_1A2b3c4d-0000-1111-2222-333344445555_Name=Mr Smith; \
                     MSIP_Label_ffeeddcc-0000-1111-2222-333344445555_Enabled=True;MSIP_Label_x_Name=y";
        assert_eq!(msip_labels(field.as_bytes()), ["label 1a2b3c4d", "label ffeeddcc"]);
        assert!(msip_labels(b"nothing").is_empty());
    }

    #[test]
    fn fields_that_mark() {
        assert_eq!(
            of_field(b"SENSITIVITY", " Company-Confidential "),
            Some((FindingKind::SensitivityHeader, "company-confidential"))
        );
        assert_eq!(of_field(b"Sensitivity", "normal"), None);
        assert!(of_field(b"x-protective-marking", "VER=1").is_some());
    }
}
