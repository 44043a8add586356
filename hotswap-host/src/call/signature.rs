//! The types of handles, which are `fn` types.
//!
//! A handle is bound with one signature, and a call uses the signature that the handle's type has. So the type must
//! have only one. A type that implements `Fn` twice would be bound with one signature and called with the other. An
//! example is `Box<dyn Both>`, with `trait Both: Fn(u64) -> u64 + Fn(i64) -> String`.
use crate::patch::params::{Lent, Plain};
use hotswap_plugin::boundary::AsyncSignature;

/// The type of a handle's function: an `fn` type with up to eight parameters, such as `fn(&str, u32) -> String`. The
/// compiler infers `A`, so write `_`.
///
/// The lifetimes of parameters stay open, and each parameter has its own: `fn(&str, &str)` is one of these types, and
/// `for<'a> fn(&'a str, &'a str)` is not.
///
/// ```
/// use hotswap_host::{Function, HandleError, Signature, Swapper};
///
/// fn of_world<F: Signature<A>, A>(swapper: &Swapper, name: &str) -> Result<Function<F>, HandleError> {
///     swapper.function("world", name)
/// }
/// # fn run(swapper: &Swapper) {
/// let _hum = of_world::<fn(&str, u32) -> String, _>(swapper, "hum");
/// # }
/// ```
///
/// Other types do not implement this trait, even if they can be called. Such a type could have two signatures:
///
/// ```compile_fail,E0277
/// use hotswap_host::{Function, HandleError, Signature, Swapper};
///
/// fn of_world<F: Signature<A>, A>(swapper: &Swapper, name: &str) -> Result<Function<F>, HandleError> {
///     swapper.function("world", name)
/// }
/// # fn run(swapper: &Swapper) {
/// let _hum = of_world::<Box<dyn Fn(&str, u32) -> String>, _>(swapper, "hum");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a function between plugins",
    label = "not an `fn` type whose parameters and result cross",
    note = "write an `fn` type, such as `fn(&str, u32) -> String`: up to eight parameters, each `&str`, `&[T]`, `&T` or `T` where `T` is shared, and an owned shared result"
)]
pub trait Signature<A>: sealed::Described<A> {}

#[diagnostic::do_not_recommend]
impl<F: sealed::Described<A>, A> Signature<A> for F {}

pub(crate) mod sealed {
    use super::{AsyncSignature, FnType};
    use hotswap_plugin::boundary::{ParamDesc, TypeDesc};

    /// The description that both sides compare when a handle is bound.
    pub trait Described<A> {
        const PARAMS: &'static [ParamDesc];
        const RESULT: &'static TypeDesc;
        /// The result of an `async fn`.
        const LATER: &'static TypeDesc;
    }

    #[diagnostic::do_not_recommend]
    impl<F, Args, Passed> Described<(Args, Passed)> for F
    where
        F: FnType<Passed> + AsyncSignature<Args>,
    {
        const PARAMS: &'static [ParamDesc] = F::PARAMS;
        const RESULT: &'static TypeDesc = F::RESULT;
        const LATER: &'static TypeDesc = F::LATER;
    }
}

/// An `fn` type. `Passed` says what each parameter is, and whether it is a reference with an open lifetime. A type parameter
/// cannot stand for such a reference, so each combination has an implementation of its own.
pub trait FnType<Passed> {}

macro_rules! fn_types {
    ([$($lifetime:lifetime)*] [$($generic:tt)*] [$($passed:ty,)*] [$($param:ty,)*]) => {
        impl<R, $($generic)*> FnType<($($passed,)*)> for for<$($lifetime),*> fn($($param),*) -> R {}
    };
    (
        [$($lifetime:lifetime)*] [$($generic:tt)*] [$($passed:ty,)*] [$($param:ty,)*]
        $a:lifetime $A:ident $($rest:tt)*
    ) => {
        fn_types!([$($lifetime)*] [$($generic)* $A,] [$($passed,)* Plain<$A>,] [$($param,)* $A,] $($rest)*);
        fn_types!(
            [$($lifetime)* $a] [$($generic)* $A: ?Sized,] [$($passed,)* Lent<$A>,] [$($param,)* &$a $A,] $($rest)*
        );
    };
}
fn_types!([] [] [] []);
fn_types!([] [] [] [] 'a A);
fn_types!([] [] [] [] 'a A 'b B);
fn_types!([] [] [] [] 'a A 'b B 'c C);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E 'f F);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E 'f F 'g G);
fn_types!([] [] [] [] 'a A 'b B 'c C 'd D 'e E 'f F 'g G 'h H);
