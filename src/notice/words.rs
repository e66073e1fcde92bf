//! The part for people: what happened, why, and what to do now, in plain English.
//!
//! Called by `compose`. Promises: three sentences before anything else, then every recipient by name with its own fate.
//! Nothing from the message is quoted but addresses. Fails never.

use super::status::bounded;
use super::{Kind, Lines, News, Reader, Report, Told};
use crate::clock::rfc5322_date;
use crate::vocabulary::{Fault, Reason};

/// The notice's own subject: it never repeats the message's.
pub(super) fn subject(report: &Report<'_>) -> &'static str {
    match report.kind {
        Kind::Failed => "Not delivered: your message",
        Kind::Delayed => "Delayed: your message has not been delivered yet",
        Kind::Relayed => "Passed on: your message",
        Kind::Refused => "Not sent: your message needs more protection",
        Kind::Held => "Held: your message waits until it can be sent safely",
    }
}

pub(super) fn write(out: &mut Lines, report: &Report<'_>) {
    if report.reader == Reader::Duty {
        out.line(&format!(
            "For information: this was sent by {}; the text below speaks to the sender.",
            sender(report)
        ));
        out.line("");
    }
    let first = report.recipients.iter().find(|r| is_the_news(report.kind, r.news));
    out.line(&happened(report));
    out.line(&why(report, first));
    out.line(&now(report.kind, first));
    out.line("");
    for about in &report.recipients {
        out.line(&format!("  {}: {}", about.recipient.mailbox, fate(about)));
    }
    out.line("");
    if let Some(phone) = report.phone {
        out.line(&format!("Questions: telephone {}, and give the reference {}.", bounded(phone), report.entry));
    }
    out.line(&format!(
        "Reference: {} on {}. Received: {}.",
        report.entry,
        report.gateway,
        rfc5322_date(report.arrived)
    ));
}

/// Who wrote the message, as far as the envelope says.
fn sender(report: &Report<'_>) -> String {
    report.sender.map_or_else(|| "a programme that takes no replies".to_owned(), ToString::to_string)
}

/// Whether a recipient's fate is what the notice was written for.
fn is_the_news(kind: Kind, news: News) -> bool {
    matches!(
        (kind, news),
        (Kind::Failed, News::Failed)
            | (Kind::Delayed, News::Delayed)
            | (Kind::Relayed, News::Relayed)
            | (Kind::Refused, News::Refused)
            | (Kind::Held, News::Held)
    )
}

fn happened(report: &Report<'_>) -> String {
    let concerned = report.recipients.iter().filter(|r| is_the_news(report.kind, r.news)).count();
    let whom = match (concerned, report.recipients.len()) {
        (_, 1) => "the recipient".to_owned(),
        (some, all) if some == all => format!("all {all} recipients"),
        (some, all) => format!("{some} of {all} recipients"),
    };
    match report.kind {
        Kind::Failed => format!("Your message was not delivered to {whom} listed below."),
        Kind::Delayed => format!("Your message has not yet been delivered to {whom} listed below."),
        Kind::Relayed => {
            format!("Your message was passed on for {whom} listed below to a server that sends no further reports.")
        }
        Kind::Refused => format!("Your message was not sent to {whom} listed below."),
        Kind::Held => format!("Your message for {whom} listed below is being held and has not left the organisation."),
    }
}

fn why(report: &Report<'_>, about: Option<&Told<'_>>) -> String {
    // What hardly any message needs is said with its cause: nobody else would look for it in the message.
    let of_sender = |about: &Told<'_>| {
        let reason = about.last_reason.unwrap_or(about.reason);
        report.require_tls && reason.is_of_protection() && reason != Reason::RequireTlsNotOffered
    };
    match (report.kind, about) {
        (Kind::Relayed, _) => "You are told because you asked for a receipt.".to_owned(),
        (Kind::Failed | Kind::Delayed, Some(about)) if of_sender(about) => format!(
            "The reason is that {}, and your message asks to travel over encrypted connections to proved servers only (REQUIRETLS).",
            because(about)
        ),
        (_, Some(about)) => format!("The reason is that {}.", because(about)),
        (_, None) => "The reason is given for each recipient below.".to_owned(),
    }
}

/// The reason; of what expired, what kept it from its way until then as well.
fn because(about: &Told<'_>) -> String {
    match about.last_reason {
        Some(last) => format!("{}, because {}", about.reason.words(), last.words()),
        None => about.reason.words().to_owned(),
    }
}

/// What the reader can do, which depends on whose move it is.
fn now(kind: Kind, about: Option<&Told<'_>>) -> String {
    // That the time is up says nothing of what to do: what it was used up by does.
    let reason = about.map(|a| a.last_reason.unwrap_or(a.reason));
    let advice = match (kind, reason) {
        (Kind::Relayed, _) => "You need do nothing.",
        (Kind::Delayed, _) => {
            "You need do nothing: it is still being tried, and you will be told if it fails; do not send it again."
        }
        (Kind::Held, Some(Reason::HeldByOperator)) => {
            "Your help desk can say when it goes on; do not send it again, and if it is urgent, reach the recipient another way."
        }
        (Kind::Held, _) => {
            "You need do nothing: it leaves by itself as soon as it can be protected; if it is urgent, reach the recipient another way."
        }
        (Kind::Refused, _) => {
            "Please use an address at a secure domain or another approved way to reach the recipient; sending it again unchanged will not help."
        }
        (Kind::Failed, Some(Reason::NoSuchDomain | Reason::NullMx | Reason::RecipientRefused | Reason::NoAddress)) => {
            "Please check the address and send the message again."
        }
        (Kind::Failed, Some(Reason::EndedByOperator | Reason::HeldByOperator)) => {
            "Please ask your help desk before you send it again, and reach the recipient another way if it is urgent."
        }
        (Kind::Failed, Some(Reason::RequireTlsNotOffered)) => {
            "Please reach the recipient another way, or send it again without asking for REQUIRETLS if it does not need that promise."
        }
        (Kind::Failed, Some(Reason::MessageTooLarge)) => "Please send it in smaller parts or another way.",
        // Protection that was missing until the time was up will be missing next time.
        (Kind::Failed, Some(reason)) if reason.is_of_protection() => {
            "Please use another approved way to reach the recipient, or ask your help desk; sending it again unchanged will not help."
        }
        (Kind::Failed, Some(reason)) => match reason.fault() {
            Fault::Policy => "Please use another approved way to reach the recipient, or ask your help desk.",
            Fault::Us => "Please tell your help desk: the cause is on our side.",
            _ => "Please reach the recipient another way, or try again later.",
        },
        (Kind::Failed, None) => "Please see below what became of each recipient.",
    };
    advice.to_owned()
}

fn fate(about: &Told<'_>) -> String {
    let because = because(about);
    let until = about.until.map(|u| format!(" until {}", rfc5322_date(u))).unwrap_or_default();
    match about.news {
        News::Failed => format!("not delivered, because {because}."),
        News::Delayed => format!("not delivered yet, because {because}; still being tried{until}."),
        News::Relayed => "passed on; no further report will follow.".to_owned(),
        News::Refused => format!("not sent, because {because}."),
        News::Held => format!("held{until}, because {because}."),
        News::Sent => "accepted and not refused; you will be told if it cannot be delivered.".to_owned(),
    }
}
