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
//! # The environment
//! The functions that read and change the environment take the same way. The environment belongs to the process, and
//! each copy of std has a lock of its own for it. The lock of a plugin's std does not stop code that reads through the
//! host's std. So both go to the host, which uses the lock of its own std for all of them.
//!
//! Each function that changes the environment is in a section of its own, which the linker drops if nothing calls the
//! function. The linker also drops the section [`CALLS`](crate::contract::shim::CALLS) with its name, to which only
//! that function refers. So tools can read from a file which of the functions a plugin can reach. The symbols alone
//! would not tell, since they are hidden.
//!
//! This is for Linux with glibc. On other platforms, `shim/none.rs` takes its place.
#![allow(unsafe_code, reason = "it stands in for functions of the C library")]
use crate::contract::shim::{
    Destructor, ForkHandler, Key, ShimTable, SignalCall, StartRoutine, Thread,
};
use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::ptr::{null, null_mut};

/// The address of the host's table.
#[repr(transparent)]
struct TableAddress(*const ShimTable);

// SAFETY: a constant address of a table that any thread may use.
unsafe impl Sync for TableAddress {}

#[unsafe(link_section = ".hotswap.shim")]
static TABLE: TableAddress = TableAddress(null());

fn table() -> Option<&'static ShimTable> {
    // SAFETY: the address is null, or that of the host's table, which the host keeps for as long as code of this library
    // can run. It is read from a static of this crate, and volatile, since the file may hold another value than the
    // source.
    unsafe { (&raw const TABLE.0).read_volatile().as_ref() }
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn abort() -> !;
    fn getauxval(of: c_ulong) -> c_ulong;
    fn __errno_location() -> *mut c_int;
}

/// Returns the C library's own function of this name: `RTLD_DEFAULT`, which is null, never finds a hidden symbol.
///
/// # Safety
/// `F` is the type of that function.
unsafe fn real<F: Copy>(name: &CStr) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: `dlsym` takes any C string, and `abort` has no preconditions. The caller guarantees that `F` is the type of
    // the function that was found.
    unsafe {
        let found = dlsym(null_mut(), name.as_ptr());
        if found.is_null() {
            // A process without the thread functions of its C library cannot go on.
            abort()
        }
        std::mem::transmute_copy(&found)
    }
}

/// Defines functions of the C library, each of which calls the host's version, or the C library's own where there is no
/// table. The C library's own gets the same arguments, and further ones in brackets.
macro_rules! forward {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident: $ty:ty),*) -> $result:ty,
            |$host:ident| $call:expr,
            $real:literal $([$($more:ty = $value:expr),*])?;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// The contract of the C function holds.
        pub unsafe extern "C" fn $name($($arg: $ty),*) -> $result {
            type F = unsafe extern "C" fn($($ty,)* $($($more),*)?) -> $result;
            match table() {
                // SAFETY: the caller keeps the contract of the C function, and the host's version has the same contract.
                Some($host) => unsafe { $call },
                // SAFETY: `F` is the C library's type, and the caller keeps the contract of the function.
                None => unsafe { real::<F>($real)($($arg,)* $($($value),*)?) },
            }
        }
    )*};
}
forward! {
    /// `__cxa_thread_atexit_impl`.
    thread_atexit(run: Destructor, object: *mut c_void, dso: *mut c_void) -> c_int,
        |host| (host.thread_atexit)(host.token, run, object),
        c"__cxa_thread_atexit_impl";
    /// `pthread_key_create`.
    key_create(key: *mut Key, destructor: Option<Destructor>) -> c_int,
        |host| (host.key_create)(host.token, key, destructor),
        c"pthread_key_create";
    /// `pthread_key_delete`.
    key_delete(key: Key) -> c_int,
        |host| (host.key_delete)(host.token, key),
        c"pthread_key_delete";
    /// `pthread_setspecific`.
    key_set(key: Key, value: *const c_void) -> c_int,
        |host| (host.key_set)(host.token, key, value),
        c"pthread_setspecific";
    /// `pthread_create`.
    thread_create(
        thread: *mut Thread, attributes: *const c_void, start: StartRoutine, argument: *mut c_void
    ) -> c_int,
        |host| (host.thread_create)(host.token, thread, attributes, start, argument),
        c"pthread_create";
    /// `__cxa_atexit`.
    at_exit(run: Destructor, object: *mut c_void, dso: *mut c_void) -> c_int,
        |host| (host.at_exit)(host.token, run, object),
        c"__cxa_atexit";
    /// `pthread_atfork`. The C library does not export it, but the function that it calls. There is no library to name
    /// here, so the handlers stay.
    at_fork(
        prepare: Option<ForkHandler>, parent: Option<ForkHandler>, child: Option<ForkHandler>
    ) -> c_int,
        |host| (host.at_fork)(host.token, prepare, parent, child),
        c"__register_atfork" [*mut c_void = null_mut()];
    /// `sigaction`.
    signal_action(signal: c_int, action: *const c_void, before: *mut c_void) -> c_int,
        |host| (host.signal_action)(host.token, signal, action, before),
        c"sigaction";
    /// `signal`, `bsd_signal` and `ssignal`.
    signal(signal: c_int, handler: usize) -> usize,
        |host| (host.signal)(host.token, SignalCall::Bsd, signal, handler),
        c"signal";
    /// `sysv_signal`.
    sysv_signal(signal: c_int, handler: usize) -> usize,
        |host| (host.signal)(host.token, SignalCall::SystemV, signal, handler),
        c"__sysv_signal";
    /// `sigset`.
    sigset(signal: c_int, handler: usize) -> usize,
        |host| (host.signal)(host.token, SignalCall::Set, signal, handler),
        c"sigset";
    /// `getenv`.
    getenv(name: *const c_char) -> *mut c_char,
        |host| (host.environment.get)(name),
        c"getenv";
    /// `setenv`.
    setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int,
        |host| returned((host.environment.set)(name, value, overwrite)),
        c"setenv";
    /// `putenv`. The host copies the text: a change of it later does not change the environment.
    putenv(text: *mut c_char) -> c_int,
        |host| returned((host.environment.put)(text)),
        c"putenv";
    /// `unsetenv`.
    unsetenv(name: *const c_char) -> c_int,
        |host| returned((host.environment.unset)(name)),
        c"unsetenv";
}

/// `clearenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn clearenv() -> c_int {
    type F = unsafe extern "C" fn() -> c_int;
    match table() {
        Some(host) => returned((host.environment.clear)()),
        // SAFETY: `F` is the C library's type, and the caller keeps the contract of the function.
        None => unsafe { real::<F>(c"clearenv")() },
    }
}

/// `secure_getenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn secure_getenv(name: *const c_char) -> *mut c_char {
    // SAFETY: `getauxval` has no preconditions. The caller passes a C string, as `secure_getenv` demands.
    unsafe {
        match getauxval(AT_SECURE) {
            0 => getenv(name),
            _ => null_mut(),
        }
    }
}

/// The entry of the auxiliary vector that says whether the program runs with rights that its caller does not have.
const AT_SECURE: c_ulong = 23;

/// Returns the result of a function of the environment: the host says 0, or the number of an error.
fn returned(error: c_int) -> c_int {
    if error == 0 {
        return 0;
    }
    // SAFETY: the C library returns the address of the calling thread's own number.
    unsafe {
        *__errno_location() = error;
    }
    -1
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
    (@one $jump:literal, $binding:literal, $name:literal, $to:ident) => {
        ::core::arch::global_asm!(
            ".text",
            concat!($binding, " ", $name),
            concat!(".hidden ", $name),
            concat!(".type ", $name, ",@function"),
            concat!($name, ":"),
            $jump,
            concat!(".size ", $name, ", .-", $name),
            to = sym $crate::__private::shim::$to,
        );
    };
}

/// Defines the hidden symbols of the environment.
#[doc(hidden)]
#[macro_export]
macro_rules! __shim_environment {
    ($jump:literal) => {
        $crate::__shim!(@one $jump, ".globl", "getenv", getenv);
        $crate::__shim!(@one $jump, ".globl", "secure_getenv", secure_getenv);
        $crate::__shim_environment!(@one $jump, "setenv", setenv);
        $crate::__shim_environment!(@one $jump, "putenv", putenv);
        $crate::__shim_environment!(@one $jump, "unsetenv", unsetenv);
        $crate::__shim_environment!(@one $jump, "clearenv", clearenv);
    };
    (@one $jump:literal, $name:literal, $to:ident) => {
        ::core::arch::global_asm!(
            concat!(".pushsection .hotswap_calls.", $name, ",\"a\",@progbits"),
            concat!(".Lhotswap_calls_", $name, ":"),
            ".long 0",
            ".popsection",
            concat!(".pushsection .text.hotswap.", $name, ",\"ax\",@progbits"),
            concat!(".globl ", $name),
            concat!(".hidden ", $name),
            concat!(".type ", $name, ",@function"),
            concat!($name, ":"),
            $jump,
            // Keeps the other section, and is never read.
            concat!(".long .Lhotswap_calls_", $name, " - ."),
            concat!(".size ", $name, ", .-", $name),
            ".popsection",
            to = sym $crate::__private::shim::$to,
        );
    };
}
