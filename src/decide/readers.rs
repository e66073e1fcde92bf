//! Who hears of which recipient: the sender as NOTIFY says, whoever the rules name, the duty for what nobody else hears.
//!
//! Called by `announce`. Promises: nobody is told of a recipient that is not for them; one notice per reader; what has to be
//! heard and reaches nobody else is the duty's. Pure. Fails never.

use super::announce::News;
use crate::mail::{Mailbox, Recipient};

/// One recipient's news, and for whom it is.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// The sender may and wants to hear of it.
    pub for_sender: bool,
    /// Whom the rules name.
    pub named: Vec<Mailbox>,
    /// Somebody has to hear of it.
    pub must_be_heard: bool,
}

/// One reader with the numbers of the items for it, in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Audience {
    pub reader: Mailbox,
    pub hears: Vec<usize>,
}

/// Whether a sender wants to hear such news of this recipient.
pub(super) fn wants(news: News, recipient: &Recipient) -> bool {
    match news {
        News::Failed => recipient.wants_failure(),
        // RFC 3461 4.1: without NOTIFY, delays are told at our discretion.
        News::Delayed | News::Held => recipient.notify.is_none_or(|n| n.delay),
        News::Relayed => recipient.wants_success(),
    }
}

pub(super) fn audiences(items: &[Item], sender: Option<&Mailbox>, duty: Option<&Mailbox>) -> Vec<Audience> {
    let mut audiences = Vec::new();
    for (number, item) in items.iter().enumerate() {
        if let Some(sender) = sender.filter(|_| item.for_sender) {
            add(&mut audiences, sender, number);
        }
    }
    for (number, item) in items.iter().enumerate() {
        item.named.iter().for_each(|named| add(&mut audiences, named, number));
        let is_heard = audiences.iter().any(|a| a.hears.contains(&number));
        if let Some(duty) = duty.filter(|_| item.must_be_heard && !is_heard) {
            add(&mut audiences, duty, number);
        }
    }
    audiences.iter_mut().for_each(|a| a.hears.sort_unstable());
    audiences
}

fn add(audiences: &mut Vec<Audience>, reader: &Mailbox, number: usize) {
    match audiences.iter_mut().find(|a| a.reader.key() == reader.key()) {
        Some(known) if known.hears.contains(&number) => {}
        Some(known) => known.hears.push(number),
        None => audiences.push(Audience { reader: reader.clone(), hears: vec![number] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(local: &str) -> Mailbox {
        format!("{local}@site.example").parse().unwrap()
    }

    fn item(for_sender: bool, named: &[&str]) -> Item {
        Item { for_sender, named: named.iter().map(|n| mailbox(n)).collect(), must_be_heard: true }
    }

    fn heard(items: &[Item]) -> Vec<(String, Vec<usize>)> {
        let (sender, duty) = (mailbox("sender"), mailbox("duty"));
        let audiences = audiences(items, Some(&sender), Some(&duty));
        audiences.into_iter().map(|a| (a.reader.local().to_owned(), a.hears)).collect()
    }

    #[test]
    fn each_hears_of_its_own_recipients_in_one_notice() {
        let items = [item(true, &[]), item(false, &[]), item(true, &["duty", "lead"])];
        assert_eq!(
            heard(&items),
            [("sender".into(), vec![0, 2]), ("duty".into(), vec![1, 2]), ("lead".into(), vec![2])],
            "what the sender did not want to hear is the duty's"
        );
    }

    #[test]
    fn what_need_not_be_heard_is_told_to_nobody() {
        assert_eq!(heard(&[Item::default()]), []);
        assert_eq!(heard(&[item(true, &["sender"])]), [("sender".into(), vec![0])], "nobody hears it twice");
    }
}
