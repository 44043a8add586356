//! `Signature`: a type such as `fn(&str, Vector) -> Result<String, Refused>` as the signature of a function that
//! crosses.
use crate::boundary::abi::{Out, Status};
use crate::boundary::arg::Arg;
use crate::boundary::call::{Panicked, try_receive};
use crate::boundary::describe::{Hash, ParamDesc, TypeDesc, Written, function_hash};
use crate::boundary::shared::Return;
use crate::boundary::view::Arena;
use std::fmt;

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

macro_rules! arity {
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
                type Entry<$($A,)* V> = unsafe extern "C" fn(*const (), $($A,)* *mut Out<V>) -> Status;
                // SAFETY: the caller guarantees that `function` is a C function with this signature.
                let function = unsafe {
                    std::mem::transmute::<*const (), Entry<$($A::Cross,)* R::View>>(function)
                };
                let _arena = Arena::new();
                $(let $a = $a.lend(&_arena);)*
                // SAFETY: the caller guarantees that the function has this signature and may be called with `this`.
                // What is lent lives until the call is over.
                unsafe { try_receive(|out| function(this, $($A::cross(&$a),)* out)) }
            }
        }
    };
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
