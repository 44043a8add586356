//! The host's handles to functions. A call is a pin, a look-up in the generation's table, and the C call.
use crate::error::{CallError, HandleError, InvokeError};
use crate::generation::Generation;
use crate::generation::bindings::{ByName, Entered, Typed};
use crate::handle::{Handle, HandleSpec};
use crate::swapper::Pin;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{Arg, Return};
use std::fmt;

/// A typed function of a plugin: `Function<fn(u32) -> String>`.
///
/// A call goes to the newest generation at that moment, even from inside another call. You can clone a handle, share it
/// between threads, and keep it for as long as you like: it does not keep any plugin in memory. A reload that would
/// leave it without its function, or with another signature, is refused.
///
/// `call` takes the function's parameters, up to eight. It is a method of the traits [`Call0`] to [`Call8`], which the
/// [prelude](crate::prelude) brings into scope.
pub struct Function<F> {
    /// The kind is invariant, so that a handle has no other type than its own.
    handle: Handle<Typed<F>>,
}

/// A function of a plugin that is called with [`Value`]s.
///
/// [`Swapper::dynamic`](crate::Swapper::dynamic) makes it once, which saves the look-up of the names in each call.
/// Otherwise it behaves like a [`Function`].
#[derive(Clone, Debug)]
pub struct Dynamic {
    handle: Handle<ByName>,
}

impl<F> Function<F> {
    pub(crate) fn new(handle: Handle<Typed<F>>) -> Self {
        Function { handle }
    }

    /// Returns the function of the pinned generation.
    ///
    /// # Errors
    /// The generation is older than the handle and lacks the function, or has it with another signature.
    pub fn on<'p>(&'p self, pin: &'p Pin<'_>) -> Result<Bound<'p, F>, HandleError> {
        Ok(Bound {
            entered: self.handle.on(pin)?,
            spec: &self.handle.spec,
        })
    }
}

impl<F> Clone for Function<F> {
    fn clone(&self) -> Self {
        Function::new(self.handle.clone())
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`Function`] of a pinned generation. Its calls need no pin of their own.
pub struct Bound<'p, F> {
    entered: Entered<&'p Generation, Typed<F>>,
    spec: &'p HandleSpec,
}

impl Dynamic {
    pub(crate) fn new(handle: Handle<ByName>) -> Self {
        Dynamic { handle }
    }

    /// Calls the function. Numbers are passed without an allocation.
    ///
    /// # Errors
    /// The arguments do not fit, the function returned an error, or it panicked.
    pub fn call(&self, args: &[Value]) -> Result<Value, InvokeError> {
        match self.handle.enter() {
            Some(entered) => entered.invoke(args, |refused| {
                self.handle.spec.failed(refused, entered.counted_in())
            }),
            None => self.handle.call_aside(|entered| {
                entered.invoke(args, |refused| {
                    self.handle.spec.failed(refused, entered.counted_in())
                })
            }),
        }
    }
}

macro_rules! arity {
    ($(#[$doc:meta])* $Call:ident($($arg:ident: $A:ident),*)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub trait $Call<R: Return $(, $A: Arg)*> {
            /// Calls the function.
            ///
            /// # Errors
            /// The function returned an error ([`CallError::Returned`]), it panicked, or it does not exist any more.
            fn call(&self $(, $arg: $A)*) -> Result<R::Ok, CallError<R::Err>>;
        }

        impl<F, R, $($A),*> $Call<R $(, $A)*> for Function<F>
        where
            F: Fn($($A),*) -> R,
            R: Return,
            $($A: Arg,)*
        {
            // Without inlining, a third of the time of a short call would be spent on calling this.
            #[inline(always)]
            fn call(&self $(, $arg: $A)*) -> Result<R::Ok, CallError<R::Err>> {
                match self.handle.enter() {
                    Some(entered) => arity!(@call self.handle.spec, entered $(, $arg: $A)*),
                    None => self.handle.call_aside(|entered| {
                        arity!(@call self.handle.spec, entered $(, $arg: $A)*)
                    }),
                }
            }
        }

        impl<F, R, $($A),*> $Call<R $(, $A)*> for Bound<'_, F>
        where
            F: Fn($($A),*) -> R,
            R: Return,
            $($A: Arg,)*
        {
            #[inline(always)]
            fn call(&self $(, $arg: $A)*) -> Result<R::Ok, CallError<R::Err>> {
                arity!(@call self.spec, self.entered $(, $arg: $A)*)
            }
        }
    };
    (@call $spec:expr, $entered:expr $(, $arg:ident: $A:ident)*) => {
        match $entered.call::<($($A,)*)>(($($arg,)*)) {
            Ok(result) => result.split().map_err(|error| {
                $spec.count_error($entered.counted_in());
                CallError::Returned(error)
            }),
            Err(panicked) => Err($spec.panicked(panicked)),
        }
    };
}
arity!(
    /// Calls a function without parameters.
    Call0()
);
arity!(
    /// Calls a function of one parameter.
    Call1(a: A)
);
arity!(
    /// Calls a function of two parameters.
    Call2(a: A, b: B)
);
arity!(
    /// Calls a function of three parameters.
    Call3(a: A, b: B, c: C)
);
arity!(
    /// Calls a function of four parameters.
    Call4(a: A, b: B, c: C, d: D)
);
arity!(
    /// Calls a function of five parameters.
    Call5(a: A, b: B, c: C, d: D, e: E)
);
arity!(
    /// Calls a function of six parameters.
    Call6(a: A, b: B, c: C, d: D, e: E, f: G)
);
arity!(
    /// Calls a function of seven parameters.
    Call7(a: A, b: B, c: C, d: D, e: E, f: G, g: H)
);
arity!(
    /// Calls a function of eight parameters.
    Call8(a: A, b: B, c: C, d: D, e: E, f: G, g: H, h: I)
);
