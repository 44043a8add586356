//! Mocks of functions, for tests: [`Mock`], and [`mock_scope`].
use super::Swapper;
use super::inner::Inner;
use super::patches::no_plugin;
use super::writer::WriterGuard;
use crate::base::name::PluginName;
use crate::base::time::after;
use crate::error::{PatchError, ReloadError};
use crate::generation::edges;
use crate::hook_thread;
use crate::patch::layers::Layers;
use crate::patch::mock::{
    Answers, AnyPoint, ByClosure, ByFuture, FutureScope, InSequence, InSequenceAsync, Point,
    Recorded, Scope,
};
use crate::patch::params::{Closure, Params};
use crate::patch::stack::{MockEntry, Stacks, without_unused};
use crate::patch::{Operation, PatchSignature};
use hotswap_plugin::Value;
use hotswap_plugin::boundary::Later;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Instant;

impl Swapper {
    /// Calls the closure instead of a function, for calls that this thread makes, until the result is dropped. Other
    /// threads do not notice, so tests that run in parallel do not see each other's mocks.
    ///
    /// The function, its `fn` type, and the closure are those of a [patch](Self::patch). A mock is not a version of the
    /// plugin: it takes effect at once, also for calls of a generation that was pinned before, and is on top of all
    /// patches. Of several mocks of a function, the newest one answers.
    ///
    /// ```no_run
    /// # use hotswap_host::prelude::*;
    /// # fn open() -> Swapper { unimplemented!() }
    /// #[test]
    /// fn the_lamp_is_lit_at_night() {
    ///     let swapper: Swapper = open();
    ///     let clock = swapper.mock::<fn() -> u32, _>("clock", "hour", || 23).unwrap();
    ///     let is_lit: Function<fn() -> bool> = swapper.function("lamp", "is_lit").unwrap();
    ///     let hour: Function<fn() -> u32> = swapper.function("clock", "hour").unwrap();
    ///     assert_eq!(hour.call().unwrap(), 23);
    ///     assert_eq!(clock.calls(), 1);
    ///     drop(clock);
    ///     // The clock goes right again, as it would after a panic.
    /// }
    /// ```
    ///
    /// Calls that plugins make through their imports on this thread meet the mock of a method of an interface. The calls of
    /// a plugin's own threads do not: see [`mock_everywhere`](Self::mock_everywhere).
    ///
    /// # Errors
    /// The errors of [`Patch::apply`](crate::Patch::apply), except that the thread may have a pin or be inside a call.
    pub fn mock<F, A>(
        &self,
        plugin: &str,
        function: &str,
        body: impl Closure<F::Params, F::Result>,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
    {
        self.mock_in::<F, A>(Scope::here(), plugin, function, ByClosure(body))
    }

    /// Does the same as [`mock`](Self::mock) for the calls of all threads.
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn mock_everywhere<F, A>(
        &self,
        plugin: &str,
        function: &str,
        body: impl Closure<F::Params, F::Result>,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
    {
        self.mock_in::<F, A>(Scope::Everywhere, plugin, function, ByClosure(body))
    }

    /// Does the same as [`mock`](Self::mock), and answers with these results, one after the other. A call after the last
    /// one panics.
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn mock_sequence<F, A>(
        &self,
        plugin: &str,
        function: &str,
        answers: impl IntoIterator<Item = F::Result>,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
        F::Result: Send,
    {
        self.mock_in::<F, A>(Scope::here(), plugin, function, InSequence::of(answers))
    }

    /// Does the same as [`mock`](Self::mock) with an `async fn`, for the calls that this thread begins, or those that the
    /// current [`mock_scope`] begins. The closure returns a future.
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn mock_async<F, A, Fut>(
        &self,
        plugin: &str,
        function: &str,
        body: impl Closure<F::Params, Fut>,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let answers = ByFuture::<_, Fut>(body, PhantomData);
        self.mock_async_in::<F, A>(Scope::here(), plugin, function, answers)
    }

    /// Does the same as [`mock_async`](Self::mock_async) for all calls.
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn mock_async_everywhere<F, A, Fut>(
        &self,
        plugin: &str,
        function: &str,
        body: impl Closure<F::Params, Fut>,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
        Fut: Future<Output = F::Result> + Send + 'static,
    {
        let answers = ByFuture::<_, Fut>(body, PhantomData);
        self.mock_async_in::<F, A>(Scope::Everywhere, plugin, function, answers)
    }

    /// Does the same as [`mock_sequence`](Self::mock_sequence) with an `async fn`.
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn mock_async_sequence<F, A>(
        &self,
        plugin: &str,
        function: &str,
        answers: impl IntoIterator<Item = F::Result>,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
        F::Result: Send,
    {
        let answers = InSequenceAsync(InSequence::of(answers));
        self.mock_async_in::<F, A>(Scope::here(), plugin, function, answers)
    }

    fn mock_in<F, A>(
        &self,
        scope: Scope,
        plugin: &str,
        function: &str,
        answers: impl Answers<F::Params, F::Result> + 'static,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
    {
        let point = |point| Operation::point::<F, A>(function, point);
        self.0
            .mock(scope, plugin, function, Box::new(answers), point)
    }

    fn mock_async_in<F, A>(
        &self,
        scope: Scope,
        plugin: &str,
        function: &str,
        answers: impl Answers<F::Params, Later<F::Result>> + 'static,
    ) -> Result<Mock, PatchError>
    where
        F: PatchSignature<A>,
    {
        let point = |point| Operation::async_point::<F, A>(function, point);
        self.0
            .mock(scope, plugin, function, Box::new(answers), point)
    }
}

/// Gives a future mocks of its own: a mock that it makes with [`Swapper::mock`] or [`Swapper::mock_async`] is for the calls
/// that it makes itself, on whichever thread it is polled, and not for other futures of that thread. Tasks that it spawns
/// do not belong to it.
///
/// ```no_run
/// # use hotswap_host::{mock_scope, prelude::*};
/// # async fn run(swapper: Swapper) -> Result<(), Box<dyn std::error::Error>> {
/// mock_scope(async {
///     let _clock = swapper.mock_async::<fn() -> u32, _, _>("clock", "hour", || async { 23 })?;
///     let hour: AsyncFunction<fn() -> u32> = swapper.async_function("clock", "hour")?;
///     assert_eq!(hour.call().await?, 23);
///     Ok(())
/// })
/// .await
/// # }
/// ```
pub async fn mock_scope<F: Future>(future: F) -> F::Output {
    let scope = FutureScope::new();
    let mut future = pin!(future);
    poll_fn(|cx| scope.within(|| future.as_mut().poll(cx))).await
}

/// A mock of a function, which ends when this is dropped. It stays on its thread.
#[must_use = "the mock ends when this is dropped"]
pub struct Mock {
    inner: Arc<Inner>,
    plugin: PluginName,
    function: String,
    point: Arc<dyn AnyPoint>,
    number: u64,
    recorded: Arc<Recorded>,
    expected: Option<u64>,
    stays: PhantomData<*const ()>,
}

impl Mock {
    /// The number of calls that it has answered.
    pub fn calls(&self) -> u64 {
        self.recorded.arguments().len() as u64
    }

    /// The arguments of the calls that it has answered, call by call.
    pub fn arguments(&self) -> Vec<Vec<Value>> {
        self.recorded.arguments().clone()
    }

    /// Expects this number of calls. When the mock is dropped after another number, it panics, unless the thread panics
    /// already.
    pub fn times(mut self, calls: u64) -> Self {
        self.expected = Some(calls);
        self
    }
}

impl Drop for Mock {
    /// # Panics
    /// Panics if another number of calls was [expected](Self::times).
    fn drop(&mut self) {
        self.point.remove(self.number);
        self.inner.mocks.fetch_sub(1, SeqCst);
        self.inner.leave_unused_points();
        let calls = self.calls();
        if let Some(expected) = self.expected.filter(|expected| *expected != calls)
            && !thread::panicking()
        {
            let Mock {
                plugin, function, ..
            } = self;
            panic!(
                "the mock of {plugin}.{function} has answered {calls} calls, and {expected} were expected"
            );
        }
    }
}

impl fmt::Debug for Mock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Mock({}.{}, {} calls)",
            self.plugin,
            self.function,
            self.calls()
        )
    }
}

impl Inner {
    /// Adds a mock. If the function has none, `point` makes the operation that puts a point in front of it.
    fn mock<P: Params, R: 'static>(
        self: &Arc<Self>,
        scope: Scope,
        plugin: &str,
        function: &str,
        answers: Box<dyn Answers<P, R>>,
        point: impl FnOnce(Arc<Point<P, R>>) -> Operation,
    ) -> Result<Mock, PatchError> {
        let name = PluginName::from(plugin);
        let _writer = self.mock_writer()?;
        let recorded = Arc::<Recorded>::default();
        let made = |point: Arc<Point<P, R>>, number| {
            self.mocks.fetch_add(1, SeqCst);
            Mock {
                inner: self.clone(),
                plugin: name.clone(),
                function: function.to_owned(),
                point,
                number,
                recorded: recorded.clone(),
                expected: None,
                stays: PhantomData,
            }
        };
        let known = {
            let live = self.live.pin_quietly();
            let stack = live.patched.stack(&name);
            let mocks = stack.into_iter().flat_map(|stack| &stack.mocks);
            let mut known = mocks
                .filter(|mock| mock.operation.function == function && !mock.point.is_unused())
                .filter_map(|mock| mock.point.clone().as_any().downcast::<Point<P, R>>().ok());
            known.next()
        };
        if let Some(known) = known {
            let number = known.add(scope, answers, recorded.clone());
            return Ok(made(known, number));
        }
        let new = Point::new();
        let number = new.add(scope, answers, recorded.clone());
        let entry = MockEntry {
            operation: point(new.clone()),
            point: new.clone(),
        };
        self.put_on_top(&name, entry)?;
        Ok(made(new, number))
    }

    /// Puts a mock or a trace in front of a function, and makes a generation with it live. The caller has the writer.
    ///
    /// # Errors
    /// No such plugin is loaded, or it has no such function, or that has another signature.
    pub(super) fn put_on_top(
        &self,
        plugin: &PluginName,
        entry: MockEntry,
    ) -> Result<(), PatchError> {
        let live = self.live.pin_quietly();
        let instance = live.plugin(plugin);
        let instance = instance.ok_or_else(|| no_plugin(&live, plugin))?;
        let mut stacks = without_unused(&live.patched.stacks);
        let stack = stacks.entry(instance.name().clone()).or_default();
        stack.mocks.push(Arc::new(entry));
        Layers::of(&live.plugins, instance, stack)?.mock(&stack.mocks)?;
        let patched = edges::link(&live.plugins, Arc::new(stacks))?;
        let next = live.patched_copy(Arc::new(patched));
        drop(live);
        self.replace_by_copy(next);
        Ok(())
    }

    /// Takes the right to make a generation. Unlike [`writer`](Self::writer), this is for a thread that may have a pin. If a
    /// reload waits for that pin, it gives up before this does.
    pub(super) fn mock_writer(&self) -> Result<WriterGuard<'_>, ReloadError> {
        if self.is_forked() {
            return Err(ReloadError::Forked);
        }
        if hook_thread::is_running_here() {
            return Err(ReloadError::Reentrant(
                "from inside a hook or a callback of a reload",
            ));
        }
        let limit = 2 * self.gate_limit + self.hook_limit;
        match self.writer.take(Some(after(Instant::now(), limit))) {
            Some(writer) if writer.shut_down => Err(ReloadError::ShutDown),
            Some(writer) => Ok(writer),
            None => Err(ReloadError::Reentrant(
                "while a reload waits for this thread",
            )),
        }
    }

    /// Takes points away that have no mock any more. If a reload is running, that or the next mock does so.
    pub(super) fn leave_unused_points(&self) {
        if self.is_forked() || hook_thread::is_running_here() {
            return;
        }
        let writer = self.writer.take(Some(Instant::now()));
        let Some(_writer) = writer.filter(|writer| !writer.shut_down) else {
            return;
        };
        let live = self.live.pin_quietly();
        let unused = |stacks: &Stacks| {
            let mut mocks = stacks.values().flat_map(|stack| &stack.mocks);
            mocks.any(|mock| mock.point.is_unused())
        };
        if !unused(&live.patched.stacks) {
            return;
        }
        let stacks = without_unused(&live.patched.stacks);
        // What is left was linked before.
        let Ok(patched) = edges::link(&live.plugins, Arc::new(stacks)) else {
            return;
        };
        let next = live.patched_copy(Arc::new(patched));
        drop(live);
        self.replace_by_copy(next);
    }
}
