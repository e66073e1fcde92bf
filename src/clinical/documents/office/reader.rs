//! Reads one part of an office document: gives each element its role, and its text to the flow.
//!
//! Called by `office`. Promises: all character data and every attribute that says something is told, in the text or aside.
//! Fails never: what is wrong with the markup is said by `xml`.

use super::attributes;
use super::counts::Counts;
use super::dialect::Dialect;
use super::flow::{Flow, Readings};
use super::formulas;
use super::lists::Lists;
use super::number_formats;
use super::numbers;
use super::roles::{self, Role};
use super::sheet::Sheet;
use super::strings::Strings;
use super::styles::Styles;
use super::xml::{Element, Visitor};
use arranging::Arranging;
use boxes::Boxes;
use cells::{Columns, Formula, Place};
use controls::Controls;
use counting::Counting;
use diagram::Diagram;
use fields::{Field, Mark};
use framed::Framed;
use letters::unescaped;
use placed::Placed;
use std::collections::{BTreeMap, BTreeSet};
use text_fields::TextFields;

mod anchor;
mod arranging;
mod boxes;
mod cells;
mod controls;
mod counting;
mod diagram;
mod drawn;
mod ended;
mod fields;
mod floating;
mod forms;
mod framed;
mod groups;
mod hiding;
mod letters;
mod of_word;
mod placed;
mod text_fields;

/// Columns that one cell may be wide.
const WIDEST: usize = 64;

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
    columns: Columns,
    /// The number of the first page.
    first_page: Option<String>,
    /// Where the string that is read begins.
    string: usize,
    files: Vec<String>,
    /// What could not be told.
    unread: BTreeSet<&'static str>,
    styles: Styles,
    counts: Counts,
    counting: Counting,
    open_fields: Vec<Field>,
    controls: Controls,
    /// The readings in which the fields that are open show what is stored.
    mask: Readings,
    marks: BTreeMap<String, Mark>,
    boxes: Boxes,
    framed: Framed,
    lists: Lists,
    known: TextFields,
    placed: Placed,
    diagram: Diagram,
    /// What the box or the note shows that has just ended, where it may be a piece of the line.
    boxed: Option<String>,
    sheet: Sheet,
    arranging: Arranging,
    /// Octets of what is drawn with lines.
    drawn: usize,
}

/// An element that is open.
struct Frame<'a> {
    dialect: Dialect,
    local: &'a str,
    role: Role,
    /// The readings outside it.
    outside: Readings,
    /// For alternatives: whether one was taken. For stories: whether it is one of its own. For groups of rows: whether they are hidden.
    is_settled: bool,
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
            columns: Columns::default(),
            first_page: None,
            string: 0,
            files: Vec::new(),
            unread: BTreeSet::new(),
            styles: Styles::default(),
            counts: Counts::default(),
            counting: Counting::default(),
            open_fields: Vec::new(),
            controls: Controls::default(),
            mask: Readings::ALL,
            marks: BTreeMap::new(),
            boxes: Boxes::default(),
            framed: Framed::default(),
            lists: Lists::default(),
            known: TextFields::default(),
            placed: Placed::default(),
            diagram: Diagram::default(),
            boxed: None,
            sheet: Sheet::default(),
            arranging: Arranging::default(),
            drawn: 0,
        }
    }

    /// With the styles of the parts that were read before.
    pub fn knowing(self, styles: Styles) -> Reader<'a, 's> {
        Reader { styles, ..self }
    }

    /// With what the parts that were read before say of numbers.
    pub fn counting(self, counts: Counts) -> Reader<'a, 's> {
        Reader { counts, ..self }
    }

    /// What begins with an element; its own readings are those inside it.
    fn begin(&mut self, element: &Element<'a, '_>, frame: &mut Frame<'a>) {
        match frame.role {
            Role::Paragraph | Role::Line => {
                self.flow.fresh_line(self.readings);
                self.span(element, "paragraph");
                self.begin_counting();
                match frame.dialect {
                    Dialect::Drawing => self.lists.begin_paragraph(),
                    Dialect::Word => self.begin_framed(),
                    _ => {}
                }
            }
            Role::Table => {
                self.end_frames();
                frame.is_settled = self.begin_table_of(element);
            }
            Role::Story => frame.is_settled = self.flow.begin_story(),
            Role::Row => {
                self.begin_row(element);
                self.columns.row(element);
            }
            Role::Plain if frame.dialect == Dialect::OdfTable => frame.is_settled = self.of_table(element),
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
            Role::FieldEnd => {
                self.fields.push('\n');
                self.field_character(element);
            }
            Role::Plain if frame.dialect == Dialect::Foreign => self.readings = self.readings.and(Readings::HIDDEN),
            Role::Mixed if frame.dialect == Dialect::OdfText => self.of_text(element),
            Role::Plain if frame.dialect == Dialect::Odf => self.style_of(element),
            Role::Plain if frame.dialect == Dialect::Word => self.plain(element),
            Role::Plain => {
                self.of_slide(element);
                self.box_place(element);
            }
            _ => {}
        }
    }

    fn is_in_paragraph(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.local == "pPr")
    }

    /// Whether the innermost element says where a shape begins on a sheet.
    fn is_of_anchor(&self) -> bool {
        self.frames.last_chunk::<2>().is_some_and(|[owner, _]| owner.local == "from")
    }

    fn end(&mut self, frame: &Frame<'a>) {
        self.end_placed(frame);
        self.end_point(frame);
        self.begin_line_of_box(frame);
        match frame.role {
            Role::Mixed if frame.dialect == Dialect::OdfText && frame.local == "list" => self.lists.end(),
            Role::Paragraph | Role::Line => {
                self.end_counting();
                self.place_boxes();
                match frame.dialect {
                    Dialect::Word => self.end_framed(),
                    Dialect::OdfText => self.end_floating(),
                    _ => {}
                }
                self.flow.line(self.readings);
            }
            Role::Plain if frame.dialect == Dialect::Word => {
                self.end_properties(frame.local);
                self.end_control(frame.local);
            }
            Role::Story if frame.is_settled && frame.local == "txbxContent" => {
                self.end_frames();
                self.end_box();
                self.flow.end_story();
            }
            Role::Table if frame.is_settled => {
                self.flow.end_story();
                self.end_inner_table();
            }
            Role::Story if frame.is_settled => self.flow.end_story(),
            Role::Story => self.flow.line(self.readings),
            Role::Row => self.end_row(),
            Role::Cell => {
                self.end_frames();
                self.end_cell();
            }
            Role::Place => self.end_place(),
            Role::Plain if frame.dialect == Dialect::Odf => self.styles.data.end(frame.local),
            Role::Plain if frame.dialect == Dialect::OdfTable && frame.is_settled => self.unfold(),
            Role::Value => self.value(frame.dialect),
            Role::Shared => {
                self.strings.push(self.flow.shown().get(self.string..).unwrap_or_default());
                self.flow.push("\n", Readings::ALL);
            }
            _ => {}
        }
        self.end_line_of_box(frame);
        self.end_field();
        self.readings = frame.outside;
    }

    /// Attributes that say something.
    fn attributes(&mut self, element: &Element<'a, '_>) {
        // Cells are many, and say where they are and nothing else.
        if element.dialect == Dialect::Sheet && matches!(element.local, "c" | "row") {
            return;
        }
        if element.dialect == Dialect::Sheet && self.styles.numbers.element(element) {
            self.unread.insert("number format");
        }
        if element.dialect == Dialect::Drawing
            && element.local == "numFmt"
            && element.attribute("formatCode").is_some_and(|code| number_formats::may_label(&code))
        {
            self.unread.insert("number format");
        }
        if element.local == "pageSetup" {
            self.first_page = element.attribute("firstPageNumber");
        }
        element.attributes(|name, value| {
            if attributes::tells(element.local, name, value) {
                self.flow.note(name, value);
                self.flow.tell_aside(" ;");
            }
        });
    }

    /// Tells the text of the innermost element that came since the last one began or ended: references in it do not divide it.
    fn tell(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.pending);
        let Some(&Frame { role, local, dialect, .. }) = self.frames.last() else { return };
        match role {
            // Between runs stands how the markup was laid out (ECMA-376 part 1, 17.3.3.31); in OpenDocument, text.
            Role::Paragraph if matches!(dialect, Dialect::Word | Dialect::Drawing) && text.trim().is_empty() => {}
            Role::Text | Role::Gone | Role::Mixed | Role::Paragraph | Role::Span => self.text_shown(&text),
            Role::Value => self.place.value.push_str(&unescaped(&text, &self.frames)),
            Role::Field => {
                self.fields.push_str(&text);
                self.instruct(&text);
            }
            Role::Plain if local == "posOffset" || (dialect == Dialect::Drawing && local == "align") => {
                self.box_offset(&text);
            }
            Role::Plain if dialect == Dialect::Drawing && self.is_of_anchor() => {
                self.placed.anchor.number(local, &text)
            }
            Role::Binary => self.files.push(text.clone()),
            Role::Plain if dialect == Dialect::Odf => {
                self.styles.data.text(local, &text);
                if !text.trim().is_empty() {
                    self.flow.note(local, &text);
                }
            }
            _ if text.trim().is_empty() => {}
            Role::Line => self.text_shown(&text),
            Role::Formula => {
                self.flow.note(local, &text);
                if self.place.text.is_none() && self.sheet.takes(&text) {
                    self.place.text = Some(text.clone());
                }
                if formulas::only_counts(&text) {
                    self.place.formula = Formula::None;
                } else if numbers::has_digits_of_its_own(&text) {
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
                if let Some(first) = self.first_page.as_deref().filter(|_| text.contains("&P")) {
                    self.flow.note(local, &numbers::with_page(&text, first));
                }
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
        self.draw(element);
        self.boxed(element);
        self.of_diagram(element);
        self.arrange(element);
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
