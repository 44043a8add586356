//! Code that may leave memory, as far as threads are concerned.
use super::activity::Activity;
use hotswap_plugin::contract::shim::{Destructor, Key};

/// Code that leaves destructors on threads, and starts threads: a library.
///
/// It stays mapped while anybody has an `Arc` of it and any destructor is listed in a thread's record.
pub(crate) trait Code: Send + Sync {
    /// What could still run it.
    fn activity(&self) -> &Activity;

    /// What its key's values are handed to when their thread ends; `None` for a key that it has deleted.
    fn key_destructor(&self, key: Key) -> Option<Destructor>;

    /// This many of its destructors have run.
    fn count_destructors_run(&self, n: usize);

    /// This many of its destructors will never run: their threads are gone.
    fn count_destructors_skipped(&self, n: usize);

    /// The calling thread, which it started, has run its last destructor.
    fn thread_ended(&self);
}

/// Whether both are the same code.
pub(super) fn same(one: &dyn Code, other: &dyn Code) -> bool {
    std::ptr::addr_eq(one, other)
}
