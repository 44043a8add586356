//! Traits as tables of C functions: what a plugin exports or the host provides, and the handle others call it with.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::boundary::counted::Counted;
use crate::boundary::describe::InterfaceDesc;
use crate::contract::ticket::RawTicket;
use abi_stable::StableAbi;
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A trait that calls can cross, as `dyn Trait`. `#[interface]` implements it; the trait object's own vtable is never
/// used. It does so for trait objects of every lifetime, which is what the compiler asks for where it looks whether an
/// `async` block with a handle in it is `Send`.
///
/// # Safety
/// [`DESC`](Self::DESC) describes [`Table`](Self::Table), and the proxy calls it as described.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "not an interface",
    note = "put `#[interface]` on the trait, and write `dyn` in front of its name"
)]
pub unsafe trait Interface {
    /// The `repr(C)` table: one `unsafe extern "C" fn` for each method.
    type Table: 'static;
    /// What [`Imported`] derefs to: it has the trait's methods, and implements the trait. It cannot be cloned: whoever
    /// is lent one cannot keep it.
    type Proxy: Send + Sync + 'static;
    /// What importer and exporter compare.
    const DESC: &'static InterfaceDesc;
    /// The trait as its author wrote it, for people.
    const SIGNATURE: &'static str;

    /// The proxy that calls this object.
    fn proxy(object: Object<Self::Table>) -> Self::Proxy;

    /// The object that this proxy calls.
    fn object(proxy: &Self::Proxy) -> &Object<Self::Table>;
}

/// `dyn Trait: Provides<T>` for every `T: Trait`.
///
/// # Safety
/// The functions of [`TABLE`](Self::TABLE) may be called with the address of a `T`, from any thread.
#[diagnostic::on_unimplemented(
    message = "`{T}` does not implement the trait of `{Self}`",
    label = "the trait is not implemented for `{T}`",
    note = "put `#[interface]` on the trait, and write an `impl` of it for `{T}`"
)]
pub unsafe trait Provides<T>: Interface {
    /// The functions that call a `T`.
    const TABLE: &'static Self::Table;
}

/// A table and what its functions work on. The table's type is known to whoever compared the descriptions.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, StableAbi)]
pub struct RawObject {
    /// An `Interface::Table`, or null for something optional that is absent.
    pub table: *const (),
    /// The first argument of its functions.
    pub this: *const (),
    /// What counts it, for who may keep it: see [`Held`](crate::Held). Null where whoever lends it keeps it alive for as
    /// long as it can be used.
    pub ticket: RawTicket,
}

impl RawObject {
    /// What stands for something optional that is absent.
    pub const ABSENT: RawObject = RawObject {
        table: std::ptr::null(),
        this: std::ptr::null(),
        ticket: RawTicket::NONE,
    };

    /// An object that somebody keeps alive for as long as it can be used.
    pub const fn lent(table: *const (), this: *const ()) -> RawObject {
        RawObject {
            table,
            this,
            ticket: RawTicket::NONE,
        }
    }

    /// `value` as a provider of `I`. It has to outlive the use of the object.
    pub fn of<I: Provides<T> + ?Sized, T>(value: &T) -> RawObject {
        RawObject::lent(
            std::ptr::from_ref(I::TABLE).cast(),
            std::ptr::from_ref(value).cast(),
        )
    }
}

/// A table and what its functions work on: what a proxy is made of.
pub struct Object<Table: 'static> {
    table: *const Table,
    this: *const (),
    keep: Keep,
}

/// What keeps an object alive.
#[derive(Clone)]
enum Keep {
    /// Whoever lends it.
    Lender,
    /// The handle itself; everything is in one library.
    Own(#[expect(dead_code, reason = "it is there to be dropped")] Arc<dyn Any + Send + Sync>),
    /// Whoever counts it.
    Counted(Counted),
}

impl<Table> Object<Table> {
    /// An object that somebody lends.
    ///
    /// # Safety
    /// The object is not absent; its table is a `Table`; table and object are alive, and may be used from any thread,
    /// for as long as this is.
    pub unsafe fn from_raw(object: RawObject) -> Self {
        Object {
            table: object.table.cast(),
            this: object.this,
            keep: Keep::Lender,
        }
    }

    /// An object that is counted.
    ///
    /// # Safety
    /// As [`from_raw`](Self::from_raw), for as long as the count is there.
    pub(super) unsafe fn counted(object: RawObject, counted: Counted) -> Self {
        Object {
            keep: Keep::Counted(counted),
            // SAFETY: by the caller's promise.
            ..unsafe { Object::from_raw(object) }
        }
    }

    /// Its count, where it is counted.
    pub(super) fn count(&self) -> Option<&Counted> {
        match &self.keep {
            Keep::Counted(counted) => Some(counted),
            Keep::Lender | Keep::Own(_) => None,
        }
    }

    /// The same object once more, kept alive likewise. Not for everybody: a proxy that is lent is not to be kept.
    pub(super) fn share(&self) -> Self {
        Object {
            table: self.table,
            this: self.this,
            keep: self.keep.clone(),
        }
    }

    /// What another library makes one of the same object of, while this one is there.
    pub(super) fn raw(&self) -> RawObject {
        RawObject {
            ticket: self
                .count()
                .map_or(RawTicket::NONE, |counted| RawTicket(counted.raw())),
            ..RawObject::lent(self.table.cast(), self.this)
        }
    }

    /// The functions.
    ///
    /// # Panics
    /// The object was counted, and has been dropped: see [`Held`](crate::Held).
    ///
    /// # Safety
    /// Whoever made the object keeps its promise that the table is alive.
    #[inline]
    pub unsafe fn table(&self) -> &Table {
        if let Keep::Counted(counted) = &self.keep {
            counted.check();
        }
        // SAFETY: by the caller's promise.
        unsafe { &*self.table }
    }

    /// The first argument of its functions.
    #[inline]
    pub fn this(&self) -> *const () {
        self.this
    }
}

// SAFETY: the table is constant, and only made for a `Send + Sync` object (`Provides` and `#[interface]` see to it).
unsafe impl<Table> Send for Object<Table> {}
// SAFETY: as above.
unsafe impl<Table> Sync for Object<Table> {}

/// What a plugin imports: a handle to another plugin's, or the host's, implementation of the trait of `I`.
///
/// It has the trait's methods. A panic of the implementation goes on as a panic of the caller.
///
/// In unit tests [`from_impl`](Self::from_impl) makes one of anything that implements the trait.
pub struct Imported<I: Interface + ?Sized>(I::Proxy);

impl<I: Interface + ?Sized> Imported<I> {
    /// A handle to this value.
    pub fn from_impl<T: Send + Sync + 'static>(value: T) -> Self
    where
        I: Provides<T>,
    {
        let keep = Arc::new(value);
        let this = Arc::as_ptr(&keep).cast();
        Imported(I::proxy(Object {
            table: I::TABLE,
            this,
            keep: Keep::Own(keep),
        }))
    }

    /// A handle to an object of another library.
    ///
    /// # Safety
    /// The object is not absent; its table is of an interface with the same description as `I`; table and object are
    /// alive, and may be used from any thread, for as long as the handle and its clones are, or as they are counted.
    pub unsafe fn from_raw(object: RawObject) -> Self {
        // SAFETY: by the caller's promise; what counts the object has a count during this call.
        Imported(I::proxy(unsafe {
            match Counted::another(object.ticket) {
                Some(counted) => Object::counted(object, counted),
                None => Object::from_raw(object),
            }
        }))
    }

    /// The same for an object that may be absent.
    ///
    /// # Safety
    /// As [`from_raw`](Self::from_raw), unless the object is absent.
    pub unsafe fn from_optional(object: RawObject) -> Option<Self> {
        // SAFETY: by the caller's promise.
        (!object.table.is_null()).then(|| unsafe { Self::from_raw(object) })
    }
}

impl<I: Interface + ?Sized> Clone for Imported<I> {
    fn clone(&self) -> Self {
        Imported(I::proxy(I::object(&self.0).share()))
    }
}

impl<I: Interface + ?Sized> Deref for Imported<I> {
    type Target = I::Proxy;
    #[inline]
    fn deref(&self) -> &I::Proxy {
        &self.0
    }
}

impl<I: Interface + ?Sized> fmt::Debug for Imported<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imported<dyn {}>", I::DESC.name)
    }
}

/// An interface that a plugin exports.
#[repr(C)]
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct ExportDesc {
    /// Which.
    pub interface: &'static InterfaceDesc,
    /// Its table, for the plugin's instance.
    pub table: *const (),
}

impl ExportDesc {
    /// `I`, provided by instances of `T`.
    pub const fn new<I: Provides<T> + ?Sized, T>() -> Self {
        ExportDesc {
            interface: I::DESC,
            table: std::ptr::from_ref(I::TABLE).cast(),
        }
    }
}
