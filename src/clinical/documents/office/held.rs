//! How frames of OpenDocument are held at what they are anchored to (1.3 part 3, 20.299, 20.301, 20.402, 20.404), and how shapes are transformed
//! (19.228).
//!
//! Called by `reader` and `styles`. Pure. Fails never: a transformation that is not understood is none.

use super::xml::Element;
use crate::clinical::affine::Affine;

/// Transformations of one shape, and octets of them.
const MOST: usize = 16;
const LONGEST: usize = 1_024;
/// About as wide and as high as the text of a page, in millimetres.
const PAGE: f64 = 170.0;

/// What a style says of where frames are held.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Held {
    pub across: Option<Side>,
    pub down: Option<Side>,
}

/// From one side.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Side {
    /// Where that is; nothing where a frame says itself how far it is.
    pub at: Option<f64>,
    /// Of what it is a side.
    pub of: String,
}

impl Held {
    /// What the properties of a style say; nothing where they do not.
    pub fn of(element: &Element<'_, '_>) -> Option<Held> {
        let side = |at: &str, of: &str| {
            let said = element.attribute(at)?;
            Some(Side { at: place(&said), of: element.attribute(of).unwrap_or_default() })
        };
        let held =
            Held { across: side("horizontal-pos", "horizontal-rel"), down: side("vertical-pos", "vertical-rel") };
        (held != Held::default()).then_some(held)
    }

    /// With what another style says where this one says nothing.
    pub fn or(self, other: &Held) -> Held {
        let side = |own: Option<Side>, other: &Option<Side>| own.or_else(|| other.clone());
        Held { across: side(self.across, &other.across), down: side(self.down, &other.down) }
    }

    /// What places are measured from: those of one kind can be compared.
    pub fn kind(&self) -> String {
        let side =
            |side: &Option<Side>| side.as_ref().map(|side| (side.at.is_some(), side.of.clone())).unwrap_or_default();
        format!("{:?} {:?}", side(&self.across), side(&self.down))
    }
}

fn place(said: &str) -> Option<f64> {
    match said {
        "left" | "inside" | "top" => Some(0.0),
        "center" | "middle" => Some(PAGE / 2.0),
        "right" | "outside" | "bottom" | "below" => Some(PAGE),
        // From one side, so far as the frame says.
        _ => None,
    }
}

/// How a shape is moved and turned: `rotate (-1.5708) translate (2cm 3cm)`, one after the other.
pub(super) fn transformed(said: &str) -> Option<Affine> {
    if said.len() > LONGEST {
        return None;
    }
    let mut all = Affine::default();
    let mut steps = said.split(')').map(str::trim).filter(|step| !step.is_empty());
    for step in steps.by_ref().take(MOST) {
        let (name, values) = step.split_once('(')?;
        let values = values.split([' ', ',', '\t', '\n']).filter(|value| !value.is_empty()).map(length);
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        let next = match (name.trim_matches([' ', ',']), values.as_slice()) {
            // Radians, against the clock.
            ("rotate", [angle]) => Affine::turned(-angle.to_degrees()),
            ("translate", [x]) => Affine::moved((*x, 0.0)),
            ("translate", [x, y]) => Affine::moved((*x, *y)),
            ("scale", [both]) => Affine::scaled((*both, *both)),
            ("scale", [x, y]) => Affine::scaled((*x, *y)),
            ("skewX", [angle]) => Affine::of([1.0, 0.0, angle.tan(), 1.0, 0.0, 0.0]),
            ("skewY", [angle]) => Affine::of([1.0, angle.tan(), 0.0, 1.0, 0.0, 0.0]),
            ("matrix", [a, b, c, d, e, f]) => Affine::of([*a, *b, *c, *d, *e, *f]),
            _ => return None,
        };
        all = all.then(next);
    }
    steps.next().is_none().then_some(all)
}

/// A length in millimetres, or without a unit.
pub(super) fn length(length: &str) -> Option<f64> {
    // It may have an exponent.
    if let Ok(number) = length.trim().parse() {
        return Some(number);
    }
    let end = length.find(|c: char| c.is_alphabetic()).unwrap_or(length.len());
    let (number, unit) = length.split_at_checked(end)?;
    let factor = match unit {
        "cm" => 10.0,
        "in" => 25.4,
        "pt" => 25.4 / 72.0,
        "pc" => 25.4 / 6.0,
        _ => 1.0,
    };
    number.trim().parse::<f64>().ok().map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::{MOST, transformed};

    #[test]
    fn transformations_go_one_after_another() {
        let at = |said: &str| {
            transformed(said).map(|all| all.at((10.0, 0.0))).map(|(x, y)| (x.round() as i64, y.round() as i64))
        };
        for (said, expected) in [
            ("translate (2cm 3cm)", Some((30, 30))),
            ("rotate (-1.5707963) translate (2cm 3cm)", Some((20, 40))),
            ("rotate (-1.5E-009) translate (2cm 3cm)", Some((30, 30))),
            ("scale(2) translate(1mm,2mm)", Some((21, 2))),
            ("matrix (1 0 0 1 2cm 1mm)", Some((30, 1))),
            ("skewX (0.5) skewY(0) scale(1 1) translate(5)", Some((15, 0))),
            ("", Some((10, 0))),
            ("perspective(1)", None),
            ("rotate", None),
            ("translate(x)", None),
        ] {
            assert_eq!(at(said), expected, "{said}");
        }
        assert!(at(&"scale(1)".repeat(MOST)).is_some() && at(&"scale(1)".repeat(MOST + 1)).is_none());
    }
}
