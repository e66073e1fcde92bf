//! Text that is drawn with lines and shapes, what is drawn in charts, and pages with nothing on them.

use super::*;
use std::fmt::Write as _;

const LETTER: &str = "BT /F1 9 Tf 20 760 Td (Dear colleague, please see the number below, with many thanks and best wishes from all of us, as ever.) Tj ET ";

/// The bars of a digit on a display of seven: across from the top, then left and right, from above.
fn bars(digit: char) -> &'static str {
    match digit {
        '0' => "acdefg",
        '1' => "eg",
        '2' => "abcef",
        '3' => "abceg",
        '4' => "bdeg",
        '5' => "abcdg",
        '6' => "abcdfg",
        '7' => "aeg",
        '8' => "abcdefg",
        _ => "abcdeg",
    }
}

/// Digits of that height, each bar drawn by itself.
fn display(text: &str, height: f64) -> String {
    let (mut content, mut x, half) = (String::new(), 100.0, height / 2.0);
    for c in text.chars() {
        for bar in bars(c).chars().filter(|_| c.is_ascii_digit()) {
            let (from, to) = match bar {
                'a' => ((0.0, height), (half, height)),
                'b' => ((0.0, half), (half, half)),
                'c' => ((0.0, 0.0), (half, 0.0)),
                'd' => ((0.0, half), (0.0, height)),
                'e' => ((half, half), (half, height)),
                'f' => ((0.0, 0.0), (0.0, half)),
                _ => ((half, 0.0), (half, half)),
            };
            let _ = write!(content, "{} {} m {} {} l S ", x + from.0, 600.0 + from.1, x + to.0, 600.0 + to.1);
        }
        x += height * 0.9;
    }
    content
}

fn says_drawn(content: &str) -> bool {
    let findings = inspected(&shown(&format!("{LETTER}{content}")));
    found(&findings, FindingKind::Scan).iter().any(|(_, what)| *what == "drawn text")
}

#[test]
fn a_number_that_is_drawn_is_said() {
    for text in ["943 476 5919", "9434765919", "943-476-5919", "0101011237"] {
        for height in [7.0, 12.0, 40.0] {
            assert!(says_drawn(&display(text, height)), "{text} {height}");
        }
    }
    let up = format!("q 0 1 -1 0 800 0 cm {} Q", display("943 476 5919", 12.0));
    assert!(says_drawn(&up), "up the page");
    // In whatever order, and in one path.
    let bars: Vec<String> = display("9434765919", 12.0).split_inclusive("S ").map(str::to_owned).collect();
    assert!(says_drawn(&bars.iter().rev().cloned().collect::<String>()));
    assert!(says_drawn(&format!("{}S", display("9434765919", 12.0).replace('S', ""))));
    assert!(!says_drawn(&format!("{}n", display("9434765919", 12.0).replace('S', ""))), "it is not painted");
    assert!(!says_drawn(&display("94347", 12.0)), "a year and a half");
}

/// Digits that are pictures, each of its own.
fn pictured(count: usize, name: fn(usize) -> String, width: f64) -> String {
    (0..count).map(|at| format!("q {width} 0 0 10 {} 600 cm {} Q ", 100.0 + 7.0 * at as f64, name(at))).collect()
}

#[test]
fn a_number_of_pictures_is_said() {
    let inline = |_: usize| "BI /W 1 /H 1 /IM true ID \0 EI".to_owned();
    assert!(says_drawn(&pictured(10, inline, 5.5)));
    assert!(!says_drawn(&pictured(6, inline, 5.5)), "a date");
    assert!(!says_drawn(&pictured(10, inline, 0.5)), "a ruler");
    assert!(!says_drawn(&pictured(10, inline, 5.5).replace(" 10 ", " 40 ")), "photographs");
}

/// Letters of several heights and widths, as fonts have them.
fn outlined(lines: usize) -> String {
    let mut content = String::new();
    for line in 0..lines {
        let mut x = 50.0;
        for at in 0..40usize {
            let (width, height) = ([4.0, 5.5, 3.0, 6.5, 5.0][at * at % 5], [6.0, 6.0, 9.0, 6.0][at * 7 % 4]);
            let y = 600.0 - 14.0 * line as f64;
            let curves =
                format!("{} {} {} {} {} {} c ", x + width, y, x + width, y + height, x, y + height).repeat(at % 4 + 1);
            let _ = write!(content, "{x} {y} m {curves} h f ");
            x += width + 1.0;
        }
    }
    content
}

#[test]
fn a_letter_in_outlines_is_said_and_a_word_is_not() {
    assert!(says_drawn(&outlined(5)));
    assert!(!says_drawn(&outlined(1)));
}

#[test]
fn charts_tables_and_boxes_are_no_text() {
    let row =
        |one: &dyn Fn(f64, usize) -> String| (0..30).map(|at| one(50.0 + 14.0 * at as f64, at)).collect::<String>();
    let bars = row(&|x, at| format!("{x} 300 9 {} re f ", 20 + at * 7 % 40));
    let markers = row(&|x, _| format!("{x} 400 m {} 404 {} 408 {x} 408 c h f ", x + 6.0, x + 6.0));
    let stars = row(&|x, _| format!("{x} 500 m {} 508 l {} 500 l {x} 505 l {} 505 l h S ", x + 4.0, x + 8.0, x + 8.0));
    let boxes = row(&|x, _| {
        format!(
            "{x} 200 m {} 200 l S {} 200 m {} 212 l S {} 212 m {x} 212 l S {x} 212 m {x} 200 l S ",
            x + 9.0,
            x + 9.0,
            x + 9.0,
            x + 9.0
        )
    });
    let ticked = row(&|x, at| {
        format!(
            "{x} 150 9 9 re S {}",
            if at % 2 == 0 { format!("{x} 150 m {} 159 l S ", x + 9.0) } else { String::new() }
        )
    });
    let table: String = (0..400).map(|at| format!("{} {} 30 14 re S ", 20 + at % 16 * 30, 50 + at / 16 * 14)).collect();
    let line: String = (0..300).map(|at| format!("{} {} l ", 20 + at, 100 + at * 37 % 60)).collect();
    for content in [bars, markers, stars, boxes, ticked, table, format!("20 100 m {line} S")] {
        assert!(!says_drawn(&content), "{content:.60}");
    }
}

#[test]
fn many_shapes_take_no_longer_and_more_are_said() {
    let started = std::time::Instant::now();
    let line = |at: usize| format!("{} {}.{:03} 40 0 re f ", at % 7, at / 1_000, at % 1_000);
    assert!(!says_drawn(&(0..60_000).map(line).collect::<String>()));
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
    let decoys = format!("{} S ", "0 0 m 9 9 l ".repeat(200_001));
    says(&shown(&format!("{LETTER}{decoys}")), FindingKind::LimitReached, "shapes");
}

#[test]
fn a_page_with_nothing_on_it_is_not_broken() {
    for content in ["", "q Q", "0 0 595 842 re f", "1 0 0 rg 0 0 300 400 re f 20 20 m 30 30 l S", "0 0 9 9 re W n"] {
        assert_eq!(inspected(&shown(content)).unread, [], "{content}");
    }
    let many = "0 0 m 9 9 l S ".repeat(10);
    for content in ["/Sh1 sh", &many, "BT ( ) Tj ET", "/None Do BI /W 1 /H 1 ID x EI"] {
        assert_ne!(inspected(&shown(content)).unread, [], "{content}");
    }
}

#[test]
fn a_blank_page_of_which_more_is_shown_is_still_said() {
    let catalog = |more: &str| {
        let mut pdf = Pdf::of(b"");
        pdf.set(CATALOG, format!("<< /Type /Catalog /Pages {PAGES} 0 R {more} >>"));
        inspected(&pdf.bytes()).unread
    };
    assert_eq!(catalog(""), []);
    assert_ne!(catalog("/NeedsRendering true"), []);
    let page = |more: &str| {
        let mut pdf = Pdf::of(b"");
        pdf.set(PAGE, format!("<< /Type /Page /Parent {PAGES} 0 R {more} >>"));
        inspected(&pdf.bytes()).unread
    };
    assert_eq!(page("/Annots [<< /Subtype /Link /Rect [0 0 9 9] >>]"), []);
    assert_ne!(page("/Annots [<< /Subtype /RichMedia /Rect [0 0 9 9] >>]"), []);
    assert_ne!(page("/Contents [7 (x)]"), []);
    let mut pdf = Pdf::of(b"");
    pdf.set(PAGES, format!("<< /Type /Pages /Kids [{PAGE} 0 R] /Count 2 >>"));
    assert_ne!(inspected(&pdf.bytes()).unread, []);
}
