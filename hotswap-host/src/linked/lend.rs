//! Imports of a plugin that is linked into the program.
//!
//! Threads of a plugin may outlive its instance, and use its imports. A library that is loaded is asked for its threads, and
//! what it imports stays until they have ended. Nobody knows those of a linked plugin. So each of its handles to an import
//! counts, as a [`Held`](hotswap_plugin::Held) does, and what they lead to is freed after the last of them.
use crate::instance::Uses;
use hotswap_plugin::boundary::RawObject;
use hotswap_plugin::contract::Ticket;
use hotswap_plugin::contract::shim::Token;
use hotswap_plugin::contract::ticket::RawTicket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a plugin's imports lead to, kept for each handle to one of them.
#[repr(C)]
pub(crate) struct Lent {
    /// The front, which is what the handles know of it.
    ticket: Ticket,
    uses: Uses,
}

impl Lent {
    /// Lets the handles that are made of `objects` count. They lead to `uses`; whoever hands them over keeps what this gives
    /// until they have been made.
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
    // SAFETY: the front of what an `Arc` owns; there is a count.
    unsafe { Arc::increment_strong_count(ticket.cast::<Lent>()) };
}

unsafe extern "C" fn release(ticket: *const Ticket, _: Token) {
    // SAFETY: the front of what an `Arc` owns; the count is the caller's.
    drop(unsafe { Arc::from_raw(ticket.cast::<Lent>()) });
}

impl Drop for Lent {
    /// The last handle is gone.
    fn drop(&mut self) {
        let uses = std::mem::take(&mut self.uses);
        // What the host has provided may be dropped here, and panic.
        let _ = catch_unwind(AssertUnwindSafe(|| uses.release()));
    }
}
