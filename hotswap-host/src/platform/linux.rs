//! Linux with glibc.
use hotswap_plugin::contract::shim::Key;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::ops::Range;
use std::ptr::null;

/// Whether the plugins of this platform have the hidden thread functions.
pub(crate) const HAS_SHIM: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// Whether libraries can leave memory: `None`, or the reason why not.
///
/// Before 2.35, glibc's `dlclose` could leave a library's thread-local block to be found by a later one.
pub(crate) fn cannot_unmap() -> Option<String> {
    if !HAS_SHIM {
        return Some("this processor has no shim".into());
    }
    // SAFETY: returns a constant C string.
    let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) }.to_string_lossy();
    let mut numbers = version.split('.').map_while(|n| n.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (found < (2, 35)).then(|| format!("glibc {version} is older than 2.35"))
}

/// The calling thread's id.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() }
}

/// The name of a thread of this process; empty when it has ended.
pub(crate) fn thread_name(tid: i32) -> String {
    let name = std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"));
    name.unwrap_or_default().trim().to_owned()
}

/// What tells a thread from a later one with the same id; `None` where the system does not say, for instance since the
/// process can open no file.
pub(crate) fn thread_start(tid: i32) -> Option<u64> {
    Some(stat(tid)?.1)
}

/// Whether the thread has surely ended: the one of this id that started then, or at a time that is not known.
///
/// That the system does not tell is no proof. "There is no such thread" is one, and so is another start, or a thread of
/// which nothing is left but its number.
pub(crate) fn has_ended(tid: i32, start: Option<u64>) -> bool {
    // SAFETY: sends nothing, and asks only whether it could.
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

/// The first signal whose handler lies in the range, if any.
pub(crate) fn signal_handler_in(range: &Range<usize>) -> Option<c_int> {
    (1..=libc::SIGRTMAX()).find(|signal| {
        // SAFETY: all zero is a valid `sigaction`.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: asks only; the result is written into `action`.
        let known = unsafe { libc::sigaction(*signal, null(), &mut action) } == 0;
        known && range.contains(&action.sa_sigaction)
    })
}

pub(super) fn page_size() -> usize {
    // SAFETY: no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Reserves a vacated range without access, for ever, so that a stale use crashes. Returns how many bytes of it another
/// thread had mapped something into before.
pub(crate) fn quarantine(range: Range<usize>) -> usize {
    let reserve = |at: usize, len: usize| {
        let flags = libc::MAP_PRIVATE
            | libc::MAP_ANONYMOUS
            | libc::MAP_NORESERVE
            | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: takes unused addresses only, and nothing else once they are in use.
        let got = unsafe { libc::mmap(at as *mut c_void, len, libc::PROT_NONE, flags, -1, 0) };
        if got != libc::MAP_FAILED && got as usize != at {
            // A kernel before 4.17 takes the address for a hint.
            // SAFETY: this mapping was made just now, and nobody knows of it.
            unsafe { libc::munmap(got, len) };
        }
        got as usize == at
    };
    if reserve(range.start, range.len()) {
        return 0;
    }
    let page = page_size();
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

/// Runs `run(object)` when this thread ends, among the destructors of the host's own thread-locals.
///
/// # Safety
/// `object` stays valid until then.
pub(crate) unsafe fn at_thread_exit(run: unsafe extern "C" fn(*mut c_void), object: *mut c_void) {
    // SAFETY: the handle of the object this code is linked into, as the function asks for.
    unsafe { __cxa_thread_atexit_impl(run, object, (&raw const __dso_handle).cast_mut().cast()) };
}

/// Takes away the calling thread's value of a key: as the C library does it before it calls the key's destructor.
pub(crate) fn take_key_value(key: Key) -> *mut c_void {
    // SAFETY: keys that do not exist have no value, and null may be set for any that does.
    unsafe {
        let value = libc::pthread_getspecific(key);
        if !value.is_null() {
            libc::pthread_setspecific(key, null());
        }
        value
    }
}

/// Gives back a key that a plugin has made. Its destructor, which the C library does not know, is not run.
pub(crate) fn delete_key(key: Key) {
    // SAFETY: no preconditions.
    unsafe { libc::pthread_key_delete(key) };
}
