//! Lists: what belongs to a group, or the terms of a lexicon, in a file of its own beside the policy.
//!
//! Called by the compiler's parts. Promises: every line that cannot be used is told with its place; a row that has ended is
//! kept, for time alone must never lower. Fails by complaining, and goes on with the rest.

use super::diagnostic::{Complaints, Mistake, Place, Sited};
use super::domains::Pattern;
use super::group::{host, pin};
use super::requirement::ProofCheck;
use super::typed::{Parsed, date_of};
use crate::clock::{Wall, noon_of};
use std::collections::BTreeMap;
use std::time::Duration;

/// Columns that a list may have; the first is needed.
const COLUMNS: [&str; 6] = ["domain", "organisation", "ods", "accredited-until", "mx", "pins"];

/// Complaints about one list: whoever saved a spreadsheet wrongly has the same one on every row.
const MOST: usize = 20;

/// One domain, or all below one, and until when it belongs to its group.
#[derive(Debug)]
pub(super) struct Member {
    pub pattern: Sited<Pattern>,
    /// From then on it has lapsed. None: never.
    pub ends: Option<Wall>,
    /// How its hosts prove themselves, where the row says it.
    pub proof: Option<Box<ProofCheck>>,
}

/// A file of the policy that is no TOML.
#[derive(Clone, Copy)]
struct Text<'a> {
    file: usize,
    text: &'a str,
}

impl Text<'_> {
    /// The first line with something in it at an offset or behind it, without its end.
    fn line(&self, start: usize) -> Place {
        let mut start = start.min(self.text.len());
        while let Some(rest) = self.text.get(start..).filter(|rest| rest.starts_with(['\r', '\n', '#'])) {
            start += rest.find('\n').map_or(rest.len(), |end| end + 1);
        }
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        Place { file: self.file, start, end: start + length }
    }
}

/// The members in the list at `path`, which was typed at `place`.
pub(super) fn members(c: &mut Complaints<'_>, path: &Sited<String>, grace: Duration) -> Vec<Member> {
    let Some(text) = open(c, path) else { return Vec::new() };
    let (found, mistakes) = if path.value.ends_with(".csv") { rows(text, grace) } else { lines(text) };
    let more = mistakes.len().saturating_sub(MOST);
    let empty = found.is_empty() && mistakes.is_empty();
    mistakes.into_iter().take(MOST).for_each(|(at, mistake)| c.error(at, mistake));
    if more > 0 {
        c.error(path.place, Mistake::new("wrong-list", format!("`{}`: {more} more rows cannot be used", path.value)));
    }
    if empty {
        let mistake = Mistake::new("empty-list", format!("there is nothing in `{}`", path.value));
        c.error(path.place, mistake.hint("a group with nobody in it protects nobody: fill the list, or take it out"));
    }
    repeated(c, &found);
    found
}

fn open<'a>(c: &mut Complaints<'a>, path: &Sited<String>) -> Option<Text<'a>> {
    if let Some((file, source)) = c.file(&path.value) {
        return Some(Text { file, text: &source.text });
    }
    let message = format!("there is no list `{}`", path.value);
    let mistake = match path.value.rsplit_once('.') {
        Some((_, "csv" | "txt")) => Mistake::unknown("unknown-list", message, &path.value, c.lists()),
        _ => Mistake::new("unknown-list", message).hint("a list is a file beside the policy, *.csv or *.txt"),
    };
    c.error(path.place, mistake);
    None
}

/// The terms in the list at `path`, each with its line: one a line, `#` begins a comment.
pub(super) fn terms(c: &mut Complaints<'_>, path: &Sited<String>) -> Vec<(String, usize)> {
    let Some(text) = open(c, path) else { return Vec::new() };
    if path.value.ends_with(".csv") {
        let mistake = Mistake::new("wrong-list", "a lexicon is plain text, one term a line");
        c.error(path.place, mistake.hint("save its column of terms as *.txt"));
        return Vec::new();
    }
    let written = text.text.lines().zip(1..).map(|(line, number)| {
        let term = line.split('#').next().unwrap_or_default().trim_matches(['\u{feff}', ' ', '\t', '\r']);
        (term.to_owned(), number)
    });
    let found: Vec<(String, usize)> = written.filter(|(term, _)| term.chars().any(char::is_alphanumeric)).collect();
    if found.is_empty() {
        let mistake = Mistake::new("empty-list", format!("there is no term in `{}`", path.value));
        c.error(path.place, mistake.hint("write one term a line"));
    }
    found
}

/// The same domain in two rows: somebody meant one of them.
fn repeated(c: &mut Complaints<'_>, members: &[Member]) {
    let (mut seen, mut told): (BTreeMap<&Pattern, Place>, usize) = (BTreeMap::new(), 0);
    for member in members {
        if let Some(first) = seen.insert(&member.pattern.value, member.pattern.place).filter(|_| told < MOST) {
            told += 1;
            let message = format!("`{}` is listed in {} already", member.pattern.value, c.line_of(first));
            let hint = "it has lapsed only when both rows have: keep the right one";
            c.warn(member.pattern.place, Mistake::new("listed-twice", message).hint(hint));
        }
    }
}

/// What could be used, and what could not.
type Read = (Vec<Member>, Vec<(Place, Mistake)>);

/// One domain a line; `#` begins a comment.
fn lines(text: Text<'_>) -> Read {
    let (mut found, mut mistakes, mut start) = (Vec::new(), Vec::new(), 0);
    for line in text.text.split_inclusive('\n') {
        let written = line.split('#').next().unwrap_or_default().trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let begin = start;
        start += line.len();
        if written.is_empty() {
            continue;
        }
        let place = text.line(begin);
        match Pattern::parse(written) {
            Ok(value) => found.push(Member { pattern: Sited { value, place }, ends: None, proof: None }),
            Err(mistake) => mistakes.push((place, mistake)),
        }
    }
    (found, mistakes)
}

fn rows(text: Text<'_>, grace: Duration) -> Read {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text.text.as_bytes());
    let header = match reader.headers().map(Header::of) {
        Ok(_) if is_empty(text) => return (Vec::new(), Vec::new()),
        Ok(Ok(header)) => header,
        Ok(Err(mistake)) => return (Vec::new(), vec![(text.line(0), mistake)]),
        Err(why) => return (Vec::new(), vec![(text.line(0), Mistake::new("wrong-list", why.to_string()))]),
    };
    let (mut found, mut mistakes) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(why) => {
                let at = why.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(0));
                mistakes.push((text.line(at), Mistake::new("wrong-list", "this row cannot be read")));
                continue;
            }
        };
        let at = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(0));
        let place = text.line(at);
        if record.len() != header.columns && !record.iter().all(str::is_empty) {
            let message = format!("this row has {} cells, and the first line {}", record.len(), header.columns);
            mistakes.push((
                place,
                Mistake::new("wrong-list", message).hint("a comma inside a cell wants quotes around it"),
            ));
            continue;
        }
        match header.member(&record, place, grace) {
            Ok(Some(member)) => found.push(member),
            Ok(None) => {}
            Err(mistake) => mistakes.push((place, mistake)),
        }
    }
    (found, mistakes)
}

/// Nothing but comments.
fn is_empty(text: Text<'_>) -> bool {
    text.text.lines().all(|line| matches!(line.trim_start_matches('\u{feff}').trim().chars().next(), None | Some('#')))
}

/// Where each column stands.
struct Header {
    places: [Option<usize>; COLUMNS.len()],
    /// How many there are.
    columns: usize,
}

impl Header {
    fn of(written: &csv::StringRecord) -> Parsed<Header> {
        let mut header = Header { places: [None; COLUMNS.len()], columns: written.len() };
        for (number, name) in written.iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').to_ascii_lowercase();
            let column = COLUMNS.iter().position(|column| *column == name);
            match column.and_then(|column| header.places.get_mut(column)) {
                Some(place @ None) => *place = Some(number),
                Some(Some(_)) => return Err(Mistake::new("wrong-list", format!("the column `{name}` is there twice"))),
                None if name.contains(';') || name.contains('\t') => {
                    let mistake = Mistake::new("wrong-list", "the columns are not separated by commas");
                    return Err(mistake.hint("save it as CSV with commas"));
                }
                None => {
                    let message = format!("a list has no column `{name}`");
                    return Err(Mistake::unknown("unknown-column", message, &name, COLUMNS.into_iter()));
                }
            }
        }
        match header.places[0] {
            Some(_) => Ok(header),
            None => Err(Mistake::new("missing-key", "the list has no column `domain`")
                .hint("its first line names the columns: domain,organisation,ods,accredited-until")),
        }
    }

    fn cell<'r>(&self, record: &'r csv::StringRecord, name: &str) -> &'r str {
        let column = COLUMNS.iter().position(|column| *column == name).and_then(|column| self.places[column]);
        column.and_then(|column| record.get(column)).unwrap_or_default()
    }

    /// None: an empty row.
    fn member(&self, record: &csv::StringRecord, place: Place, grace: Duration) -> Parsed<Option<Member>> {
        if record.iter().all(str::is_empty) {
            return Ok(None);
        }
        let value = Pattern::parse(self.cell(record, "domain"))?;
        let ends = ends(self.cell(record, "accredited-until"), grace)?;
        let proof = proof(self.cell(record, "mx"), self.cell(record, "pins"))?;
        Ok(Some(Member { pattern: Sited { value, place }, ends, proof: proof.map(Box::new) }))
    }
}

/// The end of an accreditation with its grace; what was revoked has ended.
fn ends(cell: &str, grace: Duration) -> Parsed<Option<Wall>> {
    match cell {
        "" => Ok(None),
        revoked if revoked.eq_ignore_ascii_case("revoked") => Ok(Some(Wall(i64::MIN))),
        date => match date_of(date) {
            Some(date) => Ok(Some(noon_of(date).plus(grace))),
            None => Err(Mistake::new("wrong-value", format!("`{date}` is not a date such as 2027-03-31"))
                .hint("write year, month, day; or `revoked`; or nothing where it has no end")),
        },
    }
}

/// Several in one cell are separated by blanks or semicolons. Pins replace names.
fn proof(mx: &str, pins: &str) -> Parsed<Option<ProofCheck>> {
    let several = |cell: &str, parse: fn(&str) -> Parsed<String>| -> Parsed<Vec<String>> {
        cell.split([' ', ';']).filter(|text| !text.is_empty()).map(parse).collect()
    };
    let (mx, pins) = (several(mx, host)?, several(pins, pin)?);
    Ok(match (mx.is_empty(), pins.is_empty()) {
        (_, false) => Some(ProofCheck::Pins(pins)),
        (false, true) => Some(ProofCheck::Mx(mx)),
        (true, true) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read {
        rows(Text { file: 0, text }, Duration::ZERO)
    }

    #[test]
    fn a_spreadsheet_is_read_as_it_was_saved() {
        let (found, wrong) = read(
            "\u{feff}Organisation,Domain,accredited-until\r\n\"St Elsewhere, Trust\",stelsewhere.example,2027-03-31\r\n,,\r\n\
             # a comment\r\nOther, *.other.example ,\r\nGone,gone.example,Revoked\r\n",
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        let shown: Vec<_> = found.iter().map(|m| (m.pattern.value.to_string(), m.ends)).collect();
        let end = noon_of("2027-03-31".parse().unwrap());
        assert_eq!(
            shown,
            [
                ("stelsewhere.example".to_owned(), Some(end)),
                ("*.other.example".to_owned(), None),
                ("gone.example".to_owned(), Some(Wall(i64::MIN)))
            ]
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_row_by_row_and_the_rest_is_read() {
        let (found, wrong) = read("domain,accredited-until\nok.example,\nnot a domain,\nlate.example,31/03/2027\n");
        assert_eq!((found.len(), wrong.len()), (1, 2));
        assert_eq!(wrong[1].0.start, "domain,accredited-until\nok.example,\nnot a domain,\n".len());
        let (_, wrong) = read("# by hand\r\ndomain\r\n\r\n# two\r\nnot a domain\r\n");
        assert_eq!((wrong.len(), wrong[0].0.start), (1, "# by hand\r\ndomain\r\n\r\n# two\r\n".len()));
        for header in ["domain;ods\na.example;X", "dominion\na.example", "ods\nX"] {
            assert_eq!(read(header).1.len(), 1, "{header}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for text in ["domain\n\"", "domain\n\"a", "domain\r", "\"", "domain,domain\n,", "é\né", "domain\n\0"] {
            let _ = (read(text), lines(Text { file: 0, text }));
        }
    }
}
