//! How code of a library can still begin to run once nothing calls its plugin any more.
//!
//! Code *enters* through threads that the plugin has started, and through objects that others have: both are counted.
//! Whatever makes one more of them counts an entrance afterwards; whatever ends one counts it down when the last of its
//! code has run. Destructors of thread-locals are listed in the records of their threads (see `record`), and each is
//! counted after it was listed.
//!
//! # A look
//! Threads, objects and destructors can make each other, so each kind can be seen as gone while another is making it
//! anew. [`Activity::look`] notes what was counted. If *then* there is no thread and no object, *then* no record has a
//! destructor or is running one, and *then* the counts are as they were, no code of the library runs or can begin to.
//! For assume that some does. It is a destructor's, or was entered:
//! - If it was entered before the look began, the thread or the object was there when those were counted.
//! - If later, then by code of the library that had not ended when threads and objects were counted: by a destructor.
//!   That one was still running, or listed, when its record was looked at, or it had ended by then, and the entrance is
//!   seen at the end.
//! - A destructor that was listed after its record was looked at was listed by code that was running then.
//!
//! The other order (records first) misses the destructor that a call of an object lists just after its record was looked
//! at, before the object goes.
//!
//! A look at *several libraries*, which may call each other, looks at the records for one after the other. A destructor
//! of one may have listed one of another after that one's turn, and have ended before its own; that is what listings are
//! counted for.
//!
//! Objects and entrances order what others see, with `Release` and `Acquire`. Threads and listings need not: a thread
//! ends, and a destructor is listed, under the lock of the record that is looked at afterwards.
use super::sync::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::atomic::Ordering::*;

/// [`Activity::retiring`] before destructors may run.
const NOT_YET: u64 = u64::MAX;

/// What can still run code of one library, and how often that became more.
pub(crate) struct Activity {
    /// Threads of the plugin's, from before they are created until after their last destructor.
    threads: AtomicUsize,
    /// Objects of the plugin that others may own, until they have been dropped.
    objects: AtomicUsize,
    entrances: AtomicU64,
    listings: AtomicU64,
    /// The entrances that were counted when destructors were last allowed to run.
    retiring: AtomicU64,
    barred: AtomicBool,
}

/// What a look began with.
pub(crate) struct Look {
    entrances: u64,
    listings: u64,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Activity {
            threads: AtomicUsize::new(0),
            objects: AtomicUsize::new(0),
            entrances: AtomicU64::new(0),
            listings: AtomicU64::new(0),
            retiring: AtomicU64::new(NOT_YET),
            barred: AtomicBool::new(false),
        }
    }

    /// Counts a thread that is about to be created.
    pub(crate) fn thread_made(&self) {
        self.threads.fetch_add(1, Relaxed);
        self.entered();
    }

    /// Such a thread has run its last destructor, or could not be created.
    pub(crate) fn thread_gone(&self) {
        self.threads.fetch_sub(1, Relaxed);
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.load(Relaxed)
    }

    /// Counts an object that others may own.
    pub(crate) fn object_made(&self) {
        self.objects.fetch_add(1, Relaxed);
        self.entered();
    }

    /// Such an object has been dropped.
    pub(crate) fn object_gone(&self) {
        self.objects.fetch_sub(1, Release);
    }

    pub(crate) fn objects(&self) -> usize {
        self.objects.load(Acquire)
    }

    /// Counts one more way into the library, which is there already: who sees the entrance sees the way.
    pub(crate) fn entered(&self) {
        self.entrances.fetch_add(1, Release);
    }

    /// Counts a destructor that was listed.
    pub(crate) fn listed(&self) {
        self.listings.fetch_add(1, Relaxed);
    }

    /// From now on destructors, keys and threads are refused. Only the library's own destructors could still ask.
    pub(crate) fn bar(&self) {
        self.barred.store(true, Relaxed);
    }

    /// The library stays mapped: what still leads to it may have all that it asks for.
    pub(crate) fn unbar(&self) {
        self.barred.store(false, Relaxed);
    }

    pub(crate) fn is_barred(&self) -> bool {
        self.barred.load(Relaxed)
    }

    /// Begins a look.
    pub(crate) fn look(&self) -> Look {
        Look {
            entrances: self.entrances.load(Acquire),
            listings: self.listings.load(Relaxed),
        }
    }

    /// Whether nothing was counted since the look began. The locks of the records order this after whatever has ended.
    pub(crate) fn is_unchanged(&self, look: &Look) -> bool {
        self.entrances.load(Relaxed) == look.entrances
            && self.listings.load(Relaxed) == look.listings
    }

    /// From now on threads run the library's destructors at their next pin, until something enters again. To be called
    /// when a look has found no thread, and no object that could be called.
    pub(crate) fn retire(&self, look: &Look) {
        self.retiring.store(look.entrances, Relaxed);
    }

    /// Code of the library is about to run again, in a way that is not counted.
    pub(crate) fn unretire(&self) {
        self.retiring.store(NOT_YET, Relaxed);
    }

    /// Whether threads run the library's destructors at a pin: no code of it that could be using a thread-local is
    /// below that pin on the stack, unless it is a destructor's. The calling thread knows what has entered on it.
    pub(crate) fn is_retiring(&self) -> bool {
        self.retiring.load(Relaxed) == self.entrances.load(Relaxed)
    }
}
