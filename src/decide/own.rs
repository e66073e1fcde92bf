//! What a policy recognises for itself, handed to the recogniser; and what was found, handed to the policy.

use super::Judge;
use crate::clinical::{self, Findings, Told, ToldLexicon, ToldPattern, ToldWords};
use crate::policy::{Diagnostic, LexiconDef, PatternDef, Policy, Sample};
use crate::vocabulary::{Confidence, FindingKind};
use std::collections::BTreeSet;

/// All that a policy says about recognition.
pub(super) fn told(policy: &Policy) -> Told {
    let words = policy.recognise().map(|said| ToldWords {
        labels: said.labels.clone(),
        against: said.against.clone(),
        window: said.window,
    });
    let pattern = |p: &PatternDef| ToldPattern {
        name: p.name.to_string(),
        regex: p.regex.as_str().to_owned(),
        near: p.near.clone(),
    };
    let lexicon = |l: &LexiconDef| ToldLexicon { name: l.name.to_string(), terms: l.terms.clone() };
    Told {
        words,
        patterns: policy.patterns().iter().map(pattern).collect(),
        lexicons: policy.lexicons().iter().map(lexicon).collect(),
    }
}

/// Kinds and how sure they are. A term counts once, wherever it stands.
#[must_use]
pub fn evidence(findings: &Findings) -> Vec<(FindingKind, Confidence)> {
    let mut terms = BTreeSet::new();
    let once = |finding: &&clinical::Finding| match finding.kind {
        FindingKind::Lexicon(name) => terms.insert((name, finding.masked.clone())),
        _ => true,
    };
    findings.findings.iter().filter(once).map(|finding| (finding.kind, finding.confidence)).collect()
}

/// Everything that the policy says about recognition, by name and in its own words.
pub(super) fn described(policy: &Policy) -> BTreeSet<(String, String)> {
    let patterns = policy
        .patterns()
        .iter()
        .map(|p| (FindingKind::Pattern(p.name).to_string(), format!("{} {:?}", p.regex.as_str(), p.near)));
    let lexicons = policy.lexicons().iter().map(|lexicon| {
        let terms: BTreeSet<&str> = lexicon.terms.iter().map(|(term, _)| term.as_str()).collect();
        (FindingKind::Lexicon(lexicon.name).to_string(), format!("{terms:?}"))
    });
    let recognise = policy.recognise().map(|recognise| ("[recognise]".to_owned(), format!("{recognise:?}")));
    patterns.chain(lexicons).chain(recognise).collect()
}

/// Samples that a pattern does not find, or should not.
pub(super) fn failing(judge: &Judge, samples: &[Sample]) -> Vec<Diagnostic> {
    let fails = |sample: &&Sample| clinical::finds(&sample.text, sample.kind, &judge.rules) != sample.found;
    samples.iter().filter(fails).map(|sample| sample.diagnostic.clone()).collect()
}
