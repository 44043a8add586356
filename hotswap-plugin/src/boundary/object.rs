//! Objects of one library that another one calls: traits as tables of C functions, the objects that these work on, and
//! `Held`, an object that another library owns.
#![allow(unsafe_code, reason = "it makes objects of addresses")]
use crate::__crosses;
use crate::boundary::abi::{HeldView, RawObject};
use crate::boundary::describe::{FunctionDesc, InterfaceDesc, TypeDesc};
use crate::boundary::noted::{CountErrors, NotedErrors};
use crate::boundary::relay::{entered, rarely};
use crate::boundary::shared::{Return, Shared};
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::Arena;
use crate::contract::ticket::RawTicket;
use crate::host::Counted;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// A trait whose methods can be called across libraries, as `dyn Trait`. `#[interface]` implements it. The vtable of
/// the trait object is never used. The implementation is for trait objects of every lifetime, which the compiler asks
/// for when it checks whether an `async` block with a handle in it is `Send`.
///
/// # Safety
/// [`DESC`](Self::DESC) describes [`Table`](Self::Table), and the proxy calls the table as described. The functions of
/// [`RELAYS`](Self::RELAYS) do as they say.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "not an interface",
    note = "put `#[interface]` on the trait, and write `dyn` in front of its name"
)]
pub unsafe trait Interface {
    /// The `repr(C)` table: one `unsafe extern "C" fn` for each method.
    type Table: 'static;
    /// The type that [`Imported`](super::Imported) derefs to. It has the trait's methods, and implements the trait. It
    /// cannot be cloned, so a borrowed one cannot be kept.
    type Proxy: Send + Sync + 'static;
    /// The description that importer and exporter compare.
    const DESC: &'static InterfaceDesc;
    /// The trait as its author wrote it, for people.
    const SIGNATURE: &'static str;
    /// A table of [relays](super::relay). Its functions may be called with the address of a list of functions, one for
    /// each method, each of which may be called as the method that it stands for.
    const RELAYS: &'static Self::Table;

    /// Returns the proxy that calls this object.
    fn proxy(object: Object<Self::Table>) -> Self::Proxy;

    /// Returns the object that this proxy calls.
    fn object(proxy: &Self::Proxy) -> &Object<Self::Table>;
}

/// Says that `dyn Trait` can be made of every `T: Trait`: `dyn Trait: Provides<T>`.
///
/// # Safety
/// The functions of [`TABLE`](Self::TABLE) are as [`DESC`](Interface::DESC) describes them, and may be called with the
/// address of a `T`:
/// - from any thread, and on several at once: every interface is `Send + Sync`,
/// - while the `T` lives and nothing borrows it mutably: until the function returns, or if it is `async`, until its
///   future has been dropped.
///
/// They use the `T` only as `&T`. They neither move nor drop it, keep its address no longer than this, and do not unwind.
#[diagnostic::on_unimplemented(
    message = "`{T}` does not implement the trait of `{Self}`",
    label = "the trait is not implemented for `{T}`",
    note = "put `#[interface]` on the trait, and write an `impl` of it for `{T}`"
)]
pub unsafe trait Provides<T>: Interface {
    /// The functions that call a `T`.
    const TABLE: &'static Self::Table;
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

/// The functions and the exports of instances of `P`.
pub struct Tables<P> {
    pub(crate) functions: &'static [FunctionDesc],
    pub(crate) exports: &'static [ExportDesc],
    of: PhantomData<fn(&P)>,
}

impl<P> Tables<P> {
    /// Returns these functions and exports.
    ///
    /// # Safety
    /// The functions, and the tables of the exports, may be called with the address of a `P`, from any thread.
    pub const unsafe fn new(
        functions: &'static [FunctionDesc],
        exports: &'static [ExportDesc],
    ) -> Self {
        Tables {
            functions,
            exports,
            of: PhantomData,
        }
    }
}

/// A table with its type, and the object that its functions work on. A proxy consists of it.
pub struct Object<Table: 'static> {
    table: *const Table,
    this: *const (),
    keep: Keep,
    errors: NotedErrors,
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

// SAFETY: the table is constant, and belongs to a `Send + Sync` object: `own` and `counted` demand that of its type, and
// the caller of `from_raw` guarantees it.
unsafe impl<Table> Send for Object<Table> {}
// SAFETY: the table is constant, and belongs to a `Send + Sync` object: `own` and `counted` demand that of its type, and
// the caller of `from_raw` guarantees it.
unsafe impl<Table> Sync for Object<Table> {}

impl<Table> Object<Table> {
    fn new(table: *const Table, this: *const (), keep: Keep) -> Self {
        Object {
            table,
            this,
            keep,
            errors: NotedErrors::default(),
        }
    }

    /// Returns an object that owns this value.
    pub(super) fn own<I, T: Send + Sync + 'static>(value: T) -> Self
    where
        I: Provides<T, Table = Table> + ?Sized,
    {
        let value = Arc::new(value);
        let this = Arc::as_ptr(&value).cast();
        Object::new(I::TABLE, this, Keep::Own(value))
    }

    /// Returns an object of this value that other libraries can own.
    pub(super) fn counted<I, T: Send + Sync + 'static>(value: T) -> Self
    where
        I: Provides<T, Table = Table> + ?Sized,
    {
        let (this, counted) = Counted::of(value, I::DESC.name.as_str());
        Object::new(I::TABLE, this, Keep::Counted(counted))
    }

    /// Returns an object that another library lends.
    ///
    /// # Safety
    /// The object is not absent, and its table is a `Table`, or one of the same form whose entries may be
    /// [routed](super::relay). Table and object are alive, and may be used from any thread, for as long as the result
    /// lives.
    pub unsafe fn from_raw(object: RawObject) -> Self {
        Object::new(object.table.cast(), object.this, Keep::Lender)
    }

    /// Returns the same object, which `count` counts if one of its methods returns an error.
    pub fn counting_errors(self, count: &'static dyn CountErrors) -> Self {
        Object {
            errors: NotedErrors::counted_by(count),
            ..self
        }
    }

    /// Notes the result of a method.
    #[inline(always)]
    pub fn note<R: Return>(&self, result: &R) {
        self.errors.note(result);
    }

    /// The errors that methods have returned through this handle.
    #[inline(always)]
    pub fn errors(&self) -> &NotedErrors {
        &self.errors
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
        Object::new(self.table, self.this, self.keep.clone())
    }

    /// Returns the form in which the object crosses. It can be used while this object lives.
    pub(super) fn raw(&self) -> RawObject {
        RawObject {
            ticket: self.count().map_or(RawTicket::NONE, Counted::raw),
            ..RawObject::lent(self.table.cast(), self.this)
        }
    }

    /// Returns the object, as another library may see it while this one is there.
    pub(super) fn lend<'a>(&'a self, interface: &'a InterfaceDesc) -> LentObject<'a> {
        LentObject {
            object: self.raw(),
            interface,
        }
    }

    /// Returns a function of the table, and the first argument to call it with. `entry` returns the address of the
    /// function's place in the table.
    ///
    /// # Panics
    /// Panics if the object was counted and has been dropped: see [`Held`].
    ///
    /// # Safety
    /// `entry` returns the address of a field of the table that it is given. The function is called before this borrow of
    /// the object ends.
    #[inline(always)]
    pub unsafe fn method<F: Copy>(
        &self,
        entry: impl FnOnce(*const Table) -> *const F,
    ) -> (F, *const ()) {
        // This comes first: the table of an object that was dropped may be gone with its library.
        if let Keep::Counted(counted) = &self.keep {
            rarely();
            counted.check();
        }
        // SAFETY: the table stays where it is, with what its entries lead to, for as long as the object is kept, as `keep`
        // does it or the caller of `from_raw` guarantees it. The caller guarantees that this is one of its entries.
        unsafe { entered(entry(self.table), self.this) }
    }
}

impl RawObject {
    /// `value` as a provider of `I`. The value has to outlive the use of the object.
    pub fn of<I: Provides<T> + ?Sized, T>(value: &T) -> RawObject {
        RawObject::lent(
            std::ptr::from_ref(I::TABLE).cast(),
            std::ptr::from_ref(value).cast(),
        )
    }
}

/// An object that another library lends for `'a`, with the description of its interface.
pub struct LentObject<'a> {
    object: RawObject,
    interface: &'a InterfaceDesc,
}

impl HeldView {
    /// Returns the object, with the description of its interface.
    ///
    /// # Safety
    /// The `Held` that the view was made of is alive during `'a`, and its interface has this description.
    pub unsafe fn lent<'a>(self, interface: &'a InterfaceDesc) -> LentObject<'a> {
        LentObject {
            object: self.0,
            interface,
        }
    }
}

impl<'a> LentObject<'a> {
    /// Returns the object with its description.
    ///
    /// # Safety
    /// The object is not absent, and its table is of an interface with this description, or of the same form with entries
    /// that may be [routed](super::relay). If the object is counted, it has a count during `'a`. Otherwise table and object are alive, and may be used from any thread, for as long as
    /// anything that was made from the result.
    pub unsafe fn new(object: RawObject, interface: &'a InterfaceDesc) -> Self {
        LentObject { object, interface }
    }

    /// Returns the description of the interface.
    pub(crate) fn interface(&self) -> &'a InterfaceDesc {
        self.interface
    }

    /// Returns the view of the object, which can be read during `'a`.
    pub(crate) fn view(&self) -> HeldView {
        HeldView(self.object)
    }

    /// Returns an object that stays. Returns `None` if it has another interface than `I`.
    pub(super) fn object<I: Interface + ?Sized>(&self) -> Option<Object<I::Table>> {
        if !self.interface.same(I::DESC) {
            return None;
        }
        // SAFETY: the ticket, if there is one, has a count during `'a`: the callers of `new` and of `HeldView::lent`
        // guarantee that, and `Object::lend` borrows the count.
        let keep = match unsafe { Counted::another(self.object.ticket) } {
            Some(counted) => Keep::Counted(counted),
            None => Keep::Lender,
        };
        Some(Object::new(
            self.object.table.cast(),
            self.object.this,
            keep,
        ))
    }
}

/// An object that may be owned by another library than the one that made it: a listener, a stream, a job.
///
/// It crosses as a parameter, a result, or a part of one, and has the methods of the interface `I`. Clones share the
/// object. The library that made the object drops it with the last clone, and stays in memory until then. The host
/// names the owners of the object when it is asked what holds the library.
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
/// The object lives on, and behaves as the old build did. Its owners can ask [`is_retired`](Self::is_retired), and drop
/// it.
///
/// Two plugins may own objects of each other, or one plugin owns an object of another that imports it. When both are
/// replaced and no other library owns anything of theirs, the host drops these objects before it frees the plugins.
/// Before the objects it drops the unfinished futures of their `async` methods. After that, a call of such an object,
/// or a poll of such a future, panics. Only `on_free` and `Drop` of a plugin, and the code that they call, can make
/// one.
pub struct Held<I: Interface + ?Sized>(I::Proxy);

impl<I: Interface + ?Sized> Held<I> {
    /// Makes an object that other libraries can own.
    pub fn new<T: Send + Sync + 'static>(object: T) -> Self
    where
        I: Provides<T>,
    {
        Held(I::proxy(Object::counted::<I, T>(object)))
    }

    /// Returns true if the plugin that made the object has been replaced.
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

impl<I: Interface + ?Sized + 'static> Held<I> {
    /// Returns the object, as another library may see it while this one is there.
    pub(crate) fn lend(&self) -> LentObject<'_> {
        I::object(&self.0).lend(I::DESC)
    }

    /// Returns an object that another library lends. Returns `None` if it has another interface than `I`, or is not
    /// counted.
    pub(crate) fn from_lent(lent: &LentObject<'_>) -> Option<Self> {
        let object = lent.object::<I>().filter(|object| object.count().is_some());
        Some(Held(I::proxy(object?)))
    }
}

// SAFETY: the view is `repr(C)`. It can be read while the value is alive, since the value is a count. The result has a
// count of its own.
unsafe impl<I: Interface + ?Sized + 'static> Shared for Held<I> {
    const TYPE: &'static TypeDesc = &TypeDesc::held::<HeldView>(I::DESC);
    type View = HeldView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;

    fn view(&self, _: &Arena) -> HeldView {
        self.lend().view()
    }

    unsafe fn from_view(view: HeldView) -> Self {
        // SAFETY: the caller guarantees that the `Held` that the view was made of is alive, and so its ticket has a
        // count, and that the descriptions of both types are equal.
        let lent = unsafe { view.lent(I::DESC) };
        Held::from_lent(&lent).expect("an object that is held is counted")
    }

    /// Returns the name of the type, since an object has no value.
    fn to_value(&self) -> Value {
        Value::Str(Self::TYPE.to_string())
    }

    /// # Errors
    /// Always returns an error, since an object cannot be made from a value.
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Err(ValueError::new(&Self::TYPE.to_string(), &value))
    }
}
__crosses!([I: Interface + ?Sized + 'static] Held<I>);
