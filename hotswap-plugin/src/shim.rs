//! The plugin's side of the five thread functions.
//!
//! std, and C code linked into the plugin, reach `pthread_create` and its four sisters through symbols that
//! [`__shim!`](crate::__shim) defines *hidden in the plugin's library*: they come here. Once the host has attached its
//! table they go on to the host, which then knows each thread and each destructor that points into the library. Before
//! that they go to the C library unchanged, and are counted.
//!
//! Hidden matters: an exported definition would be found by nobody, since the dynamic linker looks into the executable
//! and the C library first. In the plugin's crate matters: a definition in a dependency would also end up in hosts that
//! link it statically.
use crate::contract::shim::{Attach, Destructor, Early, Key, ShimTable, StartRoutine, Thread};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};

static TABLE: AtomicPtr<ShimTable> = AtomicPtr::new(null_mut());
static EARLY_DESTRUCTORS: AtomicU32 = AtomicU32::new(0);
static EARLY_KEYS: AtomicU32 = AtomicU32::new(0);
static EARLY_THREADS: AtomicU32 = AtomicU32::new(0);

/// Sets the host's table where one is given, and tells what was used without it.
///
/// # Safety
/// The table outlives the library.
pub unsafe extern "C" fn attach(table: *const ShimTable) -> Early {
    if !table.is_null() {
        TABLE.store(table.cast_mut(), Release);
    }
    Early {
        destructors: EARLY_DESTRUCTORS.load(Relaxed),
        keys: EARLY_KEYS.load(Relaxed),
        threads: EARLY_THREADS.load(Relaxed),
    }
}
const _: Attach = attach;

fn table() -> Option<&'static ShimTable> {
    // SAFETY: null, or a table that outlives this library by the contract of `attach`.
    unsafe { TABLE.load(Acquire).as_ref() }
}

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn abort() -> !;
}

/// The C library's own function of this name: `RTLD_DEFAULT`, which is null, never sees a hidden symbol.
///
/// # Safety
/// `F` is that function's type.
unsafe fn real<F: Copy>(name: &CStr) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: `dlsym` has no preconditions beyond a C string.
    let found = unsafe { dlsym(null_mut(), name.as_ptr()) };
    if found.is_null() {
        // SAFETY: no preconditions. A process without its C library's thread functions cannot go on.
        unsafe { abort() }
    }
    // SAFETY: a function pointer of the type that the caller vouches for.
    unsafe { std::mem::transmute_copy(&found) }
}

/// `__cxa_thread_atexit_impl`.
///
/// # Safety
/// As the function it stands for.
pub unsafe extern "C" fn thread_atexit(
    run: Destructor,
    object: *mut c_void,
    dso: *mut c_void,
) -> c_int {
    type F = unsafe extern "C" fn(Destructor, *mut c_void, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller's promises are handed on.
        Some(host) => unsafe { (host.thread_atexit)(host.token, run, object) },
        None => {
            EARLY_DESTRUCTORS.fetch_add(1, Relaxed);
            // SAFETY: the C library's type, all arguments unchanged.
            unsafe { real::<F>(c"__cxa_thread_atexit_impl")(run, object, dso) }
        }
    }
}

/// `pthread_key_create`.
///
/// # Safety
/// As the function it stands for.
pub unsafe extern "C" fn key_create(key: *mut Key, destructor: Option<Destructor>) -> c_int {
    type F = unsafe extern "C" fn(*mut Key, Option<Destructor>) -> c_int;
    match table() {
        // SAFETY: the caller's promises are handed on.
        Some(host) => unsafe { (host.key_create)(host.token, key, destructor) },
        None => {
            EARLY_KEYS.fetch_add(1, Relaxed);
            // SAFETY: the C library's type, all arguments unchanged.
            unsafe { real::<F>(c"pthread_key_create")(key, destructor) }
        }
    }
}

/// `pthread_key_delete`.
///
/// # Safety
/// As the function it stands for.
pub unsafe extern "C" fn key_delete(key: Key) -> c_int {
    type F = unsafe extern "C" fn(Key) -> c_int;
    match table() {
        // SAFETY: the caller's promises are handed on.
        Some(host) => unsafe { (host.key_delete)(host.token, key) },
        // SAFETY: the C library's type, all arguments unchanged.
        None => unsafe { real::<F>(c"pthread_key_delete")(key) },
    }
}

/// `pthread_setspecific`.
///
/// # Safety
/// As the function it stands for.
pub unsafe extern "C" fn key_set(key: Key, value: *const c_void) -> c_int {
    type F = unsafe extern "C" fn(Key, *const c_void) -> c_int;
    match table() {
        // SAFETY: the caller's promises are handed on.
        Some(host) => unsafe { (host.key_set)(host.token, key, value) },
        // SAFETY: the C library's type, all arguments unchanged.
        None => unsafe { real::<F>(c"pthread_setspecific")(key, value) },
    }
}

/// `pthread_create`.
///
/// # Safety
/// As the function it stands for.
pub unsafe extern "C" fn thread_create(
    thread: *mut Thread,
    attributes: *const c_void,
    start: StartRoutine,
    argument: *mut c_void,
) -> c_int {
    type F = unsafe extern "C" fn(*mut Thread, *const c_void, StartRoutine, *mut c_void) -> c_int;
    match table() {
        // SAFETY: the caller's promises are handed on.
        Some(host) => unsafe {
            (host.thread_create)(host.token, thread, attributes, start, argument)
        },
        None => {
            EARLY_THREADS.fetch_add(1, Relaxed);
            // SAFETY: the C library's type, all arguments unchanged.
            unsafe { real::<F>(c"pthread_create")(thread, attributes, start, argument) }
        }
    }
}

/// Defines the five hidden symbols in the crate it is used in. Nothing on platforms where nothing is unmapped.
///
/// `__cxa_thread_atexit_impl` is weak because std declares it so: fat LTO merges both into one module, and warns when
/// they differ.
#[doc(hidden)]
#[macro_export]
macro_rules! __shim {
    () => {
        #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
        $crate::__shim!(@all "jmp {to}");
        #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "aarch64"))]
        $crate::__shim!(@all "b {to}");
    };
    (@all $jump:literal) => {
        $crate::__shim!(@one $jump, ".weak", "__cxa_thread_atexit_impl", thread_atexit);
        $crate::__shim!(@one $jump, ".globl", "pthread_key_create", key_create);
        $crate::__shim!(@one $jump, ".globl", "pthread_key_delete", key_delete);
        $crate::__shim!(@one $jump, ".globl", "pthread_setspecific", key_set);
        $crate::__shim!(@one $jump, ".globl", "pthread_create", thread_create);
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
