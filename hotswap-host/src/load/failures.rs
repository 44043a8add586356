//! Counts the failures of a library's code, and wakes the thread that watches a rollback window.
use crate::base::lock_order::{Ordered, Rank};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};

/// The failures of all builds of a plugin since the process began.
#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) panics: AtomicU64,
    /// Watched calls that returned an error.
    pub(crate) errors: AtomicU64,
}

/// The failures of a library's code since it was opened.
#[derive(Default)]
pub(crate) struct Failures {
    totals: Arc<Totals>,
    count: AtomicU64,
    /// Calls that returned an error.
    errors: AtomicU64,
    watcher: Mutex<Option<Weak<dyn Watcher>>>,
}

/// Is told at once when a library that it watches has failed.
pub(crate) trait Watcher: Send + Sync {
    /// Wakes the thread that looks at the counts.
    fn wake(&self);
}

impl Failures {
    /// Makes the counts of a library of the plugin that has these totals.
    pub(crate) fn new(totals: Arc<Totals>) -> Self {
        Failures {
            totals,
            ..Failures::default()
        }
    }

    /// Counts a panic. This runs on the thread that has panicked.
    pub(crate) fn add_panic(&self) {
        self.totals.panics.fetch_add(1, Relaxed);
        self.add();
    }

    /// Counts a failure that is no panic, such as that of `on_start`. This runs on the thread that has failed.
    pub(crate) fn add(&self) {
        self.count.fetch_add(1, Relaxed);
        let watcher = Ordered::lock(Rank::Failures, &self.watcher);
        if let Some(watcher) = watcher.as_ref().and_then(Weak::upgrade) {
            watcher.wake();
        }
    }

    /// Counts a call that returned an error.
    pub(crate) fn add_error(&self) {
        self.errors.fetch_add(1, Relaxed);
        self.totals.errors.fetch_add(1, Relaxed);
    }

    /// The number of calls that have returned an error so far.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Relaxed)
    }

    /// The number of failures so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// Sets who is told of failures from now on, in place of the previous one.
    pub(crate) fn watched_by(&self, watcher: &Arc<impl Watcher + 'static>) {
        let watcher: Weak<dyn Watcher> = Arc::<_>::downgrade(watcher) as Weak<dyn Watcher>;
        *Ordered::lock(Rank::Failures, &self.watcher) = Some(watcher);
    }
}
