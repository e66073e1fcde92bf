//! Where frames of Word stand (ECMA-376 part 1, 17.3.1.11): paragraphs that say so, or whose style does.
//!
//! Called by `reader` and `styles`. Pure. Fails never: what is not said is the usual.

use super::xml::Element;

/// English Metric Units in a twentieth of a point.
const TWIP: f64 = 635.0;
/// About as wide as the text of a page: what is on the left is left of what is in the middle.
const PAGE: i64 = 480 * 12_700;

/// Where a frame stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FramePlace {
    pub left: i64,
    pub top: i64,
    /// All that is said of it: paragraphs of which the same is said, one behind the other, are one frame.
    pub said: String,
    /// What it is measured from: places of one kind can be compared.
    pub kind: String,
    /// A large letter, with which the next paragraph begins.
    pub is_drop_cap: bool,
}

impl FramePlace {
    pub fn of(element: &Element<'_, '_>) -> FramePlace {
        let mut place = FramePlace::default();
        let (mut across, mut down) = (None, None);
        element.attributes(|name, value| {
            place.said.push_str(&format!("{name} {value};"));
            match name {
                "x" => place.left = length(value),
                "y" => place.top = length(value),
                "xAlign" => across = aligned(value),
                "yAlign" => down = aligned(value),
                "hAnchor" | "vAnchor" => place.kind.push_str(&format!("{name} {value};")),
                "dropCap" => place.is_drop_cap = matches!(value, "drop" | "margin"),
                _ => {}
            }
        });
        for (name, own, aligned) in [("across", &mut place.left, across), ("down", &mut place.top, down)] {
            if let Some(aligned) = aligned {
                *own = aligned;
                place.kind.push_str(name);
            }
        }
        place
    }
}

fn aligned(value: &str) -> Option<i64> {
    match value {
        "left" | "inside" | "top" => Some(0),
        "center" => Some(PAGE / 2),
        "right" | "outside" | "bottom" => Some(PAGE),
        _ => None,
    }
}

/// A length in twentieths of a point, or with its unit (22.9.2.14).
fn length(value: &str) -> i64 {
    let end = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(end).unwrap_or((value, ""));
    let unit = match unit.trim() {
        "in" => 914_400.0,
        "cm" => 360_000.0,
        "mm" => 36_000.0,
        "pt" => 12_700.0,
        "pc" | "pi" => 152_400.0,
        _ => TWIP,
    };
    // A number that is too large is the largest one.
    (number.trim().parse::<f64>().unwrap_or_default() * unit) as i64
}
