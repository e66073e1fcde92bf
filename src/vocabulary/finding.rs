//! What the recogniser can find: the kinds that are built in, and those that a policy defines for itself.
//!
//! Promises: policy refuses every other name; a kind is as small as a number, whoever defined it. The names of a policy's own
//! kinds live as long as the programme: they are few, and the same ones come again with every load. Fails by `UnknownName`.

use super::UnknownName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// The name of a pattern or a lexicon, each text once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnName(&'static str);

impl fmt::Display for OwnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl OwnName {
    #[must_use]
    pub fn of(name: &str) -> OwnName {
        static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return OwnName(known);
        }
        let kept: &'static str = Box::leak(name.into());
        known.insert(kept);
        OwnName(kept)
    }
}

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    NhsNumber,
    ChiNumber,
    HcNumber,
    TagSecure,
    TagEncrypt,
    MarkingOfficialSensitive,
    MarkingHeader,
    SensitivityHeader,
    /// A label of Microsoft's information protection: its id and its name.
    MsipLabel,
    /// A message between clinical systems, in pipes or XML.
    Hl7V2,
    /// A clinical document (HL7 CDA).
    Cda,
    /// A patient, or something about one, as FHIR has it.
    FhirPatient,
    /// An image of a patient with its data.
    Dicom,
    /// A code of a clinical terminology (SNOMED CT, ICD, OPCS, Read) beside the terminology's name.
    CodedTerms,
    /// Results or findings of a pathology laboratory.
    PathologyReport,
    Calendar,
    /// A report of Exchange's journal.
    JournalHeader,
    /// The whole message is encrypted to its readers already: S/MIME or OpenPGP.
    AlreadySealed,
    /// Closed with a password or a key, so nobody here can look into it.
    EncryptedAttachment,
    /// A photograph or picture; small inline logos are no finding.
    Image,
    /// A page image (TIFF): nobody can read it without eyes.
    Scan,
    /// Content that no reader of this version knows.
    UnknownAttachment,
    /// Content that a reader knows and could not follow.
    BrokenAttachment,
    /// A bound was reached before everything was read.
    LimitReached,
    /// `[pattern.NAME]`
    Pattern(OwnName),
    /// `[lexicon.NAME]`
    Lexicon(OwnName),
}

impl FindingKind {
    /// Those that are built in.
    pub const ALL: &'static [FindingKind] = &[
        FindingKind::NhsNumber,
        FindingKind::ChiNumber,
        FindingKind::HcNumber,
        FindingKind::TagSecure,
        FindingKind::TagEncrypt,
        FindingKind::MarkingOfficialSensitive,
        FindingKind::MarkingHeader,
        FindingKind::SensitivityHeader,
        FindingKind::MsipLabel,
        FindingKind::Hl7V2,
        FindingKind::Cda,
        FindingKind::FhirPatient,
        FindingKind::Dicom,
        FindingKind::CodedTerms,
        FindingKind::PathologyReport,
        FindingKind::Calendar,
        FindingKind::JournalHeader,
        FindingKind::AlreadySealed,
        FindingKind::EncryptedAttachment,
        FindingKind::Image,
        FindingKind::Scan,
        FindingKind::UnknownAttachment,
        FindingKind::BrokenAttachment,
        FindingKind::LimitReached,
    ];
    /// Their printed names, in the same order.
    pub const NAMES: &'static [&'static str] = &[
        "nhs-number",
        "chi-number",
        "hc-number",
        "tag-secure",
        "tag-encrypt",
        "marking-official-sensitive",
        "marking-header",
        "sensitivity-header",
        "msip-label",
        "hl7-v2",
        "cda",
        "fhir-patient",
        "dicom",
        "coded-terms",
        "pathology-report",
        "calendar",
        "journal-header",
        "already-sealed",
        "encrypted-attachment",
        "image",
        "scan",
        "unknown-attachment",
        "broken-attachment",
        "limit-reached",
    ];

    fn built_in(self) -> Option<&'static str> {
        let number = FindingKind::ALL.iter().position(|kind| *kind == self)?;
        FindingKind::NAMES.get(number).copied()
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FindingKind::Pattern(OwnName(name)) => f.pad(&format!("pattern.{name}")),
            FindingKind::Lexicon(OwnName(name)) => f.pad(&format!("lexicon.{name}")),
            built_in => f.pad(built_in.built_in().unwrap_or_default()),
        }
    }
}

impl FromStr for FindingKind {
    type Err = UnknownName;
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let own = |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty()).map(OwnName::of);
        if let Some(name) = own("pattern.") {
            return Ok(FindingKind::Pattern(name));
        }
        if let Some(name) = own("lexicon.") {
            return Ok(FindingKind::Lexicon(name));
        }
        let number = FindingKind::NAMES.iter().position(|name| *name == text);
        let kind = number.and_then(|number| FindingKind::ALL.get(number)).copied();
        kind.ok_or_else(|| UnknownName { written: text.to_owned(), known: Self::NAMES })
    }
}

impl Serialize for FindingKind {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FindingKind {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_prints_and_parses_as_one_name() {
        assert_eq!(FindingKind::ALL.len(), FindingKind::NAMES.len());
        let own = ["pattern.hospital-number", "lexicon.clinical-terms"];
        for name in FindingKind::NAMES.iter().chain(&own) {
            assert_eq!(name.parse::<FindingKind>().map(|kind| kind.to_string()).as_deref(), Ok(*name));
        }
        for unknown in ["", "pattern.", "pattern", "nhs", "lexicon."] {
            assert!(unknown.parse::<FindingKind>().is_err(), "{unknown}");
        }
    }

    #[test]
    fn the_same_name_is_kept_once() {
        let (one, other) = (OwnName::of("ward"), OwnName::of(&String::from("ward")));
        assert!(std::ptr::eq(one.0, other.0));
    }
}
