//! Whether text is painted so that nobody sees it: without ink, or in the white of the paper (ISO 32000-1 8.6.8 and 9.3.6).
//!
//! Part of `painter`; `sheet` reads a page without what one or the other of these hides. Promises: pure; a colour in a space that is not known counts as white if its components would be in a usual one.
//! Fails never.

use super::content::Operands;

/// Why a glyph is not seen, each a bit. It may be seen after all: white on a colour, and what adds to a clip that is painted.
pub(super) const ABSENT: u8 = 1;
pub(super) const CLIP: u8 = 2;
pub(super) const WHITE: u8 = 4;
/// It stands in a layer that is off.
pub(super) const OFF: u8 = 8;
/// It is too small.
pub(super) const TINY: u8 = 16;

/// So near to its end, a component is at its end.
const NEAR: f64 = 0.03;

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Ink {
    /// Text is not painted, as behind a scan.
    pub is_absent: bool,
    /// Text adds to the clip only.
    is_clip: bool,
    is_white: bool,
}

impl Ink {
    pub fn hides(self) -> u8 {
        let bit = |is: bool, bit| if is { bit } else { 0 };
        bit(self.is_absent, ABSENT) | bit(self.is_clip, CLIP) | bit(self.is_white, WHITE)
    }

    pub fn mode(&mut self, mode: f64) {
        (self.is_absent, self.is_clip) = (mode == 3.0, mode == 7.0);
    }

    /// An operator that sets the colour that text is filled with.
    pub fn colour(&mut self, operator: &[u8], operands: &Operands) {
        let mut count = 0;
        let (mut is_light, mut is_empty) = (true, true);
        for number in operands.numbers() {
            count += 1;
            is_light &= number >= 1.0 - NEAR;
            is_empty &= number <= NEAR;
        }
        self.is_white = match operator {
            b"k" => is_empty,
            b"sc" | b"scn" if count == 4 => is_empty,
            b"g" | b"rg" | b"sc" | b"scn" => count > 0 && is_light,
            // 8.6.5.1: a new space begins with black.
            _ => false,
        };
    }
}
