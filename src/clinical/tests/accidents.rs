//! What ordinary mail does to a number and to its label: columns, telephones beside it, damage on the way, two texts.

use super::*;

fn best(message: &[u8]) -> Option<Confidence> {
    look(message).findings.iter().filter(|f| f.kind == FindingKind::NhsNumber).map(|f| f.confidence).max()
}

fn of_text(kind: &str, text: &str) -> Option<Confidence> {
    best(format!("Content-Type: {kind}; charset=utf-8\r\n\r\n{text}").as_bytes())
}

#[test]
fn a_telephone_in_another_column_or_cell_takes_nothing_from_a_number() {
    for text in [
        "Tel,NHS number\n0161 496 0000,943 476 5919\n",
        "Ward\tNHS number\n0161 496 0000\t943 476 5919\n",
        "NHS number,Tel\n943 476 5919,x\n",
        "NHS number,Tel\n9434765919,x\n",
        "NHS number and contact: 0161 496 0000, 943 476 5919",
    ] {
        assert_eq!(of_text("text/plain", text), Some(Confidence::High), "{text}");
    }
    for page in [
        "<table><tr><td>Tel</td><td>NHS number</td></tr><tr><td>0161 496 0000</td><td>943 476 5919</td></tr></table>",
        "<table><tr><td>NHS number</td><td>Order no</td></tr><tr><td>943 476 5919</td><td>x</td></tr></table>",
        "<td>NHS number<br>Tel</td><td>943 476 5919<br>0161 496 0000</td>",
        "<td>NHS number 943<br>Tel 0161</td><td>476 5919<br>496 0000</td>",
    ] {
        assert_eq!(of_text("text/html", page), Some(Confidence::High), "{page}");
    }
    assert!(of_text("text/plain", "Tel: 0161 943 476 5919, NHS") < Some(Confidence::High));
}

#[test]
fn what_is_named_on_the_way_to_a_number_does_not_take_its_label() {
    for text in [
        "His NHS number (given over the phone) is 943 476 5919.",
        "NHS number confirmed by telephone: 943 476 5919",
        "The NHS number of the patient who will call is 943 476 5919",
    ] {
        assert_eq!(of_text("text/plain", text), Some(Confidence::High), "{text}");
    }
    for text in [
        "Have your NHS number ready. Booking reference: 943 476 5919",
        "Your NHS number is needed; order no 943 476 5919",
        "NHS number line: tel 9434765919",
    ] {
        assert!(of_text("text/plain", text) < Some(Confidence::High), "{text}");
    }
}

#[test]
fn damage_on_the_way_hides_nothing() {
    for number in [
        "943\u{C2}\u{A0}476\u{C2} 5919",
        "943&nbsp;476&nbsp;5919",
        "943?476?5919",
        "943=A0476=A05919",
        "943 476<https://a.example/b> 5919",
        "943[1] 476[2] 5919",
        "\u{2502} 943 \u{2502} 476 \u{2502} 5919 \u{2502}",
        "943\u{E0100} 476 59\u{115F}19",
    ] {
        let text = format!("NHS number: {number}\n");
        assert_eq!(of_text("text/plain", &text), Some(Confidence::High), "{text}");
    }
    assert_eq!(of_text("text/plain", "\"NHS number\",\"943\",\"476\",\"5919\"\n"), Some(Confidence::High));
    assert_eq!(of_text("text/plain", "𝗡𝗛𝗦 𝗻𝘂𝗺𝗯𝗲𝗿: 943 476 5919"), Some(Confidence::High));
    let console = b"Content-Type: text/plain; charset=ibm437\r\n\r\nNHS number 943\xFF476\xFF5919";
    assert_eq!(best(console), Some(Confidence::High));
    let two =
        b"Content-Type: text/html; charset=ibm437\r\n\r\n<meta charset=gbk>NHS number \xA3\xB9\xA3\xB43 476 5919\xFF";
    assert_eq!(best(two), Some(Confidence::High), "what the page says of itself is read, too");
    for text in ["NHS trust: is it 943? 47 people, 5919", "Ref;943;476;5919"] {
        assert_eq!(of_text("text/plain", text), None, "{text}");
    }
}

#[test]
fn a_label_at_the_end_of_one_text_is_above_the_next() {
    let subject = "Subject: NHS number\r\n\r\n943 476 5919\r\n";
    assert_eq!(best(subject.as_bytes()), Some(Confidence::High));
    let part = |text: &str| format!("Content-Type: text/plain\r\n\r\n{text}");
    let parts = |first: &str, second: &str| mixed(&[&part(first), &part(second)]);
    assert_eq!(best(&parts("NHS number:", "943 476 5919")), Some(Confidence::High));
    assert!(best(&parts("NHS number: see below. Thank you", "943 476 5919")) < Some(Confidence::High));
    assert!(best(&parts("Order no:", "943 476 5919")) < Some(Confidence::High));
}

#[test]
fn slips_of_a_type_are_read_as_they_are_shown() {
    let page = "NHS number 94<b>3</b> 476 5919";
    assert_eq!(best(format!("Content-Type: text/html charset=utf-8\r\n\r\n{page}").as_bytes()), Some(Confidence::High));
    let coded = "Content-Type: text/plain; charset*=us-ascii'en'utf-7\r\n\r\nNHS number +ADk-43 476 5919";
    assert_eq!(best(coded.as_bytes()), Some(Confidence::High));
}
