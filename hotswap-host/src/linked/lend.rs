//! Counts the imports of a plugin that is linked into the program.
//!
//! Threads of a plugin may outlive its instance and use its imports. The host knows the threads of a loaded library, so
//! its imports stay until they have ended. It does not know those of a linked plugin. Therefore each handle of such a
//! plugin to an import is counted, as a [`Held`](hotswap_plugin::Held) is, and the imports are freed after the last
//! handle.
use crate::instance::Uses;
use hotswap_plugin::boundary::RawObject;
use hotswap_plugin::contract::Ticket;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::contract::ticket::RawTicket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The imports of a plugin, kept by each handle to one of them.
#[repr(C)]
pub(crate) struct Lent {
    /// The front, which is all that the handles know of it.
    ticket: Ticket,
    uses: Uses,
}

impl Lent {
    /// Makes the handles to `objects` counted. They lead to `uses`. The caller keeps the result until the handles have
    /// been made.
    pub(crate) fn count(objects: &mut [RawObject], uses: &Uses) -> Arc<Self> {
        let lent = Arc::new(Lent {
            ticket: Ticket::lasting(retain, release),
            uses: uses.clone(),
        });
        for object in objects.iter_mut().filter(|o| **o != RawObject::ABSENT) {
            object.ticket = RawTicket(Arc::as_ptr(&lent).cast());
        }
        lent
    }
}

unsafe extern "C" fn retain(ticket: *const Ticket, _: Token) {
    // SAFETY: the ticket is the front of a value that an `Arc` owns, and the caller has a count.
    unsafe { Arc::increment_strong_count(ticket.cast::<Lent>()) };
}

unsafe extern "C" fn release(ticket: *const Ticket, _: Token) {
    // SAFETY: the ticket is the front of a value that an `Arc` owns, and the caller gives up its count.
    drop(unsafe { Arc::from_raw(ticket.cast::<Lent>()) });
}

impl Drop for Lent {
    /// Releases the imports, because the last handle is gone.
    fn drop(&mut self) {
        let uses = std::mem::take(&mut self.uses);
        // This may drop objects that the host has provided, which may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| uses.release()));
    }
}
