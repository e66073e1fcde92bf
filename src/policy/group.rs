//! Groups of domains: `[group.NAME]`, nested, with exceptions, and how their hosts prove themselves.
//!
//! Called by the compiler; asked by `judge` for every recipient. Promises: membership is exact, by label; time and the
//! order of files change nothing. Fails at load: unknown and circular groups, empty ones, domains that are none.

use super::compile::Entry;
use super::diagnostic::{Complaints, Mistake, Place, Sited};
use super::domains::{DomainIndex, Pattern};
use super::requirement::{ProofCheck, ProofSource};
use super::typed::{Keys, Parsed};
use crate::mail::Domain;
use base64::Engine;
use jiff::civil::Date;
use std::collections::BTreeMap;

const KEYS: Keys = Keys {
    known: &["description", "domains", "groups", "except", "mx", "pins", "owner", "review", "pickup"],
    later: &["list", "lapse-grace"],
};

#[derive(Debug)]
pub(super) struct Group {
    pub name: String,
    pub place: Place,
    pub domains: Vec<Sited<Pattern>>,
    pub groups: Vec<usize>,
    pub except: Vec<Pattern>,
    pub mx: Vec<String>,
    pub pins: Vec<String>,
    pub review: Option<Sited<Date>>,
    pub pickup: bool,
}

/// All groups of a policy.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    /// Nested groups before those that hold them.
    order: Vec<usize>,
    own: DomainIndex,
    except: DomainIndex,
}

/// Which groups a domain is in.
#[derive(Debug, Clone, Default)]
pub(super) struct Membership(Vec<u64>);

impl Membership {
    fn empty(groups: usize) -> Membership {
        Membership(vec![0; groups.div_ceil(64)])
    }

    fn insert(&mut self, group: usize) {
        if let Some(word) = self.0.get_mut(group / 64) {
            *word |= 1 << (group % 64);
        }
    }

    fn remove(&mut self, group: usize) {
        if let Some(word) = self.0.get_mut(group / 64) {
            *word &= !(1 << (group % 64));
        }
    }

    pub fn has(&self, group: usize) -> bool {
        self.0.get(group / 64).is_some_and(|word| word & (1 << (group % 64)) != 0)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.len() * 64).filter(|group| self.has(*group))
    }
}

impl Groups {
    /// Groups from their tables; `names` maps every group's name to its number.
    pub fn compile(c: &mut Complaints<'_>, entries: &[Entry<'_>], names: &BTreeMap<&str, usize>) -> Groups {
        let mut groups = Groups { all: entries.iter().map(|e| group(c, e, names)).collect(), ..Groups::default() };
        groups.sort(c);
        for (number, group) in groups.all.iter().enumerate() {
            group.domains.iter().for_each(|p| groups.own.add(&p.value, number));
            group.except.iter().for_each(|p| groups.except.add(p, number));
        }
        groups
    }

    /// Every group that `domain` is in.
    pub fn of(&self, domain: &Domain) -> Membership {
        let mut members = Membership::empty(self.all.len());
        self.own.each(domain, |group| members.insert(group));
        let mut excepted = Membership::empty(self.all.len());
        self.except.each(domain, |group| excepted.insert(group));
        for &number in &self.order {
            if excepted.has(number) {
                members.remove(number);
            } else if self.all[number].groups.iter().any(|nested| members.has(*nested)) {
                members.insert(number);
            }
        }
        members
    }

    /// Every group that itself lists the domain and says how its hosts prove themselves.
    pub fn proof_sources(&self, domain: &Domain) -> Vec<ProofSource> {
        let mut lists = Vec::new();
        self.own.each(domain, |group| lists.push(group));
        lists.sort_unstable();
        lists.dedup();
        let counts = |group: &&Group| !group.except.iter().any(|pattern| pattern.holds(domain));
        lists.iter().filter_map(|group| self.all.get(*group)).filter(counts).filter_map(Group::proof).collect()
    }

    /// Whether nobody at this domain would open a portal.
    pub fn machines(&self, members: &Membership) -> bool {
        members.iter().any(|group| self.all.get(group).is_some_and(|g| !g.pickup))
    }

    /// The group and all groups below it.
    pub fn with_nested(&self, number: usize) -> Vec<usize> {
        let mut found = vec![number];
        let mut next = 0;
        while let Some(&group) = found.get(next) {
            for nested in &self.all[group].groups {
                if !found.contains(nested) {
                    found.push(*nested);
                }
            }
            next += 1;
        }
        found
    }

    /// Nested groups first; a circle is an error.
    fn sort(&mut self, c: &mut Complaints<'_>) {
        let mut placed = vec![false; self.all.len()];
        while self.order.len() < self.all.len() {
            let ready = |n: &usize| !placed[*n] && self.all[*n].groups.iter().all(|nested| placed[*nested]);
            let found: Vec<usize> = (0..self.all.len()).filter(ready).collect();
            if found.is_empty() {
                break;
            }
            found.iter().for_each(|n| placed[*n] = true);
            self.order.extend(found);
        }
        for (group, _) in self.all.iter().zip(&placed).filter(|(_, placed)| !**placed) {
            let message = format!("group `{}` is in a circle of groups", group.name);
            c.error(
                group.place,
                Mistake::new("circular-groups", message).hint("take one of the circle out of `groups`"),
            );
        }
    }
}

impl Group {
    /// Pins replace MX names inside one group: they hold whatever name or date.
    fn proof(&self) -> Option<ProofSource> {
        let check = if !self.pins.is_empty() {
            ProofCheck::Pins(self.pins.clone())
        } else if !self.mx.is_empty() {
            ProofCheck::Mx(self.mx.clone())
        } else {
            return None;
        };
        Some(ProofSource { origin: format!("group {}", self.name), check })
    }
}

fn group(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &BTreeMap<&str, usize>) -> Group {
    let table = entry.table;
    table.check_keys(c, &format!("group `{}`", entry.name), KEYS);
    table.text(c, "description");
    table.text(c, "owner");
    let values = |items: Option<Vec<Sited<String>>>| items.into_iter().flatten().map(|s| s.value).collect();
    let made = Group {
        name: entry.name.to_owned(),
        place: table.place,
        domains: table.many(c, "domains", Pattern::parse).unwrap_or_default(),
        groups: nested(c, entry, names),
        except: table.many_or_none(c, "except", Pattern::parse).into_iter().flatten().map(|s| s.value).collect(),
        mx: values(table.many_or_none(c, "mx", host)),
        pins: values(table.many_or_none(c, "pins", pin)),
        review: table.date(c, "review"),
        pickup: table.boolean(c, "pickup").is_none_or(|s| s.value),
    };
    check(c, entry, &made);
    made
}

fn check(c: &mut Complaints<'_>, entry: &Entry<'_>, group: &Group) {
    let table = entry.table;
    if !table.has("domains") && !table.has("groups") && !table.has_unknown(KEYS) {
        let mistake = Mistake::new("empty-group", format!("group `{}` has nobody in it", entry.name));
        c.error(table.place, mistake.hint("give it `domains` or `groups`"));
    }
    if group.domains.is_empty() && !table.has("domains") && (!group.mx.is_empty() || !group.pins.is_empty()) {
        let key = if group.pins.is_empty() { "mx" } else { "pins" };
        let message = format!("`{key}` proves nothing here: group `{}` lists no domain itself", entry.name);
        let hint = "a proof holds for the domains that the same group lists; put it beside them";
        c.warn(table.key_place(key), Mistake::new("proof-without-domains", message).hint(hint));
    }
}

fn nested(c: &mut Complaints<'_>, entry: &Entry<'_>, names: &BTreeMap<&str, usize>) -> Vec<usize> {
    let parse = |text: &str| {
        let name = text.strip_prefix('@').unwrap_or(text);
        names.get(name).copied().ok_or_else(|| unknown(name, names))
    };
    entry.table.many(c, "groups", parse).into_iter().flatten().map(|s| s.value).collect()
}

pub(super) fn unknown(name: &str, names: &BTreeMap<&str, usize>) -> Mistake {
    Mistake::unknown("unknown-group", format!("no group is called `{name}`"), name, names.keys().copied())
}

/// `mail.example.org`, or `*.example.org` for exactly one label more.
fn host(text: &str) -> Parsed<String> {
    match Pattern::parse(text) {
        Ok(pattern @ Pattern::Below(_)) => Ok(pattern.to_string()),
        Ok(Pattern::Exact(domain)) if domain.literal().is_none() => Ok(domain.to_string()),
        _ => Err(Mistake::new("wrong-host", format!("`{text}` is not a host name"))
            .hint("write mx1.example.org, or *.example.org where * is exactly the left-most label")),
    }
}

/// `sha256/BASE64` of the SPKI.
fn pin(text: &str) -> Parsed<String> {
    let digest =
        text.strip_prefix("sha256/").and_then(|b64| base64::engine::general_purpose::STANDARD.decode(b64).ok());
    match digest {
        Some(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => Err(Mistake::new("wrong-pin", format!("`{text}` is not a pin"))
            .hint("a pin is sha256/ and the base64 of the SHA-256 of the public key (SPKI), 44 characters")),
    }
}
