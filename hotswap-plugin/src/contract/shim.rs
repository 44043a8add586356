//! Functions of the C library that take addresses of code and keep them, and the host's versions of them, which it
//! lends to a plugin.
//!
//! These types are read before the layouts of host and plugin have been compared. The contract's version fixes them,
//! and is compared first.
use std::ffi::{c_char, c_int, c_void};

/// The destructor of a thread-local or of a key.
pub type Destructor = unsafe extern "C" fn(*mut c_void);
/// The start routine of a thread. `pthread_exit` unwinds it.
pub type StartRoutine = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
/// `pthread_key_t`.
pub type Key = u32;
/// `pthread_t`.
pub type Thread = usize;
/// A function that `pthread_atfork` registers.
pub type ForkHandler = unsafe extern "C" fn();
/// The host's name for one loaded library, and the first argument of each function that the host lends.
pub type Token = *const c_void;

/// The host's functions, and the token that they take.
#[repr(C)]
pub struct ShimTable {
    /// The token of this library.
    pub token: Token,
    /// `__cxa_thread_atexit_impl` without the `dso_handle`.
    pub thread_atexit: unsafe extern "C" fn(Token, Destructor, *mut c_void) -> c_int,
    /// `pthread_key_create`.
    pub key_create: unsafe extern "C" fn(Token, *mut Key, Option<Destructor>) -> c_int,
    /// `pthread_key_delete`.
    pub key_delete: unsafe extern "C" fn(Token, Key) -> c_int,
    /// `pthread_setspecific`.
    pub key_set: unsafe extern "C" fn(Token, Key, *const c_void) -> c_int,
    /// `pthread_create`.
    pub thread_create:
        unsafe extern "C" fn(Token, *mut Thread, *const c_void, StartRoutine, *mut c_void) -> c_int,
    /// `__cxa_atexit` without the `dso_handle`; `atexit` calls it.
    pub at_exit: unsafe extern "C" fn(Token, Destructor, *mut c_void) -> c_int,
    /// `pthread_atfork`.
    pub at_fork: unsafe extern "C" fn(
        Token,
        Option<ForkHandler>,
        Option<ForkHandler>,
        Option<ForkHandler>,
    ) -> c_int,
    /// `sigaction`.
    pub signal_action: unsafe extern "C" fn(Token, c_int, *const c_void, *mut c_void) -> c_int,
    /// `signal`, and other functions like it.
    pub signal: unsafe extern "C" fn(Token, SignalCall, c_int, usize) -> usize,
    /// The environment of the process.
    pub environment: Environment,
}

/// The environment of the process, which the host reads and changes under the lock of its own standard library.
///
/// Functions that return a number return 0 or an error number of the C library. Names and values are C strings.
#[repr(C)]
pub struct Environment {
    /// `getenv`. What it returns is never freed.
    pub get: unsafe extern "C" fn(name: *const c_char) -> *mut c_char,
    /// `setenv`. A null name is an error.
    pub set:
        unsafe extern "C" fn(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int,
    /// `putenv`. This version copies the text.
    pub put: unsafe extern "C" fn(text: *const c_char) -> c_int,
    /// `unsetenv`. A null name is an error.
    pub unset: unsafe extern "C" fn(name: *const c_char) -> c_int,
    /// `clearenv`.
    pub clear: extern "C" fn() -> c_int,
}

/// The prefix of a section's name, before that of a function which changes the environment. A library with the section
/// can reach the function.
pub const CALLS: &str = ".hotswap_calls.";

/// The functions of the C library that take a signal and a handler, and return the previous handler.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalCall {
    /// `signal`, which is also called `bsd_signal` and `ssignal`. The handler stays installed.
    Bsd = 0,
    /// `sysv_signal`. The handler is removed when it is called.
    SystemV = 1,
    /// `sigset`.
    Set = 2,
}

/// The section of a plugin's library that holds the address of the [`ShimTable`]. In the file the address is null. The
/// host writes the address into the private copy that it opens, so that constructors of the library find the table,
/// too. The section is an array of such addresses: one for each copy of this crate in the library.
pub const SHIM_SECTION: &str = ".hotswap.shim";
