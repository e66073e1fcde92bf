//! Layers (ISO 32000-1 8.11): which of them are not shown when a document is opened.
//!
//! Part of the reader of PDF; asked by `painter` for each mark, form and note that names one. Promises: every layer is looked at
//! once; rules of visibility are followed no deeper than `DEEPEST`, and so many terms of each. Fails never: what is no layer is
//! shown.

use hayro_syntax::object::{Array, Dict, MaybeRef, Name, Object, ObjectIdentifier};
use hayro_syntax::xref::XRef;
use std::collections::{HashMap, HashSet};

/// Layers of one document.
const MOST: usize = 10_000;
/// Rules inside rules, and terms of one.
const DEEPEST: usize = 4;
const TERMS: usize = 16;

#[derive(Default)]
pub(super) struct Layers {
    off: HashSet<ObjectIdentifier>,
    /// What was found of those that have rules.
    known: HashMap<ObjectIdentifier, bool>,
}

impl Layers {
    /// 8.11.4.3: all as the document begins, then those that are listed; 8.11.4.5: what is not for the screen.
    pub fn of(xref: &XRef) -> Layers {
        let mut layers = Layers::default();
        let catalog = xref.get::<Dict<'_>>(xref.root_id());
        let Some(all) = catalog.and_then(|catalog| catalog.get::<Dict<'_>>(b"OCProperties")) else { return layers };
        let Some(begin) = all.get::<Dict<'_>>(b"D") else { return layers };
        if begin.get::<Name<'_>>(b"BaseState").is_some_and(|state| state.as_ref() == b"OFF") {
            layers.off.extend(listed(&all, b"OCGs"));
            for on in listed(&begin, b"ON") {
                layers.off.remove(&on);
            }
        }
        layers.off.extend(listed(&begin, b"OFF"));
        let usages = begin.get::<Array<'_>>(b"AS");
        for usage in usages.iter().flat_map(|all| all.iter::<Dict<'_>>()).take(TERMS) {
            if usage.get::<Name<'_>>(b"Event").is_some_and(|event| event.as_ref() == b"View") {
                layers.off.extend(listed(&usage, b"OCGs").into_iter().filter(|id| is_not_for_view(*id, xref)));
            }
        }
        layers
    }

    /// Whether what names this layer is not shown.
    pub fn hides(&mut self, layer: Option<MaybeRef<Dict<'_>>>, xref: &XRef) -> bool {
        match layer {
            _ if self.off.is_empty() => false,
            Some(MaybeRef::Ref(reference)) => {
                let id = reference.into();
                if let Some(known) = self.known.get(&id) {
                    return *known;
                }
                let hides = self.off.contains(&id) || xref.get::<Dict<'_>>(id).is_some_and(|dict| !self.shows(&dict));
                self.known.insert(id, hides);
                hides
            }
            Some(MaybeRef::NotRef(dict)) => !self.shows(&dict),
            None => false,
        }
    }

    /// 8.11.2.2: a rule stands before a policy.
    fn shows(&self, membership: &Dict<'_>) -> bool {
        if let Some(rule) = membership.get::<Array<'_>>(b"VE") {
            return self.rule(&rule, DEEPEST);
        }
        let single = membership.get_ref(b"OCGs").map(ObjectIdentifier::from);
        let mut members = listed(membership, b"OCGs");
        if members.is_empty() {
            members.extend(single);
        }
        let mut is_on = members.iter().map(|id| !self.off.contains(id));
        let policy = membership.get::<Name<'_>>(b"P");
        match policy.as_ref().map(|name| name.as_ref()) {
            _ if members.is_empty() => true,
            Some(b"AllOn") => is_on.all(|on| on),
            Some(b"AnyOff") => is_on.any(|on| !on),
            Some(b"AllOff") => is_on.all(|on| !on),
            _ => is_on.any(|on| on),
        }
    }

    /// An operator and its terms, each a layer or a rule.
    fn rule(&self, rule: &Array<'_>, depth: usize) -> bool {
        let term = |term: MaybeRef<Object<'_>>| match term {
            MaybeRef::Ref(reference) => !self.off.contains(&reference.into()),
            MaybeRef::NotRef(Object::Array(inner)) if depth > 0 => self.rule(&inner, depth - 1),
            MaybeRef::NotRef(_) => true,
        };
        let operator = rule.iter::<Name<'_>>().next();
        let mut terms = rule.raw_iter().skip(1).take(TERMS).map(term);
        match operator.as_ref().map(|name| name.as_ref()) {
            Some(b"And") => terms.all(|on| on),
            Some(b"Or") => terms.any(|on| on),
            Some(b"Not") => !terms.next().unwrap_or(false),
            _ => true,
        }
    }
}

fn listed(dict: &Dict<'_>, key: &[u8]) -> Vec<ObjectIdentifier> {
    let all = dict.get::<Array<'_>>(key);
    let named = all.iter().flat_map(|all| all.raw_iter()).filter_map(|item| item.as_obj_ref());
    named.take(MOST).map(ObjectIdentifier::from).collect()
}

fn is_not_for_view(layer: ObjectIdentifier, xref: &XRef) -> bool {
    let usage = xref.get::<Dict<'_>>(layer).and_then(|layer| layer.get::<Dict<'_>>(b"Usage"));
    let state = usage.and_then(|usage| usage.get::<Dict<'_>>(b"View")?.get::<Name<'_>>(b"ViewState"));
    state.is_some_and(|state| state.as_ref() == b"OFF")
}
