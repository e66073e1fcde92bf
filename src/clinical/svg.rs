//! Text of drawings in SVG as it is seen: pieces in the order of their places (SVG 1.1, 10.4 and 10.5).
//!
//! Called by `texts` for markup. Promises: one pass, so many pieces, and whether there were more; nothing where pieces stand in the
//! order in which they are written, as they do in ordinary drawings, or have no figures. Text that is turned is read
//! the way it goes. Fails never: what moves text in other ways than by a number leaves it where it is.

use super::affine::Affine;
use super::tags;
use html5gum::emitters::callback::CallbackEvent;
use std::collections::VecDeque;

/// Pieces of all drawings of a page, octets of one, and numbers in one attribute.
const MOST: usize = 20_000;
const LONGEST: usize = 256;
const NUMBERS: usize = 256;
/// Attributes of a tag, and octets of one.
const ATTRIBUTES: usize = 64;
const VALUE: usize = 4_096;
/// Groups inside one another.
const DEEPEST: usize = 128;
/// 7.2: what text is as large as where nobody says it, and how wide a character is, in ems.
const SIZE: f64 = 16.0;
const WIDE: f64 = 0.55;
/// So far above or below is another line; gaps up to these are none, and blanks; farther back it is another piece.
const LINE: f64 = 0.5;
const JOINS: f64 = 0.2;
const BLANK: f64 = 1.2;
const BACK: f64 = -0.4;

/// The text of drawings by its places.
pub(super) struct Placed {
    pub text: String,
    pub is_cut: bool,
}

/// Nothing where that is what stands in the markup anyway.
pub(super) fn placed(markup: &str) -> Option<Placed> {
    let bytes = markup.as_bytes();
    let has_drawing = memchr::memchr_iter(b'<', bytes).any(|at| {
        let name = bytes.get(at + 1..).unwrap_or_default();
        let name = name.get(..name.len().min(32)).unwrap_or_default();
        let end = name.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b':').unwrap_or(name.len());
        name.get(end.saturating_sub(3)..end).is_some_and(|name| name.eq_ignore_ascii_case(b"svg"))
    });
    if !has_drawing {
        return None;
    }
    let mut drawing = Drawing::default();
    tags::read(markup, |event| drawing.tell(event));
    drawing.end_piece();
    drawing.placed()
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Point {
    x: f64,
    y: f64,
}

/// Which way text goes: 0 to the right, 1 down, 2 to the left, 3 up, or the nearest of these.
fn way(placed: Affine) -> usize {
    match placed.degrees() {
        45.0..135.0 => 1,
        -45.0..45.0 => 0,
        -135.0..-45.0 => 3,
        _ => 2,
    }
}

#[derive(Debug, Default)]
struct Piece {
    drawing: usize,
    /// Which way it goes, and where it stands for who reads that way.
    way: usize,
    at: Point,
    size: f64,
    chars: usize,
    text: String,
    is_kept: bool,
}

/// Where text stands in what it is written about (10.10).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Anchor {
    #[default]
    Start,
    Middle,
    End,
}

impl Anchor {
    fn named(name: &str) -> Anchor {
        match name.trim() {
            "middle" => Anchor::Middle,
            "end" => Anchor::End,
            _ => Anchor::Start,
        }
    }
}

/// What an element hands down to those inside.
#[derive(Debug, Clone, Copy)]
struct Scope {
    placed: Affine,
    size: f64,
    anchor: Anchor,
    is_text: bool,
    /// It is shown where something else uses it (5.5 and 5.6).
    is_kept: bool,
}

/// Numbers that place one character after another.
#[derive(Debug, Default)]
struct Steps {
    x: VecDeque<f64>,
    y: VecDeque<f64>,
    dx: VecDeque<f64>,
    dy: VecDeque<f64>,
}

#[derive(Default)]
struct Drawing {
    drawings: usize,
    pieces: Vec<Piece>,
    piece: Option<Piece>,
    is_cut: bool,
    /// Something shows what stands elsewhere.
    is_used: bool,
    scopes: Vec<Scope>,
    /// Elements that are too deep to be told apart.
    deeper: usize,
    at: Point,
    steps: Steps,
    /// The tag that is being told.
    name: String,
    attribute: String,
    /// What its attributes say: sizes count for the others, wherever they stand.
    said: Vec<(String, String)>,
    own: Option<Scope>,
}

impl Drawing {
    fn tell(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => self.open(local(name)),
            CallbackEvent::AttributeName { name } => self.attribute = local(name),
            CallbackEvent::AttributeValue { value } if self.own.is_some() && self.said.len() < ATTRIBUTES => {
                let value = value.get(..value.len().min(VALUE)).unwrap_or_default();
                self.said.push((std::mem::take(&mut self.attribute), String::from_utf8_lossy(value).into_owned()));
            }
            CallbackEvent::CloseStartTag { self_closing } => self.begin(*self_closing),
            CallbackEvent::EndTag { name } if is_known(&local(name)) => self.end(),
            CallbackEvent::String { value } if self.scope().is_text => self.string(&String::from_utf8_lossy(value)),
            _ => {}
        }
    }

    fn scope(&self) -> Scope {
        let none =
            Scope { placed: Affine::default(), size: SIZE, anchor: Anchor::Start, is_text: false, is_kept: false };
        self.scopes.last().copied().unwrap_or(none)
    }

    fn open(&mut self, name: String) {
        self.own = is_known(&name).then(|| self.scope());
        self.name = name;
        self.said.clear();
        if self.own.is_some() {
            self.steps = Steps::default();
        }
    }

    fn attributes(&mut self, own: &mut Scope) {
        let mut said = std::mem::take(&mut self.said);
        let styles: Vec<_> =
            said.iter().filter(|(name, _)| name == "style").flat_map(|(_, style)| declared(style)).collect();
        // 6.4: a style counts more than an attribute of its own.
        said.retain(|(name, _)| styles.iter().all(|(own, _)| own != name));
        said.extend(styles);
        said.sort_by_key(|(name, _)| name != "font-size");
        for (name, value) in said {
            let numbers = || numbers(&value, own.size);
            match name.as_str() {
                "font-size" => own.size = numbers().front().copied().filter(|size| *size > 0.0).unwrap_or(own.size),
                "x" => self.steps.x = numbers(),
                "y" => self.steps.y = numbers(),
                "dx" => self.steps.dx = numbers(),
                "dy" => self.steps.dy = numbers(),
                "text-anchor" => own.anchor = Anchor::named(&value),
                "transform" => own.placed = transformed(&value).then(own.placed),
                _ => {}
            }
        }
    }

    fn begin(&mut self, is_empty: bool) {
        let Some(mut own) = self.own.take() else { return };
        self.attributes(&mut own);
        let is_drawing = self.name == "svg";
        if is_drawing && !self.scopes.is_empty() {
            let [x, y] = [&self.steps.x, &self.steps.y].map(|numbers| numbers.front().copied().unwrap_or_default());
            own.placed = Affine::moved((x, y)).then(own.placed);
        }
        self.is_used |= self.name == "use";
        own.is_kept |= matches!(self.name.as_str(), "defs" | "symbol");
        self.drawings += usize::from(is_drawing && self.scopes.is_empty());
        if self.name == "text" {
            self.end_piece();
            (self.at, own.is_text) = (Point::default(), true);
        } else if !own.is_text {
            self.steps = Steps::default();
        }
        if is_empty {
            self.steps = Steps::default();
        } else if self.scopes.len() < DEEPEST {
            self.scopes.push(own);
        } else {
            self.deeper += 1;
        }
    }

    fn end(&mut self) {
        self.steps = Steps::default();
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if self.scopes.pop().is_some_and(|scope| scope.is_text) && !self.scope().is_text {
            self.end_piece();
        }
    }

    fn string(&mut self, text: &str) {
        let scope = self.scope();
        let mut is_blank = self.piece.as_ref().is_none_or(|piece| piece.text.ends_with(' '));
        for c in text.chars() {
            // 10.15: line breaks and runs of blanks are one blank.
            if c.is_whitespace() && std::mem::replace(&mut is_blank, true) {
                continue;
            }
            is_blank = c.is_whitespace();
            let is_moved = self.step();
            if is_moved || self.piece.as_ref().is_none_or(|piece| piece.text.len() >= LONGEST) {
                self.end_piece();
                self.begin_piece(scope);
            }
            if let Some(piece) = &mut self.piece {
                piece.text.push(if is_blank { ' ' } else { c });
                piece.chars += 1;
            }
            self.at.x += WIDE * scope.size;
        }
    }

    fn begin_piece(&mut self, scope: Scope) {
        let ((x, y), way) = (scope.placed.at((self.at.x, self.at.y)), way(scope.placed));
        let at = match way {
            1 => Point { x: y, y: -x },
            2 => Point { x: -x, y: -y },
            3 => Point { x: -y, y: x },
            _ => Point { x, y },
        };
        let (wide, high) = scope.placed.size((1.0, 1.0));
        let size = scope.size * (wide * high).sqrt();
        let piece = Piece { drawing: self.drawings, way, at, size, is_kept: scope.is_kept, ..Piece::default() };
        self.piece = Some(piece);
    }

    /// Moves to where the next character is to stand, if something says so.
    fn step(&mut self) -> bool {
        let Steps { x, y, dx, dy } = &mut self.steps;
        let (x, y, dx, dy) = (x.pop_front(), y.pop_front(), dx.pop_front(), dy.pop_front());
        self.at.x = x.unwrap_or(self.at.x) + dx.unwrap_or(0.0);
        self.at.y = y.unwrap_or(self.at.y) + dy.unwrap_or(0.0);
        [x, y, dx, dy].iter().any(Option::is_some)
    }

    fn end_piece(&mut self) {
        let Some(mut piece) = self.piece.take().filter(|piece| !piece.text.trim().is_empty()) else { return };
        piece.at.x -= match self.scope().anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => piece.width() / 2.0,
            Anchor::End => piece.width(),
        };
        self.is_cut |= self.pieces.len() == MOST;
        if !self.is_cut {
            self.pieces.push(piece);
        }
    }

    fn placed(self) -> Option<Placed> {
        let mut order: Vec<(usize, &Piece)> = self.pieces.iter().enumerate().collect();
        order.sort_by(|(_, a), (_, b)| (a.drawing, a.way).cmp(&(b.drawing, b.way)).then(a.at.y.total_cmp(&b.at.y)));
        for line in order.chunk_by_mut(|(_, a), (_, b)| a.is_level(b)) {
            line.sort_by(|(_, a), (_, b)| a.at.x.total_cmp(&b.at.x));
        }
        let has_figure = |piece: &Piece| piece.text.bytes().any(|byte| byte.is_ascii_digit());
        let is_cut =
            self.is_cut || (self.is_used && self.pieces.iter().any(|piece| piece.is_kept && has_figure(piece)));
        let figures = order.iter().filter(|(_, piece)| has_figure(piece));
        if figures.map(|(at, _)| *at).is_sorted() && !is_cut {
            return None;
        }
        let (mut text, mut before) = (String::new(), None);
        for (_, piece) in order {
            text.push_str(before.map_or("", |before| joint(before, piece)));
            text.push_str(&piece.text);
            before = Some(piece);
        }
        Some(Placed { text, is_cut })
    }
}

impl Piece {
    fn width(&self) -> f64 {
        self.chars as f64 * WIDE * self.size
    }

    fn is_level(&self, next: &Piece) -> bool {
        (self.drawing, self.way) == (next.drawing, next.way)
            && (self.at.y - next.at.y).abs() <= LINE * self.size.max(next.size)
    }
}

fn joint(before: &Piece, next: &Piece) -> &'static str {
    let gap = (next.at.x - before.at.x - before.width()) / before.size.max(next.size);
    match gap {
        _ if !before.is_level(next) || gap < BACK => "\n",
        gap if gap < JOINS => "",
        gap if gap < BLANK => " ",
        _ => "\t",
    }
}

/// A name without its space, as far as names here are long.
fn local(name: &[u8]) -> String {
    let name = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name.get(..name.len().min(16)).unwrap_or_default()).to_ascii_lowercase()
}

/// Elements that place text, or what is inside.
fn is_known(name: &str) -> bool {
    matches!(name, "svg" | "g" | "text" | "tspan" | "defs" | "symbol" | "use")
}

/// Numbers with their units; `size`: an em.
fn numbers(value: &str, size: f64) -> VecDeque<f64> {
    let words = value.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let number = |word: &str| {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (number, unit) = word.split_at(end);
        let number = number.parse::<f64>().ok().filter(|number| number.is_finite())?;
        Some(if unit == "em" { number * size } else { number })
    };
    words.take(NUMBERS).filter_map(number).collect()
}

/// What a style says of one element.
fn declared(style: &str) -> impl Iterator<Item = (String, String)> + '_ {
    let pairs = style.split(';').take(ATTRIBUTES).filter_map(|one| one.split_once(':'));
    pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.to_ascii_lowercase()))
}

/// 7.6: one transformation after another; what is none of them changes nothing.
fn transformed(value: &str) -> Affine {
    let (mut all, mut rest) = (Affine::default(), value);
    for _ in 0..NUMBERS {
        let Some((name, behind)) = rest.split_once('(') else { break };
        let Some((inside, behind)) = behind.split_once(')') else { break };
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == ',').to_ascii_lowercase();
        all = one_transformation(&name, &numbers(inside, 1.0)).then(all);
        rest = behind;
    }
    all
}

fn one_transformation(name: &str, numbers: &VecDeque<f64>) -> Affine {
    let number = |at: usize| numbers.get(at).copied().unwrap_or_default();
    let slope = || number(0).to_radians().tan();
    match name {
        "translate" => Affine::moved((number(0), number(1))),
        "translatex" => Affine::moved((number(0), 0.0)),
        "translatey" => Affine::moved((0.0, number(0))),
        "scale" => Affine::scaled((number(0), numbers.get(1).copied().unwrap_or(number(0)))),
        "scalex" => Affine::scaled((number(0), 1.0)),
        "scaley" => Affine::scaled((1.0, number(0))),
        "rotate" => {
            let from = Affine::moved((-number(1), -number(2)));
            from.then(Affine::turned(number(0))).then(Affine::moved((number(1), number(2))))
        }
        "skewx" => Affine::of([1.0, 0.0, slope(), 1.0, 0.0, 0.0]),
        "skewy" => Affine::of([1.0, slope(), 0.0, 1.0, 0.0, 0.0]),
        "matrix" => Affine::of(std::array::from_fn(number)),
        _ => Affine::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, placed};
    use crate::clinical::{Limits, Rules, inspect};
    use crate::vocabulary::FindingKind;

    fn text(inner: &str) -> Option<String> {
        placed(&format!("<p>1<svg width='300'>{inner}</svg>")).map(|placed| placed.text)
    }

    #[test]
    fn pieces_are_read_in_the_order_of_their_places() {
        for inner in [
            "<text x='60' y='20'>5919</text><text x='0' y='20'>943</text><text x='30' y='21'>476</text>",
            "<text y=20><tspan x=60>5919</tspan><tspan x='0'>943</tspan> <tspan dx='-1' x='31'>476</tspan></text>",
            "<g transform='translate(60,20)'><text>5919</text></g><text transform='matrix(1 0 0 1 0 20)'>943</text>\
             <text x='30px' y='20px'>476</text>",
            "<text x='86' y='20' text-anchor='end'>919</text><text x='0' y='20'>943</text><text x='30' y='20'>476 5</text>",
            "<text x='60 68.8 77.6 86.4 0 8.8 17.6 30 38.8 47.6' y='20'>5919943476</text>",
            "<text x='-60' y='-20' transform='rotate(180)'>943</text><text x='-15' y='-20' transform='rotate(180)'>5919</text>\
             <text x='-40' y='-20' transform='scale(-1)'>476</text>",
            "<g transform='rotate(90 10 10)'><text x='60' y='20'>5919</text><text x='0' y='20'>943</text></g>\
             <text x='30' y='20' style='transform: rotate(90deg) translateY(-20px)'>476</text>",
            "<g transform='scale(2)'><text x='30' y='10'>5919</text></g><text x='0' y='20' transform='rotate(2)'>943</text>\
             <svg x='30'><text y='20'>476</text></svg>",
            "<text y='2' x='60'>5919</text><text y='1em' x='0' font-size='2'>943</text><text x='5' y='2' font-size='2'>476</text>",
        ] {
            let read = text(inner).unwrap_or_default();
            assert_eq!(read.replace(['\t', '\n', ' '], ""), "9434765919", "{inner}");
        }
        assert_eq!(
            text("<text x='60' y='20'>5919</text><text x='0' y='20'>943</text><text x='30' y='20'>476</text>")
                .as_deref(),
            Some("943 476 5919")
        );
    }

    #[test]
    fn what_is_written_in_its_order_has_no_other_reading() {
        for inner in [
            "<text x='0' y='20'>943</text><text x='30' y='20'>476</text><text x='0' y='40'>5919</text>",
            "<text x='60' y='20'>b</text><text x='0' y='20'>a</text>",
            "<g><title>9</title><path d='1'/></g>",
            "",
        ] {
            assert_eq!(text(inner), None, "{inner}");
        }
        assert!(placed("<p>svg</p>").is_none());
        let used = "<defs><text id='a'>5919</text></defs><text>943 476</text><use href='#a' x='60'/>";
        assert!(placed(&format!("<svg>{used}</svg>")).is_some_and(|placed| placed.is_cut), "shown elsewhere");
        assert!(placed(&format!("<svg>{}</svg>", used.replace("5919", "x"))).is_none());
        let many = format!("<svg>{}</svg>", "<text>1</text>".repeat(MOST + 1));
        assert!(placed(&many).is_some_and(|placed| placed.is_cut));
        let deep = format!("<svg>{}<text x='9'>2</text><text x='1'>1</text>", "<g>".repeat(100_000));
        assert!(placed(&deep).is_none_or(|placed| !placed.is_cut));
    }

    #[test]
    fn a_number_that_is_moved_in_a_drawing_of_a_letter_is_found() {
        let inner =
            "<text x='140' y='20'>5919</text><text x='0' y='20'>NHS no.</text><text x='70' y='20'>943 476</text>";
        for kind in ["text/html", "image/svg+xml; name=a.svg"] {
            let message = format!("Content-Type: {kind}\r\n\r\n<svg xmlns='http://www.w3.org/2000/svg'>{inner}</svg>");
            let found = inspect(message.as_bytes(), &Rules::default(), &Limits::default());
            assert!(found.findings.iter().any(|f| f.kind == FindingKind::NhsNumber), "{kind}: {found:?}");
        }
    }
}
