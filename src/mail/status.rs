//! A status: reply code, enhanced code and text. Transient or permanent is decided here and nowhere else.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a reply means for who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Success,
    Transient,
    Permanent,
}

/// RFC 3463: class.subject.detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Enhanced {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Enhanced, Self::Err> {
        const WRONG: &str = "an enhanced status code has the form 5.7.10";
        let mut parts = text.split('.').map(|p| {
            let good = (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
            good.then(|| p.parse::<u16>().ok()).flatten()
        });
        let mut next = || parts.next().flatten().ok_or(WRONG);
        let (class, subject, detail) = (next()?, next()?, next()?);
        match (class, parts.next()) {
            (2 | 4 | 5, None) => Ok(Enhanced(class as u8, subject, detail)),
            _ => Err(WRONG),
        }
    }
}

impl TryFrom<String> for Enhanced {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Enhanced, Self::Error> {
        text.parse()
    }
}

impl From<Enhanced> for String {
    fn from(code: Enhanced) -> String {
        code.to_string()
    }
}

/// What a server said, or what we say: one line of meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub code: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhanced: Option<Enhanced>,
    pub text: String,
}

impl Status {
    #[must_use]
    pub fn new(code: u16, enhanced: Enhanced, text: impl Into<String>) -> Status {
        Status { code, enhanced: Some(enhanced), text: text.into() }
    }

    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.code {
            200..=399 => Severity::Success,
            500..=599 => Severity::Permanent,
            // A code that RFC 5321 4.2.1 does not know is no reason to give a message up.
            _ => Severity::Transient,
        }
    }

    /// The enhanced code, or the general one of the reply code's class (RFC 3463 3.1 X.0.0).
    #[must_use]
    pub fn enhanced_or_general(&self) -> Enhanced {
        self.enhanced.unwrap_or(match self.severity() {
            Severity::Success => Enhanced(2, 0, 0),
            Severity::Transient => Enhanced(4, 0, 0),
            Severity::Permanent => Enhanced(5, 0, 0),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.enhanced {
            Some(enhanced) => write!(f, "{} {} {}", self.code, enhanced, self.text),
            None => write!(f, "{} {}", self.code, self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_parse_strictly() {
        assert_eq!("5.7.10".parse(), Ok(Enhanced(5, 7, 10)));
        for wrong in ["", "5", "5.7", "3.0.0", "5.7.1000", "5.7.1.1", "5.+7.1", "5..1"] {
            assert!(wrong.parse::<Enhanced>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_five_gives_up() {
        let severity = |code| Status { code, enhanced: None, text: String::new() }.severity();
        assert_eq!(severity(250), Severity::Success);
        assert_eq!(severity(451), Severity::Transient);
        assert_eq!(severity(550), Severity::Permanent);
        assert_eq!(severity(999), Severity::Transient);
    }
}
