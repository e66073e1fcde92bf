//! A newer edition of a list laid over the one that is there: what comes, what goes, what changes, what looks wrong.
//!
//! Called by `mailward list import`. Promises: a row that is gone lapses, and never vanishes; a row that cannot be read changes
//! nothing of the one that is there; what the newer edition does not say (hosts, pins) stays. Pure; fails with a sentence where the
//! file is no list.

use super::domains::Pattern;
use super::group::host;
use super::typed::date_of;
use crate::mail::Domain;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The columns of a list, in their order.
const COLUMNS: [&str; 6] = ["domain", "organisation", "ods", "accredited-until", "mx", "pins"];
/// Of these, how hosts prove themselves.
const MX: usize = 4;
const PINS: usize = 5;
/// What publishers call them.
const ALSO: [(&str, &str); 12] = [
    ("domain name", "domain"),
    ("email domain", "domain"),
    ("e-mail domain", "domain"),
    ("organisation name", "organisation"),
    ("organization", "organisation"),
    ("name", "organisation"),
    ("ods code", "ods"),
    ("accredited until", "accredited-until"),
    ("expiry", "accredited-until"),
    ("expiry date", "accredited-until"),
    ("expires", "accredited-until"),
    ("valid until", "accredited-until"),
];
/// Where anybody has a mailbox: nobody accredits these as a whole.
const PUBLIC: [&str; 9] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "hotmail.co.uk",
    "live.com",
    "yahoo.com",
    "yahoo.co.uk",
    "icloud.com",
];
/// Lines of its own history that a list keeps.
const HISTORY: usize = 50;
/// Nothing is accredited for so many years.
const YEARS: i16 = 5;

/// One row, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row([String; COLUMNS.len()]);

impl Row {
    /// It says neither `mx` nor `pins`.
    fn is_silent(&self) -> bool {
        self.0[MX].is_empty() && self.0[PINS].is_empty()
    }
}

/// What the newer edition does to the list.
#[derive(Debug, Default)]
pub struct Imported {
    pub added: Vec<String>,
    /// They lapse on the day of the import.
    pub gone: Vec<String>,
    /// Domain, date before, date now.
    pub dates: Vec<(String, String, String)>,
    /// Line of the file, and what is wrong; none of these is taken.
    pub wrong: Vec<(u64, String)>,
    /// Line of the file, and what looks wrong; these are taken.
    pub odd: Vec<(u64, String)>,
    /// Columns of the file that a list has not.
    pub left_out: Vec<String>,
    /// Rows that had not lapsed before.
    pub current_before: usize,
    history: Vec<String>,
    rows: BTreeMap<Pattern, Row>,
}

impl Imported {
    /// Domains that are added and whose rows say nothing of their hosts.
    #[must_use]
    pub fn silent(&self) -> Vec<Domain> {
        let added: BTreeSet<&str> = self.added.iter().map(String::as_str).collect();
        let is_added = |pattern: &Pattern| added.contains(pattern.to_string().as_str());
        let silent = self.rows.iter().filter(|(pattern, row)| row.is_silent() && is_added(pattern));
        let exact = silent.filter_map(|(pattern, _)| match pattern {
            Pattern::Exact(domain) if domain.literal().is_none() => Some(domain.clone()),
            _ => None,
        });
        exact.collect()
    }

    /// Puts `mx` into the row of a domain that is silent; any other stays as it is, and so does one whose hosts have names that no list
    /// can have. Whether it is there now.
    pub fn propose(&mut self, domain: &Domain, mx: &[String]) -> bool {
        let is_added = self.added.iter().any(|name| name == domain.as_str());
        let row = self.rows.get_mut(&Pattern::Exact(domain.clone()));
        let names_hosts = !mx.is_empty() && mx.iter().all(|name| !name.starts_with("*.") && host(name).is_ok());
        let Some(row) = row.filter(|row| is_added && names_hosts && row.is_silent()) else { return false };
        row.0[MX] = mx.join(" ");
        true
    }

    /// Whether the list stays as it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.gone.is_empty() && self.dates.is_empty()
    }

    /// The list, with a line of history in front.
    #[must_use]
    pub fn text(&self, record: &str) -> String {
        let mut text = String::new();
        let history = self.history.iter().map(String::as_str).chain([record]);
        for line in history.skip((self.history.len() + 1).saturating_sub(HISTORY)) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# {}", line.replace(['\r', '\n'], " "));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let _ = writer.write_record(COLUMNS);
        self.rows.values().for_each(|row| drop(writer.write_record(&row.0)));
        text.push_str(&String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default());
        text
    }
}

/// Lays `newer` over `list`, which may be empty.
///
/// # Errors
/// When `newer` is no list, or `list` itself cannot be read.
pub fn import(list: &str, newer: &str, today: Date) -> Result<Imported, String> {
    let before = read(list, today)?;
    if let Some((line, why)) = before.wrong.first() {
        return Err(format!(
            "the list that is there cannot be read: line {line}: {why}\nhint: mend it first, `mailward check` shows all"
        ));
    }
    let after = read(newer, today)?;
    if after.columns.is_empty() {
        return Err(
            "there is nothing in the file\nhint: its first line names the columns, `domain` among them".to_owned()
        );
    }
    let mut made = Imported { wrong: after.wrong, odd: after.odd, left_out: after.left_out, ..Imported::default() };
    made.history = list.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim().to_owned()).collect();
    made.current_before = before.rows.values().filter(|row| !has_ended(&row.0[3], today)).count();
    for (pattern, row) in &before.rows {
        let kept = match after.rows.get(pattern) {
            Some(now) => made.changed(pattern, row, now, &after.columns),
            None if after.unread.contains(&pattern.to_string()) => row.clone(),
            None => made.lapsed(pattern, row, today),
        };
        made.rows.insert(pattern.clone(), kept);
    }
    for (pattern, row) in after.rows {
        if !before.rows.contains_key(&pattern) {
            made.added.push(pattern.to_string());
            made.rows.insert(pattern, row);
        }
    }
    Ok(made)
}

impl Imported {
    /// A row that both have. What the newer edition has no column for stays; so does how its hosts prove themselves where it says nothing of it.
    fn changed(&mut self, pattern: &Pattern, before: &Row, now: &Row, columns: &[usize]) -> Row {
        let mut row = before.clone();
        for column in columns.iter().filter(|column| **column < MX || !now.0[**column].is_empty()) {
            row.0[*column].clone_from(&now.0[*column]);
        }
        if row.0[3] != before.0[3] {
            self.dates.push((pattern.to_string(), shown(&before.0[3]), shown(&row.0[3])));
        }
        row
    }

    fn lapsed(&mut self, pattern: &Pattern, before: &Row, today: Date) -> Row {
        let mut row = before.clone();
        if !has_ended(&row.0[3], today) {
            self.gone.push(pattern.to_string());
            row.0[3] = today.to_string();
        }
        row
    }
}

fn shown(date: &str) -> String {
    if date.is_empty() { "no end".to_owned() } else { date.to_owned() }
}

fn has_ended(date: &str, today: Date) -> bool {
    date == "revoked" || date_of(date).is_some_and(|date| date <= today)
}

/// What one file says.
#[derive(Default)]
struct Read {
    rows: BTreeMap<Pattern, Row>,
    /// Those that it has, as numbers of `COLUMNS`.
    columns: Vec<usize>,
    /// Cells of the first line.
    width: usize,
    wrong: Vec<(u64, String)>,
    odd: Vec<(u64, String)>,
    left_out: Vec<String>,
    /// Domains of rows that are wrong otherwise: they are no reason to let anybody lapse.
    unread: Vec<String>,
}

fn read(text: &str, today: Date) -> Result<Read, String> {
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).comment(Some(b'#')).from_reader(text.as_bytes());
    let mut read = Read::default();
    let header = reader.headers().map_err(|why| why.to_string())?.clone();
    if header.iter().all(str::is_empty) {
        return Ok(read);
    }
    let places = read.header(&header)?;
    read.width = header.len();
    for record in reader.records() {
        match record {
            Ok(record) => read.row(&record, &places, today),
            Err(why) => {
                let line = why.position().map_or(0, csv::Position::line);
                read.wrong.push((line, "this row cannot be read".to_owned()));
            }
        }
    }
    Ok(read)
}

impl Read {
    /// Where each column of a list stands in the file.
    fn header(&mut self, written: &csv::StringRecord) -> Result<Vec<(usize, usize)>, String> {
        let mut places = Vec::new();
        for (place, name) in written.iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase();
            let known = ALSO.iter().find(|(also, _)| *also == name).map_or(name.as_str(), |(_, column)| column);
            match COLUMNS.iter().position(|column| *column == known) {
                Some(column) if !self.columns.contains(&column) => {
                    self.columns.push(column);
                    places.push((column, place));
                }
                _ => self.left_out.push(name),
            }
        }
        match self.columns.contains(&0) {
            true => Ok(places),
            false if self.left_out.iter().any(|name| name.contains([';', '\t'])) => {
                Err("the columns are not separated by commas\nhint: save the file as CSV with commas".to_owned())
            }
            false => Err(format!(
                "no column is called `domain`; there are {}\nhint: name the column with the domains `domain`",
                self.left_out.join(", ")
            )),
        }
    }

    fn row(&mut self, record: &csv::StringRecord, places: &[(usize, usize)], today: Date) {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != self.width && !record.iter().all(str::is_empty) {
            self.wrong.push((line, format!("the row has {} cells, and the first line {}", record.len(), self.width)));
            // Whoever it is about must not lapse for it.
            let domain = places.iter().find(|(column, _)| *column == 0).and_then(|(_, place)| record.get(*place));
            self.unread
                .extend(domain.and_then(|domain| Pattern::parse(domain).ok()).map(|pattern| pattern.to_string()));
            return;
        }
        let mut row = Row::default();
        for (column, place) in places {
            row.0[*column] = record.get(*place).unwrap_or_default().to_owned();
        }
        if row.0.iter().all(String::is_empty) {
            return;
        }
        let pattern = match Pattern::parse(row.0[0].trim_start_matches('@')) {
            Ok(pattern) => pattern,
            Err(mistake) => return self.wrong.push((line, mistake.message)),
        };
        row.0[0] = pattern.to_string();
        match date(&row.0[3]) {
            Some(date) => row.0[3] = date,
            None => {
                self.wrong.push((line, format!("{pattern}: `{}` is not a date", row.0[3])));
                return self.unread.push(pattern.to_string());
            }
        }
        self.look_for_oddities(line, &pattern, &row, today);
        if self.rows.insert(pattern.clone(), row).is_some() {
            self.odd.push((line, format!("{pattern} is there twice: the last row counts")));
        }
    }

    fn look_for_oddities(&mut self, line: u64, pattern: &Pattern, row: &Row, today: Date) {
        let mut odd = |what: &str| self.odd.push((line, format!("{pattern} {what}")));
        match pattern {
            Pattern::Exact(domain) if PUBLIC.contains(&domain.as_str()) => odd("is where anybody has a mailbox"),
            Pattern::Exact(domain) if !domain.as_str().contains('.') => odd("has no dot"),
            Pattern::Exact(_) => {}
            Pattern::Below(_) => odd("is everything below a domain"),
        }
        if has_ended(&row.0[3], today) {
            odd("has lapsed already");
        }
        if date_of(&row.0[3]).is_some_and(|end| end.year() > today.year() + YEARS) {
            odd("is accredited for very long");
        }
    }
}

/// `2027-03-31` of what people write: that, `31/03/2027`, `revoked`, nothing.
fn date(written: &str) -> Option<String> {
    if written.is_empty() || date_of(written).is_some() {
        return Some(written.to_owned());
    }
    if written.eq_ignore_ascii_case("revoked") {
        return Some("revoked".to_owned());
    }
    let mut parts = written.split('/');
    let (day, month, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    let year = year.parse().ok().filter(|_| year.len() == 4 && parts.next().is_none())?;
    Date::new(year, month, day).ok().map(|date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# 2026-01-01 by A: first\ndomain,organisation,ods,accredited-until,mx,pins\n\
                        a.example,A Trust,A1,2027-03-31,*.mail.example,\nb.example,B,B1,2027-03-31,,\n\
                        old.example,Old,O1,2025-01-31,,\nbad.example,Bad,,2027-03-31,,\n";
    const NEWER: &str = "\u{feff}Organisation Name,Domain,ODS code,Expiry date,Region\r\n\"A, Trust\",A.example,A1,31/03/2028,North\r\n\
                         C,c.example,C1,31/03/2028,South\r\nBad,bad.example,X,31st of March,West\r\nGmail,gmail.com,,,\r\nwrong,not a domain,,,\r\n";

    fn today() -> Date {
        "2026-12-01".parse().unwrap()
    }

    #[test]
    fn a_newer_edition_adds_changes_and_lets_lapse_and_nothing_vanishes() {
        let made = import(LIST, NEWER, today()).unwrap();
        assert_eq!(made.added, ["c.example", "gmail.com"]);
        assert_eq!(made.gone, ["b.example"], "what had lapsed before, and what could not be read, is not gone");
        assert_eq!(made.dates, [("a.example".to_owned(), "2027-03-31".to_owned(), "2028-03-31".to_owned())]);
        assert_eq!((made.wrong.len(), made.odd.len(), made.current_before), (2, 1, 3));
        assert_eq!(made.left_out, ["region"]);
        let text = made.text("2026-12-01 by B: second");
        assert_eq!(
            text,
            "# 2026-01-01 by A: first\n# 2026-12-01 by B: second\ndomain,organisation,ods,accredited-until,mx,pins\n\
             a.example,\"A, Trust\",A1,2028-03-31,*.mail.example,\nb.example,B,B1,2026-12-01,,\nbad.example,Bad,,2027-03-31,,\n\
             c.example,C,C1,2028-03-31,,\ngmail.com,Gmail,,,,\nold.example,Old,O1,2025-01-31,,\n"
        );
        let again = import(&text, NEWER, today()).unwrap();
        assert!(again.is_nothing() && again.wrong.len() == 2, "{again:?}");
    }

    #[test]
    fn what_is_proposed_overwrites_nothing() {
        let newer = "domain,mx,pins\na.example,,\nnew.example,,\nown.example,*.own.example,\npinned.example,,sha256/x\n*.below.example,,\n";
        let mut made = import(LIST, newer, today()).unwrap();
        let silent: Vec<_> = made.silent().iter().map(ToString::to_string).collect();
        assert_eq!(silent, ["new.example"], "what was there, or says something, is not asked");
        for domain in ["a.example", "b.example", "new.example", "own.example", "pinned.example", "nobody.example"] {
            let names = ["mx1.new.example", "mx2.new.example"].map(str::to_owned);
            assert!(!made.propose(&domain.parse().unwrap(), &["no host".to_owned()]));
            assert_eq!(made.propose(&domain.parse().unwrap(), &names), domain == "new.example", "{domain}");
        }
        let text = made.text("now");
        assert_eq!(text.matches("mx1.new.example mx2.new.example").count(), 1, "{text}");
        assert!(
            text.contains("own.example,,,,*.own.example,\n") && text.contains("pinned.example,,,,,sha256/x\n"),
            "{text}"
        );
        assert!(text.contains("b.example,B,B1,2026-12-01,,\n"), "{text}");
        assert!(
            text.contains("a.example,A Trust,A1,2027-03-31,*.mail.example,\n"),
            "an empty cell takes nothing away: {text}"
        );
        let said = import(&text, "domain,mx,pins\nnew.example,mx.another.example,\n", today()).unwrap().text("later");
        assert!(said.contains("new.example,,,,mx.another.example,\n"), "{said}");
    }

    #[test]
    fn what_is_no_list_is_refused_and_nothing_is_made_of_it() {
        for (file, why) in [
            ("", "there is nothing"),
            ("# only this\n", "there is nothing"),
            ("domain;ods\na.example;X\n", "not separated by commas"),
            ("organisation,ods\nA,A1\n", "no column is called `domain`"),
        ] {
            assert!(import(LIST, file, today()).unwrap_err().contains(why), "{file}");
        }
        assert!(import("domain\nnot a domain\n", NEWER, today()).unwrap_err().contains("mend it first"));
        assert_eq!(import("", NEWER, today()).unwrap().added.len(), 3, "a list that is new");
    }

    #[test]
    fn history_does_not_grow_for_ever() {
        let long = format!("{}domain\na.example\n", "# line\n".repeat(500));
        let made = import(&long, "domain\na.example\nb.example\n", today()).unwrap();
        assert_eq!(made.text("now\nand a trap").lines().filter(|line| line.starts_with('#')).count(), HISTORY);
    }
}
