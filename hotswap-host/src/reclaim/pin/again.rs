//! A pin of what the calling thread has pinned already, whatever is live by then.
//!
//! A thread that is inside a call asks for it where it knows nothing of that call: in a function that a plugin calls. The
//! outer pin keeps the value at that moment, and this one keeps it from then on, even if the outer pin ends first.
//!
//! A value in the slot is pinned once more by the count of those who share the slot, as a nested pin of the live value is
//! (see the header of [`pin`](super)): the slot keeps the value until the last of them has ended. It need not be live,
//! since the slot holds it already, so there is nothing to compare. A value that is held by count gets another count.
//!
//! The target that the thread has entered does not change: whoever is called under this pin is called by code that the
//! thread has entered, which a gate counts as inside.
//!
//! Unsafe code: the value is behind a pointer that the thread has pinned, whose type the caller knows.
#![allow(unsafe_code)]
use super::{Counted, Holding, Slot};
use crate::reclaim::record;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::Ordering::Relaxed;

/// A value that the calling thread has pinned once more.
pub(crate) struct Again<T>(Kept<T>);

enum Kept<T> {
    /// The slot keeps it. This stays on its thread.
    Slot(&'static Slot, *mut Counted<T>, PhantomData<*const ()>),
    /// It is held by count.
    Held(Holding<T>),
}

/// Pins a value once more that the calling thread has pinned, and of which `is_it` is true: that of the newest nested pin
/// that holds one by count, or else the one in the slot. `is_it` only looks at the value.
///
/// # Safety
/// Whatever the calling thread has pinned is a `T`.
#[inline]
pub(crate) unsafe fn pin_again<T>(is_it: impl Fn(&T) -> bool) -> Option<Again<T>> {
    let record = record::known()?;
    for held in record.held_values().into_iter().rev() {
        let at = held.cast::<Counted<T>>();
        // SAFETY: the caller guarantees the type. A pin of this thread holds the value by count, so it is alive.
        let counted = unsafe { &*at };
        if is_it(&counted.value) {
            counted.holds.fetch_add(1, Relaxed);
            return Some(Again(Kept::Held(Holding(at))));
        }
    }
    let slot = record.slot();
    let at = slot.at().load(Relaxed).cast::<Counted<T>>();
    // SAFETY: the caller guarantees the type. The slot of this thread has the address, so the value is alive.
    let counted = unsafe { at.as_ref() }?;
    if !is_it(&counted.value) {
        return None;
    }
    slot.set_sharing(slot.sharing() + 1);
    Some(Again(Kept::Slot(slot, at, PhantomData)))
}

impl<T> Deref for Again<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            // SAFETY: the slot keeps the value alive until the last pin that shares it has ended.
            Kept::Slot(_, at, _) => unsafe { &(**at).value },
            Kept::Held(held) => held,
        }
    }
}

impl<T> Drop for Again<T> {
    fn drop(&mut self) {
        if let Kept::Slot(slot, ..) = self.0 {
            slot.leave();
        }
    }
}
