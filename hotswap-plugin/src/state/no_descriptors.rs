//! Platforms without file descriptors: no state has any.
pub(super) use std::convert::Infallible as OwnedFd;

/// There are none.
pub(super) fn into_raw(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    descriptors
        .into_iter()
        .map(|descriptor| match descriptor {})
        .collect()
}

/// # Safety
/// None: there are none.
pub(super) unsafe fn from_raw(_: &[i32]) -> Vec<OwnedFd> {
    Vec::new()
}
