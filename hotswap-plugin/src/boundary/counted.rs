//! Counts of objects that other libraries own: by the host, or by the library itself where it has no host.
use crate::boundary::call::drop_quietly;
use crate::boundary::view::StrView;
use crate::contract::Ticket;
use crate::contract::shim::Token;
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::host;
use crate::runtime::{self, Use};
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicUsize, Ordering::*, fence};

/// Begins to count an object, under a name for reports: its address, and the first count.
pub(super) fn count<T: Send + Sync + 'static>(object: T, name: &str) -> (*const (), Counted) {
    let Some(host) = host::host() else {
        return Local::count(object);
    };
    // An object may outlive its plugin, and wants the runtime as long.
    Use::another().leave();
    let this: *const () = Box::into_raw(Box::new(object)).cast_const().cast();
    let object = RawDrop {
        object: this,
        drop: drop_boxed::<T>,
    };
    // SAFETY: the token belongs to the table, and the function to the object.
    let ticket = unsafe { host.table.count_object()(host.token, object, StrView::new(name)) };
    (this, Counted::new(ticket.0.cast()))
}

/// One count of an object.
pub(super) struct Counted(NonNull<Ticket>);

// SAFETY: tickets may be used from any thread, and only objects that are `Send + Sync` are counted.
unsafe impl Send for Counted {}
// SAFETY: as above.
unsafe impl Sync for Counted {}

impl Counted {
    /// A count that is there already.
    pub(super) fn new(ticket: *const Ticket) -> Self {
        Counted(NonNull::new(ticket.cast_mut()).expect("an object that is held is counted"))
    }

    /// One more count, where anything is counted.
    ///
    /// # Safety
    /// The ticket has a count, until this returns.
    pub(super) unsafe fn another(RawTicket(ticket): RawTicket) -> Option<Self> {
        let ticket = NonNull::new(ticket.cast::<Ticket>().cast_mut())?;
        // SAFETY: by the caller's promise.
        unsafe { Ticket::retain(ticket.as_ptr(), own_token()) };
        Some(Counted(ticket))
    }

    pub(super) fn ticket(&self) -> &Ticket {
        // SAFETY: alive as long as it has a count, which is this one.
        unsafe { self.0.as_ref() }
    }

    /// A count of a future that borrows the object: with it the future is dropped. `None` where the object stays as long
    /// as this count does.
    ///
    /// # Safety
    /// The future is dropped once: by the caller where this is `None`, and else with the count.
    pub(super) unsafe fn adopt(&self, future: RawDrop) -> Option<Counted> {
        // SAFETY: this is a count, of the library that the token names; the future by the caller's promise.
        let RawTicket(ticket) = unsafe { Ticket::adopt(self.0.as_ptr(), future, own_token()) };
        NonNull::new(ticket.cast_mut().cast()).map(Counted)
    }

    /// What counts.
    pub(super) fn raw(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }

    /// # Panics
    /// The object has been dropped.
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
        // SAFETY: this is a count.
        unsafe { Ticket::retain(self.0.as_ptr(), own_token()) };
        Counted(self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: this library has this count, which ends here.
        unsafe { Ticket::release(self.0.as_ptr(), own_token()) }
    }
}

/// The token of the library that runs this; null in a host, and in a plugin that is linked as an ordinary library.
pub(super) fn own_token() -> Token {
    host::host().map_or(null(), |host| host.token)
}

unsafe extern "C" fn drop_boxed<T>(object: *const ()) {
    let _runtime = Use::taken_up();
    // SAFETY: made by `count` from a box of this type; called once.
    let object = unsafe { Box::from_raw(object.cast::<T>().cast_mut()) };
    runtime::within(|| drop_quietly(object));
}

/// An object that its own library counts, which never leaves memory.
#[repr(C)]
struct Local<T> {
    ticket: Ticket,
    count: AtomicUsize,
    object: T,
}

impl<T> Local<T> {
    /// The object, and the first count.
    fn count(object: T) -> (*const (), Counted) {
        let local: *const Local<T> = Box::into_raw(Box::new(Local {
            ticket: Ticket::lasting(Self::retain, Self::release),
            count: AtomicUsize::new(1),
            object,
        }));
        // SAFETY: just made.
        let object = unsafe { &raw const (*local).object };
        (object.cast(), Counted::new(local.cast()))
    }

    unsafe extern "C" fn retain(ticket: *const Ticket, _: Token) {
        let local = ticket.cast::<Self>();
        // SAFETY: the ticket is the front of a `Local<T>`, which is alive while it has a count.
        unsafe { (*local).count.fetch_add(1, Relaxed) };
    }

    unsafe extern "C" fn release(ticket: *const Ticket, _: Token) {
        let local = ticket.cast::<Self>();
        // SAFETY: as in `retain`; the caller has a count.
        if unsafe { (*local).count.fetch_sub(1, Release) } == 1 {
            // What others did with the object comes before its end.
            fence(Acquire);
            // SAFETY: made from a box, and nobody has a count any more.
            drop_quietly(unsafe { Box::from_raw(local.cast_mut()) });
        }
    }
}
