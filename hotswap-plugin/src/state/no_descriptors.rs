//! Platforms without file descriptors, on which no state has any.
pub(super) use std::convert::Infallible as OwnedFd;

/// Returns an empty list.
pub(super) fn into_raw(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    descriptors
        .into_iter()
        .map(|descriptor| match descriptor {})
        .collect()
}

/// # Safety
/// Always safe, since there are no descriptors.
pub(super) unsafe fn from_raw(_: &[i32]) -> Vec<OwnedFd> {
    Vec::new()
}
