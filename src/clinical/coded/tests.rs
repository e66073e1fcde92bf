use super::*;

fn found(text: &str) -> Vec<(&'static str, Confidence)> {
    let mut codes = Codes::default();
    anchors::each(text, |anchor, start, end| codes.look(text, anchor, (start, end)));
    codes.barred(text);
    codes.found().collect()
}

#[test]
fn one_code_beside_its_label_is_likely() {
    for (text, shown) in [
        ("SNOMED CT: 44054006", "SNOMED CT code"),
        ("Diagnosis (SNOMED CT concept id 44054006) noted", "SNOMED CT code"),
        ("snomed code: Type 2 diabetes mellitus (44054006)", "SNOMED CT code"),
        ("44054006 (SNOMED CT)", "SNOMED CT code"),
        ("Problem: 73211009 | Diabetes mellitus |", "SNOMED CT code"),
        ("73211009|Diabetes mellitus|, stable", "SNOMED CT code"),
        ("ICD-10 E11.9", "ICD code"),
        ("(ICD10: C50.9)", "ICD code"),
        ("ICD 10 code is E119", "ICD code"),
        ("Coded as E11.9 (ICD-10)", "ICD code"),
        ("ICD-11: 5A11", "ICD code"),
        ("ICD\u{2011}10 = I21.4", "ICD code"),
        ("Read code C10F.", "Read code"),
        ("Read Code: XaETQ", "Read code"),
        ("CTV3 XaETQ", "Read code"),
        ("OPCS W37.1", "OPCS code"),
        ("OPCS-4.9 code: W37.1", "OPCS code"),
        ("dm+d: 322236009", "dm+d code"),
    ] {
        assert_eq!(found(text), [(shown, Confidence::Medium)], "{text}");
    }
}

#[test]
fn two_codes_or_the_name_of_a_system_are_sure() {
    for text in [
        "ICD-10: E11.9, I10",
        "SNOMED CT 44054006 and 22298006",
        "ICD-10 E11.9 ... OPCS-4 W37.1",
        "{\"system\":\"http://snomed.info/sct\",\"code\":\"44054006\",\"display\":\"x\"}",
        "{\"code\":\"44054006\",\"system\":\"http://snomed.info/sct\"}",
        "http://snomed.info/id/44054006",
        "http://hl7.org/fhir/sid/icd-10|E11.9",
        "<code code=\"44054006\" codeSystem=\"2.16.840.1.113883.6.96\"/>",
        "<code code=\"C10F.\" codeSystem=\"2.16.840.1.113883.6.6\"/>",
        "<value code=\"E11.9\" codeSystem=\"2.16.840.1.113883.6.3\" codeSystemName=\"x\"/>",
        "73211009 |Diabetes mellitus| : 246075003 |Causative agent| = 44054006 |x|",
    ] {
        assert_eq!(found(text).iter().map(|found| found.1).max(), Some(Confidence::High), "{text}");
    }
}

#[test]
fn a_code_without_its_label_or_a_label_without_a_code_is_nothing() {
    for text in [
        "Part number E11.9",
        "44054006",
        "Please order E11.9 and C50.9",
        "SNOMED CT training on Monday",
        "SNOMED CT licence 12345678",
        "ICD-10 training in room E11",
        "The ICD (model D150) was implanted",
        "an ICD 12 months ago",
        "suicide prevention: E11.9",
        "Please read code 12345 to the driver",
        "Read codes first and write later",
        "Read code review on Friday",
        "OPCS meeting at 10",
        "| 73211009 | Widget | 3 |",
        "73211009 | Widget | 3 | 4.50",
        "http://snomed.info/sct/999000041000000102/version/20231101",
        "oid 2.16.840.1.113883.2.1.4.1 44054006",
        "dm+d is a dictionary, call 020 7946 0000",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    let table: String = (0..400u32).map(|n| format!("{} | Widget |\n", 4_000_000 + n * 7_919)).collect();
    assert_eq!(found(&table), [], "a table whose numbers pass by chance");
}

#[test]
fn many_labels_cost_no_more_than_their_text() {
    for unit in ["ICD-10 ", "SNOMED ", "2.16.840.1.113883.6.96 ", "Read code: ", "123456|a|", "12345678 |", "icd"] {
        found(&unit.repeat(300_000 / unit.len()));
    }
}
