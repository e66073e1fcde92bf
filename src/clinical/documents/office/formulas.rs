//! Formulas that only count and sum (ECMA-376 part 1, 18.17): programmes write them without their values, and no identifier comes of
//! them.
//!
//! Called by `reader`. Promises: one pass. Fails never: a formula that is not understood is none of these.

/// Functions that make no text, and no longer numbers than their arguments are.
const PLAIN: &[&str] = &["SUM", "SUBTOTAL", "AVERAGE", "COUNT", "COUNTA", "MIN", "MAX", "ROUND", "IF"];
/// Digits of a number that is an argument.
const ARGUMENT: usize = 5;
/// Digits of a number that is a factor or a summand, and how many of those there may be.
const OPERAND: usize = 2;
const OPERANDS: usize = 2;

/// Whether the formula is nothing but such functions, cells and small numbers.
pub(super) fn only_counts(formula: &str) -> bool {
    let (mut rest, mut seen) = (formula.trim(), Seen::default());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            'A'..='Z' | 'a'..='z' | '$' => word(rest),
            '0'..='9' | '.' => number(rest),
            '+' | '*' | '/' | '-' | '(' | ')' | ',' | ';' | ':' | '<' | '>' | '=' | ' ' => 1,
            _ => return false,
        };
        let Some((token, behind)) = rest.split_at_checked(length) else { return false };
        if !seen.takes(token, behind) {
            return false;
        }
        rest = behind;
    }
    seen.is_plain()
}

#[derive(Default)]
struct Seen {
    works: bool,
    has_operators: bool,
    numbers: usize,
    longest: usize,
}

impl Seen {
    /// Whether the token may be in such a formula.
    fn takes(&mut self, token: &str, behind: &str) -> bool {
        match token.as_bytes().first() {
            Some(b'+' | b'-' | b'*' | b'/') => (self.works, self.has_operators) = (true, true),
            Some(b'0'..=b'9' | b'.') => {
                self.numbers += 1;
                self.longest = self.longest.max(token.bytes().filter(u8::is_ascii_digit).count());
                // `1E9`
                return !behind.starts_with(|c: char| c.is_ascii_alphabetic());
            }
            Some(b'A'..=b'Z' | b'a'..=b'z') if behind.starts_with('(') => {
                self.works = true;
                return PLAIN.iter().any(|name| name.eq_ignore_ascii_case(token));
            }
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'$') => return is_reference(token),
            _ => {}
        }
        true
    }

    fn is_plain(&self) -> bool {
        let most = if self.has_operators { OPERAND } else { ARGUMENT };
        self.works && self.longest <= most && (!self.has_operators || self.numbers <= OPERANDS)
    }
}

fn word(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_' | b'.')).count()
}

fn number(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count()
}

/// `A1`, `$B$2`, `C`: a name may stand for anything.
fn is_reference(token: &str) -> bool {
    let token = token.strip_prefix('$').unwrap_or(token);
    let letters = token.bytes().take_while(u8::is_ascii_alphabetic).count();
    let row = token.get(letters..).unwrap_or_default();
    let row = row.strip_prefix('$').unwrap_or(row);
    (1..=3).contains(&letters) && row.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::only_counts;

    #[test]
    fn formulas_that_make_identifiers_are_told_from_those_that_count() {
        for formula in [
            "SUM(B2:B13)",
            "A1*B1",
            "ROUND(AVERAGE($C$2:$C$900),2)",
            "IF(A1>1000,B1,0)",
            "B2*1.2",
            "SUBTOTAL(109,D2:D50)",
        ] {
            assert!(only_counts(formula), "{formula}");
        }
        for formula in [
            "A1",
            "A1*10000+B1",
            "A1*10*10*10+B1",
            "943476*10000+5919",
            "SUM(943476,10)",
            "\"943\"&A1",
            "A1&B1",
            "CONCATENATE(A1,B1)",
            "IF(A1=1,\"943\",B1)",
            "TEXT(A1,0)",
            "number+1",
            "SUM(A1)^9",
            "A1*1E9",
        ] {
            assert!(!only_counts(formula), "{formula}");
        }
    }
}
