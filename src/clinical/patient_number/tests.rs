use super::scheme::begins_with_a_date;
use super::*;

fn best(text: &str) -> Option<Confidence> {
    let mut hits = Hits::default();
    scan(text, &Rules::default(), usize::MAX, &mut hits);
    hits.numbers.iter().map(|n| n.confidence).max()
}

const HIGH: Option<Confidence> = Some(Confidence::High);
const MEDIUM: Option<Confidence> = Some(Confidence::Medium);
const LOW: Option<Confidence> = Some(Confidence::Low);

#[test]
fn check_digits() {
    let valid = |text: &str| {
        let digits: Vec<u8> = text.bytes().map(|b| b - b'0').collect();
        is_valid(&digits.try_into().unwrap())
    };
    for good in ["9434765919", "4010232137", "9990000018"] {
        assert!(valid(good), "{good}");
    }
    for bad in ["9876543210", "9434765918", "9991234560", "9991234569", "0000000000", "1111111111"] {
        assert!(!valid(bad), "{bad}");
    }
}

#[test]
fn context_decides_how_sure() {
    for (text, expected) in [
        ("9434765919", LOW),
        ("943 476 5919", MEDIUM),
        ("943-476-5919", LOW),
        ("NHS No: 9434765919", HIGH),
        ("nhsNumber=9434765919", HIGH),
        ("NHS9434765919", HIGH),
        ("943 476 5919 (NHS number)", HIGH),
        ("PID|1||9434765919^^^NHS^NH||", HIGH),
        ("{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":\"9434765919\"}", HIGH),
        ("https://fhir.nhs.uk/Id/nhs-number|9434765919", HIGH),
        ("DOB 01/02/1980, 943 476 5919", HIGH),
        ("Mr John Smith, 943 476 5919", HIGH),
        ("DOB: 1 May 1980; 9434765919", HIGH),
        ("Tel: 7700900124", None),
        ("+44 7700 900124", None),
        ("+447700900124", None),
        ("07700 900124", None),
        ("(0)7700900124", None),
        ("order 9434765919", None),
        ("Ref 9434765919 (NHS number)", LOW),
        ("Ref 9434765919 for the service of the NHS", None),
        ("NHS no: [943] [476] [5919]", HIGH),
        ("[943] [476] [5919]", None),
        ("order no. 943 476 5919", LOW),
        ("tel: 0161 496 0000. NHS number 943 476 5919", HIGH),
        ("NHS number 943 476 5919, tel 7700900124", HIGH),
        ("19434765919", None),
        ("94347659191", None),
        ("https://shop.example/track/9434765919", None),
        ("a9434765919f", None),
        ("QmFzZTY0IGlzIGZ1bg9434765919Zm9vYmFyYmF6", None),
        ("NHS no: 9 4 3 4 7 6 5 9 1 9", HIGH),
        ("NHS no: 94347 65919", HIGH),
        ("94347 65919", None),
        ("9876543210", None),
        ("NHS number 9876543210", None),
    ] {
        assert_eq!(best(text), expected, "{text}");
    }
}

#[test]
fn a_date_is_no_piece_of_a_number() {
    for text in [
        "DOB 01/02/1960, 9434765919",
        "DOB 01/02/1960 943 476 5919",
        "DOB 1/2/05 943 476 5919",
        "DOB 1960-02-01 943 476 5919",
        "DOB 01 02 1960 943 476 5919",
        "born 1 Feb 1960 943 476 5919",
        "born 1 Feb 1960, 943 476 5919",
        "born Feb 1, 1960 943 476 5919",
    ] {
        let mut hits = Hits::default();
        scan(text, &Rules::default(), usize::MAX, &mut hits);
        let shown = [9, 4, 3, 5, 9, 1, 9];
        assert_eq!(hits.numbers, [Hit { scheme: Scheme::Nhs, shown, confidence: Confidence::High }], "{text}");
    }
    assert_eq!(best("1960-02-01 943 476 5919"), MEDIUM);
    assert_eq!(best("DOB 01/02/1960 tel 7700900124"), MEDIUM);
}

#[test]
fn everyday_labels_make_sure() {
    for text in [
        "NHSNo: 9434765919",
        "NHSNo 943 476 5919",
        "N.H.S. Number: 943 476 5919",
        "N.H.S No 9434765919",
        "NHS Nr 943 476 5919",
        "NHSN 943 476 5919",
        "rhif GIG 943 476 5919",
        "nhsno9434765919",
        "<id root=\"2.16.840.1.113883.2.1.4.1\" extension=\"9434765919\"/>",
        "<id extension=\"9434765919\" root=\"2.16.840.1.113883.2.1.4.1\"/>",
        "2.16.840.1.113883.2.1.4.1^9434765919",
    ] {
        assert_eq!(best(text), HIGH, "{text}");
    }
}

#[test]
fn what_is_about_a_person_heads_no_column() {
    for (header, row) in [
        ("Patient,DOB,NHS Number", "Smith,01/02/1960,401 023 2137"),
        ("MRN,Patient,NHS No", "A12,seen as patient,4010232137"),
        ("DOB,N.H.S.", "1960-02-01,4010232137"),
    ] {
        let rows = format!("{row}\n").repeat(2);
        let notes = "a surname of no use here and a longer address, patient seen,".repeat(2);
        assert_eq!(best(&format!("{header}\n{notes}\n{rows}")), HIGH, "{header}");
    }
    assert_eq!(best("Patient,Phone,NHS No\nSmith,7700900124,\n"), None);
}

#[test]
fn a_label_reaches_over_a_list_but_not_over_a_page() {
    let mut hits = Hits::default();
    scan("NHS numbers:\r\n943 476 5919\r\n401 023 2137\r\n9990000018\r\n", &Rules::default(), usize::MAX, &mut hits);
    assert_eq!(hits.numbers.len(), 3);
    assert!(hits.numbers.iter().all(|n| n.confidence == Confidence::High), "{hits:?}");
    assert_eq!(best(&format!("NHS number{} 9434765919", " word".repeat(40))), LOW);
}

#[test]
fn a_column_header_labels_its_column_only() {
    let csv = "name,phone,nhs_number\nSmith,7700900124,\"9434765919\"\n".to_owned();
    let rows = format!("{csv}{}", "A long surname and a longer address indeed,7700900124,4010232137\n".repeat(3));
    let mut hits = Hits::default();
    scan(&rows, &Rules::default(), usize::MAX, &mut hits);
    let of = |last: u8| hits.numbers.iter().find(|n| n.shown[6] == last).map(|n| n.confidence);
    assert_eq!((of(9), of(7)), (HIGH, HIGH));
    assert!(of(4) < HIGH, "a telephone number in the next column: {hits:?}");
}

#[test]
fn every_writing_is_one_number() {
    for text in [
        "943\u{A0}476\u{A0}5919",
        "943\u{2009}476\u{2009}5919",
        "943\u{2011}476\u{2011}5919",
        "943–476–5919",
        "943.476.5919",
        "９４３ ４７６ ５９１９",
        "943\u{200B}476\u{200B}5919",
        "94\u{AD}34765919",
        "943  476  5919",
        "943 - 476 - 5919",
        "943\r\n476 5919",
        "> 943 476\r\n> 5919",
        "٩٤٣ ٤٧٦ ٥٩١٩",
        "943\u{FFFD}476\u{FFFD}5919",
        "943476 5919",
        "943 4765919",
    ] {
        assert_eq!(best(&format!("NHS number: {text}.")), HIGH, "{text}");
    }
}

#[test]
fn long_sequences_of_groups_are_judged_to_their_end() {
    let text = format!("{}943 476 5919", "12 ".repeat(3_000));
    assert!(best(&text).is_some());
    let text = format!("NHS number {}", "7 ".repeat(5_000));
    assert!(best(&text).is_none());
}

#[test]
fn only_the_mask_leaves() {
    assert_eq!(masked([9, 4, 3, 5, 9, 1, 9]), "943***5919");
}

fn of(scheme: Scheme, text: &str) -> Option<Confidence> {
    let mut hits = Hits::default();
    scan(text, &Rules::default(), usize::MAX, &mut hits);
    hits.numbers.iter().find(|n| n.scheme == scheme).map(|n| n.confidence)
}

#[test]
fn a_chi_number_begins_with_a_date_of_birth() {
    for (text, expected) in [
        ("CHI: 0101901232", HIGH),
        ("CHI number 010190 1232", HIGH),
        ("CHI No. 01 01 90 1232", HIGH),
        ("chiNumber=0101901232", HIGH),
        ("Community Health Index 0101901232", HIGH),
        ("NHS No 0101901232", HIGH),
        ("010190 1232", MEDIUM),
        ("Mrs Jean Brown, 010190 1232", HIGH),
        ("0101901232", LOW),
        ("DOB 01/01/1990, 0101901232", HIGH),
        ("010 190 1232", None),
        ("order 0101901232", None),
        ("tel 0101901232", None),
        ("+44 0101901232", None),
        ("CHI: 0101901233", None),
        // 32 January, the 13th month, 30 February: the check digit fits, the date does not.
        ("CHI: 3201901232", None),
        ("CHI: 9434765919", None),
    ] {
        assert_eq!(of(Scheme::Chi, text), expected, "{text}");
    }
    assert_eq!(of(Scheme::Nhs, "CHI: 0101901232"), None, "no NHS number begins with 0");
    assert_eq!(of(Scheme::Nhs, "CHI: 9434765919"), HIGH, "a label of a patient's number is one whatever it is called");
}

#[test]
fn an_hc_number_is_of_its_range() {
    for (text, expected) in [
        ("H&C No: 3200000015", HIGH),
        ("H&C number 320 000 0015", HIGH),
        ("HCN 3200000015", HIGH),
        ("HSC number: 320-000-0015", HIGH),
        ("Health and Care Number 3200000015", HIGH),
        // A guess is one guess.
        ("320 000 0015", None),
        ("3200000015", None),
        ("invoice 3200000015", None),
        ("H&C No: 3200000016", None),
        ("H&C No: 4010232137", None),
    ] {
        assert_eq!(of(Scheme::Hc, text), expected, "{text}");
    }
    assert_eq!((of(Scheme::Nhs, "320 000 0015"), of(Scheme::Nhs, "3200000015")), (MEDIUM, LOW));
}

#[test]
fn a_guess_is_counted_once_though_it_may_be_of_two() {
    let mut hits = Hits::default();
    scan("Please see 320 190 1202 for details", &Rules::default(), usize::MAX, &mut hits);
    assert_eq!(hits.numbers.len(), 1, "{hits:?}");
    let mut hits = Hits::default();
    scan("H&C No 320 190 1202", &Rules::default(), usize::MAX, &mut hits);
    assert_eq!(hits.numbers.len(), 2, "what is sure may be both: {hits:?}");
}

#[test]
fn no_more_numbers_are_looked_at_than_may_be() {
    let (text, mut hits) = ("3201901202,".repeat(1_000), Hits::default());
    scan(&text, &Rules::default(), 100, &mut hits);
    // A stretch of groups is judged to its end.
    assert!((100..700).contains(&hits.judged), "{}", hits.judged);
}

#[test]
fn days_that_no_month_has_begin_no_chi_number() {
    let date = |text: &str| {
        let digits: Vec<u8> = format!("{text}0000").bytes().map(|b| b - b'0').collect();
        begins_with_a_date(&digits.try_into().unwrap())
    };
    for good in ["010190", "290200", "311299", "300615"] {
        assert!(date(good), "{good}");
    }
    for bad in ["000190", "320190", "300290", "310690", "011390", "010090"] {
        assert!(!date(bad), "{bad}");
    }
}

#[test]
fn one_digit_in_each_box_is_a_number_where_a_label_names_it() {
    let boxes = |joint: &str| ["9", "4", "3", "4", "7", "6", "5", "9", "1", "9"].join(joint);
    for joint in [" ", "\t", "|", " | ", "\n", "\r\n"] {
        let number = boxes(joint);
        assert_eq!(best(&format!("NHS number (please write one digit in each box)\n{number}\n")), HIGH, "{joint:?}");
        assert_eq!(best(&format!("{number}\n;\nNHS Number\tHospital Number\n")), HIGH, "{joint:?}");
        assert_eq!(best(&number), None, "{joint:?}");
        assert_eq!(best(&format!("marks out of ten were {number}")), None, "{joint:?}");
    }
    assert_eq!(best(&format!("Name\tNHS No\nSmith\t{}", boxes(" "))), HIGH);
    let far = "NHS numbers of all who came, from the first to the last: ";
    for row in [
        "1 2 3 4 5 6 7 8 9 0",
        "0 1 2 3 4 5 6 7 8 9",
        "9 8 7 6 5 4 3 2 1 0",
        "9 4 3 4 7 6 5 9 1 9 3",
        "3 9 4 3 4 7 6 5 9 1 9",
    ] {
        assert_eq!(best(&format!("{far}{row}")), None, "{row}");
    }
}

#[test]
fn wide_white_space_joins_where_a_label_names_the_number() {
    for gap in
        ["     ", "\t\t\t\t\t", "\u{A0}\u{A0}\u{A0}\u{A0}\u{A0}\u{A0}", &"\n".repeat(21), "\r\n                 "]
    {
        let number = ["943", "476", "5919"].join(gap);
        assert_eq!(best(&format!("NHS number {number}")), HIGH, "{gap:?}");
        assert_eq!(best(&format!("Mr John Smith {number}")), None, "{gap:?}");
    }
    let apart = ["943", "476", "5919"].join(&" ".repeat(25));
    assert_eq!(best(&format!("NHS number {apart}")), None);
}

#[test]
fn torn_numbers_are_believed_beside_their_label_on_either_side() {
    assert_eq!(best("94347 65919 is the NHS number"), HIGH);
    assert_eq!(best("NHS number of the patient we discussed: 94 34 76 59 19"), HIGH);
    assert_eq!(best("NHS number of the patient we discussed: 9 434 76591 9"), None);
    assert_eq!(best("94347 65919 came before we looked for the NHS number"), None);
}

#[test]
fn marks_that_usually_divide_join_what_a_label_names() {
    for text in [
        "943:476:5919",
        "943'476'5919",
        "943~476~5919",
        "943+476+5919",
        "943\u{22C5}476\u{2219}5919",
        "943\u{2800}476\u{3164}5919",
        "9\u{332}4\u{332}3\u{332}4\u{332}765919",
        "9\u{FE0F}\u{20E3}434765919",
    ] {
        assert_eq!(best(&format!("NHS number {text}")), HIGH, "{text}");
    }
    assert_eq!(best("Mr John Smith 943:476:5919"), None);
    assert_eq!(best("NHS number 94:34:76:59:19"), None);
    assert_eq!(best("at 07: 943 476 5919"), MEDIUM);
}

#[test]
fn a_word_of_the_trade_is_a_hint_and_no_label() {
    for (text, expected) in [
        ("Patient 943 476 5919", HIGH),
        ("Patient number: 9434765919", HIGH),
        // No more than a name stands between: a letter about a patient begins so.
        ("Re: patient John Smith 943 476 5919", HIGH),
        ("Patient Participation Group meeting\nZoom ID 943 476 5919", LOW),
        ("The patient participation group meets again on Tuesday at six, room 943 476 5919", MEDIUM),
        ("Patient outcomes after hip fracture. BMJ 2020;4010232137", MEDIUM),
        ("id=4010232137 patient-portal started", MEDIUM),
        ("Call our patient line in Boston: (401) 023-2137", HIGH),
    ] {
        assert_eq!(best(text), expected, "{text}");
    }
}

#[test]
fn rows_of_figures_are_nobodys_number() {
    for (text, expected) in [
        ("New patients 271 162 314 286 1033", None),
        ("New patients\t271\t162\t314\t286\t1033", None),
        ("Patients 1,435 840 714 789 3,778", None),
        ("Babies born 291 343 297 246 1177", None),
        ("Babies born 291 343 297 246 1177\nNHS 1179 1199 720", None),
        ("Patients seen 967 1213 715 1031 3926", None),
        ("NHS 943 476 5919 720 930 4028", HIGH),
        ("NHS 9434 765 919, 4010 232 137", HIGH),
        ("NHS number 943 4765 919 1031 3926", HIGH),
        ("Patients 485 794 5800", MEDIUM),
        ("Patients: 485 794 5800", HIGH),
        ("Patient 1 943 476 5919", HIGH),
        ("Patients: 943 476 5919, 401 023 2137", HIGH),
        ("NHS numbers 401 023 2138, 943 476 5919", HIGH),
        ("NHS numbers: 12 13 943 476 5919", HIGH),
        ("DOB 12/03/1960 943 476 5919", HIGH),
    ] {
        assert!(best(text) <= expected.or(LOW), "{text}: {:?}", best(text));
        assert!(expected.is_none() || best(text) == expected, "{text}: {:?}", best(text));
    }
    let mut hits = Hits::default();
    scan("Patients: 943 476 5919, 401 023 2137", &Rules::default(), usize::MAX, &mut hits);
    assert!(hits.numbers.len() == 2 && hits.numbers.iter().all(|hit| hit.confidence == Confidence::High));
}

#[test]
fn what_names_a_person_names_no_number_that_nobody_has() {
    for (text, expected) in [
        ("Patient advice line 1773681931", MEDIUM),
        ("patient_id 2147483648", None),
        ("NHS number 2147483648", None),
        ("NHS ref 943-476-5919", HIGH),
        ("National Health Service number 9434765919", HIGH),
        ("NHS number for Ann Smith of Leeds: 943 4765919", HIGH),
        ("Name,NHS number\nAnn,\"9,434,765,919\"", HIGH),
        ("Name,Total\nAnn,\"9,434,765,919\"", None),
        ("Emp no 9434765919 DOB 01/02/1970", LOW),
        ("Name,DOB,Mobile\nAnn Smith,01/02/1970,7703642622", None),
        ("Name,DOB,Number\nAnn Smith,01/02/1970,7703642622", HIGH),
    ] {
        assert_eq!(best(text), expected, "{text}");
    }
}
