//! Platforms on which nothing is unmapped.
use std::ffi::{c_int, c_void};
use std::io;
use std::ops::Range;
use std::path::Path;

pub(crate) fn cannot_unmap() -> Option<String> {
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

pub(crate) fn mapped_range(_: &Path) -> Option<Range<usize>> {
    None
}

pub(crate) fn signal_handler_in(_: &Range<usize>) -> Option<c_int> {
    None
}

pub(crate) fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn quarantine(_: Range<usize>) -> usize {
    0
}

/// Without a shim no plugin registers anything here.
///
/// # Safety
/// None.
pub(crate) unsafe fn at_thread_exit(_: unsafe extern "C" fn(*mut c_void), _: *mut c_void) {}
