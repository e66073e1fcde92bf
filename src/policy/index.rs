//! Which rules could match a recipient, so that a decision costs what can match and not what is written.
//!
//! Built by the compiler for each direction. Promises: never leaves out a rule that matches; the conditions themselves
//! are still judged one by one.

use super::domains::DomainIndex;
use super::group::Membership;
use super::rule::Rule;
use super::when::Who;
use crate::mail::Domain;
use crate::vocabulary::Direction;

#[derive(Debug, Default)]
pub(super) struct Index {
    /// Rules for any recipient.
    always: Vec<usize>,
    by_group: Vec<Vec<usize>>,
    by_domain: DomainIndex,
    /// Whether any rule looks at the sender.
    pub asks_for_sender: bool,
}

impl Index {
    pub fn of(rules: &[Rule], direction: Direction, groups: usize) -> Index {
        let mut index = Index { by_group: vec![Vec::new(); groups], ..Index::default() };
        for (number, rule) in rules.iter().enumerate().filter(|(_, r)| r.direction == direction) {
            index.asks_for_sender |= rule.when.asks_for_sender();
            if rule.when.to.is_empty() {
                index.always.push(number);
            }
            rule.when.to.iter().for_each(|who| index.add(who, number));
        }
        index
    }

    fn add(&mut self, who: &Who, number: usize) {
        match who {
            Who::Group(group) => self.by_group.get_mut(*group).into_iter().for_each(|rules| rules.push(number)),
            Who::Domain(pattern) | Who::Address(_, pattern) => {
                self.by_domain.add(pattern, number);
            }
        }
    }

    /// Numbers of rules in the order of their names, each once.
    pub fn candidates(&self, domain: &Domain, groups: &Membership) -> Vec<usize> {
        let mut found = self.always.clone();
        for group in groups.iter() {
            found.extend(self.by_group.get(group).into_iter().flatten());
        }
        self.by_domain.each(domain, |number| found.push(number));
        found.sort_unstable();
        found.dedup();
        found
    }
}
