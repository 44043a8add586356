//! Changes and reads the environment of the process for all plugins.
//!
//! Each std has a lock for the environment, and each plugin has a std of its own. Therefore a plugin's reads and
//! changes come here and are made with the host's std. The lock of the host's own `std::env` then excludes all of them.
//!
//! This does not cover code that reads the memory of the environment directly: `std::env::vars` and the start of a
//! process in a plugin, and C code of the host. For them there is a rule for authors, in `docs/shared-process.md`.
use crate::platform;
use std::collections::BTreeSet;
use std::env;
use std::ffi::{CStr, CString, OsStr, OsString, c_int};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

/// A plugin's change holds this lock, because it may look before it changes anything.
static CHANGING: Mutex<()> = Mutex::new(());

/// All values that plugins have read. `getenv` lends its result for as long as the process runs, whatever happens to
/// the variable. The C library keeps replaced values, too.
static VALUES: Mutex<BTreeSet<&'static CStr>> = Mutex::new(BTreeSet::new());

/// Does what `getenv` does.
pub(super) fn get(name: &CStr) -> Option<&'static CStr> {
    let value = || env::var_os(OsStr::from_bytes(name.to_bytes())).map(kept);
    catch_unwind(value).ok().flatten()
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

/// Does what `setenv` does. Returns 0 or an error number.
pub(super) fn set(name: &CStr, value: &CStr, overwrite: bool) -> c_int {
    change(name.to_bytes(), |name| {
        if overwrite || env::var_os(name).is_none() {
            set_variable(name, value.to_bytes());
        }
    })
}

/// Does what `putenv` does, with a copy of the text. Returns 0 or an error number.
pub(super) fn put(text: &CStr) -> c_int {
    let mut parts = text.to_bytes().splitn(2, |byte| *byte == b'=');
    let (name, value) = (parts.next().unwrap_or_default(), parts.next());
    change(name, |name| match value {
        Some(value) => set_variable(name, value),
        None => remove_variable(name),
    })
}

/// Does what `unsetenv` does. Returns 0 or an error number.
pub(super) fn unset(name: &CStr) -> c_int {
    change(name.to_bytes(), remove_variable)
}

/// Does what `clearenv` does. Returns 0 or an error number.
pub(super) extern "C" fn clear() -> c_int {
    let names = || env::vars_os().map(|(name, _)| name);
    let Ok(names) = catch_unwind(|| names().collect::<Vec<_>>()) else {
        return libc::ENOMEM;
    };
    // An entry without a proper name stays, because it cannot be asked for.
    let failed = names
        .iter()
        .map(|name| change(name.as_bytes(), remove_variable))
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

fn set_variable(name: &OsStr, value: &[u8]) {
    platform::change_variable(name, Some(OsStr::from_bytes(value)));
}

fn remove_variable(name: &OsStr) {
    platform::change_variable(name, None);
}
