//! Objects of one library that another owns.
use crate::boundary::call::drop_quietly;
use crate::boundary::describe::TypeDesc;
use crate::boundary::interface::{Interface, Object, Provides, RawObject};
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::{Arena, StrView};
use crate::contract::Ticket;
use crate::contract::shim::Token;
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::runtime::{self, Use};
use crate::{__arg, __returned, host};
use std::fmt;
use std::ops::Deref;
use std::ptr::{NonNull, null};
use std::sync::atomic::{AtomicUsize, Ordering::*, fence};

/// An object that may be owned by another library than the one that made it: a listener, a stream, a job.
///
/// It crosses as a parameter, a result, or a part of one, and has the methods of the interface `I`. Clones share the
/// object, which is dropped with the last of them, by the library that made it. Until then that library stays in
/// memory, and the host names who has the object when it is asked why.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[interface]
/// pub trait Listener: Send + Sync {
///     fn hear(&self, text: &str) -> u32;
/// }
///
/// #[interface]
/// pub trait Radio: Send + Sync {
///     fn listen(&self, listener: Held<dyn Listener>);
/// }
///
/// struct Ear;
///
/// impl Listener for Ear {
///     fn hear(&self, text: &str) -> u32 {
///         text.len() as u32
///     }
/// }
///
/// let held: Held<dyn Listener> = Held::new(Ear);
/// assert_eq!(held.hear("pulse"), 5);
/// ```
///
/// # When the plugin that made it is replaced
/// The object lives on, and does as the old build did. Whoever has it can ask [`is_retired`](Self::is_retired), and
/// drop it.
///
/// Two plugins may have objects of each other's, or one has an object of another that imports it. When both are
/// replaced and nobody else has anything of theirs, the host drops these objects before it frees the plugins, and the
/// unfinished futures of their `async` methods before the objects. To call such an object, or to poll such a future, then
/// panics; only `on_free` and `Drop` of a plugin, and what they call, can get there.
pub struct Held<I: Interface + ?Sized>(I::Proxy);

impl<I: Interface + ?Sized> Held<I> {
    /// Lets others own `object`.
    pub fn new<T: Send + Sync + 'static>(object: T) -> Self
    where
        I: Provides<T>,
    {
        let (this, counted) = count(object, I::DESC.name.as_str());
        let raw = RawObject::lent(std::ptr::from_ref(I::TABLE).cast(), this);
        // SAFETY: the object is alive as long as it is counted, and `T` is `Send + Sync`.
        Held(I::proxy(unsafe { Object::counted(raw, counted) }))
    }

    /// Whether the plugin that made it has been replaced since.
    pub fn is_retired(&self) -> bool {
        let count = I::object(&self.0).count();
        count.is_some_and(|counted| counted.ticket().is_retired())
    }
}

impl<I: Interface + ?Sized> Clone for Held<I> {
    fn clone(&self) -> Self {
        Held(I::proxy(I::object(&self.0).share()))
    }
}

impl<I: Interface + ?Sized> Deref for Held<I> {
    type Target = I::Proxy;
    #[inline]
    fn deref(&self) -> &I::Proxy {
        &self.0
    }
}

impl<I: Interface + ?Sized + 'static> fmt::Debug for Held<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Self::TYPE)
    }
}

/// What crosses instead of a [`Held`]: the receiver adds a count of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HeldView(RawObject);

// SAFETY: the view is `repr(C)`. It can be read while the value is alive, which has a count; what that gives is a count
// of its own.
unsafe impl<I: Interface + ?Sized + 'static> Shared for Held<I> {
    const TYPE: &'static TypeDesc = &TypeDesc::held::<HeldView>(I::DESC);
    type View = HeldView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;

    fn view(&self, _: &Arena) -> HeldView {
        HeldView(I::object(&self.0).raw())
    }

    unsafe fn from_view(HeldView(object): HeldView) -> Self {
        // SAFETY: what the view was made of has a count.
        let counted = unsafe { Counted::another(object.ticket) };
        let counted = counted.expect("an object that is held is counted");
        // SAFETY: the descriptions are equal, so the table is an `I::Table`; the object is alive while it is counted.
        Held(I::proxy(unsafe { Object::counted(object, counted) }))
    }

    /// The name of its type: an object has no value.
    fn to_value(&self) -> Value {
        Value::Str(Self::TYPE.to_string())
    }

    /// # Errors
    /// Always: an object cannot be made from a value.
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Err(ValueError::new(&Self::TYPE.to_string(), &value))
    }
}

__arg!([I: Interface + ?Sized + 'static] Held<I>);
__returned!([I: Interface + ?Sized + 'static] Held<I>);

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
