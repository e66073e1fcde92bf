//! Gauges that are read when somebody looks: the queue, warm memory, the resolver, the disk.

use super::DroppedLines;
use crate::clock::Now;
use crate::dns::Resolver;
use crate::dns::{LookupKind, LookupResult};
use crate::metrics::{Metrics, NO_CLASS, QUEUE_STATES};
use crate::proof::memory::Memory;
use crate::queue::{Counter, State, WarmRoom};
use crate::store::{self, Store};
use crate::workers::Workers;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) struct Gauges {
    pub metrics: Arc<Metrics>,
    pub counter: Arc<Counter>,
    pub warm: Arc<WarmRoom>,
    pub workers: Arc<Workers>,
    pub resolver: Resolver,
    pub offered: Arc<Memory>,
    pub store: Store,
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
        self.metrics.documents_unread.set(i64::from(self.workers.unfit().is_some()));
        if let Some(free) = self.free_octets() {
            self.metrics.store_free.set(i64::try_from(free).unwrap_or(i64::MAX));
        }
        self.metrics.stripping_suspected.set(i64::try_from(self.offered.suspected()).unwrap_or(i64::MAX));
        self.metrics.store_writable.set(i64::from(self.store.is_writable()));
        self.metrics.store_log.set(i64::try_from(store::log_octets(&self.data)).unwrap_or(i64::MAX));
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
        let counts = self.counter.counts();
        let classes = self.metrics.classes();
        for name in QUEUE_STATES {
            let Some(state) = State::of_name(name) else { continue };
            let count = i64::try_from(counts.of(state)).unwrap_or(i64::MAX);
            self.metrics.queue_messages.with_label_values(&[name]).set(count);
            for class in classes.iter().map(String::as_str).chain([NO_CLASS]) {
                let named = (class != NO_CLASS).then(|| class.to_owned());
                let group = counts.groups.get(&(state, named));
                let age = group.map_or(0.0, |group| now.since(group.oldest).as_secs_f64());
                self.metrics.queue_oldest.with_label_values(&[name, class]).set(age);
            }
        }
    }

    /// Free octets where the data folder is.
    pub fn free_octets(&self) -> Option<u64> {
        let disk = nix::sys::statvfs::statvfs(&self.data).ok()?;
        Some(disk.blocks_available().saturating_mul(disk.fragment_size()))
    }
}
