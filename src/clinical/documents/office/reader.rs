//! Reads one part of an office document: gives each element its role, and its text to the flow.
//!
//! Called by `office`. Promises: all character data and every attribute that says something is told, in the text or aside.
//! Fails never: what is wrong with the markup is said by `xml`.

use super::attributes;
use super::dialect::Dialect;
use super::flow::{Flow, Readings, SOFT, Told};
use super::numbering::Numbering;
use super::numbers;
use super::roles::{self, Role, Sign};
use super::strings::Strings;
use super::styles::Styles;
use super::xml::{Element, Visitor};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Columns that one cell may be wide.
const WIDEST: usize = 64;
/// Blanks that one element may stand for.
const BLANKS: usize = 16;

/// The state of reading one part.
pub(super) struct Reader<'a, 's> {
    flow: Flow,
    strings: &'s mut Strings,
    frames: Vec<Frame<'a>>,
    readings: Readings,
    /// Fields' instructions.
    fields: String,
    /// Text of the innermost element that was not told yet.
    pending: String,
    place: Place,
    /// Where the string that is read begins.
    string: usize,
    files: Vec<String>,
    /// What could not be told.
    unread: BTreeSet<&'static str>,
    styles: Styles,
    numbering: Numbering,
}

/// An element that is open.
struct Frame<'a> {
    dialect: Dialect,
    local: &'a str,
    role: Role,
    /// The readings outside it.
    outside: Readings,
    /// For alternatives: whether one was taken. For stories: whether it is one of its own.
    is_settled: bool,
}

/// Where in a spreadsheet the reader is.
#[derive(Default)]
struct Place {
    /// Of the next cell.
    column: usize,
    /// Tabs written in this row.
    tabs: usize,
    kind: String,
    value: String,
    formula: Formula,
}

/// How the cell comes by what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Formula {
    #[default]
    None,
    /// Nobody says yet what it comes to.
    Open,
    /// The same, and it has digits of its own.
    OpenWithDigits,
}

/// What was in a part.
pub(super) struct Part {
    pub told: Told,
    /// Files in base64.
    pub files: Vec<String>,
    /// What could not be told.
    pub unread: BTreeSet<&'static str>,
    pub styles: Styles,
}

impl<'a, 's> Reader<'a, 's> {
    pub fn new(strings: &'s mut Strings, room: usize) -> Reader<'a, 's> {
        Reader {
            flow: Flow::new(room),
            strings,
            frames: Vec::new(),
            readings: Readings::ALL,
            fields: String::new(),
            pending: String::new(),
            place: Place::default(),
            string: 0,
            files: Vec::new(),
            unread: BTreeSet::new(),
            styles: Styles::default(),
            numbering: Numbering::default(),
        }
    }

    /// With the styles of the parts that were read before.
    pub fn knowing(self, styles: Styles) -> Reader<'a, 's> {
        Reader { styles, ..self }
    }

    pub fn finish(mut self) -> Part {
        self.styles.settle();
        if !self.fields.trim().is_empty() {
            self.flow.note("", &self.fields);
        }
        Part { told: self.flow.finish(), files: self.files, unread: self.unread, styles: self.styles }
    }

    /// What begins with an element; its own readings are those inside it.
    fn begin(&mut self, element: &Element<'a, '_>, frame: &mut Frame<'a>) {
        match frame.role {
            Role::Paragraph | Role::Line => {
                self.flow.fresh_line(self.readings);
                self.span(element, "paragraph");
            }
            Role::Table => frame.is_settled = self.flow.is_in_cell() && self.flow.begin_story(),
            Role::Story => frame.is_settled = self.flow.begin_story(),
            Role::Row => self.place.column = 0,
            Role::Cell => self.cell(element),
            Role::Place => self.placed(element),
            Role::Value => self.place.value.clear(),
            Role::Formula => self.place.formula = Formula::Open,
            Role::Shared => self.string = self.flow.len(),
            Role::Inserted => self.readings = self.readings.and(Readings::SHOWN),
            Role::Deleted | Role::Gone => self.readings = self.readings.and(Readings::OTHER),
            Role::Choice => {
                let known = element.attribute("Requires").is_none_or(|all| all.split(' ').all(|p| element.knows(p)));
                self.alternative(known);
            }
            Role::Fallback => self.alternative(true),
            Role::Sign(sign) => self.sign(sign, element),
            Role::Vanish => self.vanish(element),
            Role::Span => self.span(element, "text"),
            Role::Style => self.styles.begin(element),
            Role::Styled => self.styled(element),
            Role::ColumnSpan => {
                let columns = element.attribute("val").and_then(|val| val.parse().ok()).unwrap_or(1);
                self.flow.widen_cell(usize::min(columns, WIDEST));
            }
            Role::FieldEnd => self.fields.push('\n'),
            Role::Plain if frame.dialect == Dialect::Foreign => self.readings = self.readings.and(Readings::HIDDEN),
            Role::Plain if frame.dialect == Dialect::Odf => self.style_of(element),
            Role::Plain if element.local == "basedOn" => self.styles.derive(element),
            Role::Plain if frame.dialect == Dialect::Word => self.counted(element),
            _ => {}
        }
    }

    fn end(&mut self, frame: &Frame<'a>) {
        match frame.role {
            Role::Paragraph | Role::Line => self.flow.line(self.readings),
            Role::Table | Role::Story if frame.is_settled => self.flow.end_story(),
            Role::Story => self.flow.line(self.readings),
            Role::Row => {
                self.place = Place::default();
                self.flow.end_row();
            }
            Role::Cell => self.flow.end_cell(self.readings),
            Role::Place => self.end_place(),
            Role::Value => self.value(frame.dialect),
            Role::Shared => {
                self.strings.push(self.flow.shown().get(self.string..).unwrap_or_default());
                self.flow.push("\n", Readings::ALL);
            }
            _ => {}
        }
        self.readings = frame.outside;
    }

    /// The first alternative that a programme of today knows is shown; programmes that know less show others.
    fn alternative(&mut self, is_known: bool) {
        let Some(alternatives) = self.frames.last_mut().filter(|frame| frame.role == Role::Alternatives) else {
            return;
        };
        let is_shown = is_known && !alternatives.is_settled;
        alternatives.is_settled |= is_known;
        self.readings = self.readings.and(if is_shown { Readings::SHOWN } else { Readings::OTHER });
    }

    /// A cell of a table in a text, or in OpenDocument.
    fn cell(&mut self, element: &Element<'a, '_>) {
        let number = |name| element.attribute(name).and_then(|count| count.parse::<usize>().ok());
        let columns = number("number-columns-repeated").unwrap_or(1).min(WIDEST);
        let value = element.attribute("value").map(|value| numbers::shown(&value).into_owned());
        self.flow.begin_cell(columns, value.unwrap_or_default());
    }

    /// A cell of a spreadsheet (ECMA-376 part 1, 18.3.1.4; in the XML of 2003 columns are counted from one).
    fn placed(&mut self, element: &Element<'a, '_>) {
        let place = &mut self.place;
        place.kind.clear();
        place.formula = Formula::None;
        let mut column = None;
        element.attributes(|name, value| match name {
            "r" => column = numbers::column(value),
            "Index" => column = value.parse::<usize>().ok().and_then(|index| index.checked_sub(1)),
            "t" => value.clone_into(&mut place.kind),
            _ => {}
        });
        let column = column.unwrap_or(place.column);
        self.flow.tabs(column.saturating_sub(place.tabs));
        place.tabs = place.tabs.max(column);
        place.column = column.saturating_add(1);
        self.flow.begin_place();
    }

    /// A programme shows what the formula comes to; where nobody wrote that down, nobody here knows it. An empty string is
    /// a value, too, as long as the formula has no digits of its own.
    fn end_place(&mut self) {
        let is_string = self.place.kind == "str";
        match std::mem::take(&mut self.place.formula) {
            Formula::OpenWithDigits => self.unread.insert("formula without value"),
            Formula::Open if !is_string => self.unread.insert("formula without value"),
            _ => false,
        };
        self.flow.end_place();
    }

    fn value(&mut self, dialect: Dialect) {
        let value = std::mem::take(&mut self.place.value);
        if !value.trim().is_empty() {
            self.place.formula = Formula::None;
        }
        let shared = if self.place.kind == "s" && dialect == Dialect::Sheet { self.strings.get(&value) } else { None };
        match shared {
            Some(text) => self.flow.push(text, self.readings),
            None => self.flow.push(&numbers::shown(&value), self.readings),
        }
        if dialect != Dialect::Sheet {
            self.flow.line(self.readings);
        }
    }

    fn sign(&mut self, sign: Sign, element: &Element<'a, '_>) {
        let is_setting = self.frames.last().is_some_and(|frame| frame.role == Role::Tabs);
        match sign {
            Sign::Tab if is_setting => {}
            // A tab would begin another column.
            Sign::Tab if self.flow.is_in_cell() => self.flow.push("\u{2003}", self.readings),
            Sign::Tab => self.flow.push("\t", self.readings),
            Sign::Break => self.flow.line(self.readings),
            Sign::Hyphen => self.flow.push("\u{2011}", self.readings),
            Sign::SoftHyphen => self.flow.push("\u{AD}", self.readings),
            Sign::Symbol => {
                let code = element.attribute("char").and_then(|code| u32::from_str_radix(&code, 16).ok());
                if let Some(c) = code.and_then(char::from_u32) {
                    self.text_shown(c.encode_utf8(&mut [0; 4]));
                }
            }
            Sign::Spaces => {
                let count = element.attribute("c").and_then(|count| count.parse::<usize>().ok()).unwrap_or(1);
                self.flow.push(&" ".repeat(count.min(BLANKS)), self.readings);
            }
        }
    }

    /// A run whose own properties say so is hidden (17.3.2.41), to its end; or a style hides what it is given to.
    fn vanish(&mut self, element: &Element<'a, '_>) {
        let is_off = element.attribute("val").is_some_and(|val| matches!(val.as_str(), "0" | "false" | "off"));
        if self.frames.iter().rev().nth(1).is_some_and(|frame| frame.role == Role::Style) {
            return if is_off { self.styles.show() } else { self.styles.hide() };
        }
        if let Some([run, properties]) = self.frames.last_chunk_mut::<2>()
            && run.role == Role::Run
        {
            let readings = if is_off { run.outside } else { self.readings.and(Readings::HIDDEN) };
            self.readings = readings;
            properties.outside = readings;
        }
    }

    /// A run or a paragraph whose style hides it (17.3.2.29, 17.3.1.27).
    fn styled(&mut self, element: &Element<'a, '_>) {
        let family = if element.local == "pStyle" { "paragraph" } else { "character" };
        let is_hidden = element.attribute("val").is_some_and(|style| self.styles.is_hidden(family, &style));
        if let Some([_, properties]) = self.frames.last_chunk_mut::<2>().filter(|_| is_hidden) {
            self.readings = self.readings.and(Readings::HIDDEN);
            properties.outside = properties.outside.and(Readings::HIDDEN);
        }
    }

    /// A span, or a paragraph, whose style hides it.
    fn span(&mut self, element: &Element<'a, '_>, family: &str) {
        let hides = |style: String| self.styles.is_hidden(family, &style);
        if self.styles.hide_any() && element.attribute("style-name").is_some_and(hides) {
            self.readings = self.readings.and(Readings::HIDDEN);
        }
    }

    /// Remembers styles that hide text (OpenDocument 1.3 part 3, 20.418).
    fn style_of(&mut self, element: &Element<'a, '_>) {
        match element.local {
            "style" => self.styles.begin(element),
            "text-properties" if is_hidden(element) => self.styles.hide(),
            _ => {}
        }
    }

    /// What a programme counts.
    fn counted(&mut self, element: &Element<'a, '_>) {
        let counted = self.numbering.element(element);
        if let Some(text) = counted.text {
            self.flow.note(element.local, &text);
            self.flow.tell_aside(" ;");
        }
        if counted.is_unread {
            self.unread.insert("numbering");
        }
    }

    /// Attributes that say something.
    fn attributes(&mut self, element: &Element<'a, '_>) {
        // Cells are many, and say where they are and nothing else.
        if element.dialect == Dialect::Sheet && matches!(element.local, "c" | "row") {
            return;
        }
        element.attributes(|name, value| {
            if name == "formatCode" && element.dialect == Dialect::Sheet && numbers::changes_digits(value) {
                self.unread.insert("number format");
            }
            if attributes::tells(element.local, name, value) {
                self.flow.note(name, value);
                self.flow.tell_aside(" ;");
            }
        });
    }

    /// Text that is shown: a line's end is a blank to most programmes, and one to spreadsheets.
    fn text_shown(&mut self, text: &str) {
        let is_sheet = self.frames.last().is_some_and(|frame| frame.dialect == Dialect::Sheet);
        let is_odf = self.frames.last().is_some_and(|frame| frame.dialect == Dialect::OdfText);
        let text = unescaped(text, &self.frames);
        if text.bytes().all(|byte| (b' '..0xEE).contains(&byte)) && !(is_odf && text.contains("  ")) {
            return self.flow.push(&text, self.readings);
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\r' => {}
                '\n' if is_sheet => out.push(SOFT),
                '\n' | '\t' | ' ' if is_odf && out.ends_with(' ') => {}
                '\n' | '\t' => out.push(' '),
                c => out.push(symbol(c)),
            }
        }
        self.flow.push(&out, self.readings);
    }

    /// Tells the text of the innermost element that came since the last one began or ended: references in it do not divide it.
    fn tell(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.pending);
        let Some((role, local)) = self.frames.last().map(|frame| (frame.role, frame.local)) else { return };
        match role {
            Role::Text | Role::Gone | Role::Mixed | Role::Paragraph | Role::Span => self.text_shown(&text),
            Role::Value => self.place.value.push_str(&unescaped(&text, &self.frames)),
            Role::Field => self.fields.push_str(&text),
            Role::Binary => self.files.push(text.clone()),
            _ if text.trim().is_empty() => {}
            Role::Line => self.text_shown(&text),
            Role::Formula => {
                self.flow.note(local, &text);
                if numbers::has_digits_of_its_own(&text) {
                    self.place.formula = Formula::OpenWithDigits;
                }
                // What a formula puts together is one text.
                let joined = text.replace("\" & \"", "\"&\"").replace("\"&\"", "");
                if joined.len() < text.len() {
                    self.flow.note(local, &joined);
                }
            }
            Role::Coded => {
                self.flow.note(local, &text);
                self.flow.note(local, &numbers::without_codes(&text));
            }
            _ => self.flow.note(local, &text),
        }
        self.pending = text;
        self.pending.clear();
    }
}

impl<'a> Visitor<'a> for Reader<'a, '_> {
    fn open(&mut self, element: &Element<'a, '_>) {
        self.tell();
        let (dialect, local) = (element.dialect, element.local);
        let role = roles::of(dialect, local);
        let mut frame = Frame { dialect, local, role, outside: self.readings, is_settled: false };
        self.attributes(element);
        self.begin(element, &mut frame);
        self.frames.push(frame);
    }

    fn close(&mut self) {
        self.tell();
        if let Some(frame) = self.frames.pop() {
            self.end(&frame);
        }
    }

    fn text(&mut self, text: &str) {
        self.pending.push_str(text);
    }

    fn aside(&mut self, text: &str) {
        self.flow.note("", text);
        self.flow.tell_aside(" ;");
    }
}

fn is_hidden(element: &Element<'_, '_>) -> bool {
    element.attribute("display").is_some_and(|display| display == "none")
}

/// Symbol fonts have their characters in a private area, in the order of ASCII.
fn symbol(c: char) -> char {
    match c {
        '\u{F020}'..='\u{F07E}' => char::from_u32(c as u32 - 0xF000).unwrap_or(c),
        c => c,
    }
}

/// `_x0039_` is a character wherever a string is one of a spreadsheet's or a slide's (ECMA-376 part 1, 22.9.2.19).
fn unescaped<'t>(text: &'t str, frames: &[Frame<'_>]) -> Cow<'t, str> {
    let escapes = |frame: &Frame<'_>| matches!(frame.dialect, Dialect::Sheet | Dialect::Drawing | Dialect::Slide);
    if !frames.last().is_some_and(escapes) || !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.get(6..7) == Some("_"));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &rest[7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}
