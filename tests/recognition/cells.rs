//! Identifier forms and the contexts that they stand in, and the numbers themselves.

use mailward::vocabulary::Confidence;

/// A small generator (xorshift): the same numbers for the same seed.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed | 1)
    }

    pub fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    /// A valid number of an issued range.
    pub fn valid(&mut self) -> String {
        loop {
            let nine = [400_000_000, 600_000_000, 700_000_000][self.next(3) as usize] + self.next(100_000_000);
            let text = nine.to_string();
            let sum: u32 = text.bytes().zip((2..=10).rev()).map(|(b, w)| u32::from(b - b'0') * w).sum();
            match (11 - sum % 11) % 11 {
                10 => continue,
                check => return format!("{text}{check}"),
            }
        }
    }

    pub fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.next(10) as u8)).collect()
    }
}

pub struct Form {
    pub name: &'static str,
    pub write: fn(&str) -> String,
    /// Torn in a way that is believed only behind a label.
    pub torn: bool,
}

fn grouped(number: &str, by: &str) -> String {
    format!("{}{by}{}{by}{}", &number[..3], &number[3..6], &number[6..])
}

fn shifted(number: &str, zero: u32) -> String {
    number.bytes().filter_map(|b| char::from_u32(zero + u32::from(b - b'0'))).collect()
}

pub const FORMS: &[Form] = &[
    Form { name: "bare", write: |n| n.to_owned(), torn: false },
    Form { name: "spaces", write: |n| grouped(n, " "), torn: false },
    Form { name: "hyphens", write: |n| grouped(n, "-"), torn: false },
    Form { name: "dots", write: |n| grouped(n, "."), torn: false },
    Form { name: "two-spaces", write: |n| grouped(n, "  "), torn: false },
    Form { name: "nbsp", write: |n| grouped(n, "\u{A0}"), torn: false },
    Form { name: "thin-space", write: |n| grouped(n, "\u{2009}"), torn: false },
    Form { name: "nb-hyphen", write: |n| grouped(n, "\u{2011}"), torn: false },
    Form { name: "en-dash", write: |n| grouped(n, "\u{2013}"), torn: false },
    Form { name: "spaced-dash", write: |n| grouped(n, " - "), torn: false },
    Form { name: "fullwidth", write: |n| shifted(n, 0xFF10), torn: false },
    Form {
        name: "fullwidth-spaced",
        write: |n| {
            grouped(n, " ")
                .chars()
                .map(|c| c.to_digit(10).and_then(|d| char::from_u32(0xFF10 + d)).unwrap_or(c))
                .collect()
        },
        torn: false,
    },
    Form { name: "arabic-indic", write: |n| shifted(n, 0x660), torn: false },
    Form { name: "mathematical", write: |n| shifted(n, 0x1D7CE), torn: false },
    Form { name: "soft-hyphen", write: |n| grouped(n, "\u{AD}"), torn: false },
    Form { name: "zero-width", write: |n| grouped(n, "\u{200B}"), torn: false },
    Form { name: "line-break", write: |n| format!("{} {}\r\n{}", &n[..3], &n[3..6], &n[6..]), torn: false },
    Form { name: "slashes", write: |n| grouped(n, "/"), torn: false },
    Form { name: "singles", write: |n| n.chars().map(String::from).collect::<Vec<_>>().join(" "), torn: true },
    Form { name: "five-five", write: |n| format!("{} {}", &n[..5], &n[5..]), torn: true },
    Form { name: "six-four", write: |n| format!("{} {}", &n[..6], &n[6..]), torn: true },
];

pub struct Context {
    pub name: &'static str,
    pub around: fn(&str) -> String,
    /// How sure the recogniser must be at least.
    pub expect: Confidence,
    /// Whether it stands right beside the number, so that even a torn one is believed.
    pub names_torn: bool,
}

pub const CONTEXTS: &[Context] = &[
    context("none", |n| format!("Please see {n} for the clinic on Monday"), Confidence::Low),
    beside("label", |n| format!("NHS number: {n}, seen today")),
    beside("label-short", |n| format!("NHS {n}")),
    beside("label-dotted", |n| format!("N.H.S. No. = {n}")),
    beside("label-welsh", |n| format!("Rhif GIG: {n}")),
    beside("camel-case", |n| format!("nhsNumber={n}")),
    beside("list", |n| format!("NHS numbers 401 023 2137, {n} and others")),
    beside("telephone-beside", |n| format!("Tel 020 7946 0000 NHS number {n}")),
    context("label-far", |n| format!("NHS No (as printed on the patient's last letter from us) {n}"), Confidence::High),
    context("label-behind", |n| format!("{n} (NHS number)"), Confidence::High),
    beside("label-joined", |n| format!("NHSNo: {n}")),
    beside("label-initials", |n| format!("N.H.S No {n}")),
    beside("label-nr", |n| format!("NHS Nr {n}")),
    beside("label-nhsn", |n| format!("NHSN {n}")),
    beside("label-welsh-bare", |n| format!("rhif GIG {n}")),
    beside("label-touching", |n| format!("nhsno{n}")),
    context("date-of-birth", |n| format!("DOB 1 May 1980; {n}; ward"), Confidence::High),
    context("date-of-birth-comma", |n| format!("DOB 01/02/1960, {n}"), Confidence::High),
    context("date-of-birth-blank", |n| format!("DOB 01/02/1960 {n}"), Confidence::High),
    context("oid", |n| format!("root=\"2.16.840.1.113883.2.1.4.1\" extension=\"{n}\""), Confidence::High),
    context("hl7", |n| format!("PID|x||{n}^^^NHS^NH|"), Confidence::High),
    context("fhir", |n| format!("https://fhir.nhs.uk/Id/nhs-number value {n}"), Confidence::High),
];

const fn context(name: &'static str, around: fn(&str) -> String, expect: Confidence) -> Context {
    Context { name, around, expect, names_torn: false }
}

const fn beside(name: &'static str, around: fn(&str) -> String) -> Context {
    Context { name, around, expect: Confidence::High, names_torn: true }
}
