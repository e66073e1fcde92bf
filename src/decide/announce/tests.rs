use super::*;
use crate::decide::judge_of;
use crate::policy::{Known, SourceFile};
use crate::queue::Routes;
use crate::queue::entry::tests::entry;

fn announcer() -> Announcer {
    let file = SourceFile { name: "policy.toml".into(), text: "[policy]\nempty = true\n".into() };
    let judge = judge_of(&[file], &Known::default()).unwrap_or_else(|wrong| panic!("{}", wrong[0]));
    let contact = Contact { duty: "duty@kingston.example".parse().ok(), phone: None };
    let routes =
        Routes { sites: [("kingston.example".parse().unwrap(), "kingston".into())].into(), ..Routes::default() };
    Announcer {
        hostname: "gw.kingston.example".into(),
        judge: Arc::new(InForce::new(judge)),
        routes: Arc::new(CurrentRoutes::new(Arc::new(routes))),
        ids: Arc::new(Ids::new(None, 0)),
        contacts: ArcSwap::from_pointee([("kingston".into(), contact)].into()),
    }
}

/// Mail from `sender` to one recipient: from the site to the world, or from the world to the site.
fn mail(sender: &str, to: &str, site: Option<&str>) -> Entry {
    let mut mail = entry(7, &[to]);
    mail.envelope.reverse_path = sender.parse().unwrap();
    (mail.site, mail.requirements[0].level) = (site.map(str::to_owned), Level::Any);
    mail
}

/// Who is told of `news`.
fn readers(mail: &Entry, news: News, reason: Reason) -> Vec<String> {
    let told = Told {
        recipient: mail.envelope.recipients[0].clone(),
        requirement: Requirement { level: Level::Any, ..Requirement::unreadable() },
        reason,
        last_reason: None,
        status: Status::new(550, Enhanced(5, 0, 0), "no"),
        peer: None,
        last_attempt: Wall(0),
        until: None,
    };
    let announced = announcer().announce(mail, news, &[told], b"Subject: a\r\n\r\n");
    assert!(announced.iter().all(|a| a.entry.envelope.reverse_path.is_null() && a.entry.notice));
    announced.iter().map(|a| a.entry.envelope.recipients[0].mailbox.to_string()).collect()
}

#[test]
fn the_world_hears_that_a_mailbox_refused_and_never_what_policy_thought_of_the_content() {
    let inbound = mail("p@web.example", "dr@kingston.example", None);
    assert_eq!(readers(&inbound, News::Failed, Reason::RecipientRefused), ["p@web.example"]);
    assert_eq!(readers(&inbound, News::Failed, Reason::SealingNotPossible), ["duty@kingston.example"]);
    assert_eq!(readers(&inbound, News::Held, Reason::SealingNotPossible), ["duty@kingston.example"]);
    let outbound = mail("dr@kingston.example", "p@web.example", Some("kingston"));
    assert_eq!(readers(&outbound, News::Failed, Reason::SealingNotPossible), ["dr@kingston.example"]);
}

#[test]
fn nobody_is_told_who_is_not_there() {
    let report = mail("", "p@web.example", Some("kingston"));
    assert_eq!(readers(&report, News::Failed, Reason::RecipientRefused), ["duty@kingston.example"]);
    assert_eq!(readers(&report, News::Delayed, Reason::ConnectionTimedOut), Vec::<String>::new());
    let from_the_world = mail("", "dr@kingston.example", None);
    assert_eq!(readers(&from_the_world, News::Failed, Reason::RecipientRefused), Vec::<String>::new());
}

#[test]
fn no_notice_is_about_a_notice_whatever_way_it_takes() {
    let mut forwarded = mail("dr@kingston.example", "p@web.example", Some("kingston"));
    let id = EntryId::from_row(5);
    for (message_id, told) in [
        (format!("<{id}@gw.kingston.example>"), 0),
        (format!("<{id}@GW.kingston.example>"), 0),
        (format!("<{id}@other.example>"), 1),
        ("<letter@gw.kingston.example>".to_owned(), 1),
    ] {
        forwarded.message_id = Some(message_id.clone());
        assert_eq!(readers(&forwarded, News::Failed, Reason::RecipientRefused).len(), told, "{message_id}");
    }
}

#[test]
fn whoever_asked_for_require_tls_hears_what_lacked_for_it_and_the_report_goes_as_the_message_had_to() {
    let mut mail = mail("friend@web.example", "b@site.example", None);
    assert!(!readers(&mail, News::Failed, Reason::NoProofSource).contains(&"friend@web.example".to_owned()));
    mail.envelope.require_tls = true;
    assert_eq!(readers(&mail, News::Failed, Reason::NoProofSource), ["friend@web.example"]);
    let of_content = readers(&mail, News::Failed, Reason::RelayNotAllowedForClass);
    assert!(!of_content.contains(&"friend@web.example".to_owned()), "{of_content:?}");
    let sender: Mailbox = "friend@web.example".parse().unwrap();
    let notice = announcer().entry(EntryId::from_row(9), Some(&mail), sender.clone(), &"a: b\r\n\r\n".into());
    assert!(notice.envelope.require_tls && !notice.envelope.goes_by_require_tls_only());
    assert_eq!((notice.version, notice.session.as_str()), (3, mail.session.as_str()));
    let reminder = announcer().entry(EntryId::from_row(9), None, sender, &"a: b\r\n\r\n".into());
    assert_eq!((reminder.envelope.require_tls, reminder.version, reminder.session.as_str()), (false, 2, "reminder"));
}
