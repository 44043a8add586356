//! One record for each thread, with its hazard slot, what it has entered, and the destructors that plugins have left on
//! it.
//!
//! # Where a record lives
//! Records are allocated once and never freed. A thread gives its record back when it ends, and another thread takes
//! it. A thread reaches its record through a const thread-local without a destructor, which works before, during, and
//! after the destruction of thread-locals. A thread that ends with a pin in its slot (safe code may forget a pin) keeps
//! its record for ever: the slot goes on holding the value, and the holder can be named.
//!
//! # The end of a thread has two phases
//! 1. Among the host's own thread-locals, an entry in the C library's list runs the destructors of plugins'
//!    thread-locals. In this phase `thread::current()` and the host's thread-locals still work, which loggers need, and
//!    it is the only phase that runs on the main thread. Destructors that are registered from now on register the entry
//!    again.
//! 2. A destructor of the host's one key runs the remaining destructors, and then those of the values of plugins' keys.
//!    Then the record goes back.
//!
//! Within a thread, all thread-locals come before any key, until nothing is left. The reason is that std takes
//! `thread::current()` away in the destructor of a key, while the destructor of a thread-local may use another
//! thread-local, log, call a plugin, or spawn a thread. A record that is taken after the last round of keys belongs to
//! a dead thread, which the host recognizes by the thread's id and its start time.
//!
//! # Destructors of retired libraries
//! A thread that lives on runs them at its next pin, once the retiring side has [asked for
//! it](Record::run_pending_destructors). The destructors of a library run on the thread that registered them, or never:
//! those of values of a thread that is gone are counted as skipped.
mod destructors;
pub(crate) mod entered;

use super::slot::{Address, CallTarget, Slot};
use super::sync::{AtomicBool, AtomicU32, Mutex, MutexGuard, locked, per_thread};
use crate::platform;
use crate::reclaim::code::{Code, LeftDestructor};
pub(crate) use destructors::{Pending, pending_destructors};
pub(crate) use entered::Inside;
use hotswap_plugin::contract::shim::Key;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

/// Everything that the host knows of one thread.
#[repr(C, align(128))]
pub(crate) struct Record {
    /// A pin touches only this, which is in one cache line.
    slot: Slot,
    index: u32,
    /// Phase 1 is registered. Only the owning thread writes this.
    armed: AtomicBool,
    /// The number of values that nested pins hold by count. Only the owning thread writes this.
    holding: AtomicU32,
    state: Mutex<RecordState>,
}

#[derive(Default)]
struct RecordState {
    in_use: bool,
    /// The thread ended with a pin in its slot.
    orphaned: bool,
    tid: i32,
    /// The thread's name, once it has ended.
    name: String,
    /// The time at which the thread started. It is determined when the thread first has a destructor or a key: that
    /// takes longer than all the rest, and few threads need it.
    start: Option<u64>,
    destructors: Vec<(Arc<dyn Code>, LeftDestructor)>,
    keys: Vec<(Arc<dyn Code>, Key)>,
    /// The libraries of the destructors that are running.
    running: Vec<Address>,
    /// The values that nested pins hold by count, the newest one last.
    held: Vec<entered::HeldPin>,
    /// The library that started the thread.
    started_by: Option<Arc<dyn Code>>,
}

locked! {
    /// All records that were ever made. The argument about new slots in `pin` refers to this lock.
    ALL: Vec<&'static Record>;
    /// The records that no thread has.
    FREE: Vec<&'static Record>;
}

per_thread! {
    /// The calling thread's record, once it has one.
    MINE: Record;
}

/// Returns the calling thread's record.
#[inline(always)]
pub(crate) fn mine() -> &'static Record {
    match MINE.get() {
        Some(mine) => mine,
        None => acquire(),
    }
}

/// Returns the calling thread's record, if it has one.
pub(crate) fn known() -> Option<&'static Record> {
    MINE.get()
}

#[cold]
fn acquire() -> &'static Record {
    let free = lock(&FREE).pop();
    let record = free.unwrap_or_else(|| {
        let mut all = lock(&ALL);
        let record: &'static Record = Box::leak(Box::new(Record::new(all.len() as u32)));
        all.push(record);
        record
    });
    {
        let mut state = record.state();
        state.in_use = true;
        state.tid = platform::thread_id();
        state.start = None;
    }
    MINE.set(Some(record));
    platform::thread_key::after_thread_locals(destructors::last_phase, record);
    record
}

/// Gives back the record of the calling thread, which is about to end and has run its destructors. Returns the library
/// that started the thread.
fn give_back(record: &'static Record) -> Option<Arc<dyn Code>> {
    let mut state = record.state();
    MINE.set(None);
    let started_by = state.started_by.take();
    if !record.slot.has_pin() {
        state.in_use = false;
        record.slot.set_attention(false);
        state.held = Vec::new();
        record.holding.store(0, Relaxed);
        drop(state);
        lock(&FREE).push(record);
    } else {
        state.name = platform::thread_name(state.tid);
        state.orphaned = true;
    }
    started_by
}

impl Record {
    fn new(index: u32) -> Self {
        Record {
            slot: Slot::new(),
            index,
            armed: AtomicBool::new(false),
            holding: AtomicU32::new(0),
            state: Mutex::default(),
        }
    }

    /// The hazard slot, with the words that belong to it.
    #[inline(always)]
    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// A number that no other living thread has.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    fn state(&self) -> MutexGuard<'_, RecordState> {
        lock(&self.state)
    }
}

/// A thread, as reports name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadName {
    tid: i32,
    name: String,
    ended: bool,
}

impl fmt::Display for ThreadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = if self.ended { "ended " } else { "" };
        write!(f, "{ended}thread {} \"{}\"", self.tid, self.name)
    }
}

impl RecordState {
    fn thread(&self) -> ThreadName {
        let name = if self.orphaned {
            self.name.clone()
        } else {
            platform::thread_name(self.tid)
        };
        ThreadName {
            tid: self.tid,
            name,
            ended: self.orphaned,
        }
    }

    /// Notes that the thread, which is the calling one, has destructors or keys, which only it can run.
    fn has_work(&mut self) {
        if self.start.is_none() {
            self.start = platform::thread_start(self.tid);
        }
    }

    /// Returns false only if the thread has certainly ended, and so cannot run its destructors.
    fn is_alive(&self) -> bool {
        self.in_use && !self.orphaned && !platform::has_ended(self.tid, self.start)
    }
}

/// Returns true if the slot of any thread holds the address. The caller has switched and run the heavy barrier.
pub(crate) fn is_pinned(address: Address) -> bool {
    lock(&ALL).iter().any(|record| record.slot.holds(address))
}

/// Returns the threads whose slot holds the address. An empty result proves what a false one of [`is_pinned`] does; the
/// names are for people to read.
pub(crate) fn slot_holders(address: Address) -> Vec<Inside> {
    entered::inside(|at, _| at == address)
}

/// The number of watched calls of this target that all threads have begun so far. [`CallTarget::ANYTHING`] stands for those
/// that may have gone to any plugin.
pub(crate) fn watched_calls(target: CallTarget) -> u64 {
    let records = lock(&ALL);
    let counts = records.iter().map(|record| record.slot.watched(target));
    counts.fold(0, u64::wrapping_add)
}

/// Lets each thread time its next watched call of this target.
pub(crate) fn time_next_calls(target: CallTarget) {
    let records = lock(&ALL);
    records.iter().for_each(|it| it.slot.time_next(target));
}

/// The number of records.
#[cfg(test)]
pub(crate) fn count() -> usize {
    lock(&ALL).len()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
