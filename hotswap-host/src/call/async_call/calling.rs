//! The future of an async call.
use super::Entry;
use super::count::{LastPlace, Place, Running};
use super::gate_opened::GateOpened;
use crate::error::CallError;
use crate::generation::Generation;
use crate::generation::bindings::Target;
use crate::handle::{Handle, HandleSpec};
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::Pinned;
use crate::reclaim::record;
use hotswap_plugin::boundary::{Later, Panicked, Return, Shared};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A plugin's future, and the count that keeps its build.
pub(super) struct Begun<R> {
    /// The future, or `None` once it was dropped.
    later: Option<Later<R>>,
    running: Running,
}

impl<R: Shared> Begun<R> {
    /// Begins a call of the function or export at this place.
    ///
    /// # Errors
    /// A parameter panicked while it was copied.
    #[inline]
    pub(super) fn begin(
        pinned: &Pinned<'_, Generation>,
        place: Place,
        start: impl FnOnce() -> Result<Later<R>, Panicked>,
    ) -> Result<Self, Panicked> {
        let running = Running::begin(pinned, place);
        Ok(Begun {
            later: Some(start()?),
            running,
        })
    }

    /// Polls the future. First runs the destructors that retired plugins have left on this thread.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, Panicked>> {
        record::mine().run_pending_destructors();
        let later = self
            .later
            .as_mut()
            .expect("the future is there until this is dropped");
        self.running.within(|| later.try_poll(cx))
    }
}

impl<R> Drop for Begun<R> {
    fn drop(&mut self) {
        let later = self.later.take();
        self.running.within(|| drop(later));
    }
}

/// An async call: a future of the function's result.
///
/// It is `Send` and `'static`. It keeps the build in which it runs until it is ready or dropped. Dropping it cancels
/// the call, and drops the plugin's future.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Calling<R>(CallState<R>);

enum CallState<R> {
    Begun(Begun<R>, Arc<HandleSpec>),
    /// The call has not begun.
    AtGate(Box<AtGate<R>>),
    /// The error, or `None` if there is nothing to call.
    Failed(Option<Panicked>, Arc<HandleSpec>),
    Ended,
}

/// A call that waits at a gate.
struct AtGate<R> {
    waiting: GateOpened,
    handle: Handle,
    start: Box<Start<R>>,
}

/// Begins a call with copies of its parameters.
type Start<R> = dyn FnMut(Target) -> Result<Later<R>, Panicked> + Send;

impl<R: Return> Calling<R> {
    /// Begins a call of the handle's target.
    #[inline]
    pub(super) fn begin(
        handle: &Handle,
        last: &LastPlace,
        (pinned, target): (Pinned<'_, Generation>, Target),
        start: impl FnOnce(Target) -> Result<Later<R>, Panicked>,
    ) -> Self {
        let spec = handle.spec.clone();
        let Some(place) = last.find(&pinned, target) else {
            return Calling::gone(spec);
        };
        Calling(match Begun::begin(&pinned, place, || start(target)) {
            Ok(begun) => CallState::Begun(begun, spec),
            Err(panicked) => CallState::Failed(Some(panicked), spec),
        })
    }

    /// Returns a call that begins when the gate is open.
    #[cold]
    pub(super) fn at_gate(gate: Arc<Gate>, handle: Handle, start: Box<Start<R>>) -> Self {
        Calling(CallState::AtGate(Box::new(AtGate {
            waiting: GateOpened::at(gate),
            handle,
            start,
        })))
    }

    /// Returns a call that fails, because there is nothing to call.
    #[cold]
    pub(super) fn gone(spec: Arc<HandleSpec>) -> Self {
        Calling(CallState::Failed(None, spec))
    }
}

impl<R: Return> AtGate<R> {
    /// Begins the call once no gate is closed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Calling<R>> {
        loop {
            if Pin::new(&mut self.waiting).poll(cx).is_pending() {
                return Poll::Pending;
            }
            let (handle, start) = (&self.handle, &mut self.start);
            self.waiting = match handle.enter_or_gate() {
                Entry::Open(pinned, target) => {
                    let last = LastPlace::default();
                    return Poll::Ready(Calling::begin(handle, &last, (pinned, target), start));
                }
                Entry::Gate(gate) => GateOpened::at(gate),
                Entry::Gone => return Poll::Ready(Calling::gone(handle.spec.clone())),
            };
        }
    }
}

// Nothing in it depends on its address.
impl<R> Unpin for Calling<R> {}

impl<R: Return> Future for Calling<R> {
    type Output = Result<R::Ok, CallError<R::Err>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let result = match &mut self.0 {
                CallState::Begun(begun, _) => match begun.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(result) => result.map_err(Some),
                },
                CallState::AtGate(at_gate) => match at_gate.poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(begun) => {
                        *self = begun;
                        continue;
                    }
                },
                CallState::Failed(panicked, _) => Err(panicked.take()),
                CallState::Ended => panic!("an async call was polled after it had ended"),
            };
            let (CallState::Begun(_, spec) | CallState::Failed(_, spec)) =
                std::mem::replace(&mut self.0, CallState::Ended)
            else {
                unreachable!("only these states have a result");
            };
            return Poll::Ready(match result {
                Ok(result) => result.split().map_err(CallError::Returned),
                Err(Some(panicked)) => Err(spec.panicked(panicked)),
                Err(None) => Err(spec.not_loaded()),
            });
        }
    }
}

impl<R> fmt::Debug for Calling<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calling(")?;
        match &self.0 {
            CallState::Begun(_, spec) | CallState::Failed(_, spec) => spec.fmt(f)?,
            CallState::AtGate(_) => f.write_str("at a gate")?,
            CallState::Ended => f.write_str("ended")?,
        }
        f.write_str(")")
    }
}
