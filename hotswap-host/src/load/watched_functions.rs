//! The functions behind the [`ShimTable`](Table), which plugins call in place of those of the C library.
//!
//! They turn the arguments into references, and pass them on. Code of the library that the token names calls each of
//! them. A library that is barred is being closed: only its own destructors still run, and the library would be gone
//! before anything that they begin could run in it.
//!
//! Unsafe code: plugins pass addresses, as callers of the C library do.
#![allow(unsafe_code)]
use super::library::Library;
use super::mapped::{ExitFunction, ForkFunction};
use super::objects;
use super::table::Table;
use super::{environment, exit, fork, signals};
use crate::platform;
use crate::reclaim::code::Code;
use crate::reclaim::record;
use hotswap_plugin::contract::shim::{
    Destructor, Environment, ForkHandler, Key, SignalCall, StartRoutine, Thread, Token,
};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::Arc;

/// Makes the table of the library that the token names.
pub(crate) fn table(token: Token) -> Table {
    Table {
        token,
        thread_atexit,
        key_create,
        key_delete,
        key_set,
        thread_create,
        at_exit,
        at_fork,
        signal_action,
        signal,
        environment: Environment {
            get: get_variable,
            set: set_variable,
            put: put_variable,
            unset: unset_variable,
            clear: environment::clear,
        },
    }
}

/// Returns the library that a token names, for the functions of the table.
fn library_of(token: Token) -> Arc<Library> {
    // SAFETY: only code of a library has the table with its token, and passes the token to these functions.
    unsafe { objects::library_of(token) }
}

unsafe extern "C" fn thread_atexit(token: Token, run: Destructor, object: *mut c_void) -> c_int {
    let library = library_of(token);
    if library.activity().is_barred() {
        library.count_destructors_skipped(1);
        return -1;
    }
    record::mine().add_destructor(library, run, object);
    0
}

unsafe extern "C" fn key_create(
    token: Token,
    key: *mut Key,
    destructor: Option<Destructor>,
) -> c_int {
    let library = library_of(token);
    if library.activity().is_barred() {
        return libc::EAGAIN;
    }
    // The real key has no destructor, so that nothing in the C library points into the plugin.
    // SAFETY: the plugin's caller of `pthread_key_create` guarantees that `key` may be written. It is read after it was
    // written.
    unsafe {
        let result = libc::pthread_key_create(key, None);
        if result == 0 {
            library.add_key(*key, destructor);
        }
        result
    }
}

unsafe extern "C" fn key_delete(token: Token, key: Key) -> c_int {
    let library = library_of(token);
    library.forget_key(key);
    platform::delete_key(key)
}

unsafe extern "C" fn key_set(token: Token, key: Key, value: *const c_void) -> c_int {
    let library = library_of(token);
    let is_barred = library.activity().is_barred();
    if !value.is_null() && !is_barred && library.key_destructor(key).is_some() {
        record::mine().add_key(library, key);
    }
    // SAFETY: the plugin's caller of `pthread_setspecific` keeps its requirements.
    unsafe { libc::pthread_setspecific(key, value) }
}

/// The type of [`thread_main`].
type Main = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

struct Boot {
    library: Arc<Library>,
    start: StartRoutine,
    argument: *mut c_void,
}

impl Boot {
    /// Begins the thread. Returns the plugin's function and its argument.
    fn begin(self) -> (StartRoutine, *mut c_void) {
        self.library.thread_begins();
        // The thread is subtracted from the count when it ends, after its destructors.
        record::mine().set_started_by(self.library);
        (self.start, self.argument)
    }
}

/// Runs a thread of a plugin.
///
/// C code may end the thread below this frame: `pthread_exit` and `pthread_cancel` unwind the stack. There is nothing to
/// drop here by then.
extern "C-unwind" fn thread_main(boot: *mut c_void) -> *mut c_void {
    // SAFETY: `thread_create` passes a `Boot` in a box, once.
    let (start, argument) = unsafe { *Box::from_raw(boot.cast::<Boot>()) }.begin();
    // SAFETY: the plugin asked `pthread_create` to call this function with this argument.
    unsafe { start(argument) }
}

unsafe extern "C" fn thread_create(
    token: Token,
    thread: *mut Thread,
    attributes: *const c_void,
    start: StartRoutine,
    argument: *mut c_void,
) -> c_int {
    let library = library_of(token);
    if library.activity().is_barred() {
        return libc::EAGAIN;
    }
    library.activity().thread_made();
    let boot = Box::into_raw(Box::new(Boot {
        library: library.clone(),
        start,
        argument,
    }));
    // SAFETY: both types of functions are called in the same way, and the C library allows for a start function that
    // unwinds.
    let main = unsafe { transmute::<Main, extern "C" fn(*mut c_void) -> *mut c_void>(thread_main) };
    // SAFETY: the plugin's caller of `pthread_create` guarantees its pointers, and `thread_main` takes the box.
    let result =
        unsafe { libc::pthread_create(thread.cast(), attributes.cast(), main, boot.cast()) };
    if result != 0 {
        // SAFETY: no thread was made, so the box still belongs to this function.
        drop(unsafe { Box::from_raw(boot) });
        library.activity().thread_gone();
    }
    result
}

unsafe extern "C" fn at_exit(token: Token, run: Destructor, argument: *mut c_void) -> c_int {
    let library = library_of(token);
    if library.activity().is_barred() {
        return -1;
    }
    exit::register(library, ExitFunction::new(run, argument))
}

unsafe extern "C" fn at_fork(
    token: Token,
    prepare: Option<ForkHandler>,
    parent: Option<ForkHandler>,
    child: Option<ForkHandler>,
) -> c_int {
    let library = library_of(token);
    if library.activity().is_barred() {
        return libc::ENOMEM;
    }
    fork::register(
        library,
        fork::Handlers {
            prepare: prepare.map(ForkFunction::new),
            parent: parent.map(ForkFunction::new),
            child: child.map(ForkFunction::new),
        },
    )
}

unsafe extern "C" fn signal_action(
    token: Token,
    signal: c_int,
    action: *const c_void,
    before: *mut c_void,
) -> c_int {
    let library = library_of(token);
    // SAFETY: the pointer is null, or the plugin's caller of `sigaction` lends the action.
    let action = unsafe { action.cast::<libc::sigaction>().as_ref() };
    let Some(done) = signals::signal_action(&library, signal, action.copied()) else {
        return -1;
    };
    if !before.is_null() {
        // SAFETY: the plugin's caller of `sigaction` guarantees that `before` may be written.
        unsafe { before.cast::<libc::sigaction>().write(done) };
    }
    0
}

unsafe extern "C" fn signal(
    token: Token,
    call: SignalCall,
    signal: c_int,
    handler: usize,
) -> usize {
    let library = library_of(token);
    signals::signal(&library, call, signal, handler)
}

/// Returns the text at an address, or `None` if the address is null.
///
/// # Safety
/// The address is null, or that of a C string that lives for `'a`.
unsafe fn text<'a>(address: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller guarantees that the address is that of a C string if it is not null.
    (!address.is_null()).then(|| unsafe { CStr::from_ptr(address) })
}

unsafe extern "C" fn get_variable(name: *const c_char) -> *mut c_char {
    // SAFETY: the plugin's caller of `getenv` passes a C string.
    let name = unsafe { text(name) };
    let value = name.and_then(environment::get);
    value.map_or(null_mut(), |value| value.as_ptr().cast_mut())
}

unsafe extern "C" fn set_variable(
    name: *const c_char,
    value: *const c_char,
    overwrite: c_int,
) -> c_int {
    // SAFETY: the plugin's caller of `setenv` passes C strings.
    match unsafe { (text(name), text(value)) } {
        (Some(name), Some(value)) => environment::set(name, value, overwrite != 0),
        _ => libc::EINVAL,
    }
}

unsafe extern "C" fn put_variable(assignment: *const c_char) -> c_int {
    // SAFETY: the plugin's caller of `putenv` passes a C string.
    unsafe { text(assignment) }.map_or(libc::EINVAL, environment::put)
}

unsafe extern "C" fn unset_variable(name: *const c_char) -> c_int {
    // SAFETY: the plugin's caller of `unsetenv` passes a C string.
    unsafe { text(name) }.map_or(libc::EINVAL, environment::unset)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;
    use std::io::Error;
    use std::mem::zeroed;
    use std::ptr::null;

    extern "C" fn handle(_: c_int) {}

    unsafe extern "C" fn drop_value(_: *mut c_void) {}

    #[test]
    fn a_library_that_is_being_closed_leaves_no_value_of_a_key() {
        let library = Library::unopened();
        let table = table(library.token());
        let (mut key, value) = (0, (&raw const library).cast());
        let set = |key, value| {
            // SAFETY: the token names a library, the key belongs to it, and the destructor does nothing.
            unsafe { (table.key_set)(table.token, key, value) }
        };
        // SAFETY: the token names a library, and the key is written into a local variable.
        unsafe { (table.key_create)(table.token, &mut key, Some(drop_value)) };
        library.activity().bar();
        assert_eq!(set(key, value), 0);
        assert_eq!(record::pending_destructors(&*library, false).destructors, 0);
        library.activity().unbar();
        assert_eq!(set(key, value), 0);
        assert_eq!(record::pending_destructors(&*library, false).destructors, 1);
        record::mine().run_all();
        // SAFETY: the token names a library that owns the key, and the key is no longer used.
        unsafe { (table.key_delete)(table.token, key) };
    }

    #[test]
    fn a_library_that_is_being_closed_gets_no_signal_handler() {
        let library = Library::unopened();
        let (table, own) = (table(library.token()), handle as *const () as usize);
        library.activity().bar();
        for call in [SignalCall::Bsd, SignalCall::SystemV, SignalCall::Set] {
            // SAFETY: the token names a library, and no signal is sent. Asking for a disposition has no requirements.
            let (refused, code) = unsafe {
                let refused = (table.signal)(table.token, call, libc::SIGWINCH, own);
                (refused, Error::last_os_error().raw_os_error())
            };
            let expected = (libc::SIG_ERR, Some(libc::EINVAL));
            assert_eq!((refused, code), expected, "{call:?}");
        }
        // SAFETY: all zero is a valid `sigaction`. The token names a library, the pointers lead to local variables or
        // are null, and no signal is sent.
        let (refused, before) = unsafe {
            let mut action: libc::sigaction = zeroed();
            action.sa_sigaction = own;
            let action = (&raw const action).cast();
            let refused = (table.signal_action)(
                table.token,
                libc::SIGWINCH,
                action,
                null::<c_void>().cast_mut(),
            );
            let mut before: libc::sigaction = zeroed();
            libc::sigaction(libc::SIGWINCH, null(), &mut before);
            (refused, before.sa_sigaction)
        };
        assert_eq!((refused, before), (-1, libc::SIG_DFL));
        // SAFETY: the token names a library, and removing a handler is always allowed.
        let allowed =
            unsafe { (table.signal)(table.token, SignalCall::Bsd, libc::SIGWINCH, libc::SIG_DFL) };
        assert_eq!(allowed, libc::SIG_DFL);
        assert_eq!(library.handled_signal(), None);
    }
}
