//! Ordinary business mail whose numbers look like identifiers and are none.

use crate::cells::Numbers;

pub const PER_KIND: usize = 600;

pub struct Kind {
    pub name: &'static str,
    pub write: fn(&mut Numbers, usize) -> String,
}

/// Ten digits that pass the check, as one in eleven random numbers does: the worst case in every message.
pub const KINDS: &[Kind] = &[
    Kind { name: "mobile", write: |n, _| format!("Call me on 07{} {} please", n.digits(3), n.digits(6)) },
    Kind { name: "mobile-plus-44", write: |n, _| format!("Mobile: +44 {} {}", &n.valid()[..4], &n.valid()[4..]) },
    Kind { name: "mobile-no-zero", write: |n, _| format!("Tel: {}", n.valid()) },
    Kind { name: "landline", write: |n, _| format!("Our number is 0161 {} {}", n.digits(3), n.digits(4)) },
    Kind {
        name: "landline-plus-44",
        write: |n, _| {
            let v = n.valid();
            format!("Phone +44 {} {} {}", &v[..3], &v[3..6], &v[6..])
        },
    },
    Kind {
        name: "american",
        write: |n, _| {
            let v = n.valid();
            format!("reach us at {}-{}-{}", &v[..3], &v[3..6], &v[6..])
        },
    },
    Kind {
        name: "american-brackets",
        write: |n, _| {
            let v = n.valid();
            format!("reach us at ({}) {}-{}", &v[..3], &v[3..6], &v[6..])
        },
    },
    Kind {
        name: "american-spaced",
        // Half of them say what they are; the other half cannot be told from the real thing when they fit.
        write: |n, i| {
            let lead = ["Call us on", "Phone", "reach us at", "Best wishes\r\n"][i % 4];
            format!("{lead} {} {} {}", n.digits(3), n.digits(3), n.digits(4))
        },
    },
    Kind { name: "invoice", write: |n, _| format!("Invoice {} is due", n.valid()) },
    Kind { name: "order", write: |n, _| format!("Thank you for order no. {}", n.valid()) },
    Kind { name: "account", write: |n, _| format!("Account number {} sort code 20-00-00", n.valid()) },
    Kind { name: "tracking", write: |n, _| format!("Tracking: {}GB, parcel {}", n.valid(), n.valid()) },
    Kind {
        name: "tracking-spaced",
        write: |n, _| {
            let v = n.valid();
            format!("Your parcel {} {} {}", &v[..3], &v[3..6], &v[6..])
        },
    },
    Kind { name: "bare", write: |n, _| format!("Reference {} was closed", n.valid()) },
    Kind { name: "isbn", write: |n, _| format!("ISBN {}", n.valid()) },
    Kind { name: "isbn-13", write: |n, _| format!("ISBN 978-{}", n.valid()) },
    Kind {
        name: "card",
        write: |n, _| format!("Card {} {} {} {}", n.digits(4), n.digits(4), n.digits(4), n.digits(4)),
    },
    Kind { name: "hash", write: |n, _| format!("commit {}a{}f{}", n.digits(7), n.valid(), n.digits(9)) },
    Kind { name: "url", write: |n, _| format!("https://shop.example/item/{}?ref={}", n.valid(), n.valid()) },
    Kind {
        name: "timestamp",
        write: |n, _| format!("[17{}] INFO job {} done in {} ms", n.digits(8), n.digits(10), n.digits(3)),
    },
    Kind {
        name: "log",
        write: |n, _| {
            format!(
                "2026-11-22T11:54:{}.{} 10.1.{}.7 GET /x/{} 200 {}",
                n.digits(2),
                n.digits(6),
                n.digits(2),
                n.valid(),
                n.digits(5)
            )
        },
    },
    Kind {
        name: "code",
        write: |n, _| format!("let x = {}; const Y: u64 = 0x{}; // {}", n.valid(), n.digits(10), n.digits(10)),
    },
    Kind {
        name: "spreadsheet",
        write: |n, i| {
            format!(
                "id,qty,price\n{i},{},{}.{}\n{},{},1.00",
                n.digits(2),
                n.digits(3),
                n.digits(2),
                n.valid(),
                n.digits(2)
            )
        },
    },
    Kind {
        name: "dates",
        write: |n, _| {
            format!(
                "From 01/02/2026 10:{} to 22-11-2026, {} people, {}.{} m",
                n.digits(2),
                n.digits(3),
                n.digits(3),
                n.digits(4)
            )
        },
    },
    Kind { name: "base64", write: |n, _| format!("QmFzZTY0{}ZnVuY3Rpb24{}Zm9vYmFyYmF6cXV4", n.digits(10), n.valid()) },
    Kind {
        name: "hospital-signature",
        write: |n, _| {
            format!(
                "jane@trust.nhs.uk\nKingston NHS Foundation Trust\nTel: {}\nFax 020 7946 {}",
                n.valid(),
                n.digits(4)
            )
        },
    },
    Kind {
        name: "iban",
        write: |n, _| {
            format!("IBAN GB{} WEST {} {} {} {}", n.digits(2), n.digits(4), n.digits(4), n.digits(4), n.digits(2))
        },
    },
    Kind { name: "serial", write: |n, _| format!("Serial number: {} model {}", n.valid(), n.digits(6)) },
    Kind {
        name: "conference",
        write: |n, _| format!("Meeting ID: {} {} {} Passcode: {}", n.digits(3), n.digits(4), n.digits(4), n.digits(6)),
    },
];
