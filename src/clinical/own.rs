//! What a site recognises for itself: patterns such as its hospital numbers, and lexicons of terms.
//!
//! Compiled when a policy is put into force, asked by `walk` for each piece of text. Promises: linear in the text, whatever
//! the patterns; a site that has none pays nothing; a term is named by its line in the site's own list, so that no word of a
//! letter leaves. Fails never: words that
//! could not be compiled count as found.

use super::digits::{fold_into, is_invisible, spread_into};
use super::nearly::Why;
use super::report::Report;
use super::terms::Terms;
use crate::vocabulary::{Confidence, FindingKind, OwnName};
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Characters between a match and a word that has to stand near it.
const NEAR: usize = 80;
/// Different matches of one kind that are reported of one piece of text.
const MOST: usize = 64;
/// Octets that one compiled expression may take.
const SIZE: usize = 2 * 1024 * 1024;

/// `[pattern.NAME]`, compiled.
#[derive(Debug, Clone)]
pub struct OwnPattern {
    kind: FindingKind,
    /// None: it could not be compiled.
    regex: Option<Regex>,
    /// Any of its words, where one has to be near.
    near: Option<Regex>,
}

/// `[lexicon.NAME]`: its terms as they are looked for, each with its line.
#[derive(Debug, Clone)]
pub struct OwnLexicon {
    kind: FindingKind,
    terms: Vec<(String, usize)>,
}

/// Every lexicon, compiled together: a text is gone through once, however many there are.
#[derive(Debug, Clone)]
struct Lexicons {
    kinds: Vec<FindingKind>,
    /// None: they could not be compiled.
    all: Option<Terms>,
    /// Whose each term is, and where it stands in its list.
    terms: Vec<(FindingKind, usize)>,
}

impl OwnPattern {
    /// `near`: words of which one has to stand within 80 characters; none: nothing has to.
    #[must_use]
    pub fn new(name: OwnName, regex: &str, near: &[String]) -> OwnPattern {
        let regex = RegexBuilder::new(regex).size_limit(SIZE).build().ok();
        // Without its words the pattern finds more, never less.
        let near = if near.is_empty() { None } else { any_of(near).ok() };
        OwnPattern { kind: FindingKind::Pattern(name), regex, near }
    }

    fn scan(&self, text: &str, place: &str, report: &mut Report) {
        let Some(regex) = &self.regex else {
            return report.found(self.kind, place, "pattern not compiled", Confidence::High);
        };
        let mut near = self.near.as_ref().map(|near| near.find_iter(text).peekable());
        let (mut seen, mut last_end, mut alone) = (HashSet::new(), None, 0usize);
        for found in regex.find_iter(text).filter(|found| !found.is_empty()) {
            if let Some(words) = &mut near {
                while let Some(word) = words.next_if(|word| word.start() < found.end()) {
                    last_end = Some(word.end());
                }
                let behind = words.peek().is_some_and(|word| is_near(&text[found.end()..word.start()]));
                let before = last_end.is_some_and(|end| end >= found.start() || is_near(&text[end..found.start()]));
                if !before && !behind {
                    alone += 1;
                    continue;
                }
            }
            seen.insert(masked(found.as_str()));
            if seen.len() == MOST {
                break;
            }
        }
        seen.iter().for_each(|shown| report.found(self.kind, place, shown, Confidence::High));
        if alone > 0 {
            let why = format!("the pattern fits, and none of its words in `near` stands within {NEAR} characters");
            let hint = "add the word that stands beside it to `near`, if there is one";
            report.nearly(self.kind, place, &format!("{alone} times"), Why::new(why, hint));
        }
    }
}

impl OwnLexicon {
    /// Terms, each with the number of its line.
    #[must_use]
    pub fn new(name: OwnName, terms: &[(String, usize)]) -> OwnLexicon {
        let mut known = HashSet::new();
        let each = terms.iter().map(|(term, line)| (folded(term), *line));
        // A term that is listed twice is one term.
        let terms = each.filter(|(term, _)| known.insert(term.clone())).collect();
        OwnLexicon { kind: FindingKind::Lexicon(name), terms }
    }
}

impl Lexicons {
    fn of(lexicons: &[OwnLexicon]) -> Lexicons {
        let words: Vec<&str> = lexicons.iter().flat_map(|l| &l.terms).map(|(term, _)| term.as_str()).collect();
        let all = Terms::of(&words);
        let terms = lexicons.iter().flat_map(|l| l.terms.iter().map(|(_, line)| (l.kind, *line))).collect();
        Lexicons { kinds: lexicons.iter().map(|l| l.kind).collect(), all, terms }
    }

    fn scan(&self, folded: &str, place: &str, report: &mut Report) {
        let Some(all) = &self.all else {
            let mut not_compiled = |kind| report.found(kind, place, "terms not compiled", Confidence::High);
            return self.kinds.iter().for_each(|kind| not_compiled(*kind));
        };
        let (mut seen, mut counts) = (HashSet::new(), HashMap::new());
        all.find(folded, |term| {
            let Some((kind, line)) = self.terms.get(term).filter(|_| seen.insert(term)) else { return };
            let count: &mut usize = counts.entry(*kind).or_default();
            *count += 1;
            if *count <= MOST {
                report.found(*kind, place, &format!("line {line}"), Confidence::High);
            }
        });
    }
}

/// All that a site recognises for itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    patterns: Vec<OwnPattern>,
    lexicons: Option<Lexicons>,
}

impl Own {
    pub fn new(patterns: Vec<OwnPattern>, lexicons: &[OwnLexicon]) -> Own {
        Own { patterns, lexicons: (!lexicons.is_empty()).then(|| Lexicons::of(lexicons)) }
    }

    /// Whether fields are read that hold nothing built in.
    pub fn reads_fields(&self) -> bool {
        !self.patterns.is_empty() || self.lexicons.is_some()
    }

    /// `seen`: `text` without what cannot be seen.
    pub fn scan(&self, seen: &str, text: &str, place: &str, report: &mut Report) {
        self.patterns.iter().for_each(|pattern| pattern.scan(seen, place, report));
        if let Some(lexicons) = &self.lexicons {
            lexicons.scan(&spread(text), place, report);
        }
    }
}

/// The text without what a reader does not see: it must not stand inside a number.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let first = others(text).find(|at| text.get(*at..).and_then(|rest| rest.chars().next()).is_some_and(is_invisible));
    let Some((plain, rest)) = first.and_then(|at| text.split_at_checked(at)) else { return Cow::Borrowed(text) };
    Cow::Owned(plain.chars().chain(rest.chars().filter(|c| !is_invisible(*c))).collect())
}

/// Where characters begin that are not ASCII. Most blocks have none.
fn others(text: &str) -> impl Iterator<Item = usize> {
    const BLOCK: usize = 64;
    // RFC 3629 3: the first octet of a character.
    let begins = |octet: &u8| *octet >= 0xC0;
    let blocks = text.as_bytes().chunks(BLOCK).enumerate().filter(|(_, block)| !block.is_ascii());
    blocks.flat_map(move |(number, block)| {
        let places = block.iter().enumerate().filter(move |(_, octet)| begins(octet));
        places.map(move |(place, _)| number * BLOCK + place)
    })
}

/// Words with one blank on every side of each: a term is found as a whole, across line ends, in any case.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 2);
    folded.push(' ');
    fold_into(&mut folded, text);
    if !folded.ends_with(' ') {
        folded.push(' ');
    }
    folded
}

/// The same with any number of blanks.
fn spread(text: &str) -> String {
    let mut spread = String::with_capacity(text.len() + 2);
    spread.push(' ');
    spread_into(&mut spread, text);
    spread.push(' ');
    spread
}

/// Any of these as words, in any case, with whatever stands between their parts.
fn any_of(words: &[String]) -> Result<Regex, regex::Error> {
    let flexible = |word: &String| {
        let parts: Vec<String> = word.split_whitespace().map(regex::escape).collect();
        // Whatever is no letter or digit divides words, the marks of quoted lines among it.
        let edge = |c: Option<char>, side: &'static str| if c.is_some_and(char::is_alphanumeric) { side } else { "" };
        let first = edge(word.trim().chars().next(), r"(?:^|[^\p{L}\p{N}])");
        let last = edge(word.trim().chars().last(), r"(?:$|[^\p{L}\p{N}])");
        format!("{first}{}{last}", parts.join(r"[^\p{L}\p{N}]{1,8}"))
    };
    let words: Vec<String> = words.iter().map(flexible).collect();
    RegexBuilder::new(&words.join("|")).case_insensitive(true).size_limit(SIZE).build()
}

fn is_near(between: &str) -> bool {
    between.chars().take(NEAR + 1).count() <= NEAR
}

/// `******67`: digits at its ends, and no letter, for a pattern may find words.
fn masked(text: &str) -> String {
    let count = text.chars().count();
    let (head, tail) = if count >= 8 { (3, 2) } else { (1, 0) };
    let printable = |c: char| if c.is_ascii_digit() { c } else { '*' };
    let head: String = text.chars().take(head).map(printable).collect();
    let tail: String = text.chars().skip(count - tail).map(printable).collect();
    format!("{head}***{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(own: &Own, text: &str) -> Vec<String> {
        let mut report = Report::default();
        own.scan(&visible(text), text, "text", &mut report);
        let mut shown: Vec<String> = report.finish().findings.into_iter().map(|f| f.masked).collect();
        shown.sort();
        shown
    }

    fn pattern(regex: &str, near: &[&str]) -> Own {
        let near: Vec<String> = near.iter().map(|word| (*word).to_owned()).collect();
        let pattern = OwnPattern::new(OwnName::of("p"), regex, &near);
        Own::new(vec![pattern], &[])
    }

    #[test]
    fn a_pattern_counts_only_near_its_words_before_or_behind() {
        let own = pattern(r"RQX\d{7}", &["hospital no", "MRN"]);
        let far = "x ".repeat(45);
        for (text, count) in [
            ("Hospital No: RQX1234567", 1),
            ("hospital\u{a0}no.\r\n RQX1234567", 1),
            ("> Hospital\r\n> > No: RQX1234567", 1),
            ("Hosp\u{AD}ital No_RQX\u{200B}1234567", 1),
            ("RQX1234567 (mrn)", 1),
            ("order RQX1234567", 0),
            ("MRNX RQX1234567", 0),
        ] {
            assert_eq!(found(&own, text).len(), count, "{text}");
        }
        assert_eq!(found(&own, &format!("MRN {far}RQX1234567")), Vec::<String>::new());
        assert_eq!(found(&own, &format!("RQX1111111 {far} MRN RQX1234567 {far} RQX2222222")), ["******67"]);
    }

    #[test]
    fn what_is_shown_tells_two_apart_and_nothing_more() {
        let own = pattern(r"RQX\d{7}|[A-Z]\d{3}", &[]);
        assert_eq!(found(&own, "RQX1234567 RQX1234567 RQX7654321 A123"), ["****", "******21", "******67"]);
    }

    #[test]
    fn terms_are_words_in_any_case_across_lines_and_invisible_characters() {
        let terms = ["2-week wait", "DNACPR", "breast cancer", "cancer"];
        let terms: Vec<(String, usize)> =
            terms.iter().zip(1..).map(|(term, line)| ((*term).to_owned(), line)).collect();
        let own = Own::new(Vec::new(), &[OwnLexicon::new(OwnName::of("l"), &terms)]);
        assert_eq!(
            found(&own, "on the 2 week\r\nwait list; Breast\u{AD} Can\u{200B}cer"),
            ["line 1", "line 3", "line 4"]
        );
        assert_eq!(found(&own, "dnacpr, cancers, DNACPRS, 12 week wait"), ["line 2"]);
    }

    /// The same term in two lexicons is one of each, and each tells no more than it may.
    #[test]
    fn lexicons_are_looked_for_together_and_told_apart() {
        let numbered = |words: Vec<String>| words.into_iter().zip(1..).collect::<Vec<(String, usize)>>();
        let many: Vec<String> = (0..MOST + 6).map(|at| format!("term {at}")).collect();
        let few = numbered(vec!["other".to_owned(), "term 3".to_owned()]);
        let lexicon = |name, terms: &[_]| OwnLexicon::new(OwnName::of(name), terms);
        let own = Own::new(Vec::new(), &[lexicon("many", &numbered(many.clone())), lexicon("few", &few)]);
        let mut report = Report::default();
        own.scan("", &many.join(", ").repeat(2), "text", &mut report);
        let findings = report.finish().findings;
        let of =
            |name| findings.iter().filter(|f| f.kind == FindingKind::Lexicon(OwnName::of(name))).collect::<Vec<_>>();
        assert_eq!((of("many").len(), of("few").len(), of("few")[0].masked.as_str()), (MOST, 1, "line 2"));
    }

    #[test]
    fn many_matches_cost_no_more_than_their_text() {
        let own = pattern(r"\d", &["never there"]);
        assert_eq!(found(&own, &"1".repeat(1_000_000)), Vec::<String>::new());
        assert!(found(&pattern(r"[a-z]\d{4}", &[]), &"a1234 b2345 c3456 ".repeat(10_000)).len() <= MOST);
    }

    /// The lists that ship with the policy, as it reads them.
    fn shipped() -> Vec<(&'static str, &'static str)> {
        let lists = [
            include_str!("../../policies/lists/clinical-terms.txt"),
            include_str!("../../policies/lists/letter-headings.txt"),
            include_str!("../../policies/lists/letter-phrases.txt"),
        ];
        let names = ["clinical-terms", "letter-headings", "letter-phrases"];
        let terms = |(name, list): (&'static str, &'static str)| {
            list.lines().map(move |line| (name, line.split('#').next().unwrap_or_default().trim()))
        };
        names.into_iter().zip(lists).flat_map(terms).filter(|(_, term)| !term.is_empty()).collect()
    }

    /// One word of a letter would count twice.
    #[test]
    fn no_term_that_ships_stands_twice_or_holds_another() {
        let terms: Vec<(&str, String)> = shipped().into_iter().map(|(_, term)| (term, folded(term))).collect();
        let all = aho_corasick::AhoCorasick::new(terms.iter().map(|(_, folded)| folded)).unwrap();
        for (at, (term, folded)) in terms.iter().enumerate() {
            let held = all.find_overlapping_iter(folded).find(|hit| hit.pattern().as_usize() != at);
            assert_eq!(held.map(|hit| terms[hit.pattern().as_usize()].0), None, "in {term}");
        }
    }

    /// Words that newsletters, adverts, invoices and programmes use every day.
    #[test]
    fn no_term_that_ships_is_an_ordinary_word() {
        let ordinary = "cancer stroke depression discharge discharged admission acute chronic ward wards diet cold ms af pe it \
                        patient patients clinic doctor nurse hospital referral allergy allergies diagnosis treatment medication \
                        pain fall falls delivery stent stents culture cultures tumour review plan history insulin paracetamol";
        let ordinary: HashSet<&str> = ordinary.split_whitespace().collect();
        for (list, term) in shipped() {
            assert!(!ordinary.contains(folded(term).trim()), "{term} in {list}");
        }
    }
}
