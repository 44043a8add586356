//! The functions for Linux with glibc.
//!
//! Unsafe code: calls of the C library that have no safe wrapper.
#![allow(unsafe_code)]
use hotswap_plugin::contract::shim::Key;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::mem::{transmute, zeroed};
use std::ops::Range;
use std::ptr::{null, null_mut};

/// True if the plugins of this platform have the hidden thread functions.
pub(crate) const HAS_SHIM: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// The glibc from which on `dlclose` leaves no thread-local block where a later library finds it.
///
/// Before version 2.35 that could happen everywhere. Before version 2.39 it can still happen where compilers use TLS
/// descriptors, as on aarch64 ([BZ 29039](https://sourceware.org/bugzilla/show_bug.cgi?id=29039)).
const FIRST_GLIBC: (u32, u32) = if cfg!(target_arch = "aarch64") {
    (2, 39)
} else {
    (2, 35)
};

/// Returns the reason why libraries cannot leave memory, or `None` if they can.
///
/// If `corrected` is true, the operator vouches that an older glibc has the correction all the same.
pub(crate) fn cannot_unmap(corrected: bool) -> Option<String> {
    if !HAS_SHIM {
        return Some("this processor has no shim".into());
    }
    if corrected {
        return None;
    }
    // SAFETY: the function returns a constant C string.
    let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy();
    let mut numbers = version.split('.').map_while(|n| n.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (major, minor) = FIRST_GLIBC;
    (found < FIRST_GLIBC).then(|| format!("glibc {version} is older than {major}.{minor}"))
}

/// The calling thread's id.
pub(crate) fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Returns the name of a thread of this process, or an empty text if the thread has ended.
pub(crate) fn thread_name(tid: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"));
    name.unwrap_or_default().trim().to_owned()
}

/// Returns the value that distinguishes a thread from a later one with the same id. Returns `None` if the system does
/// not say, for instance because the process can open no file.
///
/// Functions of the C library that are no cancellation points come here, and reading a file is one.
pub(crate) fn thread_start(tid: i32) -> Option<u64> {
    let (_, start) = uncancelled(|| stat(tid))?;
    Some(start)
}

/// Runs Rust code in which `pthread_cancel` does not end the calling thread: it would unwind the stack.
fn uncancelled<R>(run: impl FnOnce() -> R) -> R {
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    const PTHREAD_CANCEL_DISABLE: c_int = 1;
    let mut before = 0;
    // SAFETY: the state is a valid one, and `before` is a local variable.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &mut before) };
    let result = run();
    // SAFETY: this is the state that the thread had.
    unsafe { pthread_setcancelstate(before, null_mut()) };
    result
}

/// Returns true if the thread with this id and this start time, if it is known, has certainly ended.
///
/// If the system does not answer, that is not a proof. It is a proof if there is no such thread, if the thread has
/// another start time, or if nothing is left of it but its id.
pub(crate) fn has_ended(tid: i32, start: Option<u64>) -> bool {
    // SAFETY: signal 0 is not sent; the call only asks whether it could be.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, 0) };
    if sent != 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) {
        return true;
    }
    stat(tid).is_some_and(|(state, now)| {
        matches!(state, 'Z' | 'X' | 'x') || start.is_some_and(|start| start != now)
    })
}

fn stat(tid: i32) -> Option<(char, u64)> {
    super::proc::stat(&format!("/proc/self/task/{tid}/stat"))
}

/// Returns the first signal whose handler is in the range, if there is one.
pub(crate) fn signal_handler_in(range: &Range<usize>) -> Option<c_int> {
    (1..=libc::SIGRTMAX()).find(|signal| {
        let action = disposition(*signal);
        action.is_some_and(|action| range.contains(&action.sa_sigaction))
    })
}

/// Returns the kernel's disposition of a signal. If there is no such signal, `errno` says so.
pub(crate) fn disposition(signal: c_int) -> Option<libc::sigaction> {
    let mut action = DEFAULT_DISPOSITION;
    // SAFETY: without a new disposition, this only writes the present one into `action`.
    let known = unsafe { libc::sigaction(signal, null(), &mut action) } == 0;
    known.then_some(action)
}

/// Sets the kernel's disposition of a signal and returns the previous one. If the kernel refuses, `errno` says why.
pub(crate) fn set_disposition(signal: c_int, action: &libc::sigaction) -> Option<libc::sigaction> {
    let mut before = DEFAULT_DISPOSITION;
    // SAFETY: both pointers lead to a `sigaction`. The handler in `action` belongs to the host, was there before, or is
    // one that a plugin asks for and answers for: `load::signals` passes no other.
    let set = unsafe { libc::sigaction(signal, action, &mut before) } == 0;
    set.then_some(before)
}

/// A function of the C library that takes a signal and a handler, and returns the previous handler.
pub(crate) type SignalFunction = unsafe extern "C" fn(signal: c_int, handler: usize) -> usize;

unsafe extern "C" {
    fn __sysv_signal(signal: c_int, handler: usize) -> usize;
    fn sigset(signal: c_int, handler: usize) -> usize;
}

/// `signal`, `sysv_signal`, and `sigset`.
pub(crate) const SIGNAL_FUNCTIONS: [SignalFunction; 3] = [libc::signal, __sysv_signal, sigset];

/// Installs a handler with one of [`SIGNAL_FUNCTIONS`] and returns the previous handler.
pub(crate) fn set_handler(by: SignalFunction, signal: c_int, handler: usize) -> usize {
    // SAFETY: the function takes any numbers. The handler belongs to the host, was there before, or is one that a plugin
    // asks for and answers for: `load::signals` passes no other.
    unsafe { by(signal, handler) }
}

/// Runs this while no signal arrives on this thread.
pub(crate) fn without_signals<R>(run: impl FnOnce() -> R) -> R {
    let (mut all, mut before) = (DEFAULT_DISPOSITION.sa_mask, DEFAULT_DISPOSITION.sa_mask);
    // SAFETY: both pointers lead to sets in this frame.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
    }
    let result = run();
    // SAFETY: `pthread_sigmask` has written the set above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, null_mut()) };
    result
}

/// The disposition of a signal that has no handler.
// SAFETY: all zero is a valid `sigaction`: it has no handler, no flags, no restorer, and an empty mask.
pub(crate) const DEFAULT_DISPOSITION: libc::sigaction = unsafe { zeroed() };

/// Returns true if the signal is in the set.
pub(crate) fn is_in_set(set: &libc::sigset_t, signal: c_int) -> bool {
    // SAFETY: the set is borrowed, and any number may be asked for.
    unsafe { libc::sigismember(set, signal) == 1 }
}

/// Makes the C library call these functions of the host around each fork. Returns 0 or an error number.
pub(crate) fn at_fork(
    prepare: extern "C" fn(),
    parent: extern "C" fn(),
    child: extern "C" fn(),
) -> c_int {
    // SAFETY: the functions belong to the host, which is never unmapped.
    unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) }
}

/// Reserves a range that has become free, without access and for ever, so that a stale use crashes. Returns the number
/// of bytes of it that another thread had already mapped.
pub(crate) fn quarantine(range: Range<usize>) -> usize {
    let reserve = |at: usize, len: usize| {
        let flags = libc::MAP_PRIVATE
            | libc::MAP_ANONYMOUS
            | libc::MAP_NORESERVE
            | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: the flags make this take only unused addresses, so no mapping is replaced.
        let got = unsafe { libc::mmap(at as *mut c_void, len, libc::PROT_NONE, flags, -1, 0) };
        if got != libc::MAP_FAILED && got as usize != at {
            // A kernel before version 4.17 takes the address for a hint.
            // SAFETY: `mmap` has made this mapping, and its address has not been given out.
            unsafe { libc::munmap(got, len) };
        }
        got as usize == at
    };
    if reserve(range.start, range.len()) {
        return 0;
    }
    let page = rustix::param::page_size();
    range.step_by(page).filter(|at| !reserve(*at, page)).count() * page
}

unsafe extern "C" {
    fn __cxa_thread_atexit_impl(
        run: unsafe extern "C" fn(*mut c_void),
        object: *mut c_void,
        dso: *mut c_void,
    ) -> c_int;
    static __dso_handle: c_char;
}

/// Runs `run(value)` when this thread ends, among the destructors of the host's own thread-locals.
pub(crate) fn at_thread_exit<T>(run: extern "C" fn(&'static T), value: &'static T) {
    // SAFETY: references and raw pointers to sized types are passed to C functions in the same way. The C library calls
    // the function once, with `value`, which is `'static`. The handle is that of the object that this code is linked
    // into.
    unsafe {
        let run = transmute::<extern "C" fn(&'static T), unsafe extern "C" fn(*mut c_void)>(run);
        let value = (&raw const *value).cast_mut().cast();
        __cxa_thread_atexit_impl(run, value, (&raw const __dso_handle).cast_mut().cast());
    }
}

/// Takes away the calling thread's value of a key, as the C library does before it calls the key's destructor.
pub(crate) fn take_key_value(key: Key) -> *mut c_void {
    // SAFETY: a key that does not exist has no value, and null may be set for any other key.
    unsafe {
        let value = libc::pthread_getspecific(key);
        if !value.is_null() {
            libc::pthread_setspecific(key, null());
        }
        value
    }
}

/// Deletes a key that a plugin has made. Its destructor, which the C library does not know, is not run. Returns 0 or an
/// error number.
pub(crate) fn delete_key(key: Key) -> c_int {
    // SAFETY: the function has no preconditions.
    unsafe { libc::pthread_key_delete(key) }
}
