//! Pieces of a story that a programme works out while it shows them: fields, counted numbers, values in their formats.
//!
//! Called by `flow`. Promises: each story once for each way in which it may be shown; linear, but for the order. Fails never: what is
//! not known stays as it is stored.

use std::ops::Range;

/// What is shown instead of the stored text at `range`.
pub(super) struct Swap {
    pub range: Range<usize>,
    /// As one programme or condition has it, and as another.
    pub texts: [String; 2],
    /// Which of the texts that are known at the end it is.
    pub later: Option<usize>,
}

impl Swap {
    pub fn text<'t>(&'t self, way: usize, later: &'t [Option<String>]) -> Option<&'t str> {
        match self.later {
            Some(number) => later.get(number)?.as_deref(),
            None => self.texts.get(way).map(String::as_str),
        }
    }
}

/// The stories as they are shown, in two ways; the second is empty where nothing differs in it.
pub(super) fn swapped(stories: &mut [(String, Vec<Swap>)], later: &[Option<String>]) -> [String; 2] {
    let mut all = [String::new(), String::new()];
    for (stored, swaps) in stories {
        swaps.sort_by_key(|swap| swap.range.start);
        swaps.retain(|swap| swap.text(0, later).is_some());
        let differs = swaps.iter().any(|swap| swap.later.is_none() && swap.texts[0] != swap.texts[1]);
        for (way, out) in all.iter_mut().enumerate().take(1 + usize::from(differs)) {
            if !swaps.is_empty() {
                put(stored, swaps, |swap| swap.text(way, later).unwrap_or_default(), out);
                out.push_str("\n;\n");
            }
        }
    }
    all
}

fn put<'t>(stored: &str, swaps: &'t [Swap], text: impl Fn(&'t Swap) -> &'t str, out: &mut String) {
    let mut at = 0;
    for swap in swaps {
        // What lies in another one is shown with it.
        let Some(before) = stored.get(at..swap.range.start) else { continue };
        out.push_str(before);
        out.push_str(text(swap));
        at = swap.range.end.max(swap.range.start);
    }
    out.push_str(stored.get(at..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::{Swap, swapped};

    #[test]
    fn pieces_are_shown_in_either_way_and_what_is_unknown_stays() {
        let swap =
            |range, first: &str, last: &str| Swap { range, texts: [first.to_owned(), last.to_owned()], later: None };
        let later = |range, number| Swap { range, texts: Default::default(), later: Some(number) };
        let swaps =
            vec![later(4..5, 0), swap(0..1, "1", "2"), later(6..7, 1), swap(2..2, "+", "+"), swap(4..6, "n", "n")];
        let [first, last] = swapped(&mut [("a b c d".to_owned(), swaps)], &[Some("C".to_owned()), None]);
        assert_eq!((first.as_str(), last.as_str()), ("1 +b C d\n;\n", "2 +b C d\n;\n"));
        let [first, last] = swapped(&mut [("a".to_owned(), vec![swap(0..1, "1", "1")])], &[]);
        assert_eq!((first.as_str(), last.as_str()), ("1\n;\n", ""));
    }
}
