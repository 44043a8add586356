//! Registers, runs, and finds the destructors of plugins' thread-locals, and the values of plugins' keys.
use super::{ALL, Object, Record, ThreadName, give_back, lock};
use crate::platform;
use crate::reclaim::code::{self, Code};
use hotswap_plugin::contract::shim::{Destructor, Key};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering::*;

/// Runs the destructors of plugins' thread-locals, among those of the host.
unsafe extern "C" fn first_phase(record: *mut c_void) {
    // SAFETY: `add_destructor` registers this function with a record, and records are never freed.
    let record = unsafe { &*record.cast::<Record>() };
    record.armed.store(false, Relaxed);
    record.run(|_| true, Keys::Leave);
}

/// Runs the remaining destructors and gives the record back.
pub(super) unsafe extern "C" fn last_phase(record: *mut c_void) {
    // SAFETY: `acquire` registers this function with a record, and records are never freed.
    let record = unsafe { &*record.cast::<Record>() };
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
    Destructor(Destructor, Object),
    Key(Key),
}

impl Record {
    /// Returns true if the retiring side has asked the thread to [run its pending
    /// destructors](Self::run_pending_destructors).
    #[inline(always)]
    pub(crate) fn has_pending_destructors(&self) -> bool {
        self.attention.load(Relaxed)
    }

    /// Runs the destructors of retired libraries if the retiring side has asked for it.
    pub(crate) fn run_pending_destructors(&self) {
        if self.has_pending_destructors() {
            self.run_retired();
        }
    }

    #[cold]
    #[inline(never)]
    fn run_retired(&self) {
        // A destructor that pins may be using other thread-locals. Their destructors wait until it has returned.
        if self.state().running.is_empty() {
            self.attention.store(false, Relaxed);
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
        &self,
        library: Arc<dyn Code>,
        run: Destructor,
        object: *mut c_void,
    ) {
        let mut state = self.state();
        state.has_work();
        state
            .destructors
            .push((library.clone(), run, Object(object)));
        drop(state);
        library.activity().listed();
        if !self.armed.swap(true, Relaxed) {
            // SAFETY: `first_phase` expects a record, and records are never freed.
            unsafe { platform::at_thread_exit(first_phase, (&raw const *self).cast_mut().cast()) };
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
                // SAFETY: the destructor was registered on this thread with this argument, and `next_job` has removed
                // it from the list, so it runs once. The library is mapped, because it is not unmapped while the record
                // lists `running`.
                Job::Destructor(run, object) => unsafe { run(object.0) },
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
            let (library, run, object) = state.destructors.remove(at);
            (library, Job::Destructor(run, object))
        } else {
            let at = state
                .keys
                .iter()
                .position(|k| keys == Keys::Run && of(&*k.0))?;
            let (library, key) = state.keys.remove(at);
            (library, Job::Key(key))
        };
        state.running.push(Arc::as_ptr(&library).cast());
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
        // SAFETY: this does what the C library does: it takes the value away first, and then passes it to the
        // destructor of its own key.
        unsafe { destructor(value) };
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
        let running = state.running.contains(&(&raw const *library).cast());
        if left == 0 && !running {
            continue;
        }
        if !running && (skip || !state.is_alive()) {
            state.destructors.retain(|d| !code::same(&*d.0, library));
            state.keys.retain(|k| !code::same(&*k.0, library));
            library.count_destructors_skipped(left);
            continue;
        }
        record.attention.store(true, Relaxed);
        pending.destructors += left + usize::from(running);
        pending.threads.push(state.thread());
    }
    pending
}
