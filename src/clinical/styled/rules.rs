//! The rules of a style sheet (CSS Syntax 3, 9), those inside others (CSS Nesting 1) and inside `@media` and the like among them.
//!
//! Part of `styled`. Promises: linear; so many levels and no more, and `is_cut` says that there were more. Fails never: what is not
//! understood is passed over.

/// Levels of rules inside one another.
const LEVELS: usize = 8;
/// Selectors that a rule has from those around it.
const AROUND: usize = 64;
/// Octets of what such selectors become.
const LONGEST: usize = 4_096;
/// What holds other rules, if something is so.
const CONDITIONS: &[&str] =
    &["media", "supports", "container", "layer", "scope", "document", "-moz-document", "starting-style"];
/// Conditions that hold wherever mail is read.
const SURE: &[&str] = &["", "all", "screen", "only screen"];

/// Whether a rule holds for what it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    Surely,
    /// As nobody here can tell.
    Perhaps,
}

/// A rule as it is written.
pub(super) struct Rule<'r> {
    pub selectors: &'r str,
    pub block: &'r str,
    pub holds: Holds,
}

/// Those to whom rules are given, and whether there were more.
pub(super) struct Rules<F> {
    found: F,
    is_cut: bool,
}

/// Gives `found` each rule, in order; whether there were more than were looked at. Comments are gone from `text`.
pub(super) fn read(text: &str, found: impl FnMut(&Rule<'_>)) -> bool {
    let mut rules = Rules { found, is_cut: false };
    rules.within(text, None, Holds::Surely, LEVELS);
    rules.is_cut
}

impl<F: FnMut(&Rule<'_>)> Rules<F> {
    /// What stands in one block, whose rule has the selectors.
    fn within(&mut self, text: &str, around: Option<&str>, holds: Holds, levels: usize) {
        let (mut rest, mut own, mut inner) = (text, String::new(), Vec::new());
        while let Some(at) = cut(rest, b"{;}") {
            let (before, behind) = (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
            if rest.as_bytes().get(at) != Some(&b'{') {
                if around.is_some() {
                    own.push_str(before);
                    own.push(';');
                }
                rest = behind;
                continue;
            }
            let (block, behind) = behind.split_at(end_of_block(behind));
            inner.push((before.trim(), block));
            rest = behind.get(1..).unwrap_or_default();
        }
        if let Some(selectors) = around {
            own.push_str(rest);
            (self.found)(&Rule { selectors, block: &own, holds });
        }
        for (prelude, block) in inner {
            self.rule(prelude, block, (around, holds), levels);
        }
    }

    fn rule(&mut self, prelude: &str, block: &str, (around, holds): (Option<&str>, Holds), levels: usize) {
        let Some(levels) = levels.checked_sub(1) else {
            self.is_cut = true;
            return;
        };
        let Some(at_rule) = prelude.strip_prefix('@') else {
            let selectors = around.map_or_else(|| prelude.to_owned(), |around| nested(prelude, around));
            return self.within(block, Some(&selectors), holds, levels);
        };
        let name = at_rule.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
        if CONDITIONS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            let condition = at_rule.get(name.len()..).unwrap_or_default().trim().to_ascii_lowercase();
            let is_sure = name.eq_ignore_ascii_case("media") && SURE.contains(&condition.as_str());
            self.within(block, around, if is_sure { holds } else { Holds::Perhaps }, levels);
        }
    }
}

/// The selectors of a rule inside another (CSS Nesting 1, 3.1).
fn nested(prelude: &str, around: &str) -> String {
    let mut all = String::new();
    for outer in list(around).into_iter().take(AROUND) {
        let octets = |inner: &str| inner.len() + (1 + inner.matches('&').count()) * outer.len();
        for inner in list(prelude).into_iter().take(AROUND) {
            if all.len() + octets(inner) > LONGEST {
                break;
            }
            let one = match inner.contains('&') {
                true => inner.replace('&', outer),
                false => format!("{outer} {inner}"),
            };
            all.push_str(if all.is_empty() { "" } else { "," });
            all.push_str(&one);
        }
    }
    all
}

/// The pieces between commas that stand in no string and no brackets.
pub(super) fn list(text: &str) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some(at) = cut(rest, b",") {
        all.push(rest.get(..at).unwrap_or_default().trim());
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    all.push(rest.trim());
    all
}

/// Where a block ends: at the brace that is its own.
fn end_of_block(text: &str) -> usize {
    let (mut from, mut open) = (0, 1usize);
    while let Some(at) = text.get(from..).and_then(|rest| cut(rest, b"{}")) {
        open = if text.as_bytes().get(from + at) == Some(&b'{') { open + 1 } else { open - 1 };
        if open == 0 {
            return from + at;
        }
        from += at + 1;
    }
    text.len()
}

/// Where the first of the marks stands that is in no string and no brackets.
pub(super) fn cut(text: &str, marks: &[u8]) -> Option<usize> {
    let (mut quote, mut is_escaped, mut open) = (None, false, 0usize);
    text.bytes().position(|byte| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match (byte, quote) {
            (b'\\', _) => is_escaped = true,
            (byte, Some(own)) if byte == own || byte == b'\n' => quote = None,
            (_, Some(_)) => {}
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'(', None) => open += 1,
            (b')', None) => open = open.saturating_sub(1),
            (byte, None) => return marks.contains(&byte) && (open == 0 || matches!(byte, b'}' | b'{')),
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut all = Vec::new();
        read(text, |rule| {
            let doubt = if rule.holds == Holds::Perhaps { "?" } else { "" };
            all.push(format!("{}{doubt}{{{}}}", rule.selectors, rule.block.trim_matches(';').trim()));
        });
        all.join(" ")
    }

    #[test]
    fn rules_are_found_wherever_they_stand() {
        for (text, expected) in [
            ("@import 'x'; a,b{c:d} e{}", "a,b{c:d} e{}"),
            ("@media screen{a{c:d}} @media (x){b{c:d}} e{c:d}", "a{c:d} b?{c:d} e{c:d}"),
            ("@layer a,b; @layer a{b{c:d}}", "b?{c:d}"),
            ("@font-face{c:d} @keyframes x{from{c:d}} e{c:d}", "e{c:d}"),
            ("a{c:d;& b{e:f} g{h:i} j:k}", "a{c:d; j:k} a b{e:f} a g{h:i}"),
            ("a,b{&:is(x,y){e:f}}", "a,b{} a:is(x,y),b:is(x,y){e:f}"),
            ("a{@media print{c:d}} e{c:'}';g:h}", "a{} a?{c:d} e{c:'}';g:h}"),
            ("} a{b:c", "a{b:c}"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn levels_and_selectors_inside_others_are_bounded() {
        let deep = format!("{}{}", "a{".repeat(50_000), "}".repeat(50_000));
        assert!(read(&deep, |_| {}));
        let wide = format!("{}{{b:c}}{}", format!("{}{{", "a,".repeat(1_000)).repeat(7), "}".repeat(7));
        let mut longest = 0;
        read(&wide, |rule| longest = longest.max(rule.selectors.len()));
        assert!((1..2 * LONGEST).contains(&longest), "{longest}");
    }
}
