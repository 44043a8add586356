//! Counts of objects that other libraries own. The host keeps the count, or the library itself if it has no host.
#![allow(
    unsafe_code,
    reason = "it counts objects by their addresses, and drops them"
)]
use crate::boundary::call::drop_quietly;
use crate::contract::Ticket;
use crate::contract::shim::Token;
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::host::{self, own_token};
use crate::runtime::{self, Use};
use std::ptr::NonNull;
use std::sync::Arc;

/// One count of an object.
pub(crate) struct Counted(NonNull<Ticket>);

// SAFETY: the owner of a ticket lets any thread use it, and only objects that are `Send + Sync` are counted.
unsafe impl Send for Counted {}
// SAFETY: the owner of a ticket lets several threads use it at once.
unsafe impl Sync for Counted {}

impl Counted {
    /// Begins to count an object, under a name for reports. Returns its address and the first count.
    pub(super) fn of<T: Send + Sync + 'static>(object: T, name: &str) -> (*const (), Counted) {
        let Some(host) = host::host() else {
            return Local::count(object);
        };
        // An object may outlive its plugin, and needs the runtime for as long.
        Use::another().leave();
        let this: *const () = Box::into_raw(Box::new(object)).cast_const().cast();
        let object = RawDrop {
            object: this,
            drop: drop_boxed::<T>,
        };
        // SAFETY: the object is a box of a `T` that any thread may drop, and `drop_boxed` drops such a box.
        let ticket = unsafe { host.count_object(object, name) };
        // SAFETY: the host has returned a ticket with a count for this library.
        (this, unsafe { Counted::new(ticket) })
    }

    /// Counts a task for the host until the count is dropped. Returns `None` without a host.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_task(name: &str) -> Option<Self> {
        let ticket = host::host()?.count_task(name);
        // SAFETY: the host has returned a ticket with a count for this library.
        Some(unsafe { Counted::new(ticket) })
    }

    /// Takes over a count that exists already.
    ///
    /// # Safety
    /// The ticket has a count of this library, which nothing else releases.
    pub(super) unsafe fn new(RawTicket(ticket): RawTicket) -> Self {
        let ticket = NonNull::new(ticket.cast::<Ticket>().cast_mut());
        Counted(ticket.expect("an object that is held is counted"))
    }

    /// Adds a count. Returns `None` if the object is not counted.
    ///
    /// # Safety
    /// The ticket has a count until this function returns.
    pub(super) unsafe fn another(RawTicket(ticket): RawTicket) -> Option<Self> {
        let counted = Counted(NonNull::new(ticket.cast::<Ticket>().cast_mut())?);
        // SAFETY: the token is that of this library, whose code runs. The caller guarantees that the ticket is alive.
        unsafe { counted.retain(own_token()) };
        Some(counted)
    }

    /// Adds a count for the library that `by` names, and returns the ticket.
    ///
    /// # Safety
    /// The token names a library whose code runs, or waits for this function. The ticket has a count.
    pub(super) unsafe fn retain(&self, by: Token) -> RawTicket {
        let ticket = self.0.as_ptr().cast_const();
        // SAFETY: the caller guarantees that the token is valid and that the ticket has a count, so it is alive.
        unsafe { ((*ticket).retain)(ticket, by) };
        self.raw()
    }

    pub(super) fn ticket(&self) -> &Ticket {
        // SAFETY: a ticket is alive as long as it has a count, and this is one.
        unsafe { self.0.as_ref() }
    }

    /// Counts a future that borrows the object: the future is dropped with its count. Returns `None` if the object
    /// stays as long as this count does.
    ///
    /// # Safety
    /// The future is dropped once: by the caller if the result is `None`, and otherwise with the count.
    pub(super) unsafe fn adopt(&self, future: RawDrop) -> Option<Counted> {
        // SAFETY: this is a count of the library that the token names, so the ticket is alive. The caller guarantees
        // that the future is dropped once.
        let RawTicket(ticket) =
            unsafe { (self.ticket().adopt)(self.0.as_ptr(), future, own_token()) };
        NonNull::new(ticket.cast_mut().cast()).map(Counted)
    }

    pub(super) fn raw(&self) -> RawTicket {
        RawTicket(self.0.as_ptr().cast_const().cast())
    }

    /// # Panics
    /// Panics if the object has been dropped.
    #[inline]
    pub(super) fn check(&self) {
        if self.ticket().is_revoked() {
            revoked();
        }
    }
}

#[cold]
fn revoked() -> ! {
    panic!("the object has been dropped, with the plugin that made it");
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        // SAFETY: the token is that of this library, whose code runs, and this is a count of the ticket.
        unsafe { self.retain(own_token()) };
        Counted(self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: this is a count of the library that the token names, and it is not used again.
        unsafe { (self.ticket().release)(self.0.as_ptr(), own_token()) }
    }
}

unsafe extern "C" fn drop_boxed<T>(object: *const ()) {
    let _runtime = Use::taken_up();
    // SAFETY: `Counted::of` made the address from a box of this type, and its ticket calls this function once.
    let object = unsafe { Box::from_raw(object.cast::<T>().cast_mut()) };
    runtime::within(|| drop_quietly(object));
}

/// An object that its own library counts. That library never leaves memory.
#[repr(C)]
struct Local<T> {
    ticket: Ticket,
    object: T,
}

impl<T> Local<T> {
    /// Returns the address of the object, and its first count.
    fn count(object: T) -> (*const (), Counted) {
        let local = Arc::new(Local {
            ticket: Ticket::lasting(Self::retain, Self::release),
            object,
        });
        let object = (&raw const local.object).cast();
        // SAFETY: the ticket is the front of a `Local<T>`, and has the count that is given up here.
        let counted = unsafe { Counted::new(RawTicket(Arc::into_raw(local).cast())) };
        (object, counted)
    }

    unsafe extern "C" fn retain(ticket: *const Ticket, _: Token) {
        // SAFETY: the ticket is the front of a `Local<T>` in an `Arc`, and the caller has a count.
        unsafe { Arc::increment_strong_count(ticket.cast::<Self>()) };
    }

    unsafe extern "C" fn release(ticket: *const Ticket, _: Token) {
        // SAFETY: the ticket is the front of a `Local<T>` in an `Arc`, and the caller gives up its count.
        drop_quietly(unsafe { Arc::from_raw(ticket.cast::<Self>()) });
    }
}
