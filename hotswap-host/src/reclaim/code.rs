//! Code that may leave memory, seen from the threads that run it.
use super::activity::Activity;
use hotswap_plugin::contract::shim::{Destructor, Key};

/// A library: code that leaves destructors on threads, and that starts threads.
///
/// It stays mapped while an `Arc` of it exists, or while one of its destructors is listed in the record of a thread.
pub(crate) trait Code: Send + Sync {
    /// Returns the counts of everything that could still run the code.
    fn activity(&self) -> &Activity;

    /// Returns the destructor of the values of a key, or `None` if the library has deleted the key.
    fn key_destructor(&self, key: Key) -> Option<Destructor>;

    /// Notes that `n` destructors of the code have run.
    fn count_destructors_run(&self, n: usize);

    /// Notes that `n` destructors of the code will never run, because their threads are gone.
    fn count_destructors_skipped(&self, n: usize);

    /// Notes that the calling thread, which the code started, has run its last destructor.
    fn thread_ended(&self);
}

/// Returns true if both are the same code.
pub(super) fn same(one: &dyn Code, other: &dyn Code) -> bool {
    std::ptr::addr_eq(one, other)
}
