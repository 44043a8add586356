//! The services of the operating system for threads, provided for the threads of the model.
use std::cell::{Cell, RefCell};
use std::ffi::c_void;

type Run = unsafe extern "C" fn(*mut c_void);

loom::thread_local! {
    static AT_EXIT: RefCell<Vec<(Run, *mut c_void)>> = RefCell::new(Vec::new());
    static AFTERWARDS: Cell<Option<(Run, *const c_void)>> = Cell::new(None);
}

pub(crate) unsafe fn at_thread_exit(run: Run, object: *mut c_void) {
    AT_EXIT.with(|list| list.borrow_mut().push((run, object)));
}

/// The value of the key, with its destructor.
pub(crate) mod thread_key {
    use super::*;

    pub(crate) unsafe fn after_thread_locals(run: Run, argument: *const c_void) {
        AFTERWARDS.with(|value| value.set((!argument.is_null()).then_some((run, argument))));
    }
}

/// Ends a thread: runs everything that was registered with the functions above.
pub(crate) fn end_thread() {
    while let Some((run, object)) = AT_EXIT.with(|list| list.borrow_mut().pop()) {
        // SAFETY: the caller of `at_thread_exit` has promised that `run` may be called once with `object`.
        unsafe { run(object) };
    }
    while let Some((run, argument)) = AFTERWARDS.with(Cell::take) {
        // SAFETY: the caller of `after_thread_locals` has promised that `run` may be called once with `argument`.
        unsafe { run(argument.cast_mut()) };
    }
}

/// No library of the model has keys.
pub(crate) fn take_key_value(_: u32) -> *mut c_void {
    std::ptr::null_mut()
}

/// Returns false, since the checker knows only fences.
pub(crate) mod membarrier {
    pub(crate) fn register() -> bool {
        false
    }

    pub(crate) fn run() -> bool {
        unreachable!("`membarrier` is not registered")
    }
}

pub(crate) fn thread_id() -> i32 {
    0
}

pub(crate) fn thread_name(_: i32) -> String {
    String::new()
}

pub(crate) fn thread_start(_: i32) -> Option<u64> {
    None
}

/// Returns false: all threads whose records are looked at are alive.
pub(crate) fn has_ended(_: i32, _: Option<u64>) -> bool {
    false
}
