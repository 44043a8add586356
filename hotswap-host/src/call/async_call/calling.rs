//! The future of an async call.
use super::Entry;
use super::count::{LastPlace, Running};
use super::gate_opened::GateOpened;
use crate::error::CallError;
use crate::generation::Generation;
use crate::generation::bindings::{Entered, TypedAsync};
use crate::handle::{Handle, HandleSpec, Missing};
use crate::instance::begun::Begun;
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Pinned;
use crate::reclaim::record;
use hotswap_plugin::boundary::{Panicked, Return, Shared};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// An async call: a future of the function's result.
///
/// It is `Send` and `'static`. It keeps the build in which it runs until it is ready or dropped. Dropping it cancels
/// the call, and drops the plugin's future.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Calling<R>(CallState<R>);

enum CallState<R> {
    Begun(Begun<R, Running>),
    /// The call has not begun.
    AtGate(Box<AtGate<R>>),
    /// The panic, or the reason why there is nothing to call.
    Failed(Option<Result<Panicked, Missing>>, Arc<HandleSpec>),
    Ended,
}

/// A call that waits at a gate.
struct AtGate<R> {
    waiting: GateOpened,
    begin: Box<Begin<R>>,
}

/// Begins a call with copies of its parameters, unless there is a gate to wait at.
type Begin<R> = dyn FnMut() -> Result<Calling<R>, Arc<Gate>> + Send;

impl<R: Return> Calling<R> {
    /// Begins a call of the handle's target.
    #[inline]
    pub(super) fn begin<F>(
        handle: &Handle<TypedAsync<F>>,
        last: &LastPlace,
        entered: &Entered<Pinned<'_, Generation>, TypedAsync<F>>,
        begin: impl FnOnce(Running) -> Result<Begun<R, Running>, Panicked>,
    ) -> Self {
        let Some(place) = last.find(entered.generation(), entered.target()) else {
            return Calling::missing(Missing::Gone, handle.spec.clone());
        };
        Calling(match begin(Running::begin(entered.pin(), place)) {
            Ok(begun) => CallState::Begun(begun),
            Err(panicked) => CallState::Failed(Some(Ok(panicked)), handle.spec.clone()),
        })
    }

    /// Returns a call that begins when the gate is open.
    #[cold]
    pub(super) fn at_gate<F>(
        gate: Arc<Gate>,
        handle: Handle<TypedAsync<F>>,
        begin: impl Fn(
            &Entered<Pinned<'_, Generation>, TypedAsync<F>>,
            Running,
        ) -> Result<Begun<R, Running>, Panicked>
        + Send
        + 'static,
    ) -> Self
    where
        F: 'static,
    {
        let begin = move || match handle.enter_or_gate() {
            Entry::Open(entered) => {
                let last = LastPlace::default();
                let begun = |running| begin(&entered, running);
                Ok(Calling::begin(&handle, &last, &entered, begun))
            }
            Entry::Gate(gate) => Err(gate),
            Entry::Missing(missing) => Ok(Calling::missing(missing, handle.spec.clone())),
        };
        Calling(CallState::AtGate(Box::new(AtGate {
            waiting: GateOpened::at(gate),
            begin: Box::new(begin),
        })))
    }

    /// Returns a call that fails, because there is nothing to call.
    #[cold]
    pub(super) fn missing(missing: Missing, spec: Arc<HandleSpec>) -> Self {
        Calling(CallState::Failed(Some(Err(missing)), spec))
    }
}

impl<R: Return> AtGate<R> {
    /// Begins the call once no gate is closed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Calling<R>> {
        loop {
            if Pin::new(&mut self.waiting).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.waiting = match (self.begin)() {
                Ok(calling) => return Poll::Ready(calling),
                Err(gate) => GateOpened::at(gate),
            };
        }
    }
}

/// Polls a plugin's future. First runs the destructors that retired plugins have left on this thread.
#[inline]
pub(super) fn poll<R: Shared>(
    begun: &mut Begun<R, Running>,
    cx: &mut Context<'_>,
) -> Poll<Result<R, Panicked>> {
    record::mine().run_pending_destructors();
    begun.poll(cx)
}

// Nothing in it depends on its address.
impl<R> Unpin for Calling<R> {}

impl<R: Return> Future for Calling<R> {
    type Output = Result<R::Ok, CallError<R::Err>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let result = match &mut self.0 {
                CallState::Begun(begun) => match poll(begun, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(result)) => {
                        if result.is_error() {
                            begun.keeps().count_error();
                        }
                        result.split().map_err(CallError::Returned)
                    }
                    Poll::Ready(Err(panicked)) => Err(begun.keeps().panicked(panicked)),
                },
                CallState::AtGate(at_gate) => match at_gate.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(begun) => {
                        *self = begun;
                        continue;
                    }
                },
                CallState::Failed(reason, spec) => Err(match reason.take() {
                    Some(Ok(panicked)) => spec.panicked(panicked),
                    Some(Err(missing)) => spec.error_of(missing),
                    None => unreachable!("a call that failed has its reason until it is told"),
                }),
                CallState::Ended => panic!("an async call was polled after it had ended"),
            };
            self.0 = CallState::Ended;
            return Poll::Ready(result);
        }
    }
}

impl<R> fmt::Debug for Calling<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calling(")?;
        match &self.0 {
            CallState::Begun(begun) => begun.keeps().fmt(f)?,
            CallState::Failed(_, spec) => spec.fmt(f)?,
            CallState::AtGate(_) => f.write_str("at a gate")?,
            CallState::Ended => f.write_str("ended")?,
        }
        f.write_str(")")
    }
}
