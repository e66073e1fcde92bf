//! Bookmarks of a Word document, to whose text fields refer: [MS-DOC] 2.8.10, 2.8.12, 2.9.283.
//!
//! Called by `word`. Promises: as many as have a name, each end of one passed once. Fails never: what ends too early marks nothing more.

use super::super::codepages;
use super::super::octets::Octets;

/// Places of the tables in the table stream: [MS-DOC] 2.5.6.
const NAMES: usize = 0x142;
const FIRST: usize = 0x14A;
const LAST: usize = 0x152;

/// Where bookmarks begin and end.
#[derive(Debug, Default)]
pub(super) struct Bookmarks {
    names: Vec<String>,
    /// Where the text of each begins, once it has begun.
    starts: Vec<Option<usize>>,
    /// Ends of bookmarks by the number of the character before which they stand.
    edges: Vec<Edge>,
    next: usize,
}

/// Beginnings come first where both stand at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Begin,
    End,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    character: usize,
    side: Side,
    mark: usize,
}

/// A bookmark that has ended.
pub(super) struct Marked {
    pub name: String,
    pub start: usize,
}

impl Bookmarks {
    pub fn of(word: &[u8], table: &[u8]) -> Bookmarks {
        let [names, first, last] =
            [NAMES, FIRST, LAST].map(|at| super::word::piece(word, table, at).unwrap_or_default());
        let names = named(names);
        let count = first.len().saturating_sub(4) / 8;
        let place = |plc: &[u8], at: usize| Octets::from(plc, at * 4).length();
        let mut edges = Vec::new();
        for mark in 0..count.min(names.len()) {
            // Behind the places stands which of the ends is this one's.
            let end = Octets::from(first, (count + 1 + mark) * 4).u16().and_then(|end| place(last, usize::from(end)));
            if let Some((begin, end)) = place(first, mark).zip(end) {
                edges.push(Edge { character: begin, side: Side::Begin, mark });
                edges.push(Edge { character: end, side: Side::End, mark });
            }
        }
        edges.sort_unstable();
        Bookmarks { starts: vec![None; names.len()], names, edges, next: 0 }
    }

    /// Passes what begins and ends before that character, where the text is so long; the next one that has ended.
    pub fn pass(&mut self, character: usize, length: usize) -> Option<Marked> {
        while let Some(edge) = self.edges.get(self.next).filter(|edge| edge.character <= character) {
            self.next += 1;
            let (start, name) = (self.starts.get_mut(edge.mark)?, self.names.get(edge.mark)?);
            match edge.side {
                Side::Begin => *start = Some(length),
                Side::End => {
                    if let Some(start) = start.take() {
                        return Some(Marked { name: name.clone(), start });
                    }
                }
            }
        }
        None
    }
}

/// [MS-DOC] 2.2.4: a table of names.
fn named(table: &[u8]) -> Vec<String> {
    let mut octets = Octets::of(table);
    let (Some(0xFFFF), Some(count), Some(extra)) = (octets.u16(), octets.u16(), octets.u16()) else {
        return Vec::new();
    };
    let name = |_| {
        let length = usize::from(octets.u16()?);
        let name = codepages::wide(octets.take(length * 2)?);
        octets.take(usize::from(extra)).map(|_| name)
    };
    (0..count).map_while(name).collect()
}
