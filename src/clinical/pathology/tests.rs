use super::*;
use crate::clinical::anchors;

fn shape(text: &str) -> Option<Confidence> {
    anchors::first_unit(text).and_then(|unit| results(text, unit)).map(|shape| shape.1)
}

#[test]
fn what_is_compiled_is_there_and_every_name_is_read() {
    assert!(LINES.is_some() && RANGES.is_some() && UNITLESS_LINES.is_some() && TISSUES.is_some());
    assert!(ANALYTES.len() >= 60, "{}", ANALYTES.len());
    for analyte in ANALYTES {
        let unit = match analyte.units[0] {
            Unit::Grams => "g/L",
            Unit::Count => "10*9/L",
            Unit::Cell => "fL",
            Unit::Share => "%",
            Unit::Millimoles => "mmol/L",
            Unit::Micromoles => "umol/L",
            Unit::Traces => "pmol/L",
            Unit::Ratio => "mmol/mol",
            Unit::Filtration => "mL/min/1.73m2",
            Unit::Activity => "IU/L",
            Unit::Milligrams => "mg/L",
            Unit::Micrograms => "ug/L",
            Unit::Sedimentation => "mm/hr",
        };
        for name in analyte.names {
            let line = format!("Serum {} 4.5 {unit}\n", name.to_uppercase());
            let found = LINES.as_ref().unwrap().captures(&line).unwrap_or_else(|| panic!("{line}"));
            assert!(super::analyte(&found[1], &found[2]).is_some(), "{line}: {} {}", &found[1], &found[2]);
        }
    }
}

#[test]
fn reports_in_the_forms_in_which_they_are_printed() {
    for text in [
        "Haemoglobin 132 g/L (130 - 180)\nPlatelets 250 10*9/L (150 - 400)\nMCV 88 fL (80 - 100)",
        "Hb 9.1 g/dL L\nWBC 7.2 x10^9/L\nPlt 310 x10^9/L\nNeutrophils 4.1 10^9/L\nESR 12 mm/hr",
        "Serum creatinine level (XE2q5) 110 umol/L [59 - 104] H\nSerum sodium 140 mmol/L [133 - 146]\neGFR 58 mL/min/1.73m2",
        "Serum\tResult\tRange\tUnits\nAlbumin\t41\t35 - 50\tg/L\nALT\t22\t0 - 41\tU/L\nBilirubin\t9\t0 - 21\tumol/L",
        "TSH: 2.1 mU/L (0.3-4.2), Free T4: 14.2 pmol/L (12-22), CRP <5 mg/L",
        "HbA1c 58 mmol/mol, cholesterol 5.1 mmol/L, HDL 1.2 mmol/L, triglycerides 1.9 mmol/L, eGFR >90 mL/min",
        "Haemoglobin\n132 g/L\nPlatelets\n250 10⁹/L\nCRP\n4 mg/L\nALT\n30 IU/L\nferritin\n45 µg/L",
        "Troponin T 45 ng/L (<14)\nCK 300 U/L H\nINR 1.1\nCreatinine 88 µmol/l (60-110)",
    ] {
        assert_eq!(shape(text), Some(Confidence::High), "{text}");
    }
    for text in
        ["Bloods: Hb 132 g/L, CRP 4 mg/L and creatinine 80 umol/L.", "Hb 132 g/L, CRP 4 mg/L. Urine culture: no growth"]
    {
        assert_eq!(shape(text), Some(Confidence::Medium), "{text}");
    }
}

#[test]
fn what_is_measured_elsewhere_is_no_report() {
    for text in [
        "Sodium 25 mg/L\nCalcium 80 mg/L\nIron 0.1 mg/L\nChloride 30 mg/L\nMagnesium 5 mg/L",
        "Sports drink: sodium 20 mmol/L, potassium 5 mmol/L, chloride 12 mmol/L, glucose 300 mmol/L",
        "Medium: glucose 25 mmol/L, sodium 155 mmol/L, potassium 5.3 mmol/L, calcium 1.8 mmol/L, magnesium 0.8 mmol/L",
        "Haemoglobin should be 130 - 180 g/L, platelets 150 - 400 10*9/L and creatinine 59 - 104 umol/L",
        "Hb 132 g/L and CRP 4 mg/L",
        "Albumin (bovine) 99 % 25 g 42.00 GBP\nCreatinine 5 g 12.50 GBP\nUrea 1 kg 9.90 GBP",
        "Wine: acidity 5.1 g/L, residual sugar 2.3 g/L, alcohol 13 %",
        "Flour 500 g, milk 2 dl/l, 3 eggs, sugar 80 g/l, salt 2 %",
    ] {
        assert_eq!(shape(text), None, "{text}");
    }
    let far = format!("Hb 132 g/L{}CRP 4 mg/L{}ALT 30 U/L", " word".repeat(200), " word".repeat(200));
    assert_eq!(shape(&far), None, "three letters are no report");
}

#[test]
fn histology_has_headings_and_tissue() {
    let read = |text: &str| histology(text, 0).map(|shape| shape.1);
    let report = "Clinical details: changing naevus\nSpecimen: skin, left arm\nMacroscopic: an ellipse of skin 20 x 9 mm\nMicroscopic: \
                  sections show a compound naevus";
    assert_eq!(read(report), Some(Confidence::High));
    assert_eq!(
        read("MACROSCOPIC DESCRIPTION\nTwo cores\nMICROSCOPY\nAdenocarcinoma, Gleason 3+3"),
        Some(Confidence::Medium)
    );
    for text in [
        "Specimen: granite from the quarry\nMacroscopic: grey\nMicroscopic: quartz and feldspar",
        "Please bring a specimen. The pathologist will call. Diagnosis follows.",
        "Diagnosis: the carburettor is blocked\nSpecimen: none",
        "Specimen signature: J. Smith, pathologist",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_laboratorys_message_is_one() {
    assert!(edifact("00000003+MEDRPT:0:1:RT:NHS003'BGM+LSR'").is_some());
    assert_eq!(edifact("00000003+INVOIC:D:96A:UN'FTX+MEDRPT'"), None);
}
