//! How codes of each terminology are made. Pure. Fails never: what is no code is none.

/// Editions of the International Classification of Diseases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Icd {
    Nine,
    Ten,
    Eleven,
}

/// A terminology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    Snomed,
    /// Medicines, with identifiers of SNOMED CT.
    Dmd,
    Icd(Icd),
    Opcs,
    /// Read codes, version 2 and 3.
    Read,
}

impl System {
    /// What a report says.
    pub fn shown(self) -> &'static str {
        match self {
            System::Snomed => "SNOMED CT code",
            System::Dmd => "dm+d code",
            System::Icd(_) => "ICD code",
            System::Opcs => "OPCS code",
            System::Read => "Read code",
        }
    }

    /// The system that arcs below 2.16.840.1.113883 name.
    pub fn of_arcs(arcs: &str) -> Option<System> {
        match arcs {
            // HL7's own, and that of the UK edition.
            "6.96" | "2.1.3.2.4.15" => Some(System::Snomed),
            "6.3" | "6.90" => Some(System::Icd(Icd::Ten)),
            "6.103" => Some(System::Icd(Icd::Nine)),
            // HL7's own; in the UK, Read codes version 2 and Clinical Terms Version 3 (GP2GP).
            "6.6" | "2.1.6.2" | "2.1.3.2.4.14" => Some(System::Read),
            _ => None,
        }
    }

    /// Whether a check digit makes its codes sure enough to stand farther from their label.
    pub fn is_checked(self) -> bool {
        matches!(self, System::Snomed | System::Dmd)
    }

    /// The code that a word is.
    pub fn code(self, word: &str) -> Option<&str> {
        let plain = word.trim_end_matches('.');
        match self {
            System::Snomed | System::Dmd => Some(plain).filter(|word| is_sctid(word)),
            System::Icd(edition) => Some(plain).filter(|word| is_icd(word.as_bytes(), edition)),
            System::Opcs => Some(plain).filter(|word| is_opcs(word.as_bytes())),
            System::Read => read_code(word),
        }
    }
}

/// Multiplication of the dihedral group D5, and the permutation that Verhoeff's check (1969) applies by position.
const D5: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/// SNOMED CT Release File Specification 5: 6 to 18 digits, no zero in front, a partition that exists, Verhoeff's check.
pub(super) fn is_sctid(word: &str) -> bool {
    let digits = word.as_bytes();
    let is_number = (6..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && digits[0] != b'0';
    if !is_number {
        return false;
    }
    let partition = &digits[digits.len() - 3..digits.len() - 1];
    let is_long = partition[0] == b'0' || digits.len() >= 11;
    let exists = matches!(partition[0], b'0' | b'1') && matches!(partition[1], b'0'..=b'2');
    exists && is_long && verhoeff(digits) == 0
}

fn verhoeff(digits: &[u8]) -> u8 {
    digits.iter().rev().enumerate().fold(0, |check, (position, digit)| {
        let mut value = digit.wrapping_sub(b'0') % 10;
        (0..position % 8).for_each(|_| value = PERMUTED[usize::from(value)]);
        D5[usize::from(check)][usize::from(value)]
    })
}

/// ICD-10: `E11`, `E11.9`, `E119`; ICD-11: `5A11`, `2C60.Z`; ICD-9: `250.00`.
fn is_icd(word: &[u8], edition: Icd) -> bool {
    let (stem, rest) = split_dot(word);
    let is_alnum = |rest: &[u8]| rest.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    match edition {
        Icd::Nine => {
            stem.len() == 3 && stem.iter().all(u8::is_ascii_digit) && (1..=2).contains(&rest.len()) && is_alnum(rest)
        }
        Icd::Ten => {
            let [letter, tens, ones, more @ ..] = stem else { return false };
            // The letters that ICD-10-CM has in third place.
            let is_american =
                [b"C4A", b"C7A", b"C7B", b"D3A", b"M1A", b"O9A", b"Z3A"].contains(&&[*letter, *tens, *ones]);
            let is_category = tens.is_ascii_digit() && (ones.is_ascii_digit() || is_american);
            let is_cased = letter.is_ascii_uppercase() || (letter.is_ascii_lowercase() && !rest.is_empty());
            let ends =
                if rest.is_empty() { more.len() <= 2 && more.iter().all(u8::is_ascii_digit) } else { more.is_empty() };
            is_cased && is_category && ends && rest.len() <= 4 && is_alnum(rest)
        }
        Icd::Eleven => {
            let [first, letter, digit, last] = stem else { return false };
            let is_stem = (first.is_ascii_digit() || first.is_ascii_uppercase()) && last.is_ascii_alphanumeric();
            is_stem && letter.is_ascii_uppercase() && digit.is_ascii_digit() && rest.len() <= 2 && is_alnum(rest)
        }
    }
}

/// OPCS-4: `W37.1`, `W37`.
fn is_opcs(word: &[u8]) -> bool {
    let (stem, rest) = split_dot(word);
    let [letter, tens, ones, more @ ..] = stem else { return false };
    let digits = [tens, ones].into_iter().chain(more).chain(rest).all(u8::is_ascii_digit);
    letter.is_ascii_uppercase() && *letter != b'I' && digits && more.len() + rest.len() <= 1
}

fn split_dot(word: &[u8]) -> (&[u8], &[u8]) {
    match word.iter().position(|b| *b == b'.') {
        Some(at) => (&word[..at], &word[at + 1..]),
        None => (word, &[]),
    }
}

/// Read codes: five characters, dots at the end where it is shorter, perhaps two digits for the term behind it.
fn read_code(word: &str) -> Option<&str> {
    // A full stop may follow one that is full.
    let word = if word.len() == 6 { word.strip_suffix('.')? } else { word };
    let word =
        if word.len() == 7 && word.get(5..)?.bytes().all(|b| b.is_ascii_digit()) { word.get(..5)? } else { word };
    let stem = word.trim_end_matches('.');
    let is_plain = word.len() == 5 && !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric());
    let has = |what: fn(&u8) -> bool| stem.as_bytes().iter().any(what);
    let is_third_version = stem.starts_with(['X', 'Y']) && has(u8::is_ascii_lowercase);
    let is_word = !has(u8::is_ascii_digit) && !is_third_version;
    let is_number = !has(u8::is_ascii_alphabetic) && stem.len() == 5;
    (is_plain && !is_word && !is_number).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_snomed_have_a_partition_and_a_check() {
        for valid in
            ["44054006", "73211009", "138875005", "999000041000000102", "22298006", "449868002", "900000000000207008"]
        {
            assert!(is_sctid(valid), "{valid}");
        }
        for wrong in ["44054007", "44054060", "4405400", "0440540068", "12345", "1234567890123456789", "44054a06", ""] {
            assert!(!is_sctid(wrong), "{wrong}");
        }
        // One in ten passes the check, six in a hundred the partition.
        let chance = (10_000_000..10_100_000u64).filter(|n| is_sctid(&n.to_string())).count();
        assert!((100..900).contains(&chance), "{chance}");
    }

    #[test]
    fn codes_of_the_others_by_their_shape() {
        let is = |system: System, word: &str| system.code(word).is_some();
        for word in ["E11.9", "E11", "E119", "C50.9", "e11.9", "U07.1", "S72.001A", "M1A.0"] {
            assert!(is(System::Icd(Icd::Ten), word), "{word}");
        }
        for word in ["11.9", "E1", "EE1.9", "e11", "E11.", "E11.99999", "A4", "Q1", "B2B"] {
            assert_eq!(is(System::Icd(Icd::Ten), word), word == "E11.", "{word}");
        }
        assert!(is(System::Icd(Icd::Eleven), "5A11") && is(System::Icd(Icd::Eleven), "2C60.Z"));
        assert!(is(System::Icd(Icd::Nine), "250.00") && !is(System::Icd(Icd::Nine), "250"));
        assert!(
            is(System::Opcs, "W37.1")
                && is(System::Opcs, "W37")
                && !is(System::Opcs, "W3")
                && !is(System::Opcs, "W37.12")
        );
        for word in ["C10F.", "H33..", "246..", "XaETQ", "C10F.00", "X40J4", "14AA."] {
            assert!(is(System::Read, word), "{word}");
        }
        for word in ["first", "12345", "AB", "please", "Xylem1x", "....."] {
            assert!(!is(System::Read, word), "{word}");
        }
    }
}
