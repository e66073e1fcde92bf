//! What one policy protects less than another: shown before it is put into force, and accepted by a person or not at all.
//!
//! Called by `decide` at a reload. Promises: what cannot be shown to be as strict counts as lowered, so a sentence may say more
//! than is so, never less; two policies of the same texts lower nothing. Never fails.

use super::class::Class;
use super::exception::{Exception, Lowering};
use super::group::Groups;
use super::implied;
use super::judge::Policy;
use super::rule::Rule;
use super::when::{When, Who};
use crate::clock::Wall;
use crate::mail::Domain;
use std::collections::{BTreeMap, BTreeSet};

/// Names of domains that one sentence lists.
const SHOWN: usize = 5;

/// What `new` protects less than `old` from that time on, a sentence each, in the order of the language.
#[must_use]
pub fn lowered(old: &Policy, new: &Policy, at: Wall) -> Vec<String> {
    if old.hash == new.hash {
        return Vec::new();
    }
    let mut found = groups(old, new, at);
    found.extend(old.patterns.iter().filter_map(|pattern| {
        let same = new.patterns.iter().any(|other| {
            other.name == pattern.name && other.regex.as_str() == pattern.regex.as_str() && other.near == pattern.near
        });
        (!same).then(|| format!("pattern `{}` is gone or finds something else", pattern.name))
    }));
    found.extend(lexicons(old, new));
    if old.recognise != new.recognise {
        found.push("what tells a patient's number from a telephone's is changed: [recognise]".to_owned());
    }
    found.extend(old.classes.iter().filter_map(|class| lowered_class(class, &new.classes)));
    found.extend(widened_by_content(old, new));
    found.extend(old.rules.iter().filter(|rule| rule.is_enforced()).filter_map(|rule| lowered_rule(rule, old, new)));
    found.extend(new.exceptions.iter().filter_map(|exception| widened(exception, old, new)));
    if old.guard && !new.guard {
        found.push("[policy] guard is turned off: nothing that lowers will be shown any more".to_owned());
    }
    found
}

fn lowered_rule(rule: &Rule, old: &Policy, new: &Policy) -> Option<String> {
    let Some(now) = new.rules.iter().find(|other| other.name == rule.name) else {
        return Some(format!("rule `{}` ({}) is gone", rule.name, rule.at));
    };
    if !now.is_enforced() {
        return Some(format!("rule `{}` ({}) is only monitored now", now.name, now.at));
    }
    if now.direction != rule.direction {
        return Some(format!("rule `{}` ({}) is for {} mail now", now.name, now.at, now.direction));
    }
    if !implied::asks(&rule.asks, &now.asks) {
        return Some(format!("rule `{}` ({}) asks for less", now.name, now.at));
    }
    let when = translated(&rule.when, &old.groups, &new.groups);
    let matches_as_much = when.is_some_and(|when| implied::whenever(&[&when], &now.when, &new.groups));
    (!matches_as_much).then(|| format!("rule `{}` ({}) may match less", now.name, now.at))
}

/// Conditions with the groups of another policy in place of their own, by name.
fn translated(when: &When, from: &Groups, to: &Groups) -> Option<When> {
    let who = |who: &Who| match who {
        Who::Group(number) => {
            let name = &from.all.get(*number)?.name;
            to.all.iter().position(|group| group.name == *name).map(Who::Group)
        }
        other => Some(other.clone()),
    };
    let all = |list: &[Who]| list.iter().map(who).collect::<Option<Vec<Who>>>();
    Some(When {
        to: all(&when.to)?,
        not_to: all(&when.not_to)?,
        from: all(&when.from)?,
        not_from: all(&when.not_from)?,
        ..when.clone()
    })
}

fn lowered_class(class: &Class, now: &[Class]) -> Option<String> {
    let Some(now) = now.iter().find(|other| other.name == class.name) else {
        return Some(format!("class `{}` is gone", class.name));
    };
    (!now.holds_whenever(class)).then(|| format!("class `{}` may hold for fewer messages", now.name))
}

fn lexicons(old: &Policy, new: &Policy) -> Vec<String> {
    let lost = |lexicon: &super::LexiconDef| {
        let Some(now) = new.lexicons.iter().find(|other| other.name == lexicon.name) else {
            return Some(format!("lexicon `{}` is gone", lexicon.name));
        };
        let terms: BTreeSet<&str> = now.terms.iter().map(|(term, _)| term.as_str()).collect();
        let count = lexicon.terms.iter().filter(|(term, _)| !terms.contains(term.as_str())).count();
        (count > 0).then(|| format!("lexicon `{}` has lost {count} terms", lexicon.name))
    };
    old.lexicons.iter().filter_map(lost).collect()
}

/// What an exception looks for in a message and is found more often: then the exception holds more often.
fn widened_by_content(old: &Policy, new: &Policy) -> Vec<String> {
    let reads = |exception: &&Exception| exception.when.has_content_condition();
    let Some(exception) = new.exceptions.iter().find(reads).map(|exception| &exception.name) else { return Vec::new() };
    let classes = new.classes.iter().filter(|now| {
        let before = old.classes.iter().find(|before| before.name == now.name);
        before.is_none_or(|before| !before.holds_whenever(now))
    });
    let more =
        |what: &str, name: &str| format!("{what} `{name}` may find more, and exception `{exception}` looks at content");
    let mut found: Vec<String> = classes.map(|class| more("class", &class.name)).collect();
    found.extend(new.lexicons.iter().filter_map(|now| {
        let before = old.lexicons.iter().find(|before| before.name == now.name);
        let had = |term: &String| before.is_some_and(|before| before.terms.iter().any(|(known, _)| known == term));
        (!now.terms.iter().all(|(term, _)| had(term))).then(|| more("lexicon", &now.name.to_string()))
    }));
    found
}

/// An exception that is new, or goes further than it did.
fn widened(exception: &Exception, old: &Policy, new: &Policy) -> Option<String> {
    let (name, at, until) = (&exception.name, &exception.at, exception.until.value);
    let rules: Vec<&str> = exception.rules.iter().map(|rule| rule.value.as_str()).collect();
    let to = match exception.lowering {
        Lowering::To(level) => format!("ask no more than {level}"),
        Lowering::Lift => "do not match".to_owned(),
    };
    let Some(before) = old.exceptions.iter().find(|other| other.name == *name) else {
        return Some(format!("exception `{name}` ({at}) is new: until {until} its rules {to} ({})", rules.join(", ")));
    };
    let goes_as_far = match (before.lowering, exception.lowering) {
        (Lowering::Lift, _) => true,
        (Lowering::To(before), Lowering::To(now)) => before <= now,
        (Lowering::To(_), Lowering::Lift) => false,
    };
    let when = translated(&exception.when, &new.groups, &old.groups);
    let held_before = when.is_some_and(|when| implied::excepted_whenever(&[&when], &before.when, &old.groups));
    let same_rules = rules.iter().all(|rule| before.is_for(rule));
    if goes_as_far && held_before && same_rules && until <= before.until.value {
        return None;
    }
    Some(format!("exception `{name}` ({at}) goes further than before: until {until} its rules {to}"))
}

/// What belongs to groups that rules and exceptions name, and how their hosts prove themselves.
fn groups(old: &Policy, new: &Policy, at: Wall) -> Vec<String> {
    let named: Vec<(&str, usize, usize)> = new
        .groups
        .all
        .iter()
        .enumerate()
        .filter_map(|(now, group)| {
            let before = old.groups.all.iter().position(|other| other.name == group.name)?;
            Some((group.name.as_str(), before, now))
        })
        .collect();
    let mut changed: BTreeMap<(&str, Change), BTreeSet<String>> = BTreeMap::new();
    let (mut proofs, mut first_proofs) = (BTreeSet::new(), BTreeSet::new());
    for witness in witnesses(&old.groups).union(&witnesses(&new.groups)) {
        // Membership changes only where one lapses.
        let ends = old.groups.ends(witness).into_iter().chain(new.groups.ends(witness));
        for time in ends.filter(|end| *end > at).chain([at]).collect::<BTreeSet<Wall>>() {
            let (before, after) = (old.groups.of(witness, time), new.groups.of(witness, time));
            for (name, was, is) in &named {
                if before.has(*was) && !after.has(*is) {
                    changed.entry((name, Change::Lost)).or_default().insert(witness.to_string());
                } else if !before.is_current(*was) && after.is_current(*is) {
                    changed.entry((name, Change::Gained)).or_default().insert(witness.to_string());
                }
            }
        }
        let sources = old.groups.proof_sources(witness);
        let now = new.groups.proof_sources(witness);
        if sources.is_empty() {
            first_proofs.extend(now.iter().map(|source| source.origin.clone()));
        }
        proofs.extend(sources.into_iter().filter(|source| !now.contains(source)).map(|source| source.origin));
    }
    let sentences = changed.iter().filter(|((name, change), _)| matters(name, *change, old, new));
    let mut found: Vec<String> = sentences.map(|((name, change), who)| sentence(name, *change, who)).collect();
    found.extend(
        first_proofs
            .into_iter()
            .map(|origin| format!("{origin}: hosts can prove themselves now that could not before")),
    );
    found.extend(
        proofs.into_iter().map(|origin| format!("{origin}: how its hosts prove themselves is changed or gone")),
    );
    found
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Gained,
    Lost,
}

fn sentence(name: &str, change: Change, who: &BTreeSet<String>) -> String {
    let mut shown = who.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if who.len() > SHOWN {
        shown.push_str(", …");
    }
    let what = match change {
        Change::Gained => "has gained",
        Change::Lost => "has lost",
    };
    format!("group `{name}` {what} {}: {shown}", who.len())
}

/// Whether somebody is asked less because of it: by a rule that leaves the group out, or one that is for it.
fn matters(name: &str, change: Change, old: &Policy, new: &Policy) -> bool {
    let names = |list: &[Who], groups: &Groups| {
        list.iter().any(|who| matches!(who, Who::Group(n) if groups.all.get(*n).is_some_and(|g| g.name == name)))
    };
    let mut rules = old.rules.iter().filter(|rule| rule.is_enforced()).map(|rule| &rule.when);
    let in_rules = match change {
        Change::Gained => rules.any(|when| names(&when.not_to, &old.groups) || names(&when.not_from, &old.groups)),
        Change::Lost => rules.any(|when| names(&when.to, &old.groups) || names(&when.from, &old.groups)),
    };
    let mut exceptions = new.exceptions.iter().map(|exception| &exception.when);
    let in_exceptions = match change {
        Change::Gained => exceptions.any(|when| names(&when.to, &new.groups) || names(&when.from, &new.groups)),
        Change::Lost => exceptions.any(|when| names(&when.not_to, &new.groups) || names(&when.not_from, &new.groups)),
    };
    in_rules || in_exceptions
}

/// A domain for every pattern that any group has.
fn witnesses(groups: &Groups) -> BTreeSet<Domain> {
    let listed = groups.all.iter().flat_map(|group| {
        let members = group.members.iter().map(|member| &member.pattern.value);
        members.chain(&group.except)
    });
    listed.filter_map(super::domains::Pattern::witness).collect()
}
