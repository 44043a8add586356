//! The host's handles to interfaces that plugins export.
use crate::error::{CallError, HandleError};
use crate::generation::Generation;
use crate::generation::bindings::{CallPin, Entered, Exported};
use crate::handle::{Handle, HandleSpec};
use crate::swapper::Pin;
use hotswap_plugin::boundary::{self, Crossed, Panicked};
use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// An interface that a plugin exports: `Interface<dyn Alpha>`, where `Alpha` is a trait with `#[interface]`.
///
/// A call goes to the newest generation at that moment, even from inside another call. You can clone a handle, share it
/// between threads, and keep it for as long as you like: it does not keep any plugin in memory. A reload that would
/// take the interface away, or would bring another version of it, is refused.
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
/// The proxy that the closure borrows cannot leave it:
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
    pub(crate) handle: Handle<Exported<I>>,
}

impl<I: boundary::Interface + ?Sized> Interface<I> {
    pub(crate) fn new(handle: Handle<Exported<I>>) -> Self {
        Interface { handle }
    }

    /// Lends the live plugin's implementation to `calls`. All calls that `calls` makes go to one generation, which
    /// stays alive meanwhile.
    ///
    /// `calls` itself deals with the results of the methods, including their own errors.
    ///
    /// # Errors
    /// The plugin panicked, which ends `calls`, or the plugin is not there any more.
    ///
    /// # Panics
    /// Panics if `calls` itself panics.
    #[inline]
    pub fn call<R>(&self, calls: impl FnOnce(&I::Proxy) -> R) -> Result<R, CallError> {
        let spec = &self.handle.spec;
        match self.handle.enter() {
            Some(entered) => lend(spec, &entered, calls),
            None => self.handle.call_aside(|entered| lend(spec, entered, calls)),
        }
    }

    /// Returns the interface of the pinned generation.
    ///
    /// # Errors
    /// The generation is older than the handle and lacks the interface, or has another version of it.
    pub fn on<'p>(&'p self, pin: &'p Pin<'_>) -> Result<BoundInterface<'p, I>, HandleError> {
        Ok(BoundInterface {
            entered: self.handle.on(pin)?,
            spec: &self.handle.spec,
        })
    }
}

impl<I: ?Sized> Clone for Interface<I> {
    fn clone(&self) -> Self {
        Interface {
            handle: self.handle.clone(),
        }
    }
}

impl<I: ?Sized> fmt::Debug for Interface<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// An [`Interface`] of a pinned generation. Its calls need no pin of their own.
pub struct BoundInterface<'p, I: ?Sized> {
    entered: Entered<&'p Generation, Exported<I>>,
    spec: &'p HandleSpec,
}

impl<I: boundary::Interface + ?Sized> BoundInterface<'_, I> {
    /// Lends the implementation of the pinned generation to `calls`: see [`Interface::call`].
    ///
    /// # Errors
    /// The plugin panicked, which ends `calls`.
    ///
    /// # Panics
    /// Panics if `calls` itself panics.
    #[inline]
    pub fn call<R>(&self, calls: impl FnOnce(&I::Proxy) -> R) -> Result<R, CallError> {
        lend(self.spec, &self.entered, calls)
    }
}

impl<I: ?Sized> fmt::Debug for BoundInterface<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

/// Lends an object of an interface to `calls`.
#[inline]
fn lend<P, I: boundary::Interface + ?Sized, R>(
    spec: &HandleSpec,
    entered: &Entered<P, Exported<I>>,
    calls: impl FnOnce(&I::Proxy) -> R,
) -> Result<R, CallError>
where
    P: CallPin + Deref<Target = Generation>,
{
    entered.lend(|proxy| {
        let result = contain(spec, || calls(proxy));
        if I::object(proxy).errors().any() {
            spec.count_error(entered.counted_in());
        }
        result
    })
}

/// Runs code that calls an interface. A panic of the plugin becomes an error; a panic of the code itself goes on.
pub(crate) fn contain<R>(spec: &HandleSpec, run: impl FnOnce() -> R) -> Result<R, CallError> {
    catch_unwind(AssertUnwindSafe(run)).or_else(|payload| match payload.downcast::<Crossed>() {
        Ok(crossed) => Err(spec.panicked(Panicked { text: crossed.text })),
        Err(own) => resume_unwind(own),
    })
}
