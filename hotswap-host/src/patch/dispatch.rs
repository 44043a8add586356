//! The C function that answers calls of a method while patches have changed it somewhere: it chooses at each call which
//! function goes on.
//!
//! Unsafe code: the C function is called with the address of a dispatcher, and calls the chosen function by its address.
//! All functions of one method have one signature, which `layers` compares before it links a layer to them.
#![allow(unsafe_code)]
use super::params::{Callee, Params};
use hotswap_plugin::boundary::{Out, RawFunction, Shared, Status};
use std::marker::PhantomData;

/// Chooses the function of a method that answers a call.
pub(crate) trait Route: Send + Sync + 'static {
    /// Calls `call` once, with a function of the method, which stays until `call` has returned.
    fn route(&self, call: &mut dyn FnMut(RawFunction) -> Status) -> Status;
}

/// A C function that chooses what goes on, whatever its signature.
pub(crate) trait Dispatcher: Send + Sync {
    /// The C function, and the address of the dispatcher.
    fn function(&self) -> RawFunction;
}

/// A dispatcher for a method with the parameters `P` and the result `R`.
pub(super) struct Dispatch<P, R> {
    route: Box<dyn Route>,
    signature: PhantomData<fn(P) -> R>,
}

impl<P: Params, R: Shared> Dispatch<P, R> {
    pub(super) fn boxed(route: Box<dyn Route>) -> Box<dyn Dispatcher> {
        Box::new(Dispatch::<P, R> {
            route,
            signature: PhantomData,
        })
    }
}

impl<P: Params, R: Shared> Dispatcher for Dispatch<P, R> {
    fn function(&self) -> RawFunction {
        RawFunction {
            call: P::entry::<Self, R>(),
            this: (&raw const *self).cast(),
        }
    }
}

/// `this` is the address of a dispatcher.
impl<P: Params, R: Shared> Callee<P, R> for Dispatch<P, R> {
    unsafe fn called(this: *const (), cross: P::Cross, out: *mut Out<R::View>) -> Status {
        // SAFETY: the caller guarantees that this is the address of such a dispatcher, which is alive, since the caller
        // imports the instance that owns it.
        let dispatch = unsafe { &*this.cast::<Self>() };
        // SAFETY: the caller guarantees the parameters and `out`, which are used once. The route chooses a function of the
        // method, with this signature, which stays meanwhile.
        let mut call = |function| unsafe { P::forward::<R>(function, cross, out) };
        dispatch.route.route(&mut call)
    }
}
