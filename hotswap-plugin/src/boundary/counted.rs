//! Counts of objects that other libraries own. The host keeps the count, or the library itself if it has no host.
use crate::boundary::call::{drop_quietly, quietly};
use crate::boundary::view::StrView;
use crate::contract::Ticket;
use crate::contract::shim::Token;
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::host::{self, Host};
use crate::runtime::{self, Use};
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*, fence};

/// True once an object has been made that its own library counts.
static HAS_LOCAL: AtomicBool = AtomicBool::new(false);

/// Keeps the library, which has just been connected to its host, if a constructor of it has made an object before. The
/// host does not know who has that object.
pub(crate) fn connected() {
    unsafe extern "C" fn nothing(_: *const ()) {}
    fence(SeqCst);
    if let Some(host) = host::host().filter(|_| HAS_LOCAL.load(Relaxed)) {
        let (object, name) = (null(), StrView::new("made by a constructor"));
        let object = RawDrop {
            object,
            drop: nothing,
        };
        // SAFETY: the host gave the token together with the table. The first count is replaced by one of the host,
        // whose token is null, and which nobody releases.
        unsafe {
            let ticket = host.table.count_object()(host.token, object, name).0.cast();
            Ticket::retain(ticket, null());
            Ticket::release(ticket, host.token);
        }
    }
}

/// Returns the host that counts objects. There is none in a host, and none yet in a constructor of a plugin's library.
fn counting_host() -> Option<Host> {
    host::host().or_else(|| {
        HAS_LOCAL.store(true, Relaxed);
        // Either `connected` sees this, or this sees the host.
        fence(SeqCst);
        host::host()
    })
}

/// Begins to count an object, under a name for reports. Returns its address and the first count.
pub(super) fn count<T: Send + Sync + 'static>(object: T, name: &str) -> (*const (), Counted) {
    let Some(host) = counting_host() else {
        return Local::count(object);
    };
    // An object may outlive its plugin, and needs the runtime for as long.
    Use::another().leave();
    let this: *const () = Box::into_raw(Box::new(object)).cast_const().cast();
    let object = RawDrop {
        object: this,
        drop: drop_boxed::<T>,
    };
    // SAFETY: the host gave the token together with the table, and the function drops this object.
    let ticket = unsafe { host.table.count_object()(host.token, object, StrView::new(name)) };
    assert!(
        ticket != RawTicket::NONE,
        "the library is being closed, so nobody can own an object of it any more"
    );
    (this, Counted::new(ticket.0.cast()))
}

/// One count of an object.
pub(super) struct Counted(NonNull<Ticket>);

// SAFETY: tickets may be used from any thread, and only objects that are `Send + Sync` are counted.
unsafe impl Send for Counted {}
// SAFETY: tickets may be used from several threads at once.
unsafe impl Sync for Counted {}

impl Counted {
    /// Takes over a count that exists already.
    pub(super) fn new(ticket: *const Ticket) -> Self {
        Counted(NonNull::new(ticket.cast_mut()).expect("an object that is held is counted"))
    }

    /// Adds a count. Returns `None` if the object is not counted.
    ///
    /// # Safety
    /// The ticket has a count until this function returns.
    pub(super) unsafe fn another(RawTicket(ticket): RawTicket) -> Option<Self> {
        let ticket = NonNull::new(ticket.cast::<Ticket>().cast_mut())?;
        // SAFETY: the caller guarantees that the ticket has a count, so it is alive. The token is that of this library.
        unsafe { Ticket::retain(ticket.as_ptr(), own_token()) };
        Some(Counted(ticket))
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
        // SAFETY: this is a count of the library that the token names. The caller guarantees that the future is dropped
        // once.
        let RawTicket(ticket) = unsafe { Ticket::adopt(self.0.as_ptr(), future, own_token()) };
        NonNull::new(ticket.cast_mut().cast()).map(Counted)
    }

    /// Returns the address of the ticket.
    pub(super) fn raw(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
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
        // SAFETY: this is a count of the ticket, so the ticket is alive. The token is that of this library.
        unsafe { Ticket::retain(self.0.as_ptr(), own_token()) };
        Counted(self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: this is a count of the library that the token names, and it is not used again.
        unsafe { Ticket::release(self.0.as_ptr(), own_token()) }
    }
}

/// Returns the token of the library that runs this. It is null in a host, and in a plugin that is linked as an ordinary
/// library.
pub(super) fn own_token() -> Token {
    host::host().map_or(null(), |host| host.token)
}

unsafe extern "C" fn drop_boxed<T>(object: *const ()) {
    let _runtime = Use::taken_up();
    // SAFETY: `count` made the address from a box of this type, and its ticket calls this function once.
    let object = unsafe { Box::from_raw(object.cast::<T>().cast_mut()) };
    // The runtime may panic, too: it does where the object has forgotten a guard of it.
    quietly(|| runtime::within(|| drop_quietly(object)));
}

/// An object that its own library counts. That library never leaves memory: it is a host, or a plugin that [`connected`]
/// keeps.
#[repr(C)]
struct Local<T> {
    ticket: Ticket,
    count: AtomicUsize,
    object: T,
}

impl<T> Local<T> {
    /// Returns the address of the object, and its first count.
    fn count(object: T) -> (*const (), Counted) {
        let local: *const Local<T> = Box::into_raw(Box::new(Local {
            ticket: Ticket::lasting(Self::retain, Self::release),
            count: AtomicUsize::new(1),
            object,
        }));
        // SAFETY: the box was made just now, and nothing has dropped it.
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
        // SAFETY: the ticket is the front of a `Local<T>`, which is alive since the caller has a count.
        if unsafe { (*local).count.fetch_sub(1, Release) } == 1 {
            // What other threads did with the object happens before its drop.
            fence(Acquire);
            // SAFETY: the address is that of a box, and the last count has just been released.
            drop_quietly(unsafe { Box::from_raw(local.cast_mut()) });
        }
    }
}
