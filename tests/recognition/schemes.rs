//! Patients' numbers other than the NHS number: the CHI number of Scotland and the H&C number of Northern Ireland.

use crate::cells::{Context, FORMS, Form, Numbers};
use mailward::vocabulary::{Confidence, FindingKind};

pub struct Scheme {
    pub name: &'static str,
    pub kind: FindingKind,
    pub valid: fn(&mut Numbers) -> String,
    /// Names of forms in which people write it.
    pub forms: &'static [&'static str],
    /// Forms that are its own.
    pub own_forms: &'static [Form],
    pub contexts: &'static [Context],
}

impl Scheme {
    pub fn all_forms(&self) -> impl Iterator<Item = &'static Form> {
        FORMS.iter().filter(|form| self.forms.contains(&form.name)).chain(self.own_forms)
    }
}

pub const SCHEMES: &[Scheme] = &[
    Scheme {
        name: "chi",
        kind: FindingKind::ChiNumber,
        valid: chi,
        forms: &["bare", "fullwidth", "arabic-indic", "soft-hyphen", "zero-width"],
        own_forms: &[
            Form { name: "six-four", write: |n| format!("{} {}", &n[..6], &n[6..]), torn: false },
            Form { name: "six-four-nbsp", write: |n| format!("{}\u{A0}{}", &n[..6], &n[6..]), torn: false },
            Form { name: "six-four-hyphen", write: |n| format!("{}-{}", &n[..6], &n[6..]), torn: false },
            Form {
                name: "pairs",
                write: |n| format!("{} {} {} {}", &n[..2], &n[2..4], &n[4..6], &n[6..]),
                torn: false,
            },
        ],
        contexts: &[
            context("none", |n| format!("Please see {n} for the clinic on Monday"), Confidence::Low),
            context("label", |n| format!("CHI number: {n}, seen today"), Confidence::High),
            context("label-short", |n| format!("CHI {n}"), Confidence::High),
            context("camel-case", |n| format!("chiNumber={n}"), Confidence::High),
            context("label-behind", |n| format!("{n} (CHI number)"), Confidence::High),
            context("label-of-england", |n| format!("NHS No {n}"), Confidence::High),
            context("date-of-birth", |n| format!("DOB 1 May 1980; {n}; ward"), Confidence::High),
        ],
    },
    Scheme {
        name: "hc",
        kind: FindingKind::HcNumber,
        valid: hc,
        forms: &["bare", "spaces", "hyphens", "dots", "nbsp", "fullwidth", "soft-hyphen", "zero-width", "line-break"],
        own_forms: &[],
        contexts: &[
            context("none", |n| format!("Please see {n} for the clinic on Monday"), Confidence::Low),
            context("label", |n| format!("H&C number: {n}, seen today"), Confidence::High),
            context("label-short", |n| format!("HCN {n}"), Confidence::High),
            context("label-long", |n| format!("Health and Care Number {n}"), Confidence::High),
            context("camel-case", |n| format!("hscNumber={n}"), Confidence::High),
            context("label-behind", |n| format!("{n} (HSC number)"), Confidence::High),
            context("date-of-birth", |n| format!("DOB 1 May 1980; {n}; ward"), Confidence::High),
        ],
    },
];

const fn context(name: &'static str, around: fn(&str) -> String, expect: Confidence) -> Context {
    Context { name, around, expect, names_torn: true }
}

/// A day of birth, a serial and a check digit.
fn chi(numbers: &mut Numbers) -> String {
    loop {
        let (day, month, year) = (1 + numbers.next(28), 1 + numbers.next(12), numbers.next(100));
        let nine = format!("{day:02}{month:02}{year:02}{:03}", numbers.next(1_000));
        if let Some(number) = checked(&nine) {
            return number;
        }
    }
}

/// 320 000 001 to 399 999 999 and a check digit.
fn hc(numbers: &mut Numbers) -> String {
    loop {
        if let Some(number) = checked(&(320_000_001 + numbers.next(79_999_999)).to_string()) {
            return number;
        }
    }
}

fn checked(nine: &str) -> Option<String> {
    let sum: u32 = nine.bytes().zip((2..=10).rev()).map(|(b, w)| u32::from(b - b'0') * w).sum();
    let check = (11 - sum % 11) % 11;
    (check < 10).then(|| format!("{nine}{check}"))
}
