//! File descriptors as the numbers by which they cross.
pub(super) use std::os::fd::OwnedFd;
use std::os::fd::{FromRawFd, IntoRawFd};

/// Gives up the ownership of the descriptors, and returns their numbers.
pub(super) fn into_raw(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    descriptors
        .into_iter()
        .map(IntoRawFd::into_raw_fd)
        .collect()
}

/// # Safety
/// The descriptors are open, and the caller owns them.
pub(super) unsafe fn from_raw(descriptors: &[i32]) -> Vec<OwnedFd> {
    descriptors
        .iter()
        // SAFETY: the caller guarantees that it owns the open descriptor.
        .map(|descriptor| unsafe { OwnedFd::from_raw_fd(*descriptor) })
        .collect()
}
