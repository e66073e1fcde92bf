//! The places and containers that this version reads: each puts a text into a whole message.

use crate::cells::Form;
use crate::documents;
use crate::pdf;
use base64::Engine as _;
use std::fmt::Write as _;

pub struct Container {
    pub name: &'static str,
    pub wrap: fn(&str, &Form) -> Vec<u8>,
}

pub fn base64(bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    text.as_bytes().chunks(76).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join("\r\n")
}

/// Quoted-printable whose soft breaks fall anywhere, inside numbers too.
fn quoted(text: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for byte in text.bytes() {
        if width >= 20 {
            out.push_str("=\r\n");
            width = 0;
        }
        if byte.is_ascii_alphanumeric() || byte == b' ' {
            out.push(char::from(byte));
            width += 1;
        } else {
            let _ = write!(out, "={byte:02X}");
            width += 3;
        }
    }
    out
}

fn message(head: &str, body: &[u8]) -> Vec<u8> {
    [b"From: a@site.example\r\nSubject: hello\r\nMIME-Version: 1.0\r\n", head.as_bytes(), b"\r\n\r\n", body, b"\r\n"]
        .concat()
}

pub fn part(head: &str, body: &str) -> Vec<u8> {
    let whole =
        format!("--b1\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n--b1\r\n{head}\r\n\r\n{body}\r\n--b1--\r\n");
    message("Content-Type: multipart/mixed; boundary=b1", whole.as_bytes())
}

/// A file that nobody says anything about but its name.
pub fn attached(name: &str, bytes: &[u8]) -> Vec<u8> {
    part(
        &format!("Content-Type: application/octet-stream; name={name}\r\nContent-Transfer-Encoding: base64"),
        &base64(bytes),
    )
}

fn subject(value: &str) -> Vec<u8> {
    format!("From: a@site.example\r\nSubject: {value}\r\n\r\nhello\r\n").into_bytes()
}

fn html(markup: &str) -> Vec<u8> {
    message("Content-Type: text/html; charset=utf-8", format!("<html><body><p>{markup}</p></body></html>").as_bytes())
}

/// Text as markup, with line breaks as a mail programme writes them.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace("\r\n", "<br>\r\n")
}

/// Every digit in its own element.
fn marked(text: &str) -> String {
    escaped(text)
        .chars()
        .map(|c| if c.is_numeric() { format!("<span class=x>{c}</span>") } else { c.to_string() })
        .collect()
}

fn entities(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { c.to_string() } else { format!("&#{};", c as u32) }).collect()
}

fn folded(text: &str) -> String {
    text.replace("\r\n", "\r\n ")
}

pub fn unbroken(text: &str) -> String {
    text.replace("\r\n", " ")
}

pub fn nested(text: &str) -> String {
    format!(
        "From: b@site.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        base64(text.as_bytes())
    )
}

pub const CONTAINERS: &[Container] = &[
    Container { name: "subject-raw", wrap: |t, _| subject(&folded(t)) },
    Container {
        name: "subject-q",
        wrap: |t, _| subject(&format!("=?utf-8?Q?{}?=", quoted(&unbroken(t)).replace("=\r\n", "").replace(' ', "_"))),
    },
    Container {
        name: "subject-b-split",
        wrap: |t, _| {
            // Characters are never split, numbers are.
            let chars: Vec<char> = unbroken(t).chars().collect();
            let words =
                chars.chunks(7).map(|c| format!("=?UTF-8?B?{}?=", base64(c.iter().collect::<String>().as_bytes())));
            subject(&words.collect::<Vec<_>>().join("\r\n "))
        },
    },
    Container {
        name: "display-name",
        wrap: |t, _| {
            message(
                &format!("To: =?utf-8?B?{}?= <x@web.example>", base64(unbroken(t).as_bytes()).replace("\r\n", "")),
                b"hello",
            )
        },
    },
    Container { name: "plain-8bit", wrap: |t, _| message("Content-Type: text/plain; charset=utf-8", t.as_bytes()) },
    Container { name: "plain-unlabelled", wrap: |t, _| [b"Subject: x\r\n\r\n", t.as_bytes()].concat() },
    Container {
        name: "plain-wrong-label",
        wrap: |t, _| message("Content-Type: text/plain; charset=us-ascii", t.as_bytes()),
    },
    Container {
        name: "plain-quoted",
        wrap: |t, _| {
            message("Content-Type: text/plain; charset=utf-8", format!("> {}", t.replace("\r\n", "\r\n> ")).as_bytes())
        },
    },
    Container {
        name: "plain-qp",
        wrap: |t, _| {
            message(
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
                quoted(t).as_bytes(),
            )
        },
    },
    Container {
        name: "plain-base64",
        wrap: |t, _| {
            message(
                "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64",
                base64(t.as_bytes()).as_bytes(),
            )
        },
    },
    Container {
        name: "plain-utf16",
        wrap: |t, _| {
            let wide: Vec<u8> = t.encode_utf16().flat_map(u16::to_be_bytes).collect();
            message(
                "Content-Type: text/plain; charset=utf-16be\r\nContent-Transfer-Encoding: base64",
                base64(&wide).as_bytes(),
            )
        },
    },
    Container {
        name: "plain-utf32",
        wrap: |t, _| {
            let wide: Vec<u8> = t.chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
            message(
                "Content-Type: text/plain; charset=utf-32\r\nContent-Transfer-Encoding: base64",
                base64(&wide).as_bytes(),
            )
        },
    },
    Container {
        name: "attached-utf32",
        wrap: |t, _| {
            let wide: Vec<u8> = format!("\u{FEFF}{t}").chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
            part(
                "Content-Type: application/octet-stream; name=a.dat\r\nContent-Transfer-Encoding: base64",
                &base64(&wide),
            )
        },
    },
    Container {
        name: "plain-gb18030",
        wrap: |t, _| message("Content-Type: text/plain; charset=gb18030", &encoding_rs::GB18030.encode(t).0),
    },
    Container { name: "html", wrap: |t, _| html(&escaped(t)) },
    Container { name: "html-markup", wrap: |t, _| html(&marked(t)) },
    Container { name: "html-entities", wrap: |t, _| html(&entities(t)) },
    Container { name: "html-hidden", wrap: |t, _| html(&format!("<div style=\"display:none\">{}</div>", escaped(t))) },
    Container { name: "html-comment", wrap: |t, _| html(&format!("<!-- {t} -->")) },
    Container { name: "html-attribute", wrap: |t, _| html(&format!("<img alt=\"{}\">", t.replace('"', "&quot;"))) },
    Container { name: "nested", wrap: |t, _| part("Content-Type: message/rfc822", &nested(t)) },
    Container {
        name: "nested-twice",
        wrap: |t, _| {
            let inner = part("Content-Type: message/rfc822; name=inner.eml", &nested(t));
            part(
                "Content-Type: application/octet-stream; name=letter.eml\r\nContent-Transfer-Encoding: base64",
                &base64(&inner),
            )
        },
    },
    Container {
        name: "attached-text",
        wrap: |t, _| part("Content-Type: text/plain; charset=utf-8; name=a.txt\r\nContent-Disposition: attachment", t),
    },
    Container {
        name: "attached-octets",
        wrap: |t, _| {
            part(
                "Content-Type: application/octet-stream; name=a.dat\r\nContent-Transfer-Encoding: base64",
                &base64(t.as_bytes()),
            )
        },
    },
    Container {
        name: "attached-json",
        wrap: |t, _| {
            part("Content-Type: application/json; name=a.json", &format!("{{\"note\": {}}}", ascii_json(&unbroken(t))))
        },
    },
    Container {
        name: "attached-xml",
        wrap: |t, _| {
            part(
                "Content-Type: application/xml; name=a.xml",
                &format!("<?xml version=\"1.0\"?><note>{}</note>", entities(t)),
            )
        },
    },
    Container {
        name: "attached-vcard",
        wrap: |t, _| part("Content-Type: text/vcard; name=a.vcf", &vcard(&unbroken(t))),
    },
    Container {
        name: "file-name",
        wrap: |t, _| {
            part(
                &format!(
                    "Content-Type: text/plain; name=\"=?utf-8?B?{}?=\"",
                    base64(unbroken(t).as_bytes()).replace("\r\n", "")
                ),
                "hello",
            )
        },
    },
    Container {
        name: "epilogue",
        wrap: |t, _| [part("Content-Type: text/plain", "hello"), t.as_bytes().to_vec()].concat(),
    },
    Container { name: "docx-body", wrap: |t, _| attached("a.dat", &documents::docx_body(t)) },
    Container { name: "docx-runs", wrap: |t, _| attached("a.dat", &documents::docx_runs(t)) },
    Container { name: "docx-table", wrap: |t, _| attached("a.dat", &documents::docx_table(t)) },
    Container { name: "docx-header", wrap: |t, _| attached("a.dat", &documents::docx_header(t)) },
    Container { name: "docx-footnote", wrap: |t, _| attached("a.dat", &documents::docx_footnote(t)) },
    Container { name: "docx-comment", wrap: |t, _| attached("a.dat", &documents::docx_comment(t)) },
    Container { name: "docx-textbox", wrap: |t, _| attached("a.dat", &documents::docx_text_box(t)) },
    Container { name: "xlsx-shared", wrap: |t, _| attached("a.dat", &documents::xlsx_shared(t)) },
    Container { name: "xlsx-inline", wrap: |t, _| attached("a.dat", &documents::xlsx_inline(t)) },
    Container { name: "xlsx-comment", wrap: |t, _| attached("a.dat", &documents::xlsx_comment(t)) },
    Container { name: "pptx-slide", wrap: |t, _| attached("a.dat", &documents::pptx_slide(t)) },
    Container { name: "pptx-notes", wrap: |t, _| attached("a.dat", &documents::pptx_notes(t)) },
    Container { name: "odt", wrap: |t, _| attached("a.dat", &documents::odt(t)) },
    Container { name: "ods", wrap: |t, _| attached("a.dat", &documents::ods(t)) },
    Container { name: "odp", wrap: |t, _| attached("a.dat", &documents::odp(t)) },
    Container { name: "pdf-winansi", wrap: pdf::winansi },
    Container { name: "pdf-tounicode", wrap: pdf::to_unicode },
    Container { name: "pdf-glyphs", wrap: pdf::glyphs },
    Container { name: "pdf-kerned", wrap: pdf::kerned },
    Container { name: "pdf-object-stream", wrap: pdf::object_stream },
    Container { name: "pdf-form-field", wrap: pdf::form_field },
    Container { name: "pdf-annotation", wrap: pdf::annotation },
    Container { name: "pdf-metadata", wrap: pdf::metadata },
    Container { name: "pdf-embedded-file", wrap: pdf::embedded_file },
];

/// A string of JSON in which everything but ASCII is escaped, as many programmes write it.
fn ascii_json(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() && byte != b'"' && byte != b'\\' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out + "\""
}

/// Folded after every 30 characters, numbers or not.
fn vcard(text: &str) -> String {
    let line: Vec<char> = format!("NOTE:{text}").chars().collect();
    let folded: Vec<String> = line.chunks(30).map(|c| c.iter().collect()).collect();
    format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{}\r\nEND:VCARD", folded.join("\r\n "))
}
