//! Where a style sheet places a box: by its order (Flexbox 1, 5.4), on the lines and in the areas of a grid (CSS Grid 2, 7.3 and 8), or away
//! from an edge (CSS 2.2, 9.3).
//!
//! Part of `styled`. Promises: linear in what the element declares. Fails never: a box whose place is not understood is adrift, as is
//! one that is moved from where its neighbours leave it.

use std::collections::BTreeMap;

/// How far down, how far along, and the order of what is as far.
pub(super) type Place = [i64; 3];

/// No place that anybody may write.
pub(super) const FLOAT: Place = [i64::MAX; 3];
/// Farther along than any box is.
const EDGE: i64 = 1_000_000;
/// Pixels between boxes of one line at most, and between rows of a grid.
const LINE: i64 = 8;
const ROW: i64 = 1_000;
/// What a length is in pixels, about: a screen is a thousand of them wide.
const UNITS: &[(&str, f64)] = &[
    ("", 1.0),
    ("px", 1.0),
    ("pt", 1.333),
    ("pc", 16.0),
    ("em", 16.0),
    ("rem", 16.0),
    ("ch", 8.0),
    ("ex", 8.0),
    ("%", 10.0),
    ("vw", 10.0),
    ("vh", 8.0),
    ("in", 96.0),
    ("cm", 37.8),
    ("mm", 3.78),
];
const EDGES: &[&str] = &["top", "right", "bottom", "left"];

/// The value of a property, where the element has one.
pub(super) trait Valued {
    /// Of some properties the one that was declared last, and its value.
    fn latest(&self, properties: &[&str]) -> Option<(&str, &str)>;

    fn value(&self, property: &str) -> Option<&str> {
        self.latest(&[property]).map(|(_, value)| value)
    }

    fn begins(&self, property: &str, words: &[&str]) -> bool {
        self.value(property).is_some_and(|value| begins(value, words))
    }
}

/// Whether a value begins with one of the words, in letters of either case.
pub(super) fn begins(value: &str, words: &[&str]) -> bool {
    let value = value.trim_start();
    words.iter().any(|word| value.get(..word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word)))
}

/// Where the areas are that a grid names, by their names.
pub(super) fn areas(grid: &impl Valued) -> BTreeMap<&str, [i64; 2]> {
    let named = ["grid-template-areas", "grid-template", "grid"].into_iter().find_map(|name| grid.value(name));
    let rows = named.unwrap_or_default().split(['"', '\'']).skip(1).step_by(2);
    let mut areas = BTreeMap::new();
    for (down, row) in (1..).zip(rows) {
        for (along, name) in (1..).zip(row.split_ascii_whitespace()) {
            areas.entry(name).or_insert([down * ROW, along]);
        }
    }
    areas
}

/// Where an element stands among its neighbours.
pub(super) fn of(style: &impl Valued, areas: &BTreeMap<&str, [i64; 2]>) -> Place {
    if style.begins("float", &["right"]) {
        return FLOAT;
    }
    let order = style.value("order").and_then(whole).unwrap_or_default();
    let area = || areas.get(style.value("grid-area")?.split('/').next()?.trim()).copied();
    let [down, along] = away(style).or_else(area).or_else(|| on_lines(style)).unwrap_or_default();
    [down, along, order]
}

/// Boxes that are nearly as far down are in one line, and read along it.
pub(super) fn in_lines(places: &mut [(Place, usize)]) {
    let mut downs: Vec<i64> = places.iter().map(|([down, ..], _)| *down).collect();
    downs.sort_unstable();
    let (mut lines, mut last) = (BTreeMap::new(), None);
    for down in downs {
        let line = last.map_or(0, |(before, line)| line + i64::from(down - before > LINE));
        (last, _) = (Some((down, line)), lines.insert(down, line));
    }
    for ([down, ..], _) in places {
        *down = lines.get(down).copied().unwrap_or_default();
    }
}

/// The value of an edge: its own, or its part of `inset` (CSS Positioned Layout 3, 3.1).
fn edge<'s>(style: &'s impl Valued, edge: &str) -> Option<&'s str> {
    let of_all = || -> Option<&str> {
        let all: Vec<&str> = style.value("inset")?.split_ascii_whitespace().take(4).collect();
        let at = EDGES.iter().position(|own| *own == edge)?;
        all.get(at).or_else(|| all.get(at.checked_sub(2)?)).or(all.first()).copied()
    };
    match style.latest(&[edge, "inset"])? {
        ("inset", _) => of_all(),
        (_, value) => Some(value),
    }
}

pub(super) fn is_away(style: &impl Valued) -> bool {
    style.begins("position", &["absolute", "fixed"])
}

/// Whether anything but its neighbours says where it stands.
pub(super) fn is_placed(style: &impl Valued) -> bool {
    is_away(style) || of(style, &BTreeMap::new()) != Place::default() || style.value("grid-area").is_some()
}

/// Away from the edges of what holds it.
fn away(style: &impl Valued) -> Option<[i64; 2]> {
    let from = |near: &str, far: &str| {
        let far = || edge(style, far).and_then(pixels).map(|pixels| EDGE - pixels);
        edge(style, near).and_then(pixels).or_else(far)
    };
    let (down, along) = (from("top", "bottom"), from("left", "right"));
    let is_placed = is_away(style) && (down.is_some() || along.is_some());
    is_placed.then(|| [down.unwrap_or_default(), along.unwrap_or_default()])
}

/// On the lines of a grid that have numbers: those below nothing are counted from its end.
fn on_lines(style: &impl Valued) -> Option<[i64; 2]> {
    let line = |direction: &str, at: usize| {
        let number = |value: Option<&str>| value.and_then(whole).map(|n| if n < 0 { EDGE + n } else { n });
        let piece = |property: &str, at: usize| style.value(property).and_then(|value| value.split('/').nth(at));
        let both = format!("grid-{direction}");
        // Of a line's names the one that was declared last counts.
        let own = |end: &str, of_both: usize, of_area: usize| {
            let own = format!("grid-{direction}-{end}");
            match style.latest(&[&own, &both, "grid-area"])? {
                ("grid-area", _) => number(piece("grid-area", of_area)),
                (name, _) if name == both => number(piece(&both, of_both)),
                (_, value) => number(Some(value)),
            }
        };
        own("start", 0, at).or_else(|| own("end", 1, at + 2).map(|end| end - 1))
    };
    let (row, column) = (line("row", 0), line("column", 1));
    (row.is_some() || column.is_some()).then(|| [row.unwrap_or(1) * ROW, column.unwrap_or(1)])
}

/// Whether a box is moved by what nobody here works out: along its line by an offset, a margin that pulls or a shift, by about a line
/// up or down, or to an edge at a distance that is not understood.
pub(super) fn is_adrift(style: &impl Valued) -> bool {
    let distance = |property: &&str| edge(style, property).map(pixels);
    let is_far = |property: &&str, least: i64| match distance(property) {
        Some(Some(pixels)) => pixels.abs() >= least,
        Some(None) => edge(style, property).is_some_and(|value| !begins(value, &["auto"])),
        None => false,
    };
    let pulls = |property: &str| {
        let by = |piece: &str| piece.contains('-') && pixels(piece).is_none_or(|pixels| pixels <= -LINE);
        style.value(property).is_some_and(|value| value.split_ascii_whitespace().any(by))
    };
    let is_relative = style.begins("position", &["relative", "sticky"]);
    let is_unread = |property: &str| style.value(property).is_some_and(|value| value.split('/').any(is_unread_line));
    let is_unknown = |property: &&str| matches!(distance(property), Some(None)) && is_far(property, 1);
    (is_relative
        && (["left", "right"].iter().any(|edge| is_far(edge, LINE))
            || ["top", "bottom"].iter().any(|e| is_far(e, LINE))))
        || (is_away(style) && EDGES.iter().any(is_unknown))
        || ["order", "grid-row", "grid-column", "grid-row-start", "grid-column-start"].into_iter().any(is_unread)
        || MARGINS.iter().any(|margin| pulls(margin))
        || style.begins(
            "transform",
            &["translate(", "translatex", "translate3d", "rotate", "matrix", "scale(-", "scalex(-"],
        )
        || ["translate", "rotate"]
            .iter()
            .any(|own| style.value(own).is_some_and(|value| !begins(value, &["none", "0"])))
}

/// Margins along a line, and all of them.
const MARGINS: &[&str] =
    &["margin", "margin-left", "margin-right", "margin-inline", "margin-inline-start", "margin-inline-end"];

/// A length, if it is one.
fn pixels(value: &str) -> Option<i64> {
    let value = value.split('!').next()?.trim();
    let number = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(number)?;
    let (_, pixels) = UNITS.iter().find(|(own, _)| own.eq_ignore_ascii_case(unit.trim_end()))?;
    // A number of any size becomes one that fits.
    Some((number.parse::<f64>().ok()? * pixels).clamp(-1e6, 1e6) as i64)
}

/// Whether what stands for a line of a grid, or for an order, is neither a number nor what leaves it to others.
fn is_unread_line(value: &str) -> bool {
    whole(value).is_none() && !begins(value, &["auto", "span", "initial", "inherit", "unset", "revert"])
}

fn whole(value: &str) -> Option<i64> {
    value.trim().parse::<i32>().ok().map(i64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Style(&'static [[&'static str; 2]]);

    impl Valued for Style {
        fn latest(&self, properties: &[&str]) -> Option<(&str, &str)> {
            self.0.iter().rev().find(|[name, _]| properties.contains(name)).map(|[name, value]| (*name, *value))
        }
    }

    #[test]
    fn places_are_read_in_every_form() {
        let grid = Style(&[["grid-template", "'x a' \"c b\" 1fr"]]);
        for (style, place) in [
            (Style(&[["order", " 3 "]]), [0, 0, 3]),
            (Style(&[["grid-row", "2 / 4"], ["grid-column-start", "3"]]), [2_000, 3, 0]),
            (Style(&[["grid-area", "2 / 5 / 3"]]), [2_000, 5, 0]),
            (Style(&[["grid-area", "b"]]), [2_000, 2, 0]),
            (Style(&[["grid-column", "-2"]]), [1_000, EDGE - 2, 0]),
            (Style(&[["grid-column", "auto / 3"], ["grid-row-end", "3"]]), [2_000, 2, 0]),
            (Style(&[["grid-column-start", "7"], ["grid-column", "3"]]), [1_000, 3, 0]),
            (Style(&[["grid-column-start", "7"], ["grid-area", "2 / 3"], ["grid-row", "4"]]), [4_000, 3, 0]),
            (Style(&[["position", "Absolute"], ["top", "16px"], ["left", "2em"]]), [16, 32, 0]),
            (Style(&[["position", "fixed"], ["right", "10px"]]), [0, EDGE - 10, 0]),
            (Style(&[["position", "fixed"], ["inset", "1px 2px 3px 4px"]]), [1, 4, 0]),
            (Style(&[["position", "fixed"], ["inset", "1px 2ch"]]), [1, 16, 0]),
            (Style(&[["position", "fixed"], ["left", "9px"], ["inset", "1px 2ch"], ["top", "3px"]]), [3, 16, 0]),
            (Style(&[["left", "10px"]]), [0, 0, 0]),
            (Style(&[["float", "right"], ["order", "1"]]), FLOAT),
            (Style(&[["position", "absolute"], ["left", "calc(1px)"]]), [0, 0, 0]),
            (Style(&[["position", "absolute"], ["top", "-99999999999999999999px"]]), [-1_000_000, 0, 0]),
        ] {
            assert_eq!(of(&style, &areas(&grid)), place, "{:?}", style.0);
        }
    }

    #[test]
    fn lines_begin_where_there_is_a_gap() {
        let mut places = [([30, 1, 0], 0), ([7, 2, 0], 1), ([8, 1, 0], 2), ([15, 3, 0], 3)];
        in_lines(&mut places);
        assert_eq!(places.map(|([down, ..], _)| down), [1, 0, 0, 0]);
    }

    #[test]
    fn what_moves_a_box_is_known() {
        for style in [
            Style(&[["position", "relative"], ["left", "-4em"]]),
            Style(&[["position", "relative !important"], ["inset", "0 1em"]]),
            Style(&[["position", "absolute"], ["left", "1e1px"]]),
            Style(&[["margin-left", "calc(-40px)"]]),
            Style(&[["margin", "0 0 0 -4em"]]),
            Style(&[["margin-inline-start", "-4em"]]),
            Style(&[["transform", "translateX(40px)"]]),
            Style(&[["translate", "40px"]]),
            Style(&[["order", "calc(1 + 1)"]]),
            Style(&[["grid-column", "here / span 2"]]),
        ] {
            assert!(is_adrift(&style), "{:?}", style.0);
        }
        for style in [
            Style(&[["position", "relative"], ["top", "0"], ["left", "auto"]]),
            Style(&[["position", "relative"], ["top", "-3px"]]),
            Style(&[["position", "absolute"], ["left", "30px"]]),
            Style(&[["margin", "4px auto"]]),
            Style(&[["margin-top", "-40px"]]),
            Style(&[["transform", "none"]]),
            Style(&[["grid-row", "span 2 / 3"], ["grid-column", "1 / auto"], ["order", "-1"]]),
        ] {
            assert!(!is_adrift(&style), "{:?}", style.0);
        }
    }
}
