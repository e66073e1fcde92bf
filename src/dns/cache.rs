//! Answers that are still good: bounded by count, the soonest to end leaves first.
//!
//! Called by `lookup`. Promises: never more than its bound; an answer is never given after its end. Time is an argument.

use super::answer::Found;
use hickory_proto::rr::RecordType;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is asked: a name in lower case without trailing dot, and a type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub name: Arc<str>,
    pub kind: RecordType,
}

/// When an answer ends, and a number that tells answers of the same end apart.
type End = (Instant, u64);

#[derive(Debug)]
pub(super) struct Cache {
    answers: HashMap<Question, (Found, End)>,
    by_end: BTreeMap<End, Question>,
    bound: usize,
    next: u64,
}

impl Cache {
    pub(super) fn new(bound: usize) -> Cache {
        Cache { answers: HashMap::new(), by_end: BTreeMap::new(), bound, next: 0 }
    }

    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<Found> {
        let (answer, end) = self.answers.get(question)?;
        (now < end.0).then(|| answer.clone())
    }

    pub(super) fn put(&mut self, question: Question, answer: Found, ttl: Duration, now: Instant) {
        let end = (now + ttl, self.next);
        self.next = self.next.wrapping_add(1);
        if let Some((_, old)) = self.answers.insert(question.clone(), (answer, end)) {
            self.by_end.remove(&old);
        }
        self.by_end.insert(end, question);
        while self.answers.len() > self.bound {
            let Some((_, soonest)) = self.by_end.pop_first() else { return };
            self.answers.remove(&soonest);
        }
    }

    pub(super) fn clear(&mut self) {
        self.answers.clear();
        self.by_end.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }
}
