//! Everything that is recognised by its shape and not by a number: forms of each kind in a handful of containers, and as many texts that look
//! like them.

use crate::cells::Numbers;
use crate::containers::CONTAINERS;
use base64::Engine as _;
use mailward::clinical::{Limits, Rules, inspect};
use mailward::vocabulary::{Confidence, FindingKind};
use std::fmt::Write as _;

/// Containers that a text is put into; what is binary goes as an attachment, alone and in a nested message.
const TEXTS: &[&str] = &["plain-8bit", "plain-base64", "html", "attached-octets", "nested", "nested-twice"];

struct Form {
    kind: FindingKind,
    name: &'static str,
    text: &'static str,
    /// How sure the recogniser must be at least.
    expect: Confidence,
}

const fn high(kind: FindingKind, name: &'static str, text: &'static str) -> Form {
    Form { kind, name, text, expect: Confidence::High }
}

const fn medium(kind: FindingKind, name: &'static str, text: &'static str) -> Form {
    Form { kind, name, text, expect: Confidence::Medium }
}

use FindingKind::{Calendar, Cda, CodedTerms, FhirPatient, Hl7V2, PathologyReport};

const FORMS: &[Form] = &[
    high(Hl7V2, "adt", "MSH|^~\\&|PAS|RQX|||20261129||ADT^A01|1|P|2.4\r\nPID|1||x\r\n"),
    high(Hl7V2, "other-delimiters", "MSH$%~\\&$LAB$RQX\r\nPID$1\r\n"),
    high(FhirPatient, "json", "{\"resourceType\": \"Patient\", \"id\": \"1\"}"),
    high(FhirPatient, "json-reference", "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/1\"}}"),
    high(Calendar, "request", "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"),
    high(Cda, "document", "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><title>x</title></ClinicalDocument>"),
    medium(CodedTerms, "snomed-label", "Diagnosis. SNOMED CT: 44054006"),
    medium(CodedTerms, "snomed-behind", "Type 2 diabetes, 44054006 (SNOMED CT)"),
    medium(CodedTerms, "snomed-bars", "Problem: 73211009 | Diabetes mellitus |"),
    medium(CodedTerms, "icd-10", "ICD-10 E11.9"),
    medium(CodedTerms, "icd-brackets", "breast (ICD10: C50.9)"),
    medium(CodedTerms, "read", "Read code C10F."),
    medium(CodedTerms, "ctv3", "CTV3: XaETQ"),
    medium(CodedTerms, "opcs", "OPCS W37.1"),
    medium(CodedTerms, "dmd", "dm+d 322236009"),
    high(CodedTerms, "two-codes", "ICD-10: E11.9, I10"),
    high(CodedTerms, "fhir-system", "{\"system\":\"http://snomed.info/sct\",\"code\":\"44054006\"}"),
    high(CodedTerms, "oid", "code 44054006 codeSystem 2.16.840.1.113883.6.96 end"),
    high(
        PathologyReport,
        "with-ranges",
        "Haemoglobin 132 g/L (130 - 180)\r\nPlatelets 250 10*9/L (150 - 400)\r\nMCV 88 fL (80 - 100)\r\n",
    ),
    high(
        PathologyReport,
        "practice-system",
        "Serum creatinine level (XE2q5) 110 umol/L [59 - 104] H\r\nSerum sodium 140 mmol/L [133 - 146]\r\neGFR 58 mL/min/1.73m2\r\n",
    ),
    high(PathologyReport, "five", "Hb 9.1 g/dL, WBC 7.2 x10^9/L, Plt 310 x10^9/L, ESR 12 mm/hr, CRP 4 mg/L"),
    medium(PathologyReport, "in-a-sentence", "Bloods: Hb 132 g/L, CRP 4 mg/L and creatinine 80 umol/L."),
    high(
        PathologyReport,
        "histology",
        "Clinical details: changing naevus\r\nSpecimen: skin\r\nMacroscopic: an ellipse\r\nMicroscopic: a compound naevus\r\n",
    ),
    high(PathologyReport, "edifact", "UNB+UNOB:2+1+2+261129:1154+1'UNH+00000003+MEDRPT:0:1:RT:NHS003'BGM+LSR'"),
];

fn base64(bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned() + "\r\n").collect()
}

fn noise(octets: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(9);
    (0..octets).map(|_| numbers.next(256) as u8).collect()
}

fn attached(bytes: &[u8]) -> String {
    format!(
        "From: a@site.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=s1\r\n\r\n--s1\r\n\r\nSee attached.\r\n\
         --s1\r\nContent-Type: application/octet-stream; name=a.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--s1--\r\n",
        base64(bytes)
    )
}

fn nested(message: &str) -> String {
    format!(
        "From: a@site.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=s2\r\n\r\n\
         --s2\r\nContent-Type: message/rfc822\r\n\r\n{message}\r\n--s2--\r\n"
    )
}

/// An encrypted message of OpenPGP (RFC 9580 10.3): a session key and data.
fn openpgp() -> String {
    let packet = |tag: u8, version: u8, octets: usize| {
        let len = octets + 1;
        let head = [0xC0 | tag, ((len - 192) >> 8) as u8 + 192, (len - 192) as u8, version];
        [&head[..], &noise(octets)].concat()
    };
    let letters = base64(&[packet(1, 3, 268), packet(18, 1, 2_000)].concat());
    format!("-----BEGIN PGP MESSAGE-----\r\n\r\n{letters}=AbCd\r\n-----END PGP MESSAGE-----\r\n")
}

/// EnvelopedData (RFC 5652 6.1) with one recipient.
fn enveloped() -> Vec<u8> {
    let der =
        |tag: u8, content: &[u8]| [&[tag, 0x82, (content.len() >> 8) as u8, content.len() as u8][..], content].concat();
    let oid = |last: u8| [b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07".as_slice(), &[last]].concat();
    let recipients = der(0x31, &der(0x30, &der(0x04, &noise(250))));
    let algorithm = der(0x30, &oid(9));
    let info = der(0x30, &[oid(1), algorithm, der(0x80, &noise(3_000))].concat());
    let data = der(0x30, &[vec![2, 1, 0], recipients, info].concat());
    der(0x30, &[oid(3), der(0xA0, &data)].concat())
}

/// A whole message that is of a kind.
struct Whole {
    kind: FindingKind,
    form: &'static str,
    container: &'static str,
    message: String,
}

const fn whole(kind: FindingKind, form: &'static str, container: &'static str, message: String) -> Whole {
    Whole { kind, form, container, message }
}

fn messages() -> Vec<Whole> {
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM");
    dicom.extend(noise(500));
    let head = "From: a@site.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n";
    let label =
        format!("{head}msip_labels: MSIP_Label_1a2b3c4d-0000-1111-2222-333344445555_Enabled=True\r\n\r\nhello\r\n");
    let journal = format!("{head}X-MS-Journal-Report:\r\n\r\nhello\r\n");
    let smime = format!(
        "{head}Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        base64(&enveloped())
    );
    let inline = format!("{head}\r\n{}", openpgp());
    let pgp_mime = format!(
        "{head}Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=s3\r\n\r\n--s3\r\n\
         Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--s3\r\nContent-Type: application/octet-stream\r\n\r\n{}\r\n--s3--\r\n",
        openpgp()
    );
    vec![
        whole(FindingKind::Dicom, "dicom", "attached-octets", attached(&dicom)),
        whole(FindingKind::Dicom, "dicom", "nested", nested(&attached(&dicom))),
        whole(FindingKind::MsipLabel, "label", "header", label.clone()),
        whole(FindingKind::MsipLabel, "label", "nested", nested(&label)),
        whole(FindingKind::JournalHeader, "report", "header", journal.clone()),
        whole(FindingKind::JournalHeader, "report", "nested", nested(&journal)),
        whole(FindingKind::AlreadySealed, "smime", "whole", smime),
        whole(FindingKind::AlreadySealed, "pgp-inline", "whole", inline),
        whole(FindingKind::AlreadySealed, "pgp-mime", "whole", pgp_mime),
        whole(FindingKind::EncryptedAttachment, "smime", "attached-octets", attached(&enveloped())),
        whole(FindingKind::EncryptedAttachment, "pgp", "attached-octets", attached(openpgp().as_bytes())),
    ]
}

fn confidence(message: &[u8], kind: FindingKind) -> Option<Confidence> {
    let findings = inspect(message, &Rules::default(), &Limits::default()).findings;
    findings.iter().filter(|finding| finding.kind == kind).map(|finding| finding.confidence).max()
}

/// Recall by kind, form and container; what was missed.
pub fn recall(table: &mut String) -> Vec<String> {
    let _ = writeln!(table, "\nshapes: found at least as sure as expected / asked, by kind, form and container");
    let (mut missed, mut asked) = (Vec::new(), 0);
    let mut row = |kind: FindingKind, form: &str, container: &str, found: bool| {
        asked += 1;
        let _ = writeln!(table, "  {kind:<20} {form:<18} {container:<16} {}/1", u8::from(found));
        if !found {
            missed.push(format!("{kind} / {form} / {container}"));
        }
    };
    for form in FORMS {
        for name in TEXTS {
            let container = CONTAINERS.iter().find(|container| container.name == *name);
            let container = container.unwrap_or_else(|| panic!("container {name} is absent"));
            let message = (container.wrap)(form.text, &crate::cells::FORMS[0]);
            // A calendar is one at the beginning of a text: markup has none.
            if form.kind == Calendar && *name == "html" {
                continue;
            }
            row(form.kind, form.name, name, confidence(&message, form.kind) >= Some(form.expect));
        }
    }
    for Whole { kind, form, container, message } in messages() {
        row(kind, form, container, confidence(message.as_bytes(), kind).is_some());
    }
    let _ = writeln!(table, "  all: {}/{asked}", asked - missed.len());
    missed
}

type Write = fn(&mut Numbers) -> String;

/// Ordinary texts, each made of different numbers.
const LOOK_ALIKES: &[(&str, Write)] = &[
    ("cookery", |n| {
        format!(
            "Flour {} g, milk 2 dl, sugar {} g/l of juice, salt 2 %, bake for {} min",
            n.digits(3),
            n.digits(2),
            n.digits(2)
        )
    }),
    ("nutrition", |n| {
        format!(
            "Per 100 g: protein {} g, fat {}.{} g, sodium 0.{} g, vitamin D 5 ug",
            n.digits(1),
            n.digits(1),
            n.digits(1),
            n.digits(1)
        )
    }),
    ("chemicals", |n| {
        format!(
            "Albumin (bovine) 99 % {} g {}.00 GBP\r\nCreatinine {} g\r\nUrea {} kg",
            n.digits(2),
            n.digits(3),
            n.digits(2),
            n.digits(1)
        )
    }),
    ("water", |n| {
        format!(
            "Sodium {} mg/L\r\nCalcium {} mg/L\r\nIron 0.{} mg/L\r\nChloride {} mg/L\r\nMagnesium {} mg/L",
            n.digits(2),
            n.digits(2),
            n.digits(1),
            n.digits(2),
            n.digits(1)
        )
    }),
    ("drink", |n| {
        format!(
            "sodium {} mmol/L, potassium {} mmol/L, chloride {} mmol/L, glucose {} mmol/L",
            n.digits(2),
            n.digits(1),
            n.digits(2),
            n.digits(3)
        )
    }),
    ("invoice", |n| {
        format!(
            "Item E{}.{} qty {} at {}.00 GBP/l\r\nItem C50.9 qty 1",
            n.digits(2),
            n.digits(1),
            n.digits(2),
            n.digits(3)
        )
    }),
    ("reference-range", |n| {
        format!(
            "Haemoglobin 130 - 1{} g/L, platelets 150 - 4{} 10*9/L, creatinine 59 - 1{} umol/L",
            n.digits(2),
            n.digits(2),
            n.digits(2)
        )
    }),
    ("stock-table", |n| {
        format!("| {} | Widget | {} |\r\n| {} | Gadget | {} |", n.digits(8), n.digits(2), n.digits(8), n.digits(2))
    }),
    ("stock-bars", |n| {
        format!("{}|Widget|{}|4.50\r\n{}|Gadget|{}|2.00", n.digits(8), n.digits(2), n.digits(8), n.digits(2))
    }),
    ("defibrillator", |n| {
        format!("The ICD (model D{}) of {} was checked, battery {} %", n.digits(3), n.digits(4), n.digits(2))
    }),
    ("training", |n| format!("SNOMED CT and ICD-10 training in room E{}, places left: {}", n.digits(2), n.digits(2))),
    ("door", |n| format!("Please read code {} to the driver, then {}", n.digits(5), n.digits(4))),
    ("geology", |n| {
        format!("Specimen: granite {}\r\nMacroscopic: grey\r\nMicroscopic: quartz {} %", n.digits(3), n.digits(2))
    }),
    ("edifact-invoice", |n| format!("UNB+UNOA:1+{}+{}'UNH+1+INVOIC:D:96A:UN'", n.digits(6), n.digits(6))),
    ("key", |n| {
        format!("-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nmQ{}\r\n-----END PGP PUBLIC KEY BLOCK-----", n.digits(60))
    }),
    ("speaks-of-hl7", |n| {
        format!("The MSH segment of HL7 v2.{} begins a message of {} octets", n.digits(1), n.digits(3))
    }),
];

const EACH: usize = 60;

/// Look-alikes that were taken for one of the kinds, of how many.
pub fn false_alarms(table: &mut String) -> f64 {
    let _ = writeln!(table, "\nshapes: medium or high / messages, by kind of look-alike");
    let (mut wrong, mut all) = (0, 0);
    let mut numbers = Numbers::new(77);
    let kinds: Vec<FindingKind> = FORMS.iter().map(|form| form.kind).chain([FindingKind::AlreadySealed]).collect();
    for (name, write) in LOOK_ALIKES {
        let mut alarms = 0;
        for at in 0..EACH {
            let text = write(&mut numbers);
            let container = TEXTS.get(at % TEXTS.len()).and_then(|name| CONTAINERS.iter().find(|c| c.name == *name));
            let message =
                (container.unwrap_or_else(|| panic!("a container is absent")).wrap)(&text, &crate::cells::FORMS[0]);
            let found = inspect(&message, &Rules::default(), &Limits::default()).findings;
            alarms += usize::from(found.iter().any(|f| kinds.contains(&f.kind) && f.confidence >= Confidence::Medium));
        }
        let _ = writeln!(table, "  {name:<22} {alarms}/{EACH}");
        (wrong, all) = (wrong + alarms, all + EACH);
    }
    let _ = writeln!(table, "  all: {wrong}/{all} = {:.3} %", wrong as f64 / all as f64 * 100.0);
    wrong as f64 / all as f64
}
