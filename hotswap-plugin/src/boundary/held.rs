//! `Held`, an object of one library that another library owns.
use crate::boundary::counted::{Counted, count};
use crate::boundary::describe::TypeDesc;
use crate::boundary::interface::{Interface, Object, Provides, RawObject};
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::Arena;
use crate::{__arg, __returned};
use std::fmt;
use std::ops::Deref;

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
        let (this, counted) = count(object, I::DESC.name.as_str());
        let raw = RawObject::lent(std::ptr::from_ref(I::TABLE).cast(), this);
        // SAFETY: the object is alive as long as it is counted, and `T` is `Send + Sync`.
        Held(I::proxy(unsafe { Object::counted(raw, counted) }))
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

/// The view of a [`Held`]. The receiver adds a count of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HeldView(RawObject);

// SAFETY: the view is `repr(C)`. It can be read while the value is alive, since the value is a count. The result has a
// count of its own.
unsafe impl<I: Interface + ?Sized + 'static> Shared for Held<I> {
    const TYPE: &'static TypeDesc = &TypeDesc::held::<HeldView>(I::DESC);
    type View = HeldView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;

    fn view(&self, _: &Arena) -> HeldView {
        HeldView(I::object(&self.0).raw())
    }

    unsafe fn from_view(HeldView(object): HeldView) -> Self {
        // SAFETY: the caller guarantees that the `Held` that the view was made of is alive, and that is a count.
        let counted = unsafe { Counted::another(object.ticket) };
        let counted = counted.expect("an object that is held is counted");
        // SAFETY: the descriptions are equal, so the table is an `I::Table`; the object is alive while it is counted.
        Held(I::proxy(unsafe { Object::counted(object, counted) }))
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

__arg!([I: Interface + ?Sized + 'static] Held<I>);
__returned!([I: Interface + ?Sized + 'static] Held<I>);
