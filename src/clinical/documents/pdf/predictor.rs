//! Predictors of Flate and LZW (ISO 32000-1 7.4.4.4): rows that are written as differences from their neighbours.
//!
//! Called by `filters`. Promises: as many octets as came in, or fewer; linear. Fails with nothing where the rows cannot be.

use hayro_syntax::object::Dict;

pub(super) struct Predictor {
    kind: i64,
    /// Octets of one row.
    row: usize,
    /// Octets of one pixel, at least one.
    pixel: usize,
    bits: usize,
}

/// The predictor that a filter is told of.
pub(super) fn of(params: &Dict<'_>) -> Option<Predictor> {
    let number = |key: &[u8], default: usize| params.get::<usize>(key).unwrap_or(default).clamp(1, 1 << 24);
    let kind = params.get::<i64>(b"Predictor").filter(|kind| *kind > 1)?;
    let (columns, colours, bits) = (number(b"Columns", 1), number(b"Colors", 1), number(b"BitsPerComponent", 8));
    let pixel = colours.saturating_mul(bits);
    let row = columns.saturating_mul(pixel).div_ceil(8);
    Some(Predictor { kind, row, pixel: pixel.div_ceil(8), bits })
}

impl Predictor {
    pub fn undone(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.row > bytes.len().max(1) {
            return None;
        }
        match self.kind {
            2 if self.bits == 8 => Some(self.tiff(bytes)),
            // Components of other sizes are pictures, never text.
            2 => None,
            _ => Some(self.png(bytes)),
        }
    }

    fn tiff(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for row in out.chunks_mut(self.row) {
            for at in self.pixel..row.len() {
                row[at] = row[at].wrapping_add(row[at - self.pixel]);
            }
        }
        out
    }

    fn png(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
        let mut above = vec![0u8; self.row];
        for line in bytes.chunks(self.row + 1) {
            let Some((kind, coded)) = line.split_first() else { continue };
            let mut row = vec![0u8; self.row];
            for (at, byte) in coded.iter().enumerate() {
                let left = at.checked_sub(self.pixel).map_or(0, |at| row[at]);
                let corner = at.checked_sub(self.pixel).map_or(0, |at| above[at]);
                let guess = match kind {
                    1 => left,
                    2 => above[at],
                    3 => ((u16::from(left) + u16::from(above[at])) / 2) as u8,
                    4 => paeth(left, above[at], corner),
                    _ => 0,
                };
                row[at] = byte.wrapping_add(guess);
            }
            out.extend(row.iter().take(coded.len()));
            above = row;
        }
        out
    }
}

/// PNG 9.4: whichever of the three is nearest to their plane.
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(above), i16::from(corner));
    let plane = a + b - c;
    let (da, db, dc) = ((plane - a).abs(), (plane - b).abs(), (plane - c).abs());
    match () {
        () if da <= db && da <= dc => left,
        () if db <= dc => above,
        () => corner,
    }
}
