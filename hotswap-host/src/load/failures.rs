//! Counts the failures of a library's code, and wakes the thread that watches a rollback window.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The failures of a library's code since it was opened.
#[derive(Default)]
pub(crate) struct Failures {
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
    /// Counts a panic, or a failed `on_start`. This runs on the thread that has failed.
    pub(crate) fn add(&self) {
        self.count.fetch_add(1, Relaxed);
        let watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = watcher.as_ref().and_then(Weak::upgrade) {
            watcher.wake();
        }
    }

    /// Counts a call that returned an error.
    pub(crate) fn add_error(&self) {
        self.errors.fetch_add(1, Relaxed);
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
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
    }
}
