//! A handle of the host: the pin of a call, and the look-up in the live generation's table.
mod missing;
mod spec;

use crate::error::{CallError, HandleError};
use crate::generation::Generation;
use crate::generation::bindings::{Entered, Place};
use crate::reclaim::pin::{Pinned, Slotted};
use crate::reclaim::slot::CallTarget;
use crate::swapper::{Inner, Pin};
pub(crate) use missing::Missing;
pub(crate) use spec::{HandleSpec, NewHandle, Wanted};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Instant;

/// A handle of the host, of the kind `K`.
pub(crate) struct Handle<K> {
    pub(crate) inner: Arc<Inner>,
    pub(crate) place: Place<K>,
    /// The target that a thread enters when it calls through the handle.
    pub(crate) call_target: CallTarget,
    pub(crate) spec: Arc<HandleSpec>,
}

impl<K> Clone for Handle<K> {
    fn clone(&self) -> Self {
        Handle {
            inner: self.inner.clone(),
            place: self.place,
            call_target: self.call_target,
            spec: self.spec.clone(),
        }
    }
}

impl<K> Handle<K> {
    /// Makes a handle that is bound under this number.
    pub(crate) fn new(
        inner: Arc<Inner>,
        index: usize,
        spec: Arc<HandleSpec>,
        _: PhantomData<K>,
    ) -> Self {
        Handle {
            call_target: spec.call_target(),
            inner,
            place: Place::bound(index),
            spec,
        }
    }

    /// Fast path: pins the live generation and returns the handle's target in it. Returns `None` if something stands in
    /// the way, and then the caller uses [`call_aside`](Self::call_aside), which has a copy of the calling code. That
    /// keeps the result of this function in registers. A result that may come from either of two places would be put
    /// together in memory, and reading it from there would take as long as the rest of a call.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<Entered<Slotted<'_, Generation>, K>> {
        let pinned = self.inner.live().try_enter(self.call_target)?;
        Entered::live(pinned, self.place, self.call_target)
    }

    /// Slow path: calls the handle's target in the live generation, which is pinned meanwhile. Waits while the target
    /// is behind a closed gate.
    #[cold]
    #[inline(never)]
    pub(crate) fn call_aside<R, E>(
        &self,
        call: impl FnOnce(&Entered<Pinned<'_, Generation>, K>) -> Result<R, CallError<E>>,
    ) -> Result<R, CallError<E>> {
        match self.enter_aside() {
            Ok(entered) => match entered.generation().times(self.call_target) {
                None => call(&entered),
                Some(watched) => {
                    let began = Instant::now();
                    let result = call(&entered);
                    watched.took(self.call_target, began.elapsed());
                    result
                }
            },
            Err(missing) => Err(self.spec.error_of(missing)),
        }
    }

    /// Pins the live generation and returns the handle's target.
    fn enter_aside(&self) -> Result<Entered<Pinned<'_, Generation>, K>, Missing> {
        let pinned = self.inner.live().enter(self.call_target);
        match Entered::live_aside(pinned, self.place, self.call_target) {
            Ok(entered) => Ok(entered),
            Err(pinned) => self.enter_by_gate(pinned),
        }
    }

    fn enter_by_gate<'h>(
        &'h self,
        mut pinned: Pinned<'h, Generation>,
    ) -> Result<Entered<Pinned<'h, Generation>, K>, Missing> {
        loop {
            let gate = match &pinned.gate {
                Some(gate) => gate.clone(),
                None => return Err(self.spec.missing(&pinned)),
            };
            if !gate.stops(self.call_target) {
                let target = self.spec.target(&pinned)?;
                pinned.count(self.call_target);
                return Ok(Entered::found(pinned, target, self.place));
            }
            drop(pinned);
            gate.wait();
            let again = self.inner.live().enter(self.call_target);
            pinned = match Entered::live_aside(again, self.place, self.call_target) {
                Ok(entered) => return Ok(entered),
                Err(pinned) => pinned,
            };
        }
    }

    /// Returns the handle's target in a generation that is or was live.
    ///
    /// # Errors
    /// The generation is older than the handle and has nothing that fits it.
    pub(crate) fn on<'p>(
        &self,
        pin: &'p Pin<'_>,
    ) -> Result<Entered<&'p Generation, K>, HandleError> {
        let generation: &'p Generation = pin;
        let in_table = pin.belongs_to(&self.inner) && pin.serial >= self.spec.since;
        let entered = match in_table.then(|| Entered::known(generation, self.place)) {
            Some(Some(entered)) => entered,
            _ => {
                let (target, _) = self.spec.resolve(pin)?;
                Entered::found(generation, target, self.place)
            }
        };
        match self.inner.mocks.load(Acquire) {
            0 => Ok(entered),
            _ => Ok(self.with_mocks(entered)),
        }
    }

    /// Puts mocks in front of the target that were made after its generation.
    #[cold]
    fn with_mocks<'p>(&self, entered: Entered<&'p Generation, K>) -> Entered<&'p Generation, K> {
        let generation: &'p Generation = entered.pin();
        let live = self.inner.live().pin_quietly();
        let mocks = self.spec.later_mocks(generation, &live);
        let target = mocks.fold(entered.target(), |target, mock| {
            generation.late.mock(target, mock)
        });
        Entered::found(generation, target, self.place)
    }
}

impl<K> fmt::Debug for Handle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}
