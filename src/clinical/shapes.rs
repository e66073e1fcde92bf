//! Records that clinical systems write, told by their shape whatever they say: HL7 v2, CDA, FHIR; and calendars.
//!
//! Called by `leaf` for each text. Promises: at most a few passes, in blocks; nothing of the text leaves, only the name of what it is. Fails
//! never.

use crate::vocabulary::FindingKind;
use memchr::memmem;

/// What the text is, and the words of ours for it.
pub(super) fn of(text: &str) -> Vec<(FindingKind, &'static str)> {
    let bytes = text.as_bytes();
    let has = |word: &str| memmem::find(bytes, word.as_bytes()).is_some();
    let mut found = Vec::new();
    if is_hl7(bytes) || has("urn:hl7-org:v2xml") {
        found.push((FindingKind::Hl7V2, "HL7 v2"));
    }
    if has("urn:hl7-org:v3") && has("ClinicalDocument") {
        found.push((FindingKind::Cda, "CDA document"));
    }
    if is_fhir_json(bytes) || is_fhir_xml(bytes) {
        found.push((FindingKind::FhirPatient, "FHIR resource of a patient"));
    }
    if text
        .trim_start_matches('\u{FEFF}')
        .trim_start()
        .get(..15)
        .is_some_and(|s| s.eq_ignore_ascii_case("BEGIN:VCALENDAR"))
    {
        found.push((FindingKind::Calendar, "iCalendar"));
    }
    found
}

/// A line that begins with MSH and says its delimiters (HL7 v2 2.5.4): `MSH|^~\&|`.
fn is_hl7(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b"MSH").any(|at| {
        let starts_line = at == 0 || matches!(bytes[at - 1], b'\n' | b'\r' | 0x0B | b'>' | b' ');
        let Some((separator, rest)) = bytes.get(at + 3..).and_then(<[u8]>::split_first) else { return false };
        let delimiters = rest.iter().take(6).position(|byte| byte == separator).unwrap_or_default();
        let is_mark = |byte: &u8| byte.is_ascii_punctuation();
        starts_line && is_mark(separator) && delimiters >= 3 && rest[..delimiters].iter().all(is_mark)
    })
}

/// A resource that is a patient, or says whose it is by a reference to one (FHIR 2.6): `"resourceType": "Patient"`,
/// `"subject": {"reference": "Patient/1"}`.
fn is_fhir_json(bytes: &[u8]) -> bool {
    const TYPE: &[u8] = b"\"resourceType\"";
    let value_of = |at: usize| {
        let rest = bytes.get(at + TYPE.len()..).unwrap_or_default();
        let rest = rest.trim_ascii_start().strip_prefix(b":").unwrap_or_default();
        rest.trim_ascii_start()
    };
    let mut types = memmem::find_iter(bytes, TYPE).map(value_of).peekable();
    types.peek().is_some() && (types.any(|value| value.starts_with(b"\"Patient\"")) || refers_to_a_patient(bytes))
}

fn is_fhir_xml(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(bytes, word).is_some();
    has(b"http://hl7.org/fhir") && (has(b"<Patient") || has(b":Patient") || refers_to_a_patient(bytes))
}

/// `Patient/` at the beginning of a value, or behind the address of a server.
fn refers_to_a_patient(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b"Patient/").any(|at| at > 0 && matches!(bytes[at - 1], b'"' | b'\'' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<FindingKind> {
        of(text).into_iter().map(|found| found.0).collect()
    }

    #[test]
    fn records_are_known_by_their_shape() {
        for text in [
            "MSH|^~\\&|PAS|RQX|||20261129||ADT^A01\rPID|1||x",
            "forwarded:\n> MSH|^~\\&|LAB\n",
            "\u{B}MSH|^~\\&#|LAB",
            "MSH$%~\\&$LAB",
            "<ORU_R01 xmlns=\"urn:hl7-org:v2xml\">",
        ] {
            assert_eq!(kinds(text), [FindingKind::Hl7V2], "{text:?}");
        }
        assert_eq!(kinds("<ClinicalDocument xmlns=\"urn:hl7-org:v3\">"), [FindingKind::Cda]);
        for text in [
            "{\"resourceType\" : \"Patient\"}",
            "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"}}]}",
            "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/1\"}}",
            "{\"resourceType\":\"Coverage\",\"beneficiary\":{\"reference\":\"https://x.example/fhir/Patient/1\"}}",
            "<Patient xmlns=\"http://hl7.org/fhir\">",
            "<f:Patient xmlns:f=\"http://hl7.org/fhir\">",
            "<Immunization xmlns=\"http://hl7.org/fhir\"><patient><reference value=\"Patient/1\"/>",
        ] {
            assert_eq!(kinds(text), [FindingKind::FhirPatient], "{text}");
        }
        assert_eq!(kinds(" begin:vcalendar\r\nMETHOD:REQUEST"), [FindingKind::Calendar]);
    }

    #[test]
    fn what_only_speaks_of_them_is_none() {
        for text in [
            "The MSH segment of HL7 v2 begins a message.",
            "MSH is short for Mental Health Services",
            "MSHX^~\\&|",
            "{\"resourceType\":\"Questionnaire\",\"status\":\"draft\"}",
            "{\"subject\":\"Lunch\",\"patient\":true}",
            "{\"resourceType\":\"CapabilityStatement\",\"searchParam\":[{\"name\":\"patient\"}]}",
            "{\"resourceType\": \"Questionnaire\", \"subject\": 1}",
            "see http://hl7.org/fhir for the Patient resource",
            "MS",
            "MSH|",
            "we use BEGIN:VCALENDAR files",
        ] {
            assert!(kinds(text).is_empty(), "{text}");
        }
    }
}
