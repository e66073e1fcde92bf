//! The state of an RTF reader: groups, the flows of text that they write to, and the charset of each font.
//!
//! Called by `rtf`. Promises: groups are counted, not followed by recursion; all text is in a flow, shown or not, and all flows are
//! handed over. Fails never.

use super::super::codepages;
use super::super::document::Document;
use super::super::instructions::{self, Values};
use super::super::packaged;
use super::flow::{Flow, Holds};
use super::page::{Listed, Page};
use super::tokens::Token;
use super::words;
use crate::vocabulary::FindingKind;
use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;

/// Groups inside one another whose state is kept.
const DEEPEST: usize = 20_000;
/// Fonts whose charset is kept.
const FONTS: usize = 4_096;
/// Drawings that are smaller are ornaments.
const ORNAMENT: usize = 20_000;
/// Divides what belongs to different destinations.
const DIVIDER: &str = "\n;\n";

/// What a group begins with from the one around it.
#[derive(Debug, Clone, Copy)]
struct Group {
    page: &'static Encoding,
    /// `\ucN`
    fallback: usize,
    hidden: bool,
    deleted: bool,
    /// [MS-OXRTFEX] 2.1.3.2: `\htmlrtf`, what is not in the HTML.
    only_rtf: bool,
    /// Whether a flow ends with it.
    has_flow: bool,
    starred: bool,
    /// What stands on the page instead of it: its number among the edits of the flow.
    edit: Option<usize>,
    /// Where the label that is stored of a paragraph begins.
    label: Option<usize>,
    listed: Listed,
}

pub(super) struct State<'d, 'w, 'r> {
    document: &'d mut Document<'w, 'r>,
    groups: Vec<Group>,
    /// Groups that are deeper than `DEEPEST`.
    uncounted: usize,
    /// The body, and the destinations that are open.
    flows: Vec<Flow>,
    html: Option<Flow>,
    aside: String,
    /// Characters that stand for one that old readers do not know.
    skip: usize,
    page: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    font: i32,
    on_page: Page,
}

impl<'d, 'w, 'r> State<'d, 'w, 'r> {
    pub fn new(document: &'d mut Document<'w, 'r>) -> State<'d, 'w, 'r> {
        let page = WINDOWS_1252;
        let outside = Group {
            page,
            fallback: 1,
            hidden: false,
            deleted: false,
            only_rtf: false,
            has_flow: false,
            starred: false,
            edit: None,
            label: None,
            listed: Listed::default(),
        };
        State {
            document,
            groups: vec![outside],
            uncounted: 0,
            flows: vec![Flow::new(Holds::Text, page)],
            html: None,
            aside: String::new(),
            skip: 0,
            page,
            fonts: HashMap::new(),
            font: 0,
            on_page: Page::default(),
        }
    }

    pub fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Word(b"u", Some(number)) => {
                self.write(|flow| flow.unit(number));
                self.skip = self.group().map_or(1, |group| group.fallback);
            }
            Token::Word(name, number) => {
                self.skip = self.skip.saturating_sub(1);
                self.word(name, number);
            }
            Token::Symbol(b'*') => self.change(|group| group.starred = true),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Octet(octet) => self.text(&[octet]),
            Token::Text(octets) => self.text(octets),
            Token::Binary(octets) => {
                self.skip = self.skip.saturating_sub(1);
                self.binary(octets);
            }
        }
    }

    fn group(&self) -> Option<&Group> {
        self.groups.last()
    }

    fn change(&mut self, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.last_mut() {
            change(group);
        }
    }

    fn open(&mut self) {
        self.skip = 0;
        let Some(around) = self.groups.last().copied() else { return };
        // Its name and its value are groups in it.
        let variable = self.flows.last_mut().filter(|flow| around.has_flow && flow.holds == Holds::Named("docvar"));
        variable.into_iter().for_each(|flow| flow.push('\n'));
        if self.groups.len() < DEEPEST {
            self.groups.push(Group { has_flow: false, starred: false, edit: None, label: None, ..around });
        } else {
            self.uncounted += 1;
            self.document.limit("", "depth");
        }
    }

    fn close(&mut self) {
        self.skip = 0;
        if self.uncounted > 0 {
            self.uncounted -= 1;
        } else if self.groups.len() > 1
            && let Some(group) = self.groups.pop()
        {
            self.on_page.tables.end_pattern();
            self.end_on_page(group);
            self.end_flow(group);
        }
    }

    /// A group that something else stands for on the page has ended.
    fn end_on_page(&mut self, group: Group) {
        let Some(flow) = self.flows.last_mut() else { return };
        if let Some(edit) = group.edit {
            flow.extend_edit(edit);
        }
        if let Some(start) = group.label {
            flow.settle();
            self.on_page.stored_label(start..flow.text.len());
        }
    }

    /// Writes to the flow of the group, and to the HTML where it is shown there too.
    fn write(&mut self, write: impl Fn(&mut Flow)) {
        let Some(group) = self.groups.last().copied() else { return };
        let is_body = self.flows.len() == 1;
        if let Some(html) = self.html.as_mut().filter(|_| is_body && !group.only_rtf) {
            write(html);
        }
        let Some(flow) = self.flows.last_mut() else { return };
        if !group.hidden && !group.deleted {
            return write(flow);
        }
        flow.settle();
        let from = flow.text.len();
        write(flow);
        flow.hide(from);
    }

    fn text(&mut self, octets: &[u8]) {
        self.on_page.tables.octets(octets);
        let page = self.group().map_or(self.page, |group| group.page);
        let mut shown = octets;
        while let Some((first, rest)) = shown.split_first().filter(|_| self.skip > 0) {
            self.skip -= usize::from(!matches!(first, b'\r' | b'\n'));
            self.pass_over(*first);
            shown = rest;
        }
        if !shown.is_empty() {
            self.write(|flow| flow.octets(shown, page));
        }
    }

    /// Old readers show what new ones pass over.
    fn pass_over(&mut self, octet: u8) {
        if !matches!(octet, b'0'..=b'9' | b' ') {
            return;
        }
        let was_hidden = self.group().is_some_and(|group| group.hidden);
        self.change(|group| group.hidden = true);
        self.write(|flow| flow.push(char::from(octet)));
        self.change(|group| group.hidden = was_hidden);
    }

    fn symbol(&mut self, symbol: u8) {
        let Some(c) = words::symbol(symbol) else { return };
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.write(|flow| flow.push(c));
    }

    /// Data in the text of a document is shown by nobody, and looked at all the same.
    fn binary(&mut self, octets: &[u8]) {
        match self.flows.last_mut() {
            Some(flow) if flow.holds.is_data() => flow.binary(octets),
            _ => {
                self.aside.push_str(&String::from_utf8_lossy(octets));
                self.aside.push_str(DIVIDER);
            }
        }
    }

    fn word(&mut self, name: &[u8], number: Option<i32>) {
        let is_on = number != Some(0);
        self.paragraph(name, number);
        if let Some(c) = words::character(name) {
            return self.write(|flow| flow.push(c));
        }
        let starred = self.group().is_some_and(|group| group.starred);
        if let Some(holds) = words::destination(name).or(starred.then_some(Holds::Text)) {
            return self.begin_flow(holds);
        }
        match name {
            b"v" => self.change(|group| group.hidden = is_on),
            b"deleted" => self.change(|group| group.deleted = is_on),
            b"plain" => {
                let page = self.page;
                self.change(|group| (group.hidden, group.deleted, group.page) = (false, false, page));
            }
            b"uc" => {
                let fallback = usize::try_from(number.unwrap_or(1)).unwrap_or(0);
                self.change(|group| group.fallback = fallback);
            }
            b"htmlrtf" => self.change(|group| group.only_rtf = is_on),
            b"fromhtml" if self.html.is_none() => self.html = Some(Flow::new(Holds::Html, self.page)),
            _ if words::is_drawing(name) => self.draw(),
            _ => self.charset(name, number.unwrap_or(0)),
        }
    }

    /// What the paragraph is in, and its end.
    fn paragraph(&mut self, name: &[u8], number: Option<i32>) {
        let is_body = self.flows.len() == 1;
        let listed = self.group().map(|group| group.listed).unwrap_or_default();
        let Some(flow) = self.flows.last_mut() else { return };
        match name {
            b"par" | b"sect" if is_body => self.on_page.end_paragraph(flow, listed),
            b"chftn" => self.on_page.note_mark(flow, is_body),
            b"chpgn" => _ = flow.edit(Values::page(), true),
            b"pard" => self.change(|group| group.listed = Listed::default()),
            b"ls" if flow.holds == Holds::Named("lists") => {
                self.on_page.tables.list(i64::from(number.unwrap_or_default()));
            }
            b"ls" => self.change(|group| group.listed.list = number),
            b"ilvl" => self.change(|group| group.listed.level = number.unwrap_or_default()),
            b"listtext" | b"pntext" => {
                flow.settle();
                let start = flow.text.len();
                self.change(|group| group.label = Some(start));
            }
            b"fldrslt" => {
                let edit = self.on_page.field.take();
                self.change(|group| group.edit = edit);
            }
            _ => self.on_page.word(name, number),
        }
    }

    fn draw(&mut self) {
        if let Some(flow) = self.flows.last_mut().filter(|flow| flow.holds == Holds::Picture) {
            flow.holds = Holds::Metafile;
        }
    }

    fn charset(&mut self, name: &[u8], number: i32) {
        let numbered = codepages::of(u32::try_from(number).unwrap_or(0));
        match name {
            b"ansicpg" => self.set_page(numbered),
            b"mac" => self.set_page(codepages::of(10_000)),
            b"f" => {
                self.font = number;
                let page = self.fonts.get(&number).copied().unwrap_or(self.page);
                self.change(|group| group.page = page);
            }
            b"fcharset" => codepages::of_font(number).into_iter().for_each(|page| self.set_font(page)),
            b"cpg" => self.set_font(numbered),
            _ => {}
        }
    }

    fn set_page(&mut self, page: &'static Encoding) {
        self.page = page;
        self.change(|group| group.page = page);
    }

    fn set_font(&mut self, page: &'static Encoding) {
        if self.fonts.len() < FONTS {
            self.fonts.insert(self.font, page);
        }
        self.change(|group| group.page = page);
    }

    /// The rest of the group belongs to a destination.
    fn begin_flow(&mut self, holds: Holds) {
        let Some(group) = self.groups.last().copied() else { return };
        self.end_flow(group);
        self.change(|group| (group.has_flow, group.starred) = (true, false));
        self.flows.push(Flow::new(holds, group.page));
    }

    fn end_flow(&mut self, group: Group) {
        if group.has_flow
            && self.flows.len() > 1
            && let Some(flow) = self.flows.pop()
        {
            self.finish_flow(flow);
        }
    }

    fn finish_flow(&mut self, mut flow: Flow) {
        flow.settle();
        if let (Holds::Named(name), Some(around)) = (flow.holds, self.flows.last_mut()) {
            self.on_page.named(name, &mut flow, around);
        }
        match flow.holds {
            Holds::Text | Holds::Named(_) | Holds::Html => self.set_aside(&mut flow),
            _ if flow.data.is_empty() => {}
            Holds::Object => packaged::object(&flow.data, self.document),
            Holds::Picture => self.document.picture("picture", &flow.data),
            Holds::Metafile if flow.data.len() >= ORNAMENT => {
                self.document.unread(FindingKind::Image, "picture", "metafile");
            }
            Holds::Metafile => {}
            Holds::File => self.document.file("data", &flow.data),
        }
    }

    fn set_aside(&mut self, flow: &mut Flow) {
        if let Some(html) = self.html.as_mut().filter(|_| flow.holds == Holds::Html) {
            html.settle();
            html.text.push_str(&flow.text);
        }
        let [page, updated] = flow.on_page();
        for text in [Some(&flow.text), flow.shown().as_ref(), page.as_ref(), updated.as_ref()].into_iter().flatten() {
            if !text.trim().is_empty() {
                self.aside.push_str(text);
                self.aside.push_str(DIVIDER);
            }
        }
    }

    /// Hands over what was written.
    pub fn finish(mut self) {
        while self.flows.len() > 1
            && let Some(flow) = self.flows.pop()
        {
            self.finish_flow(flow);
        }
        let Some(mut body) = self.flows.pop() else { return };
        let listed = self.group().map(|group| group.listed).unwrap_or_default();
        self.on_page.end_paragraph(&mut body, listed);
        self.document.text("", &body.text);
        let [page, updated] = body.on_page();
        for text in [body.shown(), page, updated].into_iter().flatten() {
            self.document.text("", &self.on_page.values.resolved(&text));
        }
        if self.on_page.tables.is_full() {
            self.document.unread(FindingKind::BrokenAttachment, "", "numbering");
        }
        let aside = std::mem::take(&mut self.aside);
        let aside = if instructions::is_open(&aside) { self.on_page.values.resolved(&aside) } else { aside };
        self.document.text("notes", &aside);
        if self.on_page.values.take_cut() {
            self.document.unread(FindingKind::BrokenAttachment, "", "fields");
        }
        if let Some(mut html) = self.html {
            html.settle();
            self.document.text("html", &super::html_text(&html.text));
        }
    }
}
