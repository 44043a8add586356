//! A place for an object of a plugin's.
use crate::Held;
use crate::boundary::held::HeldView;
use crate::boundary::{Arena, Crossed, Interface, Panicked, Shared};
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
    /// Shared by the generations that have it.
    held: Option<Arc<Held<I>>>,
    /// It was filled when it was filled already.
    again: bool,
}

impl<I: Interface + ?Sized> Slot<I> {
    /// Puts an object into the slot. To fill one that is filled keeps the first object;
    /// [`Vault::extend`](crate::Vault::extend) refuses it.
    pub fn fill(&mut self, object: Held<I>) {
        match self.held {
            None => self.held = Some(Arc::new(object)),
            Some(_) => self.again = true,
        }
    }

    /// The object in it. A panic of its methods goes on as one of the caller; [`call`](Self::call) makes an error of it.
    ///
    /// A clone of the object may be kept, which keeps its plugin in memory: see [`Held`].
    pub fn get(&self) -> Option<&Held<I>> {
        self.held.as_deref()
    }

    /// Lends the object that is in the slot; `None` where there is none.
    ///
    /// # Errors
    /// The object panicked, which ends `calls`.
    ///
    /// # Panics
    /// With the panic of `calls` itself.
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
    /// An empty one.
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

/// A slot, whatever its interface: what hands its object over. Only [`Slot`] is one.
pub trait AnySlot: sealed::Sealed + Send + Sync {
    /// Whether there is an object in it.
    fn is_filled(&self) -> bool;

    /// Whether it was filled when it was filled already.
    fn was_filled_again(&self) -> bool;

    /// The object, as it crosses.
    fn view(&self) -> Option<HeldView>;

    /// Fills it.
    ///
    /// # Safety
    /// The view is of a `Held` with an interface of the same description, which is alive.
    unsafe fn put(&mut self, object: HeldView);

    /// The object, to be shared with a slot of the same type.
    fn object(&self) -> Option<Arc<dyn Any + Send + Sync>>;

    /// Fills it with what a slot of the same type has.
    fn set_object(&mut self, object: Arc<dyn Any + Send + Sync>);

    /// Empties it. The object is returned if no other slot shares it: its drop may run code of the plugin's.
    fn take_last(&mut self) -> Option<Box<dyn Send>>;
}

impl<I: Interface + ?Sized + 'static> AnySlot for Slot<I> {
    fn is_filled(&self) -> bool {
        self.held.is_some()
    }

    fn was_filled_again(&self) -> bool {
        self.again
    }

    fn view(&self) -> Option<HeldView> {
        Some(self.get()?.view(&Arena::new()))
    }

    unsafe fn put(&mut self, object: HeldView) {
        // SAFETY: by the caller's promise.
        self.fill(unsafe { Held::from_view(object) });
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
    /// Nothing but a [`Slot`](super::Slot) keeps the promises that generated code relies on.
    pub trait Sealed {}

    impl<I: super::Interface + ?Sized> Sealed for super::Slot<I> {}
}
