//! The parameters of a handle's type, as closures of the host receive them, and C functions that call these closures.
//!
//! A parameter is a type ([`Plain`]), or a reference with an open lifetime ([`Lent`]). A closure has to accept the
//! reference with every lifetime, so it cannot keep it for longer than the call.
//!
//! Unsafe code: parameters are copied out of what a caller has lent, and functions are called by their addresses. A
//! [`Callee`] is called only by the C function that was made for its parameters and its result.
#![allow(unsafe_code)]
use super::sourced::{ClosureSource, Sourced};
use hotswap_plugin::Value;
use hotswap_plugin::boundary::arg::{Items, take_owned};
use hotswap_plugin::boundary::dynamic::arguments;
use hotswap_plugin::boundary::{
    Arena, Arg, InvokeError, Out, RawFunction, Shared, SliceView, Status, StrView, ValueView,
};
use std::marker::PhantomData;
use std::mem::transmute;

/// A parameter that is a type.
pub struct Plain<T>(PhantomData<fn(T) -> T>);

/// A parameter that is a reference with an open lifetime.
pub struct Lent<T: ?Sized>(PhantomData<fn(&T)>);

/// A parameter, whatever the lifetime for which it is lent.
pub trait Passed: 'static {
    /// The parameter with its lifetime.
    type As<'a>: Arg<Cross = Self::Cross, Held = Self::Held, Owned = Self::Owned>;
    /// The type in the C signature.
    type Cross: Copy;
    /// The form that the callee holds during the call.
    type Held;
    /// A copy of the parameter.
    type Owned: Shared;

    /// Takes the form that crossed.
    ///
    /// # Safety
    /// The contract of [`Arg::take`] holds.
    unsafe fn take(cross: Self::Cross) -> Self::Held;
}

impl<T: Arg + Shared> Passed for Plain<T> {
    type As<'a> = T;
    type Cross = T::Cross;
    type Held = T::Held;
    type Owned = T::Owned;

    unsafe fn take(cross: T::Cross) -> T::Held {
        // SAFETY: the caller guarantees the contract of `take`.
        unsafe { take_owned::<T>(cross) }
    }
}

macro_rules! lent {
    ([$($generic:tt)*] $T:ty, $Cross:ty, $Held:ty, $Owned:ty) => {
        impl<$($generic)*> Passed for Lent<$T> {
            type As<'a> = &'a $T;
            type Cross = $Cross;
            type Held = $Held;
            type Owned = $Owned;

            unsafe fn take(cross: $Cross) -> $Held {
                // SAFETY: the caller guarantees the contract of `take`.
                unsafe { <&$T as Arg>::take(cross) }
            }
        }
    };
}
lent!([] str, StrView, StrView, String);
lent!([T: Shared] [T], SliceView<T::View>, Items<T>, Vec<T>);
lent!([T: Shared] T, *const T::View, T, T);

/// What a C function with these parameters and this result calls.
pub trait Callee<P: Params, R: Shared> {
    /// Answers a call.
    ///
    /// # Safety
    /// `this` belongs to the implementation, which says what it is. The parameters and `out` come from a caller that
    /// waits, with types of the same descriptions.
    unsafe fn called(this: *const (), cross: P::Cross, out: *mut Out<R::View>) -> Status;
}

/// The parameters of a handle's type.
pub trait Params: Sized + 'static {
    /// The forms that cross.
    type Cross: Copy;
    /// Copies of the parameters.
    type Owned: 'static;

    /// Returns the C function that calls `L`.
    fn entry<L: Callee<Self, R>, R: Shared>() -> *const ();

    /// Passes a call on.
    ///
    /// # Safety
    /// The function has these parameters and this result, and may be called. The parameters and `out` come from a
    /// caller that waits.
    unsafe fn forward<R: Shared>(
        function: RawFunction,
        cross: Self::Cross,
        out: *mut Out<R::View>,
    ) -> Status;

    /// Returns copies of the parameters.
    ///
    /// # Safety
    /// The parameters come from a caller that waits.
    unsafe fn keep(cross: Self::Cross) -> Self::Owned;

    /// Lends copies of the parameters for a call.
    fn lend<T>(owned: &Self::Owned, call: impl FnOnce(Self::Cross) -> T) -> T;

    /// Returns copies of the parameters as values.
    fn values(owned: &Self::Owned) -> Vec<Value>;

    /// Reads the arguments of a call by name.
    ///
    /// # Errors
    /// There are more or fewer arguments than parameters, or one has another type.
    ///
    /// # Safety
    /// The arguments come from a caller that waits.
    unsafe fn read(
        args: SliceView<ValueView>,
        names: &[String],
    ) -> Result<Self::Owned, InvokeError>;
}

/// A closure of the host in the place of a function with the parameters `P`. It returns an `R`. Write the types of its
/// parameters: `|name: &str, times: u32| …`.
#[diagnostic::on_unimplemented(
    message = "the closure does not fit the function",
    label = "not a closure with the parameters and the result of the function",
    note = "write the types of its parameters, `|name: &str, times: u32|`, as in the `fn` type of the function; what it captures is `Send + Sync + 'static`"
)]
pub trait Closure<P: Params, R>: Send + Sync + 'static {
    /// Calls the closure.
    ///
    /// # Safety
    /// The parameters come from a caller that waits until this returns.
    #[doc(hidden)]
    unsafe fn run(&self, cross: P::Cross) -> R;

    /// Returns its source, if it was kept.
    #[doc(hidden)]
    fn source(&self) -> Option<ClosureSource> {
        None
    }
}

/// Something that a closure receives before the parameters of the function.
pub trait First: 'static {
    /// It, with its lifetime.
    type As<'a>;
}

/// A closure of the host that receives one value more, before the parameters of the function. See [`Closure`].
#[diagnostic::on_unimplemented(
    message = "the closure does not fit the function",
    label = "not a closure with the parameters and the result of the function",
    note = "write the types of its parameters, as in the `fn` type of the function, after that of the first one; what it captures is `Send + Sync + 'static`"
)]
pub trait ClosureWith<X: First, P: Params, R>: Send + Sync + 'static {
    /// Calls the closure.
    ///
    /// # Safety
    /// The parameters come from a caller that waits until this returns.
    #[doc(hidden)]
    unsafe fn run_with(&self, first: X::As<'_>, cross: P::Cross) -> R;

    /// Returns its source, if it was kept.
    #[doc(hidden)]
    fn source_with(&self) -> Option<ClosureSource> {
        None
    }
}

impl<C: Closure<P, R>, P: Params, R> Closure<P, R> for Sourced<C> {
    #[inline]
    unsafe fn run(&self, cross: P::Cross) -> R {
        // SAFETY: the caller guarantees that the parameters come from a caller that waits until this returns.
        unsafe { self.closure.run(cross) }
    }

    fn source(&self) -> Option<ClosureSource> {
        Some(self.source)
    }
}

impl<C: ClosureWith<X, P, R>, X: First, P: Params, R> ClosureWith<X, P, R> for Sourced<C> {
    #[inline]
    unsafe fn run_with(&self, first: X::As<'_>, cross: P::Cross) -> R {
        // SAFETY: the caller guarantees that the parameters come from a caller that waits until this returns.
        unsafe { self.closure.run_with(first, cross) }
    }

    fn source_with(&self) -> Option<ClosureSource> {
        Some(self.source)
    }
}

macro_rules! params {
    ($($a:ident: $P:ident),*) => {
        impl<$($P: Passed),*> Params for ($($P,)*) {
            type Cross = ($($P::Cross,)*);
            type Owned = ($($P::Owned,)*);

            fn entry<L: Callee<Self, R>, R: Shared>() -> *const () {
                #[allow(clippy::too_many_arguments, improper_ctypes_definitions)]
                unsafe extern "C" fn entry<L, R, $($P),*>(
                    this: *const (),
                    $($a: $P::Cross,)*
                    out: *mut Out<R::View>,
                ) -> Status
                where
                    L: Callee<($($P,)*), R>,
                    R: Shared,
                    $($P: Passed,)*
                {
                    // SAFETY: the caller of this function guarantees that it may be called with `this`, and waits.
                    unsafe { L::called(this, ($($a,)*), out) }
                }
                entry::<L, R, $($P),*> as *const ()
            }

            unsafe fn forward<R: Shared>(
                function: RawFunction,
                ($($a,)*): Self::Cross,
                out: *mut Out<R::View>,
            ) -> Status {
                type Entry<$($P,)* V> =
                    unsafe extern "C" fn(*const (), $($P,)* *mut Out<V>) -> Status;
                // SAFETY: the caller guarantees that the function has this type, and may be called.
                unsafe {
                    let call = transmute::<*const (), Entry<$($P::Cross,)* R::View>>(function.call);
                    call(function.this, $($a,)* out)
                }
            }

            #[allow(clippy::unused_unit, reason = "without parameters")]
            unsafe fn keep(($($a,)*): Self::Cross) -> Self::Owned {
                // SAFETY: the caller guarantees that what is lent is alive until this returns.
                ($(unsafe { <$P::As<'_> as Arg>::keep($a) },)*)
            }

            fn lend<T>(($($a,)*): &Self::Owned, call: impl FnOnce(Self::Cross) -> T) -> T {
                let _arena = Arena::new();
                $(let $a = <$P::As<'_> as Arg>::lend_owned($a, &_arena);)*
                call(($(<$P::As<'_> as Arg>::cross(&$a),)*))
            }

            fn values(($($a,)*): &Self::Owned) -> Vec<Value> {
                vec![$($a.to_value()),*]
            }

            #[allow(unused_mut, unused_variables, unused_assignments, reason = "without parameters")]
            unsafe fn read(
                args: SliceView<ValueView>,
                names: &[String],
            ) -> Result<Self::Owned, InvokeError> {
                const COUNT: u32 = 0 $(+ { let _ = stringify!($a); 1 })*;
                // SAFETY: the caller of this function guarantees that the arguments are alive until it returns.
                let mut args = unsafe { arguments(args, COUNT) }?;
                let mut names = names.iter().map(String::as_str);
                Ok(($(args.next::<$P::Owned>(names.next().unwrap_or_default())?,)*))
            }
        }

        impl<C, R, $($P: Passed),*> Closure<($($P,)*), R> for C
        where
            C: for<'a> Fn($($P::As<'a>),*) -> R + Send + Sync + 'static,
        {
            #[inline]
            #[allow(unused_unsafe, reason = "without parameters")]
            unsafe fn run(&self, ($($a,)*): ($($P::Cross,)*)) -> R {
                // SAFETY: the caller guarantees that what is lent is alive until this returns. The closure accepts the
                // parameters with any lifetime, so it keeps none of them.
                unsafe {
                    $(let mut $a = $P::take($a);)*
                    self($(<$P::As<'_> as Arg>::get(&mut $a)),*)
                }
            }
        }

        impl<C, X: First, R, $($P: Passed),*> ClosureWith<X, ($($P,)*), R> for C
        where
            C: for<'a> Fn(X::As<'a>, $($P::As<'a>),*) -> R + Send + Sync + 'static,
        {
            #[inline]
            #[allow(unused_unsafe, reason = "without parameters")]
            unsafe fn run_with(&self, first: X::As<'_>, ($($a,)*): ($($P::Cross,)*)) -> R {
                // SAFETY: the caller guarantees that what is lent is alive until this returns. The closure accepts the
                // parameters with any lifetime, so it keeps none of them.
                unsafe {
                    $(let mut $a = $P::take($a);)*
                    self(first, $(<$P::As<'_> as Arg>::get(&mut $a)),*)
                }
            }
        }
    };
}
params!();
params!(a: A);
params!(a: A, b: B);
params!(a: A, b: B, c: D);
params!(a: A, b: B, c: D, d: E);
params!(a: A, b: B, c: D, d: E, e: G);
params!(a: A, b: B, c: D, d: E, e: G, f: H);
params!(a: A, b: B, c: D, d: E, e: G, f: H, g: I);
params!(a: A, b: B, c: D, d: E, e: G, f: H, g: I, h: J);
