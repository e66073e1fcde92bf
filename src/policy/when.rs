//! Conditions of a rule: its `when` table.
//!
//! Compiled once, asked by `judge` for every candidate rule. Promises: all keys given must hold; a list holds if one
//! element does, a `not-` list if no element does; matching is linear in what a stranger sent. Fails at load only.

use super::class::finding_kind;
use super::compile::Names;
use super::diagnostic::{Complaints, Mistake, Sited};
use super::domains::Pattern;
use super::facts::MessageFacts;
use super::group::{self, Membership};
use super::typed::{Keys, Parsed, Table, is_name};
use crate::mail::{AttachmentType, Domain, Mailbox};
use crate::vocabulary::FindingKind;
use regex::Regex;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "to",
        "not-to",
        "from",
        "not-from",
        "site",
        "content",
        "finding",
        "subject-tag",
        "size-over",
        "recipients-over",
        "visible-recipients-over",
        "auto-submitted",
        "header",
        "null-sender",
        "forwarded",
        "attachment-type",
        "requiretls",
    ],
    later: &[],
};

/// One element of `to` or `from`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Group(usize),
    Domain(Pattern),
    /// The mailbox's key, and its domain.
    Address(String, Pattern),
}

/// A mailbox with the groups that its domain is in.
pub(super) struct Party<'a> {
    pub mailbox: &'a Mailbox,
    pub groups: Membership,
}

/// What a membership that has lapsed counts for. In a rule the domain is in the group for `to` and out of it for `not-to`, so
/// that time only adds what must hold; in an exception the other way round, so that time never lowers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lapsed {
    Adds,
    NeverLowers,
}

impl Who {
    /// `current`: whoever has lapsed does not count.
    fn holds(&self, party: &Party<'_>, current: bool) -> bool {
        match self {
            Who::Group(group) if current => party.groups.is_current(*group),
            Who::Group(group) => party.groups.has(*group),
            Who::Domain(pattern) => pattern.holds(party.mailbox.domain()),
            Who::Address(key, domain) => domain.holds(party.mailbox.domain()) && *key == party.mailbox.key(),
        }
    }

    /// The one mailbox that is meant.
    pub fn mailbox(&self) -> Option<Mailbox> {
        let Who::Address(key, _) = self else { return None };
        let (local, domain) = key.rsplit_once('@')?;
        let domain: Domain = domain.parse().ok()?;
        let quoted = || format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\""));
        Mailbox::new(local, domain.clone()).or_else(|_| Mailbox::new(&quoted(), domain)).ok()
    }

    fn parse(text: &str, names: &Names<'_>) -> Parsed<Who> {
        if let Some(name) = text.strip_prefix('@') {
            return names.groups.get(name).map(|n| Who::Group(*n)).ok_or_else(|| group::unknown(name, &names.groups));
        }
        // An address may really begin with a star, and nobody who writes this means it.
        if let Some((local, domain)) = text.rsplit_once('@').filter(|(local, _)| local.contains('*')) {
            let mistake = Mistake::new(
                "wrong-address",
                format!("`{local}` stands for no set of mailboxes: it would never match"),
            );
            return Err(mistake.hint(format!("for every mailbox of the domain write `{domain}`")));
        }
        if text.contains('@') {
            let mailbox: Mailbox = text.parse().map_err(|why| {
                Mistake::new("wrong-address", format!("`{text}` is not an address: {why}"))
                    .hint("write user@example.org")
            })?;
            return Ok(Who::Address(mailbox.key(), Pattern::Exact(mailbox.domain().clone())));
        }
        if names.groups.contains_key(text) {
            return Err(missing_at(text));
        }
        Pattern::parse(text).map(Who::Domain)
    }
}

fn missing_at(name: &str) -> Mistake {
    Mistake::new("wrong-domain", format!("`{name}` is a group, and stands here as a domain"))
        .hint(format!("for the group write `@{name}`"))
}

/// A field that must be there with a text that one of the globs matches.
#[derive(Debug, Clone)]
pub(super) struct FieldGlob {
    pub name: String,
    pub globs: Vec<Regex>,
}

/// What an attachment may say that it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KindOfFile {
    /// `application/pdf`
    Media(String),
    /// `image/*`: up to the star.
    MediaBelow(String),
    /// `docx`
    Ending(String),
}

impl KindOfFile {
    pub fn is(&self, attachment: &AttachmentType) -> bool {
        match self {
            KindOfFile::Media(media) => attachment.media == *media,
            KindOfFile::MediaBelow(below) => attachment.media.starts_with(below),
            KindOfFile::Ending(ending) => attachment.ending == *ending,
        }
    }
}

/// The conditions of one rule. What is empty or None was not given.
#[derive(Debug, Clone, Default)]
pub(super) struct When {
    pub to: Vec<Who>,
    pub not_to: Vec<Who>,
    pub from: Vec<Who>,
    pub not_from: Vec<Who>,
    pub site: Vec<String>,
    /// Names of classes.
    pub content: Vec<String>,
    pub finding: Vec<FindingKind>,
    pub subject_tag: Vec<Regex>,
    pub size_over: Option<u64>,
    pub recipients_over: Option<usize>,
    pub visible_recipients_over: Option<usize>,
    pub auto_submitted: Option<bool>,
    pub null_sender: Option<bool>,
    pub header: Vec<FieldGlob>,
    pub forwarded: Option<bool>,
    pub attachment_type: Vec<KindOfFile>,
    pub requiretls: Option<bool>,
}

fn one_of(who: &[Who], party: &Party<'_>, current: bool) -> bool {
    who.iter().any(|who| who.holds(party, current))
}

impl When {
    pub fn holds(&self, message: &MessageFacts<'_>, to: &Party<'_>, from: &[Party<'_>], lapsed: Lapsed) -> bool {
        let given = |who: &[Who], party: &Party<'_>| one_of(who, party, lapsed == Lapsed::NeverLowers);
        let left_out = |who: &[Who], party: &Party<'_>| one_of(who, party, lapsed == Lapsed::Adds);
        (self.to.is_empty() || given(&self.to, to))
            && !left_out(&self.not_to, to)
            && (self.from.is_empty() || self.is_from(from, lapsed, given))
            && !from.iter().any(|party| left_out(&self.not_from, party))
            && (self.site.is_empty() || self.site.iter().any(|site| message.sites.has(site)))
            && self.envelope_holds(message)
            && self.content_holds(message)
            && self.conditions(lapsed).all(|condition| condition.holds(message.said))
    }

    /// Whoever sends is what anybody may write in a field: for a rule one name is enough, for an exception all must be meant.
    fn is_from(&self, from: &[Party<'_>], lapsed: Lapsed, given: impl Fn(&[Who], &Party<'_>) -> bool) -> bool {
        match lapsed {
            Lapsed::Adds => from.iter().any(|party| given(&self.from, party)),
            Lapsed::NeverLowers => !from.is_empty() && from.iter().all(|party| given(&self.from, party)),
        }
    }

    /// Of an exception that looks at the recipient's domain only: whether it holds.
    pub fn holds_for(&self, to: &Party<'_>) -> bool {
        (self.to.is_empty() || one_of(&self.to, to, true)) && !one_of(&self.not_to, to, false)
    }

    /// Of an exception: whether it may hold, by what is known whatever the message says.
    pub fn may_hold_yet(&self, message: &MessageFacts<'_>, to: &Party<'_>) -> bool {
        self.holds_for(to)
            && (self.site.is_empty() || self.site.iter().any(|site| message.sites.has(site)))
            && self.envelope_alone_holds(message)
    }

    /// What the envelope says that stays with a message as long as it waits.
    fn envelope_alone_holds(&self, message: &MessageFacts<'_>) -> bool {
        self.null_sender.is_none_or(|wanted| wanted == message.reverse_path.is_null())
            && self.requiretls.is_none_or(|wanted| wanted == message.requiretls)
    }

    fn envelope_holds(&self, message: &MessageFacts<'_>) -> bool {
        self.envelope_alone_holds(message) && self.recipients_over.is_none_or(|limit| message.recipients > limit)
    }

    fn content_holds(&self, message: &MessageFacts<'_>) -> bool {
        (self.content.is_empty() || self.content.iter().any(|class| message.classes.contains_key(class)))
            && (self.finding.is_empty() || message.evidence.iter().any(|(kind, _)| self.finding.contains(kind)))
            && self.size_over.is_none_or(|limit| message.size > limit)
            && self.visible_recipients_over.is_none_or(|limit| message.visible_recipients > limit)
            && self.auto_submitted.is_none_or(|wanted| wanted == message.auto_submitted)
            && self.forwarded.is_none_or(|wanted| wanted == message.forwarded)
    }

    /// Whether the rule can only be judged when the message has been read. `from` can hold by the reverse-path alone.
    pub fn needs_content(&self) -> bool {
        self.has_content_condition() || self.looks_at_message()
    }

    /// Whether what is kept with a message that waits is enough to judge by: its classes are.
    pub fn is_known_in_queue(&self) -> bool {
        self.finding.is_empty() && !self.looks_at_message()
    }

    /// Whether a condition is about the message itself, beside what was recognised in it.
    fn looks_at_message(&self) -> bool {
        !self.not_from.is_empty()
            || !self.subject_tag.is_empty()
            || self.size_over.is_some()
            || self.recipients_over.is_some()
            || self.visible_recipients_over.is_some()
            || self.auto_submitted.is_some()
            || !self.header.is_empty()
            || self.forwarded.is_some()
            || !self.attachment_type.is_empty()
    }

    pub fn has_content_condition(&self) -> bool {
        !self.content.is_empty() || !self.finding.is_empty()
    }

    pub fn asks_for_sender(&self) -> bool {
        !self.from.is_empty() || !self.not_from.is_empty()
    }
}

/// The conditions in `table`, with complaints about what is no condition.
pub(super) fn compile(c: &mut Complaints<'_>, rule: Table<'_>, names: &Names<'_>) -> When {
    let Some(table) = rule.below(c, "when") else { return When::default() };
    table.check_keys(c, "`when`", KEYS);
    let who = |c: &mut Complaints<'_>, key: &str| plain(table.many(c, key, |text| Who::parse(text, names)));
    let (to, not_to, from, not_from) = (who(c, "to"), who(c, "not-to"), who(c, "from"), who(c, "not-from"));
    When {
        to,
        not_to,
        from,
        not_from,
        site: plain(table.many(c, "site", |text| site(text, names))),
        content: plain(table.many(c, "content", |text| class(text, names))),
        finding: plain(table.many(c, "finding", |text| finding_kind(text, names))),
        subject_tag: plain(table.many(c, "subject-tag", tag)),
        size_over: table.size(c, "size-over").map(|s| s.value),
        recipients_over: table.count(c, "recipients-over").map(|s| s.value),
        visible_recipients_over: table.count(c, "visible-recipients-over").map(|s| s.value),
        auto_submitted: table.boolean(c, "auto-submitted").map(|s| s.value),
        null_sender: table.boolean(c, "null-sender").map(|s| s.value),
        header: header(c, table),
        forwarded: table.boolean(c, "forwarded").map(|s| s.value),
        attachment_type: plain(table.many(c, "attachment-type", kind_of_file)),
        requiretls: table.boolean(c, "requiretls").map(|s| s.value),
    }
}

fn plain<T>(items: Option<Vec<Sited<T>>>) -> Vec<T> {
    items.into_iter().flatten().map(|s| s.value).collect()
}

fn site(text: &str, names: &Names<'_>) -> Parsed<String> {
    let known = match &names.known.sites {
        Some(sites) => sites.iter().any(|s| s == text),
        None => is_name(text),
    };
    if known {
        return Ok(text.to_owned());
    }
    let sites = names.known.sites.iter().flatten().map(String::as_str);
    Err(Mistake::unknown("unknown-site", format!("no site is called `{text}`"), text, sites))
}

fn class(text: &str, names: &Names<'_>) -> Parsed<String> {
    if names.classes.contains(text) {
        return Ok(text.to_owned());
    }
    Err(Mistake::unknown("unknown-class", format!("no class is called `{text}`"), text, names.classes.iter().copied()))
}

fn header(c: &mut Complaints<'_>, when: Table<'_>) -> Vec<FieldGlob> {
    let Some(table) = when.below(c, "header") else { return Vec::new() };
    let mut fields = Vec::new();
    for name in table.inner.keys() {
        let name: &str = name.get_ref();
        if !name.bytes().all(|b| (33..=126).contains(&b) && b != b':') || name.is_empty() {
            c.error(table.key_place(name), Mistake::new("wrong-field", format!("`{name}` is not the name of a field")));
        }
        fields.push(FieldGlob { name: name.to_owned(), globs: plain(table.many(c, name, glob)) });
    }
    fields
}

/// A media type, all of one kind, or the ending of a file's name.
fn kind_of_file(text: &str) -> Parsed<KindOfFile> {
    let written = text.trim().to_lowercase();
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && !b"/*?.,;\"".contains(&b));
    let is_media =
        |media: &str| media.split_once('/').is_some_and(|(kind, sub)| is_word(kind) && sub.split('.').all(is_word));
    if let Some(kind) = written.strip_suffix("/*").filter(|kind| is_word(kind)) {
        return Ok(KindOfFile::MediaBelow(format!("{kind}/")));
    }
    if is_media(&written) {
        return Ok(KindOfFile::Media(written));
    }
    let ending = written.strip_prefix("*.").or_else(|| written.strip_prefix('.')).unwrap_or(&written);
    if is_word(ending) {
        return Ok(KindOfFile::Ending(ending.to_owned()));
    }
    let mistake = Mistake::new("wrong-value", format!("`{text}` is neither a media type nor the ending of a name"));
    Err(mistake.hint("write \"application/pdf\", \"image/*\" or \"docx\""))
}

/// `*` is any text, `?` one character; the whole field, in any case.
fn glob(text: &str) -> Parsed<Regex> {
    let mut pattern = String::from("(?is)^");
    for ch in text.chars() {
        match ch {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push('$');
    Regex::new(&pattern).map_err(|_| Mistake::new("wrong-value", "the glob is too long"))
}

/// A tag of the subject in any case, with blanks inside brackets tolerated. A word is matched as a word.
fn tag(text: &str) -> Parsed<Regex> {
    let words: Vec<String> = text.split_whitespace().map(regex::escape).collect();
    if words.is_empty() {
        return Err(Mistake::new("wrong-value", "a tag of the subject is a text such as \"[secure]\""));
    }
    let body = words.join(r"\s+").replace(r"\[", r"\[\s*").replace(r"\]", r"\s*\]");
    let edge = |ch: Option<char>| if ch.is_some_and(char::is_alphanumeric) { r"\b" } else { "" };
    let (first, last) = (edge(text.trim().chars().next()), edge(text.trim().chars().last()));
    Regex::new(&format!("(?i){first}{body}{last}")).map_err(|_| Mistake::new("wrong-value", "the tag is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_in_any_case_with_blanks_and_as_words() {
        let holds = |t: &str, subject: &str| tag(t).unwrap().is_match(subject);
        assert!(holds("[secure]", "Results [ SECURE ] for you") && holds("secure", "Secure: results"));
        assert!(!holds("secure", "insecure") && !holds("[secure]", "secure"));
        assert!(holds("OFFICIAL SENSITIVE", "official   sensitive - letter"));
    }

    #[test]
    fn globs_cover_the_whole_field_in_any_case() {
        let holds = |g: &str, text: &str| glob(g).unwrap().is_match(text);
        assert!(holds("clin*", "Clinical letter") && holds("a?c", "ABC") && holds("*", ""));
        assert!(!holds("clin", "clinical") && !holds("a.c", "abc"));
    }
}
