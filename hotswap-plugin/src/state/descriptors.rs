//! File descriptors as the numbers by which they cross.
pub(super) use std::os::fd::OwnedFd;
use std::os::fd::{FromRawFd, IntoRawFd};

/// Gives them away.
pub(super) fn into_raw(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    descriptors
        .into_iter()
        .map(IntoRawFd::into_raw_fd)
        .collect()
}

/// # Safety
/// They are open, and belong to nobody else.
pub(super) unsafe fn from_raw(descriptors: &[i32]) -> Vec<OwnedFd> {
    descriptors
        .iter()
        // SAFETY: the caller's promise.
        .map(|descriptor| unsafe { OwnedFd::from_raw_fd(*descriptor) })
        .collect()
}
