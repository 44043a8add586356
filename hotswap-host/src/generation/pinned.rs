//! The generation in which the calling thread is.
//!
//! Unsafe code: what a thread has pinned is known by its address alone. Each [`Live`](crate::reclaim::pin::Live) of the host
//! is one of generations, as `Inner::live` and its constructor say, so that is what it is. It may belong to another host of
//! the process.
#![allow(unsafe_code)]
use super::Generation;
use crate::reclaim::pin::again::{Again, pin_again};

/// Pins a generation once more that the calling thread has pinned, and of which `is_it` is true. If there are several, that
/// is the newest one.
#[inline]
pub(super) fn pinned_here(is_it: impl Fn(&Generation) -> bool) -> Option<Again<Generation>> {
    // SAFETY: everything that is pinned in a process with a host is a generation: see the header of this module.
    unsafe { pin_again(is_it) }
}
