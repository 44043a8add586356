//! Traits as tables of C functions: the exports of a plugin or of the host, and the handle with which others call them.
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

/// A trait whose methods can be called across libraries, as `dyn Trait`. `#[interface]` implements it. The vtable of
/// the trait object is never used. The implementation is for trait objects of every lifetime, which the compiler asks
/// for when it checks whether an `async` block with a handle in it is `Send`.
///
/// # Safety
/// [`DESC`](Self::DESC) describes [`Table`](Self::Table), and the proxy calls the table as described.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "not an interface",
    note = "put `#[interface]` on the trait, and write `dyn` in front of its name"
)]
pub unsafe trait Interface {
    /// The `repr(C)` table: one `unsafe extern "C" fn` for each method.
    type Table: 'static;
    /// The type that [`Imported`] derefs to. It has the trait's methods, and implements the trait. It cannot be cloned,
    /// so a borrowed one cannot be kept.
    type Proxy: Send + Sync + 'static;
    /// The description that importer and exporter compare.
    const DESC: &'static InterfaceDesc;
    /// The trait as its author wrote it, for people.
    const SIGNATURE: &'static str;

    /// Returns the proxy that calls this object.
    fn proxy(object: Object<Self::Table>) -> Self::Proxy;

    /// Returns the object that this proxy calls.
    fn object(proxy: &Self::Proxy) -> &Object<Self::Table>;
}

/// Says that `dyn Trait` can be made of every `T: Trait`: `dyn Trait: Provides<T>`.
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

/// A table, and the object that its functions work on. A library that has compared the descriptions knows the table's
/// type.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, StableAbi)]
pub struct RawObject {
    /// An `Interface::Table`, or null for an optional object that is absent.
    pub table: *const (),
    /// The first argument of its functions.
    pub this: *const (),
    /// The ticket that counts the object, for those who may keep it: see [`Held`](crate::Held). Null if the lender
    /// keeps the object alive for as long as it can be used.
    pub ticket: RawTicket,
}

impl RawObject {
    /// Stands for an optional object that is absent.
    pub const ABSENT: RawObject = RawObject {
        table: std::ptr::null(),
        this: std::ptr::null(),
        ticket: RawTicket::NONE,
    };

    /// An object that its lender keeps alive for as long as it can be used.
    pub const fn lent(table: *const (), this: *const ()) -> RawObject {
        RawObject {
            table,
            this,
            ticket: RawTicket::NONE,
        }
    }

    /// `value` as a provider of `I`. The value has to outlive the use of the object.
    pub fn of<I: Provides<T> + ?Sized, T>(value: &T) -> RawObject {
        RawObject::lent(
            std::ptr::from_ref(I::TABLE).cast(),
            std::ptr::from_ref(value).cast(),
        )
    }
}

/// A table with its type, and the object that its functions work on. A proxy consists of it.
pub struct Object<Table: 'static> {
    table: *const Table,
    this: *const (),
    keep: Keep,
}

/// The reason why an object stays alive.
#[derive(Clone)]
enum Keep {
    /// Its lender keeps it alive.
    Lender,
    /// The handle itself owns it. Both are in one library.
    Own(#[expect(dead_code, reason = "it is there to be dropped")] Arc<dyn Any + Send + Sync>),
    /// The handle has a count of it.
    Counted(Counted),
}

impl<Table> Object<Table> {
    /// Returns an object that another library lends.
    ///
    /// # Safety
    /// The object is not absent, and its table is a `Table`. Table and object are alive, and may be used from any
    /// thread, for as long as the result lives.
    pub unsafe fn from_raw(object: RawObject) -> Self {
        Object {
            table: object.table.cast(),
            this: object.this,
            keep: Keep::Lender,
        }
    }

    /// Returns an object that is counted.
    ///
    /// # Safety
    /// The contract of [`from_raw`](Self::from_raw) holds for as long as the count exists.
    pub(super) unsafe fn counted(object: RawObject, counted: Counted) -> Self {
        Object {
            keep: Keep::Counted(counted),
            // SAFETY: the caller guarantees that the object is not absent, and that it is valid as long as the count
            // exists.
            ..unsafe { Object::from_raw(object) }
        }
    }

    /// Returns the count of the object, if it is counted.
    pub(super) fn count(&self) -> Option<&Counted> {
        match &self.keep {
            Keep::Counted(counted) => Some(counted),
            Keep::Lender | Keep::Own(_) => None,
        }
    }

    /// Returns the same object once more, kept alive in the same way. Not public, since a borrowed proxy must not be
    /// kept.
    pub(super) fn share(&self) -> Self {
        Object {
            table: self.table,
            this: self.this,
            keep: self.keep.clone(),
        }
    }

    /// Returns the form in which the object crosses. It can be used while this object lives.
    pub(super) fn raw(&self) -> RawObject {
        RawObject {
            ticket: self
                .count()
                .map_or(RawTicket::NONE, |counted| RawTicket(counted.raw())),
            ..RawObject::lent(self.table.cast(), self.this)
        }
    }

    /// Returns the functions.
    ///
    /// # Panics
    /// Panics if the object was counted and has been dropped: see [`Held`](crate::Held).
    ///
    /// # Safety
    /// The table is alive, as the contract of the function that made the object demands.
    #[inline]
    pub unsafe fn table(&self) -> &Table {
        if let Keep::Counted(counted) = &self.keep {
            counted.check();
        }
        // SAFETY: the caller guarantees that the table is alive.
        unsafe { &*self.table }
    }

    /// Returns the first argument of the functions.
    #[inline]
    pub fn this(&self) -> *const () {
        self.this
    }
}

// SAFETY: the table is constant, and belongs to a `Send + Sync` object: `Provides` and `#[interface]` demand that of
// its type.
unsafe impl<Table> Send for Object<Table> {}
// SAFETY: the table is constant, and belongs to a `Send + Sync` object: `Provides` and `#[interface]` demand that of
// its type.
unsafe impl<Table> Sync for Object<Table> {}

/// A plugin's import: a handle to the implementation of the trait of `I` by another plugin or by the host.
///
/// It has the trait's methods. A panic of the implementation is raised again in the caller.
///
/// In unit tests, [`from_impl`](Self::from_impl) makes one of any implementation of the trait.
pub struct Imported<I: Interface + ?Sized>(I::Proxy);

impl<I: Interface + ?Sized> Imported<I> {
    /// Returns a handle to this value.
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

    /// Returns a handle to an object of another library.
    ///
    /// # Safety
    /// The object is not absent, and its table is of an interface with the same description as `I`. Table and object
    /// are alive, and may be used from any thread, for as long as the handle and its clones live, or as long as they
    /// are counted.
    pub unsafe fn from_raw(object: RawObject) -> Self {
        // SAFETY: the caller guarantees that the object is valid. If it is counted, it has a count during this call.
        Imported(I::proxy(unsafe {
            match Counted::another(object.ticket) {
                Some(counted) => Object::counted(object, counted),
                None => Object::from_raw(object),
            }
        }))
    }

    /// Returns a handle to an object of another library, or `None` if the object is absent.
    ///
    /// # Safety
    /// The contract of [`from_raw`](Self::from_raw) holds, unless the object is absent.
    pub unsafe fn from_optional(object: RawObject) -> Option<Self> {
        // SAFETY: the object is not absent, so the caller guarantees the contract of `from_raw`.
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
    /// The description of the interface.
    pub interface: &'static InterfaceDesc,
    /// The table of functions for the plugin's instance.
    pub table: *const (),
}

impl ExportDesc {
    /// The export of `I` by instances of `T`.
    pub const fn new<I: Provides<T> + ?Sized, T>() -> Self {
        ExportDesc {
            interface: I::DESC,
            table: std::ptr::from_ref(I::TABLE).cast(),
        }
    }
}
