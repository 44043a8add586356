//! The watch of a generation's calls: which plugins are watched, and how long some of their calls take.
use crate::base::histogram::Histogram;
use crate::reclaim::slot::CallTarget;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The plugins of a generation whose calls are counted, and those of which some calls are timed.
///
/// A handle of a watched plugin has a mark on its target, which costs nothing where it is not set. The thread that finds
/// it counts the call in its own record, and times some of them, for a rollback window.
pub(crate) struct Watched {
    counted: BTreeSet<CallTarget>,
    timed: BTreeSet<CallTarget>,
    /// The durations of calls of the plugins that are timed for a rollback window.
    pub(crate) latency: Histogram,
    /// The durations of calls, by plugin. They are of one call in many, too.
    latencies: BTreeMap<CallTarget, Histogram>,
}

impl Watched {
    /// Counts the calls of all these plugins, and times those of some of them.
    pub(crate) fn new(
        counted: impl IntoIterator<Item = CallTarget>,
        timed: impl IntoIterator<Item = CallTarget>,
    ) -> Self {
        let timed: BTreeSet<_> = timed.into_iter().collect();
        let counted = counted.into_iter().chain(timed.iter().copied());
        let counted: BTreeSet<_> = counted.collect();
        let latencies = counted.iter().map(|target| (*target, Histogram::default()));
        Watched {
            latencies: latencies.collect(),
            counted,
            timed,
            latency: Histogram::default(),
        }
    }

    /// Returns true if any calls are counted.
    pub(crate) fn is_any(&self) -> bool {
        !self.counted.is_empty()
    }

    /// Returns true if the calls of this target are counted.
    pub(crate) fn covers(&self, target: CallTarget) -> bool {
        self.counted.contains(&target)
    }

    /// Returns true if some calls of this target are timed. A call that may go to any plugin is, if any are.
    pub(crate) fn times(&self, target: CallTarget) -> bool {
        self.covers(target) || (target.is_anything() && self.is_any())
    }

    /// Notes how long a call of this target has taken.
    pub(crate) fn took(&self, target: CallTarget, time: Duration) {
        if self.timed.contains(&target) || (target.is_anything() && !self.timed.is_empty()) {
            self.latency.record(time);
        }
        if let Some(latency) = self.latencies.get(&target) {
            latency.record(time);
        }
    }

    /// The durations of calls of this target, if they are watched.
    pub(crate) fn latency_of(&self, target: CallTarget) -> Option<&Histogram> {
        self.latencies.get(&target)
    }

    /// The plugins of which calls are timed.
    pub(crate) fn timed(&self) -> impl Iterator<Item = CallTarget> {
        self.timed.iter().copied()
    }
}
