//! TOML as it was typed, with its places: tables with known keys, and values of the kinds that a policy has.
//!
//! Called by the compiler's parts. Promises: nothing unknown is passed over in silence, and every complaint points at
//! what was typed; one value is accepted where a list is. Fails by complaining, and goes on with the rest.

use super::diagnostic::{Complaints, Mistake, Place, Sited};
use crate::clock::{parse_duration, parse_size};
use jiff::civil::Date;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys that a table may have in this version, and those that only a later version understands.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub known: &'static [&'static str],
    pub later: &'static [&'static str],
}

/// One table of one file.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    pub file: usize,
    /// Where its header or key stands.
    pub place: Place,
    pub inner: &'a DeTable<'a>,
}

/// What a parser of one text says.
pub(crate) type Parsed<T> = Result<T, Mistake>;

pub(crate) fn place(file: usize, span: Range<usize>) -> Place {
    Place { file, start: span.start, end: span.end }
}

/// `not in this version`, said alike everywhere in a policy.
pub(crate) fn later(what: &str) -> Mistake {
    Mistake::new("not-in-this-version", format!("{what} is not in this version"))
        .hint("take it out; a policy never holds what this version cannot keep")
}

impl<'a> Table<'a> {
    /// A table in this one, under `key`.
    pub fn below(self, c: &mut Complaints<'_>, key: &str) -> Option<Table<'a>> {
        let (name, value) = self.inner.get_key_value(key)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(Table { file: self.file, place: place(self.file, name.span()), inner }),
            other => {
                c.error(place(self.file, value.span()), wrong_type(key, "a table", other));
                None
            }
        }
    }

    /// The same where anything else may stand there too.
    pub fn nested(self, key: &str) -> Option<Table<'a>> {
        let (name, value) = self.inner.get_key_value(key)?;
        let inner = value.get_ref().as_table()?;
        Some(Table { file: self.file, place: place(self.file, name.span()), inner })
    }

    /// Complains about every key that is not known to a policy.
    pub fn check_keys(self, c: &mut Complaints<'_>, what: &str, keys: Keys) {
        self.check_keys_or(c, what, keys, later);
    }

    /// The same; `later` says what becomes of a key of a later version.
    pub fn check_keys_or(self, c: &mut Complaints<'_>, what: &str, keys: Keys, later: impl Fn(&str) -> Mistake) {
        for name in self.inner.keys() {
            let (written, at) = (name.get_ref().as_ref(), place(self.file, name.span()));
            if keys.later.contains(&written) {
                c.error(at, later(&format!("`{written}` of {what}")));
            } else if !keys.known.contains(&written) {
                let message = format!("{what} has no key `{written}`");
                let mistake = Mistake::unknown("unknown-key", message, written, keys.known.iter().copied());
                let is_table = self.value(written).is_some_and(|value| value.get_ref().is_table());
                let dotted = is_table && !mistake.is_near();
                let hint = "a dot begins a table within: names are a-z, 0-9 and -, such as `nhs-net`";
                c.error(at, if dotted { mistake.hint(hint) } else { mistake });
            }
        }
    }

    /// Whether a key is misspelt, so that what seems to be missing may be meant by it.
    pub fn has_unknown(self, keys: Keys) -> bool {
        self.inner.keys().any(|name| !keys.known.contains(&name.get_ref().as_ref()))
    }

    pub fn has(self, key: &str) -> bool {
        self.inner.contains_key(key)
    }

    pub fn value(self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.inner.get(key)
    }

    /// Where the key itself was typed, or the table's header.
    pub fn key_place(self, key: &str) -> Place {
        self.inner.get_key_value(key).map_or(self.place, |(name, _)| place(self.file, name.span()))
    }

    /// A text that `parse` understands.
    pub fn one<T>(self, c: &mut Complaints<'_>, key: &str, parse: impl Fn(&str) -> Parsed<T>) -> Option<Sited<T>> {
        let value = self.value(key)?;
        self.parse_text(c, key, value, &parse)
    }

    /// One text or a list of texts. An empty list is `empty-list`: it would hold for nothing.
    pub fn many<T>(
        self,
        c: &mut Complaints<'_>,
        key: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<Vec<Sited<T>>> {
        let values = self.many_or_none(c, key, parse)?;
        if values.is_empty() && self.value(key)?.get_ref().as_array().is_some_and(|a| a.is_empty()) {
            let at = place(self.file, self.value(key)?.span());
            c.error(
                at,
                Mistake::new("empty-list", format!("`{key}` is empty")).hint("name at least one, or leave it out"),
            );
        }
        Some(values)
    }

    /// As `many`, where an empty list has a meaning.
    pub fn many_or_none<T>(
        self,
        c: &mut Complaints<'_>,
        key: &str,
        parse: impl Fn(&str) -> Parsed<T>,
    ) -> Option<Vec<Sited<T>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return Some(self.parse_text(c, key, value, &parse).into_iter().collect());
        };
        Some(items.iter().filter_map(|item| self.parse_text(c, key, item, &parse)).collect())
    }

    fn parse_text<T>(
        self,
        c: &mut Complaints<'_>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        parse: &impl Fn(&str) -> Parsed<T>,
    ) -> Option<Sited<T>> {
        let at = place(self.file, value.span());
        let parsed = match value.get_ref() {
            DeValue::String(text) => parse(text),
            other => Err(wrong_type(key, "a text in quotes", other)),
        };
        match parsed {
            Ok(value) => Some(Sited { value, place: at }),
            Err(mistake) => {
                c.error(at, mistake);
                None
            }
        }
    }

    pub fn text(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<String>> {
        self.one(c, key, |text| Ok(text.to_owned()))
    }

    pub fn duration(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<Duration>> {
        self.one(c, key, |text| parse_duration(text).map_err(|why| Mistake::new("wrong-value", why)))
    }

    pub fn size(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<u64>> {
        self.one(c, key, |text| parse_size(text).map_err(|why| Mistake::new("wrong-value", why)))
    }

    pub fn boolean(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<bool>> {
        let value = self.value(key)?;
        let at = place(self.file, value.span());
        match value.get_ref() {
            DeValue::Boolean(value) => Some(Sited { value: *value, place: at }),
            other => {
                c.error(at, wrong_type(key, "true or false", other));
                None
            }
        }
    }

    /// A number that is not negative.
    pub fn number(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<f64>> {
        let value = self.value(key)?;
        let at = place(self.file, value.span());
        let number = match value.get_ref() {
            DeValue::Integer(n) if n.radix() == 10 => n.as_str().parse::<f64>().ok(),
            DeValue::Float(n) => n.as_str().parse::<f64>().ok(),
            other => {
                c.error(at, wrong_type(key, "a number", other));
                return None;
            }
        };
        match number.filter(|n| n.is_finite() && *n >= 0.0) {
            Some(value) => Some(Sited { value, place: at }),
            None => {
                let mistake = Mistake::new("wrong-value", format!("`{key}` must be a number of 0 or more"));
                c.error(at, mistake.hint("weights are never negative: more evidence never lowers a class"));
                None
            }
        }
    }

    /// A whole number.
    pub fn count(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<usize>> {
        let value = self.value(key)?;
        let at = place(self.file, value.span());
        let mistake = match value.get_ref() {
            DeValue::Integer(n) => match usize::from_str_radix(n.as_str(), n.radix()) {
                Ok(value) => return Some(Sited { value, place: at }),
                Err(_) => Mistake::new("wrong-value", format!("`{key}` must be a whole number of 0 or more")),
            },
            other => wrong_type(key, "a whole number", other),
        };
        c.error(at, mistake);
        None
    }

    /// A TOML date, or one in quotes.
    pub fn date(self, c: &mut Complaints<'_>, key: &str) -> Option<Sited<Date>> {
        let value = self.value(key)?;
        let at = place(self.file, value.span());
        let written = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.as_ref().to_owned(),
            other => {
                c.error(at, wrong_type(key, "a date such as 2027-03-31", other));
                return None;
            }
        };
        match date_of(&written) {
            Some(value) => Some(Sited { value, place: at }),
            None => {
                c.error(at, Mistake::new("wrong-value", format!("`{written}` is not a date such as 2027-03-31")));
                None
            }
        }
    }
}

/// A date and nothing behind it: a time of day would be passed over in silence.
pub(super) fn date_of(written: &str) -> Option<Date> {
    (written.len() == 10).then(|| written.parse().ok()).flatten()
}

pub(crate) fn wrong_type(key: &str, wanted: &str, got: &DeValue<'_>) -> Mistake {
    Mistake::new("wrong-type", format!("`{key}` must be {wanted}, not {}", kind_of(got)))
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A value of the closed vocabulary.
pub(crate) fn word<T: std::str::FromStr>(names: &'static [&'static str]) -> impl Fn(&str) -> Parsed<T> {
    move |text| {
        text.parse().map_err(|_| {
            Mistake::unknown("wrong-value", format!("`{text}` is not a value of this key"), text, names.iter().copied())
        })
    }
}

/// `[a-z0-9-]+`
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
