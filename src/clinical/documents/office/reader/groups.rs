//! Groups of shapes (ECMA-376 part 1, 20.1.7.5 and 20.1.7.6): what is in one is measured by the group's own measure, and moved, scaled,
//! turned and flipped with it.
//!
//! Called by `placed` and `boxes`. Promises: constant for each element, however deep groups are. Fails never: a group that says nothing moves
//! nothing.

use super::super::xml::Element;
use crate::clinical::affine::Affine;

/// Degrees are counted in so many parts.
const DEGREE: f64 = 60_000.0;

/// Where a shape or a group stands in what it is in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stand {
    pub off: Option<(f64, f64)>,
    pub ext: (f64, f64),
    /// How a group measures what is in it.
    pub inner_off: (f64, f64),
    pub inner_ext: (f64, f64),
    pub degrees: f64,
    pub is_flipped: (bool, bool),
}

/// How what is in a group, and in all groups around it, comes to stand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Turned {
    pub affine: Affine,
    pub degrees: f64,
    /// Left and right have changed places, an odd number of times.
    is_mirrored: bool,
}

impl Turned {
    /// By all that is said of it at once.
    pub fn by(affine: Affine) -> Turned {
        Turned { affine, degrees: affine.degrees(), is_mirrored: false }
    }
}

/// The groups that are open.
#[derive(Default)]
pub(super) struct Groups {
    open: Vec<Group>,
}

struct Group {
    own: Stand,
    inside: Turned,
    /// A drawing in a line or on a sheet stands where it is anchored, whatever its outermost group says.
    anchor: Option<(f64, f64)>,
}

impl Stand {
    /// `a:xfrm`, and what is in it.
    pub fn set(&mut self, element: &Element<'_, '_>) {
        let number = |name: &str| element.attribute(name).and_then(|number| number.trim().parse::<f64>().ok());
        let pair = |first: &str, second: &str| number(first).zip(number(second));
        let is = |name: &str| element.attribute(name).is_some_and(|value| matches!(value.as_str(), "1" | "true"));
        match element.local {
            "off" => self.off = pair("x", "y").or(self.off),
            "ext" => self.ext = pair("cx", "cy").unwrap_or(self.ext),
            "chOff" => self.inner_off = pair("x", "y").unwrap_or(self.inner_off),
            "chExt" => self.inner_ext = pair("cx", "cy").unwrap_or(self.inner_ext),
            _ => {
                self.degrees = number("rot").unwrap_or_default() / DEGREE;
                self.is_flipped = (is("flipH"), is("flipV"));
            }
        }
    }

    /// How what is in it comes to stand.
    fn inside(&self) -> Affine {
        let Some(off) = self.off else { return Affine::default() };
        let scale = |whole: f64, inner: f64| if whole > 0.0 && inner > 0.0 { whole / inner } else { 1.0 };
        let centre = (self.ext.0 / 2.0, self.ext.1 / 2.0);
        let flip = |is_flipped: bool| if is_flipped { -1.0 } else { 1.0 };
        Affine::moved(negative(self.inner_off))
            .then(Affine::scaled((scale(self.ext.0, self.inner_ext.0), scale(self.ext.1, self.inner_ext.1))))
            .then(Affine::moved(negative(centre)))
            .then(Affine::scaled((flip(self.is_flipped.0), flip(self.is_flipped.1))))
            .then(Affine::turned(self.degrees))
            .then(Affine::moved(centre))
            .then(Affine::moved(off))
    }

    /// How it comes to stand itself: its text is turned, and never mirrored. `outer`: what is around it.
    pub fn turned(&self, outer: Turned) -> Turned {
        let degrees = if outer.is_mirrored { -self.degrees } else { self.degrees };
        let upside_down = if self.is_flipped.1 { 180.0 } else { 0.0 };
        Turned {
            affine: self.inside().then(outer.affine),
            degrees: outer.degrees + degrees + upside_down,
            is_mirrored: outer.is_mirrored ^ self.is_flipped.0 ^ self.is_flipped.1,
        }
    }
}

impl Groups {
    pub fn begin(&mut self) {
        let inside = self.inside();
        self.open.push(Group { own: Stand::default(), inside, anchor: None });
    }

    /// The group that has just begun is anchored there, unless it is in another one.
    pub fn anchor(&mut self, place: (f64, f64)) {
        if let [only] = self.open.as_mut_slice() {
            only.anchor = Some(place);
        }
    }

    pub fn end(&mut self) {
        self.open.pop();
    }

    /// Says where the innermost group stands.
    pub fn set(&mut self, set: impl FnOnce(&mut Stand)) {
        let Some((group, around)) = self.open.split_last_mut() else { return };
        set(&mut group.own);
        group.own.off = group.anchor.or(group.own.off);
        group.inside = group.own.turned(around.last().map(|outer| outer.inside).unwrap_or_default());
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether the innermost group is in another one.
    pub fn is_inner(&self) -> bool {
        self.open.len() > 1
    }

    /// How what is in the innermost group comes to stand.
    pub fn inside(&self) -> Turned {
        self.open.last().map(|group| group.inside).unwrap_or_default()
    }
}

fn negative((x, y): (f64, f64)) -> (f64, f64) {
    (-x, -y)
}
