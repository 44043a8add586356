//! The tasks that wait at a closed gate without a thread.
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The tasks that wait at one gate.
#[derive(Default)]
pub(crate) struct AsyncWaiters(Mutex<Waiters>);

#[derive(Default)]
pub(crate) struct Waiters {
    /// The gate is open, and no task waits any more.
    pub(crate) open: bool,
    /// One thread waits on behalf of all tasks.
    pub(crate) watched: bool,
    /// The number of the next waiter.
    pub(crate) next: u64,
    pub(crate) wakers: BTreeMap<u64, Waker>,
}

impl AsyncWaiters {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
