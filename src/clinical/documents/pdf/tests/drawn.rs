//! How glyphs are placed, and in which order.

use super::*;

#[test]
fn every_operator_that_shows_text_is_read() {
    holds(&shown(NUMBER));
    holds(&shown("BT /F1 12 Tf 14 TL 72 720 Td (NHS) ' (number) ' 0 0 (943 476 5919) \" ET"));
    holds(&shown("BT /F1 12 Tf 72 720 Td [(NHS number 9) 20 (43) -250 (47) -30 (6 59) 10 (19)] TJ ET"));
    holds(&shown("BT /F1 12 Tf 72 720 Td (NHS number) Tj 0 -14 TD (943 476) Tj T* (5919) Tj ET"));
}

#[test]
fn glyphs_that_are_placed_one_by_one_join() {
    let place = |(at, c): (usize, char)| format!("1 0 0 1 {} 700 Tm ({c}) Tj ", 72.0 + 6.67 * at as f64);
    let digits: String = "9434765919".chars().enumerate().map(place).collect();
    holds(&shown(&format!("BT /F1 12 Tf 1 0 0 1 72 720 Tm (NHS number) Tj {digits} ET")));
    let moved: String = "9434765919".chars().map(|c| format!("({c}) Tj 6.67 0 Td ")).collect();
    holds(&shown(&format!("BT /F1 12 Tf 72 720 Td (NHS number) Tj 0 -14 Td {moved} ET")));
    let apart: String =
        "9434765919".chars().map(|c| format!("q BT /F1 12 Tf ({c}) Tj ET Q 1 0 0 1 6.67 0 cm ")).collect();
    holds(&shown(&apart));
}

#[test]
fn gaps_are_blanks_and_wide_ones_divide_cells() {
    let row = |gap: f64| shown(&format!("BT /F1 12 Tf 72 720 Td (943 476) Tj {gap} 0 Td (5919) Tj ET"));
    assert!(!found(&inspected(&row(46.0)), FindingKind::NhsNumber).is_empty(), "a blank");
    let table = shown(
        "BT /F1 12 Tf 72 720 Td (Name) Tj 90 0 Td (NHS number) Tj -90 -14 Td (Jo) Tj 90 0 Td (943 476 5919) Tj ET",
    );
    holds(&table);
    let comb: String =
        "9434765919".chars().enumerate().map(|(at, c)| format!("1 0 0 1 {} 700 Tm ({c}) Tj ", 72 + 18 * at)).collect();
    holds(&shown(&format!("BT /F1 12 Tf 1 0 0 1 10 700 Tm (NHS no.) Tj {comb} ET")));
}

#[test]
fn text_that_is_drawn_in_another_order_is_read_as_it_is_seen() {
    let places: Vec<(usize, char)> = "9434765919".chars().enumerate().collect();
    let place = |(at, c): &(usize, char)| format!("1 0 0 1 {} 700 Tm ({c}) Tj ", 160.0 + 6.67 * *at as f64);
    let label = "1 0 0 1 72 700 Tm (NHS number) Tj";
    let backwards: String = places.iter().rev().map(place).collect();
    holds(&shown(&format!("BT /F1 12 Tf {backwards} {label} ET")));
    let shuffled: String = [3, 7, 0, 9, 2, 5, 8, 1, 6, 4].iter().map(|at| place(&places[*at])).collect();
    holds(&shown(&format!("BT /F1 12 Tf {shuffled} {label} ET")));
    let twice: String = places.iter().map(|p| place(p).repeat(2)).collect();
    holds(&shown(&format!("BT /F1 12 Tf {label} {twice} ET")));
}

#[test]
fn text_in_any_direction_is_read() {
    for matrix in ["0 1 -1 0 300 100", "-1 0 0 -1 500 500", "0.7 0.7 -0.7 0.7 100 100", "0 -1 1 0 100 600"] {
        holds(&shown(&format!("q {matrix} cm {} Q", NUMBER.replace("72 720 Td", "0 0 Td"))));
        let digits = "9434765919".chars().rev().enumerate();
        let digits: String =
            digits.map(|(at, c)| format!("1 0 0 1 {} 0 Tm ({c}) Tj ", 200.0 - 6.67 * at as f64)).collect();
        holds(&shown(&format!("q {matrix} cm BT /F1 12 Tf 1 0 0 1 65 0 Tm (NHS number) Tj {digits} ET Q")));
    }
    holds(&shown("BT /F1 -12 Tf 1 0 0 -1 72 720 Tm (NHS number ) Tj (943 47) Tj (6 5919) Tj ET"));
}

#[test]
fn text_that_nobody_sees_is_read() {
    for way in ["3 Tr", "1 g", "0 0 0 0 re W n", "/OC /Layer BDC"] {
        holds(&shown(&NUMBER.replace("BT", &format!("BT {way}"))));
    }
    holds(&shown(&NUMBER.replace("72 720 Td", "-9000 9000 Td")));
    shows(&shown(&NUMBER.replace("12 Tf", "0 Tf")));
}

#[test]
fn forms_and_forms_in_forms_are_entered() {
    let mut pdf = Pdf::of(b"q 1 0 0 1 72 700 cm /X1 Do Q");
    let inner = pdf.add(stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", NUMBER.as_bytes()));
    let outer = pdf.add(stream(
        &format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X2 {inner} 0 R >> /Font << /F1 {FONT} 0 R >> >>"),
        b"/X2 Do",
    ));
    let resources = format!("/Resources << /XObject << /X1 {outer} 0 R >> >>");
    pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /Contents {CONTENT} 0 R {resources} >>"));
    holds(&pdf.bytes());
    let place = |at: usize| format!("q 1 0 0 1 {} 700 cm /D{at} Do Q ", 72.0 + 6.67 * at as f64);
    let mut pdf = Pdf::of((0..10).map(place).collect::<String>().as_bytes());
    let mut names = String::new();
    for (at, c) in "9434765919".chars().enumerate() {
        let dict = "/Subtype /Form /BBox [0 0 9 9]";
        let digit = pdf.add(stream(dict, format!("BT /F1 12 Tf ({c}) Tj ET").as_bytes()));
        names += &format!("/D{at} {digit} 0 R ");
    }
    let resources = format!("/Resources << /Font << /F1 {FONT} 0 R >> /XObject << {names} >> >>");
    pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /Contents {CONTENT} 0 R {resources} >>"));
    holds(&pdf.bytes());
}

#[test]
fn what_is_said_to_be_meant_is_read_too() {
    let marked = |c: char| format!("/Span << /ActualText ({c}) >> BDC (x) Tj EMC ");
    let digits: String = "9434765919".chars().map(marked).collect();
    holds(&shown(&format!("BT /F1 12 Tf 72 720 Td (NHS number ) Tj {digits} ET")));
    let mut pdf = Pdf::of(b"BT /F1 12 Tf /Span /P1 BDC (see below) Tj EMC ET");
    let properties =
        format!("/Properties << /P1 << /ActualText (NHS number 943 476 5919) >> >> /Font << /F1 {FONT} 0 R >>");
    pdf.set(PAGE, format!("<< /Type /Page /Parent 2 0 R /Contents {CONTENT} 0 R /Resources << {properties} >> >>"));
    holds(&pdf.bytes());
    holds(&shown("BT /F1 12 Tf (a) Tj /Figure << /Alt (NHS number 943 476 5919) >> BDC EMC ET"));
}
