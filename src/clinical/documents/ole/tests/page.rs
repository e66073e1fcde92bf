//! What Word counts, works out and places while it shows a document of its old form.

use super::*;

/// Whether the number is in the text that is shown; what else is in the streams is told beside it.
fn is_on_page(found: &Findings) -> bool {
    let is_it = |f: &crate::clinical::Finding| f.kind == FindingKind::NhsNumber && f.place == "x.ole";
    found.findings.iter().any(|f| is_it(f) && f.confidence == Confidence::High)
}

/// A document of that text, whose tables stand in the table stream: the place of each in the header, and its octets.
fn with_tables(text: &str, tables: &[(usize, Vec<u8>)], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut streams = doc_streams(&[text]);
    let mut table = streams[1].1.clone();
    for (place, octets) in tables {
        let at = [table.len() as u32, octets.len() as u32].map(u32::to_le_bytes).concat();
        streams[0].1[*place..place + 8].copy_from_slice(&at);
        table.extend_from_slice(octets);
    }
    streams[1].1 = table;
    change(&mut streams[0].1);
    compound(&streams)
}

fn numbers(of: &[u32]) -> Vec<u8> {
    of.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// [MS-DOC] 2.9.147: one level that counts in decimal figures and shows nothing else.
fn level(start: u32) -> Vec<u8> {
    [&start.to_le_bytes()[..], &[0; 11], &[1], &[0; 12], &[1, 0, 0, 0]].concat()
}

/// The tables of one list, which all paragraphs are in.
fn listed(text: &str, level: &[u8], own_start: Option<u32>) -> Vec<u8> {
    let definition = [&[1, 0][..], &77u32.to_le_bytes(), &[0; 22], &[1, 0]].concat();
    let own = own_start.map(|start| [&[0; 4][..], &numbers(&[start, 0x10])].concat());
    let list = [&numbers(&[1, 77, 0, 0])[..], &[u8::from(own.is_some()), 0, 0, 0], &own.unwrap_or_default()].concat();
    let definition_end = definition.len() as u32;
    let mut behind = definition;
    behind.extend_from_slice(level);
    let (first, page) = (0x400u32, 4u32);
    let pages = numbers(&[first, 0x600, page]);
    with_tables(text, &[(0x2E2, behind), (0x2EA, list), (0x102, pages)], |word| {
        word[0x2E6..0x2EA].copy_from_slice(&definition_end.to_le_bytes());
        word.resize(page as usize * 512, 0);
        let mut properties = vec![0; 512];
        properties[..8].copy_from_slice(&numbers(&[first, 0x600]));
        properties[8] = 100;
        properties[200..210].copy_from_slice(&[5, 0, 0, 0x0A, 0x26, 0, 0x0B, 0x46, 1, 0]);
        properties[511] = 1;
        word.extend_from_slice(&properties);
    })
}

#[test]
fn the_numbers_of_lists_are_read_before_their_paragraphs() {
    let text = "NHS number\r476 5919\r";
    assert!(is_on_page(&look(&listed(text, &level(942), None))));
    assert!(is_on_page(&look(&listed(text, &level(1), Some(942)))), "a start of its own");
    assert!(look(&listed(text, &level(1), None)).findings.is_empty());
    let mut letters = level(942);
    letters[4] = 4;
    assert!(look(&listed(text, &letters, None)).findings.is_empty());
    for cut in [0, 10, 28] {
        let found = look(&listed(text, &level(942)[..cut], None));
        assert!(found.read.contains(&"x.ole".to_owned()), "{cut}: {found:?}");
    }
}

/// [MS-DOC] 2.9.271: styles, each with its name and its properties; the second is based on the first.
fn style_sheet(properties: &[u8]) -> Vec<u8> {
    let style = |base: u16, properties: &[u8]| {
        let about = [0, 1 | base << 4, 2, 0, 0].map(u16::to_le_bytes).concat();
        let name = [1, u16::from(b'a'), 0].map(u16::to_le_bytes).concat();
        let length = (properties.len() as u16 + 2).to_le_bytes();
        let whole = [&about[..], &name, &length, &[0, 0], properties].concat();
        let pad = vec![0; whole.len() % 2];
        [&(whole.len() as u16).to_le_bytes()[..], &whole, &pad].concat()
    };
    let about = [3u16, 10, 0].map(u16::to_le_bytes).concat();
    let styles = [style(0xFFF, &[]), style(0xFFF, properties), style(1, &[])].concat();
    [&(about.len() as u16).to_le_bytes()[..], &about, &styles].concat()
}

/// The same document, whose paragraphs are in the list because of their style.
fn listed_by_style(style: u8, own: &[u8], properties: &[u8]) -> Vec<u8> {
    let definition = [&[1, 0][..], &77u32.to_le_bytes(), &[0; 22], &[1, 0]].concat();
    let definition_end = definition.len() as u32;
    let (behind, list) = ([definition, level(942)].concat(), numbers(&[1, 77, 0, 0, 0]));
    let tables =
        [(0x2E2, behind), (0x2EA, list), (0xA2, style_sheet(properties)), (0x102, numbers(&[0x400, 0x600, 4]))];
    with_tables("NHS number\r476 5919\r", &tables, |word| {
        word[0x2E6..0x2EA].copy_from_slice(&definition_end.to_le_bytes());
        word.resize(4 * 512, 0);
        let mut page = vec![0; 512];
        page[..8].copy_from_slice(&numbers(&[0x400, 0x600]));
        page[8] = 100;
        page[200..204].copy_from_slice(&[0, 4, style, 0]);
        page[204..204 + own.len()].copy_from_slice(own);
        page[511] = 1;
        word.extend_from_slice(&page);
    })
}

#[test]
fn lists_of_styles_are_those_of_their_paragraphs() {
    let (list, none) = ([0x0B, 0x46, 1, 0], [0x0B, 0x46, 0, 0]);
    for style in [1, 2] {
        assert!(is_on_page(&look(&listed_by_style(style, &[], &list))), "{style}");
        assert!(
            look(&listed_by_style(style, &none, &list)).findings.is_empty(),
            "the paragraph says that it is in none"
        );
    }
    assert!(look(&listed_by_style(0, &[], &list)).findings.is_empty());
    assert!(look(&listed_by_style(1, &[], &none)).findings.is_empty());
    let whole = style_sheet(&list);
    for cut in 0..whole.len() {
        let found = look(&with_tables("NHS number\r476 5919\r", &[(0xA2, whole[..cut].to_vec())], |_| {}));
        assert!(found.read.contains(&"x.ole".to_owned()), "{cut}: {found:?}");
    }
}

#[test]
fn fields_are_worked_out() {
    for text in [
        "NHS number \u{13} SEQ a \\r 943 \u{14}1\u{15} 476 5919",
        "NHS number \u{13} MACROBUTTON No 943\u{15} 476 5919",
        "NHS number \u{13} IF 1 = 1 \"\u{13} QUOTE 943 \u{14}x\u{15}\" \"x\" \u{14}x\u{15} 476 5919",
        "NHS number \u{13} SEQ a \\r 1 \u{14}943\u{15} 476 5919",
    ] {
        assert!(is_on_page(&look(&doc(&[text]))), "{text}");
    }
    assert!(!is_on_page(&look(&doc(&["NHS number \u{13} HYPERLINK 943 \u{14}x\u{15} 476 5919"]))));
}

#[test]
fn notes_and_lines_are_counted_from_where_they_start() {
    let notes = |start: u16| vec![(0x192, [&[0; 2][..], &(start << 2).to_le_bytes(), &[0; 60]].concat())];
    let text = "NHS number \u{2} 476 5919";
    assert!(is_on_page(&look(&with_tables(text, &notes(943), |_| {}))));
    assert!(look(&with_tables(text, &notes(1), |_| {})).findings.is_empty());
    let section = |properties: &[u8]| {
        let place = 0x600u32;
        let table = [numbers(&[0, 99]), vec![0, 0], place.to_le_bytes().to_vec(), vec![0; 6]].concat();
        with_tables("x\r476 5919 is the NHS number\r", &[(0xCA, table)], |word| {
            word.resize(place as usize, 0);
            word.extend_from_slice(&(properties.len() as u16).to_le_bytes());
            word.extend_from_slice(properties);
        })
    };
    assert!(is_on_page(&look(&section(&[0x15, 0x50, 1, 0, 0x1B, 0x50, 0xAD, 3]))));
    assert!(look(&section(&[0x15, 0x50, 0, 0, 0x1B, 0x50, 0xAD, 3])).findings.is_empty(), "lines are not numbered");
}

#[test]
fn boxes_of_one_line_are_read_together() {
    let text = "x\r5919\r476\rNHS number 943\r";
    let boxes: Vec<u8> =
        (1..=3).flat_map(|shape: u32| [&[0; 14][..], &shape.to_le_bytes(), &[0; 4]].concat()).collect();
    let places = |order: &[u32]| {
        let shapes = order.iter().flat_map(|shape| [&shape.to_le_bytes()[..], &[0; 22]].concat());
        numbers(&vec![0; order.len() + 1]).into_iter().chain(shapes).collect::<Vec<u8>>()
    };
    let made = |order: &[u32]| {
        let tables = [(0x25A, [numbers(&[0, 5, 9, 24]), boxes.clone()].concat()), (0x1DA, places(order))];
        with_tables(text, &tables, |word| word[0x4C] = 2)
    };
    assert!(is_on_page(&look(&made(&[3, 2, 1]))));
    assert!(!is_on_page(&look(&made(&[2, 1, 3]))));
}

/// [MS-DOC] 2.9.298.
fn variables(named: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&(text.encode_utf16().count() as u16).to_le_bytes()[..], &wide(text)].concat();
    let mut table = [&[0xFF, 0xFF][..], &(named.len() as u16).to_le_bytes(), &[4, 0]].concat();
    named.iter().for_each(|(name, _)| table.extend([text(name), vec![0; 4]].concat()));
    named.iter().for_each(|(_, value)| table.extend(text(value)));
    table
}

#[test]
fn variables_are_shown_by_their_fields() {
    let text = "NHS number 943 \u{13} DOCVARIABLE part \u{14}1\u{15} 5919\r";
    let table = variables(&[("other", "1"), ("Part", "476")]);
    assert!(is_on_page(&look(&with_tables(text, &[(0x27A, table.clone())], |_| {}))));
    for cut in 0..table.len() {
        let found = look(&with_tables(text, &[(0x27A, table[..cut].to_vec())], |_| {}));
        assert!(found.read.contains(&"x.ole".to_owned()), "{cut}: {found:?}");
    }
}

/// One set of that kind, each property with its number.
fn set_of(kind: &[u8; 16], properties: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let (mut places, mut bodies) = (Vec::new(), Vec::new());
    for (id, body) in properties {
        places.extend(numbers(&[*id, (8 + 8 * properties.len() + bodies.len()) as u32]));
        bodies.extend_from_slice(body);
    }
    let set = [numbers(&[0, properties.len() as u32]), places, bodies].concat();
    [&[0xFE, 0xFF, 0, 0][..], &[0; 20], &[1, 0, 0, 0], kind, &[48, 0, 0, 0], &set].concat()
}

#[test]
fn properties_are_shown_by_their_fields() {
    let text_of = |text: &str| [&numbers(&[0x1E, text.len() as u32 + 1])[..], text.as_bytes(), &[0]].concat();
    let with = |text: &str, name: &'static str, set: Vec<u8>| {
        look(&compound(&[&doc_streams(&[text])[..], &[(name, set)]].concat()))
    };
    let summary = *b"\xE0\x85\x9F\xF2\xF9\x4F\x68\x10\xAB\x91\x08\x00\x2B\x27\xB3\xD9";
    let own = *b"\x05\xD5\xCD\xD5\x9C\x2E\x1B\x10\x93\x97\x08\x00\x2B\x2C\xF9\xAE";
    for field in ["TITLE", "DOCPROPERTY Title", "INFO title"] {
        let text = format!("NHS number 943 \u{13} {field} \u{14}1\u{15} 5919\r");
        let set = set_of(&summary, &[(1, numbers(&[2, 1252])), (2, text_of("476"))]);
        assert!(is_on_page(&with(&text, "\u{5}SummaryInformation", set)), "{field}");
    }
    let text = "NHS number 943 \u{13} DOCPROPERTY mine \u{14}1\u{15} 5919\r";
    let names = [&numbers(&[1, 2, 5])[..], b"Mine\0"].concat();
    for value in [text_of("476"), numbers(&[3, 476])] {
        let set = set_of(&own, &[(0, names.clone()), (1, numbers(&[2, 1252])), (2, value)]);
        assert!(is_on_page(&with(text, "\u{5}DocumentSummaryInformation", set)));
    }
}

/// [MS-DOC] 2.8.10, 2.8.12: the names of bookmarks, where they begin, and where they end.
fn bookmarks(all: &[(&str, u32, u32)]) -> Vec<(usize, Vec<u8>)> {
    let name = |name: &str| [&(name.len() as u16).to_le_bytes()[..], &wide(name)].concat();
    let names = all.iter().flat_map(|(text, ..)| name(text));
    let names = [0xFF, 0xFF, all.len() as u8, 0, 0, 0].into_iter().chain(names).collect();
    // Their ends stand in another order.
    let ends = (0..all.len()).rev().flat_map(|end| numbers(&[end as u32]));
    let begins = all.iter().map(|(_, begin, _)| *begin).chain([9_999]).flat_map(|begin| numbers(&[begin]));
    let last: Vec<u32> = all.iter().rev().map(|(.., end)| *end).chain([9_999]).collect();
    vec![(0x142, names), (0x14A, begins.chain(ends).collect()), (0x152, numbers(&last))]
}

#[test]
fn bookmarks_are_shown_by_fields_that_refer_to_them() {
    let place = |text: &str, of: &str| text.find(of).unwrap() as u32;
    let made = |text: &str, marked: &str| {
        let begin = place(text, marked);
        bookmarks(&[("other", 0, 3), ("Part", begin, begin + marked.len() as u32), ("empty", 5, 5)])
    };
    for (text, marked) in [
        ("NHS number 943 \u{13} REF part \u{14}1\u{15} 5919\rtwo of 476\r", "476"),
        ("two of 476\rNHS number 943 \u{13} REF part \\h \u{14}1\u{15} 5919\r", "476"),
        ("two of 476\rNHS number 943 \u{13} part \u{14}1\u{15} 5919\r", "476"),
        (
            "\u{13} QUOTE 476 \u{14}1\u{15}\rNHS number 943 \u{13} REF part \u{14}1\u{15} 5919\r",
            "\u{13} QUOTE 476 \u{14}1\u{15}",
        ),
    ] {
        let found = look(&with_tables(text, &made(text, marked), |_| {}));
        assert!(is_on_page(&found) && found.unread.is_empty(), "{text}: {found:?}");
        assert!(!is_on_page(&look(&doc(&[text]))), "{text}");
    }
    let page = "NHS number 943 \u{13} PAGEREF part \u{14}1\u{15} 5919\rtwo of 476\r";
    assert!(!is_on_page(&look(&with_tables(page, &made(page, "476"), |_| {}))), "where it stands is no text");
    let text = "NHS number 943 \u{13} REF part \u{14}1\u{15} 5919\rtwo of 476\r";
    let whole = made(text, "476");
    for (table, (place, octets)) in whole.iter().enumerate() {
        for cut in 0..octets.len() {
            let mut tables = whole.clone();
            tables[table] = (*place, octets[..cut].to_vec());
            let found = look(&with_tables(text, &tables, |_| {}));
            assert!(found.read.contains(&"x.ole".to_owned()), "{cut}: {found:?}");
        }
    }
}
