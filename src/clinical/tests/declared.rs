//! Text that looks like something else, and what a client shows of it.

use super::*;

const NUMBER: &str = "NHS number 943 476 5919";
const PDF: &str = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\ntrailer<</Size 4/Root 1 0 R>>\n%%EOF\n";

fn of_kind(kind: &str, body: &str) -> Vec<u8> {
    format!("Subject: x\r\nContent-Type: {kind}\r\n\r\n{body}").into_bytes()
}

#[test]
fn what_is_declared_text_is_read_as_text_whatever_it_looks_like() {
    for body in [
        format!("{NUMBER}\n{PDF}"),
        format!("{PDF}{NUMBER}\n"),
        format!("From: Dr A\nMessage-ID: {NUMBER}\n\nhello"),
        format!("{{\\rt hello{{\\pict {NUMBER}}}}}"),
        format!("<?xml version='1.0'?><?mso-application progid='Word.Document'?><!-- {NUMBER} --><w:wordDocument/>"),
    ] {
        for kind in ["text/plain", "", "text/html", "text/plain; name=a.txt", "application/octet-stream; name=a.csv"] {
            assert!(!numbers(&of_kind(kind, &body)).is_empty(), "{kind} {body}");
        }
    }
    let marked = of_kind("text/html", &format!("{PDF}<p>NHS number 94<b></b>3 476 5919</p>"));
    assert_eq!(numbers(&marked), at("html"));
}

#[test]
fn text_that_speaks_of_pdf_is_text() {
    for (kind, place) in [("text/plain", "text"), ("text/plain; name=a.txt", "a.txt")] {
        let findings = look(&of_kind(kind, "We send files as %PDF-1.7 these days."));
        assert_eq!((findings.unread.len(), findings.read.last().map(String::as_str)), (0, Some(place)));
    }
    let armoured = look(&of_kind("text/plain", "-----BEGIN PGP MESSAGE-----\n%PDF-1.7"));
    assert!(!armoured.unread.is_empty(), "it is still what it is");
}

#[test]
fn a_long_text_that_speaks_of_pdf_is_read_to_its_end_where_no_documents_are() {
    let body = format!("%PDF-1.7 is meant\n{}{NUMBER}", "an ordinary line of a letter\n".repeat(9_000));
    let head = "Subject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    let message = format!("{head}{}", base64(format!("The {body}").as_bytes()));
    let findings = inspect_text(message.as_bytes(), &Rules::default(), &Limits::default());
    assert_eq!(found(&findings, FindingKind::NhsNumber).len(), 1);
}

#[test]
fn a_number_that_goes_on_in_the_next_text_is_one() {
    let (plain, page) = ("Content-Type: text/plain\r\n\r\n", "Content-Type: text/html\r\n\r\n<p>");
    let picture = format!("Content-Type: image/png; name=a.png\r\n\r\n{}", "x".repeat(40));
    let parts =
        |texts: [&str; 3]| mixed(&[texts[0], &picture, texts[1], "Content-Type: text/plain\r\n\r\n \r\n", texts[2]]);
    for [one, two, three] in [[plain, plain, plain], [plain, page, plain], [page, page, page]] {
        let whole = [format!("{one}NHS number 943"), format!("{two}476"), format!("{three}5919 of June")];
        assert_eq!(numbers(&parts([&whole[0], &whole[1], &whole[2]])).len(), 1, "{whole:?}");
    }
    let apart = ["NHS number 943", "and 476", "5919 of June"].map(|text| format!("{plain}{text}"));
    assert!(numbers(&parts([&apart[0], &apart[1], &apart[2]])).is_empty());
}

/// An attachment that says nothing of itself but its name.
fn named(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("Content-Type: application/octet-stream; name={name}\r\nContent-Transfer-Encoding: base64");
    mixed(&[&format!("{head}\r\n\r\n{}", base64(bytes))])
}

#[test]
fn saved_mail_and_web_archives_are_read_as_mail() {
    let body = format!("Content-Transfer-Encoding: base64\r\n\r\n{}\r\n", base64(NUMBER.as_bytes()));
    let part = format!("--X\r\nContent-Type: text/html\r\n{body}--X--\r\n");
    let many = "X-A: y\r\n".repeat(70);
    for (name, text) in [
        ("a.bin", format!("MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=X\r\n\r\n{part}")),
        ("a.bin", format!("From: a@b\r\nSubject: x\r\n{body}")),
        ("a.bin", format!("{many}{body}")),
        ("a.bin", format!("From a@b Mon Nov 30 01:39:23 2026\r\nFrom: a@b\r\n{body}")),
        ("a.bin", format!("From a\nSubject: x\nMIME-Version: 1.0\n\nhello\n\nFrom b\nSubject: x\n{body}")),
        (
            "a.bin",
            format!("From a\nContent-Type: multipart/mixed; boundary=X\n\n--X\n\nhi\n\nFrom b\nSubject: x\n\n{part}"),
        ),
        ("a.bin", format!("300\nFrom: a@b\r\nSubject: x\r\n{body}")),
        ("a.eml", "From: a@b\r\nSubject: =?utf-8?B?TkhTIG51bWJlciA5NDMgNDc2IDU5MTk=?=\r\n\r\nhello".to_owned()),
    ] {
        let found = numbers(&named(name, text.as_bytes()));
        // In base64, the number is found where it stands in the file as text, too.
        assert!(
            found.iter().any(|(place, _)| place.starts_with(&format!("{name}!/")) && !place.ends_with("!/data")),
            "{text}"
        );
    }
    let news = format!("Content-Type: message/news\r\n\r\nSubject: x\r\n{body}");
    assert_eq!(numbers(&mixed(&[&news])), at("message!/text"));
    let log = look(&named("a.log", b"From the start:\r\nContent-Type is text\r\n\r\nhello"));
    assert_eq!((log.unread.len(), log.findings.len()), (0, 0));
}

#[test]
fn a_header_section_that_ends_without_an_empty_line_hides_nothing() {
    for message in [
        format!("Subject: x\r\nDear colleague,\r\nMessage-ID: {NUMBER}\r\n\r\nbye"),
        "Subject: x\r\nContent-Type: text/html\r\n<p>NHS number 943 476\r\n&nbsp;<b>5919</b></p>\r\n\r\nbye".to_owned(),
        format!("Subject: x\r\nContent-Transfer-Encoding: base64\r\n{}", base64(NUMBER.as_bytes())),
    ] {
        let findings = look(message.as_bytes());
        assert!(!found(&findings, FindingKind::NhsNumber).is_empty(), "{message}");
        assert_eq!(found(&findings, FindingKind::BrokenAttachment), [("header", "header", Confidence::High)]);
    }
    assert_eq!(look(b"From a@b Mon Nov 30 2026\r\nSubject: x\r\n\r\nbye").unread, []);
}

#[test]
fn drawings_are_pictures_and_small_ones_in_the_text_are_logos() {
    for (name, bytes) in
        [("a.svg", &b"<svg><path d='M1 1'/></svg>"[..]), ("a.pbm", b"P1\n2 1\n0 1"), ("a.dxf", b"0\nSECTION\n2")]
    {
        assert_eq!(found(&look(&named(name, bytes)), FindingKind::Image).len(), 1, "{name}");
    }
    let svg = "Content-Type: image/svg+xml\r\nContent-ID: <a>\r\n\r\n<svg>";
    assert_eq!(look(&mixed(&[svg])).unread, []);
    assert_eq!(found(&look(&mixed(&[&(svg.to_owned() + &" ".repeat(20_000))])), FindingKind::Image).len(), 1);
    assert_eq!(look(b"Content-Type: text/html\r\n\r\n<svg><path/></svg>").unread, []);
    let drawn = format!("Content-Type: text/html\r\n\r\n<svg><path d='{}'/></svg>", "1 1 ".repeat(5_000));
    assert_eq!(found(&look(drawn.as_bytes()), FindingKind::Image), [("html", "svg", Confidence::High)]);
}

#[test]
fn a_page_that_brings_a_font_may_look_like_anything() {
    let page = |data: &str| {
        let face = format!("@font-face{{font-family:a;src:url(data:font/woff2;base64,{data})}}");
        look(format!("Content-Type: text/html\r\n\r\n<style>{face}</style><p>Dear all").as_bytes())
    };
    let findings = page(&base64(b"wOF2\0\x01\0\0"));
    assert_eq!(found(&findings, FindingKind::UnknownAttachment), [("html!/data", "font", Confidence::High)]);
    assert_eq!(page("").unread, []);
}

#[test]
fn attached_markup_is_read_by_its_name_and_by_its_tags() {
    let broken = "Dear all, <p>NHS number 9<b></b>43 4<b></b>76 59<b></b>19";
    let entities = "Dear all, NHS number &#57;&#52;&#51; &#52;&#55;&#54; &#53;&#57;&#49;&#57;";
    for text in [broken, entities] {
        assert_eq!(numbers(&named("a.HTM", text.as_bytes())), at("a.HTM"), "{text}");
        let plain = format!("Content-Type: text/plain; name=a.html\r\n\r\n{text}");
        assert_eq!(numbers(&mixed(&[&plain])), at("a.html"), "{text}");
    }
    assert_eq!(numbers(&named("a.bin", broken.as_bytes())), at("a.bin"));
    let source = look(&named("a.js", b"x = '<script>1</script><b>2</b>'"));
    assert_eq!(source.unread, [], "what is only tagged runs nowhere");
}

#[test]
fn a_second_disposition_and_parameters_beyond_count_are_said_and_names_are_read() {
    let named = "Content-Disposition: attachment; filename=a.txt\r\nContent-Disposition: attachment; filename=\"NHS number 943 476 5919.txt\"";
    let found = look(&mixed(&[&format!("{named}\r\n\r\nx")]));
    assert_eq!(found.findings.iter().filter(|f| f.kind == FindingKind::NhsNumber).count(), 1, "{found:?}");
    assert_eq!(found.unread.len(), 1);
    let many = format!("Content-Type: text/plain;{}", " a=b;".repeat(65));
    assert_eq!(look(&mixed(&[&format!("{many}\r\n\r\nx")])).unread.len(), 1);
}

#[test]
fn what_nobody_misreads_is_not_said() {
    for (name, bytes) in [
        ("._a.docx", &b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02"[..]),
        (".DS_Store", b"\0\0\0\x01Bud1\0\0\x10\0"),
    ] {
        assert_eq!(look(&named(name, bytes)).unread, [], "{name}");
    }
    let large = [&b"\0\x05\x16\x07\0\x02\0\0"[..], &[0; 70_000]].concat();
    assert_eq!(found(&look(&named("._a", &large)), FindingKind::UnknownAttachment).len(), 1);
    for message in [
        "Content-Transfer-Encoding: 8-bit\r\n\r\nDear all",
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nall = good",
        "Content-Type: text/plain; charset=cp850\r\n\r\ncaf\u{E9}",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    ] {
        assert_eq!(look(message.as_bytes()).unread, [], "{message}");
    }
    let white = [&b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"[..], &[0; 36], &[0xFF; 90_000]].concat();
    let kinds: Vec<FindingKind> = look(&named("a.bmp", &white)).findings.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FindingKind::Image]);
}
