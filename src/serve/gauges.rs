//! Gauges that are read when somebody looks: the queue, warm memory, the resolver, the disk.

use super::DroppedLines;
use crate::clock::Now;
use crate::dns::Resolver;
use crate::dns::{LookupKind, LookupResult};
use crate::metrics::{Metrics, NO_CLASS, QUEUE_STATES};
use crate::queue::{Schedule, WarmRoom};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) struct Gauges {
    pub metrics: Arc<Metrics>,
    pub schedule: Arc<Schedule>,
    pub warm: Arc<WarmRoom>,
    pub resolver: Resolver,
    pub data: PathBuf,
    pub dropped: DroppedLines,
}

impl Gauges {
    /// Brings every gauge up to date: called before a scrape.
    pub fn refresh(&self) {
        self.queue();
        let lines = &self.metrics.log_lines_dropped;
        lines.inc_by((self.dropped)().saturating_sub(lines.get()));
        self.metrics.warm_bytes.set(i64::try_from(self.warm.used()).unwrap_or(i64::MAX));
        if let Some(free) = self.free_octets() {
            self.metrics.store_free.set(i64::try_from(free).unwrap_or(i64::MAX));
        }
        for kind in LookupKind::ALL {
            for result in LookupResult::ALL {
                let counter = self.metrics.dns_lookups.with_label_values(&[kind.name(), result.name()]);
                let seen = self.resolver.counts().get(kind, result);
                counter.inc_by(seen.saturating_sub(counter.get()));
            }
        }
    }

    fn queue(&self) {
        let now = Now::read().wall;
        let mut counts: HashMap<&'static str, i64> = HashMap::new();
        let mut oldest: HashMap<(&'static str, String), f64> = HashMap::new();
        self.schedule.look(|task| {
            *counts.entry(task.state.name()).or_default() += 1;
            let class = task.class.as_deref().unwrap_or(NO_CLASS).to_owned();
            let age = oldest.entry((task.state.name(), class)).or_default();
            *age = age.max(now.since(task.accepted).as_secs_f64());
        });
        let classes = self.metrics.classes();
        for state in QUEUE_STATES {
            self.metrics.queue_messages.with_label_values(&[state]).set(counts.get(state).copied().unwrap_or(0));
            for class in classes.iter().map(String::as_str).chain([NO_CLASS]) {
                let age = oldest.get(&(*state, class.to_owned())).copied().unwrap_or(0.0);
                self.metrics.queue_oldest.with_label_values(&[state, class]).set(age);
            }
        }
    }

    /// Free octets where the data folder is.
    pub fn free_octets(&self) -> Option<u64> {
        let disk = nix::sys::statvfs::statvfs(&self.data).ok()?;
        Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
    }
}
