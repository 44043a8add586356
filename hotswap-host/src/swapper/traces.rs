//! [`Trace`], which tells of the calls of a function for a while.
use super::Swapper;
use super::inner::Inner;
use crate::base::name::PluginName;
use crate::error::PatchError;
use crate::patch::mock::AnyPoint;
use crate::patch::stack::MockEntry;
use crate::patch::trace::{TraceOptions, TracedCall, Tracer};
use crate::patch::{Operation, PatchSignature};
use crate::telemetry::guarded;
use std::fmt;
use std::io;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

impl Swapper {
    /// Calls `tell` for each call of a function, by the host or by a plugin through an import, with the arguments, the result, and the duration,
    /// until the result of this is dropped. Nothing of the trace is left afterwards.
    ///
    /// The function and its `fn` type are those of a [patch](Self::patch). A trace is above all patches and mocks, so it
    /// tells what callers get. `tell` runs on the thread of the call, before the caller has the result. Calls that it
    /// makes itself are not traced, and a panic in it is discarded.
    ///
    /// ```no_run
    /// # use hotswap_host::{TraceOptions, prelude::*};
    /// # use std::time::Duration;
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// let one_in_100 = TraceOptions::default().sample(100);
    /// let tell = |call: &_| println!("{call}");
    /// let trace = swapper.trace::<fn(u32) -> String, _>("world", "hum", one_in_100, tell)?;
    /// trace.end_in(Duration::from_secs(30))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn trace<F, A>(
        &self,
        plugin: &str,
        function: &str,
        options: TraceOptions,
        tell: impl Fn(&TracedCall) + Send + Sync + 'static,
    ) -> Result<Trace, PatchError>
    where
        F: PatchSignature<A>,
    {
        let tracer = Tracer::new(plugin, function, options, Box::new(tell));
        let operation = Operation::traced::<F, A>(function, tracer.clone());
        self.0.trace(plugin, operation, tracer)
    }

    /// Does the same as [`trace`](Self::trace) with an `async fn`. A call is told when its future is ready.
    ///
    /// # Errors
    /// The errors of [`mock`](Self::mock).
    pub fn trace_async<F, A>(
        &self,
        plugin: &str,
        function: &str,
        options: TraceOptions,
        tell: impl Fn(&TracedCall) + Send + Sync + 'static,
    ) -> Result<Trace, PatchError>
    where
        F: PatchSignature<A>,
    {
        let tracer = Tracer::new(plugin, function, options, Box::new(tell));
        let operation = Operation::traced_async::<F, A>(function, tracer.clone());
        self.0.trace(plugin, operation, tracer)
    }
}

impl Swapper {
    /// Does the same as [`trace`](Self::trace) without a type, for a tool that knows names only.
    ///
    /// If the host has a handle of the function, calls are traced as `trace` does, since the handle has the type.
    /// Otherwise, the calls by name are: [`invoke`](Self::invoke), [`Dynamic`](crate::Dynamic), and the like. Handles with
    /// types that are made while such a trace lasts are not traced.
    ///
    /// ```no_run
    /// # use hotswap_host::{TraceOptions, prelude::*};
    /// # fn run(swapper: &Swapper) -> Result<(), Box<dyn std::error::Error>> {
    /// let tell = |call: &_| println!("{call}");
    /// let trace = swapper.trace_by_name("world", "hum", TraceOptions::default(), tell)?;
    /// # drop(trace);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// No such plugin is loaded, it has no such function, or the function is a method of an interface
    /// ([`PatchError::Untyped`]).
    pub fn trace_by_name(
        &self,
        plugin: &str,
        function: &str,
        options: TraceOptions,
        tell: impl Fn(&TracedCall) + Send + Sync + 'static,
    ) -> Result<Trace, PatchError> {
        let tracer = Tracer::new(plugin, function, options, Box::new(tell));
        let name = PluginName::from(plugin);
        let typed = {
            let handles = self.0.handles();
            let mut handles = handles.iter().filter_map(Weak::upgrade);
            handles.find_map(|spec| spec.traced(&name, function))
        };
        let operation = match typed {
            Some(traced) => traced(function, tracer.clone()),
            None => Operation::traced_by_name(function, tracer.clone()),
        };
        self.0.trace(plugin, operation, tracer)
    }

    /// The number of traces that functions of the live generation have. One that has ended counts until its link is gone.
    pub fn traces(&self) -> usize {
        let live = self.0.live().pin_quietly();
        let mocks = live.patched.stacks.values().flat_map(|stack| &stack.mocks);
        mocks.filter(|mock| mock.is_trace()).count()
    }
}

/// A trace of a function, which ends when this is dropped.
#[must_use = "the trace ends when this is dropped"]
pub struct Trace {
    inner: Arc<Inner>,
    tracer: Arc<Tracer>,
}

impl Trace {
    /// Ends the trace when this time is over.
    ///
    /// # Errors
    /// The thread that waits for that cannot be started, and the trace ends now.
    pub fn end_in(self, time: Duration) -> Result<(), io::Error> {
        let wait = move || {
            thread::sleep(time);
            drop(self);
        };
        let thread = thread::Builder::new().name("hotswap-trace".into());
        thread
            .spawn(move || guarded("hotswap-trace", wait))
            .map(drop)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.tracer.remove(0);
        self.inner.mocks.fetch_sub(1, SeqCst);
        self.inner.leave_unused_points();
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").finish_non_exhaustive()
    }
}

impl Inner {
    fn trace(
        self: &Arc<Self>,
        plugin: &str,
        operation: Operation,
        tracer: Arc<Tracer>,
    ) -> Result<Trace, PatchError> {
        let point = tracer.clone();
        let _writer = self.mock_writer()?;
        self.put_on_top(&PluginName::from(plugin), MockEntry { operation, point })?;
        self.mocks.fetch_add(1, SeqCst);
        Ok(Trace {
            inner: self.clone(),
            tracer,
        })
    }
}
