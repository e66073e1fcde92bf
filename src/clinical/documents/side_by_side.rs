//! Boxes of text that stand side by side on a page, in whatever order they are written.
//!
//! Called by the readers of slides and drawings. Promises: so many boxes, and whether there were more; read once more only where
//! digits stand side by side; sorted, and otherwise linear. Fails never: a box without a place is not kept by its reader.

/// Boxes that are kept of one document, and octets of one that may be a piece of something.
const MOST: usize = 20_000;
pub(super) const PIECE: usize = 128;
/// Marks between boxes: further from one another than words.
pub(super) const BESIDE: &str = "     ";
/// Digits of an identifier.
pub(super) const IDENTIFIER: usize = 10;

/// A box, in whatever unit its document counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Boxed {
    pub page: usize,
    pub left: f64,
    pub top: f64,
    pub height: f64,
    pub text: String,
}

#[derive(Default)]
pub(super) struct Boxes {
    all: Vec<Boxed>,
    is_cut: bool,
}

impl Boxes {
    pub fn add(&mut self, boxed: Boxed) {
        let text = boxed.text.trim();
        if text.is_empty() || text.len() > PIECE {
            return;
        }
        self.is_cut |= self.all.len() == MOST;
        if !self.is_cut {
            self.all.push(boxed);
        }
    }

    /// Whether there were more than are kept.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The pages on which digits stand side by side: each row of boxes a line.
    pub fn read(mut self) -> String {
        self.all.sort_by(|a, b| a.page.cmp(&b.page).then(a.top.total_cmp(&b.top)));
        let mut read = String::new();
        for page in self.all.chunk_by(|a, b| a.page == b.page) {
            let rows = rows(page);
            let stands = |row: &Vec<&Boxed>| row.windows(2).any(|two| two.iter().all(|boxed| is_piece(&boxed.text)));
            if !rows.iter().any(stands) {
                continue;
            }
            for row in rows {
                let texts: Vec<&str> = row.iter().map(|boxed| boxed.text.trim()).collect();
                read.push_str(&texts.join(BESIDE));
                read.push('\n');
            }
            read.push_str(";\n");
        }
        read
    }
}

/// Boxes of one row begin within half the height of its first; in each they stand from the left to the right.
fn rows(page: &[Boxed]) -> Vec<Vec<&Boxed>> {
    let mut rows: Vec<Vec<&Boxed>> = Vec::new();
    for boxed in page {
        let is_in =
            |row: &&mut Vec<&Boxed>| row.first().is_some_and(|first| boxed.top - first.top <= first.height / 2.0);
        match rows.last_mut().filter(is_in) {
            Some(row) => row.push(boxed),
            None => rows.push(vec![boxed]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.left.total_cmp(&b.left));
    }
    rows
}

/// Whether it may be a piece of an identifier.
pub(super) fn is_piece(text: &str) -> bool {
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    text.trim().len() < IDENTIFIER && has_digits && !text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::{Boxed, Boxes, MOST, PIECE};

    fn read(boxes: &[(f64, f64, &str)]) -> String {
        let mut all = Boxes::default();
        for (left, top, text) in boxes {
            all.add(Boxed { left: *left, top: *top, height: 2.0, text: (*text).to_owned(), ..Boxed::default() });
        }
        all.read()
    }

    #[test]
    fn boxes_are_read_in_rows_where_digits_stand_side_by_side() {
        let number = [(9.0, 5.5, "5919"), (0.0, 0.0, "NHS number"), (1.0, 5.0, "943"), (4.0, 5.9, "476")];
        assert_eq!(read(&number), "NHS number\n943     476     5919\n;\n");
        assert_eq!(read(&[(0.0, 0.0, "943"), (0.0, 9.0, "476")]), "", "one below the other");
        assert_eq!(read(&[(0.0, 0.0, "Ward 9"), (9.0, 0.0, "12")]), "");
    }

    #[test]
    fn more_boxes_than_are_kept_are_said() {
        let mut all = Boxes::default();
        let mut add = |text: &str| {
            all.add(Boxed { text: text.to_owned(), ..Boxed::default() });
            all.is_cut()
        };
        assert!((0..MOST).all(|_| !add("943")));
        assert!(!add("  ") && !add(&"a".repeat(PIECE + 1)), "what is no piece is not kept anyway");
        assert!(add("943"));
    }
}
