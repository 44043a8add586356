//! How code of a library can still begin to run once nothing calls its plugin any more.
//!
//! Code *enters* through threads that the plugin has started, and through objects that others have: both are counted.
//! Whatever makes one more of them also counts an entrance, afterwards; whatever ends one counts it down when the last
//! of its code has run. Destructors of thread-locals are listed in the records of their threads (see `record`);
//! registering one is counted, too.
//!
//! # A look
//! Threads and destructors can make threads, objects and destructors, so each alone can be seen as gone while another
//! is making it anew. [`Activity::look`] notes what was counted. If afterwards there is no thread and no object, *then*
//! no record has a destructor or is running one, and *then* the counts are as they were, no code of the library runs:
//! - Code that was running when the records were looked at ran in a destructor, which would have been seen, or in a
//!   thread or an object that was made after those were counted: by a destructor that had ended by then, so that the
//!   entrance was seen.
//! - A destructor that was listed after its record was looked at was listed by such code.
//!
//! The other order (records first, counts afterwards) misses the destructor that a call of an object lists just after
//! its record was looked at, before the object goes.
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
    registrations: AtomicU64,
    /// The entrances that were counted when destructors were last allowed to run.
    retiring: AtomicU64,
    barred: AtomicBool,
}

/// What a look began with.
pub(crate) struct Look {
    entrances: u64,
    registrations: u64,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Activity {
            threads: AtomicUsize::new(0),
            objects: AtomicUsize::new(0),
            entrances: AtomicU64::new(0),
            registrations: AtomicU64::new(0),
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
        self.threads.fetch_sub(1, Release);
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.load(Acquire)
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

    /// Counts one more way into the library. Called once it is there.
    pub(crate) fn entered(&self) {
        self.entrances.fetch_add(1, Release);
    }

    /// Counts the registration of a destructor. Returns false where it is refused: the library is about to leave memory.
    pub(crate) fn register(&self) -> bool {
        self.registrations.fetch_add(1, Release);
        !self.barred.load(Acquire)
    }

    /// From now on registrations are refused. Nothing is left that could make any.
    pub(crate) fn bar(&self) {
        self.barred.store(true, Release);
    }

    /// Begins a look.
    pub(crate) fn look(&self) -> Look {
        Look {
            entrances: self.entrances.load(Acquire),
            registrations: self.registrations.load(Acquire),
        }
    }

    /// Whether nothing was counted since the look began.
    pub(crate) fn is_unchanged(&self, look: &Look) -> bool {
        self.entrances.load(Acquire) == look.entrances
            && self.registrations.load(Acquire) == look.registrations
    }

    /// From now on threads run the library's destructors at their next pin, until something enters again. To be called
    /// when a look has found no thread, and no object that could be called.
    pub(crate) fn retire(&self, look: &Look) {
        self.retiring.store(look.entrances, Release);
    }

    /// Code of the library is about to run again, in a way that is not counted.
    pub(crate) fn unretire(&self) {
        self.retiring.store(NOT_YET, Release);
    }

    /// Whether threads run the library's destructors at a pin: no code of it that could be using a thread-local is
    /// below that pin on the stack, unless it is a destructor's.
    pub(crate) fn is_retiring(&self) -> bool {
        self.retiring.load(Acquire) == self.entrances.load(Acquire)
    }
}
