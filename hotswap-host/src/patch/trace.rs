//! Traces: the calls of a function, with their arguments, results, and durations.
//!
//! A traced function has a link on top of all others, which passes calls on and tells of some of them. It is taken away
//! when the trace ends.
//!
//! Unsafe code: the link passes on what the caller of the function has lent.
#![allow(unsafe_code)]
use super::link::{Below, Kind};
use super::mock::AnyPoint;
use super::params::Params;
use crate::telemetry::contain;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{Later, Out, Panicked, Shared, Status, answer, raise, try_receive};
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What a trace tells.
#[derive(Clone, Copy, Debug)]
pub struct TraceOptions {
    pub(crate) sample: u64,
    pub(crate) values: bool,
}

impl Default for TraceOptions {
    /// Tells of each call, with its arguments and its result.
    fn default() -> Self {
        TraceOptions {
            sample: 1,
            values: true,
        }
    }
}

impl TraceOptions {
    /// Tells of one call in so many. With 0, as with 1, it tells of each.
    #[must_use]
    pub fn sample(mut self, one_in: u64) -> Self {
        self.sample = one_in.max(1);
        self
    }

    /// Leaves out the arguments and the results.
    #[must_use]
    pub fn without_values(mut self) -> Self {
        self.values = false;
        self
    }
}

/// A call that was traced. It is displayed as one line: `world.hum(3) = hum hum hum in 1.2µs`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TracedCall {
    /// The plugin.
    pub plugin: String,
    /// The function.
    pub function: String,
    /// The arguments, as values, unless they are left out.
    pub arguments: Option<Vec<Value>>,
    /// The result, as a value, unless it is left out, or the message of a panic. An error that the function has returned is
    /// a result.
    pub result: Result<Option<Value>, String>,
    /// The duration of the call. That of an async call ends when its future is ready.
    pub took: Duration,
}

impl fmt::Display for TracedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}(", self.plugin, self.function)?;
        for (number, argument) in self.arguments.iter().flatten().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{argument}")?;
        }
        match &self.result {
            Ok(Some(result)) => write!(f, ") = {result}")?,
            Ok(None) => f.write_str(")")?,
            Err(message) => write!(f, ") panicked: {message}")?,
        }
        write!(f, " in {:.1?}", self.took)
    }
}

thread_local! {
    /// True while the thread tells of a call. Calls that it makes meanwhile are not told.
    static TELLS: Cell<bool> = const { Cell::new(false) };
}

/// A trace of a function.
pub struct Tracer {
    plugin: String,
    function: String,
    options: TraceOptions,
    tell: Box<dyn Fn(&TracedCall) + Send + Sync>,
    calls: AtomicU64,
    ended: AtomicBool,
}

impl Tracer {
    pub(crate) fn new(
        plugin: &str,
        function: &str,
        options: TraceOptions,
        tell: Box<dyn Fn(&TracedCall) + Send + Sync>,
    ) -> Arc<Self> {
        Arc::new(Tracer {
            plugin: plugin.to_owned(),
            function: function.to_owned(),
            options,
            tell,
            calls: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        })
    }

    /// Returns true if the call that begins is one to tell of.
    pub(super) fn begins(&self) -> bool {
        !self.ended.load(Relaxed)
            && !TELLS.try_with(Cell::get).unwrap_or(true)
            && self
                .calls
                .fetch_add(1, Relaxed)
                .is_multiple_of(self.options.sample)
    }

    /// Returns what `arguments` returns, if arguments are told. A panic meanwhile is discarded.
    pub(super) fn arguments(&self, arguments: impl FnOnce() -> Vec<Value>) -> Option<Vec<Value>> {
        let values = self.options.values;
        values.then(|| contain(Vec::new(), arguments))
    }

    /// Tells of a call. A panic meanwhile is discarded.
    pub(super) fn tell(
        &self,
        arguments: impl FnOnce() -> Option<Vec<Value>>,
        result: Result<&dyn Fn() -> Value, &Panicked>,
        took: Duration,
    ) {
        struct Told;
        impl Drop for Told {
            fn drop(&mut self) {
                let _ = TELLS.try_with(|tells| tells.set(false));
            }
        }
        let _ = TELLS.try_with(|tells| tells.set(true));
        let _told = Told;
        contain((), || {
            let values = self.options.values;
            (self.tell)(&TracedCall {
                plugin: self.plugin.clone(),
                function: self.function.clone(),
                arguments: arguments(),
                result: match result {
                    Ok(result) => Ok(values.then(result)),
                    Err(panicked) => Err(panicked.text.clone()),
                },
                took,
            });
        });
    }
}

impl AnyPoint for Tracer {
    /// Ends the trace.
    fn remove(&self, _: u64) {
        self.ended.store(true, Relaxed);
    }

    fn is_unused(&self) -> bool {
        self.ended.load(Relaxed)
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The link of a traced function.
pub(crate) struct Traced(pub(crate) Arc<Tracer>);

impl<P: Params, R: Shared> Kind<P, R> for Traced {
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, R>,
        cross: P::Cross,
        out: *mut Out<R::View>,
    ) -> Status {
        if !this.0.begins() {
            // SAFETY: the caller guarantees the parameters and `out`.
            return unsafe { below.forward(cross, out) };
        }
        let began = Instant::now();
        // SAFETY: the caller guarantees the parameters, and the memory for the result is that of `try_receive`.
        let result = unsafe { try_receive::<R>(|out| below.forward(cross, out)) };
        let took = began.elapsed();
        // SAFETY: the caller guarantees the parameters, which it lends until this returns.
        let values = || P::values(&unsafe { P::keep(cross) });
        let arguments = || this.0.arguments(values);
        match &result {
            Ok(result) => this.0.tell(arguments, Ok(&|| result.to_value()), took),
            Err(panicked) => this.0.tell(arguments, Err(panicked), took),
        }
        // SAFETY: the caller guarantees `out`.
        unsafe {
            answer(out, || {
                result.unwrap_or_else(|panicked| raise(panicked.text))
            })
        }
    }
}

/// The link of a traced `async fn`.
pub(crate) struct TracedAsync(pub(crate) Arc<Tracer>);

impl<P, T> Kind<P, Later<T>> for TracedAsync
where
    P: Params,
    T: Shared,
{
    unsafe fn answer(
        this: &Arc<Self>,
        below: Below<P, Later<T>>,
        cross: P::Cross,
        out: *mut Out<<Later<T> as Shared>::View>,
    ) -> Status {
        if !this.0.begins() {
            // SAFETY: the caller guarantees the parameters and `out`.
            return unsafe { below.forward(cross, out) };
        }
        let (tracer, began) = (this.0.clone(), Instant::now());
        let begin = || {
            // SAFETY: the caller guarantees the parameters, and waits.
            let values = || P::values(&unsafe { P::keep(cross) });
            let arguments = tracer.arguments(values);
            // SAFETY: the caller guarantees the parameters, and waits.
            let mut later = unsafe { below.call(cross) };
            Later::new(async move {
                let result = poll_fn(|cx| later.try_poll(cx)).await;
                let took = began.elapsed();
                match &result {
                    Ok(result) => tracer.tell(|| arguments, Ok(&|| result.to_value()), took),
                    Err(panicked) => tracer.tell(|| arguments, Err(panicked), took),
                }
                result.unwrap_or_else(|panicked| raise(panicked.text))
            })
        };
        // SAFETY: the caller guarantees `out`.
        unsafe { answer(out, begin) }
    }
}
