//! The watch of a generation's calls: which plugins are watched, and how long some of their calls take.
use crate::base::histogram::Histogram;
use crate::reclaim::slot::CallTarget;
use std::collections::BTreeSet;

/// The plugins of a generation whose calls are counted, and of which some are timed.
///
/// A handle of a watched plugin has a mark on its target, which costs nothing where it is not set. The thread that finds
/// it counts the call in its own record, and times every 1,024th.
pub(crate) struct Watched {
    targets: BTreeSet<CallTarget>,
    /// The durations of the calls that were timed.
    pub(crate) latency: Histogram,
}

impl Watched {
    /// Watches these plugins.
    pub(crate) fn new(targets: impl IntoIterator<Item = CallTarget>) -> Self {
        Watched {
            targets: targets.into_iter().collect(),
            latency: Histogram::default(),
        }
    }

    /// Returns true if the calls of this target are watched.
    pub(crate) fn covers(&self, target: CallTarget) -> bool {
        self.targets.contains(&target)
    }
}
