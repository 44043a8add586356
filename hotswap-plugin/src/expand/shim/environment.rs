//! The plugin's side of the functions that read and change the environment.
//!
//! The environment belongs to the process, and each copy of std has a lock of its own for it. The lock of a plugin's
//! std does not stop code that reads through the host's std. So both go to the host, which uses the lock of its own std
//! for all of them.
//!
//! Each function that changes the environment is in a section of its own, which the linker drops if nothing calls the
//! function. The linker also drops the section [`CALLS`](crate::contract::shim::CALLS) with its name, to which only
//! that function refers. So tools can read from a file which of the functions a plugin can reach. The symbols alone
//! would not tell, since they are hidden.
use super::{real, table};
use std::ffi::{c_char, c_int, c_ulong};
use std::ptr::null_mut;

unsafe extern "C" {
    fn getauxval(of: c_ulong) -> c_ulong;
    fn __errno_location() -> *mut c_int;
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

/// `getenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn get(name: *const c_char) -> *mut c_char {
    type F = unsafe extern "C" fn(*const c_char) -> *mut c_char;
    match table() {
        // SAFETY: the caller passes a C string, as `getenv` demands.
        Some(host) => unsafe { (host.environment.get)(name) },
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"getenv")(name) },
    }
}

/// `secure_getenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn get_secure(name: *const c_char) -> *mut c_char {
    // SAFETY: `getauxval` has no preconditions.
    if unsafe { getauxval(AT_SECURE) } != 0 {
        return null_mut();
    }
    // SAFETY: the caller passes a C string, as `secure_getenv` demands.
    unsafe { get(name) }
}

/// `setenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn set(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int {
    type F = unsafe extern "C" fn(*const c_char, *const c_char, c_int) -> c_int;
    match table() {
        // SAFETY: the caller passes C strings; the name may be null.
        Some(host) => returned(unsafe { (host.environment.set)(name, value, overwrite) }),
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"setenv")(name, value, overwrite) },
    }
}

/// `putenv`. The text is copied: a change of it later does not change the environment.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn put(text: *mut c_char) -> c_int {
    type F = unsafe extern "C" fn(*mut c_char) -> c_int;
    match table() {
        // SAFETY: the caller passes a C string.
        Some(host) => returned(unsafe { (host.environment.put)(text) }),
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"putenv")(text) },
    }
}

/// `unsetenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn unset(name: *const c_char) -> c_int {
    type F = unsafe extern "C" fn(*const c_char) -> c_int;
    match table() {
        // SAFETY: the caller passes a C string, or null.
        Some(host) => returned(unsafe { (host.environment.unset)(name) }),
        // SAFETY: `F` is the C library's type, and all arguments are passed on unchanged.
        None => unsafe { real::<F>(c"unsetenv")(name) },
    }
}

/// `clearenv`.
///
/// # Safety
/// The contract of the C function holds.
pub unsafe extern "C" fn clear() -> c_int {
    type F = unsafe extern "C" fn() -> c_int;
    match table() {
        Some(host) => returned((host.environment.clear)()),
        // SAFETY: `F` is the C library's type.
        None => unsafe { real::<F>(c"clearenv")() },
    }
}

/// Defines the hidden symbols of the environment.
#[doc(hidden)]
#[macro_export]
macro_rules! __shim_environment {
    ($jump:literal) => {
        $crate::__shim!(@one $jump, ".globl", "getenv", environment::get);
        $crate::__shim!(@one $jump, ".globl", "secure_getenv", environment::get_secure);
        $crate::__shim_environment!(@one $jump, "setenv", set);
        $crate::__shim_environment!(@one $jump, "putenv", put);
        $crate::__shim_environment!(@one $jump, "unsetenv", unset);
        $crate::__shim_environment!(@one $jump, "clearenv", clear);
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
            to = sym $crate::__private::shim::environment::$to,
        );
    };
}
