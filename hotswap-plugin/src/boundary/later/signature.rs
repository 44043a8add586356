//! `AsyncSignature`: a type such as `fn(&str) -> String` as the signature of an `async fn`.
use super::Later;
use crate::boundary::abi::{Out, Status};
use crate::boundary::arg::Arg;
use crate::boundary::call::{Panicked, try_receive};
use crate::boundary::describe::TypeDesc;
use crate::boundary::shared::{Return, Shared};
use crate::boundary::signature::Signature;
use crate::boundary::view::Arena;

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

type Entry<R> = Out<<Later<R> as Shared>::View>;

macro_rules! arity {
    ($($a:ident: $A:ident),*) => {
        // SAFETY: `start` lends what `PARAMS` describes, and receives a `Later<R>`.
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
                // SAFETY: the caller guarantees that the function has this signature. What is lent lives until the call
                // is over.
                unsafe { arity!(@start function, this $(, $a: $A)*) }
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
                // SAFETY: the caller guarantees that the function has this signature. What is lent lives until the call
                // is over.
                unsafe { arity!(@start function, this $(, $a: $A)*) }
            }
        }
    };
    (@start $function:expr, $this:expr $(, $a:ident: $A:ident)*) => {{
        type Function<$($A,)* R> = unsafe extern "C" fn(*const (), $($A,)* *mut Entry<R>) -> Status;
        let function = std::mem::transmute::<*const (), Function<$($A::Cross,)* R>>($function);
        try_receive(|out| function($this, $($A::cross(&$a),)* out))
    }};
}
arity!();
arity!(a: A);
arity!(a: A, b: B);
arity!(a: A, b: B, c: C);
arity!(a: A, b: B, c: C, d: D);
arity!(a: A, b: B, c: C, d: D, e: E);
arity!(a: A, b: B, c: C, d: D, e: E, f: G);
arity!(a: A, b: B, c: C, d: D, e: E, f: G, g: H);
arity!(a: A, b: B, c: C, d: D, e: E, f: G, g: H, h: I);
