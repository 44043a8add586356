//! A handle of the host: the pin of a call, and the look-up in the live generation's table.
mod spec;

use crate::error::{CallError, HandleError};
use crate::generation::Generation;
use crate::generation::bindings::Target;
use crate::reclaim::pin::{Pinned, Slotted};
use crate::reclaim::record::CallTarget;
use crate::swapper::{Inner, Pin};
pub(crate) use spec::{HandleSpec, Wanted};
use std::fmt;
use std::sync::Arc;

/// A handle of the host of any kind.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) inner: Arc<Inner>,
    pub(crate) index: usize,
    /// The target that a thread enters when it calls through the handle.
    pub(crate) call_target: CallTarget,
    pub(crate) spec: Arc<HandleSpec>,
}

impl Handle {
    pub(crate) fn new(inner: Arc<Inner>, index: usize, spec: Arc<HandleSpec>) -> Self {
        Handle {
            call_target: spec.call_target(),
            inner,
            index,
            spec,
        }
    }

    /// Fast path: pins the live generation and returns the handle's target in it. Returns `None` if something stands in
    /// the way, and then the caller uses [`call_aside`](Self::call_aside), which has a copy of the calling code. That
    /// keeps the result of this function in registers. A result that may come from either of two places would be put
    /// together in memory, and reading it from there would take as long as the rest of a call.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<(Slotted<'_, Generation>, Target)> {
        let pinned = self.inner.live().try_enter(self.call_target)?;
        // SAFETY: the binding was set before this handle was made.
        let target = unsafe { pinned.bindings.get_published(self.index) };
        (!target.call.is_null()).then_some((pinned, target))
    }

    /// Slow path: calls the handle's target in the live generation, which is pinned meanwhile. Waits while the target
    /// is behind a closed gate.
    #[cold]
    #[inline(never)]
    pub(crate) fn call_aside<R, E>(
        &self,
        call: impl FnOnce(Target) -> Result<R, CallError<E>>,
    ) -> Result<R, CallError<E>> {
        match self.enter_aside() {
            Some((_pinned, target)) => call(target),
            None => Err(self.spec.not_loaded()),
        }
    }

    /// Pins the live generation and returns the handle's target, or `None` if it does not exist any more.
    fn enter_aside(&self) -> Option<(Pinned<'_, Generation>, Target)> {
        let pinned = self.inner.live().enter(self.call_target);
        // SAFETY: the binding was set before this handle was made.
        let target = unsafe { pinned.bindings.get_published(self.index) };
        if target.call.is_null() {
            return self.enter_by_gate(pinned);
        }
        Some((pinned, target))
    }

    fn enter_by_gate<'h>(
        &'h self,
        mut pinned: Pinned<'h, Generation>,
    ) -> Option<(Pinned<'h, Generation>, Target)> {
        loop {
            let gate = pinned.gate.clone()?;
            if !gate.stops(self.call_target) {
                let (target, _) = self.spec.resolve(&pinned).ok()?;
                return Some((pinned, target));
            }
            drop(pinned);
            gate.wait();
            pinned = self.inner.live().enter(self.call_target);
            // SAFETY: the binding was set before this handle was made.
            let target = unsafe { pinned.bindings.get_published(self.index) };
            if !target.call.is_null() {
                return Some((pinned, target));
            }
        }
    }

    /// Returns the handle's target in a generation that is or was live.
    ///
    /// # Errors
    /// The generation is older than the handle and has nothing that fits it.
    pub(crate) fn on(&self, pin: &Pin<'_>) -> Result<Target, HandleError> {
        let in_table = pin.belongs_to(&self.inner) && pin.serial >= self.spec.since;
        let known = in_table.then(|| pin.bindings.get(self.index)).flatten();
        match known {
            Some(target) if !target.call.is_null() => Ok(target),
            _ => Ok(self.spec.resolve(pin)?.0),
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}
