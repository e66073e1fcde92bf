//! Where a style sheet places a box: by its order (Flexbox 1, 5.4), on the lines and in the areas of a grid (CSS Grid 2, 7.3 and 8), or away from
//! an edge (CSS 2.2, 9.3).
//!
//! Part of `styled`. Promises: constant work for an element. Fails never: a place that is not understood is none, and `is_adrift` says
//! that a box is not where its neighbours leave it.

/// How far down, how far along, and the order of what is as far.
pub(super) type Place = [i64; 3];

/// No place that anybody may write.
pub(super) const FLOAT: Place = [i64::MAX; 3];
/// Farther along than any box is.
const EDGE: i64 = 1_000_000;
/// Pixels between boxes of one line at most.
const LINE: i64 = 8;
/// What a length is in pixels, about: a screen is a thousand of them wide.
const UNITS: &[(&str, f64)] = &[
    ("px", 1.0),
    ("pt", 4.0 / 3.0),
    ("em", 16.0),
    ("rem", 16.0),
    ("%", 10.0),
    ("vw", 10.0),
    ("in", 96.0),
    ("cm", 37.8),
];
/// What moves a box from where it would be, by an amount that only a browser knows the meaning of.
const OFFSETS: &[&str] = &["left", "right", "top", "bottom"];
const MARGINS: &[&str] = &["margin", "margin-left", "margin-right", "margin-top"];

/// The value of a property, where the element has one.
pub(super) trait Valued {
    fn value(&self, property: &str) -> Option<&str>;

    fn begins(&self, property: &str, words: &[&str]) -> bool {
        let begins =
            |value: &str, word: &&str| value.get(..word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word));
        self.value(property).is_some_and(|value| words.iter().any(|word| begins(value.trim_start(), word)))
    }
}

/// Where an element stands among its neighbours; `areas` are those that the grid around them names.
pub(super) fn of(style: &impl Valued, areas: &str) -> Place {
    if style.begins("float", &["right"]) {
        return FLOAT;
    }
    let order = style.value("order").and_then(whole).unwrap_or_default();
    let [down, along] = away(style).or_else(|| on_lines(style)).or_else(|| in_area(style, areas)).unwrap_or_default();
    [down, along, order]
}

/// Away from the edges of what holds it.
fn away(style: &impl Valued) -> Option<[i64; 2]> {
    if !style.begins("position", &["absolute", "fixed"]) {
        return None;
    }
    let from = |near: &str, far: &str| {
        let far = || style.value(far).and_then(pixels).map(|pixels| EDGE - pixels);
        style.value(near).and_then(pixels).or_else(far)
    };
    let (down, along) = (from("top", "bottom"), from("left", "right"));
    (down.is_some() || along.is_some()).then(|| [down.unwrap_or_default() / LINE, along.unwrap_or_default()])
}

/// On the lines of a grid that have numbers.
fn on_lines(style: &impl Valued) -> Option<[i64; 2]> {
    let line = |start: &str, both: &str, at: usize| {
        let piece = |value: &str, at: usize| value.split('/').nth(at).and_then(whole);
        let own = || style.value(both).and_then(|value| piece(value, 0));
        style.value(start).and_then(whole).or_else(own).or_else(|| piece(style.value("grid-area")?, at))
    };
    let (row, column) = (line("grid-row-start", "grid-row", 0), line("grid-column-start", "grid-column", 1));
    (row.is_some() || column.is_some()).then(|| [row.unwrap_or(1), column.unwrap_or(1)])
}

/// In an area that has a name.
fn in_area(style: &impl Valued, areas: &str) -> Option<[i64; 2]> {
    let name = style.value("grid-area")?.split('/').next()?.trim();
    let rows = areas.split(['"', '\'']).skip(1).step_by(2);
    let place = |(down, row): (usize, &str)| Some((down, row.split_ascii_whitespace().position(|own| own == name)?));
    let (down, along) = rows.enumerate().find_map(place)?;
    Some([i64::try_from(down).ok()?, i64::try_from(along).ok()?])
}

/// Whether a box is moved by what nobody here works out: relative offsets, margins that pull, turns and shifts.
pub(super) fn is_adrift(style: &impl Valued) -> bool {
    let is_offset = |property: &&str| style.value(property).and_then(pixels).is_some_and(|pixels| pixels != 0);
    let pulls = |property: &&str| style.value(property).is_some_and(|value| value.contains('-'));
    let is_relative = style.begins("position", &["relative", "sticky"]);
    (is_relative && OFFSETS.iter().any(is_offset))
        || MARGINS.iter().any(pulls)
        || style.begins("transform", &["translate", "rotate", "matrix", "scale(-", "scalex(-"])
}

/// A length, if it is one.
fn pixels(value: &str) -> Option<i64> {
    let value = value.trim();
    let number = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(number)?;
    let unit = UNITS.iter().find(|(own, _)| unit.get(..own.len()).is_some_and(|start| start.eq_ignore_ascii_case(own)));
    let pixels = number.parse::<f64>().ok()? * unit.map_or(1.0, |(_, pixels)| *pixels);
    // A number of any size becomes one that fits.
    Some(pixels.clamp(-1e6, 1e6) as i64)
}

fn whole(value: &str) -> Option<i64> {
    value.trim().parse::<i32>().ok().map(i64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Style(&'static [[&'static str; 2]]);

    impl Valued for Style {
        fn value(&self, property: &str) -> Option<&str> {
            self.0.iter().find(|[name, _]| *name == property).map(|[_, value]| *value)
        }
    }

    #[test]
    fn places_are_read_in_every_form() {
        for (style, place) in [
            (Style(&[["order", " 3 "]]), [0, 0, 3]),
            (Style(&[["grid-row", "2 / 4"], ["grid-column-start", "3"]]), [2, 3, 0]),
            (Style(&[["grid-area", "2 / 5 / 3"]]), [2, 5, 0]),
            (Style(&[["grid-area", "b"]]), [1, 1, 0]),
            (Style(&[["position", "Absolute"], ["top", "16px"], ["left", "2em"]]), [2, 32, 0]),
            (Style(&[["position", "fixed"], ["right", "10pt"]]), [0, EDGE - 13, 0]),
            (Style(&[["left", "10px"]]), [0, 0, 0]),
            (Style(&[["float", "right"], ["order", "1"]]), FLOAT),
            (Style(&[["position", "absolute"], ["left", "calc(1px)"]]), [0, 0, 0]),
            (
                Style(&[["position", "absolute"], ["left", "1e999px"], ["top", "-99999999999999999999px"]]),
                [-125_000, 1, 0],
            ),
        ] {
            assert_eq!(of(&style, "'x a' \"c b\""), place, "{:?}", style.0);
        }
    }

    #[test]
    fn what_moves_a_box_is_known() {
        for style in [
            Style(&[["position", "relative"], ["left", "-4em"]]),
            Style(&[["margin-left", "-40px"]]),
            Style(&[["margin", "0 0 0 -4em"]]),
            Style(&[["transform", "translateX(40px)"]]),
        ] {
            assert!(is_adrift(&style), "{:?}", style.0);
        }
        for style in [
            Style(&[["position", "relative"], ["top", "0"]]),
            Style(&[["margin", "4px auto"]]),
            Style(&[["transform", "none"]]),
        ] {
            assert!(!is_adrift(&style), "{:?}", style.0);
        }
    }
}
