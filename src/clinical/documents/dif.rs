//! Data Interchange Format (Software Arts, 1981): a sheet in which each cell stands on two lines of its own.
//!
//! Called by `texts` beside the reading as text. Promises: one pass, and a bound on cells, which is said when it is reached. Fails
//! never: text that is none is nothing.

use super::sylk::Shown;

/// Cells that are read.
const CELLS: usize = 200_000;

/// Rows as lines and cells divided by tabs; nothing where the text is no sheet.
pub(in super::super) fn sheet(text: &str) -> Option<Shown> {
    let mut lines = text.trim_start_matches('\u{FEFF}').lines().map(str::trim);
    let is_one = lines.next() == Some("TABLE") && lines.next().is_some_and(|version| version.starts_with("0,"));
    if !is_one {
        return None;
    }
    lines.find(|line| *line == "DATA")?;
    let mut pairs = std::iter::from_fn(|| Some((lines.next()?, lines.next()?))).skip(1).fuse();
    let (mut shown, mut begun) = (String::new(), false);
    for (head, text) in pairs.by_ref().take(CELLS) {
        let (kind, number) = head.split_once(',').unwrap_or((head, ""));
        match (kind.trim(), text) {
            ("-1", "EOD") => break,
            // Each row begins so.
            ("-1", _) => {
                shown.push('\n');
                begun = false;
                continue;
            }
            _ if begun => shown.push('\t'),
            _ => {}
        }
        begun = true;
        match kind.trim() {
            "0" if text == "V" => shown.push_str(number.trim()),
            _ => shown.push_str(&unquoted(text)),
        }
    }
    Some(Shown { text: shown.trim_start().to_owned(), is_cut: pairs.next().is_some_and(|(head, _)| !head.is_empty()) })
}

/// A quotation mark in a text is doubled.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest));
    inner.unwrap_or(text).replace("\"\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::{CELLS, sheet};
    use crate::clinical::{Limits, Rules, inspect};
    use crate::vocabulary::{Confidence, FindingKind};

    const HEAD: &str =
        "TABLE\r\n0,1\r\n\"EXCEL\"\r\nVECTORS\r\n0,2\r\n\"\"\r\nTUPLES\r\n0,2\r\n\"\"\r\nDATA\r\n0,0\r\n\"\"\r\n";

    fn of(rows: &str) -> String {
        format!("{HEAD}{}-1,0\r\nEOD\r\n", rows.replace('\n', "\r\n"))
    }

    #[test]
    fn cells_are_rows() {
        let text = of("-1,0\nBOT\n1,0\n\"a \"\"b\"\"\"\n0,943\nV\n-1,0\nBOT\n1,0\nTRUE\n0,1\nTRUE\n");
        let shown = sheet(&text).unwrap();
        assert_eq!((shown.text.as_str(), shown.is_cut), ("a \"b\"\t943\nTRUE\tTRUE", false));
        assert_eq!(sheet("TABLE of contents\n0,1"), None);
        assert!(sheet(&format!("{HEAD}{}", "0,1\nV\n".repeat(CELLS + 1))).is_some_and(|shown| shown.is_cut));
    }

    #[test]
    fn a_number_in_a_sheet_is_as_sure_as_its_column() {
        let message = |rows: &str| format!("Content-Type: text/plain; name=a.dif\r\n\r\n{}", of(rows));
        let found = |rows: &str| {
            let found = inspect(message(rows).as_bytes(), &Rules::default(), &Limits::default());
            found.findings.into_iter().filter(|f| f.kind == FindingKind::NhsNumber).map(|f| f.confidence).max()
        };
        let row = "-1,0\nBOT\n";
        let column = format!("{row}1,0\n\"Name\"\n1,0\n\"NHS number\"\n{row}1,0\n\"Jo\"\n0,9434765919\nV\n");
        assert_eq!(found(&column), Some(Confidence::High));
        let split = format!("{row}1,0\n\"NHS number\"\n0,943\nV\n0,476\nV\n0,5919\nV\n");
        assert!(found(&split).is_some());
    }
}
