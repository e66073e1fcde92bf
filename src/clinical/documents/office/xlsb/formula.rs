//! What formulas of binary workbooks have of their own: [MS-XLSB] 2.2.2.
//!
//! Called by `xlsb`. Promises: each token is looked at once. Fails with what was found where a token is not known.

use super::super::super::codepages;
use super::super::super::octets::Octets;

/// The constants in a formula, in order.
#[derive(Default)]
pub(super) struct Formula {
    pub constants: Vec<String>,
    /// Whether there were tokens that nobody here knows.
    pub is_unknown: bool,
}

/// CellParsedFormula: tokens, then what belongs to some of them, which is handed back.
pub(super) fn read<'a>(octets: &mut Octets<'a>) -> Option<(Formula, &'a [u8])> {
    let length = octets.length()?;
    let mut tokens = Octets::of(octets.take(length)?);
    let mut formula = Formula::default();
    while !tokens.is_empty() && !formula.is_unknown {
        formula.is_unknown = token(&mut tokens, &mut formula.constants).is_none();
    }
    let more = octets.length()?;
    Some((formula, octets.take(more)?))
}

/// One token. Nothing: it is cut, or not known.
fn token(tokens: &mut Octets<'_>, constants: &mut Vec<String>) -> Option<()> {
    let kind = tokens.u8()?;
    // PtgDataType: the class of a value stands in two bits.
    let base = if kind < 0x20 { kind } else { kind & 0x1F | 0x20 };
    match base {
        0x17 => {
            let units = usize::from(tokens.u16()?);
            constants.push(codepages::wide(tokens.take(units * 2)?));
        }
        0x1E => constants.push(tokens.u16()?.to_string()),
        0x1F => constants.push(tokens.f64()?.to_string()),
        0x18 => {
            let size = match tokens.u8()? {
                0x19 => 12,
                0x1D => 4,
                _ => return None,
            };
            tokens.take(size)?;
        }
        0x19 => {
            let (is_choice, offsets) = (tokens.u8()? & 4 != 0, usize::from(tokens.u16()?));
            tokens.take(if is_choice { (offsets + 1) * 2 } else { 0 })?;
        }
        _ => _ = tokens.take(size(base)?)?,
    }
    Some(())
}

/// How long the rest of a token is.
fn size(base: u8) -> Option<usize> {
    match base {
        0x03..=0x16 => Some(0),
        0x1C | 0x1D => Some(1),
        0x21 | 0x29 => Some(2),
        0x22 => Some(3),
        0x01 | 0x02 | 0x23 => Some(4),
        0x24 | 0x26..=0x28 | 0x2A | 0x2C | 0x39 => Some(6),
        0x3A | 0x3C => Some(8),
        0x25 | 0x2B | 0x2D => Some(12),
        0x20 | 0x3B | 0x3D => Some(14),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_found_between_references() {
        // A1&"943"&476&SUM(A1:B2), and a token that nobody knows.
        let reference = [0x44, 0, 0, 0, 0, 0, 0xC0];
        let text = [0x17, 3, 0, b'9', 0, b'4', 0, b'3', 0];
        let area = [0x25, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0];
        let tokens = [&reference[..], &text, &[8, 0x1E, 0xDC, 1, 8], &area, &[0x22, 1, 4, 0, 8]].concat();
        for (tokens, is_unknown) in [(tokens.clone(), false), ([&tokens[..], &[0x00]].concat(), true)] {
            let bytes = [&(tokens.len() as u32).to_le_bytes()[..], &tokens, &[0, 0, 0, 0]].concat();
            let (formula, more) = read(&mut Octets::of(&bytes)).unwrap();
            assert_eq!(
                (formula.constants.as_slice(), formula.is_unknown),
                (&["943".to_owned(), "476".to_owned()][..], is_unknown)
            );
            assert!(more.is_empty());
        }
    }
}
