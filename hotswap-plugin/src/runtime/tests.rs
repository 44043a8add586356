//! Tests of the runtime where the system has no thread for it, and of what is forgotten in it.
#![allow(unsafe_code, reason = "it has a function in place of the C library's")]
use super::{Use, stop, within};
use crate::boundary::Later;
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::mem::transmute;
use std::ptr::without_provenance_mut;
use std::sync::Mutex;
use tokio::runtime::Handle;

thread_local! {
    /// True on a thread that cannot start another one.
    static FAILS: Cell<bool> = const { Cell::new(false) };
}

/// The runtime of this program, which one test uses at a time.
static RUNTIME: Mutex<()> = Mutex::new(());

type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Replaces the C library's function in this whole test program, and fails like a limit of the system.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    const EAGAIN: c_int = 11;
    const RTLD_NEXT: usize = usize::MAX;
    type Real = unsafe extern "C" fn(*mut c_void, *const c_void, Start, *mut c_void) -> c_int;
    if FAILS.get() {
        return EAGAIN;
    }
    // SAFETY: the name is a C string, and the C library has a function of this name and type. The caller keeps
    // its contract.
    unsafe {
        let real = dlsym(
            without_provenance_mut(RTLD_NEXT),
            c"pthread_create".as_ptr(),
        );
        transmute::<*mut c_void, Real>(real)(thread, attributes, start, argument)
    }
}

/// The host stops the runtimes of plugins that own objects of each other, and drops these objects afterwards.
#[test]
fn what_is_dropped_when_no_runtime_can_start_again_is_dropped_without() {
    let _alone = RUNTIME.lock().unwrap();
    Use::begin().unwrap().leave();
    stop();
    FAILS.set(true);
    assert!(Use::begin().is_err(), "an error, and no panic");
    // The drop goes through a C function, which cannot unwind.
    drop(Later::new(async {}));
    FAILS.set(false);
    assert!(within(|| Handle::try_current().is_ok()));
    drop(Use::taken_up());
}

/// tokio panics when a guard is dropped after one that was made later, and was forgotten.
#[test]
fn a_forgotten_guard_in_a_drop_is_no_panic_of_the_c_function() {
    struct Forgetful;
    impl Drop for Forgetful {
        fn drop(&mut self) {
            std::mem::forget(crate::task::handle().enter());
        }
    }
    let _alone = RUNTIME.lock().unwrap();
    Use::begin().unwrap().leave();
    let (forgetful, thread) = (Forgetful, std::thread::Builder::new());
    let forget = || drop(Later::new(async move { drop(forgetful) }));
    thread.spawn(forget).unwrap().join().unwrap();
    drop(Use::taken_up());
}
