//! What counts an object of one library that others own: the other end of a [`Held`](crate::Held).
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::contract::shim::Token;
use abi_stable::StableAbi;
use std::sync::atomic::{AtomicU32, Ordering::*};

/// The front of whatever counts an object. Each [`Held`](crate::Held) is one count.
///
/// An object of a plugin is counted by the host, which knows by that who keeps the plugin's library in memory; an
/// object of the host's, or of a plugin that is linked as an ordinary library, is counted by its own library.
#[repr(C)]
pub struct Ticket {
    retain: Count,
    release: Count,
    adopt: Adopt,
    phase: AtomicU32,
}

/// Adds or takes one count. The token is that of the library which has it, null for the host. Does not unwind.
pub type Count = unsafe extern "C" fn(ticket: *const Ticket, by: Token);

/// Begins to count a future that borrows the object, for the library that `by` names, which has a count of the object: a
/// ticket with one count, with which the future is dropped. [`RawTicket::NONE`] where nothing ends the object while it has
/// a count: then whoever has the future drops it. Does not unwind.
pub type Adopt =
    unsafe extern "C" fn(ticket: *const Ticket, future: RawDrop, by: Token) -> RawTicket;

/// Drops an object, in its own library. Does not unwind.
pub type DropObject = unsafe extern "C" fn(object: *const ());

/// The plugin that made it is live.
const LIVE: u32 = 0;
/// The plugin that made it has been replaced.
const RETIRED: u32 = 1;
/// It has been dropped: nothing of it may be called.
const REVOKED: u32 = 2;

impl Ticket {
    /// A ticket whose counts these functions change.
    pub const fn new(retain: Count, release: Count, adopt: Adopt) -> Self {
        Ticket {
            retain,
            release,
            adopt,
            phase: AtomicU32::new(LIVE),
        }
    }

    /// The ticket of an object that is never dropped while it has a count.
    pub const fn lasting(retain: Count, release: Count) -> Self {
        unsafe extern "C" fn nothing(_: *const Ticket, _: RawDrop, _: Token) -> RawTicket {
            RawTicket::NONE
        }
        Ticket::new(retain, release, nothing)
    }

    /// Adds a count.
    ///
    /// # Safety
    /// The ticket has a count that lasts as long as this call, and `by` is the token of the library that runs this, or of the
    /// one that waits for it and is given the count.
    pub unsafe fn retain(this: *const Ticket, by: Token) {
        // SAFETY: by the caller's promise.
        unsafe { ((*this).retain)(this, by) }
    }

    /// Takes a count away; with the last one the object is dropped.
    ///
    /// # Safety
    /// The library that runs this, whose token is `by`, has a count, and does not use it again.
    pub unsafe fn release(this: *const Ticket, by: Token) {
        // SAFETY: by the caller's promise.
        unsafe { ((*this).release)(this, by) }
    }

    /// Begins to count a future that borrows the object.
    ///
    /// # Safety
    /// The library that runs this, whose token is `by`, has a count. The future is dropped once: by its owner where this
    /// gives [`RawTicket::NONE`], and else by whatever counts it.
    pub unsafe fn adopt(this: *const Ticket, future: RawDrop, by: Token) -> RawTicket {
        // SAFETY: by the caller's promise.
        unsafe { ((*this).adopt)(this, future, by) }
    }

    /// The plugin that made the object has been replaced.
    pub fn set_retired(&self) {
        let _ = self.phase.compare_exchange(LIVE, RETIRED, SeqCst, SeqCst);
    }

    /// Whether the plugin that made the object has been replaced.
    pub fn is_retired(&self) -> bool {
        self.phase.load(Relaxed) != LIVE
    }

    /// From now on nothing of the object may be called, since it is about to be dropped.
    pub fn set_revoked(&self) {
        self.phase.store(REVOKED, SeqCst);
    }

    /// Whether the object has been dropped.
    #[inline]
    pub fn is_revoked(&self) -> bool {
        self.phase.load(Relaxed) == REVOKED
    }
}

/// `*const Ticket`, or null.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawTicket(pub *const ());

impl RawTicket {
    /// Nothing is counted.
    pub const NONE: RawTicket = RawTicket(std::ptr::null());
}

/// [`DropObject`], of an object.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawDrop {
    /// The object.
    pub object: *const (),
    /// Drops it.
    pub drop: unsafe extern "C" fn(*const ()),
}
