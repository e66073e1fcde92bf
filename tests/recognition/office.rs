//! Documents of Office before 2007, binary workbooks, RTF, TNEF and message files around a text.

use crate::cells::Form;
use crate::containers::{Container, attached};
use crate::writers::{
    attribute, brt, brt_cell, brt_sheet, brt_string, brt_strings, compound, compressed_rtf, doc, msg, ppt, properties,
    property, rtf_escaped, rtf_package, tnef, wide, xls, xlsb,
};

const MESSAGE: u32 = 0x0006_9003;
const ATTACHMENT: u32 = 0x0006_9005;

fn rtf(body: &str) -> Vec<u8> {
    attached("letter.rtf", format!("{{\\rtf1\\ansi\\deff0 {body}\\par }}").as_bytes())
}

/// Every digit in its own group.
fn runs(text: &str) -> String {
    let one = |c: char| match c {
        c if c.is_numeric() => format!("{{\\b {}}}", rtf_escaped(&c.to_string())),
        c => rtf_escaped(&c.to_string()),
    };
    text.chars().map(one).collect()
}

/// Octets of the document's code page where it has them, as most writers do.
fn octets(text: &str) -> String {
    let one = |c: char| match u32::from(c) {
        0xA0..=0xFF => format!("\\'{:02x}", u32::from(c)),
        _ => rtf_escaped(&c.to_string()),
    };
    text.chars().map(one).collect()
}

fn winmail(attributes: &[Vec<u8>]) -> Vec<u8> {
    attached("winmail.dat", &tnef(attributes))
}

/// A number is split in its middle.
fn pieces(text: &str) -> Vec<u8> {
    let digit = |at: usize| text.char_indices().filter(|(_, c)| c.is_numeric()).nth(at).map(|(at, _)| at);
    let (first, second) = text.split_at(digit(4).unwrap_or(0));
    attached("letter.doc", &doc(&[first, second]))
}

/// A cell has all of it, line ends too.
fn workbook(text: &str) -> Vec<u8> {
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    attached("list.xls", &xls(&[row(["Name", "Letter"]), row(["A", text])]))
}

/// The second of the strings that cells share.
fn binary_workbook(text: &str) -> Vec<u8> {
    let cells = vec![brt_cell(2, 0, &[70, 0, 0, 0]), brt_cell(7, 2, &[1, 0, 0, 0])];
    let sheet = brt_sheet(&[cells], b"");
    let parts = [("xl/worksheets/sheet1.bin", sheet), ("xl/sharedStrings.bin", brt_strings(&["Remarks", text]))];
    attached("list.xlsb", &xlsb(&parts))
}

fn binary_comment(text: &str) -> Vec<u8> {
    let comment = [brt(635, &[0; 36]), brt(637, &[vec![0], brt_string(text)].concat()), brt(636, b"")].concat();
    let comments = [brt(628, b""), brt(633, b""), comment, brt(634, b""), brt(629, b"")].concat();
    let parts = [("xl/worksheets/sheet1.bin", brt_sheet(&[], b"")), ("xl/comments1.bin", comments)];
    attached("list.xlsb", &xlsb(&parts))
}

fn paragraphs(text: &str) -> String {
    text.replace("\r\n", "\r")
}

fn line(text: &str) -> String {
    text.replace("\r\n", " ")
}

pub const OFFICE: &[Container] = &[
    Container { name: "rtf", wrap: |t, _| rtf(&octets(t)) },
    Container { name: "rtf-unicode", wrap: |t, _| rtf(&rtf_escaped(t)) },
    Container { name: "rtf-runs", wrap: |t, _| rtf(&runs(t)) },
    Container { name: "rtf-header", wrap: |t, _| rtf(&format!("{{\\header {}\\par }}Dear Dr", rtf_escaped(t))) },
    Container {
        name: "rtf-cell",
        wrap: |t, _| rtf(&format!("\\trowd\\cellx1 A\\cell {}\\cell\\row", rtf_escaped(t).replace("\\line", "\\par"))),
    },
    Container {
        name: "rtf-object",
        wrap: |t, _| {
            let data = rtf_package("letter.txt", t.as_bytes());
            rtf(&format!("{{\\object\\objemb{{\\*\\objdata {data}}}{{\\result see}}}}"))
        },
    },
    Container {
        name: "tnef-body",
        wrap: |t, _| winmail(&[attribute(1, MESSAGE, &properties(&[property(0x1F, 0x1000, &wide(t))]))]),
    },
    Container {
        name: "tnef-rtf",
        wrap: |t, _| {
            let rtf = compressed_rtf(&format!("{{\\rtf1 {}}}", rtf_escaped(t)));
            winmail(&[attribute(1, MESSAGE, &properties(&[property(0x102, 0x1009, &rtf)]))])
        },
    },
    Container {
        name: "tnef-attachment",
        wrap: |t, _| {
            let named = property(0x1F, 0x3707, &wide("letter.txt\0"));
            winmail(&[
                attribute(2, 0x0006_9002, &[0; 14]),
                attribute(2, 0x0006_800F, t.as_bytes()),
                attribute(2, ATTACHMENT, &properties(&[named])),
            ])
        },
    },
    Container { name: "msg-body", wrap: |t, _| attached("letter.msg", &msg(&[(0x0037, "hello"), (0x1000, t)], &[])) },
    Container {
        name: "msg-attachment",
        wrap: |t, _| attached("letter.msg", &msg(&[(0x1000, "see")], &[("letter.txt", t.as_bytes().to_vec())])),
    },
    Container { name: "doc-1252", wrap: |t, _| attached("letter.doc", &doc(&[&paragraphs(t)])) },
    Container { name: "doc-pieces", wrap: |t, _| pieces(&paragraphs(t)) },
    Container { name: "xls", wrap: |t, _| workbook(t) },
    Container { name: "xlsb-shared", wrap: |t, _| binary_workbook(t) },
    Container { name: "xlsb-comment", wrap: |t, _| binary_comment(t) },
    Container { name: "ppt", wrap: |t, _| attached("talk.ppt", &ppt(t)) },
    Container {
        name: "ole-object",
        wrap: |t, _: &Form| {
            let streams = [("ObjectPool/_1/Package", t.as_bytes().to_vec())];
            attached("object.bin", &compound(&streams))
        },
    },
    Container { name: "msg-subject", wrap: |t, _| attached("letter.msg", &msg(&[(0x0037, &line(t))], &[])) },
];
