//! What simple formulas come to: constants, cells and names, put together and counted (OpenFormula 1.3, 5; ECMA-376 part 1, 18.17).
//!
//! Called at the end of a part, for values that a programme works out anew when it opens it. Promises: linear in the formula,
//! which is short; brackets only so deep. Fails with nothing where a formula has anything else.

use super::numbers;
use super::rendering;

/// Characters of a formula that is worked out, and of what it comes to.
const LONGEST: usize = 512;
const RESULT: usize = 256;
/// Brackets inside one another.
const DEEPEST: usize = 16;

/// Where the values are that a formula refers to.
pub(super) trait Known {
    /// Those of a cell, of a range of them, or of a name; nothing where nobody knows them.
    fn values(&self, reference: &str) -> Option<Vec<String>>;
}

/// What the formula comes to.
pub(super) fn value(formula: &str, known: &dyn Known) -> Option<String> {
    let formula = formula.trim();
    let formula = formula.strip_prefix("of:").or_else(|| formula.strip_prefix("ooow:")).unwrap_or(formula);
    let formula = formula.strip_prefix("oooc:").or_else(|| formula.strip_prefix("msoxl:")).unwrap_or(formula);
    let rest = formula.strip_prefix('=').unwrap_or(formula);
    if rest.len() > LONGEST {
        return None;
    }
    let mut parser = Parser { rest, known, depth: 0 };
    let value = parser.joined()?;
    parser.rest.trim().is_empty().then(|| value.text()).filter(|text| text.len() <= RESULT)
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(f64),
    Text(String),
}

impl Value {
    fn of(text: String) -> Value {
        // What begins with a nought is no number of anything.
        let is_plain = text.len() == 1 || !text.starts_with('0');
        match text.parse::<f64>() {
            Ok(number) if is_plain && number.is_finite() => Value::Number(number),
            _ => Value::Text(text),
        }
    }

    fn text(self) -> String {
        match self {
            Value::Number(number) => numbers::shown(&number.to_string()).into_owned(),
            Value::Text(text) => text,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) if text.trim().is_empty() => Some(0.0),
            Value::Text(text) => text.trim().parse().ok(),
        }
    }
}

struct Parser<'f, 'k> {
    rest: &'f str,
    known: &'k dyn Known,
    depth: usize,
}

impl<'f> Parser<'f, '_> {
    fn takes(&mut self, mark: char) -> bool {
        self.rest = self.rest.trim_start();
        let behind = self.rest.strip_prefix(mark);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    /// Pieces that `&` joins.
    fn joined(&mut self) -> Option<Value> {
        let mut all = self.sum()?;
        while self.takes('&') {
            let text = all.text() + &self.sum()?.text();
            all = Value::Text(text).short()?;
        }
        Some(all)
    }

    fn sum(&mut self) -> Option<Value> {
        let mut all = self.product()?;
        loop {
            let sign = match () {
                () if self.takes('+') => 1.0,
                () if self.takes('-') => -1.0,
                () => return Some(all),
            };
            all = Value::Number(all.number()? + sign * self.product()?.number()?);
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut all = self.power()?;
        loop {
            all = match () {
                () if self.takes('*') => Value::Number(all.number()? * self.power()?.number()?),
                () if self.takes('/') => Value::Number(all.number()? / self.power()?.number()?),
                () => return Some(all),
            };
        }
    }

    fn power(&mut self) -> Option<Value> {
        let base = self.single()?;
        if !self.takes('^') {
            return Some(base);
        }
        let power = self.single()?.number()?;
        Some(Value::Number(base.number()?.powf(power)))
    }

    fn single(&mut self) -> Option<Value> {
        if self.takes('-') {
            let number = self.atom()?.number()?;
            return Some(Value::Number(-number));
        }
        self.atom()
    }

    fn atom(&mut self) -> Option<Value> {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            '"' => self.string(),
            '(' => {
                let value = self.within(|parser| parser.joined())?;
                Some(value)
            }
            '[' => {
                let (inside, behind) = self.rest.strip_prefix('[')?.split_once(']')?;
                self.rest = behind;
                self.reference(inside)
            }
            '0'..='9' | '.' => {
                let number = self.word(|c| c.is_ascii_digit() || c == '.');
                number.parse().ok().map(Value::Number)
            }
            c if c.is_alphabetic() || matches!(c, '$' | '_') => self.named(),
            _ => None,
        }
    }

    /// What stands between brackets, the first of which is next.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST || !self.takes('(') {
            return None;
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        self.takes(')').then_some(value)
    }

    fn word(&mut self, is_of_it: impl Fn(char) -> bool) -> &'f str {
        let end = self.rest.find(|c| !is_of_it(c)).unwrap_or(self.rest.len());
        let (word, behind) = self.rest.split_at(end);
        self.rest = behind;
        word
    }

    /// Quotes in it are doubled.
    fn string(&mut self) -> Option<Value> {
        let mut text = String::new();
        loop {
            let (inside, behind) = self.rest.strip_prefix('"')?.split_once('"')?;
            text.push_str(inside);
            self.rest = behind;
            if !behind.starts_with('"') {
                return Some(Value::Text(text));
            }
            text.push('"');
        }
    }

    /// A function, a cell, a range of cells, or a name.
    fn named(&mut self) -> Option<Value> {
        let name = self.word(|c| c.is_alphanumeric() || matches!(c, '$' | '_' | '.' | ':' | '[' | ']' | '!'));
        if !self.rest.starts_with('(') {
            return self.reference(name);
        }
        let arguments = self.within(|parser| parser.arguments())?;
        function(&name.to_ascii_uppercase(), arguments)
    }

    fn reference(&self, reference: &str) -> Option<Value> {
        match self.known.values(reference)?.as_slice() {
            [one] => Some(Value::of(one.clone())),
            _ => None,
        }
    }

    /// Arguments; a range among them is as many of them as it has cells.
    fn arguments(&mut self) -> Option<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            match self.range() {
                Some(values) => all.extend(values.into_iter().map(Value::of)),
                None => all.push(self.joined()?),
            }
            if !(self.takes(',') || self.takes(';')) {
                return Some(all);
            }
        }
    }

    fn range(&mut self) -> Option<Vec<String>> {
        let end = self.rest.find([',', ';', ')']).unwrap_or(self.rest.len());
        let (range, behind) = self.rest.split_at(end);
        let inside = range.trim().trim_start_matches('[').trim_end_matches(']');
        let values = inside.contains(':').then(|| self.known.values(inside))??;
        self.rest = behind;
        Some(values)
    }
}

impl Value {
    fn short(self) -> Option<Value> {
        match &self {
            Value::Text(text) if text.len() > RESULT => None,
            _ => Some(self),
        }
    }
}

fn function(name: &str, arguments: Vec<Value>) -> Option<Value> {
    let count = |at: usize, usual: f64| arguments.get(at).map_or(Some(usual), Value::number);
    let text = |at: usize| arguments.get(at).cloned().map(Value::text);
    match name {
        "CONCATENATE" | "CONCAT" => {
            Value::Text(arguments.into_iter().map(Value::text).collect::<Vec<_>>().concat()).short()
        }
        "SUM" => arguments.iter().map(Value::number).sum::<Option<f64>>().map(Value::Number),
        "PRODUCT" => arguments.iter().map(Value::number).product::<Option<f64>>().map(Value::Number),
        "TEXT" => {
            let (value, code) = (text(0)?, text(1)?);
            rendering::shown(&code, rendering::Value::of(&value, false)).map(Value::Text)
        }
        "VALUE" | "N" | "INT" | "ROUND" => Some(Value::Number(count(0, 0.0)?.round())),
        "T" | "TRIM" => Some(Value::Text(text(0)?.trim().to_owned())),
        "CHAR" | "UNICHAR" => {
            let code = format!("{:.0}", count(0, 0.0)?).parse::<u32>().ok()?;
            Some(Value::Text(char::from_u32(code)?.to_string()))
        }
        "LEFT" => piece(&text(0)?, 0.0, count(1, 1.0)?),
        "MID" => piece(&text(0)?, count(1, 1.0)? - 1.0, count(2, 0.0)?),
        "RIGHT" => {
            let (text, wanted) = (text(0)?, count(1, 1.0)?);
            let length = u32::try_from(text.chars().count()).ok()?;
            piece(&text, (f64::from(length) - wanted).max(0.0), wanted)
        }
        _ => None,
    }
}

fn piece(text: &str, start: f64, count: f64) -> Option<Value> {
    let whole = |number: f64| format!("{:.0}", number.clamp(0.0, 1e6)).parse::<usize>().ok();
    Some(Value::Text(text.chars().skip(whole(start)?).take(whole(count)?).collect()))
}

#[cfg(test)]
mod tests {
    use super::{Known, value};

    struct Cells;

    impl Known for Cells {
        fn values(&self, reference: &str) -> Option<Vec<String>> {
            match reference {
                "A1" | ".A1" => Some(vec!["943".to_owned()]),
                "B1" => Some(vec!["476 5919".to_owned()]),
                "A1:B1" => Some(vec!["943".to_owned(), "4765919".to_owned()]),
                "Z1" => Some(vec![String::new()]),
                _ => None,
            }
        }
    }

    #[test]
    fn simple_formulas_are_worked_out() {
        for (formula, expected) in [
            ("A1&\" \"&B1", Some("943 476 5919")),
            ("of:=[.A1]&\"4\"\"\"", Some("9434\"")),
            ("943476*10000+5919", Some("9434765919")),
            ("ooow:943", Some("943")),
            ("-(1+2)*3/2^2+Z1", Some("-2.25")),
            ("CONCATENATE(A1,\"476\";5919)", Some("9434765919")),
            ("CONCAT(A1:B1)", Some("9434765919")),
            ("SUM(A1:B1)", Some("4766862")),
            ("TEXT(9434765919,\"000 000 0000\")", Some("943 476 5919")),
            ("LEFT(A1,2)&RIGHT(B1,2)&MID(B1,2,1)&CHAR(57)", Some("941979")),
            ("\"0943\"&1", Some("09431")),
            ("unknown+1", None),
            ("IF(A1,1,2)", None),
            ("A1&", None),
            ("\"943", None),
            ("A1:B1", None),
        ] {
            assert_eq!(value(formula, &Cells).as_deref(), expected, "{formula}");
        }
        assert_eq!(value(&format!("{}1{}", "(".repeat(200), ")".repeat(200)), &Cells), None);
    }
}
