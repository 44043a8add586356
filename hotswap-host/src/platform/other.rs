//! Platforms on which nothing is unmapped.
use super::dl;
use hotswap_plugin::contract::shim::Key;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

pub(crate) const HAS_SHIM: bool = false;

pub(crate) fn cannot_unmap(_: bool) -> Option<String> {
    Some("on this platform libraries cannot leave memory safely".into())
}

pub(crate) fn thread_id() -> i32 {
    0
}

pub(crate) fn thread_name(_: i32) -> String {
    String::new()
}

pub(crate) fn thread_start(_: i32) -> Option<u64> {
    None
}

/// Returns false: no thread is known to have ended.
pub(crate) fn has_ended(_: i32, _: Option<u64>) -> bool {
    false
}

/// A library, as the dynamic linker knows it.
#[derive(Debug)]
pub(crate) struct LoadedObject {
    /// The path by which it was first opened.
    pub(crate) name: PathBuf,
    /// The addresses that it occupies.
    pub(crate) range: Range<usize>,
}

/// Returns the path that was opened, without asking the dynamic linker.
pub(crate) fn loaded_object(
    library: dl::Library,
    path: &Path,
) -> (dl::Library, Option<LoadedObject>) {
    let object = LoadedObject {
        name: path.to_owned(),
        range: 0..0,
    };
    (library, Some(object))
}

/// Returns true, because opened libraries stay.
pub(crate) fn is_loaded(_: &Path) -> bool {
    true
}

pub(crate) fn signal_handler_in(_: &Range<usize>) -> Option<c_int> {
    None
}

pub(crate) fn quarantine(_: Range<usize>) -> usize {
    0
}

/// Does nothing: without a shim, no plugin registers anything here.
pub(crate) fn at_thread_exit<T>(_: extern "C" fn(&'static T), _: &'static T) {}

/// Returns null: without a shim, the host knows no key of a plugin.
pub(crate) fn take_key_value(_: Key) -> *mut c_void {
    null_mut()
}

pub(crate) fn delete_key(_: Key) {}
