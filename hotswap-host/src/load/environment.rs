//! Changes and reads the environment of the process for all plugins.
//!
//! Each std has a lock for the environment, and each plugin has a std of its own. Therefore a plugin's reads and
//! changes come here and are made with the host's std. The lock of the host's own `std::env` then excludes all of them.
//!
//! This does not cover code that reads the memory of the environment directly: `std::env::vars` and the start of a
//! process in a plugin, and C code of the host. For them there is a rule for authors, in `docs/shared-process.md`.
use hotswap_plugin::contract::shim::Environment;
use std::collections::BTreeSet;
use std::env;
use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::panic::catch_unwind;
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

/// The functions that the host lends.
pub(super) const ENVIRONMENT: Environment = Environment {
    get,
    set,
    put,
    unset,
    clear,
};

/// A plugin's change holds this lock, because it may look before it changes anything.
static CHANGING: Mutex<()> = Mutex::new(());

/// All values that plugins have read. `getenv` lends its result for as long as the process runs, whatever happens to
/// the variable. The C library keeps replaced values, too.
static VALUES: Mutex<BTreeSet<&'static CStr>> = Mutex::new(BTreeSet::new());

unsafe extern "C" fn get(name: *const c_char) -> *mut c_char {
    // SAFETY: the plugin's caller of `getenv` passes a C string.
    let name = unsafe { CStr::from_ptr(name) };
    match catch_unwind(|| env::var_os(OsStr::from_bytes(name.to_bytes())).map(kept)) {
        Ok(Some(value)) => value.as_ptr().cast_mut(),
        _ => null_mut(),
    }
}

/// Returns the value as a text that is never freed. There is one text for each distinct value.
fn kept(value: OsString) -> &'static CStr {
    let value = CString::new(value.into_vec()).unwrap_or_default();
    let mut values = VALUES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = values.get(&*value) {
        return known;
    }
    let value: &'static CStr = Box::leak(value.into_boxed_c_str());
    values.insert(value);
    value
}

unsafe extern "C" fn set(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int {
    if name.is_null() {
        return libc::EINVAL;
    }
    // SAFETY: the plugin's caller of `setenv` passes C strings.
    let (name, value) = unsafe { (CStr::from_ptr(name), CStr::from_ptr(value)) };
    change(name.to_bytes(), |name| {
        if overwrite != 0 || env::var_os(name).is_none() {
            set_var(name, value.to_bytes());
        }
    })
}

unsafe extern "C" fn put(text: *const c_char) -> c_int {
    // SAFETY: the plugin's caller of `putenv` passes a C string.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
    let mut parts = text.splitn(2, |byte| *byte == b'=');
    let (name, value) = (parts.next().unwrap_or_default(), parts.next());
    change(name, |name| match value {
        Some(value) => set_var(name, value),
        None => remove_var(name),
    })
}

unsafe extern "C" fn unset(name: *const c_char) -> c_int {
    if name.is_null() {
        return libc::EINVAL;
    }
    // SAFETY: the plugin's caller of `unsetenv` passes a C string, and `name` is not null.
    change(unsafe { CStr::from_ptr(name) }.to_bytes(), remove_var)
}

extern "C" fn clear() -> c_int {
    let names = || env::vars_os().map(|(name, _)| name);
    let Ok(names) = catch_unwind(|| names().collect::<Vec<_>>()) else {
        return libc::ENOMEM;
    };
    // An entry without a proper name stays, because it cannot be asked for.
    let failed = names
        .iter()
        .map(|name| change(name.as_bytes(), remove_var))
        .find(|error| ![0, libc::EINVAL].contains(error));
    failed.unwrap_or(0)
}

/// Changes the variable, if `name` is a valid name.
fn change(name: &[u8], how: impl FnOnce(&OsStr) + std::panic::UnwindSafe) -> c_int {
    if name.is_empty() || name.contains(&b'=') {
        return libc::EINVAL;
    }
    let _one = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
    // std panics where the C library has no memory for the change.
    match catch_unwind(|| how(OsStr::from_bytes(name))) {
        Ok(()) => 0,
        Err(_) => libc::ENOMEM,
    }
}

fn set_var(name: &OsStr, value: &[u8]) {
    // SAFETY: the lock of the host's std excludes readers that go through it, which includes those of all plugins. The
    // author of a plugin that changes the environment guarantees that it is not read in other ways meanwhile.
    unsafe { env::set_var(name, OsStr::from_bytes(value)) };
}

fn remove_var(name: &OsStr) {
    // SAFETY: the lock of the host's std excludes readers that go through it, which includes those of all plugins. The
    // author of a plugin that changes the environment guarantees that it is not read in other ways meanwhile.
    unsafe { env::remove_var(name) };
}
