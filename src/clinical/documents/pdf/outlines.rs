//! Text that is drawn as lines and shapes: what print shops make of fonts, and what nobody can search.
//!
//! Called by `painter`, which hands over every path and every picture, and `pages`. Promises: shapes that touch are one sign; signs of one height that
//! stand in a row, narrow and of several kinds, are text; charts, ruled tables, bars and markers are not, for those are large, plain, or
//! all alike. It is a guess: a word or two in a logo is not said. Bounded in shapes; no longer than sorting takes. Fails never.

use super::matrix::Matrix;
use super::sheet::Point;
use hayro_syntax::object::ObjectIdentifier;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Signs are so large at most, in units of the page …
const LARGEST: f64 = 72.0;
/// … and so large at least.
const SMALLEST: f64 = 3.0;
/// Pictures that are signs are no higher: some programmes paint each letter as a picture of its own.
const HIGHEST: f64 = 24.0;
/// Shapes of one page.
const MOST_SHAPES: usize = 200_000;
/// Shapes so near to one another touch.
const TOUCHES: f64 = 0.1;
/// Signs of one row: how far their feet and their heights may differ, and how far they stand apart, in heights.
const LEVEL: f64 = 0.12;
const APART: f64 = 1.6;
const OVERLAP: f64 = 0.3;
/// So many signs that are as narrow as digits, as wide as one another and as far apart, of so many kinds, are a number …
const DIGITS: usize = 9;
const KINDS: usize = 3;
/// … ones being narrower than this, the others this much wider or narrower …
const ONE: f64 = 0.72;
const WIDTHS: f64 = 0.25;
/// … and standing so much nearer or farther, but for gaps between groups, which are larger …
const PITCH: f64 = 0.12;
const GAP: f64 = 0.25;
const GAPS: usize = 2;
/// … and so many in rows of so many are a text.
const LETTERS: usize = 80;
const WORD: usize = 3;
/// Rows that end near one height.
const ROWS: usize = 4;

/// A box around something.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    x0: f64,
    x1: f64,
    y0: f64,
    y1: f64,
}

impl Bounds {
    fn of(point: Point) -> Bounds {
        Bounds { x0: point.x, x1: point.x, y0: point.y, y1: point.y }
    }

    fn with(self, other: Bounds) -> Bounds {
        Bounds {
            x0: self.x0.min(other.x0),
            x1: self.x1.max(other.x1),
            y0: self.y0.min(other.y0),
            y1: self.y1.max(other.y1),
        }
    }

    fn width(self) -> f64 {
        self.x1 - self.x0
    }

    fn height(self) -> f64 {
        self.y1 - self.y0
    }

    fn is_small(self) -> bool {
        self.width().max(self.height()) <= LARGEST
    }

    fn turned(self) -> Bounds {
        Bounds { x0: self.y0, x1: self.y1, y0: -self.x1, y1: -self.x0 }
    }

    fn has_corner(self, point: Point) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        (near(point.x, self.x0) || near(point.x, self.x1)) && (near(point.y, self.y0) || near(point.y, self.y1))
    }
}

/// A line that is drawn without lifting the pen, or several that touch.
#[derive(Debug, Clone, Copy)]
struct Shape {
    bounds: Bounds,
    /// Lines, and curves; of a picture, which one it is.
    strokes: u32,
    curves: u32,
    /// A line or a rectangle.
    is_plain: bool,
}

/// A line that is being drawn.
struct Drawn {
    bounds: Bounds,
    corners: Vec<Point>,
    strokes: u32,
    curves: u32,
}

impl Drawn {
    /// The corners of a rectangle, come back to.
    const CORNERS: usize = 5;

    fn from(point: Point) -> Drawn {
        Drawn { bounds: Bounds::of(point), corners: vec![point], strokes: 0, curves: 0 }
    }

    fn to(&mut self, point: Point) {
        self.bounds = self.bounds.with(Bounds::of(point));
        if self.corners.len() <= Drawn::CORNERS {
            self.corners.push(point);
        }
    }

    fn shape(&self) -> Shape {
        let is_rectangle = self.strokes >= 3
            && self.corners.len() <= Drawn::CORNERS
            && self.corners.iter().all(|corner| self.bounds.has_corner(*corner));
        let is_plain = self.curves == 0 && (self.strokes <= 1 || is_rectangle);
        Shape { bounds: self.bounds, strokes: self.strokes, curves: self.curves, is_plain }
    }
}

/// The paths of one page.
#[derive(Default)]
pub(super) struct Outlines {
    drawn: Option<Drawn>,
    /// Of the path that is not painted yet.
    path: Vec<Shape>,
    path_strokes: usize,
    shapes: Vec<Shape>,
    /// Numbers of the pictures that are used again.
    pictures: HashMap<ObjectIdentifier, u32>,
    painted: u32,
    /// Lines, curves and rectangles that were painted, however large.
    pub strokes: usize,
    /// There were more shapes than are looked at.
    pub is_full: bool,
}

impl Outlines {
    /// 8.5.2, 8.5.3: begins a path, goes on with it, or paints it.
    pub fn operate(&mut self, operator: &[u8], numbers: &[f64], ctm: Matrix) {
        match (operator, numbers) {
            (b"m", [.., x, y]) => {
                self.lift();
                self.drawn = Some(Drawn::from(ctm.point(*x, *y)));
            }
            (b"l", [.., x, y]) => self.stroke(&[ctm.point(*x, *y)]),
            (b"c", [.., a, b, c, d, x, y]) => {
                self.stroke(&[ctm.point(*a, *b), ctm.point(*c, *d), ctm.point(*x, *y)]);
            }
            (b"v" | b"y", [.., a, b, x, y]) => self.stroke(&[ctm.point(*a, *b), ctm.point(*x, *y)]),
            (b"re", [.., x, y, width, height]) => {
                self.lift();
                let corner = |dx: f64, dy: f64| ctm.point(x + dx, y + dy);
                let mut drawn = Drawn::from(corner(0.0, 0.0));
                let corners = [corner(*width, 0.0), corner(*width, *height), corner(0.0, *height)];
                corners.into_iter().for_each(|corner| drawn.to(corner));
                drawn.strokes = 4;
                self.path_strokes += 1;
                self.drawn = Some(drawn);
            }
            (b"S" | b"s" | b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*", _) => {
                self.lift();
                self.shapes.append(&mut self.path);
                self.strokes += std::mem::take(&mut self.path_strokes);
            }
            (b"n", _) => {
                self.lift();
                self.path.clear();
                self.path_strokes = 0;
            }
            _ => {}
        }
    }

    /// 8.9.5: a picture fills the unit square. One that nothing names is unlike all others.
    pub fn picture(&mut self, ctm: Matrix, id: Option<ObjectIdentifier>) {
        let corners = [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(x, y)| Bounds::of(ctm.point(x, y)));
        let bounds = corners.into_iter().fold(Bounds::of(ctm.point(0.0, 0.0)), Bounds::with);
        if bounds.width().min(bounds.height()) > HIGHEST || !bounds.is_small() {
            return;
        }
        if self.path.len() + self.shapes.len() >= MOST_SHAPES {
            self.is_full = true;
            return;
        }
        self.painted = self.painted.saturating_add(1);
        let kind = id.map_or(self.painted, |id| *self.pictures.entry(id).or_insert(self.painted));
        self.shapes.push(Shape { bounds, strokes: kind, curves: 0, is_plain: false });
    }

    fn stroke(&mut self, points: &[Point]) {
        let Some(drawn) = &mut self.drawn else { return };
        drawn.strokes += 1;
        self.path_strokes += 1;
        drawn.curves += u32::from(points.len() > 1);
        points.iter().for_each(|point| drawn.to(*point));
    }

    fn lift(&mut self) {
        let shape = self.drawn.take().map(|drawn| drawn.shape());
        let Some(shape) = shape.filter(|shape| shape.bounds.is_small() && shape.strokes > 0) else { return };
        match self.path.len() + self.shapes.len() {
            ..MOST_SHAPES => self.path.push(shape),
            _ => self.is_full = true,
        }
    }

    /// Whether what is drawn has rows of signs, along the page or up it.
    pub fn are_text(&self) -> bool {
        let turned = || self.shapes.iter().map(|shape| Shape { bounds: shape.bounds.turned(), ..*shape });
        let along = || self.shapes.iter().copied();
        self.shapes.len() >= DIGITS && (are_rows(&signs(along().collect())) || are_rows(&signs(turned().collect())))
    }
}

/// Shapes that touch are one sign; what is too large or too small is none. From left to right.
fn signs(mut shapes: Vec<Shape>) -> Vec<Shape> {
    shapes.sort_by(|a, b| a.bounds.x0.total_cmp(&b.bounds.x0));
    let mut done = Vec::new();
    // By their feet, and a number.
    let mut open: BTreeMap<(i64, usize), Shape> = BTreeMap::new();
    for (at, mut shape) in shapes.into_iter().enumerate() {
        let bounds = shape.bounds;
        let range = ((bounds.y0 - LARGEST - 1.0).floor() as i64, 0)..=((bounds.y1 + 1.0).floor() as i64, usize::MAX);
        let near: Vec<(i64, usize)> = open.range(range).map(|(key, _)| *key).collect();
        for key in near {
            let Some(other) = open.get(&key).map(|other| other.bounds) else { continue };
            let is_passed = other.x1 + TOUCHES < bounds.x0;
            let touches = other.y0 <= bounds.y1 + TOUCHES && bounds.y0 <= other.y1 + TOUCHES;
            if let Some(other) = if is_passed || touches { open.remove(&key) } else { None } {
                match is_passed {
                    true => done.push(other),
                    false => shape = joined(other, shape),
                }
            }
        }
        if shape.bounds.is_small() {
            open.insert((shape.bounds.y0.floor() as i64, at), shape);
        }
    }
    done.extend(open.into_values());
    done.retain(|sign| sign.bounds.height() >= SMALLEST);
    done.sort_by(|a, b| a.bounds.x0.total_cmp(&b.bounds.x0));
    done
}

fn joined(one: Shape, other: Shape) -> Shape {
    Shape {
        bounds: one.bounds.with(other.bounds),
        strokes: one.strokes.saturating_add(other.strokes),
        curves: one.curves + other.curves,
        is_plain: false,
    }
}

/// Signs that stand in a row.
struct Row {
    last: Bounds,
    signs: Vec<Shape>,
}

impl Row {
    /// Whether a sign stands beside the last one.
    fn goes_on(&self, sign: Bounds) -> bool {
        let height = self.last.height().max(sign.height());
        let gap = sign.x0 - self.last.x1;
        (self.last.height() - sign.height()).abs() <= LEVEL * height
            && (self.last.y0 - sign.y0).abs() <= LEVEL * height
            && (-OVERLAP * height..=APART * height).contains(&gap)
    }

    fn has_number(&self) -> bool {
        self.signs.windows(DIGITS).any(|signs| is_number(signs) && is_varied(signs))
    }

    fn letters(&self) -> usize {
        if self.signs.len() >= WORD && is_varied(&self.signs) { self.signs.len() } else { 0 }
    }
}

/// Whether signs are narrow, of one width but for ones, and stand in cells of one width, whatever is in them: letters do not.
fn is_number(signs: &[Shape]) -> bool {
    let width = |sign: &Shape| sign.bounds.width() / sign.bounds.height();
    let mut widths: Vec<f64> = signs.iter().map(width).collect();
    widths.sort_by(f64::total_cmp);
    let usual = widths.get(widths.len() * 2 / 3).copied().unwrap_or_default();
    let wide: Vec<usize> =
        (0..signs.len()).filter(|at| signs.get(*at).is_some_and(|s| width(s) >= ONE * usual)).collect();
    let are_alike = widths.iter().rev().take(wide.len()).all(|width| (width - usual).abs() <= WIDTHS * usual);
    (0.3..=0.9).contains(&usual) && wide.len() * 2 >= signs.len() && are_alike && are_in_cells(signs, &wide)
}

/// Whether those of the signs at these places are a whole number of cells apart.
fn are_in_cells(signs: &[Shape], places: &[usize]) -> bool {
    let middle = |at: usize| signs.get(at).map_or(0.0, |sign| f64::midpoint(sign.bounds.x0, sign.bounds.x1));
    let steps = places.windows(2).filter_map(|pair| match pair {
        [one, next] => Some((middle(*next) - middle(*one), (next - one) as f64)),
        _ => None,
    });
    let steps: Vec<(f64, f64)> = steps.collect();
    let mut cells: Vec<f64> = steps.iter().map(|(step, cells)| step / cells).collect();
    cells.sort_by(f64::total_cmp);
    let cell = cells.get(cells.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    let is_gap = |(step, cells): &(f64, f64)| *step > cell * (cells + GAP);
    let gaps = steps.iter().filter(|step| is_gap(step)).count();
    gaps <= GAPS && steps.iter().all(|step| is_gap(step) || (step.0 - step.1 * cell).abs() <= PITCH * cell)
}

/// Markers of a chart are all alike, and bars are plain.
fn is_varied(signs: &[Shape]) -> bool {
    let kind = |sign: &Shape| (sign.strokes, sign.curves, (10.0 * sign.bounds.width() / sign.bounds.height()) as u32);
    let kinds: BTreeSet<(u32, u32, u32)> = signs.iter().filter(|sign| !sign.is_plain).map(kind).collect();
    let plain = signs.iter().filter(|sign| sign.is_plain).count();
    kinds.len() >= KINDS && plain * 2 <= signs.len()
}

fn are_rows(signs: &[Shape]) -> bool {
    let mut rows: Vec<Row> = Vec::new();
    // Rows that may go on, by where their last sign stands.
    let mut ends: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for sign in signs {
        let (foot, slack) = (sign.bounds.y0, LEVEL * sign.bounds.height() * 1.2);
        let near = ends.range((foot - slack).floor() as i64..=(foot + slack).floor() as i64);
        let mut near = near.flat_map(|(_, rows)| rows.iter().copied());
        let at = near.find(|at| rows.get(*at).is_some_and(|row| row.goes_on(sign.bounds)));
        let at = at.unwrap_or_else(|| {
            rows.push(Row { last: sign.bounds, signs: Vec::new() });
            rows.len() - 1
        });
        if let Some(row) = rows.get_mut(at) {
            let before = row.last.y0.floor() as i64;
            row.last = sign.bounds;
            row.signs.push(*sign);
            if let Some(ended) = ends.get_mut(&before) {
                ended.retain(|other| *other != at);
            }
        }
        let ended = ends.entry(foot.floor() as i64).or_default();
        ended.push(at);
        if ended.len() > ROWS {
            ended.remove(0);
        }
    }
    rows.iter().any(Row::has_number) || rows.iter().map(Row::letters).sum::<usize>() >= LETTERS
}
