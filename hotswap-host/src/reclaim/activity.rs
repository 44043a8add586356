//! Counts the ways in which code of a library can still begin to run once no caller reaches its plugin any more.
//!
//! Code *enters* through threads that the plugin has started, and through objects that others own. Both are counted.
//! Whatever adds a thread or an object counts an entrance after it has added it. Whatever ends one decrements the count
//! after the last code of it has run. Destructors of thread-locals are listed in the records of their threads (see
//! `record`), and each is counted after it has been listed.
//!
//! # A look
//! Threads, objects, and destructors can make each other, so each kind can appear to be gone while another kind is
//! making it again. [`Activity::look`] notes the counts. If *then* there is no thread and no object, *then* no record
//! lists a destructor or is running one, and *then* the counts are unchanged, no code of the library runs or can begin
//! to run. To prove this, assume that some code does run. It belongs to a destructor, or it entered:
//! - If it entered before the look began, its thread or object existed when threads and objects were counted.
//! - If it entered later, code of the library made it enter that had not ended when threads and objects were counted,
//!   and so a destructor did. Either that destructor was still running or listed when its record was looked at, or it
//!   had ended by then, and the last comparison sees the entrance.
//! - A destructor that was listed after its record was looked at was listed by code that was running at that time.
//!
//! The other order (records first) misses a destructor that a call of an object lists just after its record was looked
//! at, if the object goes after that.
//!
//! A look at *several libraries* that may call each other looks at the records for one library after the other. A
//! destructor of one library may list a destructor of another one whose records have already been looked at, and may
//! end before its own are. This is why listings are counted.
//!
//! Objects and entrances order what other threads see, with `Release` and `Acquire`. Threads and listings need no
//! order: a thread ends, and a destructor is listed, under the lock of the record that is looked at afterwards.
use super::sync::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::atomic::Ordering::*;

/// The value of [`Activity::retiring`] while destructors may not run yet.
const NOT_YET: u64 = u64::MAX;

/// The counts of everything that can still run code of one library, and of how often more was added.
pub(crate) struct Activity {
    /// The threads of the plugin, from before they are created until after their last destructor.
    threads: AtomicUsize,
    /// The objects of the plugin that others may own, until they have been dropped.
    objects: AtomicUsize,
    entrances: AtomicU64,
    listings: AtomicU64,
    /// The number of entrances at the time when destructors were last allowed to run.
    retiring: AtomicU64,
    barred: AtomicBool,
}

/// The counts with which a look began.
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

    /// Notes that a counted thread has run its last destructor, or that it could not be created.
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

    /// Notes that a counted object has been dropped.
    pub(crate) fn object_gone(&self) {
        self.objects.fetch_sub(1, Release);
    }

    pub(crate) fn objects(&self) -> usize {
        self.objects.load(Acquire)
    }

    /// Counts one more way into the library. The way already exists, so a thread that sees the entrance sees the way,
    /// too.
    pub(crate) fn entered(&self) {
        self.entrances.fetch_add(1, Release);
    }

    /// Counts a destructor that has been listed.
    pub(crate) fn listed(&self) {
        self.listings.fetch_add(1, Relaxed);
    }

    /// Refuses destructors, keys, and threads from now on. Only the library's own destructors could still ask for them.
    pub(crate) fn bar(&self) {
        self.barred.store(true, Relaxed);
    }

    /// Allows them again, because the library stays mapped: code that still runs in it may have everything that it asks
    /// for.
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

    /// Returns true if nothing was counted since the look began. The locks of the records order this after everything
    /// that has ended.
    pub(crate) fn is_unchanged(&self, look: &Look) -> bool {
        self.entrances.load(Relaxed) == look.entrances
            && self.listings.load(Relaxed) == look.listings
    }

    /// Lets threads run the library's destructors at their next pin, until something enters again. A caller does this
    /// when its look has found no thread, and no object that could be called.
    pub(crate) fn retire(&self, look: &Look) {
        self.retiring.store(look.entrances, Relaxed);
    }

    /// Stops this again, because code of the library is about to run in a way that is not counted.
    pub(crate) fn unretire(&self) {
        self.retiring.store(NOT_YET, Relaxed);
    }

    /// Returns true if threads run the library's destructors at a pin. Then no code of the library that could be using
    /// a thread-local is below that pin on the stack, except for code of a destructor. The calling thread knows what
    /// has entered on it.
    pub(crate) fn is_retiring(&self) -> bool {
        self.retiring.load(Relaxed) == self.entrances.load(Relaxed)
    }
}
