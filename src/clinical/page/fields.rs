//! What fields of forms, pictures and lists of a page show in the line: values, texts in place of pictures, numbers of items.
//!
//! Part of `page`. Promises: only what may be a piece of a number is put into the text, and is doubtful there; all of it stands beside
//! the text anyway. Fails never.

use super::Page;

/// Letters of a piece of a number.
const PIECE: usize = 24;
/// Lists inside one another that are counted.
const LISTS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Fields {
    tag: Tag,
    /// Whether the value of the attribute shows, counts or says nothing.
    attribute: Attribute,
    piece: Vec<u8>,
    number: Option<u64>,
    /// The numbers of the next items of the open lists, where they say one.
    lists: Vec<Option<u64>>,
    select: Option<Select>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Tag {
    #[default]
    Other,
    Input,
    Picture,
    List,
    Item,
    Option,
    Value,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Attribute {
    #[default]
    Other,
    Shown,
    Number,
}

/// A list of which one choice is shown: the first, or the one that is selected.
#[derive(Debug, Clone, Copy)]
struct Select {
    start: usize,
    options: usize,
    /// Where the choices begin that are not shown.
    rest: Option<usize>,
}

impl Page {
    pub(super) fn begin_field(&mut self, name: &[u8]) {
        self.fields.attribute = Attribute::Other;
        self.fields.tag = match name {
            b"input" => Tag::Input,
            b"img" => Tag::Picture,
            b"ol" | b"ul" => Tag::List,
            b"li" => Tag::Item,
            b"option" => Tag::Option,
            // XSLT 1.0, 7.6.1: what stands in the place of the element.
            b"xsl:value-of" => Tag::Value,
            _ => Tag::Other,
        };
        if name == b"select" {
            self.end_field(name);
            self.fields.select = Some(Select { start: self.shown.len(), options: 0, rest: None });
        }
        if self.fields.tag == Tag::Option {
            self.choice();
        }
    }

    /// Choices are never one number.
    fn choice(&mut self) {
        let at = self.shown.len();
        let Some(select) = &mut self.fields.select else { return self.line() };
        select.options += 1;
        if select.options > 1 {
            select.rest.get_or_insert(at);
            self.shown.extend_from_slice(b"\n;\n");
        }
    }

    pub(super) fn field_attribute(&mut self, name: &[u8]) {
        self.fields.attribute = match (self.fields.tag, name) {
            (Tag::Input, b"value") | (Tag::Picture, b"alt") | (Tag::Value, b"select") => Attribute::Shown,
            (Tag::List, b"start") | (Tag::Item, b"value") => Attribute::Number,
            _ => Attribute::Other,
        };
        if let (Tag::Option, b"selected", Some(mut select)) = (self.fields.tag, name, self.fields.select) {
            self.doubt(select.start);
            (select.start, select.rest) = (self.shown.len(), None);
            self.fields.select = Some(select);
        }
    }

    /// The value of an attribute.
    pub fn value(&mut self, value: &[u8]) {
        if self.is_frame {
            self.frames.push(String::from_utf8_lossy(value).into_owned());
        }
        match self.fields.attribute {
            Attribute::Shown if is_piece(unquoted(value)) => unquoted(value).clone_into(&mut self.fields.piece),
            Attribute::Number => {
                let number = std::str::from_utf8(value).ok().filter(|number| number.len() <= PIECE);
                self.fields.number = number.and_then(|number| number.trim().parse().ok());
            }
            _ => {}
        }
        self.note(value);
    }

    /// The tag of an element ends.
    pub fn opened(&mut self) {
        self.fill_decoy();
        let number = self.fields.number.take();
        match self.fields.tag {
            Tag::Other | Tag::Option => return,
            Tag::Input | Tag::Picture | Tag::Value if self.fields.piece.is_empty() => {}
            Tag::Value => {
                let piece = std::mem::take(&mut self.fields.piece);
                self.shown.extend_from_slice(&piece);
            }
            Tag::Input | Tag::Picture => {
                let piece = std::mem::take(&mut self.fields.piece);
                self.doubtful_text(&piece);
            }
            Tag::List if self.fields.lists.len() < LISTS => self.fields.lists.push(number),
            Tag::List => {}
            Tag::Item => self.item(number),
        }
        self.fields.tag = Tag::Other;
    }

    /// Shows the number of an item, where the list or the item says one.
    fn item(&mut self, own: Option<u64>) {
        let counted = self.fields.lists.last_mut();
        let number = own.or_else(|| counted.as_deref().copied().flatten());
        if let (Some(list), Some(number)) = (counted, number) {
            *list = Some(number.saturating_add(1));
        }
        if let Some(number) = number {
            self.doubtful_text(format!("{number}.").as_bytes());
        }
    }

    fn doubtful_text(&mut self, text: &[u8]) {
        let start = self.shown.len();
        self.shown.push(b' ');
        self.shown.extend_from_slice(text);
        self.shown.push(b' ');
        self.doubt(start);
    }

    pub(super) fn end_field(&mut self, name: &[u8]) {
        match name {
            b"ol" | b"ul" => _ = self.fields.lists.pop(),
            b"select" => {
                if let Some(rest) = self.fields.select.take().and_then(|select| select.rest) {
                    self.doubt(rest);
                }
            }
            _ => {}
        }
    }
}

/// A string without its quotation marks.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'\'', inside @ .., b'\''] | [b'"', inside @ .., b'"'] => inside,
        value => value,
    }
}

/// Whether this may be a piece of a number.
fn is_piece(value: &[u8]) -> bool {
    let is_of_one = |byte: &u8| byte.is_ascii_digit() || !byte.is_ascii() || b" -./()".contains(byte);
    value.len() <= PIECE && value.iter().all(is_of_one) && value.iter().any(|b| b.is_ascii_digit() || !b.is_ascii())
}
