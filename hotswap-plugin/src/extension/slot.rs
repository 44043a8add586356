//! `Slot`, a place for an object of a plugin.
use crate::Held;
use crate::boundary::object::LentObject;
use crate::boundary::{Crossed, Interface, Panicked};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// A place for one object with the interface `I`: a field of an extension. One plugin may fill it.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[interface]
/// pub trait Meow: Send + Sync {
///     fn meow(&self) -> String;
/// }
///
/// struct Tom;
///
/// impl Meow for Tom {
///     fn meow(&self) -> String {
///         "meow".into()
///     }
/// }
///
/// let mut slot: Slot<dyn Meow> = Slot::default();
/// assert!(slot.get().is_none());
/// slot.fill(Held::new(Tom));
/// assert_eq!(slot.call(|cat| cat.meow()), Ok(Some("meow".into())));
/// ```
pub struct Slot<I: Interface + ?Sized> {
    /// The object, which all generations that have it share.
    held: Option<Arc<Held<I>>>,
    /// True if the slot was filled again when it had an object.
    again: bool,
}

impl<I: Interface + ?Sized> Slot<I> {
    /// Puts an object into the slot. A slot that is filled already keeps its first object, and
    /// [`Vault::extend`](crate::Vault::extend) refuses it.
    pub fn fill(&mut self, object: Held<I>) {
        match self.held {
            None => self.held = Some(Arc::new(object)),
            Some(_) => self.again = true,
        }
    }

    /// Returns the object in the slot. A panic of its methods goes on as a panic of the caller; [`call`](Self::call)
    /// makes an error of it.
    ///
    /// A clone of the object may be kept. It keeps the object's plugin in memory: see [`Held`].
    pub fn get(&self) -> Option<&Held<I>> {
        self.held.as_deref()
    }

    /// Lends the object in the slot to `calls`. Returns `None` if the slot is empty.
    ///
    /// # Errors
    /// Returns an error if the object panicked, which ends `calls`.
    ///
    /// # Panics
    /// Resumes a panic of `calls` itself.
    pub fn call<R>(&self, calls: impl FnOnce(&I::Proxy) -> R) -> Result<Option<R>, Panicked> {
        let Some(held) = self.get() else {
            return Ok(None);
        };
        match catch_unwind(AssertUnwindSafe(|| calls(held))) {
            Ok(result) => Ok(Some(result)),
            Err(payload) => match payload.downcast::<Crossed>() {
                Ok(crossed) => Err(Panicked { text: crossed.text }),
                Err(own) => resume_unwind(own),
            },
        }
    }
}

impl<I: Interface + ?Sized> Default for Slot<I> {
    /// Returns an empty slot.
    fn default() -> Self {
        Slot {
            held: None,
            again: false,
        }
    }
}

impl<I: Interface + ?Sized + 'static> fmt::Debug for Slot<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.held).finish()
    }
}

/// A slot of any interface, whose object can be passed on. Only [`Slot`] implements it.
pub trait AnySlot: sealed::Sealed + Send + Sync {
    /// Returns true if there is an object in the slot.
    fn is_filled(&self) -> bool;

    /// Returns true if the slot was filled again when it had an object.
    fn was_filled_again(&self) -> bool;

    /// Returns the object, to be put into a slot of another library.
    fn lend(&self) -> Option<LentObject<'_>>;

    /// Fills the slot with an object of another library.
    ///
    /// # Panics
    /// Panics if the object has another interface than the slot.
    fn put(&mut self, object: &LentObject<'_>);

    /// Returns the object, to share it with a slot of the same type.
    fn object(&self) -> Option<Arc<dyn Any + Send + Sync>>;

    /// Fills the slot with the object of a slot of the same type.
    fn set_object(&mut self, object: Arc<dyn Any + Send + Sync>);

    /// Empties the slot. Returns the object if no other slot shares it: its drop may run code of the plugin.
    fn take_last(&mut self) -> Option<Box<dyn Send>>;
}

impl<I: Interface + ?Sized + 'static> AnySlot for Slot<I> {
    fn is_filled(&self) -> bool {
        self.held.is_some()
    }

    fn was_filled_again(&self) -> bool {
        self.again
    }

    fn lend(&self) -> Option<LentObject<'_>> {
        Some(self.get()?.lend())
    }

    fn put(&mut self, object: &LentObject<'_>) {
        self.fill(Held::from_lent(object).expect("an object with the interface of the slot"));
    }

    fn object(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(self.held.clone()?)
    }

    fn set_object(&mut self, object: Arc<dyn Any + Send + Sync>) {
        self.held = object.downcast().ok();
    }

    fn take_last(&mut self) -> Option<Box<dyn Send>> {
        Some(Box::new(Arc::into_inner(self.held.take()?)?))
    }
}

mod sealed {
    /// Keeps other types from implementing `AnySlot`, since generated code relies on what [`Slot`](super::Slot) does.
    pub trait Sealed {}

    impl<I: super::Interface + ?Sized> Sealed for super::Slot<I> {}
}
