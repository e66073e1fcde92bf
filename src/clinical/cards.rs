//! Cards and calendars (RFC 6350, vCard 2.1, RFC 5545) as their readers show them: lines unfolded, values decoded.
//!
//! Called by `leaf` with text that begins like one. Promises: one pass; files together are no longer than the text. Fails
//! never: a line that is no property stays as it is.

use super::embedded::{self, Embedded, FILES};
use super::{charset, html, transfer};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::str::Lines;

/// What a card or a calendar holds.
#[derive(Default)]
pub(super) struct Card {
    pub text: String,
    /// Descriptions that are markup.
    pub pages: Vec<String>,
    /// Photographs, attachments, and values in base64.
    pub files: BTreeSet<Embedded>,
    /// Properties of one group, and what the group is called.
    groups: BTreeMap<String, Group>,
    /// Values with tags or entities in them, which some programmes show as markup.
    marked: String,
}

/// Properties that stand together (RFC 6350 3.3): Apple's programmes show the value of one of them as a label of the others.
#[derive(Default)]
struct Group {
    label: String,
    lines: Vec<String>,
}

/// Groups of one text, properties of one, octets of a label and of a property beside it.
const MOST_GROUPS: usize = 2_000;
const MOST_GROUPED: usize = 16;
const LABEL: usize = 128;
const GROUPED: usize = 1_024;

/// Reads a card or a calendar; nothing where the text is none.
pub(super) fn read(text: &str, room: usize) -> Option<Card> {
    let start = text.trim_start_matches('\u{FEFF}').trim_start();
    start.get(..7).filter(|begin| begin.eq_ignore_ascii_case("BEGIN:V"))?;
    let unfolded = unfolded(text);
    let (mut card, mut lines) = (Card::default(), unfolded.lines().peekable());
    while let Some(line) = lines.next() {
        card.property(line, &mut lines, room);
    }
    card.label();
    if !card.marked.is_empty() {
        card.pages.push(std::mem::take(&mut card.marked));
    }
    Some(card)
}

/// RFC 5545 3.1, RFC 6350 3.2: a line break and one blank are nothing, but for where quoted-printable breaks its own lines.
fn unfolded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        match line.strip_prefix([' ', '\t']).filter(|_| !out.is_empty()) {
            Some(rest) => {
                out.push_str(if out.ends_with('=') { "\n" } else { "" });
                out.push_str(rest);
            }
            None => {
                out.push_str(if out.is_empty() { "" } else { "\n" });
                out.push_str(line);
            }
        }
    }
    out
}

impl Card {
    fn property(&mut self, line: &str, lines: &mut Peekable<Lines<'_>>, room: usize) {
        let (head, value) = divided(line);
        let says = Parameters(head);
        if says.one_of(&["ENCODING=BASE64", "ENCODING=B", "BASE64"]) {
            let letters = value.to_owned() + &lines_while(lines, is_base64);
            let bytes = transfer::base64(letters.as_bytes(), room).bytes;
            return self.add([Embedded { kind: String::new(), bytes }]);
        }
        let value = match says.one_of(&["ENCODING=QUOTED-PRINTABLE", "QUOTED-PRINTABLE"]) {
            true => quoted_printable(value, says.value("CHARSET=").as_deref(), lines),
            false => value.to_owned(),
        };
        let value = unescaped(&value);
        // RFC 5545 3.2.1: a parameter may hold another form of the value.
        self.add(embedded::of(head, room));
        self.add(embedded::of(&value, room));
        self.text.push_str(head);
        self.text.push_str(&value);
        self.text.push('\n');
        self.group(head, &value);
        if says.one_of(&["FMTTYPE=TEXT/HTML"]) {
            self.pages.push(value);
        } else if html::has_closing_tag(value.as_bytes()) || has_entity(&value) {
            self.marked.push_str(&value);
            self.marked.push_str("<p>");
        }
    }

    /// A property with the name of its group before it.
    fn group(&mut self, head: &str, value: &str) {
        let name = head.split([';', ':']).next().and_then(|name| name.split_once('.'));
        let Some((group, property)) = name.filter(|(group, _)| !group.is_empty() && group.len() <= LABEL) else {
            return;
        };
        let group = group.to_ascii_lowercase();
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&group) {
            return;
        }
        let group = self.groups.entry(group).or_default();
        if property.eq_ignore_ascii_case("X-ABLabel") {
            value.get(..value.floor_char_boundary(LABEL)).unwrap_or_default().clone_into(&mut group.label);
        } else if value.len() <= GROUPED && group.lines.len() < MOST_GROUPED {
            // The name of the property says what the value is no label of: a telephone number.
            group.lines.push(format!("{property}: {value}"));
        }
    }

    /// What is grouped, once more, with its label before it. A name may be in several cards: the last label counts.
    fn label(&mut self) {
        for group in std::mem::take(&mut self.groups).into_values().filter(|group| !group.label.is_empty()) {
            for line in &group.lines {
                self.text.extend([&group.label, " ", line, "\n"]);
            }
        }
    }

    fn add(&mut self, files: impl IntoIterator<Item = Embedded>) {
        let room = FILES.saturating_sub(self.files.len());
        self.files.extend(files.into_iter().take(room));
    }
}

fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|behind| {
        let name = behind.bytes().take(8).take_while(|b| b.is_ascii_alphanumeric() || *b == b'#').count();
        name > 1 && behind.as_bytes().get(name) == Some(&b';')
    })
}

/// A property's name and parameters with the colon, and its value: a quoted parameter may hold a colon (RFC 5545 3.1).
fn divided(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let colon = line.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b':' && !quoted
    });
    line.split_at(colon.map_or(0, |at| at + 1))
}

/// The parameters of a property: as many as there are, and none is kept.
struct Parameters<'h>(&'h str);

impl Parameters<'_> {
    fn each(&self) -> impl Iterator<Item = &str> {
        self.0.trim_end_matches(':').split(';').skip(1).map(str::trim)
    }

    fn one_of(&self, words: &[&str]) -> bool {
        self.each().any(|one| words.iter().any(|word| plain(one).eq(word.bytes())))
    }

    /// In capitals.
    fn value(&self, name: &str) -> Option<String> {
        let own = self.each().find(|one| plain(one).take(name.len()).eq(name.bytes()))?;
        String::from_utf8(plain(own).skip(name.len()).collect()).ok()
    }
}

/// A parameter without its quotation marks, in capitals.
fn plain(parameter: &str) -> impl Iterator<Item = u8> {
    parameter.bytes().filter(|byte| *byte != b'"').map(|byte| byte.to_ascii_uppercase())
}

/// vCard 2.1 writes values over several lines that begin with no blank.
fn lines_while(lines: &mut Peekable<Lines<'_>>, is_more: fn(&str) -> bool) -> String {
    let mut more = String::new();
    while let Some(line) = lines.next_if(|line| is_more(line)) {
        more.push_str(line);
    }
    more
}

fn is_base64(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

fn quoted_printable(first: &str, label: Option<&str>, lines: &mut Peekable<Lines<'_>>) -> String {
    let mut value = first.to_owned();
    while value.ends_with('=') {
        let Some(next) = lines.next() else { break };
        value.pop();
        value.push_str(next);
    }
    let bytes = transfer::quoted_printable(value.as_bytes(), value.len()).bytes;
    charset::read(&bytes, label).text.into_owned()
}

/// `\\n`, `\\,` and `\\;` undone (RFC 5545 3.3.11, RFC 6350 3.4).
fn unescaped(value: &str) -> String {
    let (mut out, mut escaped) = (String::with_capacity(value.len()), false);
    for c in value.chars() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            'n' | 'N' if escaped => out.push('\n'),
            c => out.push(c),
        }
        escaped = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::clinical::{Limits, Rules};
    use crate::vocabulary::{Confidence, FindingKind};

    fn files(text: &str) -> Vec<String> {
        read(text, 1_000).unwrap().files.iter().map(|f| String::from_utf8_lossy(&f.bytes).into_owned()).collect()
    }

    #[test]
    fn values_are_decoded() {
        for (line, shown) in [
            ("SUMMARY:943\\, 476\\; 5919", "943, 476; 5919"),
            ("DESCRIPTION:NHS number\\n943 476\\N5919", "NHS number\n943 476\n5919"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=39=34=\r\n=33", "943"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE:=39=\r\n =34=\r\n\t=33", "943"),
            ("NOTE;X=\"a:b\":9\r\n 43", "943"),
        ] {
            let card = read(&format!("BEGIN:VCARD\r\n{line}\r\nEND:VCARD\r\n"), 1_000).unwrap();
            assert!(card.text.contains(&format!(":{shown}\n")), "{line}: {}", card.text);
        }
        assert!(read("a letter", 1_000).is_none());
    }

    #[test]
    fn the_label_of_a_group_stands_before_its_values() {
        let far = "TEL:0161 496 0000\r\n".repeat(40);
        let card = |first: &str, last: &str| {
            let text = format!("BEGIN:VCARD\r\n{first}\r\n{far}{last}\r\nEND:VCARD\r\n");
            let message = format!("Content-Type: text/vcard; name=a.vcf\r\n\r\n{text}");
            let found = crate::clinical::inspect(message.as_bytes(), &Rules::default(), &Limits::default());
            found.findings.into_iter().filter(|f| f.kind == FindingKind::NhsNumber).map(|f| f.confidence).max()
        };
        let [label, value] = ["item1.X-ABLabel:NHS number", "ITEM1.X-ABRELATEDNAMES;type=pref:9434765919"];
        assert_eq!(card(label, value), Some(Confidence::High));
        assert_eq!(card(value, label), Some(Confidence::High));
        assert_ne!(card(label, &value.replace("ITEM1", "item2")), Some(Confidence::High));
        let phone = card("item1.X-ABLabel:work", "item1.TEL;type=pref:9434765919");
        assert_ne!(phone, Some(Confidence::High));
    }

    #[test]
    fn files_and_pages_are_found() {
        for line in [
            "PHOTO;ENCODING=b:OTQz",
            "PHOTO;TYPE=JPEG;BASE64:OT\r\nQz",
            &format!("PHOTO;{}\"Base64\":OT\r\nQz", "X=1;".repeat(99)),
            "ATTACH;ENCODING=BASE64;VALUE=BINARY:OT\r\n Qz",
            "PHOTO:data:image/png;base64\\,OTQz",
        ] {
            assert_eq!(files(&format!("BEGIN:VCARD\r\n{line}\r\n\r\nEND:VCARD\r\n")), ["943"], "{line}");
        }
        let page = "BEGIN:VCALENDAR\nX-ALT-DESC;FMTTYPE=text/html:<b>9</b>43\nEND:VCALENDAR\n";
        assert_eq!(read(page, 1_000).unwrap().pages, ["<b>9</b>43"]);
        let page = "BEGIN:VCALENDAR\nDESCRIPTION:9<b>4\n </b>3&nbsp\\;\nSUMMARY:R&D; a < b\nEND:VCALENDAR\n";
        assert_eq!(read(page, 1_000).unwrap().pages, ["9<b>4</b>3&nbsp;<p>"]);
        assert_eq!(
            files("BEGIN:VCALENDAR\nDESCRIPTION;ALTREP=\"data:text/html;base64,OTQz\":x\nEND:VCALENDAR"),
            ["943"]
        );
    }
}
