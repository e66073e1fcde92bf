//! The domains that a policy expects mail to, by their names: whoever looks something up in advance asks for these.
//!
//! Asked by `deliver`. Promises: those for which outbound rules ask more than `any`, written out in the rule, in a group that it is for, or
//! in that group's list; bounded; patterns name nobody. Pure, never fails.

use super::Policy;
use super::domains::Pattern;
use super::when::Who;
use crate::mail::Domain;
use crate::vocabulary::{Direction, Level};
use std::collections::BTreeSet;

impl Policy {
    /// At most `most` of them, the first by name; monitored rules count, for they are to be enforced one day.
    #[must_use]
    pub fn partners(&self, most: usize) -> BTreeSet<Domain> {
        let asks = self.rules.iter().filter(|rule| {
            rule.direction == Direction::Outbound && rule.asks.require.is_some_and(|level| level > Level::Any)
        });
        let mut found = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for who in asks.flat_map(|rule| &rule.when.to) {
            match who {
                Who::Group(group) => groups.extend(self.groups.with_nested(*group)),
                Who::Domain(pattern) | Who::Address(_, pattern) => keep(&mut found, pattern, most),
            }
        }
        let groups = groups.into_iter().filter_map(|group| self.groups.all.get(group));
        for group in groups {
            let excepted =
                |pattern: &Pattern| matches!(pattern, Pattern::Exact(d) if group.except.iter().any(|e| e.holds(d)));
            let members = group.members.iter().map(|member| &member.pattern.value);
            members.filter(|pattern| !excepted(pattern)).for_each(|pattern| keep(&mut found, pattern, most));
        }
        found
    }
}

fn keep(found: &mut BTreeSet<Domain>, pattern: &Pattern, most: usize) {
    let Pattern::Exact(domain) = pattern else { return };
    if domain.literal().is_some() {
        return;
    }
    found.insert(domain.clone());
    if found.len() > most {
        found.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::{Known, SourceFile, compile};

    const POLICY: &str = r#"
[group.inner]
domains = ["inner.example", "*.below.example"]
[group.outer]
domains = ["outer.example", "left-out.example"]
groups = ["inner"]
except = ["left-out.example"]
[group.elsewhere]
domains = ["elsewhere.example"]
[group.unnamed]
domains = ["unnamed.example"]
[rule.to-outer]
direction = "outbound"
when = { to = ["@outer", "single.example", "box@one.example"] }
require = "verified"
mode = "monitor"
until = 2099-01-01
[rule.from-elsewhere]
direction = "inbound"
when = { from = ["@elsewhere"] }
require = "encrypted"
[rule.to-ourselves]
direction = "inbound"
when = { to = ["own.example"] }
require = "encrypted"
[rule.nothing-asked]
direction = "outbound"
when = { to = ["@elsewhere"] }
wait = "1h"
"#;

    #[test]
    fn they_are_those_for_which_rules_ask_more_than_any_by_exact_name() {
        let text = format!("[policy]\nempty = true\n{POLICY}");
        let files = [SourceFile { name: "p.toml".to_owned(), text }];
        let policy = compile(&files, &Known::default()).unwrap().policy;
        let names = |most| policy.partners(most).into_iter().map(|d| d.to_string()).collect::<Vec<_>>();
        assert_eq!(names(9), ["inner.example", "one.example", "outer.example", "single.example"]);
        assert_eq!(names(2), ["inner.example", "one.example"]);
    }
}
