//! Pins and holds, which keep a generation for a while.
use super::inner::Inner;
use crate::generation::Generation;
use crate::reclaim::gate::Pass;
use crate::reclaim::pin::{Holding, Pinned};
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

/// A pinned [`Generation`], to which it derefs. It stays on its thread.
pub struct Pin<'s> {
    pinned: Pinned<'s, Generation>,
    /// The pass with which it was made, if that was behind a closed gate.
    pass: Option<Pass>,
    inner: &'s Arc<Inner>,
}

impl<'s> Pin<'s> {
    pub(super) fn new(inner: &'s Arc<Inner>, at: &'static Location<'static>) -> Self {
        let pinned = inner.enter_anything();
        let gate = pinned.gate.as_ref().filter(|gate| gate.is_closed());
        let pass = gate.map(|gate| gate.pass());
        // The outermost pin is named, because it holds the thread's slot.
        if let Some(slot) = pinned.slot().filter(|slot| slot.sharing() == 0) {
            slot.set_pinned_at(Some(at));
        }
        Pin {
            pinned,
            pass,
            inner,
        }
    }

    /// Makes a hold, which keeps the pinned generation in memory from any thread.
    pub fn hold(&self) -> Hold {
        Hold {
            held: self.pinned.hold(),
            _pass: self.pass.clone(),
            _inner: self.inner.clone(),
        }
    }

    pub(crate) fn belongs_to(&self, inner: &Arc<Inner>) -> bool {
        Arc::ptr_eq(self.inner, inner)
    }
}

impl Deref for Pin<'_> {
    type Target = Generation;

    fn deref(&self) -> &Generation {
        &self.pinned
    }
}

impl fmt::Debug for Pin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pin").field(&**self).finish()
    }
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        let slot = self.pinned.slot();
        if let Some(slot) = slot.filter(|slot| slot.sharing() == 0) {
            slot.set_pinned_at(None);
        }
    }
}

/// A pin that may move between threads. It keeps a [`Generation`] in memory, and derefs to it.
#[derive(Clone)]
pub struct Hold {
    held: Holding<Generation>,
    _pass: Option<Pass>,
    _inner: Arc<Inner>,
}

impl Deref for Hold {
    type Target = Generation;

    fn deref(&self) -> &Generation {
        &self.held
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hold").field(&**self).finish()
    }
}
