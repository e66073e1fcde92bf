//! Ways in which one reader sees what another does not.

use super::*;
use std::fmt::Write as _;

#[test]
fn content_in_several_streams_is_read_in_both_ways() {
    let torn = |one: &str, next: &str| {
        let mut pdf = Pdf::of(one.as_bytes());
        let second = pdf.add(stream("", next.as_bytes()));
        let dict = format!("/Contents [99 0 R {CONTENT} 0 R {second} 0 R] /Resources << /Font << /F1 {FONT} 0 R >> >>");
        pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R {dict} >>"));
        pdf.bytes()
    };
    holds(&torn("BT /F1 12 Tf 72 720 Td (NHS number 94", "3 476 5919) Tj ET"));
    holds(&torn("BT /F1 12 Tf 72 720 Td (NHS number 943 476 5919) T", "j ET"));
    holds(&torn("BT /F1 12 Tf 72 720 Td <3934333437", "3635393139> Tj ET"));
    holds(&torn("BT /F1 12 Tf 72 720 Td (NHS number) Tj", "(943 476 5919) ' ET"));
}

#[test]
fn strings_and_names_are_read_with_their_escapes() {
    holds(&shown("BT /F#31 12 Tf 72 720 Td (NHS number 94\\063 \\064\\67\\\n6 5919) Tj ET"));
    holds(&shown("BT /F1 12 Tf 72 720 Td <4E4853206E756D62657220393433203437362035393139 2> Tj ET"));
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    pdf.set(PAGE, "<< /Type /P#61ge /Parent 2 0 R /Con#74ents 4 0 R /Resources << /F#6Fnt << /F1 5 0 R >> >> >>");
    holds(&pdf.bytes());
}

#[test]
fn an_inline_image_hides_no_text() {
    let image = "BI /W 30 /H 1 /BPC 8 /CS /G ID ";
    shows(&shown(&format!("q {image}{:30}\nEI Q {NUMBER}", "ab EI (cd ")));
    shows(&shown(&format!("q {image}{:30}\nEI Q {NUMBER}", "abc")));
    let faked = format!("q {image}ab EI Q {NUMBER} q (\nEI Q");
    shows(&shown(&faked));
    shows(&shown(&format!("BI /W 1 /H 1 /F /AHx ID 00> EI {NUMBER}")));
}

#[test]
fn digits_that_nobody_sees_are_missing_in_one_reading() {
    for [seen, unseen] in [
        ["0 g", "1 g"],
        ["0 0 0 rg", "1 1 1 rg"],
        ["0 0 0 1 k", "0 0 0 0 k"],
        ["0 Tr", "3 Tr"],
        ["0 Tr", "7 Tr"],
        ["/F1 12 Tf", "/F1 1 Tf"],
    ] {
        let digits: String = "943476591".chars().map(|digit| format!("{seen} ({digit}) Tj {unseen} (8) Tj ")).collect();
        holds(&shown(&format!("BT /F1 12 Tf 72 720 Td (NHS number ) Tj {digits} {seen} (9) Tj ET")));
    }
    holds(&shown("1 g BT /F1 12 Tf 72 720 Td (NHS number 943) Tj 0 g ( 476 5919) Tj ET"));
}

#[test]
fn stray_octets_end_nothing() {
    for stray in ["]", ">>", "}", ")", "(", "<", "[", "<<", "/", "1 2 3", "\0\u{1}", "(open"] {
        shows(&shown(&format!("q {stray} Q {NUMBER}")));
    }
}

#[test]
fn resources_are_inherited() {
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    pdf.set(PAGES, "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /Font << /F1 5 0 R >> >> >>");
    pdf.set(PAGE, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>");
    pdf.set(FONT, "<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences [57 /one 49 /nine] >> >>");
    pdf.set(CONTENT, stream("", NUMBER.replace("943 476 5919", "143 476 5191").as_bytes()));
    holds(&pdf.bytes());
}

#[test]
fn damaged_tables_lengths_and_ends_are_repaired() {
    let sound = shown(NUMBER);
    let text = String::from_utf8_lossy(&sound).into_owned();
    let length = format!("/Length {}", NUMBER.len());
    for (from, to) in [
        ("startxref", "startxxxx"),
        ("xref\n0", "xxxx\n0"),
        ("/Size 6", "/Size 2"),
        (length.as_str(), "/Length 1"),
        (length.as_str(), "/Length 999999"),
        (length.as_str(), ""),
        ("trailer", "trail"),
    ] {
        let broken = sound_with(&sound, from, to);
        assert_ne!(broken, sound, "{from} in {text}");
        shows(&broken);
    }
    let end = sound.len() - 200;
    shows(&sound[..end]);
    shows(&[b"junk before it\r\n".repeat(60), sound.clone()].concat());
}

fn sound_with(pdf: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = memchr::memmem::rfind(pdf, from.as_bytes()).unwrap();
    [&pdf[..at], to.as_bytes(), &pdf[at + from.len()..]].concat()
}

#[test]
fn an_update_is_read_and_so_are_packed_objects() {
    let mut whole = shown("BT (older) Tj ET");
    let content = stream("", NUMBER.as_bytes());
    let (at, start) = (whole.len(), memchr::memmem::rfind(&whole, b"xref\n0").unwrap());
    whole.extend_from_slice(&[b"4 0 obj\n", &content[..], b"\nendobj\n"].concat());
    let table = whole.len();
    whole.extend_from_slice(
        format!(
            "xref\n4 1\n{at:010} 00000 n \ntrailer\n<< /Size 6 /Root 1 0 R /Prev {start} >>\nstartxref\n{table}\n%%EOF"
        )
        .as_bytes(),
    );
    holds(&whole);
    holds(&Pdf::of(NUMBER.as_bytes()).packed());
}

#[test]
fn every_filter_is_undone() {
    let page = |dict: &str, data: &[u8]| Pdf::with(stream(dict, data), HELVETICA.to_owned(), "").bytes();
    let hex: String = NUMBER.bytes().map(|b| format!("{b:02x} ")).collect::<String>() + ">";
    holds(&page("/Filter /FlateDecode", &flate(NUMBER.as_bytes())));
    holds(&page("/Filter /ASCIIHexDecode", hex.as_bytes()));
    holds(&page("/Filter [/ASCIIHexDecode /FlateDecode]", &hex_of(&flate(NUMBER.as_bytes()))));
    holds(&page("/Filter /Fl#61teDecode /DecodeParms null", &flate(NUMBER.as_bytes())));
    let run: Vec<u8> =
        NUMBER.as_bytes().chunks(100).flat_map(|c| [&[c.len() as u8 - 1], c].concat()).chain([128]).collect();
    holds(&page("/Filter /RunLengthDecode", &run));
    holds(&page("/Filter /LZWDecode", &lzw(NUMBER.as_bytes())));
    holds(&page("/Filter /ASCII85Decode", ascii_85(NUMBER.as_bytes()).as_bytes()));
    let mut rows: Vec<u8> = Vec::new();
    let width = 8;
    let mut above = vec![0u8; width];
    for row in NUMBER.as_bytes().chunks(width) {
        rows.push(2);
        rows.extend(row.iter().zip(&above).map(|(b, a)| b.wrapping_sub(*a)));
        above = row.to_vec();
    }
    holds(&page("/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 8 >>", &flate(&rows)));
    let no_sum = flate(NUMBER.as_bytes());
    holds(&page("/Filter /FlateDecode", &no_sum[..no_sum.len() - 4]));
    says(&page("/Filter /Unheard", b"abc"), FindingKind::BrokenAttachment, "filter");
    let cut = flate(NUMBER.repeat(9).as_bytes());
    says(&page("/Filter /FlateDecode", &cut[..cut.len() / 2]), FindingKind::BrokenAttachment, "damaged");
}

fn hex_of(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| format!("{b:02X}").into_bytes()).chain(*b">").collect()
}

/// Codes of nine bits, the table cleared before it grows; then one code of two letters.
fn lzw(bytes: &[u8]) -> Vec<u8> {
    let mut codes = vec![256u32];
    for block in bytes.chunks(200) {
        codes.extend(block.iter().map(|b| u32::from(*b)));
        codes.push(256);
    }
    codes.push(257);
    let bits: String = codes.iter().map(|code| format!("{code:09b}")).collect();
    bits.as_bytes().chunks(8).map(|b| b.iter().fold(0, |v, b| v << 1 | (b - b'0')) << (8 - b.len())).collect()
}

fn ascii_85(bytes: &[u8]) -> String {
    let mut out = String::new();
    for four in bytes.chunks(4) {
        let value = (0..4).fold(0u32, |v, at| v << 8 | u32::from(four.get(at).copied().unwrap_or(0)));
        let digits: Vec<char> = (0..5).rev().map(|at| char::from((value / 85u32.pow(at) % 85) as u8 + b'!')).collect();
        out.extend(&digits[..=four.len()]);
    }
    out + "~>"
}

#[test]
fn octets_before_the_header_hide_no_page() {
    // Tables and objects for whoever counts from the header, and others for whoever counts from the first octet.
    let letter = Pdf::of(NUMBER.as_bytes()).bytes();
    let harmless = String::from_utf8_lossy(&Pdf::of(b"BT /F1 12 Tf 72 720 Td (Dear) Tj ET").bytes()).into_owned();
    let front = format!("%{}\n", "j".repeat(600));
    let end = memchr::memmem::rfind(&letter, b"startxref").unwrap();
    let table = memchr::memmem::rfind(&letter, b"xref\n0 ").unwrap();
    let own = &letter[table..end];
    // The second table, counted from the first octet, stands so that both are at the place that `startxref` names.
    let mut other = String::from("0000000000 65535 f \n");
    let mut objects = Vec::new();
    let from = front.len() + table + own.len() + 2_000;
    for number in 1..=5 {
        let at = harmless.find(&format!("{number} 0 obj")).unwrap();
        let len = harmless[at..].find("endobj").unwrap() + 7;
        let _ = writeln!(other, "{:010} 00000 n ", from + objects.len());
        objects.extend_from_slice(&harmless.as_bytes()[at..at + len]);
    }
    let trailer = format!("xref\n0 6\n{other}trailer\n<< /Size 6 /Root 1 0 R >>\n");
    let mut file = front.clone().into_bytes();
    file.extend_from_slice(&letter[..table]);
    // `startxref` names one number; from the first octet, that is `front` octets earlier in the file.
    let named = table + own.len().max(trailer.len()) + 1_000;
    file.resize(named, b' ');
    file.extend_from_slice(trailer.as_bytes());
    file.resize(front.len() + named, b' ');
    file.extend_from_slice(own);
    file.resize(from.max(file.len()), b' ');
    let shift = file.len() - from;
    assert_eq!(shift, 0, "the objects stand where their table says");
    file.extend_from_slice(&objects);
    file.extend_from_slice(format!("startxref\n{named}\n%%EOF\n").as_bytes());
    shows(&file);
}

/// A page with a layer `/L` that is object 6, and what the document says of layers.
fn layered(content: &str, properties: &str) -> Vec<u8> {
    let mut pdf = Pdf::of(content.as_bytes());
    pdf.add("<< /Type /OCG /Name (notes) /Usage << /View << /ViewState /OFF >> >> >>");
    pdf.add("<< /Type /OCG /Name (letter) >>");
    pdf.add("<< /Type /OCMD /OCGs [6 0 R 7 0 R] /P /AllOn >>");
    let resources = format!(
        "/Resources << /Font << /F1 {FONT} 0 R >> /Properties << /L 6 0 R /M 8 0 R /V << /Type /OCMD /VE [/Not 7 0 R] >> >> >>"
    );
    pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /Contents {CONTENT} 0 R {resources} >>"));
    let catalog =
        format!("<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R 7 0 R] /D << {properties} >> >> >>");
    pdf.set(CATALOG, catalog);
    pdf.bytes()
}

#[test]
fn digits_in_a_layer_that_is_off_are_missing_in_one_reading() {
    let content = |layer: &str| {
        format!(
            "BT /F1 12 Tf 72 720 Td (NHS number 943) Tj /OC /{layer} BDC (1) Tj EMC ( 476 59) Tj /Span BMC (19) Tj EMC ET"
        )
    };
    for (layer, properties) in [
        ("L", "/OFF [6 0 R]"),
        ("L", "/BaseState /OFF /ON [7 0 R]"),
        ("L", "/AS [<< /Event /View /Category [/View] /OCGs [6 0 R] >>]"),
        ("M", "/OFF [6 0 R]"),
        ("V", "/OFF [6 0 R]"),
    ] {
        holds(&layered(&content(layer), properties));
    }
    let findings = inspected(&layered(&content("L"), "/OFF [7 0 R]"));
    assert!(found(&findings, FindingKind::NhsNumber).is_empty(), "a layer that is on is part of the page");
    let white = content("L").replace("( 476", "1 g ( 476").replace("ET", "0 g (.) Tj ET");
    holds(&layered(&white, "/OFF [6 0 R]"));
}

#[test]
fn white_and_clipped_digits_stay_where_others_have_no_ink() {
    for way in ["1 g", "7 Tr"] {
        let back = if way == "1 g" { "0 g" } else { "0 Tr" };
        holds(&shown(&format!(
            "BT /F1 12 Tf 72 720 Td (NHS number 943) Tj 3 Tr (1) Tj 0 Tr {way} ( 476) Tj {back} ( 5919) Tj ET"
        )));
    }
    holds(&shown(
        "BT /F1 12 Tf 72 720 Td (NHS number 943) Tj 3 Tr (1) Tj 0 Tr /Pattern cs /P1 scn ( 476) Tj 0 g ( 5919) Tj ET",
    ));
}

#[test]
fn a_digit_under_a_hidden_one_is_seen() {
    let place = "1 0 0 1 181.4 720 Tm";
    holds(&shown(&format!(
        "BT /F1 12 Tf 3 Tr {place} (6) Tj 0 Tr {place} (6) Tj ( 5919) Tj 1 0 0 1 72 720 Tm (NHS number 943 47) Tj \
         3 Tr (1) Tj ET"
    )));
}
