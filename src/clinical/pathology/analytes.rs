//! What laboratories of the NHS measure, as their reports call it, and the units in which they give it. Data only.

/// A family of units: those of one family stand for the same kind of amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// g/L, g/dL
    Grams,
    /// 10^9/L, 10^12/L
    Count,
    /// fL, pg
    Cell,
    /// %, L/L
    Share,
    /// mmol/L
    Millimoles,
    /// umol/L
    Micromoles,
    /// nmol/L, pmol/L
    Traces,
    /// mmol/mol
    Ratio,
    /// mL/min
    Filtration,
    /// U/L, IU/L, mU/L
    Activity,
    /// mg/L
    Milligrams,
    /// ug/L, ng/L, ng/mL, pg/mL
    Micrograms,
    /// mm/hr
    Sedimentation,
}

/// What is measured, and in what.
#[derive(Debug)]
pub(super) struct Analyte {
    /// In lower case, the longest first where one begins another.
    pub names: &'static [&'static str],
    pub units: &'static [Unit],
    /// Nobody but a laboratory of medicine measures it: salts and sugar stand on bottles of water too.
    pub of_people: bool,
}

const fn of_people(names: &'static [&'static str], units: &'static [Unit]) -> Analyte {
    Analyte { names, units, of_people: true }
}

const fn of_anything(names: &'static [&'static str], units: &'static [Unit]) -> Analyte {
    Analyte { names, units, of_people: false }
}

use Unit::{
    Activity, Cell, Count, Filtration, Grams, Micrograms, Micromoles, Milligrams, Millimoles, Ratio, Sedimentation,
    Share, Traces,
};

pub(super) const ANALYTES: &[Analyte] = &[
    // Full blood count
    of_people(
        &["haemoglobin concentration", "haemoglobin estimation", "haemoglobin", "hemoglobin", "hgb", "hb"],
        &[Grams],
    ),
    of_people(
        &["white blood cell count", "white blood cells", "white cell count", "total white cell count", "wbc", "wcc"],
        &[Count],
    ),
    of_people(&["platelet count", "platelets", "plt", "plts"], &[Count]),
    of_people(&["red blood cell count", "red blood cells", "red cell count", "rbc", "rcc"], &[Count]),
    of_people(&["mean corpuscular volume", "mean cell volume", "mcv"], &[Cell]),
    of_people(&["mean corpuscular haemoglobin concentration", "mchc"], &[Grams]),
    of_people(&["mean corpuscular haemoglobin", "mean cell haemoglobin", "mch"], &[Cell]),
    of_people(&["haematocrit", "hematocrit", "packed cell volume", "hct", "pcv"], &[Share]),
    of_people(&["red cell distribution width", "rdw"], &[Share]),
    of_people(&["neutrophil count", "neutrophils", "neutrophil", "neuts"], &[Count]),
    of_people(&["lymphocyte count", "lymphocytes", "lymphocyte", "lymphs"], &[Count]),
    of_people(&["monocyte count", "monocytes", "monocyte", "monos"], &[Count]),
    of_people(&["eosinophil count", "eosinophils", "eosinophil", "eos"], &[Count]),
    of_people(&["basophil count", "basophils", "basophil", "basos"], &[Count]),
    of_people(&["reticulocyte count", "reticulocytes"], &[Count, Share]),
    // Urea and electrolytes
    of_anything(&["sodium", "na+", "na"], &[Millimoles]),
    of_anything(&["potassium", "k+", "k"], &[Millimoles]),
    of_anything(&["chloride", "cl"], &[Millimoles]),
    of_anything(&["bicarbonate", "hco3"], &[Millimoles]),
    of_anything(&["urea"], &[Millimoles]),
    of_people(&["creatinine clearance", "egfr", "gfr calculated", "gfr"], &[Filtration]),
    of_people(&["creatinine", "creat"], &[Micromoles]),
    of_people(&["albumin creatinine ratio", "albumin/creatinine ratio", "acr"], &[Ratio]),
    of_people(&["urate", "uric acid"], &[Micromoles, Millimoles]),
    // Bone
    of_people(&["adjusted calcium", "corrected calcium", "adj calcium", "adj ca"], &[Millimoles]),
    of_anything(&["calcium"], &[Millimoles]),
    of_anything(&["phosphate", "inorganic phosphate"], &[Millimoles]),
    of_anything(&["magnesium"], &[Millimoles]),
    of_people(&["parathyroid hormone", "pth"], &[Traces, Micrograms]),
    of_people(&["25-hydroxyvitamin d", "25-oh vitamin d", "vitamin d"], &[Traces]),
    // Liver
    of_people(&["total bilirubin", "bilirubin", "bili"], &[Micromoles]),
    of_people(&["alanine aminotransferase", "alanine transaminase", "alt"], &[Activity]),
    of_people(&["aspartate aminotransferase", "aspartate transaminase", "ast"], &[Activity]),
    of_people(&["alkaline phosphatase", "alk phos", "alp"], &[Activity]),
    of_people(&["gamma-glutamyl transferase", "gamma glutamyl transferase", "gamma gt", "ggt"], &[Activity]),
    of_people(&["albumin", "alb"], &[Grams]),
    of_anything(&["total protein"], &[Grams]),
    of_people(&["globulin"], &[Grams]),
    of_people(&["lactate dehydrogenase", "ldh"], &[Activity]),
    of_people(&["amylase"], &[Activity]),
    of_people(&["lipase"], &[Activity]),
    of_people(&["creatine kinase", "ck"], &[Activity]),
    // Thyroid and other hormones
    of_people(&["thyroid stimulating hormone", "tsh"], &[Activity]),
    of_people(&["free thyroxine", "free t4", "ft4"], &[Traces]),
    of_people(&["free triiodothyronine", "free t3", "ft3"], &[Traces]),
    of_people(&["follicle stimulating hormone", "fsh"], &[Activity]),
    of_people(&["luteinising hormone", "lh"], &[Activity]),
    of_people(&["prolactin"], &[Activity]),
    of_people(&["oestradiol", "estradiol"], &[Traces]),
    of_people(&["progesterone"], &[Traces]),
    of_people(&["testosterone"], &[Traces]),
    of_people(&["cortisol"], &[Traces]),
    of_people(&["beta-hcg", "beta hcg", "hcg"], &[Activity]),
    // Lipids and sugar
    of_people(&["total cholesterol", "cholesterol"], &[Millimoles]),
    of_people(&["hdl cholesterol", "non-hdl cholesterol", "hdl"], &[Millimoles]),
    of_people(&["ldl cholesterol", "ldl"], &[Millimoles]),
    of_people(&["triglycerides", "triglyceride"], &[Millimoles]),
    of_anything(&["fasting glucose", "plasma glucose", "glucose"], &[Millimoles]),
    of_people(&["haemoglobin a1c", "hba1c"], &[Ratio, Share]),
    of_anything(&["lactate"], &[Millimoles]),
    // Inflammation, heart, cancer, iron and vitamins
    of_people(&["c-reactive protein", "c reactive protein", "crp"], &[Milligrams]),
    of_people(&["erythrocyte sedimentation rate", "esr"], &[Sedimentation]),
    of_people(&["troponin t", "troponin i", "troponin", "hs-trop"], &[Micrograms]),
    of_people(&["nt-probnp", "nt probnp", "bnp"], &[Micrograms]),
    of_people(&["d-dimer", "d dimer"], &[Micrograms, Milligrams]),
    of_people(&["prostate specific antigen", "psa"], &[Micrograms]),
    of_people(&["carcinoembryonic antigen", "cea"], &[Micrograms]),
    of_people(&["alpha-fetoprotein", "alpha fetoprotein", "afp"], &[Micrograms, Activity]),
    of_people(&["ca125", "ca 125", "ca19-9", "ca 19-9"], &[Activity]),
    of_people(&["ferritin"], &[Micrograms]),
    of_people(&["transferrin saturation"], &[Share]),
    of_people(&["transferrin"], &[Grams]),
    of_anything(&["iron"], &[Micromoles]),
    of_people(&["vitamin b12", "b12"], &[Micrograms, Traces]),
    of_people(&["serum folate", "folate"], &[Micrograms]),
    of_people(&["fibrinogen"], &[Grams]),
    of_people(&["ammonia"], &[Micromoles]),
    of_people(&["immunoglobulin g", "immunoglobulin a", "immunoglobulin m", "igg", "iga", "igm"], &[Grams]),
];

/// What stands without a unit: clotting, and lines of microbiology.
pub(super) const UNITLESS: &[&str] = &[
    r"\binr\b[^\d\n]{0,20}\d\.\d",
    r"\baptt(?: ratio)?\b[^\d\n]{0,20}\d",
    r"\b(?:urine |blood |wound |sputum |stool )?culture\b[^\n]{0,60}\b(?:no (?:significant )?growth|growth of|isolated|mixed growth)\b",
    r"\bno (?:significant )?growth after \d",
    r"\b(?:white blood cells|wbc|pus cells)\b[^\n]{0,20}(?:/ ?ul|/ ?cmm|\bper cmm)",
];

/// Headings of histology reports, in lower case: those of one row are one heading.
pub(super) const HEADINGS: &[&[&str]] = &[
    &["macroscopic", "macroscopy", "gross description"],
    &["microscopic", "microscopy"],
    &["specimen"],
    &["clinical details", "clinical information", "clinical history"],
    &["diagnosis", "summary diagnosis", "histological diagnosis", "conclusion"],
    &["histology no", "histology number", "histology", "histopathology"],
];

/// Words that only a report about tissue of a body has.
pub(super) const TISSUE: &[&str] = &[
    "biopsy",
    "biopsies",
    "formalin",
    "pathologist",
    "histopathology",
    "carcinoma",
    "adenoma",
    "dysplasia",
    "malignan",
    "mucosa",
    "epithelium",
    "excision margin",
    "resection margin",
    "melanoma",
    "lymph node",
    "naevus",
    "keratosis",
    "adenocarcinoma",
    "metaplasia",
    "immunohistochemistry",
    "mitotic",
];
