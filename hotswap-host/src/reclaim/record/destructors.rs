//! Registers, runs, and finds the destructors of plugins' thread-locals, and the values of plugins' keys.
use super::{ALL, Record, ThreadName, give_back, lock};
use crate::platform;
use crate::reclaim::code::{self, Code, LeftDestructor};
use crate::reclaim::slot::Address;
use hotswap_plugin::contract::shim::{Destructor, Key};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering::*;

/// Runs the destructors of plugins' thread-locals, among those of the host.
extern "C" fn first_phase(record: &'static Record) {
    record.armed.store(false, Relaxed);
    record.run(|_| true, Keys::Leave);
}

/// Runs the remaining destructors and gives the record back.
pub(super) extern "C" fn last_phase(record: &'static Record) {
    // The C library has gone through its list for the last time.
    record.armed.store(true, Relaxed);
    record.run(|_| true, Keys::Run);
    record.armed.store(false, Relaxed);
    if let Some(library) = give_back(record) {
        // This comes last: no code of the plugin runs on this thread any more.
        library.thread_ended();
    }
}

/// Says whether a round of destructors also takes the values of keys.
#[derive(Clone, Copy, PartialEq)]
enum Keys {
    Leave,
    Run,
}

enum Job {
    Destructor(LeftDestructor),
    Key(Key),
}

impl Record {
    /// Runs the destructors of retired libraries if the retiring side has asked for it.
    pub(crate) fn run_pending_destructors(&self) {
        if self.slot.wants_attention() {
            self.run_retired();
        }
    }

    #[cold]
    #[inline(never)]
    fn run_retired(&self) {
        // A destructor that pins may be using other thread-locals. Their destructors wait until it has returned.
        if self.state().running.is_empty() {
            self.slot.set_attention(false);
            self.run(|library| library.activity().is_retiring(), Keys::Run);
        }
    }

    /// Runs everything that plugins have left on the calling thread, which owns the record and calls no plugin any
    /// more.
    pub(crate) fn run_all(&self) {
        self.run(|_| true, Keys::Run);
    }

    /// Registers a destructor of a thread-local on the calling thread, which owns the record.
    pub(crate) fn add_destructor(
        &'static self,
        library: Arc<dyn Code>,
        run: Destructor,
        object: *mut c_void,
    ) {
        let mut state = self.state();
        state.has_work();
        state
            .destructors
            .push((library.clone(), LeftDestructor::new(run, object)));
        drop(state);
        library.activity().listed();
        if !self.armed.swap(true, Relaxed) {
            platform::at_thread_exit(first_phase, self);
        }
    }

    /// Registers that the calling thread, which owns the record, has a value of this key.
    pub(crate) fn add_key(&self, library: Arc<dyn Code>, key: Key) {
        let mut state = self.state();
        if !state
            .keys
            .iter()
            .any(|(of, known)| code::same(&**of, &*library) && *known == key)
        {
            state.has_work();
            state.keys.push((library.clone(), key));
        }
        drop(state);
        library.activity().listed();
    }

    /// Registers that the library started the calling thread, which owns the record.
    pub(crate) fn set_started_by(&self, library: Arc<dyn Code>) {
        self.state().started_by = Some(library);
    }

    /// Runs destructors on the owning thread until none is left: first those of thread-locals, the newest first, then
    /// those of keys.
    fn run(&self, of: impl Fn(&dyn Code) -> bool, keys: Keys) {
        while let Some((library, job)) = self.next_job(&of, keys) {
            // No lock is held here, because a destructor may register others, log, call a plugin, and spawn threads.
            match job {
                Job::Destructor(left) => left.run(),
                Job::Key(key) => run_key(&*library, key),
            }
            library.count_destructors_run(1);
            self.state().running.pop();
        }
    }

    fn next_job(
        &self,
        of: &impl Fn(&dyn Code) -> bool,
        keys: Keys,
    ) -> Option<(Arc<dyn Code>, Job)> {
        let mut state = self.state();
        let (library, job) = if let Some(at) = state.destructors.iter().rposition(|d| of(&*d.0)) {
            let (library, left) = state.destructors.remove(at);
            (library, Job::Destructor(left))
        } else {
            let at = state
                .keys
                .iter()
                .position(|k| keys == Keys::Run && of(&*k.0))?;
            let (library, key) = state.keys.remove(at);
            (library, Job::Key(key))
        };
        state.running.push(Address::of(Arc::as_ptr(&library)));
        Some((library, job))
    }
}

fn run_key(library: &dyn Code, key: Key) {
    // A key that the library has deleted has no destructor.
    let Some(destructor) = library.key_destructor(key) else {
        return;
    };
    let value = platform::take_key_value(key);
    if !value.is_null() {
        // The C library, too, takes the value away before it passes it to the destructor of the key.
        LeftDestructor::new(destructor, value).run();
    }
}

/// The destructors of a library that are still to run.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) threads: Vec<ThreadName>,
    pub(crate) destructors: usize,
}

/// Finds the library's destructors on all threads. Living threads are asked to run theirs. Those of dead threads, and
/// with `skip` those of living ones, too, are removed and counted as skipped.
pub(crate) fn pending_destructors(library: &dyn Code, skip: bool) -> Pending {
    let records = lock(&ALL).clone();
    let mut pending = Pending::default();
    for record in records {
        let mut state = record.state();
        let left = state
            .destructors
            .iter()
            .filter(|d| code::same(&*d.0, library))
            .count()
            + state
                .keys
                .iter()
                .filter(|k| code::same(&*k.0, library))
                .count();
        let running = state.running.contains(&Address::of(&raw const *library));
        if left == 0 && !running {
            continue;
        }
        if !running && (skip || !state.is_alive()) {
            state.destructors.retain(|d| !code::same(&*d.0, library));
            state.keys.retain(|k| !code::same(&*k.0, library));
            library.count_destructors_skipped(left);
            continue;
        }
        record.slot.set_attention(true);
        pending.destructors += left + usize::from(running);
        pending.threads.push(state.thread());
    }
    pending
}
