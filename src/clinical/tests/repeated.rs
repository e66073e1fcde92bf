//! Texts that repeat themselves: whatever they repeat, time and memory grow with their length. Each of these took minutes, or all
//! memory, while something in it was looked at anew from each place to the end.

use super::*;
use crate::clinical::own::OwnLexicon;
use crate::vocabulary::OwnName;

/// What even a slow machine needs, without optimisation, is a tenth of it; what grows with the square of the length is far more.
const LONG: Duration = Duration::from_secs(40);

fn of(kind: &str, body: &str) -> Vec<u8> {
    format!("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}\r\n").into_bytes()
}

fn repeated(what: &str, octets: usize) -> String {
    what.repeat(octets / what.len())
}

/// Inspects it, within what is allowed to it.
fn ends(name: &str, message: &[u8]) -> Findings {
    let terms = OwnLexicon::new(OwnName::of("l"), &[("breast cancer".to_owned(), 1)]);
    let rules = Rules::default().with_own(Vec::new(), &[terms]);
    let started = Instant::now();
    let found = inspect(message, &rules, &Limits::default());
    assert!(started.elapsed() < LONG, "{name}: {:?}", started.elapsed());
    found
}

#[test]
fn text_that_repeats_itself_takes_no_more_than_its_length() {
    const SIZE: usize = 400_000;
    let blanks = " ".repeat(SIZE) + "\r\n" + &repeated("word\r\n;\r\n", SIZE);
    for (name, kind, body) in [
        ("short words behind blanks", "text/plain", blanks),
        ("labels of codes", "text/plain", repeated("CTV3", SIZE)),
        ("labels of codes, with dots", "text/plain", repeated("ICD10.", SIZE)),
        ("cells", "text/csv; name=a.csv", "a".to_owned() + &repeated(",=a", SIZE)),
        ("cells that are values", "text/csv; name=a.csv", "a".to_owned() + &repeated(",=1", SIZE)),
        ("links", "text/csv; name=a.csv", "a".to_owned() + &repeated(",=HYPERLINK(\"\",\"\")", SIZE)),
        ("links without an end", "text/csv; name=a.csv", "a".to_owned() + &repeated(",=HYPERLINK(\"", SIZE)),
        ("colons", "text/html; name=a.html", repeated(":", SIZE)),
        ("properties", "text/html; name=a.html", repeated("content:", SIZE)),
        (
            "ends of elements",
            "text/html",
            "<style>a{order:1}</style>".to_owned() + &"<b>".repeat(99) + &repeated("</y>", SIZE),
        ),
        ("long formulas", "text/csv; name=a.csv", "x\n".to_owned() + &repeated(",=a1234567", SIZE)),
        ("nothing but marks", "text/plain", repeated("<!>", 2 * SIZE)),
        ("declarations", "image/svg+xml; name=a.svg", repeated("<!>", SIZE)),
        ("addresses of data", "text/html", repeated("data:;base64,!", SIZE)),
    ] {
        ends(name, &of(kind, &body));
    }
}

#[test]
fn a_boundary_that_repeats_itself_takes_no_more_than_its_length() {
    let kind = format!("multipart/mixed; boundary=\"{}\"", "a".repeat(200_000));
    ends("one line", &of(&kind, &"a".repeat(400_000)));
    ends("many lines", &of(&kind, &repeated("--aaaaaaaaaaaaaaaaaaaa\r\n", 400_000)));
}

#[test]
fn pages_together_may_ask_for_so_many_comparisons_and_no_more() {
    let page = format!("<style>{}{{order:1}}</style>{}", vec!["x~*"; 290].join(","), "<br>".repeat(280));
    let parts: String = (0..100).map(|_| format!("--b\r\nContent-Type: text/html\r\n\r\n{page}\r\n")).collect();
    ends("pages", &of("multipart/mixed; boundary=b", &parts));
    let descriptions = format!("X-ALT-DESC;FMTTYPE=text/html:{}\r\n", page.replace(',', "\\,").replace(';', "\\;"));
    let calendar = format!("BEGIN:VCALENDAR\r\n{}", descriptions.repeat(100));
    ends("descriptions", &of("text/calendar; name=a.ics", &calendar));
    let attributes = "<body ".to_owned() + &"a ".repeat(32) + ">";
    let body = format!(
        "<style>{}</style>{}{}",
        "[q] b{order:1}".repeat(20),
        repeated(&attributes, 100_000),
        "<b></b>".repeat(7_000)
    );
    ends("attributes of the body", &of("text/html", &body));
    let long = format!("<style>[a*=qq] b{{order:1}}</style><div a='{}'>", "q.".repeat(100_000));
    ends("a long value", &of("text/html", &(long + &"<b></b>".repeat(30_000))));
    let tests: String = (0..16).map(|at| format!("[a{at}]")).collect();
    let sheet = format!("<style>{}q{{order:1}}</style>", format!("{tests} b,").repeat(500));
    let attributes: String = (0..32).map(|at| format!(" a{at}")).collect();
    ends("many attributes", &of("text/html", &(sheet + &format!("<br{attributes}>").repeat(1_000))));
    let same = format!("<br class='{}'>", "a ".repeat(32)).repeat(3_000);
    ends("the same class", &of("text/html", &format!("<style>{}</style>{same}", ".a{order:1}".repeat(2_048))));
}

#[test]
fn results_of_laboratories_are_looked_for_so_far_and_what_is_left_is_said() {
    let names =
        repeated("hb k na alt cl urea free t ( [ ml ca 19 adj x 10 vitamin haemoglobin 1 mean cell ", 1_200_000);
    let found = ends("names", &of("text/plain", &format!("5 g/l\n{names}")));
    assert!(found.unread.iter().any(|unread| unread.limit.as_deref() == Some("readings")), "{:?}", found.unread);
}

#[test]
fn a_file_that_stands_in_several_readings_is_read_once() {
    use base64::Engine;
    let mut page = "<p>some words of text here</p>".repeat(1_000);
    for _ in 0..4 {
        let inner = base64::prelude::BASE64_STANDARD.encode(&page);
        page = format!(
            "<meta charset=gbk><meta charset=euc-kr><meta charset=shift_jis><meta charset=big5>\u{E9}<iframe src=\"data:text/html;base64,{inner}\">"
        );
    }
    ends("pages in pages", &of("text/html", &page));
}

#[test]
fn short_fields_and_names_of_codes_are_as_many_as_are_paid_for() {
    let is_said = |found: &Findings| found.unread.iter().any(|unread| unread.limit.as_deref() == Some("readings"));
    let types = "Content-Type: text/plain; charset=a\r\nContent-Type: text/plain; charset=b\r\n";
    let part = format!("--b\r\n{}\r\n", repeated("a:\n", 100_000));
    let fields = format!("{types}Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", part.repeat(10));
    ends("fields", fields.as_bytes());
    assert!(is_said(&ends("names of codes", &of("text/plain", &repeated("dm+d ", 600_000)))));
    assert!(!is_said(&ends("a few names", &of("text/plain", &repeated("dm+d ", 60_000)))));
}
