//! Lint: what is allowed and probably not meant.
//!
//! Called by the compiler. Promises: warnings only; nothing here changes a decision.

use super::Known;
use super::diagnostic::{Complaints, Mistake, Place};
use super::domains::Pattern;
use super::exception::{Exception, Lowering};
use super::implied::{self, Counted, within};
use super::judge::Policy;
use super::published::PUBLISHED;
use super::rule::Rule;
use super::when::Who;
use crate::vocabulary::{Direction, Level};
use jiff::civil::{Date, Weekday};

/// Domains of the government's retired secure mail, closed in 2019.
const RETIRED: [&str; 4] = ["gsi.gov.uk", "gsx.gov.uk", "gse.gov.uk", "gcsx.gov.uk"];

/// NHSmail's relay for applications: TLS only if the other side likes, and no patient information.
const NHS_RELAY: &str = "relay.nhs.uk";

/// A warning that begins after a day.
pub(super) struct Dated {
    pub after: Date,
    pub place: Place,
    pub mistake: Mistake,
}

pub(super) fn warn(c: &mut Complaints<'_>, policy: &Policy, known: &Known) {
    domains(c, policy);
    for class in policy.classes.iter().filter(|class| !class.reachable()) {
        let message = format!("no message can ever be in class `{}`", class.name);
        c.warn(
            class.place,
            Mistake::new("never-matches", message).hint("its weights together stay below its threshold"),
        );
    }
    for rule in &policy.rules {
        never(c, rule, policy);
        trusted_claim(c, rule);
        shadowed(c, rule, policy);
        beyond_smarthost(c, rule, known);
    }
    policy.exceptions.iter().for_each(|exception| excepting(c, exception, policy));
    no_shared_rung(c, policy);
    surroundings(c, known);
}

/// What gateway.toml says and no rule can mend.
fn surroundings(c: &mut Complaints<'_>, known: &Known) {
    for site in &known.open_sites {
        let message = format!("the legs between site `{site}` and this gateway may be in clear text");
        let hint = format!("rules hold beyond this gateway only: set require = \"encrypted\" in [site.{site}]");
        c.warn_overall(Mistake::new("site-leg-in-clear", message).hint(hint));
    }
    for relay in known.relays.iter().filter(|r| !r.carries.is_empty() && r.hosts.iter().any(|h| is_nhs_relay(h))) {
        let message = format!("relay `{}` is {NHS_RELAY}, and carries {}", relay.name, relay.carries.join(", "));
        let hint = "it is for mail without patient information, and takes clear text: take `carries` out";
        c.warn_overall(Mistake::new("relay-not-for-class", message).hint(hint));
    }
}

fn is_nhs_relay(host: &str) -> bool {
    host.trim_end_matches('.').eq_ignore_ascii_case(NHS_RELAY)
}

/// Inbound, a sender is what anybody cares to write.
fn trusted_claim(c: &mut Complaints<'_>, rule: &Rule) {
    if rule.direction == Direction::Inbound && !rule.when.not_from.is_empty() {
        let message = format!("rule `{}` spares mail for the sender that it claims to have", rule.name);
        let hint = "inbound, anybody can write any sender: ask more of some with `from`, never less with `not-from`";
        c.warn(rule.place, Mistake::new("claim-trusted", message).hint(hint));
    }
}

/// A rule that could be taken out and nothing would change.
fn shadowed(c: &mut Complaints<'_>, rule: &Rule, policy: &Policy) {
    let others = wider(rule, policy);
    let by = others.iter().filter(|other| other.is_enforced() && other.name != rule.name).find(|other| {
        let mutual = || implied::by(other, rule, &policy.groups);
        // Of two that say the same, the first by name stays.
        implied::by(rule, other, &policy.groups) && (other.name < rule.name || !mutual())
    });
    if let Some(other) = by.filter(|_| rule.is_enforced()) {
        let message = format!(
            "rule `{}` changes nothing: `{}` ({}) asks as much whenever it matches",
            rule.name, other.name, other.at
        );
        c.warn(rule.place, Mistake::new("shadowed-rule", message).hint("take it out, or let it ask for more"));
    }
}

/// Rules that could match whenever this one does: thousands of rules for a domain each are not compared with one another.
fn wider<'p>(rule: &Rule, policy: &'p Policy) -> Vec<&'p Rule> {
    match rule.when.to.first() {
        Some(Who::Domain(Pattern::Exact(domain)) | Who::Address(_, Pattern::Exact(domain))) => {
            policy.candidates(rule.direction, domain)
        }
        Some(_) => policy.rules.iter().filter(|other| !is_for_names_only(other)).collect(),
        None => policy.rules.iter().filter(|other| other.when.to.is_empty()).collect(),
    }
}

/// Whether it is for single domains and mailboxes.
fn is_for_names_only(rule: &Rule) -> bool {
    let is_name = |who: &Who| matches!(who, Who::Domain(Pattern::Exact(_)) | Who::Address(..));
    !rule.when.to.is_empty() && rule.when.to.iter().all(is_name)
}

/// Reviews and monitored rules, each with the day after which it is overdue.
pub(super) fn dated(policy: &Policy) -> Vec<Dated> {
    let reviews = policy.groups.all.iter().filter_map(|group| {
        let review = group.review.as_ref()?;
        let message = format!("the review of group `{}` was due on {}", group.name, review.value);
        let mistake = Mistake::new("review-due", message).hint("look through its domains, then set the next date");
        Some(Dated { after: review.value, place: review.place, mistake })
    });
    let ends = policy.rules.iter().filter_map(|rule| {
        let until = rule.until.as_ref()?;
        let message = format!("rule `{}` was to be monitored until {}", rule.name, until.value);
        let mistake = Mistake::new("monitored-past-end", message)
            .hint("it still decides nothing: put it in force with mode = \"enforce\", take it out, or set a new end");
        Some(Dated { after: until.value, place: until.place, mistake })
    });
    let exceptions = policy.exceptions.iter().map(|exception| {
        let until = &exception.until;
        let message = format!("exception `{}` ended on {} at 12:00", exception.name, until.value);
        let mistake = Mistake::new("exception-ended", message).hint("take it out, or have it approved anew");
        // It warns from the day after its end.
        Dated { after: until.value, place: until.place, mistake }
    });
    reviews.chain(ends).chain(exceptions).collect()
}

/// Exceptions that let text cross in clear, and those that end while nobody is at work.
fn excepting(c: &mut Complaints<'_>, exception: &Exception, policy: &Policy) {
    let asks = |rule: &&Rule| exception.is_for(&rule.name) && rule.asks.require.is_some_and(|level| level > Level::Any);
    let to_clear = matches!(exception.lowering, Lowering::To(Level::Any) | Lowering::Lift);
    let rule = policy.rules.iter().find(asks).map(|rule| rule.name.as_ref());
    let rule = rule.or(exception.is_for(PUBLISHED).then_some(PUBLISHED));
    if let Some(rule) = rule.filter(|_| to_clear) {
        let message = format!("exception `{}` lets what rule `{rule}` is about cross in clear text", exception.name);
        let hint = "require = \"encrypted\" is enough where only the proof fails";
        c.warn(exception.place, Mistake::new("exception-to-clear", message).hint(hint));
    }
    let until = exception.until.value;
    if matches!(until.weekday(), Weekday::Saturday | Weekday::Sunday) {
        let message = format!(
            "exception `{}` ends on a {:?}: nobody may be there who hears of it",
            exception.name,
            until.weekday()
        );
        let hint = "let it end on a working day, before noon";
        c.warn(exception.until.place, Mistake::new("ends-on-a-day-off", message).hint(hint));
    }
}

fn domains(c: &mut Complaints<'_>, policy: &Policy) {
    for group in &policy.groups.all {
        for domain in group.members.iter().map(|member| &member.pattern) {
            let (Pattern::Exact(name) | Pattern::Below(name)) = &domain.value;
            if RETIRED.iter().any(|retired| name.as_str() == *retired || name.is_below(retired)) {
                let message = format!("`{}` was retired in 2019: nobody answers for it any more", domain.value);
                c.warn(domain.place, Mistake::new("retired-domain", message).hint("take it out of the group"));
            }
            let whole_nhs = matches!(&domain.value, Pattern::Below(parent) if parent.as_str() == "nhs.uk");
            if whole_nhs {
                let mistake = Mistake::new("not-secure-as-a-whole", "`*.nhs.uk` is not secure as a whole");
                let hint = "only organisations accredited to DCB1596 are: list their domains one by one";
                c.warn(domain.place, mistake.hint(hint));
            }
        }
    }
}

fn never(c: &mut Complaints<'_>, rule: &Rule, policy: &Policy) {
    let when = &rule.when;
    let shut = |given: &[Who], not: &[Who]| {
        !given.is_empty()
            && given.iter().all(|who| not.iter().any(|not| within(who, not, &policy.groups, Counted::Lasting)))
    };
    if shut(&when.to, &when.not_to) || shut(&when.from, &when.not_from) {
        let message = format!("rule `{}` can never match: it leaves out all that it names", rule.name);
        c.warn(
            rule.place,
            Mistake::new("never-matches", message).hint("compare `to` with `not-to`, `from` with `not-from`"),
        );
    }
}

fn beyond_smarthost(c: &mut Complaints<'_>, rule: &Rule, known: &Known) {
    let Some(name) = known.smarthost.as_deref().filter(|_| rule.direction == Direction::Outbound) else { return };
    let name = name.strip_prefix("relay:").unwrap_or(name);
    let onward = known.relays.iter().find(|relay| relay.name == name).map_or(Level::Any, |relay| relay.onward);
    let asked = rule.asks.require.filter(|level| *level > onward && *level < Level::Sealed);
    if let Some(level) = asked {
        let message = format!("rule `{}` asks for {level}, and behind relay `{name}` {onward} is promised", rule.name);
        let hint = "its mail will not leave; give the relay an `onward` that its owner has promised, or send by MX";
        c.warn(rule.place, Mistake::new("not-behind-smarthost", message).hint(hint));
    }
}

fn no_shared_rung(c: &mut Complaints<'_>, policy: &Policy) {
    let with_rungs: Vec<&Rule> = policy
        .rules
        .iter()
        .filter(|r| r.is_enforced() && r.asks.upgrade.as_ref().is_some_and(|u| !u.is_empty()))
        .collect();
    for (n, first) in with_rungs.iter().enumerate() {
        for second in &with_rungs[n + 1..] {
            let disjoint =
                first.asks.upgrade.iter().flatten().all(|r| !second.asks.upgrade.iter().flatten().any(|s| r == s));
            if disjoint && first.direction == second.direction && !apart(first, second) {
                let message =
                    format!("rules `{}` and `{}` can match together and share no rung", first.name, second.name);
                let hint = "mail that both match has no way up, and goes by `otherwise`";
                c.warn(second.place, Mistake::new("no-shared-rung", message).hint(hint));
            }
        }
    }
}

/// Whether one rule leaves out all that the other is for.
fn apart(first: &Rule, second: &Rule) -> bool {
    let leaves_out =
        |a: &Rule, b: &Rule| !a.when.to.is_empty() && a.when.to.iter().all(|who| b.when.not_to.contains(who));
    leaves_out(first, second) || leaves_out(second, first)
}
