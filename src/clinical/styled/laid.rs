//! A page as its style sheet arranges it: generated content (CSS 2.2, 12), boxes in another order (Flexbox 1, 5), text from right to left,
//! and nothing of what any selector hides.
//!
//! Part of `styled`. Promises: time linear in the page and in the rules that may match an element; so much text comes out and no more,
//! and `is_cut` says that there was more. Fails never.

use super::super::html::divider;
use super::ESCAPED;
use super::content::{Context, strings};
use super::drift::Drift;
use super::places::{self, FLOAT, Place, Valued};
use super::selector::Part;
use super::sheet::{Declared, Sheet, declarations};
use super::signs;
use super::style::{Declarations, Style};
use super::tree::{self, Node, ROOT, Tree};
use std::collections::BTreeMap;

/// Octets that may come out beyond twice the page.
const ROOM: usize = 65_536;
/// What gives an element a place among its neighbours.
const PLACED: &[&str] = &[
    ESCAPED,
    "order",
    "float",
    "position",
    "grid-area",
    "grid-row",
    "grid-column",
    "grid-row-start",
    "grid-column-start",
    "grid-row-end",
    "grid-column-end",
];
const MARKS: &str = "'\u{201C}' '\u{201D}' '\u{2018}' '\u{2019}'";

/// What was read.
#[derive(Debug, Default)]
pub(in super::super) struct Laid {
    pub text: String,
    pub is_cut: bool,
    /// Figures stand where nobody here can tell.
    pub is_adrift: bool,
}

/// `shown`: what `html` read of it; `steps`: comparisons that may still be made in this message.
pub(in super::super) fn of(markup: &str, shown: &str, steps: &mut usize) -> Laid {
    let tree = tree::of(markup, *steps);
    let sheet = Sheet::parse(&tree.sheet);
    let (text, context, room) = (String::new(), Context::default(), markup.len().saturating_mul(2) + ROOM);
    let has_places = signs::declares(shown, PLACED);
    let has_drift = has_places || signs::moves(shown);
    let (is_in_order, drift) = (false, Drift::default());
    let mut layout =
        Layout { tree: &tree, sheet: &sheet, context, text, room, has_places, has_drift, is_in_order, drift };
    let around = Inherited { marks: MARKS.to_owned(), is_unsure: sheet.is_unsure, ..Inherited::default() };
    layout.element(ROOT, &around);
    let is_cut = tree.is_cut() || sheet.is_cut || layout.text.len() >= room;
    *steps = tree.steps();
    let is_adrift = layout.drift.is_in_number(&layout.text);
    Laid { text: layout.text, is_cut, is_adrift }
}

/// What an element has from those around it.
#[derive(Debug, Default, Clone)]
struct Inherited {
    marks: String,
    /// `list-style`.
    list: String,
    is_unseen: bool,
    is_from_right: bool,
    /// Nobody here can tell where it stands.
    is_unsure: bool,
}

struct Layout<'t> {
    tree: &'t Tree,
    sheet: &'t Sheet,
    context: Context,
    text: String,
    room: usize,
    /// Some element may stand elsewhere than among its neighbours.
    has_places: bool,
    /// Some element may be moved.
    has_drift: bool,
    /// Whether the element that is read stands where its place puts it among its neighbours.
    is_in_order: bool,
    drift: Drift,
}

impl Layout<'_> {
    fn style(&self, node: &Node) -> Style {
        let mut style = Style::default();
        for declared in self.sheet.declared(self.tree, node) {
            let all = || declared.block.usual.iter().chain(&declared.block.important);
            let octets: usize = all().map(|[name, value]| name.len() + value.len()).sum();
            if !self.tree.spend(all().count() + octets / 8) {
                break;
            }
            style.add(&declared);
        }
        let own = node.attribute("style").map(declarations).unwrap_or_default();
        style.add(&Declared { part: Part::Itself, block: &own, is_unsure: false });
        for each in style.each() {
            each.settle();
        }
        for value in style.own.values_mut().filter(|value| value.contains("var(")) {
            *value = self.context.resolved(value, self.tree);
        }
        self.tree.spend(style.own.iter().map(|[_, value]| 1 + value.len() / 8).sum());
        style
    }

    /// No deeper than the tree has levels.
    fn element(&mut self, id: usize, around: &Inherited) {
        let Some(node) = self.tree.node(id).filter(|_| self.text.len() < self.room && self.tree.spend(1)) else {
            return;
        };
        if !node.is_element() {
            let start = self.text.len();
            self.words(&node.text, around);
            if around.is_unsure {
                self.drift.note(&self.text, start);
            }
            return;
        }
        let is_hidden = node.attribute("hidden").is_some();
        if is_hidden || matches!(node.name.as_str(), "script" | "template" | "title") {
            return;
        }
        let (variables, start, is_in_order) = (self.context.variables.len(), self.text.len(), self.is_in_order);
        let style = self.declared_variables(node);
        let within = self.inherited(node, &style, around);
        if !style.own.is_gone() {
            self.boxed(node, &style, &within, around);
        }
        let own = &style.own;
        let is_moved = || self.has_drift && (places::is_adrift(own) || (places::is_away(own) && !is_in_order));
        if within.is_unsure || is_moved() {
            self.drift.note(&self.text, start);
        }
        self.context.variables.truncate(variables);
    }

    /// The style of an element, its variables in force.
    fn declared_variables(&mut self, node: &Node) -> Style {
        let style = self.style(node);
        let own = style.own.variables().cloned();
        let before = self.context.variables.len();
        self.context.variables.extend(own);
        // Those of the element itself count for its own values.
        if self.context.variables.len() > before { self.style(node) } else { style }
    }

    fn inherited(&self, node: &Node, style: &Style, around: &Inherited) -> Inherited {
        let mut within = around.clone();
        let style = &style.own;
        within.is_unsure |= style.is_unsure || style.is_animated();
        if let Some(marks) = style.value("quotes") {
            marks.clone_into(&mut within.marks);
        }
        if let Some((_, list)) = style.latest(&["list-style-type", "list-style"]) {
            list.clone_into(&mut within.list);
        }
        match style.value("visibility") {
            Some(value) if value.eq_ignore_ascii_case("visible") => within.is_unseen = false,
            Some(value) => {
                within.is_unseen = value.eq_ignore_ascii_case("hidden") || value.eq_ignore_ascii_case("collapse")
            }
            None => {}
        }
        let direction = style.value("direction").or_else(|| node.attribute("dir"));
        if let Some(direction) = direction {
            within.is_from_right = direction.eq_ignore_ascii_case("rtl");
        }
        within
    }

    fn boxed(&mut self, node: &Node, style: &Style, within: &Inherited, around: &Inherited) {
        let divider = divider(node.name.as_bytes()).unwrap_or_default();
        let start = self.text.len();
        self.divide(divider);
        self.count(node, &style.own);
        if node.name == "li" {
            self.marker(node, style, within);
        }
        self.generated(&style.before, node, within);
        self.field(node);
        self.children(node, &style.own, within);
        self.generated(&style.after, node, within);
        self.divide(divider);
        if within.is_from_right && !around.is_from_right {
            if !self.tree.spend(1 + self.text.len() - start) {
                return;
            }
            let is_override = node.name == "bdo" || style.own.is("unicode-bidi", "bidi-override");
            let turned = self.text.get(start..).map(|text| if is_override { by_letters(text) } else { by_words(text) });
            self.text.truncate(start);
            self.text.push_str(&turned.unwrap_or_default());
        }
    }

    fn divide(&mut self, divider: &[u8]) {
        match divider {
            b"\n" if self.text.ends_with('\n') => {}
            divider => self.text.push_str(std::str::from_utf8(divider).unwrap_or_default()),
        }
    }

    /// CSS Lists 3, 4: counters, and the one that numbers of items are.
    fn count(&mut self, node: &Node, style: &Declarations) {
        let start = node.attribute("start").and_then(|start| start.trim().parse::<i64>().ok());
        match (node.name.as_str(), node.attribute("value")) {
            ("ol", _) if node.attribute("reversed").is_some() => {
                let items =
                    node.children.iter().filter_map(|id| self.tree.node(*id)).filter(|n| n.name == "li").count();
                self.context.set("list-item", start.unwrap_or(i64::try_from(items).unwrap_or(0)).saturating_add(1));
            }
            ("ol", _) => self.context.set("list-item", start.unwrap_or(1).saturating_sub(1)),
            ("ul", _) => self.context.set("list-item", 0),
            ("li", Some(value)) => self.context.set(&format!("list-item {}", value.trim()), 0),
            ("li", None) => {
                let list = self.tree.node(node.parent);
                let is_reversed = list.is_some_and(|list| list.attribute("reversed").is_some());
                self.context.increment(if is_reversed { "list-item -1" } else { "list-item" });
            }
            _ => {}
        }
        for name in ["counter-reset", "counter-increment", "counter-set"] {
            let Some(value) = style.value(name).filter(|value| self.tree.spend(value.len())) else { continue };
            match name {
                "counter-increment" => self.context.increment(value),
                _ => self.context.set(value, 0),
            }
        }
    }

    fn marker(&mut self, node: &Node, style: &Style, within: &Inherited) {
        if style.marker.value("content").is_some() {
            return self.generated(&style.marker, node, within);
        }
        self.tree.spend(within.list.len() / 8);
        let text = strings(&within.list).into_iter().next();
        self.text.push_str(&text.unwrap_or_default());
    }

    /// What a sheet writes before or behind an element, or as its mark.
    fn generated(&mut self, style: &Declarations, node: &Node, within: &Inherited) {
        let is_unseen = match style.value("visibility") {
            Some(value) => !places::begins(value, &["visible"]),
            None => within.is_unseen,
        };
        let Some(content) = style.value("content").filter(|_| !is_unseen && !style.is_gone()) else { return };
        let (variables, start) = (self.context.variables.len(), self.text.len());
        self.context.variables.extend(style.variables().cloned());
        let content = self.context.resolved(content, self.tree);
        self.context.variables.truncate(variables);
        if !self.tree.spend(1 + content.len() + within.marks.len() / 8) {
            return;
        }
        let text = self.context.text(&content, node, &within.marks);
        self.text.push_str(&text);
        if within.is_unsure || style.is_unsure || places::is_placed(style) || places::is_adrift(style) {
            self.drift.note(&self.text, start);
        }
    }

    fn field(&mut self, node: &Node) {
        let shown = match node.name.as_str() {
            "img" => node.attribute("alt"),
            "input" if !node.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("hidden")) => {
                node.attribute("value")
            }
            _ => None,
        };
        if let Some(shown) = shown {
            self.text.push(' ');
            self.text.push_str(shown);
            self.text.push(' ');
        }
    }

    fn children(&mut self, node: &Node, style: &Declarations, within: &Inherited) {
        let children = self.ordered(node, style);
        let is_moved = children.as_deref().is_some_and(|children| children != node.children);
        let is_in_order = std::mem::replace(&mut self.is_in_order, children.is_some());
        for child in children.as_deref().unwrap_or(&node.children) {
            self.is_in_order = children.is_some();
            self.element(*child, within);
            if is_moved {
                self.text.push(' ');
            }
        }
        self.is_in_order = is_in_order;
    }

    /// The children in the order in which they are shown, where that may be another one.
    fn ordered(&mut self, node: &Node, style: &Declarations) -> Option<Vec<usize>> {
        let name = |id: &usize| self.tree.node(*id).map_or("", |child| child.name.as_str());
        match node.name.as_str() {
            "details" if node.attribute("open").is_none() => {
                return Some(node.children.iter().copied().filter(|id| name(id) == "summary").collect());
            }
            "select" => {
                let options = || node.children.iter().copied().filter(|id| name(id) == "option");
                let is_selected = |id: &usize| self.tree.node(*id).is_some_and(|o| o.attribute("selected").is_some());
                return Some(options().rfind(is_selected).or_else(|| options().next()).into_iter().collect());
            }
            // HTML 4.9.7: the foot is the last row, wherever it is written.
            "table" => {
                let mut rows = node.children.clone();
                let is_below = |id: &usize| {
                    let own = || self.tree.node(*id).map(|node| self.style(node));
                    let is_so = |style: &Declarations| style.is("caption-side", "bottom");
                    name(id) == "caption" && (is_so(style) || own().is_some_and(|style| is_so(&style.own)))
                };
                rows.sort_by_cached_key(|id| match name(id) {
                    "caption" if is_below(id) => 3,
                    "thead" => 0,
                    "tfoot" => 2,
                    _ => 1,
                });
                return Some(rows);
            }
            _ => {}
        }
        // Most elements have nothing that could stand elsewhere.
        if node.children.len() < 2 || !(self.has_places || style.is_reversed()) {
            return None;
        }
        let is_blank = |id: &usize| self.tree.node(*id).is_some_and(|n| !n.is_element() && n.text.trim().is_empty());
        let visible = node.children.iter().copied().filter(|id| !is_blank(id));
        let (visible, areas): (Vec<usize>, _) = (visible.collect(), places::areas(style));
        let mut places: Vec<(Place, usize)> = visible.into_iter().map(|id| (self.place(id, &areas), id)).collect();
        let is_usual =
            places.iter().filter(|(place, _)| *place != Place::default()).count() < usize::min(2, places.len());
        if is_usual && !style.is_reversed() {
            return None;
        }
        // Floats to the right stand before what they follow, the first rightmost.
        let is_float = |place: &Place| *place == FLOAT;
        for run in places.chunk_by_mut(|a, b| is_float(&a.0) && is_float(&b.0)).filter(|run| is_float(&run[0].0)) {
            run.reverse();
            run.iter_mut().for_each(|(place, _)| *place = Place::default());
        }
        places::in_lines(&mut places);
        places.sort_by_key(|(place, _)| *place);
        if style.is_reversed() {
            places.reverse();
        }
        Some(places.into_iter().map(|(_, id)| id).collect())
    }

    fn place(&mut self, id: usize, areas: &BTreeMap<&str, [i64; 2]>) -> Place {
        let Some(node) = self.tree.node(id).filter(|node| node.is_element()) else { return Place::default() };
        let variables = self.context.variables.len();
        let style = self.declared_variables(node);
        self.context.variables.truncate(variables);
        places::of(&style.own, areas)
    }

    /// Text, its white space as one character.
    fn words(&mut self, text: &str, around: &Inherited) {
        if around.is_unseen {
            return;
        }
        let is_blank = |c: char| c.is_ascii_whitespace();
        if text.starts_with(is_blank) && !self.text.ends_with(is_blank) {
            self.text.push(' ');
        }
        let mut words = text.split_ascii_whitespace().peekable();
        while let Some(word) = words.next() {
            self.text.push_str(word);
            if words.peek().is_some() || text.ends_with(is_blank) {
                self.text.push(' ');
            }
        }
    }
}

/// Lines whose words go from right to left (UAX #9): numbers do, up to the first word of letters that go from left to right.
fn by_words(text: &str) -> String {
    let turned = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let first = words.iter().position(|word| word.chars().any(char::is_alphabetic)).unwrap_or(words.len());
        let (numbers, letters) = words.split_at(first);
        letters.iter().chain(numbers.iter().rev()).copied().collect::<Vec<_>>().join(" ")
    };
    text.split('\n').map(turned).collect::<Vec<_>>().join("\n")
}

fn by_letters(text: &str) -> String {
    text.split('\n').map(|line| line.chars().rev().collect()).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::Laid;

    fn of(markup: &str) -> Laid {
        super::of(markup, &super::super::super::html::text(markup), &mut 20_000_000)
    }

    #[test]
    fn what_style_sheets_write_is_shown() {
        for markup in [
            "<style>b:before{content:\"943\"}i:before{content:'476'}u::after{content:'59\\31 9'}</style><p>NHS number <b></b> <i></i> <u></u>",
            "<style>p{counter-reset:a 943 b 476 c 5919}p:after{content:counter(a) ' ' counter(b) ' ' counter(c)}</style><p>NHS number </p>",
            "<style>p:after{content:attr(a) ' ' attr(b) ' ' attr(c)}</style><p a=943 b=476 c=5919>NHS number </p>",
            "<style>i{quotes:'943' ''}b{quotes:'476' ''}u{quotes:'5919' ''} i:before,b:before,u:before{content:open-quote}</style>\
             <p>NHS number <i></i> <b></b> <u></u>",
            "<style>p{--a:\"943\";--b:\"476\"}p:after{content:var(--a) ' ' var(--b) ' ' var(--c,'5919')}</style><p>NHS number </p>",
            "<style>li{list-style-type:\"943 476 \"}</style>NHS number<ul><li>5919</ul>",
            "<style>li::marker{content:'943 476 '}</style>NHS number<ul><li>5919</ul>",
        ] {
            let text = of(markup).text.replace('\n', " ");
            assert!(text.contains("NHS number 943 476 5919"), "{markup}: {text}");
        }
    }

    #[test]
    fn boxes_stand_in_the_order_of_their_style() {
        for markup in [
            "<p style='display:flex;flex-direction:row-reverse'><i>5919</i><i>476</i> <i>943</i><i>NHS number</i>",
            "<style>.x{float:right}</style><p>NHS number <span class=x>5919</span> <span class=x>476</span><b class=x>943</b>",
            "<div style=display:flex>NHS number<i style='-webkit-order:3'>5919</i><i style='order:1'>943</i><i style=order:2>476</i></div>",
            "NHS number<div dir=rtl>5919 476 <b>943</b></div>",
            "<p style='direction:rtl'>5919 476 943 NHS number",
            "NHS number <bdo dir=rtl>9195 674 349</bdo>",
            "<div style=display:grid>NHS number<i style='grid-column:3'>5919</i><i style='grid-area:1/1'>943</i><i style='grid-column-start:2'>476</i>",
            "<div style='display:grid;grid-template-areas:\"z a b c\"'><i style='grid-area:c'>5919</i><i style='grid-area:a'>943</i><i style='grid-area:b'>476</i><b style=grid-area:z>NHS number</b></div>",
            "<style>i{position:absolute;top:3px}.a{left:2in}.b{l\\65 ft:4em}</style><p>NHS number <i class=a>5919</i><i style='left:1px'>943</i><i class=b>476</i>",
            "<style>i{posi\\74 ion:\\61 bsolute !important}</style><p>NHS number <i style='left:8ch;top:1px'>476</i><i style='left:10px;top:9px'>943</i><i style='right:1px;top:8px'>5919</i>",
            "<p>NHS number <i style='--o:3;order:var(--o)'>5919</i><i style='order:1'>943</i><i style='order:2'>476</i>",
            "<table><tfoot><tr><td>5919</tfoot><tbody><tr><td>476</tbody><thead><tr><td>NHS number 943</thead></table>",
        ] {
            let text = of(markup).text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("NHS number 943 476 5919"), "{markup}: {text}");
        }
    }

    #[test]
    fn figures_that_are_moved_by_what_is_not_worked_out_are_known() {
        for style in [
            "margin-left:-3em",
            "transform:translateX(9px)",
            "position:relative;right:3em",
            "position:relative;left:-999px",
        ] {
            let moved = format!("476 <b><i style='{style}'>943</i></b> 5919");
            assert!(
                of(&format!("<p>The patient whose NHS number is {moved} was seen in the clinic of this hospital"))
                    .is_adrift
            );
        }
        for wrapped in [
            "<b><i style='position:absolute;left:9px'>476</i></b>",
            "<i style='position:absolute;left:var(--x)'>476</i>",
        ] {
            assert!(of(&format!("<p>943 5919 {wrapped}")).is_adrift, "{wrapped}");
        }
        for usual in [
            "<p>&pound;12<i style='position:relative;top:-9px'>99</i>",
            "<p>9434765919 <i style='margin:1px'>9</i>",
            "<p><img src=a.png style='margin-left:-3px'> 0044 20 7946 0958",
            "<p>Call <a style='position:relative;left:20px'>+44 20 7946 0958</a>",
            "<td><div style='margin:0 -15px'>Invoice 2024-000123456</div>",
            "<p>9434765919 <i style='margin-left:-3em'>x</i>",
        ] {
            assert!(!of(usual).is_adrift, "{usual}");
        }
    }

    #[test]
    fn what_counts_most_is_shown() {
        let pieces = "<div style=display:flex>NHS number<i id=c class=z style='order:1'>5919</i><i id=a class=x \
                      style='order:3'>943</i><i id=b class=y>476</i></div>";
        for sheet in [
            "#a{order:1!important}#b{order:2!important}#c{order:3!important}.z{order:0}i{order:0!important}",
            ".x{order:1!important}.y{order:2!important}.z{order:3 ! IMPORTANT}#c{order:0}",
            "div{& .x{order:1!important} .y{order:2!important} > .z{order:3!important}}",
            "div div i{order:0!important}div i.x{order:1!important}.y{order:2!important}i:nth-child(1):is(.z){order:3!important}.y{order:2}",
            ".\\78{order:1!important}.y{order:2!important}:not(.x,.y).z{order:3!important}",
        ] {
            let text = of(&format!("<style>{sheet}</style>{pieces}")).text;
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("NHS number 943 476 5919"), "{sheet}: {text}");
        }
        for markup in [
            "<style>i{display:none}i.b{display:inline}</style>NHS number <i class=b>943</i> <i>8</i><i class=b>476</i> 5919",
            "<style>.a .b{display:none}</style>NHS number <i class=b>943</i> <u class=a><i class=b>8</i></u><i class=b>476</i> 5919",
            "<style>i{display:none!important}</style>NHS number 943 <i style='display:inline'>8</i>476 5919",
            "<style>b:before{content:'8';display:none}i:after{content:'476'}</style>NHS number 943 <b></b><i></i> 5919",
            "<style>b:before{--a:'943';content:var(--a)}</style>NHS number <b></b> 476 5919",
            "<style>p{counter-reset:a 1}p{counter-reset:a 943}b:after{content:counter(a)}</style><p>NHS number <b></b> 476 5919",
            "<style>li::marker{content:counter(list-item)}</style>NHS number<ol reversed start=943><li> 476 5919</ol>",
            "<style>caption{caption-side:bottom}</style><table><caption>5919</caption><tr><td>NHS number 943 476</table>",
        ] {
            let text = of(markup).text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("NHS number 943 476 5919"), "{markup}: {text}");
        }
    }

    #[test]
    fn figures_that_rules_arrange_which_may_not_hold_are_known() {
        let pieces =
            "<p>The number that is meant <i class=c>5919</i> <i class=a>943</i> <i class=b>476</i> and no other";
        for sheet in [
            "@media (min-width:1px){.a{order:1}}",
            "@supports (display:grid){.a{position:absolute}}",
            "@layer x{p{flex-direction:row-reverse}}",
            "p:has(i){direction:rtl}",
            ".a:lang(en){float:right}",
            "x|p{order:1}",
            ".a{animation:x 1s forwards} @keyframes x{to{order:1}}",
            ".a{order:min(1,2)}",
        ] {
            assert!(of(&format!("<style>{sheet}</style>{pieces}")).is_adrift, "{sheet}");
        }
        for sheet in
            [".a:hover{order:1}", "@media screen{p{color:red}}", "@media (x){p{display:block}}", "x|p{color:red}"]
        {
            assert!(!of(&format!("<style>{sheet}</style>{pieces}")).is_adrift, "{sheet}");
        }
        let telephone =
            "<style>@media (x){*{float:none}}</style><p>Call <b>020 7946 0958</b> or <b>12</b> to 14 High Street";
        assert!(!of(telephone).is_adrift);
    }

    #[test]
    fn what_any_selector_hides_is_not_shown() {
        for markup in [
            "<style>.a>.b{display:none}[x]{display:none}</style><p class=a>NHS number 943<span class=b> 8 </span> 476<i x=1> 3 </i> 5919",
            "<style>p>span{max-height:0}p>i{text-indent:-999px}</style><p>NHS number 943<span> 8 </span> 476<i> 3 </i> 5919",
            "<style>p span:nth-child(1){display:none}</style><p>NHS number 943<span> 8 </span> 476 5919",
            "<style>p>*{visibility:hidden}p>b{visibility:visible}</style><p>NHS number 943<i> 8 </i><b> 476</b> 5919",
            "NHS number 943<details><summary>476</summary>8</details>5919",
            "NHS number<select><option>9<option selected>943</select> 476 5919",
        ] {
            let text = of(markup).text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("NHS number 943 476 5919"), "{markup}: {text}");
        }
    }

    #[test]
    fn deep_elements_before_a_page_hide_nothing_of_it() {
        let page = "<style>i:after{content:attr(title)}</style>943 <i title='476'></i> 5919";
        let deep = format!("{}{}{page}", "<b>".repeat(200), "</b>".repeat(200));
        assert!(of(&deep).text.contains("943 476 5919"), "{}", of(&deep).text);
    }

    #[test]
    fn what_a_sheet_makes_an_element_cost_is_bounded_and_said() {
        let marks = format!("'{}'", "x".repeat(59)).repeat(64);
        let content = format!("attr(z) {}", "no-open-quote ".repeat(285));
        let quotes =
            format!("<style>body{{quotes:{marks}}}i:before{{content:{content}}}</style>{}", "<i></i>".repeat(20_000));
        let own: String = (0..64).map(|n| format!("--a{n}:{};", "y".repeat(4_000))).collect();
        let variables = format!("<style>{}p{{{own}}}</style>{}", "*,".repeat(2_000), "<p>x</p>".repeat(500));
        for page in [quotes, variables] {
            let begun = std::time::Instant::now();
            assert!(of(&page).is_cut);
            assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
        }
    }

    #[test]
    fn pages_without_an_end_to_them_are_cut() {
        let deep = "<b>".repeat(50_000);
        assert!(of(&deep).is_cut);
        let wide = format!("<style>i:before{{content:'{}'}}</style>{}", "9".repeat(1_000), "<i></i>".repeat(1_000));
        assert!(of(&wide).is_cut);
    }
}
