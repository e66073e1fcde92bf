//! What is not read, and is said.

use super::*;

fn picture(sides: &str, octets: usize) -> Vec<u8> {
    let dict = format!("/Type /XObject /Subtype /Image {sides} /BitsPerComponent 8 /Filter /DCTDecode");
    stream(&dict, &vec![0xFF; octets])
}

/// A page with a picture over all of it, and this content too.
fn scan(content: &str) -> Vec<u8> {
    page_of(&picture("/Width 900 /Height 1200", 30_000), content)
}

fn page_of(picture: &[u8], content: &str) -> Vec<u8> {
    let mut pdf = Pdf::of(format!("q 595 0 0 842 0 0 cm /I1 Do Q {content}").as_bytes());
    let image = pdf.add(picture);
    let resources = format!("/Resources << /Font << /F1 5 0 R >> /XObject << /I1 {image} 0 R >> >>");
    pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {resources} >>"));
    pdf.bytes()
}

#[test]
fn a_page_that_is_a_picture_is_said() {
    let findings = inspected(&scan(""));
    assert_eq!(found(&findings, FindingKind::Scan), [("a.pdf!/page 1", "page without text")]);
    says(&scan("BT /F1 9 Tf (Page 1 of 1) Tj ET"), FindingKind::Scan, "page without text");
    let read = format!("BT 3 Tr /F1 9 Tf ({}) Tj ET {NUMBER}", "words that somebody recognised ".repeat(9));
    let findings = inspected(&scan(&read));
    assert!(found(&findings, FindingKind::Scan).is_empty(), "a layer of text over it is text");
    assert!(!found(&findings, FindingKind::NhsNumber).is_empty());
    says(&scan(&read), FindingKind::Image, "picture");
}

#[test]
fn a_page_that_compresses_well_is_a_picture_beside_its_text_unless_it_was_recognised() {
    let words = |mode: u8, times| format!("BT {mode} Tr /F1 9 Tf ({}) Tj ET", "words of a letterhead ".repeat(times));
    let small = picture("/Width 900 /Height 1200", 3_000);
    says(&page_of(&small, &words(0, 30)), FindingKind::Image, "page");
    says(&page_of(&small, &words(3, 10)), FindingKind::Image, "page");
    for page in [page_of(&small, &words(3, 30)), page_of(&picture("/Width 4 /Height 9", 40), &words(0, 30))] {
        assert_eq!(inspected(&page).unread, []);
    }
}

#[test]
fn letters_that_are_drawn_are_said() {
    let drawn = "0 0 m 1 1 2 2 3 3 c f ".repeat(400);
    says(&shown(&drawn), FindingKind::Scan, "page without text");
}

#[test]
fn no_page_at_all_is_never_clean() {
    let mut none = Pdf::of(b"");
    none.set(PAGES, "<< /Type /Pages /Kids [] /Count 0 >>");
    says(&none.bytes(), FindingKind::BrokenAttachment, "no text found");
    says(b"%PDF-1.7 and nothing else", FindingKind::BrokenAttachment, "pdf objects");
    shows(b"%PDF-1.7 NHS number 943 476 5919");
}

#[test]
fn what_is_closed_is_said_to_be() {
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    let zeros = "00".repeat(32);
    let closed = pdf.add(format!("<< /Filter /Standard /V 1 /R 2 /O <{zeros}> /U <{zeros}> /P -4 >>"));
    let findings = inspected(&pdf.bytes_with(&format!("/Encrypt {closed} 0 R /ID [<00> <00>]")));
    assert_eq!(found(&findings, FindingKind::EncryptedAttachment), [("a.pdf", "pdf")], "{findings:?}");
}

#[test]
fn bombs_are_cut_short_and_said() {
    let zeros = flate(&vec![b' '; 20_000_000]);
    let bomb = Pdf::with(stream("/Filter /FlateDecode", &zeros), HELVETICA.to_owned(), "").bytes();
    says(&bomb, FindingKind::LimitReached, "ratio");
    let twice = flate(&flate(&vec![b' '; 60_000_000]));
    let bomb = Pdf::with(stream("/Filter [/FlateDecode /FlateDecode]", &twice), HELVETICA.to_owned(), "").bytes();
    says(&bomb, FindingKind::LimitReached, "ratio");
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    let packed = flate(&vec![b' '; 60_000_000]);
    pdf.add(stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &packed));
    says(&pdf.bytes(), FindingKind::LimitReached, "object streams");
}

/// Room for a little.
const NARROW: Limits = Limits { depth: 8, parts: 2_000, decoded: 3_000_000, part: 1_000_000 };

#[track_caller]
fn says_when_narrow(pdf: &[u8], what: &str) {
    let findings = inspected_within(pdf, NARROW);
    assert!(
        found(&findings, FindingKind::LimitReached).iter().any(|(_, which)| *which == what),
        "{what}: {findings:?}"
    );
}

#[test]
fn content_that_is_named_often_is_bounded() {
    let mut pdf =
        Pdf::with(stream("/Filter /FlateDecode", &flate(&b"BT (a) Tj ET ".repeat(6_000))), HELVETICA.to_owned(), "");
    let kids: String =
        (0..2_000).map(|_| format!("{} 0 R ", pdf.add("<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"))).collect();
    pdf.set(PAGES, format!("<< /Type /Pages /Kids [{kids}] /Count 2000 >>"));
    says_when_narrow(&pdf.bytes(), "decoded");
}

#[test]
fn circles_end() {
    let mut pdf = Pdf::of(b"/X1 Do");
    let form = pdf.add(stream(
        "/Subtype /Form /Resources << /XObject << /X1 6 0 R /X2 6 0 R >> >>",
        format!("/X1 Do /X2 Do {NUMBER}").as_bytes(),
    ));
    pdf.set(
        PAGE,
        format!("<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X1 {form} 0 R >> >> >>"),
    );
    shows(&pdf.bytes());
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    pdf.set(PAGES, "<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 1 /Parent 2 0 R >>");
    shows(&pdf.bytes());
    let mut pdf = Pdf::of(b"/X0 Do");
    let names: String = (0..20).map(|at| format!("/X{at} {} 0 R ", 6 + at)).collect();
    for at in 0..20 {
        let call = format!("/X{} Do ", at + 1).repeat(20);
        pdf.add(stream(&format!("/Subtype /Form /Resources << /XObject << {names} >> >>"), call.as_bytes()));
    }
    pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << {names} >> >> >>"));
    says_when_narrow(&pdf.bytes(), "operators");
}

#[test]
fn pages_and_depth_are_bounded() {
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    let kids: String = (0..5_001).map(|_| format!("{} 0 R ", pdf.add("<< /Type /Page /Contents 4 0 R >>"))).collect();
    pdf.set(PAGES, format!("<< /Type /Pages /Kids [{kids}] >>"));
    says(&pdf.bytes(), FindingKind::LimitReached, "pages");
    let mut pdf = Pdf::of(NUMBER.as_bytes());
    pdf.add(format!("{}(943 476 5919){}", "[".repeat(100), "]".repeat(100)));
    says(&pdf.bytes(), FindingKind::LimitReached, "depth");
    let narrow = Limits { decoded: 3_000, ..Limits::default() };
    let findings = inspected_within(&shown(&NUMBER.repeat(40)), narrow);
    assert!(!found(&findings, FindingKind::LimitReached).is_empty());
}
