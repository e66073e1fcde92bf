//! The messages of the demo, and what has to become of each. Data only.
//!
//! Called by `play`, which sends them and compares what became of them, and by `letter`, which writes them. Promises: the expectation is written here and the
//! facts come from the gateway; nothing of this file is printed as a fact.

use crate::smtp::Security;
use crate::vocabulary::{Fate, Outcome, Reason};

/// One message.
#[derive(Debug)]
pub struct Scenario {
    pub title: &'static str,
    /// What a newcomer should take home.
    pub lesson: &'static str,
    pub origin: Origin,
    pub sender: &'static str,
    pub subject: &'static str,
    pub content: Content,
    pub recipients: &'static [Expected],
    pub also: Also,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The site's own, over STARTTLS.
    Exchange,
    /// A server on the internet.
    Outside(Security),
}

/// What the message holds.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    Text(&'static str),
    /// A text and an attached table.
    Table(&'static str, &'static str),
    /// A text, and a forwarded message in a forwarded message, in base64.
    Forwarded(&'static str, &'static str),
    /// A text and an attachment that this version cannot read.
    Unreadable(&'static str),
    /// A text, and a header field that only an Exchange may write.
    Forged(&'static str),
}

/// What has to become of one recipient.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    pub to: &'static str,
    pub fate: Fate,
    pub outcome: Outcome,
    pub reason: Reason,
}

/// What else has to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Also {
    Nothing,
    /// The sender gets a notice that names every fate.
    Notice,
    /// The text never left the sending server.
    TextStays,
    /// The forged field did not reach Exchange.
    FieldGone,
}

/// A field that tells an Exchange to skip its own spam and malware checks.
pub const FORGED_FIELD: &str = "X-MS-Exchange-Organization-SCL";

const DOCTOR: &str = "dr.jones@kingston-surgery.example";
const DESK: &str = "reception@kingston-surgery.example";

const fn delivered(to: &'static str) -> Expected {
    Expected { to, fate: Fate::Send, outcome: Outcome::Delivered, reason: Reason::Delivered }
}

const fn rejected(to: &'static str, reason: Reason) -> Expected {
    Expected { to, fate: Fate::Reject, outcome: Outcome::Rejected, reason }
}

const fn waits(to: &'static str, reason: Reason) -> Expected {
    Expected { to, fate: Fate::Defer, outcome: Outcome::Deferred, reason }
}

const fn failed(to: &'static str, reason: Reason) -> Expected {
    Expected { to, fate: Fate::Send, outcome: Outcome::Failed, reason }
}

const fn from_exchange(
    sender: &'static str,
    (title, lesson): (&'static str, &'static str),
    (subject, content): (&'static str, Content),
    recipients: &'static [Expected],
) -> Scenario {
    let (origin, also) = (Origin::Exchange, Also::Nothing);
    Scenario { title, lesson, origin, sender, subject, content, recipients, also }
}

const fn from_outside(
    (sender, security): (&'static str, Security),
    (title, lesson): (&'static str, &'static str),
    (subject, content): (&'static str, Content),
    recipients: &'static [Expected],
) -> Scenario {
    let (origin, also) = (Origin::Outside(security), Also::Nothing);
    Scenario { title, lesson, origin, sender, subject, content, recipients, also }
}

pub const SCENARIOS: &[Scenario] = &[
    from_exchange(
        DESK,
        (
            "Ordinary mail to a supplier",
            "Nothing is asked of it; it still travels encrypted, because the best is always tried.",
        ),
        ("Order 4711", Content::Text("Please send six boxes of gloves, size medium, to the back entrance.")),
        &[delivered("orders@supplies.example")],
    ),
    from_exchange(
        DESK,
        (
            "Ordinary mail to a server without encryption",
            "No rule asks for more, so it goes in clear text; that is counted.",
        ),
        ("Room booking", Content::Text("May we have the large hall for the flu clinic on Saturday the tenth?")),
        &[delivered("bookings@village-hall.example")],
    ),
    from_exchange(
        DESK,
        (
            "A telephone number that looks like an NHS number",
            "What stands beside a number decides: a phone number is no patient.",
        ),
        ("Call us", Content::Text("The surgery has a new number. You can call us on +44 7700 900124 from Monday.")),
        &[delivered("patient@webmail.example")],
    ),
    from_exchange(
        DESK,
        (
            "Ordinary mail to a secure domain with a self-signed certificate",
            "Whatever goes to a secure domain is encrypted; proof of who answers is asked only for patient information.",
        ),
        ("Car park", Content::Text("The car park behind the surgery will be closed on Monday morning.")),
        &[delivered("estates@accredited-trust.example")],
    ),
    from_exchange(
        DOCTOR,
        ("A referral to NHSmail", "Patient information, and the receiving server has proved that it is NHSmail's."),
        ("Referral", Content::Text("NHS number 943 476 5919: please see this patient about chest pain on exertion.")),
        &[delivered("cardiology@nhs.net")],
    ),
    from_exchange(
        DOCTOR,
        (
            "Test results to a patient's webmail",
            "An encrypted link says nothing about the mailbox behind it: stopped, and the sender is told how to go on.",
        ),
        ("Your results", Content::Text("NHS number 943 476 5919: your HbA1c is 58 mmol/mol, please book a review.")),
        &[rejected("patient@webmail.example", Reason::SealingNotPossible)],
    ),
    from_exchange(
        DOCTOR,
        (
            "The sender wrote [secure]",
            "Whoever says that it is confidential is believed, whatever the text looks like.",
        ),
        ("[secure] about our meeting", Content::Text("As agreed, I shall bring the papers along on Thursday at noon.")),
        &[rejected("solicitor@law.example", Reason::SealingNotPossible)],
    ),
    from_exchange(
        DESK,
        (
            "OFFICIAL-SENSITIVE to a council that proves itself",
            "The marking counts as patient information; the council's certificate is good for its mail host.",
        ),
        (
            "OFFICIAL-SENSITIVE: safeguarding referral",
            Content::Text("Please ring the duty social worker about the family we spoke of this morning."),
        ),
        &[delivered("mash@riverside-council.gov.uk")],
    ),
    from_exchange(
        DESK,
        ("A patient list in an attached table", "Attachments are read, too."),
        (
            "List for Friday",
            Content::Table(
                "Here is the list that you asked for.",
                "NHS Number,Surname,Clinic\r\n9434765919,Example,Asthma review Friday\r\n4010232137,Sample,Asthma review Friday\r\n",
            ),
        ),
        &[rejected("agency@webmail.example", Reason::SealingNotPossible)],
    ),
    from_exchange(
        DESK,
        ("A forwarded message in a forwarded message, in base64", "Encodings and nesting hide nothing."),
        (
            "Fw: Fw: letter",
            Content::Forwarded(
                "See below, two levels down.",
                "Dear colleague, NHS Number: 401-023-2137. The biopsy was benign and no follow-up is needed.",
            ),
        ),
        &[rejected("friend@webmail.example", Reason::SealingNotPossible)],
    ),
    from_exchange(
        DESK,
        (
            "A PDF that cannot be read, to an encrypting server",
            "Unread is not clean: it may go, but never in clear text.",
        ),
        ("Leaflet", Content::Unreadable("The leaflet about the new opening hours is attached.")),
        &[delivered("patient@webmail.example")],
    ),
    from_exchange(
        DESK,
        (
            "The same PDF to a server without encryption",
            "It waits for encryption, and after the rule's hour it comes back.",
        ),
        ("Leaflet", Content::Unreadable("The leaflet for the notice board of the hall is attached.")),
        &[waits("bookings@village-hall.example", Reason::TlsNotOffered)],
    ),
    from_exchange(
        DOCTOR,
        (
            "A referral to a council whose certificate has expired",
            "Not sent: an expired proof is none. It is tried again, then held.",
        ),
        ("Referral N", Content::Text("NHS No 943 476 5919: home visit for the north of the borough requested.")),
        &[waits("adult-care@northmoor.gov.uk", Reason::CertificateExpired)],
    ),
    from_exchange(
        DOCTOR,
        ("A referral to a council with a self-signed certificate", "Anybody can sign for himself."),
        ("Referral E", Content::Text("NHS No 943 476 5919: home visit for the east of the borough requested.")),
        &[waits("adult-care@eastmoor.gov.uk", Reason::CertificateSelfSigned)],
    ),
    from_exchange(
        DOCTOR,
        ("A referral to a council whose certificate names another host", "A good certificate of somebody else."),
        ("Referral W", Content::Text("NHS No 943 476 5919: home visit for the west of the borough requested.")),
        &[waits("adult-care@westmoor.gov.uk", Reason::CertificateWrongName)],
    ),
    from_exchange(
        DOCTOR,
        (
            "A referral to a council behind a firewall that masks STARTTLS",
            "Encryption stripped on the way: it waits and never falls back to clear text.",
        ),
        ("Referral S", Content::Text("NHS No 943 476 5919: home visit for the south of the borough requested.")),
        &[waits("adult-care@southmoor.gov.uk", Reason::TlsMasked)],
    ),
    Scenario {
        also: Also::Notice,
        ..from_exchange(
            DESK,
            (
                "Ordinary mail to a domain that takes no mail",
                "Its DNS says so (null MX): the sender is told at once, not after days.",
            ),
            ("Opening hours", Content::Text("Are you open on bank holidays this year?")),
            &[failed("info@closed-practice.example", Reason::NullMx)],
        )
    },
    Scenario {
        also: Also::Notice,
        ..from_exchange(
            DESK,
            (
                "Ordinary mail to somebody who has left",
                "The other server refused the recipient: the sender gets a notice in plain words.",
            ),
            ("Invoice question", Content::Text("Could you please send us a copy of last month's invoice?")),
            &[failed("left@supplies.example", Reason::RecipientRefused)],
        )
    },
    Scenario {
        also: Also::Notice,
        ..from_exchange(
            DOCTOR,
            (
                "One letter, three recipients, three fates",
                "Each recipient is judged alone, and one notice names them all.",
            ),
            (
                "Discharge summary",
                Content::Text(
                    "NHS number 943 476 5919: discharged home today, please continue the tablets for a month.",
                ),
            ),
            &[
                delivered("ward7@nhs.net"),
                rejected("daughter@webmail.example", Reason::SealingNotPossible),
                waits("adult-care@northmoor.gov.uk", Reason::CertificateExpired),
            ],
        )
    },
    Scenario {
        also: Also::TextStays,
        ..from_outside(
            ("cardiology@nhs.net", Security::Clear),
            (
                "From nhs.net in clear text",
                "NHSmail always encrypts: refused at the recipient, before any text crosses.",
            ),
            ("Clinic letter", Content::Text("NHS number 943 476 5919: thank you for referring this patient to us.")),
            &[rejected(DOCTOR, Reason::RequirementNotMet)],
        )
    },
    from_outside(
        ("cardiology@nhs.net", Security::Tls),
        ("From nhs.net, encrypted", "The same letter over TLS is taken and handed to Exchange over TLS."),
        (
            "Clinic letter",
            Content::Text("NHS number 943 476 5919: thank you for referring this patient to our clinic."),
        ),
        &[delivered(DOCTOR)],
    ),
    Scenario {
        also: Also::FieldGone,
        ..from_outside(
            ("patient@webmail.example", Security::Clear),
            (
                "A patient writes, with a forged Exchange header",
                "People may write as they can; what only an Exchange may say is taken off at the edge.",
            ),
            ("Repeat prescription", Content::Forged("Could I have my usual prescription, please?")),
            &[delivered(DESK)],
        )
    },
];
