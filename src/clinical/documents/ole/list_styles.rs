//! The lists of paragraphs' styles in a document of [MS-DOC] (2.9.271 to 2.9.276, 2.9.260).
//!
//! Called by `word`. Promises: one pass over the style sheet, and so many styles and no more. Fails never: a sheet that ends early tells
//! what came before.

use super::super::octets::Octets;
use super::formatting::operand_of;

/// The place of the style sheet in the table stream: [MS-DOC] 2.5.6.
const SHEET: usize = 0xA2;
/// [MS-DOC] 2.9.271: no sheet has more styles.
const MOST: usize = 0xFFE;
/// What stands before a style's name in every version, and the kind of a paragraph's.
const BASE: usize = 10;
const OF_PARAGRAPH: u16 = 1;
/// Styles that are based on one another.
const DEEPEST: usize = 16;

/// What one style says of its paragraphs.
#[derive(Debug, Clone, Copy)]
struct Style {
    base: usize,
    list: Option<u16>,
    level: Option<u16>,
}

/// The styles, by their number.
#[derive(Debug, Default)]
pub(super) struct ListStyles(Vec<Style>);

impl ListStyles {
    pub fn of(word: &[u8], table: &[u8]) -> ListStyles {
        let mut styles = ListStyles::default();
        _ = super::word::piece(word, table, SHEET).and_then(|sheet| styles.read(sheet));
        styles
    }

    /// The list and the level of a style's paragraphs; nothing where they are in none.
    pub fn of_style(&self, number: u16) -> Option<(u16, u16)> {
        let (mut list, mut level, mut number) = (None, None, usize::from(number));
        for _ in 0..DEEPEST {
            let Some(style) = self.0.get(number) else { break };
            (list, level) = (list.or(style.list), level.or(style.level));
            number = style.base;
        }
        list.filter(|list| *list > 0).map(|list| (list, level.unwrap_or_default()))
    }

    fn read(&mut self, sheet: &[u8]) -> Option<()> {
        let mut octets = Octets::of(sheet);
        let length = usize::from(octets.u16()?);
        let mut about = Octets::of(octets.take(length)?);
        let (count, base) = (usize::from(about.u16()?), usize::from(about.u16()?));
        for _ in 0..count.min(MOST) {
            let length = usize::from(octets.u16()?);
            let style = octets.take(length)?;
            octets.take_up_to(length % 2);
            self.0.push(style_of(style, base.max(BASE)));
        }
        Some(())
    }
}

/// [MS-DOC] 2.9.260: what is known of a style, its name, then its properties.
fn style_of(octets: &[u8], base: usize) -> Style {
    let [kind, about] = [2, 4].map(|at| Octets::from(octets, at).u16());
    // A style that is based on none says so by a number that none has; one that is not there is based on none.
    let parent = kind.map_or(usize::MAX, |kind| usize::from(kind >> 4));
    let is_of_paragraph =
        kind.is_some_and(|kind| kind & 0xF == OF_PARAGRAPH) && about.is_some_and(|about| about & 0xF > 0);
    let properties = if is_of_paragraph { properties_of(octets, base) } else { None }.unwrap_or_default();
    let [list, level] =
        [(super::word::LIST, 2), (super::word::LEVEL, 1)].map(|(sprm, width)| operand_of(properties, sprm, width));
    Style { base: parent, list, level }
}

/// The properties of a paragraph's style, behind its name and its number.
fn properties_of(octets: &[u8], base: usize) -> Option<&[u8]> {
    let characters = usize::from(Octets::from(octets, base).u16()?);
    let mut behind = Octets::from(octets, base + 2 + (characters + 1) * 2);
    let length = usize::from(behind.u16()?);
    behind.take(length)?.get(2..)
}
