//! Keeps the exit functions of plugins, and runs them when a library leaves or when the process ends.
//!
//! A library registers functions that are to run when the process ends or when the library is closed: with `atexit`,
//! and for each static of C++ code that has a destructor. The C library would run those of a library in `dlclose`,
//! under the dynamic linker's lock, where a slow one would hold up every load of another library. It might also run one
//! at the end of the process while another thread unmaps its library. Therefore the host keeps them:
//! - When a library leaves memory, its functions are [taken](take), and the retiring side runs them on a thread of
//!   their own before the last look.
//! - When the process ends, by `exit` or by returning from `main`, [`at_end`] first makes sure that nothing is closed
//!   any more, and then runs the functions of all libraries in reverse order of registration.
//!
//! `at_end` is one exit function of the host, registered before the first library is opened. So exit functions that the
//! host itself registers later run before it. None of them is code of a plugin, and the C library knows of no exit
//! function of a plugin. After `at_end`, the dynamic linker runs the destructors in the libraries' tables; by then
//! nothing is closed any more.
//!
//! `_exit`, `quick_exit`, and a signal run none of these functions.
use super::library::Library;
use super::mapped;
use crate::platform;
use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// An exit function with its library.
pub(crate) struct ExitFunction {
    library: Arc<Library>,
    function: mapped::ExitFunction,
}

impl ExitFunction {
    /// Runs the function. It was taken out of the list, so it runs once.
    pub(crate) fn run(self) {
        self.function.call();
    }
}

/// All exit functions that are still to run, in the order in which they were registered.
static FUNCTIONS: Mutex<Vec<ExitFunction>> = Mutex::new(Vec::new());

/// True once the process is ending. The lock is held while a library is closed.
static ENDING: Mutex<bool> = Mutex::new(false);
/// The thread that closes a library.
static CLOSER: AtomicI32 = AtomicI32::new(0);
/// The process in which [`prepare`] was called. A process with another id is a forked child of it.
static PROCESS: AtomicU32 = AtomicU32::new(0);

fn functions() -> MutexGuard<'static, Vec<ExitFunction>> {
    FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the C library call [`at_end`] when the process ends. This has to be called before a library is opened.
pub(super) fn prepare() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        PROCESS.store(std::process::id(), Relaxed);
        // If the function cannot be registered, nothing is closed.
        let registered = platform::at_process_end(at_end);
        *ENDING.lock().unwrap_or_else(PoisonError::into_inner) = !registered;
    });
}

/// Returns true if this process is a forked child of one that has opened a library. It has neither the threads nor the
/// locks of its parent.
pub(crate) fn is_forked() -> bool {
    ![0, std::process::id()].contains(&PROCESS.load(Relaxed))
}

/// Registers an exit function of the library.
pub(super) fn register(library: Arc<Library>, function: mapped::ExitFunction) -> c_int {
    functions().push(ExitFunction { library, function });
    0
}

/// Returns true if the library has exit functions that have not run.
pub(crate) fn has_functions(library: &Arc<Library>) -> bool {
    functions().iter().any(|f| Arc::ptr_eq(&f.library, library))
}

/// Takes the library's exit function that was registered last.
pub(crate) fn take(library: &Arc<Library>) -> Option<ExitFunction> {
    let mut functions = functions();
    let last = functions
        .iter()
        .rposition(|f| Arc::ptr_eq(&f.library, library))?;
    Some(functions.remove(last))
}

/// Runs `close` unless the process is ending, when nothing is closed any more.
pub(crate) fn unless_ending<R>(close: impl FnOnce() -> R) -> Option<R> {
    let ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    if *ending {
        return None;
    }
    CLOSER.store(platform::thread_id(), Relaxed);
    let closed = close();
    CLOSER.store(0, Relaxed);
    Some(closed)
}

/// Runs at the end of the process. Waits for a library that is being closed, so that the rest of the end sees only
/// whole libraries.
extern "C" fn at_end() {
    let is_child = is_forked();
    // A destructor of a library that is being closed may end the process on this thread. In a forked child, the thread
    // that held the lock may be missing, but nothing is closed there.
    if CLOSER.load(Relaxed) != platform::thread_id() && !is_child {
        *ENDING.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }
    let last = || match FUNCTIONS.try_lock() {
        Ok(mut functions) => functions.pop(),
        Err(TryLockError::Poisoned(functions)) => functions.into_inner().pop(),
        Err(TryLockError::WouldBlock) if is_child => None,
        Err(TryLockError::WouldBlock) => functions().pop(),
    };
    while let Some(function) = last() {
        // Its library is mapped, because the last functions are taken before a library is closed.
        function.run();
    }
}
