//! What style sheets and programmes in markup change of what is shown (CSS 2.2: 9.2.4, 11.2, 12.2).
//!
//! Called by `leaf` with markup, and with what `html` read of it. Promises: linear; a further reading only where something may
//! be hidden. Fails never: a rule that is not understood hides nothing here, and everything is in the first reading anyway.

mod content;
mod drift;
mod elsewhere;
mod laid;
mod places;
mod rules;
mod selector;
mod sheet;
mod signs;
mod style;
mod tree;

use super::html::divider;
use super::page::Page;
use super::tags;
pub(super) use elsewhere::{Beside, has_sheet};
use html5gum::emitters::callback::CallbackEvent;
pub(super) use laid::Laid;
use signs::{arranges, has_digit, is_name, last_name, reveals, value_behind};
use std::collections::BTreeSet;

/// Names in selectors that are kept.
const NAMES: usize = 256;
/// Letters around a colon that are looked at.
const NEAR: usize = 32;
/// Octets of a value that are looked at, and of one that is a word or two.
const VALUE: usize = 1024;
const SHORT: usize = 64;
/// No name: one with letters that are escaped may be any.
const ESCAPED: &str = "\\";
/// Before names that browsers had before they were agreed on.
const VENDOR: &str = "-webkit-";
/// What runs a programme without `<script>`.
const EVENTS: &[&str] =
    &["\nonload ", "\nonerror ", "\nonclick ", "\nonfocus ", "\nontoggle ", "\nonbegin ", "\nonpageshow "];

/// Whether a programme may write what is shown.
pub(super) fn has_script(markup: &str, shown: &str) -> bool {
    let is_script = |at: usize| {
        let is_named = markup.get(at + 1..at + 7).is_some_and(|name| name.eq_ignore_ascii_case("script"));
        is_named && !is_data(markup.get(at + 7..).unwrap_or_default())
    };
    memchr::memchr_iter(b'<', markup.as_bytes()).any(is_script) || EVENTS.iter().any(|event| shown.contains(event))
}

/// Whether a script, from behind its name, is data for search engines: nothing but its type says so.
fn is_data(tag: &str) -> bool {
    const TYPES: [&str; 2] = ["application/ld+json", "application/json"];
    let said = tag.trim_start().strip_prefix("type=").and_then(|said| said.get(1..));
    said.is_some_and(|said| {
        TYPES.iter().any(|kind| said.strip_prefix(kind).is_some_and(|r| r.starts_with(['"', '\''])))
    })
}

/// The page as its style sheet arranges it, within so many steps; nothing where that is as `html` reads it.
pub(super) fn arranged(markup: &str, shown: &str, steps: &mut usize) -> Option<Laid> {
    let has_moved = || ["<details", "<DETAILS", "<tfoot", "<TFOOT"].iter().any(|tag| markup.contains(tag));
    let hides_by_more = || hides(shown) && (reveals(shown) || hiding(shown).iter().any(|one| !is_name(one)));
    (arranges(shown) || has_moved() || hides_by_more()).then(|| laid::of(markup, shown, steps))
}

/// Whether a rule writes digits of its own.
pub(super) fn has_generated_digits(shown: &str) -> bool {
    let (mut colons, mut looked_to) = (memchr::memchr_iter(b':', shown.as_bytes()), 0);
    colons.any(|at| {
        // What stands inside a value was looked at with it.
        if at < looked_to || !is_named(shown, at, &["content"]) {
            return false;
        }
        let value = value_behind(shown, at, VALUE);
        let text = value.trim_start();
        let is_text = text.starts_with(['"', '\'']);
        looked_to = if is_text { at + value.len() } else { looked_to };
        is_text && has_digit(text)
    })
}

/// Whether the name before the colon ends with one of these.
fn is_named(text: &str, colon: usize, names: &[&str]) -> bool {
    let name = last_name(text, colon);
    if name == ESCAPED.as_bytes() {
        return true;
    }
    let ends_so = |own: &&str| {
        name.len()
            .checked_sub(own.len())
            .is_some_and(|at| name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(own.as_bytes())))
    };
    names.iter().any(ends_so)
}

/// How values begin that hide what they are given to, and by which properties.
const HIDING: &[(&str, &[&str])] = &[
    ("none", &["display"]),
    ("hidden", &["visibility"]),
    ("collapse", &["visibility"]),
    ("0", &["font-size", "opacity", "font", "height", "max-height", "max-width"]),
    ("-", &["left", "right", "top", "text-indent"]),
    ("all", &["mso-hide"]),
    ("rect(0", &["clip"]),
    ("rect(1px", &["clip"]),
    ("inset(", &["clip-path"]),
    ("scale(0", &["transform"]),
];

/// The properties that the value hides by.
fn hidden_by(value: &str) -> &'static [&'static str] {
    let value = value.trim_start().as_bytes();
    let digits = |from: usize| value.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let goes_on = |word: &str| match word {
        "0" => !value.get(1).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.'),
        // Farther away than a screen is wide; in em, too.
        "-" => digits(1) > 2,
        "scale(0" => !value.get(7).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.'),
        _ => true,
    };
    let begins = |word: &str| value.get(..word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word.as_bytes()));
    HIDING.iter().find(|(word, _)| begins(word) && goes_on(word)).map_or(&[], |(_, properties)| properties)
}

/// Whether one of the declarations hides what it is given to.
fn hides(declarations: &str) -> bool {
    memchr::memchr_iter(b':', declarations.as_bytes()).any(|at| {
        let properties = hidden_by(declarations.get(at + 1..).unwrap_or_default());
        !properties.is_empty() && is_named(declarations, at, properties)
    })
}

/// The text without what is hidden; nothing where nothing may be.
pub(super) fn visible(markup: &str, shown: &str) -> Option<String> {
    let is_hidden = hides(shown) || shown.contains("\nhidden") || has_fallback(markup);
    is_hidden.then(|| Visible::new(hidden_names(shown)).read(markup))
}

/// Elements whose content is shown only where a programme does not know them, runs nothing, or is asked to.
const FALLBACKS: &[&[u8]] = &[
    b"template",
    b"datalist",
    b"noscript",
    b"noembed",
    b"noframes",
    b"dialog",
    b"canvas",
    b"audio",
    b"video",
    b"progress",
    b"meter",
    b"iframe",
    // Annotations (HTML 4.5.11 and 4.5.12): above or beside what they annotate, or not at all.
    b"rt",
    b"rp",
];

fn has_fallback(markup: &str) -> bool {
    let markup = markup.as_bytes();
    memchr::memchr_iter(b'<', markup).any(|at| {
        let name = markup.get(at + 1..).unwrap_or_default();
        let Some(first) = name.first().map(u8::to_ascii_lowercase) else { return false };
        let is_one = |own: &&[u8]| name.get(..own.len()).is_some_and(|name| name.eq_ignore_ascii_case(own));
        FALLBACKS.iter().filter(|own| own.first() == Some(&first)).any(is_one)
    })
}

/// The selectors of the rules that hide.
fn hiding(shown: &str) -> Vec<String> {
    let mut all = Vec::new();
    for rule in shown.split('}').filter(|rule| hides(rule)) {
        let Some((selectors, declarations)) = rule.rsplit_once('{') else { continue };
        if !hides(declarations) {
            continue;
        }
        let selectors = selectors.rsplit(['{', '\n', ';']).find(|line| !line.trim().is_empty()).unwrap_or_default();
        let room = NAMES.saturating_sub(all.len());
        all.extend(selectors.split(',').take(room).map(|selector| selector.trim().to_ascii_lowercase()));
    }
    all
}

/// The names of elements, classes and identifiers that rules hide.
fn hidden_names(shown: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for selector in hiding(shown) {
        let last = selector.split_whitespace().next_back().unwrap_or_default();
        let name = last.rsplit(['.', '#']).next().unwrap_or_default();
        if names.len() < NAMES && !name.is_empty() {
            names.insert(name.to_owned());
        }
    }
    names
}

/// The state of reading what is visible.
struct Visible {
    names: BTreeSet<String>,
    page: Page,
    /// The element whose tag is read.
    tag: Vec<u8>,
    attribute: Vec<u8>,
    tag_hides: bool,
    /// The hidden element, and how many of its name are open.
    hidden: Option<(Vec<u8>, usize)>,
    /// Annotations, one after the other as they are shown.
    above: String,
}

impl Visible {
    fn new(names: BTreeSet<String>) -> Visible {
        let (page, tag, attribute) = (Page::default(), Vec::new(), Vec::new());
        Visible { names, page, tag, attribute, tag_hides: false, hidden: None, above: String::new() }
    }

    fn read(mut self, markup: &str) -> String {
        tags::read(markup, |event| self.event(event));
        let mut seen = self.page.finish();
        if !self.above.is_empty() {
            seen.push_str("\n;\n");
            seen.push_str(&self.above);
        }
        seen
    }

    fn event(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::String { value } => match &self.hidden {
                None => self.page.text(value),
                Some((name, _)) if name == b"rt" => self.above.push_str(&String::from_utf8_lossy(value)),
                Some(_) => {}
            },
            CallbackEvent::OpenStartTag { name } => {
                self.tag = name.to_vec();
                self.tag_hides = self.is_named(name) || FALLBACKS.contains(name);
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute = name.to_vec();
                self.tag_hides |= *name == b"hidden";
            }
            CallbackEvent::AttributeValue { value } => self.tag_hides |= self.attribute_hides(value),
            CallbackEvent::CloseStartTag { self_closing } => self.opened(*self_closing),
            CallbackEvent::EndTag { name } => self.closed(name),
            _ => {}
        }
    }

    fn is_named(&self, name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| self.names.contains(&name.to_ascii_lowercase()))
    }

    fn attribute_hides(&self, value: &[u8]) -> bool {
        match self.attribute.as_slice() {
            b"style" => hides(&String::from_utf8_lossy(value)),
            b"display" => value.eq_ignore_ascii_case(b"none"),
            b"visibility" => value.eq_ignore_ascii_case(b"hidden"),
            b"class" | b"id" => value.split(u8::is_ascii_whitespace).any(|name| self.is_named(name)),
            _ => false,
        }
    }

    fn opened(&mut self, self_closing: bool) {
        self.hidden.take_if(|(name, depth)| *depth == 1 && ends_by(name, &self.tag));
        // HTML knows elements without an end; a slash ends nothing else.
        let is_void = self_closing
            || matches!(self.tag.as_slice(), b"br" | b"img" | b"hr" | b"input" | b"meta" | b"link" | b"wbr" | b"col");
        match &mut self.hidden {
            Some((name, depth)) if *name == self.tag && !is_void => *depth += 1,
            Some(_) => {}
            None if self.tag_hides && !is_void => self.hidden = Some((self.tag.clone(), 1)),
            None => self.page.open(&self.tag),
        }
    }

    fn closed(&mut self, name: &[u8]) {
        match &mut self.hidden {
            Some((own, depth)) if own == name => *depth -= 1,
            Some((own, depth)) if name == b"ruby" && matches!(own.as_slice(), b"rt" | b"rp") => *depth = 0,
            Some(_) => {}
            None => self.page.close(name),
        }
        self.hidden.take_if(|(_, depth)| *depth == 0);
    }
}

/// Whether an element that is open ends where another begins (HTML 13.1.2.4).
fn ends_by(open: &[u8], begun: &[u8]) -> bool {
    match open {
        b"p" => divider(begun) == Some(b"\n") && begun != b"br",
        b"li" => begun == b"li",
        b"dt" | b"dd" => matches!(begun, b"dt" | b"dd"),
        b"td" | b"th" => matches!(begun, b"td" | b"th" | b"tr" | b"tbody" | b"tfoot"),
        b"tr" => matches!(begun, b"tr" | b"tbody" | b"tfoot"),
        b"option" => matches!(begun, b"option" | b"optgroup"),
        b"rt" | b"rp" => matches!(begun, b"rt" | b"rp"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::html;
    use super::*;

    #[test]
    fn what_is_hidden_is_left_out_of_a_further_reading() {
        for markup in [
            "NHS number 943<span style=\"display:none\">1</span> 476 5919",
            "NHS number 943<span style='color:red; DISPLAY : None'>1<span>2</span></span> 476 5919",
            "NHS number 943<span hidden>1</span> 476 5919",
            "<style>b, i.x {visibility:hidden}</style>NHS number 943<i class='y x'>1</i> 476<b>3</b> 5919",
            "NHS n<b style='font:0/0 a'>x</b>umber 943<i style='position:absolute;left:-999em'>1</i> 476 5919",
            "N<b style='max-height: 0px;overflow:hidden'>x</b>HS number 943<b style='mso-hide:all'>1</b> 476 5919",
            "NHS num<b style='clip:rect(0 0 0 0)'>x</b>ber 943<b style='transform:scale(0)'>1</b> 476 5919",
        ] {
            let seen = visible(markup, &html::text(markup)).unwrap();
            assert!(seen.contains("NHS number 943 476 5919"), "{markup}: {seen}");
        }
        for markup in [
            "<p>NHS number 943<p style='display:none'>12<p>476 5919",
            "<table><tr><td>NHS number 943<td style='display:none'>12<td>476 5919</table>",
            "NHS number 943<Template> 8 </Template> 476<datalist><option>3</datalist> 5919",
            "NHS number 943<dialog> 8 </dialog> 476<canvas> 3 </canvas> 5919",
            "NHS number <ruby>943 <rp>(<rt>12</rt><rp>)</ruby><ruby>476 <rt>x<rt>y</ruby>5919",
            "<ruby>a<rp>(</rp><rt>NHS number 943</rt></ruby> <ruby>b<rt> 476 5919</rt></ruby>",
        ] {
            let seen = visible(markup, &html::text(markup)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
            let seen = seen.replace(" ruby ", " ");
            assert!(seen.contains("NHS number 943 476 5919"), "{markup}: {seen}");
        }
        for shown in ["color:red", "left:-9px;top:0", "opacity:0.5;font-size:09px", "overflow:hidden;max-height:01px"] {
            let markup = format!("<p style='{shown}'>x");
            assert_eq!(visible(&markup, &html::text(&markup)), None, "{shown}");
        }
    }

    #[test]
    fn what_rules_and_programmes_write_is_known() {
        let generated = |markup: &str| has_generated_digits(&html::text(markup));
        assert!(generated("<style>b:before{content:\"943 476 59\"}</style>"));
        assert!(generated("<style>b:before{content : '\\39'}</style>"));
        assert!(generated("<style>b:before{content/* of the box */ : '9'}</style>"));
        assert!(!generated("<style>b:before{content:\"\\201C\"}</style>"));
        let arranged = |markup: &str| arranged(markup, &html::text(markup), &mut 10_000).is_some();
        assert!(arranged("<style>a:b{CONTENT : 'NHS'}</style>") && arranged("<p style='x:y;order:2'>"));
        assert!(arranged("<style>a>b{display:none}</style>") && arranged("<p DIR=rtl>"));
        assert!(arranged("<style>caption{caption-side:bottom}</style>"));
        for hidden in ["i{display:none}b{display:inline}", ".a .b{display:none}", "i.b{font-size:0}"] {
            assert!(arranged(&format!("<style>{hidden}</style>")), "{hidden}");
        }
        for usual in ["a:after{content:'';color:red}", "a:before{content:'\\f101'}", "p{border:1px;float:right}"] {
            assert!(!arranged(&format!("<style>{usual} a{{display:none}}</style>Order: of things")), "{usual}");
        }
        let script = |markup: &str| has_script(markup, &html::text(markup));
        assert!(script("<ScRipt>x</script>") && script("<body onload='x()'>"));
        assert!(!script("<p>script onload </p>") && !script("<script type=\"application/ld+json\">{}</script>"));
        assert!(script("<script type='application/json-x'>") && script("<script type=\"text/javascript\">"));
    }
}
