//! Where a point of a drawing stands once what it is in was moved, scaled and turned.
//!
//! Called by `reader` for groups of shapes and for shapes that are turned. Pure. Fails never: what comes to no number stands nowhere
//! among others, and is read last.

/// How points move: `x` and `y` are the rows of a matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    x: [f64; 3],
    y: [f64; 3],
}

impl Default for Affine {
    fn default() -> Affine {
        Affine { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] }
    }
}

impl Affine {
    pub fn moved((x, y): (f64, f64)) -> Affine {
        Affine { x: [1.0, 0.0, x], y: [0.0, 1.0, y] }
    }

    pub fn scaled((x, y): (f64, f64)) -> Affine {
        Affine { x: [x, 0.0, 0.0], y: [0.0, y, 0.0] }
    }

    /// Clockwise, where what is lower has the larger number.
    pub fn turned(degrees: f64) -> Affine {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        Affine { x: [cosine, -sine, 0.0], y: [sine, cosine, 0.0] }
    }

    /// `a b c d e f`, as OpenDocument and SVG write it.
    pub fn of([a, b, c, d, e, f]: [f64; 6]) -> Affine {
        Affine { x: [a, c, e], y: [b, d, f] }
    }

    /// First this, and then that.
    pub fn then(self, next: Affine) -> Affine {
        let row = |[x, y, more]: [f64; 3]| {
            let mut row = [0, 1, 2].map(|at: usize| x * self.x[at] + y * self.y[at]);
            row[2] += more;
            row
        };
        Affine { x: row(next.x), y: row(next.y) }
    }

    /// Where the point comes to stand.
    pub fn at(self, (x, y): (f64, f64)) -> (f64, f64) {
        let row = |row: [f64; 3]| row[0] * x + row[1] * y + row[2];
        (row(self.x), row(self.y))
    }

    /// How wide and how high something becomes, seen along its own sides.
    pub fn size(self, (width, height): (f64, f64)) -> (f64, f64) {
        (width * self.x[0].hypot(self.y[0]), height * self.x[1].hypot(self.y[1]))
    }

    /// How far its first side is turned.
    pub fn degrees(self) -> f64 {
        self.y[0].atan2(self.x[0]).to_degrees()
    }
}

#[cfg(test)]
mod tests {
    use super::Affine;

    fn rounded((x, y): (f64, f64)) -> (i64, i64) {
        ((x * 100.0).round() as i64, (y * 100.0).round() as i64)
    }

    #[test]
    fn one_movement_goes_after_another() {
        let both = Affine::moved((-1.0, -2.0)).then(Affine::scaled((3.0, 5.0))).then(Affine::moved((10.0, 20.0)));
        assert_eq!(both.at((2.0, 4.0)), (13.0, 30.0));
        assert_eq!(both.size((2.0, 4.0)), (6.0, 20.0));
        let turned = Affine::moved((1.0, 0.0)).then(Affine::turned(90.0));
        assert_eq!(rounded(turned.at((1.0, 1.0))), (-100, 200));
        assert_eq!((turned.degrees().round() as i64, rounded(turned.size((2.0, 4.0)))), (90, (200, 400)));
        assert_eq!(Affine::of([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).at((1.0, 10.0)), (36.0, 48.0));
        assert_eq!(Affine::default().then(both), both);
    }
}
