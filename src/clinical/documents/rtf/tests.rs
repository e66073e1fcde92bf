use crate::clinical::documents::writers::{compound, doc_streams};
use crate::clinical::{Findings, Limits, Rules, inspect};
use crate::vocabulary::{Confidence, FindingKind};
use base64::Engine as _;

fn look(rtf: &[u8]) -> Findings {
    let head = b"Content-Type: application/rtf; name=x.rtf\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let letters = base64::engine::general_purpose::STANDARD.encode(rtf);
    inspect(&[head, letters.as_bytes()].concat(), &Rules::default(), &Limits::default())
}

fn is_sure(findings: &Findings) -> bool {
    findings.findings.iter().any(|f| f.kind == FindingKind::NhsNumber && f.confidence == Confidence::High)
}

#[test]
fn text_is_read_wherever_it_stands() {
    for rtf in [
        r"{\rtf1\ansi NHS number 943 476 5919}",
        r"{\rt NHS number 943 476 5919",
        r"{\rtf1 NHS number {\b 9}{\b 4}{\i 3} {4}{7}{\ul 6} 59{19}\par}",
        r"{\rtf1\ansicpg1252 NHS number 943\'a0476\~5919}",
        r"{\rtf1 NHS number \u57?\u52?\u51? 476 5919}",
        r"{\rtf1\uc0 NHS number \u57\u52\u51\u32 476 5919}",
        r"{\rtf1{\fonttbl{\f3\fcharset128 MS Mincho;}}{NHS number \f3\'82\'58\'82\'53\'82\'52 476 5919}}",
        r"{\rtf1 NHS number 943\_476\-5919}",
        r"{\rtf1 NHS number 943{\*\bkmkstart x}{\*\bkmkend x} 476{\footnote other}5919}",
        r"{\rtf1 {\header NHS number 943{\*\bkmkstart x} 476 5919}body}",
        r"{\rtf1 {\footnote NHS number 943 476 5919}body}",
        r"{\rtf1 {\*\annotation NHS number 943 476 5919}body}",
        r"{\rtf1 {\*\never-heard-of NHS number 943 476 5919}body}",
        r"{\rtf1 {\info{\title NHS number 943 476 5919}}body}",
        r"{\rtf1 {\field{\*\fldinst NHS number 943 476 5919}{\fldrslt x}}body}",
        r"{\rtf1 {\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt NHS number 943 476 5919}}}body}",
        r"{\rtf1 \v NHS number 943 476 5919}",
        r"{\rtf1 NHS number 943{\v xyz 7} 476{\deleted z}5919}",
        r"{\rtf1 NHS number \u26085 943 476 5919 body}",
        r"{\rtf1\uc3 NHS number \u57 943\u52 \u51 943 476 5919}",
        r"{\rtf1\uc12 NHS number \u26085 943 476 5919 body}",
        r"{\rtf1 Name\cell NHS number\cell\row A\cell 943 476 5919\cell\row}",
        "{\\rtf1 NHS number 943 4\r\n76 5919}",
        "{\\rtf1 NHS number 943 476 {\\pict\\bin3 }}}}5919}",
    ] {
        let found = look(rtf.as_bytes());
        assert!(is_sure(&found), "{rtf}: {found:?}");
        assert_eq!(found.unread, [], "{rtf}");
    }
    let surrogates: String = "9434765919"
        .chars()
        .map(|c| {
            let mut units = [0; 2];
            let c = char::from_u32(0x1D7CE + c.to_digit(10).unwrap_or(0)).unwrap_or('x');
            c.encode_utf16(&mut units).iter().map(|u| format!("\\u{}?", *u as i16)).collect::<String>()
        })
        .collect();
    assert!(is_sure(&look(format!("{{\\rtf1 NHS number {surrogates}}}").as_bytes())), "{surrogates}");
}

#[test]
fn what_is_no_text_joins_nothing() {
    let found = look(br"{\rtf1 x {\header 943 476} {\footer 5919} NHS number}");
    assert!(found.findings.is_empty(), "{found:?}");
}

#[test]
fn html_inside_is_read_as_html() {
    let rtf = br"{\rtf1\ansi\fromhtml1 {\*\htmltag64 <p title='NHS number }\htmlrtf 1\htmlrtf0 943{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 476 5919{\*\htmltag '>}x}";
    assert!(is_sure(&look(rtf)));
}

#[test]
fn depth_is_counted_and_said() {
    let nested = |depth: usize| {
        [&b"{\\rtf1 "[..], &b"{".repeat(depth), b"NHS number 943 476 5919", &b"}".repeat(depth), b"}"].concat()
    };
    let found = look(&nested(10_000));
    assert!(is_sure(&found) && found.unread.is_empty());
    let found = look(&nested(200_000));
    assert!(is_sure(&found) && found.unread.iter().any(|u| u.limit.as_deref() == Some("depth")));
}

fn object(class: &str, data: &[u8]) -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u32 + 1).to_le_bytes()[..], text.as_bytes(), &[0]].concat();
    [
        &[1, 5, 0, 0, 2, 0, 0, 0][..],
        &string(class),
        &[0; 8],
        &(data.len() as u32).to_le_bytes(),
        data,
        &[1, 5, 0, 0, 0, 0, 0, 0],
    ]
    .concat()
}

fn packaged(name: &str, data: &[u8]) -> Vec<u8> {
    let length = |text: &str| (text.len() as u32 + 1).to_le_bytes();
    let native = [
        &[2, 0][..],
        name.as_bytes(),
        &[0],
        name.as_bytes(),
        &[0, 0, 0, 3, 0],
        &length(name),
        name.as_bytes(),
        &[0],
        &(data.len() as u32).to_le_bytes(),
        data,
    ]
    .concat();
    object("Package", &native)
}

fn with_object(object: &[u8]) -> Vec<u8> {
    let hex: String = object.iter().map(|b| format!("{b:02x}")).collect();
    let lines: Vec<&str> = hex.as_bytes().chunks(77).filter_map(|c| std::str::from_utf8(c).ok()).collect();
    format!("{{\\rtf1 see {{\\object\\objemb{{\\*\\objdata {}}}{{\\result x}}}}}}", lines.join("\r\n")).into_bytes()
}

#[test]
fn files_inside_are_read() {
    let found = look(&with_object(&packaged("letter.txt", b"NHS number 943 476 5919")));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    assert!(found.read.contains(&"x.rtf!/letter.txt".to_owned()), "{found:?}");
    let found = look(&with_object(&packaged("NHS number 943 476 5919.txt", b"x")));
    assert!(is_sure(&found), "{found:?}");
    let found = look(&with_object(&object("Other", &[3, 1, 2, 255, 128].repeat(80))));
    assert_eq!(found.unread.len(), 1, "{found:?}");
    assert_eq!(found.unread[0].kind, FindingKind::UnknownAttachment);
    for cut in [3, 9, 20, 40] {
        assert!(!look(&with_object(&packaged("letter.txt", b"x")[..cut])).unread.is_empty(), "{cut}");
    }
}

/// What Word writes behind every document: [MS-DOC] 2.1, custom XML.
#[test]
fn a_datastore_is_empty_or_read() {
    let with = |streams: &[(&str, Vec<u8>)]| {
        let store = object("Msxml2.SAXXMLReader.6.0", &compound(streams));
        let hex: String = store.iter().map(|octet| format!("{octet:02x}")).collect();
        look(format!("{{\\rtf1 text {{\\*\\datastore {hex}}}}}").as_bytes())
    };
    assert_eq!(with(&[]).unread, []);
    let item = |text: &str| format!("<?xml version='1.0'?><b:Sources xmlns:b='urn:x'>{text}</b:Sources>").into_bytes();
    let place = "MsoDataStore/\u{C0}\u{CE}==/Item";
    let found = with(&[(place, item(""))]);
    assert!(found.unread.is_empty() && !is_sure(&found), "{found:?}");
    assert!(is_sure(&with(&[(place, item("NHS number 943 476 5919"))])));
    let found = with(&doc_streams(&["NHS number 943 476 5919"]));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    assert_eq!(with(&[("Else", vec![3; 90])]).unread.len(), 1);
}

#[test]
fn a_link_is_its_names() {
    let link = |behind: &[u8]| [&[1, 5, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0][..], b"Word\0", behind].concat();
    assert_eq!(look(&with_object(&link(b""))).unread, []);
    let name = b"NHS number 943 476 5919.doc\0";
    let found = look(&with_object(&link(&[&[name.len() as u8, 0, 0, 0][..], name, &[0; 20]].concat())));
    assert!(is_sure(&found) && found.unread.is_empty(), "{found:?}");
    assert_eq!(look(&with_object(&link(&[3; 30_000]))).unread.len(), 1);
}

#[test]
fn data_that_is_not_there_is_broken_and_hides_nothing() {
    let found = look(br"{\rtf1 \bin999 NHS number 943 476 5919}");
    assert!(is_sure(&found));
    assert_eq!(found.unread[0].kind, FindingKind::BrokenAttachment);
}

#[test]
fn a_high_number_of_a_page_is_counted_and_no_alarm() {
    for word in ["pgnstart", "pgnstarts"] {
        let found = look(format!(r"{{\rtf1\{word}5919 NHS number 943 476 \chpgn}}").as_bytes());
        assert!(is_sure(&found) && found.unread.is_empty(), "{word}");
        let found = look(format!(r"{{\rtf1\{word}2026 page \chpgn}}").as_bytes());
        assert!(found.findings.is_empty() && found.unread.is_empty(), "{word}");
    }
}

/// What a word processor counts, works out and places is read as it is on the page.
#[test]
fn what_is_not_stored_is_read_as_it_is_shown() {
    let lists = r"{\*\listtable{\list\listtemplateid1{\listlevel\levelnfc0\levelstartat943\levelfollow1{\leveltext\'01\'00;}{\levelnumbers\'01;}}\listid77}}{\*\listoverridetable{\listoverride\listid77\listoverridecount0\ls3}}";
    let field = |instruction: &str, stored: &str| {
        format!(r"{{\field{{\*\fldinst {{ {instruction} }}}}{{\fldrslt {{{stored}}}}}}}")
    };
    let shape = |left: u32, text: &str| {
        format!(
            r"{{\shp{{\*\shpinst\shpleft{left}\shptop9{{\sp{{\sn shapeType}}{{\sv 202}}}}{{\shptxt {text}\par}}}}}}"
        )
    };
    for body in [
        format!(r"{lists}NHS number\par\pard{{\listtext 1.\tab}}\ls3\ilvl0 476 5919\par"),
        r"NHS number\par{\pntext 1.\tab}{\*\pn\pnlvlbody\pnstart943\pndec}476 5919\par".to_owned(),
        r"NHS number\par{\pntext 1.\tab}{\*\pn\pnlvlbody\pnstart43\pndec{\pntxtb 9}}476 5919\par".to_owned(),
        r"NHS number {\f1\u-4039?\u-4044?\u-4045? \u-4044?\u-4041?\u-4042?} 5919\par".to_owned(),
        r"\ftnstart943 NHS number {\super\chftn{\footnote note}} 476 5919\par".to_owned(),
        r"\pgnstart941{\header NHS number \chpgn  476 5919\par}hello\par".to_owned(),
        r"\linemod1\linestarts942 x\par 476 5919 is the NHS number\par".to_owned(),
        format!("NHS number {} 476 5919", field("MACROBUTTON No 943", "")),
        format!("NHS number {} 476 5919", field(r"SEQ a \\r 943", "1")),
        format!("NHS number {} 476 5919", field("= 1", "943")),
        format!(
            "NHS number {}{}{} 476 5919",
            field("SYMBOL 57", ""),
            field("SYMBOL 52", "x"),
            field("HYPERLINK x", "3")
        ),
        format!(
            r"{{\info{{\title 943}}}}{{\*\userprops{{\propname b}}\proptype30{{\staticval 476}}}}NHS number {} {} 5919",
            field("TITLE", "x"),
            field("DOCPROPERTY B", "x")
        ),
        format!(
            r"{{\*\docvar {{own}}{{943}}}}{{\*\docvar {{Other}}{{476}}}}NHS number {} {} 5919",
            field("DOCVARIABLE own", "x"),
            field("DOCVARIABLE other", "x")
        ),
        format!(r"NHS number {} 476 5919\par two {{\*\bkmkstart bA}}943{{\*\bkmkend bA}}", field("REF bA", "x")),
        format!("NHS number {}{}{}", shape(900, "476"), shape(0, "943"), shape(1800, "5919")),
    ] {
        let found = look(format!(r"{{\rtf1\ansi {body}}}").as_bytes());
        assert!(is_sure(&found), "{body}: {found:?}");
    }
    for body in [
        format!(r"{lists}NHS number\par\pard 476 5919\par"),
        r"NHS number\par{\*\pn\pnlvlbody\pnstart943\pnucrm}476 5919\par".to_owned(),
        r"\pgnstart1{\header NHS number \chpgn  476 5919\par}hello\par".to_owned(),
        format!("NHS number {}{}{}", shape(900, "Room 476"), shape(0, "Page 943"), shape(1800, "Box 5919")),
    ] {
        let found = look(format!(r"{{\rtf1\ansi {body}}}").as_bytes());
        assert!(found.findings.is_empty(), "{body}: {found:?}");
    }
}
