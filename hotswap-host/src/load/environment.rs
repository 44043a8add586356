//! The environment of the process, for all plugins.
//!
//! Each std has a lock for the environment, and a plugin has a std of its own. So a plugin's reads and changes come here, and
//! are made with the host's std: its lock is the one that the host's own `std::env` takes, too, and excludes all that goes
//! through either.
//!
//! Not covered is what reads the memory of the environment without asking: `std::env::vars` and the start of a process in
//! a plugin, and C code of the host's. That is a rule for authors, `docs/shared-process.md`.
use hotswap_plugin::contract::shim::Environment;
use std::collections::BTreeSet;
use std::env;
use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::panic::catch_unwind;
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

/// What the host lends.
pub(super) const ENVIRONMENT: Environment = Environment {
    get,
    set,
    put,
    unset,
    clear,
};

/// Held by a plugin's change, which may look before it changes anything.
static CHANGING: Mutex<()> = Mutex::new(());

/// All values that plugins have read. `getenv` lends what it returns for as long as the process runs, whatever becomes of
/// the variable; the C library keeps replaced values, too.
static VALUES: Mutex<BTreeSet<&'static CStr>> = Mutex::new(BTreeSet::new());

unsafe extern "C" fn get(name: *const c_char) -> *mut c_char {
    // SAFETY: the caller passes a C string.
    let name = unsafe { CStr::from_ptr(name) };
    match catch_unwind(|| env::var_os(OsStr::from_bytes(name.to_bytes())).map(kept)) {
        Ok(Some(value)) => value.as_ptr().cast_mut(),
        _ => null_mut(),
    }
}

/// The value as a text that is never freed: one for each distinct value.
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
    // SAFETY: the caller passes C strings.
    let (name, value) = unsafe { (CStr::from_ptr(name), CStr::from_ptr(value)) };
    change(name.to_bytes(), |name| {
        if overwrite != 0 || env::var_os(name).is_none() {
            set_var(name, value.to_bytes());
        }
    })
}

unsafe extern "C" fn put(text: *const c_char) -> c_int {
    // SAFETY: the caller passes a C string.
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
    // SAFETY: the caller passes a C string.
    change(unsafe { CStr::from_ptr(name) }.to_bytes(), remove_var)
}

extern "C" fn clear() -> c_int {
    let names = || env::vars_os().map(|(name, _)| name);
    let Ok(names) = catch_unwind(|| names().collect::<Vec<_>>()) else {
        return libc::ENOMEM;
    };
    // An entry without a proper name stays, as nobody can ask for it.
    let failed = names
        .iter()
        .map(|name| change(name.as_bytes(), remove_var))
        .find(|error| ![0, libc::EINVAL].contains(error));
    failed.unwrap_or(0)
}

/// Changes the variable of this name, if it is the name of one.
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
    // SAFETY: readers that go through the std of the host, as those of all plugins do here, are kept out by its lock. A
    // plugin that changes the environment promises that nobody reads it in other ways meanwhile.
    unsafe { env::set_var(name, OsStr::from_bytes(value)) };
}

fn remove_var(name: &OsStr) {
    // SAFETY: std's lock keeps out those who read through the host's std, and the plugin's author others, as for `set_var`.
    unsafe { env::remove_var(name) };
}
