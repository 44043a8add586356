//! One record a thread: its hazard slot, and the destructors that plugins have left on it.
//!
//! # Where it lives
//! Records are allocated once and never freed; a thread gives its record back when it ends, and another takes it. The
//! thread reaches its record through a const thread-local without a destructor, which works before, during and after
//! the destruction of thread-locals. A thread that ends with a pin in its slot (a pin may be forgotten in safe code)
//! keeps the record for ever: the slot goes on holding, and the holder can be named.
//!
//! # The end of a thread has two phases
//! 1. Among the host's own thread-locals, from an entry in the C library's list: destructors of plugins'
//!    thread-locals. `thread::current()` and the host's thread-locals still work, which loggers need, and it is the
//!    only phase that runs on the main thread. Destructors that are registered from now on register the entry again.
//! 2. From the host's one key: what is left, then the values of plugins' keys; then the record goes back.
//!
//! Within a thread all thread-locals come before any key, to a fixed point: std takes `thread::current()` away in a
//! key's destructor, and a thread-local's destructor may use another thread-local, log, call a plugin or spawn. A
//! record that is taken after the last round of keys belongs to a dead thread: known by the thread's id and start time.
//!
//! # Destructors of retired libraries
//! A thread that lives on runs them at its next pin, when the retiring side has set [`attention`](Record::attend). A
//! library's destructors run on the thread that registered them, or never: values of a thread that is gone are counted
//! as skipped.
use crate::load::library::Library;
use crate::platform;
use hotswap_plugin::contract::shim::{Destructor, Key};
use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::panic::Location;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// What the host knows of one thread.
#[repr(C, align(128))]
pub(crate) struct Record {
    // All that a pin touches, in one cache line.
    slot: AtomicPtr<()>,
    attention: AtomicBool,
    /// Pins that share the slot. Written by the owning thread alone.
    depth: AtomicU32,
    /// Where an explicit pin was made; null for a call.
    pinned_at: AtomicPtr<Location<'static>>,

    index: u32,
    /// Phase 1 is registered. Written by the owning thread alone.
    armed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    in_use: bool,
    /// The thread ended with a pin in its slot.
    orphaned: bool,
    tid: i32,
    /// The thread's name, once it has ended.
    name: String,
    start: Option<u64>,
    destructors: Vec<(Arc<Library>, Destructor, Object)>,
    keys: Vec<(Arc<Library>, Key)>,
    running: Vec<*const Library>,
    /// The library that started the thread.
    started_by: Option<Arc<Library>>,
}

/// The argument of a destructor.
struct Object(*mut c_void);

// SAFETY: only handed to its destructor, on the thread that registered it.
unsafe impl Send for Object {}
// SAFETY: the addresses in `running` are compared, never followed.
unsafe impl Send for State {}

/// All records there ever were. Also the lock of the argument about new slots: see `pin`.
static ALL: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());
static FREE: Mutex<Vec<&'static Record>> = Mutex::new(Vec::new());

thread_local! {
    static MINE: Cell<*const Record> = const { Cell::new(null()) };
}

/// The calling thread's record.
#[inline(always)]
pub(crate) fn mine() -> &'static Record {
    let mine = MINE.get();
    if mine.is_null() {
        acquire()
    } else {
        // SAFETY: records are never freed.
        unsafe { &*mine }
    }
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
        state.start = platform::thread_start(state.tid);
    }
    MINE.set(record);
    // Also while keys are being destroyed: the C library then makes another round, up to four in all.
    // SAFETY: the key exists, and its destructor wants a record, which is never freed.
    unsafe { libc::pthread_setspecific(exit_key(), (&raw const *record).cast()) };
    record
}

/// The host's one key.
fn exit_key() -> libc::pthread_key_t {
    static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: `second_phase` gets what `acquire` sets.
        let result = unsafe { libc::pthread_key_create(&mut key, Some(second_phase)) };
        assert_eq!(
            result, 0,
            "out of thread-specific keys: the process has used all of them"
        );
        key
    })
}

unsafe extern "C" fn first_phase(record: *mut c_void) {
    // SAFETY: `arm` passes a record.
    let record = unsafe { &*record.cast::<Record>() };
    record.armed.store(false, Relaxed);
    record.run(|_| true, Keys::Leave);
}

unsafe extern "C" fn second_phase(record: *mut c_void) {
    // SAFETY: `acquire` sets a record.
    let record = unsafe { &*record.cast::<Record>() };
    // The C library has run its list for the last time.
    record.armed.store(true, Relaxed);
    record.run(|_| true, Keys::Run);
    record.armed.store(false, Relaxed);
    let started_by = {
        let mut state = record.state();
        MINE.set(null());
        let started_by = state.started_by.take();
        if record.slot.load(Relaxed).is_null() {
            state.in_use = false;
            record.attention.store(false, Relaxed);
            drop(state);
            lock(&FREE).push(record);
        } else {
            state.name = platform::thread_name(state.tid);
            state.orphaned = true;
        }
        started_by
    };
    if let Some(library) = started_by {
        // Last: nothing of the plugin's runs on this thread any more.
        library.thread_ended();
    }
}

/// Whether a round of destructors takes the values of keys too.
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
    fn new(index: u32) -> Self {
        Record {
            slot: AtomicPtr::new(null_mut()),
            attention: AtomicBool::new(false),
            depth: AtomicU32::new(0),
            pinned_at: AtomicPtr::new(null_mut()),
            index,
            armed: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// The hazard slot. Null when nothing is pinned.
    #[inline(always)]
    pub(super) fn slot(&self) -> &AtomicPtr<()> {
        &self.slot
    }

    /// How many pins share the slot.
    #[inline(always)]
    pub(crate) fn depth(&self) -> u32 {
        self.depth.load(Relaxed)
    }

    #[inline(always)]
    pub(super) fn set_depth(&self, depth: u32) {
        self.depth.store(depth, Relaxed);
    }

    /// Whether this thread has something pinned.
    pub(crate) fn has_pin(&self) -> bool {
        !self.slot.load(Relaxed).is_null()
    }

    /// Remembers where the pin in the slot was made, or that it is a call's.
    pub(crate) fn set_pinned_at(&self, at: Option<&'static Location<'static>>) {
        let at = at.map_or(null_mut(), |at| (&raw const *at).cast_mut());
        self.pinned_at.store(at, Relaxed);
    }

    /// A number that no other living thread has.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Runs the destructors of retired libraries, if the retiring side has asked for it.
    #[inline(always)]
    pub(crate) fn attend(&self) {
        if self.attention.load(Relaxed) {
            self.run_retired();
        }
    }

    #[cold]
    #[inline(never)]
    fn run_retired(&self) {
        self.attention.store(false, Relaxed);
        self.run(Library::is_retiring, Keys::Run);
    }

    /// Registers a destructor of a thread-local on the calling thread, which owns the record.
    pub(crate) fn add_destructor(
        &self,
        library: Arc<Library>,
        run: Destructor,
        object: *mut c_void,
    ) {
        self.state()
            .destructors
            .push((library, run, Object(object)));
        if !self.armed.swap(true, Relaxed) {
            // SAFETY: records are never freed.
            unsafe { platform::at_thread_exit(first_phase, (&raw const *self).cast_mut().cast()) };
        }
    }

    /// Registers that the calling thread, which owns the record, has a value of this key.
    pub(crate) fn add_key(&self, library: Arc<Library>, key: Key) {
        let mut state = self.state();
        if !state
            .keys
            .iter()
            .any(|(of, known)| Arc::ptr_eq(of, &library) && *known == key)
        {
            state.keys.push((library, key));
        }
    }

    /// Registers that the library started the calling thread, which owns the record.
    pub(crate) fn set_started_by(&self, library: Arc<Library>) {
        self.state().started_by = Some(library);
    }

    /// Runs destructors on the owning thread until none is left: thread-locals first, newest first, then keys.
    fn run(&self, of: impl Fn(&Library) -> bool, keys: Keys) {
        while let Some((library, job)) = self.next_job(&of, keys) {
            // No lock is held: a destructor may register, log, call and spawn.
            match job {
                // SAFETY: registered on this thread, taken out of the list and so run once; the library is mapped,
                // since it waits for its destructors.
                Job::Destructor(run, object) => unsafe { run(object.0) },
                Job::Key(key) => run_key(&library, key),
            }
            library.count_destructors_run(1);
            self.state().running.pop();
        }
    }

    fn next_job(&self, of: &impl Fn(&Library) -> bool, keys: Keys) -> Option<(Arc<Library>, Job)> {
        let mut state = self.state();
        let (library, job) = if let Some(at) = state.destructors.iter().rposition(|d| of(&d.0)) {
            let (library, run, object) = state.destructors.remove(at);
            (library, Job::Destructor(run, object))
        } else {
            let at = state
                .keys
                .iter()
                .position(|k| keys == Keys::Run && of(&k.0))?;
            let (library, key) = state.keys.remove(at);
            (library, Job::Key(key))
        };
        state.running.push(Arc::as_ptr(&library));
        Some((library, job))
    }
}

fn run_key(library: &Library, key: Key) {
    // SAFETY: the library's key, which it has not deleted: `key_destructor` would not know it.
    let value = unsafe { libc::pthread_getspecific(key) };
    if let (false, Some(destructor)) = (value.is_null(), library.key_destructor(key)) {
        // SAFETY: as the C library does it: the value is taken away first.
        unsafe {
            libc::pthread_setspecific(key, null());
            destructor(value);
        }
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

impl State {
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

    fn is_alive(&self) -> bool {
        self.in_use && !self.orphaned && platform::thread_start(self.tid) == self.start
    }
}

/// Who holds an address in a slot.
pub(crate) struct SlotHolder {
    pub(crate) thread: ThreadName,
    /// Where the pin was made; `None` for a call.
    pub(crate) pinned_at: Option<&'static Location<'static>>,
}

/// Whether any thread's slot holds the address. The caller has switched and fenced.
pub(crate) fn is_pinned(address: *const ()) -> bool {
    lock(&ALL)
        .iter()
        .any(|record| record.slot.load(Acquire).cast_const() == address)
}

/// The threads whose slot holds the address.
pub(crate) fn slot_holders(address: *const ()) -> Vec<SlotHolder> {
    let holding = |record: &&&'static Record| record.slot.load(Acquire).cast_const() == address;
    let records: Vec<_> = lock(&ALL).iter().filter(holding).copied().collect();
    let holder = |record: &'static Record| {
        // SAFETY: null, or a location of a caller's, which is constant.
        let pinned_at = unsafe { record.pinned_at.load(Relaxed).as_ref() };
        SlotHolder {
            thread: record.state().thread(),
            pinned_at,
        }
    };
    records.into_iter().map(holder).collect()
}

/// Destructors of a library that are still to run.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) threads: Vec<ThreadName>,
    pub(crate) destructors: usize,
}

/// Finds the library's destructors on all threads. Living threads are asked to run theirs; those of dead threads are
/// skipped and counted, and with `skip` those of the living too.
pub(crate) fn pending_destructors(library: &Arc<Library>, skip: bool) -> Pending {
    let records = lock(&ALL).clone();
    let mut pending = Pending::default();
    for record in records {
        let mut state = record.state();
        let left = state
            .destructors
            .iter()
            .filter(|d| Arc::ptr_eq(&d.0, library))
            .count()
            + state
                .keys
                .iter()
                .filter(|k| Arc::ptr_eq(&k.0, library))
                .count();
        let running = state.running.contains(&Arc::as_ptr(library));
        if left == 0 && !running {
            continue;
        }
        if !running && (skip || !state.is_alive()) {
            state.destructors.retain(|d| !Arc::ptr_eq(&d.0, library));
            state.keys.retain(|k| !Arc::ptr_eq(&k.0, library));
            library.count_destructors_skipped(left);
            continue;
        }
        record.attention.store(true, Release);
        pending.destructors += left + usize::from(running);
        pending.threads.push(state.thread());
    }
    pending
}

/// How many records there are.
#[cfg(test)]
pub(crate) fn count() -> usize {
    lock(&ALL).len()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
