//! Content controls and fields of forms: what they show is not what is written down in them.

use super::*;

fn control(properties: &str, content: &str) -> String {
    format!("<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>")
}

fn binding(path: &str) -> String {
    format!("<w:dataBinding w:prefixMappings='xmlns:ns0=\"urn:x\"' w:xpath='{path}' w:storeItemID='{{A}}'/>")
}

fn paragraph(inside: &str) -> String {
    format!("<w:p>{inside}</w:p>")
}

/// Whether a letter of that body has the number, with these other parts.
fn is_found(body: &str, others: &[(&str, &str)]) -> bool {
    let document = document(body);
    let mut parts = vec![("word/document.xml", document.as_bytes())];
    parts.extend(others.iter().map(|(name, text)| (*name, text.as_bytes())));
    finds(&parts)
}

/// Three controls in a line, each bound to one of these.
fn line(paths: [&str; 3]) -> String {
    let one = |path: &str| control(&binding(path), &run("8")) + &run(" ");
    paragraph(&(run("NHS number ") + &paths.map(one).concat()))
}

const RECORD: &str = "<r xmlns='urn:x'><id>943</id><id v='476'/><deep><id>5919</id></deep></r>";
const PATHS: [&str; 3] = ["/ns0:r[1]/ns0:id[1]", "/ns0:r[1]/ns0:id[2]/@v", "/ns0:r[1]/ns0:deep[1]/ns0:id[1]"];

#[test]
fn controls_show_the_values_that_they_are_bound_to() {
    let body = line(PATHS);
    for name in ["customXml/item1.xml", "data/x.xml"] {
        assert!(is_found(&body, &[(name, RECORD)]), "{name}");
    }
    for space in ["http://schemas.microsoft.com/office/2006/metadata/properties", "urn:wordprocessingml"] {
        assert!(is_found(&body, &[("customXml/item1.xml", &RECORD.replace("urn:x", space))]), "{space}");
    }
    assert!(!is_found(&body, &[]));
    assert!(is_found(&line(["/r/id", "//@v", "/r/*[local-name()=\"deep\"]/id"]), &[("customXml/item1.xml", RECORD)]));
    let core = "<cp:coreProperties xmlns:cp='urn:a' xmlns:dc='urn:b'><dc:title>943</dc:title><dc:subject>476</dc:subject></cp:coreProperties>";
    let app = "<Properties xmlns='urn:c'><Company>5919</Company></Properties>";
    let properties = [
        "/ns1:coreProperties[1]/ns0:title[1]",
        "/ns1:coreProperties[1]/ns0:subject[1]",
        "/ns0:Properties[1]/ns0:Company[1]",
    ];
    assert!(is_found(&line(properties), &[("docProps/core.xml", core), ("docProps/app.xml", app)]));
    let packed = format!(
        "<pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'><pkg:part><pkg:xmlData>{}</pkg:xmlData></pkg:part>\
        <pkg:part><pkg:xmlData>{RECORD}</pkg:xmlData></pkg:part></pkg:package>",
        &document(&body)[21..]
    );
    assert!(places(packed.as_bytes()).iter().any(|(_, sure)| *sure == Confidence::High));
}

#[test]
fn controls_around_paragraphs_and_cells_show_their_values_too() {
    let value = "<r><id>943 476 5919</id></r>";
    let bound = binding("/r[1]/id[1]");
    let words = || paragraph(&run("words"));
    let cell = |inside: &str| format!("<w:tc>{inside}</w:tc>");
    let row = cell(&paragraph(&run("NHS number"))) + &control(&bound, &cell(&words()));
    for body in [
        paragraph(&run("NHS number")) + &control(&bound, &words()),
        paragraph(&run("NHS number")) + &control(&bound, &paragraph("")),
        format!("<w:tbl><w:tr>{row}</w:tr></w:tbl>"),
        paragraph(&(run("NHS number ") + &control("", &control(&bound, &run("words"))))),
    ] {
        assert!(is_found(&body, &[("a.xml", value)]), "{body}");
        assert!(!is_found(&body, &[]), "{body}");
    }
    // A value that is empty shows nothing.
    let empty = paragraph(&(run("NHS number 943 ") + &control(&bound, &run("8")) + &run(" 476 5919")));
    assert!(is_found(&empty, &[("a.xml", "<r><id/></r>")]) && !is_found(&empty, &[]));
}

#[test]
fn what_was_chosen_of_a_list_is_shown_by_its_name() {
    let item = "<w:listItem w:displayText='x' w:value='1'/><w:listItem w:displayText='476' w:value='2'/>";
    let value = "<r><id>2</id></r>";
    for list in ["comboBox", "dropDownList"] {
        for (bound, own, parts) in [
            (binding("/r[1]/id[1]"), String::new(), &[("a.xml", value)][..]),
            (String::new(), "w:lastValue='2'".to_owned(), &[]),
        ] {
            for properties in [
                format!("<w:{list} {own}>{item}</w:{list}>{bound}"),
                format!("{bound}<w:{list} {own}>{item}</w:{list}>"),
            ] {
                let chosen = control(&properties, &run("8"));
                assert!(is_found(&paragraph(&(run("NHS number 943 ") + &chosen + &run(" 5919"))), parts), "{list}");
            }
        }
    }
}

#[test]
fn ordinary_controls_are_no_finding_and_figures_that_may_be_any_are_said() {
    let said = |body: &str, others: &[(&str, &str)]| {
        let document = document(body);
        let mut parts: Vec<(&str, &[u8])> = vec![("[Content_Types].xml", b"<Types/>"), ("d.xml", document.as_bytes())];
        parts.extend(others.iter().map(|(name, text)| (*name, text.as_bytes())));
        findings(&package(&parts)).findings.into_iter().map(|finding| finding.masked).collect::<Vec<_>>()
    };
    let cover = ("customXml/item1.xml", "<r><date>2026-05-12T00:00:00</date><no>12</no><title>Minutes</title></r>");
    let body: String = ["date", "no", "title", "gone"]
        .iter()
        .map(|name| paragraph(&control(&binding(&format!("/r[1]/{name}[1]")), &run("Minutes of 12 May, 476 5919"))))
        .collect();
    assert_eq!(said(&body, &[cover, ("customXml/item2.xml", "<r><title>Minutes</title></r>")]), [""; 0]);
    let value = |id: &str| format!("<r><id>{id}</id></r>");
    let [one, two, three] = ["943", "944", "945"].map(value);
    let any = paragraph(&control(&binding("/r[1]/id[1]"), &run("words")));
    assert_eq!(said(&any, &[("a.xml", &one), ("b.xml", &two)]), [""; 0]);
    assert_eq!(said(&any, &[("a.xml", &one), ("b.xml", &two), ("c.xml", &three)]), ["content control"]);
}

/// A field of a form with what is written down as its result, if anything is.
fn form(kind: &str, data: &str, result: Option<&str>) -> String {
    let result = result.map(|text| format!("<w:r><w:fldChar w:fldCharType='separate'/></w:r>{}", run(text)));
    format!(
        "<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:name w:val='a'/>{data}</w:ffData></w:fldChar></w:r>\
        <w:r><w:instrText> {kind} </w:instrText></w:r>{}<w:r><w:fldChar w:fldCharType='end'/></w:r>",
        result.unwrap_or_default()
    )
}

fn list(settings: &str, entries: [&str; 3]) -> String {
    let entries = entries.map(|entry| format!("<w:listEntry w:val='{entry}'/>"));
    format!("<w:ddList>{settings}{}</w:ddList>", entries.concat())
}

#[test]
fn a_form_shows_the_entries_that_were_chosen() {
    let chosen = |number: usize| format!("<w:result w:val='{number}'/><w:default w:val='0'/>");
    let fields = |first: String, second: String, third: String, result| {
        let one = |list: &str| form("FORMDROPDOWN", list, result) + &run(" ");
        is_found(&paragraph(&(run("NHS number ") + &[first, second, third].map(|list| one(&list)).concat())), &[])
    };
    let [first, second] = [list(&chosen(2), ["1", "2", "943"]), list("<w:default w:val='1'/>", ["1", "476", "3"])];
    for result in [None, Some("8"), Some("")] {
        assert!(fields(first.clone(), second.clone(), list("", ["5919", "2", "3"]), result), "{result:?}");
    }
    assert!(!fields(first, second.clone(), list(&chosen(1), ["5919", "2", "3"]), None));
    assert!(!fields(list(&chosen(9), ["943", "943", "943"]), second, list("", ["5919", "2", "3"]), None));
}

#[test]
fn a_form_shows_what_was_typed_or_else_the_default() {
    let text = "<w:textInput><w:default w:val='476'/></w:textInput>";
    let line = |result| paragraph(&(run("NHS number 943 ") + &form("FORMTEXT", text, result) + &run(" 5919")));
    for (result, expected) in [(None, true), (Some(""), true), (Some("476"), true), (Some("words"), false)] {
        assert_eq!(is_found(&line(result), &[]), expected, "{result:?}");
    }
    let tick = "<w:checkBox><w:sizeAuto/><w:default w:val='8'/><w:checked w:val='1'/></w:checkBox>";
    for result in [None, Some("8")] {
        let tick = form("FORMCHECKBOX", tick, result);
        assert!(is_found(&paragraph(&(run("NHS number 943 476") + &tick + &run(" 5919"))), &[]), "{result:?}");
    }
}
