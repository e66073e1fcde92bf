//! What a policy says about recognition, as it goes to another process: words, patterns, lexicons.
//!
//! Made by whoever compiles a policy. Promises: what is compiled from it finds the same wherever it is. Fails never.

use super::own::{OwnLexicon, OwnPattern};
use super::rules::Rules;
use crate::vocabulary::OwnName;
use serde::{Deserialize, Serialize};

/// The words of a policy about recognition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// None: the built-in ones.
    pub words: Option<ToldWords>,
    pub patterns: Vec<ToldPattern>,
    pub lexicons: Vec<ToldLexicon>,
}

/// `[recognise.nhs-number]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldWords {
    pub labels: Vec<String>,
    pub against: Vec<String>,
    pub window: usize,
}

/// `[pattern.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldPattern {
    pub name: String,
    pub regex: String,
    pub near: Vec<String>,
}

/// `[lexicon.NAME]`: terms, each with the number of its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldLexicon {
    pub name: String,
    pub terms: Vec<(String, usize)>,
}

impl Rules {
    /// Compiles what a policy says.
    #[must_use]
    pub fn told(told: &Told) -> Rules {
        let rules = told
            .words
            .as_ref()
            .map_or_else(Rules::default, |words| Rules::new(&words.labels, &words.against, words.window));
        let patterns = told.patterns.iter().map(|p| OwnPattern::new(OwnName::of(&p.name), &p.regex, &p.near));
        let lexicons = told.lexicons.iter().map(|l| OwnLexicon::new(OwnName::of(&l.name), &l.terms));
        let lexicons: Vec<OwnLexicon> = lexicons.collect();
        rules.with_own(patterns.collect(), &lexicons)
    }
}
