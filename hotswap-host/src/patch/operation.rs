//! One operation of a patch: what it does with a function, and the closure that does it.
use super::kinds::{
    After, AfterAsync, Around, AroundAsync, Before, BeforeAsync, Clause, ClauseAsync, Given,
    NextOf, OriginalOf, Rewrite, RewriteAsync, async_layer, layer,
};
use super::link::Layer;
use super::mock::{AtPoint, Point};
use super::params::{Closure, ClosureWith, Params};
use super::sourced::{ClosureSource, PatchSource};
use super::trace::{Traced, TracedAsync, Tracer};
use crate::base::name::PluginName;
use hotswap_plugin::boundary::{AsyncSignature, Later, ParamDesc, Return, TypeDesc};
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

/// The type of a patched function, which is an `fn` type like that of a handle. The compiler infers `A`, so write `_`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a function between plugins",
    label = "not an `fn` type whose parameters and result cross",
    note = "write an `fn` type, such as `fn(&str, u32) -> String`: up to eight parameters, each `&str`, `&[T]`, `&T` or `T` where `T` is shared, and an owned shared result"
)]
pub trait PatchSignature<A>: sealed::Patchable<A> {}

#[diagnostic::do_not_recommend]
impl<F: sealed::Patchable<A>, A> PatchSignature<A> for F {}

pub(crate) mod sealed {
    use super::{AsyncSignature, ParamDesc, Params, Return, TypeDesc};
    use crate::patch::fn_type::FnType;

    /// The parameters and the result of an `fn` type.
    pub trait Patchable<A>: 'static {
        type Params: Params;
        type Result: Return;
        const PARAMS: &'static [ParamDesc];
        const RESULT: &'static TypeDesc;
        /// The result of an `async fn`.
        const LATER: &'static TypeDesc;
    }

    #[diagnostic::do_not_recommend]
    impl<F, Args, Passed> Patchable<(Args, Passed)> for F
    where
        F: FnType<Passed> + AsyncSignature<Args> + 'static,
        Passed: Params,
    {
        type Params = Passed;
        type Result = F::Result;
        const PARAMS: &'static [ParamDesc] = F::PARAMS;
        const RESULT: &'static TypeDesc = F::RESULT;
        const LATER: &'static TypeDesc = F::LATER;
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Rewrite,
    Before,
    After,
    Around,
    /// Adds a clause in front of the clause with this number.
    AddClause(usize),
    AddFunction,
    RemoveFunction,
    /// Puts a point for mocks in front of the function.
    Mock,
    /// Tells of the function's calls.
    Trace,
    /// Tells of the function's calls by name.
    TraceByName,
}

/// An operation on a function.
pub struct Operation {
    /// The function: `hum`, or `Alpha::greet` for a method.
    pub(crate) function: String,
    pub(crate) what: What,
    /// `None` if the function is removed, another plugin has the code, or its calls by name are traced.
    pub(crate) made: Option<Made>,
    /// Tells of the function's calls by name.
    pub(crate) by_name: Option<Arc<Tracer>>,
    /// The function of another plugin that answers.
    pub(crate) by: Option<FunctionName>,
    /// The sources of its closures that were kept.
    sources: Vec<ClosureSource>,
}

/// A function of a plugin, by name.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FunctionName {
    pub(crate) plugin: PluginName,
    pub(crate) function: String,
}

/// The code of an operation, with the signature that it has.
pub(crate) struct Made {
    pub(crate) layer: Arc<dyn Layer>,
    pub(crate) params: &'static [ParamDesc],
    pub(crate) result: &'static TypeDesc,
}

impl Operation {
    /// Removes a function.
    pub(crate) fn remove(function: &str) -> Self {
        Operation {
            function: function.to_owned(),
            what: What::RemoveFunction,
            made: None,
            by_name: None,
            by: None,
            sources: Vec::new(),
        }
    }

    /// Traces the calls of a function by name. This needs no type.
    pub(crate) fn traced_by_name(function: &str, tracer: Arc<Tracer>) -> Self {
        Operation {
            function: function.to_owned(),
            what: What::TraceByName,
            made: None,
            by_name: Some(tracer),
            by: None,
            sources: Vec::new(),
        }
    }

    /// Keeps the sources of its closures, as far as there are any.
    fn with_sources(mut self, sources: impl IntoIterator<Item = Option<ClosureSource>>) -> Self {
        self.sources.extend(sources.into_iter().flatten());
        self
    }

    /// Returns the sources of its closures that were kept.
    pub(crate) fn sources(&self) -> impl Iterator<Item = PatchSource> {
        let sources = self.sources.iter();
        sources.map(|source| source.of(&self.function))
    }

    /// Returns true if the other operation replaces the same function by the same function of another plugin.
    pub(crate) fn same(&self, other: &Operation) -> bool {
        self.by.is_some() && self.by == other.by && self.function == other.function
    }

    /// Calls a function of another plugin instead of a function.
    pub(crate) fn by_plugin(function: &str, plugin: PluginName, other: &str) -> Self {
        Operation {
            function: function.to_owned(),
            what: What::Rewrite,
            made: None,
            by_name: None,
            by: Some(FunctionName {
                plugin,
                function: other.to_owned(),
            }),
            sources: Vec::new(),
        }
    }

    fn sync<F: sealed::Patchable<A>, A>(function: &str, what: What, layer: Arc<dyn Layer>) -> Self {
        Operation {
            function: function.to_owned(),
            what,
            made: Some(Made {
                layer,
                params: F::PARAMS,
                result: F::RESULT,
            }),
            by_name: None,
            by: None,
            sources: Vec::new(),
        }
    }

    fn later<F: sealed::Patchable<A>, A>(
        function: &str,
        what: What,
        layer: Arc<dyn Layer>,
    ) -> Self {
        let mut operation = Operation::sync::<F, A>(function, what, layer);
        if let Some(made) = &mut operation.made {
            made.result = F::LATER;
        }
        operation
    }

    /// Runs a closure instead of a function.
    pub(crate) fn rewrite<F: sealed::Patchable<A>, A>(
        function: &str,
        what: What,
        body: impl Closure<F::Params, F::Result>,
    ) -> Self {
        let source = body.source();
        let layer = layer::<_, F::Params, F::Result>(Rewrite(body));
        let operation = Operation::sync::<F, A>(function, what, layer);
        operation.with_sources([source])
    }

    /// Puts a point for mocks in front of a function.
    pub(crate) fn point<F: sealed::Patchable<A>, A>(
        function: &str,
        point: Arc<Point<F::Params, F::Result>>,
    ) -> Self {
        let layer = layer::<_, F::Params, F::Result>(AtPoint(point));
        Operation::sync::<F, A>(function, What::Mock, layer)
    }

    /// Puts a point for mocks in front of an `async fn`.
    pub(crate) fn async_point<F: sealed::Patchable<A>, A>(
        function: &str,
        point: Arc<Point<F::Params, Later<F::Result>>>,
    ) -> Self {
        let layer = async_layer::<_, F::Params, F::Result>(AtPoint(point));
        Operation::later::<F, A>(function, What::Mock, layer)
    }

    /// Traces a function.
    pub(crate) fn traced<F: sealed::Patchable<A>, A>(function: &str, tracer: Arc<Tracer>) -> Self {
        let layer = layer::<_, F::Params, F::Result>(Traced(tracer));
        Operation::sync::<F, A>(function, What::Trace, layer)
    }

    /// Traces an `async fn`.
    pub(crate) fn traced_async<F: sealed::Patchable<A>, A>(
        function: &str,
        tracer: Arc<Tracer>,
    ) -> Self {
        let layer = async_layer::<_, F::Params, F::Result>(TracedAsync(tracer));
        Operation::later::<F, A>(function, What::Trace, layer)
    }

    /// Runs a closure before a function.
    pub(crate) fn before<F: sealed::Patchable<A>, A>(
        function: &str,
        body: impl Closure<F::Params, Option<F::Result>>,
    ) -> Self {
        let source = body.source();
        let layer = layer::<_, F::Params, F::Result>(Before(body));
        let operation = Operation::sync::<F, A>(function, What::Before, layer);
        operation.with_sources([source])
    }

    /// Runs a closure after a function.
    pub(crate) fn after<F: sealed::Patchable<A>, A>(
        function: &str,
        body: impl ClosureWith<Given<F::Result>, F::Params, F::Result>,
    ) -> Self {
        let source = body.source_with();
        let layer = layer::<_, F::Params, F::Result>(After(body));
        let operation = Operation::sync::<F, A>(function, What::After, layer);
        operation.with_sources([source])
    }

    /// Runs a closure around a function.
    pub(crate) fn around<F: sealed::Patchable<A>, A>(
        function: &str,
        body: impl ClosureWith<NextOf<F>, F::Params, F::Result>,
    ) -> Self {
        let source = body.source_with();
        let layer = layer::<_, F::Params, F::Result>(Around::<F, _>(body, PhantomData));
        let operation = Operation::sync::<F, A>(function, What::Around, layer);
        operation.with_sources([source])
    }

    /// Runs a closure instead of a function where a guard says so.
    pub(crate) fn clause<F: sealed::Patchable<A>, A>(
        function: &str,
        index: usize,
        guard: impl Closure<F::Params, bool>,
        body: impl Closure<F::Params, F::Result>,
    ) -> Self {
        let sources = [guard.source(), body.source()];
        let layer = layer::<_, F::Params, F::Result>(Clause(guard, body));
        let operation = Operation::sync::<F, A>(function, What::AddClause(index), layer);
        operation.with_sources(sources)
    }

    /// Runs a closure instead of an `async fn`.
    pub(crate) fn rewrite_async<F, A, Fut>(
        function: &str,
        what: What,
        body: impl Closure<F::Params, Fut>,
    ) -> Self
    where
        F: sealed::Patchable<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let source = body.source();
        let kind = RewriteAsync::<_, Fut>(body, PhantomData);
        let layer = async_layer::<_, F::Params, F::Result>(kind);
        let operation = Operation::later::<F, A>(function, what, layer);
        operation.with_sources([source])
    }

    /// Runs a closure before an `async fn`.
    pub(crate) fn before_async<F: sealed::Patchable<A>, A>(
        function: &str,
        body: impl Closure<F::Params, Option<F::Result>>,
    ) -> Self
    where
        F::Result: Send,
    {
        let source = body.source();
        let layer = async_layer::<_, F::Params, F::Result>(BeforeAsync(body));
        let operation = Operation::later::<F, A>(function, What::Before, layer);
        operation.with_sources([source])
    }

    /// Runs a closure after an `async fn`.
    pub(crate) fn after_async<F: sealed::Patchable<A>, A>(
        function: &str,
        body: impl ClosureWith<Given<F::Result>, F::Params, F::Result>,
    ) -> Self
    where
        <F::Params as Params>::Owned: Send,
    {
        let source = body.source_with();
        let layer = async_layer::<_, F::Params, F::Result>(AfterAsync(body));
        let operation = Operation::later::<F, A>(function, What::After, layer);
        operation.with_sources([source])
    }

    /// Runs a closure around an `async fn`.
    pub(crate) fn around_async<F, A, Fut>(
        function: &str,
        body: impl ClosureWith<OriginalOf<F::Result>, F::Params, Fut>,
    ) -> Self
    where
        F: sealed::Patchable<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let source = body.source_with();
        let kind = AroundAsync::<_, Fut>(body, PhantomData);
        let layer = async_layer::<_, F::Params, F::Result>(kind);
        let operation = Operation::later::<F, A>(function, What::Around, layer);
        operation.with_sources([source])
    }

    /// Runs a closure instead of an `async fn` where a guard says so.
    pub(crate) fn clause_async<F, A, Fut>(
        function: &str,
        index: usize,
        guard: impl Closure<F::Params, bool>,
        body: impl Closure<F::Params, Fut>,
    ) -> Self
    where
        F: sealed::Patchable<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let sources = [guard.source(), body.source()];
        let kind = ClauseAsync::<_, _, Fut>(guard, body, PhantomData);
        let layer = async_layer::<_, F::Params, F::Result>(kind);
        let operation = Operation::later::<F, A>(function, What::AddClause(index), layer);
        operation.with_sources(sources)
    }
}
