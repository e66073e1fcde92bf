//! The policy in force: one generation at a time, swapped whole.
//!
//! Shared by all stages. Promises: whoever asks gets a whole generation, and keeps it for as long as it is held: a transaction
//! is judged by one policy from MAIL to the dot, whatever is loaded meanwhile. Fails never.

use super::Judge;
use arc_swap::ArcSwap;
use std::sync::Arc;

pub struct InForce(ArcSwap<Judge>);

impl InForce {
    #[must_use]
    pub fn new(judge: Judge) -> InForce {
        InForce(ArcSwap::from_pointee(judge))
    }

    /// The newest.
    #[must_use]
    pub fn now(&self) -> Arc<Judge> {
        self.0.load_full()
    }

    /// From now on `judge` is in force.
    pub fn replace(&self, judge: Judge) {
        self.0.store(Arc::new(judge));
    }
}
