//! The link of a function whose calls by name are traced. Its other calls go on as they are.
//!
//! The arguments and the result of such a call are values, so the link needs no type, and fits every function.
//!
//! Unsafe code: the link calls the function below it by its address, and passes on what the caller has lent.
#![allow(unsafe_code)]
use super::trace::Tracer;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::arg::Arg;
use hotswap_plugin::boundary::describe::{DynamicFn, DynamicLaterFn};
use hotswap_plugin::boundary::dynamic::answer_dynamic;
use hotswap_plugin::boundary::later::answer_later;
use hotswap_plugin::boundary::{
    Arena, DynamicOut, DynamicResult, FunctionDesc, InvokeError, Later, LaterView, Out, Panicked,
    ParamDesc, Shared, SliceView, Status, TypeDesc, ValueView, call_dynamic, raise, try_receive,
};
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A function that is called with values, and its first argument.
#[derive(Clone, Copy)]
pub(crate) struct ByName {
    call: DynamicFn,
    call_later: Option<DynamicLaterFn>,
    this: *const (),
}

impl ByName {
    /// Returns the functions of a description, which are called with `this`.
    pub(crate) fn of(desc: &FunctionDesc, this: *const ()) -> Self {
        ByName {
            call: desc.dynamic,
            call_later: desc.dynamic_later,
            this,
        }
    }

    /// Describes the function, with `typed` for calls with types.
    ///
    /// # Safety
    /// `typed` is the C function of this signature. Whoever calls a function of the result passes the first argument that
    /// belongs to it.
    pub(crate) unsafe fn describe(
        self,
        name: &'static str,
        params: &'static [ParamDesc],
        result: &'static TypeDesc,
        typed: *const (),
    ) -> FunctionDesc {
        // SAFETY: the caller guarantees `typed`. The functions are those of a description of the same function.
        unsafe {
            match self.call_later {
                Some(call) => FunctionDesc::new_async(name, params, result, typed, call),
                None => FunctionDesc::new(name, params, result, typed, self.call),
            }
        }
    }
}

/// The link: see the module.
pub(crate) struct TracedByName {
    below: ByName,
    tracer: Arc<Tracer>,
}

// SAFETY: `below` has addresses of functions that may be called from any thread with their first argument.
unsafe impl Send for TracedByName {}
// SAFETY: `below` has addresses of functions that may be called from any thread with their first argument.
unsafe impl Sync for TracedByName {}

impl TracedByName {
    /// Makes a link in front of a function. The generation that the link belongs to keeps what `below` leads to.
    pub(crate) fn of(below: ByName, tracer: Arc<Tracer>) -> Box<Self> {
        Box::new(TracedByName { below, tracer })
    }

    /// The address by which it is called.
    pub(crate) fn this(&self) -> *const () {
        (&raw const *self).cast()
    }

    /// Returns the link as a function that is called with values.
    pub(crate) fn function(&self) -> ByName {
        ByName {
            call: traced,
            call_later: self
                .below
                .call_later
                .map(|_| traced_later as DynamicLaterFn),
            this: self.this(),
        }
    }

    /// Puts the link into a description of the function, whose other calls stay.
    pub(crate) fn put_into(&self, desc: &mut FunctionDesc) {
        let function = self.function();
        if function.call_later.is_none() {
            desc.dynamic = function.call;
        }
        desc.dynamic_later = function.call_later;
    }
}

/// The end of a call: its result, or a panic.
type Ended = Result<DynamicResult, Panicked>;

/// Tells of a call that has ended.
fn tell(tracer: &Tracer, arguments: Option<Vec<Value>>, ended: &Ended, took: Duration) {
    match ended {
        Ok(Ok(value)) => tracer.tell(|| arguments, Ok(&|| value.clone()), took),
        Ok(Err(InvokeError::Returned(error))) => {
            let text = || Value::Str(format!("{error:#}"));
            tracer.tell(|| arguments, Ok(&text), took);
        }
        // The function was not called, since the arguments do not fit.
        Ok(Err(_)) => {}
        Err(panicked) => tracer.tell(|| arguments, Err(panicked), took),
    }
}

/// Returns the result of the call, or raises its panic again.
fn passed_on(ended: Ended) -> DynamicResult {
    ended.unwrap_or_else(|panicked| raise(panicked.text))
}

/// Answers a call.
///
/// # Safety
/// `this` is the address of a [`TracedByName`] that is alive. The arguments and `out` come from a caller that waits.
unsafe extern "C" fn traced(
    this: *const (),
    args: SliceView<ValueView>,
    out: *mut DynamicOut,
) -> Status {
    // SAFETY: the caller guarantees that this is the address of a link, and keeps the generation that owns it.
    let link = unsafe { &*this.cast::<TracedByName>() };
    let below = link.below;
    if !link.tracer.begins() {
        // SAFETY: the generation keeps what `below` leads to. The caller guarantees the arguments and `out`.
        return unsafe { (below.call)(below.this, args, out) };
    }
    let call = || {
        // SAFETY: the caller guarantees that the arguments are alive until this returns.
        let args: Vec<Value> = unsafe { Shared::from_view(args) };
        let began = Instant::now();
        // SAFETY: the generation keeps what `below` leads to, and `call_dynamic` lends the arguments and `out`.
        let ended = unsafe {
            let call = |args, out| (below.call)(below.this, args, out);
            call_dynamic(&args, call, |refused| refused)
        };
        let took = began.elapsed();
        let ended: Ended = match ended {
            Ok(value) => Ok(Ok(value)),
            Err(Ok(refused)) => Ok(Err(refused)),
            Err(Err(panicked)) => Err(panicked),
        };
        tell(&link.tracer, link.tracer.arguments(|| args), &ended, took);
        passed_on(ended)
    };
    // SAFETY: the caller guarantees `out`.
    unsafe { answer_dynamic(out, call) }
}

/// Answers a call of an `async fn`.
///
/// # Safety
/// The contract of [`traced`] holds. The owner of the result keeps the generation.
unsafe extern "C" fn traced_later(
    this: *const (),
    args: SliceView<ValueView>,
    out: *mut Out<LaterView>,
) -> Status {
    // SAFETY: the caller guarantees that this is the address of a link, and keeps the generation that owns it.
    let link = unsafe { &*this.cast::<TracedByName>() };
    let below = link.below;
    let begin = || {
        let Some(call) = below.call_later else {
            return Err(InvokeError::Unknown);
        };
        // SAFETY: the caller guarantees that the arguments are alive until this returns.
        let args: Vec<Value> = unsafe { Shared::from_view(args) };
        let tells = link.tracer.begins();
        let began = Instant::now();
        let mut later = {
            let arena = Arena::new();
            let lent = args.as_slice().lend(&arena);
            // SAFETY: the generation keeps what `below` leads to. The arguments live until the function has begun.
            let begun = unsafe {
                try_receive::<Later<DynamicResult>>(|out| {
                    call(below.this, <&[Value]>::cross(&lent), out)
                })
            };
            begun.unwrap_or_else(|panicked| raise(panicked.text))
        };
        let arguments = tells.then(|| link.tracer.arguments(|| args)).flatten();
        let tracer = link.tracer.clone();
        Ok(Later::new(async move {
            let ended = poll_fn(|cx| later.try_poll(cx)).await;
            if tells {
                tell(&tracer, arguments, &ended, began.elapsed());
            }
            passed_on(ended)
        }))
    };
    // SAFETY: the caller guarantees `out`.
    unsafe { answer_later(out, begin) }
}
