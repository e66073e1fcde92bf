//! Office documents as their programmes write them: each puts a text into one place of one.

use std::io::{Cursor, Write as _};
use zip::write::{SimpleFileOptions, ZipWriter};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n";
const SCHEMAS: &str = "http://schemas.openxmlformats.org";

fn package(parts: &[(&str, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        zip.write_all(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    zip.finish().unwrap_or_else(|error| panic!("{error}")).into_inner()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Content types, relationships and properties: what every package of Office has.
fn office(main: &str, kind: &str, parts: &[(&str, String)]) -> Vec<u8> {
    let types = format!(
        "{DECLARATION}<Types xmlns=\"{SCHEMAS}/package/2006/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/{main}\" ContentType=\"application/vnd.openxmlformats-officedocument.{kind}.main+xml\"/></Types>"
    );
    let relations = format!(
        "{DECLARATION}<Relationships xmlns=\"{SCHEMAS}/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{SCHEMAS}/officeDocument/2006/relationships/officeDocument\" Target=\"{main}\"/></Relationships>"
    );
    let properties = format!(
        "{DECLARATION}<cp:coreProperties xmlns:cp=\"{SCHEMAS}/package/2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:creator>J Smith</dc:creator><cp:revision>2</cp:revision></cp:coreProperties>"
    );
    let frame = [("[Content_Types].xml", types), ("_rels/.rels", relations), ("docProps/core.xml", properties)];
    package(&[&frame, parts].concat())
}

/// A part of WordprocessingML.
fn word(root: &str, inside: &str) -> String {
    format!(
        "{DECLARATION}<w:{root} xmlns:mc=\"{SCHEMAS}/markup-compatibility/2006\" xmlns:r=\"{SCHEMAS}/officeDocument/2006/relationships\" xmlns:v=\"urn:schemas-microsoft-com:vml\" xmlns:wp=\"{SCHEMAS}/drawingml/2006/wordprocessingDrawing\" xmlns:a=\"{SCHEMAS}/drawingml/2006/main\" xmlns:w=\"{SCHEMAS}/wordprocessingml/2006/main\" xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\" xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\" mc:Ignorable=\"w14\">{inside}</w:{root}>"
    )
}

fn run(text: &str) -> String {
    let lines = escaped(text).replace("\r\n", "</w:t><w:br/><w:t xml:space=\"preserve\">");
    format!(
        "<w:r w:rsidRPr=\"00A31B2C\"><w:rPr><w:rFonts w:ascii=\"Arial\" w:hAnsi=\"Arial\" w:cs=\"Arial\"/><w:sz w:val=\"22\"/></w:rPr><w:t xml:space=\"preserve\">{lines}</w:t></w:r>"
    )
}

fn paragraph(runs: &str) -> String {
    format!(
        "<w:p w14:paraId=\"3F2504E0\" w14:textId=\"77777777\" w:rsidR=\"00A31B2C\" w:rsidRDefault=\"00D45E6F\"><w:pPr><w:spacing w:after=\"120\"/></w:pPr>{runs}</w:p>"
    )
}

fn docx(body: &str, others: &[(&str, String)]) -> Vec<u8> {
    let section = "<w:sectPr w:rsidR=\"00A31B2C\"><w:pgSz w:w=\"11906\" w:h=\"16838\"/></w:sectPr>";
    let greeting = paragraph(&run("Please find the letter below."));
    let document = word("document", &format!("<w:body>{greeting}{body}{section}</w:body>"));
    let styles =
        word("styles", "<w:style w:type=\"paragraph\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/></w:style>");
    let parts = [("word/document.xml", document), ("word/styles.xml", styles)];
    office("word/document.xml", "wordprocessingml.document", &[&parts, others].concat())
}

pub fn docx_body(text: &str) -> Vec<u8> {
    docx(&paragraph(&run(text)), &[])
}

/// Every character in a run of its own, as spelling and revisions divide them.
pub fn docx_runs(text: &str) -> Vec<u8> {
    let marked = text.replace("\r\n", "\n");
    let runs = marked.chars().map(|c| {
        let text = if c == '\n' { "\r\n".to_owned() } else { c.to_string() };
        format!("{}<w:proofErr w:type=\"spellStart\"/>", run(&text))
    });
    docx(&paragraph(&runs.collect::<String>()), &[])
}

pub fn docx_table(text: &str) -> Vec<u8> {
    let cell = |text: &str| {
        format!("<w:tc><w:tcPr><w:tcW w:w=\"4508\" w:type=\"dxa\"/></w:tcPr>{}</w:tc>", paragraph(&run(text)))
    };
    let row = |cells: [&str; 3]| format!("<w:tr>{}</w:tr>", cells.map(cell).concat());
    docx(&format!("<w:tbl>{}{}</w:tbl>", row(["Seen", "Remarks", "By"]), row(["Monday", text, "Dr Jones"])), &[])
}

pub fn docx_header(text: &str) -> Vec<u8> {
    docx("", &[("word/header1.xml", word("hdr", &paragraph(&run(text))))])
}

pub fn docx_footnote(text: &str) -> Vec<u8> {
    let note = format!(
        "<w:footnote w:id=\"1\">{}</w:footnote>",
        paragraph(&format!("<w:r><w:footnoteRef/></w:r>{}", run(text)))
    );
    docx(
        &paragraph("<w:r><w:footnoteReference w:id=\"1\"/></w:r>"),
        &[("word/footnotes.xml", word("footnotes", &note))],
    )
}

pub fn docx_comment(text: &str) -> Vec<u8> {
    let comment = format!(
        "<w:comment w:id=\"0\" w:author=\"J Smith\" w:date=\"2026-11-29T10:00:00Z\" w:initials=\"JS\">{}</w:comment>",
        paragraph(&format!("<w:r><w:annotationRef/></w:r>{}", run(text)))
    );
    docx("", &[("word/comments.xml", word("comments", &comment))])
}

/// As Word writes one: for itself, and for what is older.
pub fn docx_text_box(text: &str) -> Vec<u8> {
    let content = format!("<w:txbxContent>{}</w:txbxContent>", paragraph(&run(text)));
    let shape = format!(
        "<w:r><mc:AlternateContent><mc:Choice Requires=\"wps\"><w:drawing><wp:anchor distT=\"0\" distB=\"0\"><wp:extent cx=\"2360930\" cy=\"1404620\"/><wp:docPr id=\"217\" name=\"Text Box 2\"/><a:graphic><a:graphicData uri=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\"><wps:wsp><wps:txbx>{content}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape id=\"Text Box 2\" style=\"position:absolute;width:185.9pt\"><v:textbox>{content}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    );
    docx(&paragraph(&shape), &[])
}

/// A part of SpreadsheetML.
fn sheet(root: &str, inside: &str) -> String {
    format!("{DECLARATION}<{root} xmlns=\"{SCHEMAS}/spreadsheetml/2006/main\">{inside}</{root}>")
}

fn string(text: &str) -> String {
    format!("<t xml:space=\"preserve\">{}</t>", escaped(text))
}

fn xlsx(cell: &str, others: &[(&str, String)]) -> Vec<u8> {
    let book = sheet("workbook", "<sheets><sheet name=\"List\" sheetId=\"1\"/></sheets>");
    let row = format!("<row r=\"2\" spans=\"1:3\"><c r=\"A2\"><v>17</v></c>{cell}</row>");
    let rows = format!("<sheetData>{row}</sheetData>");
    let parts = [("xl/workbook.xml", book), ("xl/worksheets/sheet1.xml", sheet("worksheet", &rows))];
    office("xl/workbook.xml", "spreadsheetml.sheet", &[&parts, others].concat())
}

pub fn xlsx_shared(text: &str) -> Vec<u8> {
    let strings = sheet("sst", &format!("<si>{}</si><si>{}</si>", string("Remarks"), string(text)));
    xlsx("<c r=\"C2\" s=\"1\" t=\"s\"><v>1</v></c>", &[("xl/sharedStrings.xml", strings)])
}

pub fn xlsx_inline(text: &str) -> Vec<u8> {
    xlsx(&format!("<c r=\"C2\" t=\"inlineStr\"><is>{}</is></c>", string(text)), &[])
}

pub fn xlsx_comment(text: &str) -> Vec<u8> {
    let runs = format!("<r><rPr><b/><sz val=\"9\"/></rPr>{}</r><r>{}</r>", string("JS:\n"), string(text));
    let list = format!(
        "<authors><author>JS</author></authors><commentList><comment ref=\"A2\" authorId=\"0\"><text>{runs}</text></comment></commentList>"
    );
    xlsx("", &[("xl/comments1.xml", sheet("comments", &list))])
}

/// A number in a cell, as a spreadsheet keeps it.
pub fn xlsx_number(header: &str, number: &str) -> Vec<u8> {
    let strings = sheet("sst", &format!("<si>{}</si><si>{}</si>", string("Ward"), string(header)));
    let rows = format!(
        "<sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\"><v>17</v></c><c r=\"C2\"><v>{number}</v></c></row></sheetData>"
    );
    let parts = [("xl/worksheets/sheet1.xml", sheet("worksheet", &rows)), ("xl/sharedStrings.xml", strings)];
    office("xl/workbook.xml", "spreadsheetml.sheet", &parts)
}

fn slide(root: &str, text: &str) -> String {
    let lines = escaped(text).replace("\r\n", "</a:t></a:r><a:br><a:rPr lang=\"en-GB\"/></a:br><a:r><a:t>");
    format!(
        "{DECLARATION}<p:{root} xmlns:a=\"{SCHEMAS}/drawingml/2006/main\" xmlns:p=\"{SCHEMAS}/presentationml/2006/main\"><p:cSld><p:spTree><p:sp><p:nvSpPr><p:cNvPr id=\"2\" name=\"Title 1\"/></p:nvSpPr><p:txBody><a:bodyPr/><a:lstStyle/><a:p><a:r><a:rPr lang=\"en-GB\" dirty=\"0\"/><a:t>{lines}</a:t></a:r><a:endParaRPr lang=\"en-GB\"/></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:{root}>"
    )
}

fn pptx(parts: &[(&str, String)]) -> Vec<u8> {
    office("ppt/presentation.xml", "presentationml.presentation", parts)
}

pub fn pptx_slide(text: &str) -> Vec<u8> {
    pptx(&[("ppt/slides/slide1.xml", slide("sld", text))])
}

pub fn pptx_notes(text: &str) -> Vec<u8> {
    pptx(&[
        ("ppt/slides/slide1.xml", slide("sld", "Overview")),
        ("ppt/notesSlides/notesSlide1.xml", slide("notes", text)),
    ])
}

/// A package of OpenDocument with that body.
fn open(kind: &str, body: &str) -> Vec<u8> {
    const NAMES: &str = "urn:oasis:names:tc:opendocument:xmlns";
    let names = ["office", "text", "table", "style", "manifest"]
        .map(|name| format!(" xmlns:{name}=\"{NAMES}:{name}:1.0\""))
        .concat();
    let names = format!("{names} xmlns:draw=\"{NAMES}:drawing:1.0\"");
    let content = format!(
        "{DECLARATION}<office:document-content{names} office:version=\"1.3\"><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    );
    let manifest = format!(
        "{DECLARATION}<manifest:manifest{names}><manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"application/vnd.oasis.opendocument.{kind}\"/></manifest:manifest>"
    );
    let mimetype = format!("application/vnd.oasis.opendocument.{kind}");
    package(&[("mimetype", mimetype), ("content.xml", content), ("META-INF/manifest.xml", manifest)])
}

/// Blanks in a row are an element.
fn lines(text: &str) -> String {
    let text = escaped(text).replace("  ", " <text:s/>").replace("\r\n", "<text:line-break/>");
    format!("<text:p text:style-name=\"P1\">{text}</text:p>")
}

pub fn odt(text: &str) -> Vec<u8> {
    open("text", &format!("{}{}", lines("Please find the letter below."), lines(text)))
}

pub fn ods(text: &str) -> Vec<u8> {
    let cell = format!("<table:table-cell office:value-type=\"string\">{}</table:table-cell>", lines(text));
    let row = format!(
        "<table:table-row><table:table-cell table:number-columns-repeated=\"2\"/>{cell}<table:table-cell table:number-columns-repeated=\"16381\"/></table:table-row>"
    );
    open("spreadsheet", &format!("<table:table table:name=\"List\">{row}</table:table>"))
}

pub fn odp(text: &str) -> Vec<u8> {
    open(
        "presentation",
        &format!(
            "<draw:page draw:name=\"page1\"><draw:frame><draw:text-box>{}</draw:text-box></draw:frame></draw:page>",
            lines(text)
        ),
    )
}
