use super::*;

fn text(values: &mut Values, instruction: &str) -> Option<String> {
    values.outcome(instruction).map(|outcome| values.resolved(&outcome.text))
}

#[test]
fn instructions_come_to_what_a_programme_shows() {
    let mut values = Values::default();
    values.set(Kind::Property, "Title", "943");
    values.set(Kind::Variable, "second", "476");
    values.set(Kind::Bookmark, "bA", "5919");
    for (instruction, expected) in [
        (" SYMBOL 57 \\f Arial ", Some("9")),
        ("SYMBOL 0x39 \\f Arial", Some("9")),
        ("SYMBOL 129 \\f Wingdings", Some("1")),
        ("SYMBOL 7", None),
        ("MACROBUTTON NoMacro 943 476", Some("943 476")),
        ("gotobutton x 943", Some("943")),
        ("EQ \\x(9)\\x(4)\\s\\up8(3)", Some("943")),
        ("EQ \\a\\al\\co2(943,476)", Some("943 476")),
        ("LISTNUM a \\s 943", Some("943)")),
        ("QUOTE \"943\" 476", Some("943476")),
        ("IF 1 = 1 \"943\" \"x\"", Some("943")),
        ("IF 2 < 1 \"x\" \"943\"", Some("943")),
        ("IF \u{201C}a\u{201D} <> \"b\" \"9\\\"43\"", Some("9\"43")),
        ("IF 1 ? 1 943 x", None),
        ("SEQ a \\r 943", Some("943")),
        ("SEQ a", Some("944")),
        ("SEQ A \\c", Some("944")),
        ("SEQ a \\h", Some("")),
        ("SEQ a \\* roman", None),
        ("TITLE", Some("943")),
        ("TITLE \"476\"", Some("476")),
        ("SUBJECT", None),
        ("DOCPROPERTY title \\* MERGEFORMAT", Some("943")),
        ("DOCVARIABLE second", Some("476")),
        ("REF bA \\h", Some("5919")),
        ("REF bA \\n", None),
        ("ba", Some("5919")),
        ("SET c 943", Some("")),
        ("REF C", Some("943")),
        ("= 940 + 3", Some("943")),
        ("=(47+0.6)*10", Some("476")),
        ("= 4 - 2 * 3 \\* arabic", Some("-2")),
        ("= 1/3", None),
        ("= ((((1)", None),
        ("= 1 \\# \"'943'\"", Some("943")),
        ("DATE \\@ \"'943'\"", Some("943")),
        ("DATE \\@ \"d MMMM yyyy\"", None),
        ("PAGE", None),
        ("HYPERLINK \"http://x\"", None),
        ("", None),
    ] {
        assert_eq!(text(&mut values, instruction).as_deref(), expected, "{instruction}");
    }
}

#[test]
fn pages_are_counted_from_where_they_start() {
    let mut values = Values::default();
    values.starts_at_page(943);
    let page = values.outcome(" PAGE ").unwrap();
    assert!(page.is_live && is_open(&page.text));
    let resolved = values.resolved(&format!("a\nno {} 1\n", page.text));
    assert_eq!(resolved, "a\nno 943 1\nno 944 1\n;\nno 945 1\n;\nno 946 1\n;\n");
    assert_eq!(values.outcome("PAGE \\* roman"), None);
}

#[test]
fn long_values_and_torn_names_are_nothing() {
    let mut values = Values::default();
    values.set(Kind::Bookmark, "a", &"9".repeat(100));
    assert_eq!(text(&mut values, "REF a").as_deref(), Some(""));
    assert_eq!(values.resolved("x\u{FDD0}y"), "xy");
}

#[test]
fn what_is_more_than_is_looked_at_is_said() {
    let after = |with: &dyn Fn(&mut Values)| {
        let mut values = Values::default();
        with(&mut values);
        values.take_cut()
    };
    assert!(!after(&|values| (0..1_000).for_each(|page| values.starts_at_page(page % 64))));
    assert!(after(&|values| (0..65).for_each(|page| values.starts_at_page(page))), "starts");
    let words = |count: usize| format!("QUOTE {}", "9 ".repeat(count - 1));
    assert!(!after(&|values| drop(values.outcome(&words(64)))));
    assert!(after(&|values| drop(values.outcome(&words(65)))), "words");
    assert!(after(&|values| drop(values.outcome(&format!("QUOTE {}", "9".repeat(INSTRUCTION))))), "octets");
    assert!(!after(&|values| drop(values.outcome(&words(900).replace("QUOTE", "addin")))));
    let lines = |count: usize, width: usize| {
        let line = format!("{}{}\n", Values::page(), "x".repeat(width));
        move |values: &mut Values| drop(values.resolved(&line.repeat(count)))
    };
    assert!(!after(&lines(64, 9)));
    assert!(after(&lines(65, 9)) && after(&lines(1, 600)), "lines of headers");
}
