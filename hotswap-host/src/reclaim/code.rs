//! Code that may leave memory, seen from the threads that run it.
//!
//! Unsafe code: destructors are C functions of plugins, which are called with the addresses that were registered.
#![allow(unsafe_code)]
use super::activity::Activity;
use hotswap_plugin::contract::shim::{Destructor, Key};
use std::ffi::c_void;

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

/// A destructor that a library has left on a thread, with its argument. Dropping it does not run it.
pub(super) struct LeftDestructor {
    run: Destructor,
    object: *mut c_void,
}

// SAFETY: the argument is only passed to its destructor, on the thread on which both were left.
unsafe impl Send for LeftDestructor {}

impl LeftDestructor {
    pub(super) fn new(run: Destructor, object: *mut c_void) -> Self {
        LeftDestructor { run, object }
    }

    /// Runs it, on the thread on which it was left.
    pub(super) fn run(self) {
        // SAFETY: the library has registered the destructor with this argument, or made the key that had it as a value,
        // and it runs once, because `self` is consumed. The library is mapped: the last look (`reclaim::look`) lets no
        // library leave that the record of a thread lists as running, as `record::destructors` does meanwhile.
        unsafe { (self.run)(self.object) }
    }
}

/// Returns true if both are the same code.
pub(super) fn same(one: &dyn Code, other: &dyn Code) -> bool {
    std::ptr::addr_eq(one, other)
}
