//! Lines of cells that stand side by side, read across as they are shown: `943` above `12` beside `476 5919` above `34`.
//!
//! Called by `texts` with what `html` read, where cells are divided by tabs and their lines by line ends. Promises: linear, hardly
//! longer than what it is given; nothing where no line ends in a digit beside one that begins with one. Fails never: what are no cells
//! of one row makes a reading too many.

/// Lines of a cell, and its octets: a longer one is no piece of something.
const LINES: usize = 8;
const CELL: usize = 512;

/// Rows of cells that have lines, line by line.
pub(super) fn across(shown: &str) -> String {
    let (mut out, mut row) = (String::new(), Vec::new());
    if memchr::memchr(b'\t', shown.as_bytes()).is_none() {
        return out;
    }
    for cell in shown.split('\t') {
        // Between two cells of a row is nothing but what a source has between them: a line end, perhaps.
        if cell.trim().is_empty() && memchr::memchr_iter(b'\n', cell.as_bytes()).count() < 2 {
            continue;
        }
        let lines = lines(cell);
        if (2..=LINES).contains(&lines.len()) {
            row.push(lines);
        } else {
            read(&std::mem::take(&mut row), &mut out);
        }
    }
    read(&row, &mut out);
    out
}

fn lines(cell: &str) -> Vec<&str> {
    let cell = if cell.len() > CELL { "" } else { cell };
    cell.split('\n').map(str::trim).filter(|line| !line.is_empty()).take(LINES + 1).collect()
}

fn read(row: &[Vec<&str>], out: &mut String) {
    if !row.windows(2).any(|two| joins(&two[0], &two[1])) {
        return;
    }
    for at in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
        let line: Vec<&str> = row.iter().filter_map(|cell| cell.get(at).copied()).collect();
        out.push_str(&line.join("\t"));
        out.push('\n');
    }
}

/// Whether a number may go on from a line of one cell to the line beside it.
fn joins(left: &[&str], right: &[&str]) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    left.iter().zip(right).any(|(left, right)| left.ends_with(is_digit) && right.starts_with(is_digit))
}

#[cfg(test)]
mod tests {
    use super::super::html;
    use super::*;

    fn of(markup: &str) -> String {
        across(html::shown_of(&html::text(markup)))
    }

    #[test]
    fn lines_of_cells_are_read_across() {
        for (markup, expected) in [
            ("<tr><td>NHS number 943<br>x</td><td>476 5919<br>y</td></tr>", "NHS number 943\t476 5919\nx\ty\n"),
            (
                "<tr> <td><p>NHS no</p><p>Ward</p></td> <td><p>943</p><p>12</p></td>\n<td>476<br>3</td><td>5919<br/>4<br>5",
                "NHS no\t943\t476\t5919\nWard\t12\t3\t4\n5\n",
            ),
            ("<tr><td>943<td>476<tr><td>5919", ""),
            ("<tr><td>Name<br>Ward 1</td><td>Smith<br>of 2</td>", ""),
            ("<p>943<p>476<p>5919", ""),
        ] {
            assert_eq!(of(markup), expected, "{markup}");
        }
        let long = format!("<tr><td>943<br>{}</td><td>476<br>5919</td>", "x".repeat(CELL));
        assert_eq!(of(&long), "", "a text is no cell of a form");
    }
}
