//! A type such as `fn(&str, Vector) -> Result<String, Refused>` as the signature of a function that crosses
//! (`Signature`), and of an `async fn` (`AsyncSignature`).
#![allow(unsafe_code, reason = "it calls functions by their addresses")]
use crate::boundary::abi::{Out, Status};
use crate::boundary::arg::Arg;
use crate::boundary::call::{Panicked, try_receive};
use crate::boundary::describe::{Hash, ParamDesc, TypeDesc, Written, function_hash};
use crate::boundary::hook_result::HookError;
use crate::boundary::later::Later;
use crate::boundary::shared::{Return, Shared};
use crate::boundary::view::Arena;
use crate::contract::live::Wanted;
use crate::host::Host;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A signature of a function that crosses. `A` is the tuple of its parameters.
///
/// `fn` types implement it. The lifetimes of parameters stay open, since the bound is the compiler's own `Fn`:
/// `fn(&str) -> String` is a `Signature<(&'a str,)>` for every `'a`.
///
/// ```
/// use hotswap_plugin::boundary::Signature;
///
/// fn written<A, F: Signature<A>>() -> String {
///     F::written("hum")
/// }
/// assert_eq!(written::<(&str, u32), fn(&str, u32) -> String>(), "fn hum(&str, u32) -> String");
/// ```
///
/// # Safety
/// [`PARAMS`](Self::PARAMS) and [`RESULT`](Self::RESULT) describe the functions that [`call`](Self::call) calls. An
/// `fn` type has one description: a function that was compared with it is called with any `A`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the signature of a function between plugins",
    label = "not a signature that crosses",
    note = "up to eight parameters, each `&str`, `&[T]`, `&T` or `T` where `T` is shared, and an owned shared result"
)]
pub unsafe trait Signature<A> {
    /// The type that the function returns.
    type Result: Return;
    /// The parameters, without their names.
    const PARAMS: &'static [ParamDesc];
    /// The description of the result's type.
    const RESULT: &'static TypeDesc;
    /// The hash to compare with that of a [`FunctionDesc`](super::FunctionDesc).
    const HASH: Hash = function_hash(Self::PARAMS, Self::RESULT);

    /// Calls a function that has this signature.
    ///
    /// # Errors
    /// Returns an error if the function panicked.
    ///
    /// # Panics
    /// Resumes the panic of a `Hash`, `Eq`, or `Ord` of this library that ran while the result was copied.
    ///
    /// # Safety
    /// `function` is the [`typed`](super::FunctionDesc::typed) function of a signature with the same description, and
    /// may be called with `this`.
    unsafe fn call(function: *const (), this: *const (), args: A)
    -> Result<Self::Result, Panicked>;

    /// Returns the signature as an author writes it, for a function of this name.
    fn written(name: &str) -> String {
        written(name, Self::PARAMS, Self::RESULT).to_string()
    }
}

/// Returns a function as an author writes it: `fn hum(times: u32) -> String`.
pub fn written<'a>(
    name: &'a str,
    params: &'a [ParamDesc],
    result: &'a TypeDesc,
) -> impl fmt::Display + 'a {
    Written {
        name,
        params,
        result,
    }
}

/// A signature of an `async fn` that crosses. Every [`Signature`] is one; its result comes later.
///
/// # Safety
/// The contract of [`Signature`] holds for [`LATER`](Self::LATER), [`start`](Self::start), and
/// [`start_kept`](Self::start_kept).
pub unsafe trait AsyncSignature<A>: Signature<A> {
    /// The type of the C function's result: a [`Later`] with the result of the signature.
    const LATER: &'static TypeDesc = <Later<Self::Result> as Shared>::TYPE;
    /// The copies of the parameters.
    type Kept: 'static;

    /// Calls the function, which copies its parameters and does not run its body yet.
    ///
    /// # Errors
    /// Returns an error if the copying of a parameter panicked.
    ///
    /// # Panics
    /// Resumes a panic as [`try_receive`] does.
    ///
    /// # Safety
    /// The contract of [`Signature::call`] holds for an `async fn`. The owner of the result keeps the library and
    /// `this`.
    unsafe fn start(
        function: *const (),
        this: *const (),
        args: A,
    ) -> Result<Later<Self::Result>, Panicked>;

    /// Copies the parameters.
    fn keep(args: A) -> Self::Kept;

    /// Does the same as [`start`](Self::start), with copies of the parameters.
    ///
    /// # Errors
    /// Returns an error if the copying of a parameter panicked.
    ///
    /// # Panics
    /// Resumes a panic as [`try_receive`] does.
    ///
    /// # Safety
    /// The contract of [`start`](Self::start) holds.
    unsafe fn start_kept(
        function: *const (),
        this: *const (),
        kept: &Self::Kept,
    ) -> Result<Later<Self::Result>, Panicked>;
}

/// Passes the parameters of each number of parameters to a macro.
macro_rules! for_each_arity {
    ($implement:ident) => {
        $implement!();
        $implement!(a: A);
        $implement!(a: A, b: B);
        $implement!(a: A, b: B, c: C);
        $implement!(a: A, b: B, c: C, d: D);
        $implement!(a: A, b: B, c: C, d: D, e: E);
        $implement!(a: A, b: B, c: C, d: D, e: E, f: G);
        $implement!(a: A, b: B, c: C, d: D, e: E, f: G, g: H);
        $implement!(a: A, b: B, c: C, d: D, e: E, f: G, g: H, h: I);
    };
}

macro_rules! signature {
    ($($a:ident: $A:ident),*) => {
        // SAFETY: `call` lends what `PARAMS` describes, and receives a result of the type `R`. The parameters of an
        // `fn` type are the `A`s, except for their lifetimes, which descriptions do not have.
        unsafe impl<Func, R, $($A),*> Signature<($($A,)*)> for Func
        where
            Func: Fn($($A),*) -> R,
            R: Return,
            $($A: Arg,)*
        {
            type Result = R;
            const PARAMS: &'static [ParamDesc] = &[$(ParamDesc::new("", $A::TYPE)),*];
            const RESULT: &'static TypeDesc = R::TYPE;
            // An extra call here would take a third of the time of a short call.
            #[inline(always)]
            unsafe fn call(
                function: *const (),
                this: *const (),
                ($($a,)*): ($($A,)*),
            ) -> Result<R, Panicked> {
                let _arena = Arena::new();
                $(let $a = $a.lend(&_arena);)*
                // SAFETY: the caller guarantees that the function has this signature and may be called with `this`.
                // What is lent lives until the call is over.
                unsafe { signature!(@call R, function, this $(, $a: $A)*) }
            }
        }

        // SAFETY: `start` and `start_kept` lend what `PARAMS` describes, and receive a `Later<R>`.
        unsafe impl<Func, R, $($A),*> AsyncSignature<($($A,)*)> for Func
        where
            Func: Fn($($A),*) -> R,
            R: Return,
            $($A: Arg,)*
        {
            type Kept = ($($A::Owned,)*);

            #[inline]
            unsafe fn start(
                function: *const (),
                this: *const (),
                ($($a,)*): ($($A,)*),
            ) -> Result<Later<R>, Panicked> {
                let _arena = Arena::new();
                $(let $a = $a.lend(&_arena);)*
                // SAFETY: the caller guarantees that the function has this signature and may be called with `this`.
                // What is lent lives until the call is over.
                unsafe { signature!(@call Later<R>, function, this $(, $a: $A)*) }
            }

            #[allow(clippy::unused_unit, reason = "without parameters")]
            fn keep(($($a,)*): ($($A,)*)) -> Self::Kept {
                let _arena = Arena::new();
                $(let $a = $a.lend(&_arena);)*
                // SAFETY: each parameter is lent here, by a parameter of the same type, which is alive.
                ($(unsafe { $A::keep($A::cross(&$a)) },)*)
            }

            unsafe fn start_kept(
                function: *const (),
                this: *const (),
                ($($a,)*): &Self::Kept,
            ) -> Result<Later<R>, Panicked> {
                let _arena = Arena::new();
                $(let $a = $A::lend_owned($a, &_arena);)*
                // SAFETY: the caller guarantees that the function has this signature and may be called with `this`.
                // What is lent lives until the call is over.
                unsafe { signature!(@call Later<R>, function, this $(, $a: $A)*) }
            }
        }
    };
    // Calls the function with what is lent.
    (@call $R:ty, $function:expr, $this:expr $(, $a:ident: $A:ident)*) => {{
        type Entry<$($A,)* V> = unsafe extern "C" fn(*const (), $($A,)* *mut Out<V>) -> Status;
        let function = std::mem::transmute::<
            *const (),
            Entry<$($A::Cross,)* <$R as Shared>::View>,
        >($function);
        try_receive::<$R>(|out| function($this, $($A::cross(&$a),)* out))
    }};
}
for_each_arity!(signature);

/// Calls a live function of the newest generation. Returns `None` if there is none of this name. A panic of this
/// library, which ran while the result was copied, is the inner error.
///
/// # Errors
/// Returns a text if the function has another signature.
pub(crate) fn call_live<F: Signature<A>, A>(
    host: Host,
    name: &str,
    args: A,
) -> Result<Option<std::thread::Result<Result<F::Result, Panicked>>>, String> {
    let want = Wanted {
        params: F::PARAMS.into(),
        result: F::RESULT,
    };
    let (mut args, mut called) = (Some(args), None);
    let lent = host.live_call(name, &want, |function| {
        called = args.take().map(|args| {
            // SAFETY: the host lends a function that it has compared with this signature, and live functions ignore
            // `this`.
            catch_unwind(AssertUnwindSafe(|| unsafe {
                F::call(function, std::ptr::null(), args)
            }))
        });
    });
    match lent {
        Ok(()) => Ok(called),
        Err(HookError::Failed(message) | HookError::Panicked(message)) => Err(message),
    }
}
