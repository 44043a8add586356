//! `Ticket`, the count of an object of one library that others own: the other end of a [`Held`](crate::Held).
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::contract::shim::Token;
use abi_stable::StableAbi;
use std::sync::atomic::{AtomicU32, Ordering::*};

/// The front of whatever counts an object. Each [`Held`](crate::Held) is one count.
///
/// The host counts an object of a plugin, so it knows what keeps the plugin's library in memory. An object of the host,
/// or of a plugin that is linked as an ordinary library, is counted by its own library.
#[repr(C)]
pub struct Ticket {
    pub(crate) retain: Count,
    pub(crate) release: Count,
    pub(crate) adopt: Adopt,
    phase: AtomicU32,
}

/// Adds or releases one count. The token is that of the library which has the count, or null for the host. The ticket
/// has a count that lasts as long as the call, and the object is dropped when the last one is released. Does not unwind.
pub type Count = unsafe extern "C" fn(ticket: *const Ticket, by: Token);

/// Begins to count a future that borrows the object, for the library that `by` names, which has a count of the object.
/// Returns a ticket with one count, with which the future is dropped. Returns [`RawTicket::NONE`] if the object is
/// never dropped while it has a count: then the owner of the future drops it. Does not unwind.
pub type Adopt =
    unsafe extern "C" fn(ticket: *const Ticket, future: RawDrop, by: Token) -> RawTicket;

/// Drops an object, in its own library. Does not unwind.
pub type DropObject = unsafe extern "C" fn(object: *const ());

/// The plugin that made the object is live.
const LIVE: u32 = 0;
/// The plugin that made the object has been replaced.
const RETIRED: u32 = 1;
/// The object has been dropped, and nothing of it may be called.
const REVOKED: u32 = 2;

impl Ticket {
    /// Returns a ticket whose counts these functions change.
    pub const fn new(retain: Count, release: Count, adopt: Adopt) -> Self {
        Ticket {
            retain,
            release,
            adopt,
            phase: AtomicU32::new(LIVE),
        }
    }

    /// Returns the ticket of an object that is never dropped while it has a count.
    pub const fn lasting(retain: Count, release: Count) -> Self {
        extern "C" fn nothing(_: *const Ticket, _: RawDrop, _: Token) -> RawTicket {
            RawTicket::NONE
        }
        Ticket::new(retain, release, nothing)
    }

    /// Notes that the plugin that made the object has been replaced.
    pub fn set_retired(&self) {
        let _ = self.phase.compare_exchange(LIVE, RETIRED, SeqCst, SeqCst);
    }

    /// Returns true if the plugin that made the object has been replaced.
    pub fn is_retired(&self) -> bool {
        self.phase.load(Relaxed) != LIVE
    }

    /// Notes that nothing of the object may be called any more, since it is about to be dropped.
    pub fn set_revoked(&self) {
        self.phase.store(REVOKED, SeqCst);
    }

    /// Returns true if the object has been dropped.
    #[inline]
    pub fn is_revoked(&self) -> bool {
        self.phase.load(Relaxed) == REVOKED
    }
}

/// A `*const Ticket`, or null.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawTicket(pub *const ());

impl RawTicket {
    /// The ticket of an object that is not counted.
    pub const NONE: RawTicket = RawTicket(std::ptr::null());
}

/// An object with its [`DropObject`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawDrop {
    /// The object.
    pub object: *const (),
    /// Drops it.
    pub drop: unsafe extern "C" fn(*const ()),
}
