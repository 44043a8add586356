//! The host's handles to interfaces that plugins export.
use crate::error::{CallError, HandleError};
use crate::generation::bindings::Target;
use crate::handle::{Handle, HandleSpec};
use crate::swapper::Pin;
use hotswap_plugin::boundary::{self, Crossed, Object, Panicked, RawObject};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// An interface that a plugin exports: `Interface<dyn Alpha>`, where `Alpha` is a trait with `#[interface]`.
///
/// A call goes to the newest generation at that moment, also from inside another call. Clone it, share it between
/// threads, keep it as long as you like: it does not keep any plugin in memory. A reload that would take the interface
/// away, or bring another version of it, is refused.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// # use hotswap_plugin::interface;
/// #[interface]
/// pub trait Counter: Send + Sync {
///     fn add(&self, number: u64);
///     fn sum(&self) -> u64;
/// }
///
/// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
/// let counter: Interface<dyn Counter> = swapper.interface("counter")?;
/// let sum = counter.call(|counter| {
///     counter.add(3);
///     counter.sum()
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// What the closure is lent cannot leave it:
///
/// ```compile_fail
/// # use hotswap_host::prelude::*;
/// # use hotswap_plugin::interface;
/// # #[interface]
/// # pub trait Counter: Send + Sync {
/// #     fn sum(&self) -> u64;
/// # }
/// fn run(counter: &Interface<dyn Counter>) {
///     let counter = counter.call(|counter| counter.clone());
/// }
/// ```
pub struct Interface<I: ?Sized> {
    pub(crate) handle: Handle,
    interface: PhantomData<fn(&I)>,
}

impl<I: boundary::Interface + ?Sized> Interface<I> {
    pub(crate) fn new(handle: Handle) -> Self {
        Interface {
            handle,
            interface: PhantomData,
        }
    }

    /// Lends the live plugin's implementation. All calls that `calls` makes are on one generation, which stays live as
    /// long as it takes.
    ///
    /// What a method returns, an error of its own included, is for `calls` to deal with.
    ///
    /// # Errors
    /// The plugin panicked, which ends `calls`; the plugin is not there any more.
    ///
    /// # Panics
    /// With the panic of `calls` itself.
    #[inline]
    pub fn call<R>(&self, calls: impl FnOnce(&I::Proxy) -> R) -> Result<R, CallError> {
        let spec = &self.handle.spec;
        // SAFETY: bound as this interface; the pin keeps library and instance alive.
        let lent = |target| unsafe { lend::<I, R>(spec, target, calls) };
        match self.handle.enter() {
            Some((_pinned, target)) => lent(target),
            None => self.handle.call_aside(lent),
        }
    }

    /// The interface as it is in the pinned generation.
    ///
    /// # Errors
    /// The generation is older than the handle, and lacks the interface or has another version of it.
    pub fn on<'p>(&'p self, pin: &'p Pin<'_>) -> Result<BoundInterface<'p, I>, HandleError> {
        Ok(BoundInterface {
            target: self.handle.on(pin)?,
            spec: &self.handle.spec,
            interface: PhantomData,
        })
    }
}

impl<I: ?Sized> Clone for Interface<I> {
    fn clone(&self) -> Self {
        Interface {
            handle: self.handle.clone(),
            interface: PhantomData,
        }
    }
}

impl<I: ?Sized> fmt::Debug for Interface<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// An [`Interface`] of a pinned generation. Calls cost no pin of their own.
pub struct BoundInterface<'p, I: ?Sized> {
    target: Target,
    spec: &'p HandleSpec,
    interface: PhantomData<fn(&I)>,
}

impl<I: boundary::Interface + ?Sized> BoundInterface<'_, I> {
    /// As [`Interface::call`].
    ///
    /// # Errors
    /// The plugin panicked, which ends `calls`.
    ///
    /// # Panics
    /// With the panic of `calls` itself.
    #[inline]
    pub fn call<R>(&self, calls: impl FnOnce(&I::Proxy) -> R) -> Result<R, CallError> {
        // SAFETY: bound as this interface in a generation that stays pinned.
        unsafe { lend::<I, R>(self.spec, self.target, calls) }
    }
}

impl<I: ?Sized> fmt::Debug for BoundInterface<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

/// # Safety
/// `target` is an object of an interface with the same description as `I`, alive for the call.
#[inline]
unsafe fn lend<I: boundary::Interface + ?Sized, R>(
    spec: &HandleSpec,
    target: Target,
    calls: impl FnOnce(&I::Proxy) -> R,
) -> Result<R, CallError> {
    let object = RawObject::lent(target.call, target.this);
    // SAFETY: the caller's promise. A proxy cannot be cloned, so none outlives the call.
    let proxy = I::proxy(unsafe { Object::from_raw(object) });
    contain(spec, || calls(&proxy))
}

/// Runs code that calls an interface. A panic of the plugin's is an error, one of the code itself goes on.
pub(crate) fn contain<R>(spec: &HandleSpec, run: impl FnOnce() -> R) -> Result<R, CallError> {
    catch_unwind(AssertUnwindSafe(run)).or_else(|payload| match payload.downcast::<Crossed>() {
        Ok(crossed) => Err(spec.panicked(Panicked { text: crossed.text })),
        Err(own) => resume_unwind(own),
    })
}
