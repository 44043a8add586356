//! The types of handles, which are `fn` types.
//!
//! A handle is bound with one signature, and a call uses the signature that the handle's type has. So the type must
//! have only one. A type that implements `Fn` twice would be bound with one signature and called with the other. An
//! example is `Box<dyn Both>`, with `trait Both: Fn(u64) -> u64 + Fn(i64) -> String`.

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
    use crate::patch::Operation;
    use crate::patch::fn_type::FnType;
    use crate::patch::params::Params;
    use crate::patch::trace::Tracer;
    use hotswap_plugin::boundary::{AsyncSignature, ParamDesc, TypeDesc};
    use std::sync::Arc;

    /// The description that both sides compare when a handle is bound, and what needs the type itself.
    pub trait Described<A>: 'static {
        const PARAMS: &'static [ParamDesc];
        const RESULT: &'static TypeDesc;
        /// The result of an `async fn`.
        const LATER: &'static TypeDesc;

        /// Traces a function of this type.
        fn traced(function: &str, tracer: Arc<Tracer>) -> Operation;

        /// Traces an `async fn` of this type.
        fn traced_async(function: &str, tracer: Arc<Tracer>) -> Operation;
    }

    #[diagnostic::do_not_recommend]
    impl<F, Args, Passed> Described<(Args, Passed)> for F
    where
        F: FnType<Passed> + AsyncSignature<Args> + 'static,
        Passed: Params,
    {
        const PARAMS: &'static [ParamDesc] = F::PARAMS;
        const RESULT: &'static TypeDesc = F::RESULT;
        const LATER: &'static TypeDesc = F::LATER;

        fn traced(function: &str, tracer: Arc<Tracer>) -> Operation {
            Operation::traced::<F, (Args, Passed)>(function, tracer)
        }

        fn traced_async(function: &str, tracer: Arc<Tracer>) -> Operation {
            Operation::traced_async::<F, (Args, Passed)>(function, tracer)
        }
    }
}
