//! The host's handles to `async fn`s of plugins.
use super::Entry;
use super::calling::Calling;
use super::count::LastPlace;
use crate::call::signature::Signature;
use crate::error::HandleError;
use crate::generation::bindings::TypedAsync;
use crate::handle::{Handle, HandleSpec};
use crate::swapper::Swapper;
use hotswap_plugin::boundary::{Arg, AsyncSignature, Return};
use std::fmt;

/// A typed `async fn` of a plugin: `AsyncFunction<fn(u32) -> String>`.
///
/// It behaves like a [`Function`](crate::Function). `call` takes the function's parameters, up to eight. It is a method
/// of the traits [`AsyncCall0`] to [`AsyncCall8`], which the [prelude](crate::prelude) brings into scope. It returns a
/// future, [`Calling`], which may be sent to other threads and spawned. The arguments are copied before `call` returns.
///
/// ```no_run
/// # use hotswap_host::prelude::*;
/// # async fn run(swapper: Swapper) -> Result<(), Box<dyn std::error::Error>> {
/// let hum: AsyncFunction<fn(u32) -> String> = swapper.async_function("world", "hum")?;
/// println!("{}", hum.call(3).await?);
/// # Ok(())
/// # }
/// ```
pub struct AsyncFunction<F> {
    handle: Handle<TypedAsync<F>>,
    last: LastPlace,
}

impl<F> AsyncFunction<F> {
    fn new(handle: Handle<TypedAsync<F>>) -> Self {
        AsyncFunction {
            handle,
            last: LastPlace::default(),
        }
    }
}

impl Swapper {
    /// Returns a handle to a typed `async fn` of a plugin: `swapper.async_function::<fn(u32) -> String, _>("world",
    /// "hum")?`. The type may also be given on the left-hand side.
    ///
    /// # Errors
    /// There is no such plugin or no such function, or the function has another signature or is not `async`.
    pub fn async_function<F, A>(
        &self,
        plugin: &str,
        function: &str,
    ) -> Result<AsyncFunction<F>, HandleError>
    where
        F: Signature<A>,
    {
        Ok(AsyncFunction::new(self.make_handle(
            HandleSpec::typed_async::<A, F>(plugin, function),
        )?))
    }
}

impl<F> Clone for AsyncFunction<F> {
    fn clone(&self) -> Self {
        AsyncFunction::new(self.handle.clone())
    }
}

impl<F> fmt::Debug for AsyncFunction<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

macro_rules! arity {
    ($(#[$doc:meta])* $Call:ident($($arg:ident: $A:ident),*)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub trait $Call<R: Return $(, $A: Arg)*> {
            /// Calls the newest build of the function. The call begins now, unless [state](crate::StateReport) is being
            /// handed over. Its build is kept until the future is ready or dropped, and if it is replaced meanwhile,
            /// the call goes on in it. While state is handed over, the future waits and begins the call afterwards.
            ///
            /// # Errors
            /// The future returns an error if the function returned one
            /// ([`CallError::Returned`](crate::CallError::Returned)), if it panicked, or if it does not exist any more.
            fn call(&self $(, $arg: $A)*) -> Calling<R>;
        }

        impl<F, R, $($A),*> $Call<R $(, $A)*> for AsyncFunction<F>
        where
            F: Fn($($A),*) -> R + 'static,
            R: Return,
            $($A: Arg<Owned: Send>,)*
        {
            fn call(&self $(, $arg: $A)*) -> Calling<R> {
                if let Some(entered) = self.handle.enter() {
                    let entered = entered.pinned();
                    return Calling::begin(&self.handle, &self.last, &entered, |running| {
                        entered.begin::<($($A,)*), _>(running, ($($arg,)*))
                    });
                }
                // A copy of the calling code, as for calls that are not async: see `Handle::enter`.
                match self.handle.enter_or_gate() {
                    Entry::Open(entered) => {
                        Calling::begin(&self.handle, &self.last, &entered, |running| {
                            entered.begin::<($($A,)*), _>(running, ($($arg,)*))
                        })
                    }
                    Entry::Gate(gate) => {
                        let kept = <F as AsyncSignature<($($A,)*)>>::keep(($($arg,)*));
                        Calling::at_gate(gate, self.handle.clone(), move |entered, running| {
                            entered.begin_kept::<($($A,)*), _>(running, &kept)
                        })
                    }
                    Entry::Missing(missing) => Calling::missing(missing, self.handle.spec.clone()),
                }
            }
        }
    };
}
arity!(
    /// Calls an `async fn` without parameters.
    AsyncCall0()
);
arity!(
    /// Calls an `async fn` of one parameter.
    AsyncCall1(a: A)
);
arity!(
    /// Calls an `async fn` of two parameters.
    AsyncCall2(a: A, b: B)
);
arity!(
    /// Calls an `async fn` of three parameters.
    AsyncCall3(a: A, b: B, c: C)
);
arity!(
    /// Calls an `async fn` of four parameters.
    AsyncCall4(a: A, b: B, c: C, d: D)
);
arity!(
    /// Calls an `async fn` of five parameters.
    AsyncCall5(a: A, b: B, c: C, d: D, e: E)
);
arity!(
    /// Calls an `async fn` of six parameters.
    AsyncCall6(a: A, b: B, c: C, d: D, e: E, f: G)
);
arity!(
    /// Calls an `async fn` of seven parameters.
    AsyncCall7(a: A, b: B, c: C, d: D, e: E, f: G, g: H)
);
arity!(
    /// Calls an `async fn` of eight parameters.
    AsyncCall8(a: A, b: B, c: C, d: D, e: E, f: G, g: H, h: I)
);
