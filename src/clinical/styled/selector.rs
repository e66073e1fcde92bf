//! Selectors (Selectors 3, and what of level 4 people use), and whether they match an element.
//!
//! Part of `styled`. Promises: lengths are bounded; states that a reader brings about (`:hover`) never match. Fails never: what is not
//! understood may match, and that is said.

use super::content::escaped;
use super::rules::{Holds, list};
use super::tree::{Node, ROOT, Tree};

/// Compounds of one selector, and tests of one compound.
const MOST: usize = 16;
/// Selectors inside `:not()` and `:is()`.
const DEPTH: usize = 2;
/// Elements before or above that are looked at for one selector.
const STEPS: usize = 256;

/// Which box of the element a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Itself,
    Before,
    After,
    Marker,
}

#[derive(Debug)]
pub(super) struct Selector {
    /// The last compound first, each with what joins it to the one before.
    compounds: Vec<(Compound, char)>,
    pub part: Part,
    pub weight: Weight,
    /// Whether all of it is understood.
    pub holds: Holds,
}

/// Identifiers, classes and names that count (Selectors 4, 17).
type Weight = [u16; 3];

#[derive(Debug, Default)]
struct Compound {
    tag: Option<String>,
    tests: Vec<Test>,
}

#[derive(Debug)]
struct Nth {
    step: i64,
    offset: i64,
    is_of_type: bool,
    is_from_end: bool,
}

#[derive(Debug)]
enum Test {
    Class(String),
    Id(String),
    Attribute {
        name: String,
        operator: char,
        value: String,
    },
    /// `an+b` of all children or of those of the same name, from either end.
    Nth(Nth),
    Empty,
    Root,
    Not(Vec<Compound>),
    Any(Vec<Compound>),
    /// The same, and it counts nothing.
    Where(Vec<Compound>),
    Never,
    /// What is not understood.
    Perhaps,
}

impl Selector {
    pub fn parse(text: &str) -> Option<Selector> {
        let mut selector =
            Selector { compounds: Vec::new(), part: Part::Itself, weight: Weight::default(), holds: Holds::Surely };
        let (mut rest, mut joint) = (text.trim(), ' ');
        while !rest.is_empty() {
            let (compound, behind) = compound(rest, &mut selector.part, DEPTH)?;
            let next = behind.trim_start();
            selector.weight = sum(selector.weight, compound.weight());
            selector.holds = selector.holds.max(compound.holds());
            selector.compounds.insert(0, (compound, joint));
            joint = next.chars().next().filter(|c| matches!(c, '>' | '+' | '~')).unwrap_or(' ');
            rest = next.trim_start_matches(['>', '+', '~']).trim_start();
            if behind.len() == rest.len() && !rest.is_empty() || selector.compounds.len() > MOST {
                return None;
            }
        }
        (!selector.compounds.is_empty()).then_some(selector)
    }

    /// What any element that matches has: `p`, `.a`, `#a`, or anything (`*`).
    pub fn key(&self) -> String {
        let last = self.compounds.first().map(|(compound, _)| compound);
        let named = |test: &Test| match test {
            Test::Class(name) => Some(format!(".{name}")),
            Test::Id(name) => Some(format!("#{name}")),
            _ => None,
        };
        let name = last.and_then(|last| last.tests.iter().find_map(named).or_else(|| last.tag.clone()));
        name.unwrap_or_else(|| "*".to_owned())
    }

    pub fn matches(&self, tree: &Tree, node: &Node) -> bool {
        self.matches_from(0, tree, node)
    }

    /// Whether the compound matches, and those that come behind it match elements before or above. No deeper than `MOST`, and
    /// within the steps of the tree.
    fn matches_from(&self, at: usize, tree: &Tree, node: &Node) -> bool {
        let Some((compound, joint)) = self.compounds.get(at) else { return true };
        if !compound.matches(tree, node) {
            return false;
        }
        if at + 1 == self.compounds.len() {
            return true;
        }
        let goes_on = matches!(joint, ' ' | '~');
        let mut candidate = beside(tree, node, *joint);
        for _ in 0..STEPS {
            let Some(other) = candidate else { return false };
            if self.matches_from(at + 1, tree, other) {
                return true;
            }
            candidate = beside(tree, other, *joint).filter(|_| goes_on);
        }
        false
    }
}

/// The element that a combinator looks at next.
fn beside<'t>(tree: &'t Tree, node: &Node, joint: char) -> Option<&'t Node> {
    let parent = tree.node(node.parent).filter(|parent| !std::ptr::eq(*parent, node))?;
    if matches!(joint, ' ' | '>') {
        return Some(parent);
    }
    let before = parent.children.get(..node.at)?.iter().rev().filter_map(|id| tree.node(*id));
    before.into_iter().find(|node| node.is_element())
}

fn sum(one: Weight, other: Weight) -> Weight {
    [0, 1, 2].map(|at| one[at].saturating_add(other[at]))
}

impl Compound {
    fn weight(&self) -> Weight {
        let own = [0, 0, u16::from(self.tag.is_some())];
        self.tests.iter().map(Test::weight).fold(own, sum)
    }

    fn holds(&self) -> Holds {
        let is_unsure = self.tests.iter().any(|test| matches!(test, Test::Perhaps));
        if is_unsure { Holds::Perhaps } else { Holds::Surely }
    }

    fn matches(&self, tree: &Tree, node: &Node) -> bool {
        tree.spend(1)
            && self.tag.as_ref().is_none_or(|tag| *tag == node.name)
            && self.tests.iter().all(|test| test.holds(tree, node))
    }
}

/// The value of an attribute, the comparisons paid for that finding it and looking through it take; nothing where there are no more.
fn attribute_of<'n>(tree: &Tree, node: &'n Node, name: &str) -> Option<&'n str> {
    tree.spend(1 + node.attributes.len() * (1 + name.len() / 16)).then_some(())?;
    node.attribute(name).filter(|own| tree.spend(own.len() / 8))
}

impl Test {
    fn weight(&self) -> Weight {
        match self {
            Test::Id(_) => [1, 0, 0],
            Test::Not(all) | Test::Any(all) => all.iter().map(Compound::weight).max().unwrap_or_default(),
            Test::Where(_) => [0, 0, 0],
            _ => [0, 1, 0],
        }
    }

    fn holds(&self, tree: &Tree, node: &Node) -> bool {
        match self {
            Test::Class(name) => attribute_of(tree, node, "class")
                .is_some_and(|own| own.split_ascii_whitespace().any(|class| class.eq_ignore_ascii_case(name))),
            Test::Id(name) => attribute_of(tree, node, "id").is_some_and(|id| id.eq_ignore_ascii_case(name)),
            Test::Attribute { name, operator, value } => {
                attribute_of(tree, node, name).is_some_and(|own| is_valued(own, *operator, value))
            }
            Test::Nth(nth) => nth.holds(tree, node),
            Test::Empty => node.children.is_empty(),
            Test::Root => tree.node(ROOT).is_some_and(|root| std::ptr::eq(root, node)),
            Test::Not(all) => !all.iter().any(|compound| compound.matches(tree, node)),
            Test::Any(all) | Test::Where(all) => all.iter().any(|compound| compound.matches(tree, node)),
            Test::Never => false,
            Test::Perhaps => true,
        }
    }
}

fn is_valued(own: &str, operator: char, value: &str) -> bool {
    match operator {
        '=' => own.eq_ignore_ascii_case(value),
        '~' => own.split_ascii_whitespace().any(|word| word == value),
        '|' => own.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
        '^' => !value.is_empty() && own.starts_with(value),
        '$' => !value.is_empty() && own.ends_with(value),
        '*' => !value.is_empty() && own.contains(value),
        _ => true,
    }
}

impl Nth {
    fn holds(&self, tree: &Tree, node: &Node) -> bool {
        let behind = self.number(tree, node) - self.offset;
        if self.step == 0 { behind == 0 } else { behind % self.step == 0 && behind / self.step >= 0 }
    }

    /// Which one the element is of its siblings, from one; far ones are not counted.
    fn number(&self, tree: &Tree, node: &Node) -> i64 {
        let all = tree.node(node.parent).map_or(&[][..], |parent| parent.children.as_slice());
        tree.spend(STEPS.min(all.len()));
        let beside = if self.is_from_end { all.get(node.at + 1..) } else { all.get(..node.at) }.unwrap_or_default();
        let is_one = |id: &&usize| {
            tree.node(**id).is_some_and(|other| other.is_element() && (!self.is_of_type || other.name == node.name))
        };
        let count = beside.iter().take(STEPS).filter(is_one).count();
        i64::try_from(count).unwrap_or(i64::MAX - 1) + 1
    }
}

/// One compound, and what follows it.
fn compound<'t>(text: &'t str, part: &mut Part, depth: usize) -> Option<(Compound, &'t str)> {
    let mut compound = Compound::default();
    let (name, mut rest) = identifier(text);
    if !name.is_empty() {
        compound.tag = Some(name.to_ascii_lowercase());
    }
    rest = rest.strip_prefix('*').unwrap_or(rest);
    while let Some(first) = rest.chars().next().filter(|c| matches!(c, '.' | '#' | '[' | ':')) {
        if compound.tests.len() > MOST {
            return None;
        }
        let inside = rest.get(1..)?;
        let (test, behind) = match first {
            '[' => {
                let (inside, behind) = inside.split_once(']')?;
                (Some(attribute(inside)), behind)
            }
            ':' => pseudo(inside, part, depth)?,
            first => {
                let (name, behind) = identifier(inside);
                (Some(if first == '.' { Test::Class(name) } else { Test::Id(name) }), behind)
            }
        };
        compound.tests.extend(test);
        rest = behind;
    }
    (rest.len() < text.len()).then_some((compound, rest))
}

/// A name at the start, its escapes undone, and what is behind it.
fn identifier(text: &str) -> (String, &str) {
    let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let (mut name, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\\' {
            let (c, behind) = escaped(behind);
            name.extend(c);
            rest = behind;
        } else if is_part(&c) {
            name.push(c);
            rest = behind;
        } else {
            break;
        }
    }
    (name, rest)
}

fn attribute(inside: &str) -> Test {
    let (left, value) = inside.split_once('=').unwrap_or((inside, ""));
    let name = left.trim_end_matches(['~', '|', '^', '$', '*']);
    let operator = match left.get(name.len()..).and_then(|sign| sign.chars().next()) {
        Some(sign) => sign,
        None if inside.len() > left.len() => '=',
        None => ' ',
    };
    let value = value.trim().trim_end_matches(" i").trim_matches(['"', '\'']).to_owned();
    Test::Attribute { name: name.trim().to_ascii_lowercase(), operator, value }
}

/// States that come about only by what a reader does, and parts that hold what is shown anyway.
const STATES: &[&str] = &[
    "hover",
    "focus",
    "focus-within",
    "focus-visible",
    "active",
    "visited",
    "target",
    "selection",
    "first-letter",
    "first-line",
    "placeholder",
    "backdrop",
];

/// A pseudo-class, or the part of the element that a pseudo-element is.
fn pseudo<'t>(text: &'t str, part: &mut Part, depth: usize) -> Option<(Option<Test>, &'t str)> {
    let (name, rest) = identifier(text.strip_prefix(':').unwrap_or(text));
    let (argument, rest) = match rest.strip_prefix('(') {
        Some(inside) => inside.split_at(closing(inside)?),
        None => ("", rest),
    };
    let rest = rest.strip_prefix(')').unwrap_or(rest);
    let nth = |text: &str, is_of_type, is_from_end| {
        let nth = steps(text).map(|(step, offset)| Nth { step, offset, is_of_type, is_from_end });
        Some(nth.map_or(Test::Perhaps, Test::Nth))
    };
    let test = match name.to_ascii_lowercase().as_str() {
        "before" => return Some((set(part, Part::Before), rest)),
        "after" => return Some((set(part, Part::After), rest)),
        "marker" => return Some((set(part, Part::Marker), rest)),
        "first-child" => nth("1", false, false),
        "last-child" => nth("1", false, true),
        "first-of-type" => nth("1", true, false),
        "last-of-type" => nth("1", true, true),
        "nth-child" => nth(argument, false, false),
        "nth-last-child" => nth(argument, false, true),
        "nth-of-type" => nth(argument, true, false),
        "nth-last-of-type" => nth(argument, true, true),
        "empty" => Some(Test::Empty),
        "root" => Some(Test::Root),
        "link" | "any-link" => None,
        "not" => Some(all(argument, depth).map_or(Test::Perhaps, Test::Not)),
        "is" | "matches" => Some(all(argument, depth).map_or(Test::Perhaps, Test::Any)),
        "where" => Some(all(argument, depth).map_or(Test::Perhaps, Test::Where)),
        "checked" => Some(attribute("checked")),
        state if STATES.contains(&state) || state.starts_with('-') => Some(Test::Never),
        _ => Some(Test::Perhaps),
    };
    Some((test, rest))
}

fn set(part: &mut Part, own: Part) -> Option<Test> {
    *part = own;
    None
}

/// Where the bracket closes that is open before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ => {}
        }
        open == 0
    })
}

/// Each of a list, if all of it is understood.
fn all(selectors: &str, depth: usize) -> Option<Vec<Compound>> {
    let depth = depth.checked_sub(1)?;
    let one = |text: &str| {
        let (compound, behind) = compound(text, &mut Part::Itself, depth)?;
        (behind.trim().is_empty() && compound.holds() == Holds::Surely).then_some(compound)
    };
    let all = list(selectors);
    if all.len() > MOST { None } else { all.into_iter().map(one).collect() }
}

/// `2n+1`, `odd`, `3`.
fn steps(text: &str) -> Option<(i64, i64)> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).take(MOST).collect::<String>().to_ascii_lowercase();
    match text.as_str() {
        "odd" => return Some((2, 1)),
        "even" => return Some((2, 0)),
        _ => {}
    }
    let Some((step, offset)) = text.split_once('n') else { return Some((0, text.parse().ok()?)) };
    let step = match step {
        "" | "+" => 1,
        "-" => -1,
        step => i64::from(step.parse::<i32>().ok()?),
    };
    let offset = if offset.is_empty() { 0 } else { offset.trim_start_matches('+').parse::<i32>().ok()? };
    Some((step, i64::from(offset)))
}

#[cfg(test)]
mod tests {
    use super::super::tree;
    use super::*;

    /// The texts of the elements that match.
    fn matched(markup: &str, selector: &str) -> String {
        let tree = tree::of(markup, 1_000_000);
        let selector = Selector::parse(selector).unwrap();
        let all = tree.nodes.iter().filter(|node| node.is_element() && selector.matches(&tree, node));
        all.filter_map(|node| node.children.first().and_then(|id| tree.node(*id))).map(|n| n.text.as_str()).collect()
    }

    #[test]
    fn selectors_match_what_they_say() {
        let page = "<div class='a b' id=c><p>1<p x=yes>2<i>3</i><i>4</i><i lang=en-GB>5</i></div><p>6";
        for (selector, expected) in [
            ("p", "126"),
            (".a > p", "12"),
            ("div i", "345"),
            ("#c p + p", "2"),
            ("P[X]", "2"),
            ("[x=\"yes\"]", "2"),
            ("[x^=y] i", "345"),
            ("[lang|=en]", "5"),
            ("i:first-child", "3"),
            ("i:nth-child( 2n + 1 )", "35"),
            ("i:nth-last-child(2)", "4"),
            ("i ~ i", "45"),
            ("i:not(:last-child)", "34"),
            (":is(i, u):last-child", "5"),
            ("div.a.b#c > p > i:nth-of-type(even)", "4"),
            ("p:hover", ""),
            (".z p", ""),
            (".\\61 > p", "12"),
            ("div p i:nth-child(3)", "5"),
            ("i:not(:first-child, :last-child)", "4"),
            ("p:has(i)", "126"),
        ] {
            assert_eq!(matched(page, selector), expected, "{selector}");
        }
        let nested = "<div class=a><div><div><i>1</i></div></div></div>";
        assert_eq!(matched(nested, ".a > div i"), "1", "the nearest one that matches is not the only one");
        assert_eq!(Selector::parse("a::before").unwrap().part, Part::Before);
        for (selector, weight, holds) in [
            ("#a.b i:hover", [1, 2, 1], Holds::Surely),
            (":is(#a, .b):where(#c)[d]", [1, 1, 0], Holds::Surely),
            ("p:lang(en)", [0, 1, 1], Holds::Perhaps),
            (":not(:has(a)):is(b > c)", [0, 2, 0], Holds::Perhaps),
            ("a:nth-child(2 of .b)", [0, 1, 1], Holds::Perhaps),
        ] {
            let selector = Selector::parse(selector).unwrap();
            assert_eq!((selector.weight, selector.holds), (weight, holds), "{selector:?}");
        }
        assert!(Selector::parse("@media (x)").is_none() && Selector::parse("").is_none());
    }
}
