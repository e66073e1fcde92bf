//! Whose number a patient's number may be: the NHS number, the CHI number, the H&C number. Pure tables; fails never.

use super::Form;
use crate::vocabulary::FindingKind;

/// Whose number it is. One number may be of two: they share their arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Nhs,
    Chi,
    Hc,
}

impl Scheme {
    pub const ALL: [Scheme; 3] = [Scheme::Nhs, Scheme::Chi, Scheme::Hc];

    pub fn kind(self) -> FindingKind {
        match self {
            Scheme::Nhs => FindingKind::NhsNumber,
            Scheme::Chi => FindingKind::ChiNumber,
            Scheme::Hc => FindingKind::HcNumber,
        }
    }

    /// Whether a number whose check digit fits may be one of these.
    pub fn may_be(self, digits: &[u8; 10]) -> bool {
        match self {
            Scheme::Nhs => digits[0] != 0,
            Scheme::Chi => begins_with_a_date(digits),
            Scheme::Hc => digits[0] == 3 && digits[1] >= 2,
        }
    }

    /// Whether it is one of those that are issued: ranges begin with 3, 4, 6 or 7; 9 is for tests and examples.
    pub fn is_issued(self, digits: &[u8; 10]) -> bool {
        self != Scheme::Nhs || matches!(digits[0], 3 | 4 | 6 | 7 | 9)
    }

    /// Whether people who know what it is write it so.
    pub(super) fn is_usual(self, form: Form) -> bool {
        matches!((self, form), (Scheme::Nhs | Scheme::Hc, Form::Spaced) | (Scheme::Chi, Form::Dated))
    }

    /// Whether only a label makes anybody read it as one number.
    pub(super) fn is_torn(self, form: Form) -> bool {
        match form {
            Form::Bare => false,
            Form::Spaced | Form::Divided => self == Scheme::Chi,
            Form::Dated => self != Scheme::Chi,
            Form::Apart | Form::Even | Form::Halves | Form::Thousands | Form::Loose => true,
        }
    }
}

/// DDMMYY: a day that its month has.
pub(super) fn begins_with_a_date(digits: &[u8; 10]) -> bool {
    let two = |at: usize| digits[at] * 10 + digits[at + 1];
    let days = match two(2) {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 29,
        _ => 0,
    };
    (1..=days).contains(&two(0))
}
