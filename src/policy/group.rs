//! Groups of domains: `[group.NAME]`, nested, listed in files, with what is left out, and how their hosts prove themselves.
//!
//! Called by the compiler; asked by `judge` for every recipient. Promises: membership is exact, by label; the order of
//! files changes nothing, and time makes of a member one that has lapsed, never a stranger. Fails at load: unknown and circular groups, empty ones, domains that are none.

use super::compile::Entry;
use super::diagnostic::{Complaints, Mistake, Place, Sited};
use super::domains::{DomainIndex, Pattern};
use super::list::{self, Member};
use super::requirement::{ProofCheck, ProofSource};
use super::typed::{Keys, Parsed};
use crate::clock::Wall;
use crate::mail::Domain;
use base64::Engine;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "description",
        "domains",
        "list",
        "lapse-grace",
        "groups",
        "except",
        "mx",
        "pins",
        "expired-grace",
        "owner",
        "review",
        "pickup",
    ],
    later: &[],
};

#[derive(Debug)]
pub(super) struct Group {
    pub name: String,
    pub place: Place,
    /// Its own, not those of its groups.
    pub members: Vec<Member>,
    pub groups: Vec<usize>,
    pub except: Vec<Pattern>,
    pub mx: Vec<String>,
    pub pins: Vec<String>,
    /// So long after its end a certificate still counts, where its key is the one that proved the host before.
    pub expired_grace: Option<Duration>,
    pub review: Option<Sited<Date>>,
    pub pickup: bool,
}

/// All groups of a policy.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    /// Nested groups before those that hold them.
    order: Vec<usize>,
    /// Which of `rows` a domain has.
    own: DomainIndex,
    /// Groups and numbers of their members.
    rows: Vec<(u32, u32)>,
    except: DomainIndex,
}

/// A time at which every membership with an end has lapsed.
pub(super) const EVER: Wall = Wall(i64::MAX);

/// Which groups a domain is in, and in which of them it has not lapsed.
#[derive(Debug, Clone, Default)]
pub(super) struct Membership {
    listed: Set,
    current: Set,
}

impl Membership {
    fn empty(groups: usize) -> Membership {
        Membership { listed: Set::empty(groups), current: Set::empty(groups) }
    }

    /// In the group, lapsed or not.
    pub fn has(&self, group: usize) -> bool {
        self.listed.has(group)
    }

    /// In the group and not lapsed.
    pub fn is_current(&self, group: usize) -> bool {
        self.current.has(group)
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.listed.0.len() * 64).filter(|group| self.has(*group))
    }
}

/// Numbers of groups.
#[derive(Debug, Clone, Default)]
struct Set(Vec<u64>);

impl Set {
    fn empty(groups: usize) -> Set {
        Set(vec![0; groups.div_ceil(64)])
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

    fn has(&self, group: usize) -> bool {
        self.0.get(group / 64).is_some_and(|word| word & (1 << (group % 64)) != 0)
    }
}

impl Groups {
    /// Groups from their tables; `names` maps every group's name to its number.
    pub fn compile(c: &mut Complaints<'_>, entries: &[Entry<'_>], names: &BTreeMap<&str, usize>) -> Groups {
        let mut groups = Groups { all: entries.iter().map(|e| group(c, e, names)).collect(), ..Groups::default() };
        groups.sort(c);
        for (number, group) in groups.all.iter().enumerate() {
            for (member, of) in group.members.iter().zip(0u32..) {
                groups.own.add(&member.pattern.value, groups.rows.len());
                groups.rows.push((u32::try_from(number).unwrap_or(u32::MAX), of));
            }
            group.except.iter().for_each(|p| groups.except.add(p, number));
        }
        groups
    }

    /// Every group that `domain` is in at that time.
    pub fn of(&self, domain: &Domain, at: Wall) -> Membership {
        let mut members = Membership::empty(self.all.len());
        self.own.each(domain, |row| {
            let Some((group, member)) = self.row(row) else { return };
            members.listed.insert(group);
            if member.ends.is_none_or(|end| at < end) {
                members.current.insert(group);
            }
        });
        let mut excepted = Set::empty(self.all.len());
        self.except.each(domain, |group| excepted.insert(group));
        for &number in &self.order {
            for set in [&mut members.listed, &mut members.current] {
                if excepted.has(number) {
                    set.remove(number);
                } else if self.all[number].groups.iter().any(|nested| set.has(*nested)) {
                    set.insert(number);
                }
            }
        }
        members
    }

    /// When memberships of a domain lapse.
    pub fn ends(&self, domain: &Domain) -> Vec<Wall> {
        let mut ends = Vec::new();
        self.own.each(domain, |row| ends.extend(self.row(row).and_then(|(_, member)| member.ends)));
        ends
    }

    fn row(&self, row: usize) -> Option<(usize, &Member)> {
        let (group, member) = *self.rows.get(row)?;
        Some((group as usize, self.all.get(group as usize)?.members.get(member as usize)?))
    }

    /// Every group that itself lists the domain and says how its hosts prove themselves. That a membership has lapsed takes
    /// no proof away: with fewer sources less would have to hold.
    pub fn proof_sources(&self, domain: &Domain) -> Vec<ProofSource> {
        let mut rows = Vec::new();
        self.own.each(domain, |row| rows.push(row));
        rows.sort_unstable();
        let mut sources = Vec::new();
        for (number, member) in rows.iter().filter_map(|row| self.row(*row)) {
            let Some(group) = self.all.get(number) else { continue };
            let source = group.proof(member).filter(|_| !group.except.iter().any(|pattern| pattern.holds(domain)));
            // Several rows of one group may hold for it.
            sources.extend(source.filter(|source| !sources.contains(source)));
        }
        sources
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
    /// What the row says replaces what the group says; pins replace MX names: they hold whatever name or date.
    fn proof(&self, member: &Member) -> Option<ProofSource> {
        let check = match &member.proof {
            Some(own) => (**own).clone(),
            None if !self.pins.is_empty() => ProofCheck::Pins(self.pins.clone()),
            None if !self.mx.is_empty() => ProofCheck::Mx(self.mx.clone()),
            None => return None,
        };
        Some(ProofSource { origin: format!("group {}", self.name), check, expired_grace: self.expired_grace })
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
        members: members(c, entry),
        groups: nested(c, entry, names),
        except: table.many_or_none(c, "except", Pattern::parse).into_iter().flatten().map(|s| s.value).collect(),
        mx: values(table.many_or_none(c, "mx", host)),
        pins: values(table.many_or_none(c, "pins", pin)),
        expired_grace: table.duration(c, "expired-grace").map(|grace| grace.value),
        review: table.date(c, "review"),
        pickup: table.boolean(c, "pickup").is_none_or(|s| s.value),
    };
    check(c, entry, &made);
    made
}

/// Those that are written in the group itself, and those of its lists.
fn members(c: &mut Complaints<'_>, entry: &Entry<'_>) -> Vec<Member> {
    let table = entry.table;
    let written = table.many(c, "domains", Pattern::parse).unwrap_or_default();
    let grace = table.duration(c, "lapse-grace");
    if let Some(grace) = grace.as_ref().filter(|_| !table.has("list")) {
        let mistake = Mistake::new("lapse-grace-without-list", "`lapse-grace` is about the dates of a list");
        c.error(grace.place, mistake.hint("give the group a `list`, or take `lapse-grace` out"));
    }
    let grace = grace.map_or(Duration::ZERO, |grace| grace.value);
    let lists = table.many(c, "list", |path| Ok(path.to_owned())).unwrap_or_default();
    let listed: Vec<Member> = lists.iter().flat_map(|path| list::members(c, path, grace)).collect();
    let own = written.into_iter().map(|pattern| Member { pattern, ends: None, proof: None });
    own.chain(listed).collect()
}

fn check(c: &mut Complaints<'_>, entry: &Entry<'_>, group: &Group) {
    let table = entry.table;
    let names_nobody = ["domains", "list", "groups"].iter().all(|key| !table.has(key));
    if names_nobody && !table.has_unknown(KEYS) {
        let mistake = Mistake::new("empty-group", format!("group `{}` has nobody in it", entry.name));
        c.error(table.place, mistake.hint("give it `domains`, `list` or `groups`"));
    }
    let lists_none = !table.has("domains") && !table.has("list");
    if lists_none && (!group.mx.is_empty() || !group.pins.is_empty()) {
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
pub(super) fn host(text: &str) -> Parsed<String> {
    match Pattern::parse(text) {
        Ok(pattern @ Pattern::Below(_)) => Ok(pattern.to_string()),
        Ok(Pattern::Exact(domain)) if domain.literal().is_none() => Ok(domain.to_string()),
        _ => Err(Mistake::new("wrong-host", format!("`{text}` is not a host name"))
            .hint("write mx1.example.org, or *.example.org where * is exactly the left-most label")),
    }
}

/// `sha256/BASE64` of the SPKI.
pub(super) fn pin(text: &str) -> Parsed<String> {
    let digest =
        text.strip_prefix("sha256/").and_then(|b64| base64::engine::general_purpose::STANDARD.decode(b64).ok());
    match digest {
        Some(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => Err(Mistake::new("wrong-pin", format!("`{text}` is not a pin"))
            .hint("a pin is sha256/ and the base64 of the SHA-256 of the public key (SPKI), 44 characters")),
    }
}
