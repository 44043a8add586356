//! The plugin's side of the functions of the C library that the host watches.
//!
//! These functions take an address of code, which the C library keeps: start routines of threads, destructors of
//! thread-locals and keys, exit functions, fork handlers, and signal handlers. std, and C code that is linked into the
//! plugin, reach these functions through symbols that [`__shim!`](crate::__shim) defines as *hidden in the plugin's
//! library*. The calls come here, and go on to the host, which then knows each address that points into the library.
//!
//! The symbols have to be hidden. An exported definition would not be found, since the dynamic linker looks into the
//! executable and the C library first. They have to be in the plugin's crate, since a definition in a dependency would
//! also end up in hosts that link it statically.
//!
//! The host writes the address of its table into the copy of the file that it opens. So the table is there before any
//! code of the library runs, its constructors included. A library that was opened in another way has no table, and its
//! calls go to the C library unchanged.
//!
//! The functions of the [`environment`] take the same way.
//!
//! This is for Linux with glibc. On other platforms, `shim/none.rs` takes its place.
pub mod environment;

use crate::contract::shim::{
    Destructor, ForkHandler, Key, ShimTable, SignalCall, StartRoutine, Thread,
};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{null, null_mut};

/// The address of the host's table.
#[repr(transparent)]
struct TableAddress(*const ShimTable);

// SAFETY: a constant address of a table that any thread may use.
unsafe impl Sync for TableAddress {}

#[unsafe(link_section = ".hotswap.shim")]
static TABLE: TableAddress = TableAddress(null());

fn table() -> Option<&'static ShimTable> {
    // SAFETY: a static of this crate. The read is volatile, since the file may hold another value than the source.
    let table = unsafe { (&raw const TABLE.0).read_volatile() };
    // SAFETY: the address is null, or that of the host's table, which the host keeps for as long as code of this
    // library can run.
    unsafe { table.as_ref() }
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn abort() -> !;
}

/// Returns the C library's own function of this name: `RTLD_DEFAULT`, which is null, never finds a hidden symbol.
///
/// # Safety
/// `F` is the type of that function.
unsafe fn real<F: Copy>(name: &CStr) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: `dlsym` takes any C string.
    let found = unsafe { dlsym(null_mut(), name.as_ptr()) };
    if found.is_null() {
        // SAFETY: `abort` has no preconditions. A process without the thread functions of its C library cannot go on.
        unsafe { abort() }
    }
    // SAFETY: the caller guarantees that `F` is the type of this function.
    unsafe { std::mem::transmute_copy(&found) }
}

/// `__cxa_thread_atexit_impl`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn thread_atexit(
    run: Destructor,
    object: *mut c_void,
    dso: *mut c_void,
) -> c_int {
    type F = unsafe extern "C" fn(Destructor, *mut c_void, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.thread_atexit)(host.token, run, object) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"__cxa_thread_atexit_impl")(run, object, dso) },
    }
}

/// `pthread_key_create`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn key_create(key: *mut Key, destructor: Option<Destructor>) -> c_int {
    type F = unsafe extern "C" fn(*mut Key, Option<Destructor>) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.key_create)(host.token, key, destructor) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"pthread_key_create")(key, destructor) },
    }
}

/// `pthread_key_delete`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn key_delete(key: Key) -> c_int {
    type F = unsafe extern "C" fn(Key) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.key_delete)(host.token, key) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"pthread_key_delete")(key) },
    }
}

/// `pthread_setspecific`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn key_set(key: Key, value: *const c_void) -> c_int {
    type F = unsafe extern "C" fn(Key, *const c_void) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.key_set)(host.token, key, value) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"pthread_setspecific")(key, value) },
    }
}

/// `pthread_create`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn thread_create(
    thread: *mut Thread,
    attributes: *const c_void,
    start: StartRoutine,
    argument: *mut c_void,
) -> c_int {
    type F = unsafe extern "C" fn(*mut Thread, *const c_void, StartRoutine, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe {
            (host.thread_create)(host.token, thread, attributes, start, argument)
        },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"pthread_create")(thread, attributes, start, argument) },
    }
}

/// `__cxa_atexit`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn at_exit(run: Destructor, object: *mut c_void, dso: *mut c_void) -> c_int {
    type F = unsafe extern "C" fn(Destructor, *mut c_void, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.at_exit)(host.token, run, object) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"__cxa_atexit")(run, object, dso) },
    }
}

/// `pthread_atfork`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn at_fork(
    prepare: Option<ForkHandler>,
    parent: Option<ForkHandler>,
    child: Option<ForkHandler>,
) -> c_int {
    type Handler = Option<ForkHandler>;
    type F = unsafe extern "C" fn(Handler, Handler, Handler, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.at_fork)(host.token, prepare, parent, child) },
        // The C library exports no `pthread_atfork`, but the function that it calls. There is no library to name here,
        // so the handlers stay.
        // SAFETY: `F` is the C library's type.
        None => unsafe { real::<F>(c"__register_atfork")(prepare, parent, child, null_mut()) },
    }
}

/// `sigaction`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn signal_action(
    signal: c_int,
    action: *const c_void,
    before: *mut c_void,
) -> c_int {
    type F = unsafe extern "C" fn(c_int, *const c_void, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
        Some(host) => unsafe { (host.signal_action)(host.token, signal, action, before) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"sigaction")(signal, action, before) },
    }
}

macro_rules! signal {
    ($(#[$doc:meta] $name:ident($call:ident, $real:literal);)*) => {$(
        #[$doc]
        ///
        /// # Safety
        /// The contract of the C function holds.
        pub unsafe extern "C" fn $name(signal: c_int, handler: usize) -> usize {
            type F = unsafe extern "C" fn(c_int, usize) -> usize;
            match table() {
                // SAFETY: the caller keeps the contract of the C function, and the host's version has the same
                // contract.
                Some(host) => unsafe {
                    (host.signal)(host.token, SignalCall::$call, signal, handler)
                },
                // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
                None => unsafe { real::<F>($real)(signal, handler) },
            }
        }
    )*};
}
signal! {
    /// `signal`, `bsd_signal` and `ssignal`.
    signal(Bsd, c"signal");
    /// `sysv_signal`.
    sysv_signal(SystemV, c"__sysv_signal");
    /// `sigset`.
    sigset(Set, c"sigset");
}

/// Defines the hidden symbols in the crate that uses this macro. Defines nothing on processors for which the jump is
/// not written.
///
/// `__cxa_thread_atexit_impl` is weak because std declares it so: fat LTO merges both into one module, and warns when
/// they differ.
#[doc(hidden)]
#[macro_export]
macro_rules! __shim {
    () => {
        #[cfg(target_arch = "x86_64")]
        $crate::__shim!(@all "jmp {to}");
        #[cfg(target_arch = "aarch64")]
        $crate::__shim!(@all "b {to}");
    };
    (@all $jump:literal) => {
        $crate::__shim!(@one $jump, ".weak", "__cxa_thread_atexit_impl", thread_atexit);
        $crate::__shim!(@one $jump, ".globl", "pthread_key_create", key_create);
        // Another name of the same function, which C++ libraries use.
        $crate::__shim!(@one $jump, ".globl", "__pthread_key_create", key_create);
        $crate::__shim!(@one $jump, ".globl", "pthread_key_delete", key_delete);
        $crate::__shim!(@one $jump, ".globl", "pthread_setspecific", key_set);
        $crate::__shim!(@one $jump, ".globl", "pthread_create", thread_create);
        $crate::__shim!(@one $jump, ".globl", "__cxa_atexit", at_exit);
        $crate::__shim!(@one $jump, ".globl", "pthread_atfork", at_fork);
        // The function that `pthread_atfork` calls in other libraries. It has one more argument, which names the
        // library.
        $crate::__shim!(@one $jump, ".globl", "__register_atfork", at_fork);
        $crate::__shim!(@one $jump, ".globl", "sigaction", signal_action);
        $crate::__shim!(@one $jump, ".globl", "__sigaction", signal_action);
        $crate::__shim!(@one $jump, ".globl", "signal", signal);
        $crate::__shim!(@one $jump, ".globl", "bsd_signal", signal);
        $crate::__shim!(@one $jump, ".globl", "ssignal", signal);
        $crate::__shim!(@one $jump, ".globl", "sysv_signal", sysv_signal);
        $crate::__shim!(@one $jump, ".globl", "__sysv_signal", sysv_signal);
        $crate::__shim!(@one $jump, ".globl", "sigset", sigset);
        $crate::__shim_environment!($jump);
    };
    (@one $jump:literal, $binding:literal, $name:literal, $to:ident $(:: $more:ident)?) => {
        ::core::arch::global_asm!(
            ".text",
            concat!($binding, " ", $name),
            concat!(".hidden ", $name),
            concat!(".type ", $name, ",@function"),
            concat!($name, ":"),
            $jump,
            concat!(".size ", $name, ", .-", $name),
            to = sym $crate::__private::shim::$to $(:: $more)?,
        );
    };
}
