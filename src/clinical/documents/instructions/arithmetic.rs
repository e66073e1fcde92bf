//! Formulas of plain numbers: `940 + 3`, `(47 + 1) * 10`.
//!
//! Called by `instructions`. Promises: no recursion, linear. Fails never: what is no such formula has no value.

/// Brackets inside one another.
const DEEPEST: usize = 16;
/// Integers below this are exact.
const EXACT: f64 = 1e15;

/// One bracket: a sum of what came before, and the product that is being made.
#[derive(Clone, Copy)]
struct Bracket {
    sum: f64,
    product: Option<f64>,
    operator: char,
}

impl Bracket {
    fn new() -> Bracket {
        Bracket { sum: 0.0, product: None, operator: '+' }
    }

    fn take(&mut self, number: f64) {
        let product = self.product.take();
        self.product = Some(match (self.operator, product) {
            ('*', Some(product)) => product * number,
            ('/', Some(product)) => product / number,
            ('-', product) => {
                self.sum += product.unwrap_or_default();
                -number
            }
            (_, product) => {
                self.sum += product.unwrap_or_default();
                number
            }
        });
    }

    fn value(&self) -> Option<f64> {
        self.product.map(|product| self.sum + product)
    }
}

/// What the formula comes to, where that is an integer.
pub(super) fn value(formula: &str) -> Option<String> {
    let (mut brackets, mut rest) = (vec![Bracket::new()], formula.trim());
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '0'..='9' | '.' => {
                length = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
                brackets.last_mut()?.take(rest.get(..length)?.parse().ok()?);
            }
            '+' | '-' | '*' | '/' => brackets.last_mut()?.operator = c,
            '(' if brackets.len() < DEEPEST => brackets.push(Bracket::new()),
            ')' => {
                let inner = brackets.pop()?.value()?;
                brackets.last_mut()?.take(inner);
            }
            ' ' => {}
            _ => return None,
        }
        rest = rest.get(length..)?;
    }
    let [only] = brackets.as_slice() else { return None };
    let value = only.value().filter(|value| value.abs() < EXACT && value.fract() == 0.0)?;
    Some(format!("{value:.0}"))
}
