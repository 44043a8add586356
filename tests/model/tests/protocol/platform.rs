//! The services of the operating system for threads, provided for the threads of the model.
use std::cell::{Cell, RefCell};
use std::ffi::c_void;

loom::thread_local! {
    static AT_EXIT: RefCell<Vec<Box<dyn FnOnce()>>> = RefCell::new(Vec::new());
    static AFTERWARDS: Cell<Option<Box<dyn FnOnce()>>> = Cell::new(None);
}

pub(crate) fn at_thread_exit<T>(run: extern "C" fn(&'static T), value: &'static T) {
    AT_EXIT.with(|list| list.borrow_mut().push(Box::new(move || run(value))));
}

/// The value of the key, with its destructor.
pub(crate) mod thread_key {
    use super::*;

    pub(crate) fn after_thread_locals<T>(run: extern "C" fn(&'static T), argument: &'static T) {
        AFTERWARDS.with(|value| value.set(Some(Box::new(move || run(argument)))));
    }
}

/// Ends a thread: runs everything that was registered with the functions above.
pub(crate) fn end_thread() {
    while let Some(run) = AT_EXIT.with(|list| list.borrow_mut().pop()) {
        run();
    }
    while let Some(run) = AFTERWARDS.with(Cell::take) {
        run();
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
