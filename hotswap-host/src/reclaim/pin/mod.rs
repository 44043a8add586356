//! The live value, pinning it, and switching it for another.
//!
//! A pin writes the address of what it uses into its thread's *hazard slot*. Whoever replaces the live value frees the
//! old one only after it has seen every slot without that address.
//!
//! # Why a pinned value cannot be freed
//! ```text
//! pin                                   switch, then retire
//! P1  a = live                          S1  old = live.swap(new)
//! P2  slot = a                          S2  heavy barrier
//! P3  light barrier                     S3  scan all slots for old
//! P4  if live != a: slot = null, go to P1
//! ```
//! The two barriers are ordered for each thread that pins: see `barrier`. If P3 comes first, P2 is visible to the scan
//! S3, which waits for the slot. If S2 comes first, P4 sees the swap, `live` is not `old`, and the pin tries again. So
//! a pin that returns `old` has been seen. The freedom of compiler and processor to move P2 behind P4 is just what
//! the barriers take away; without them a store may still sit in the store buffer while the scan reads the slot.
//!
//! **Unpinning** is a `Release` store of null; the scan reads with `Acquire`, so all that was done under the pin
//! happens before the freeing. P2 is `Release` for the same reason: the scan may read the store of the thread's next pin
//! instead of the null before it, and has to learn from that, too, what was done under the pin.
//!
//! **No ABA**: P4 compares addresses. The address that is compared stands in the slot, so what lived there when P2 was
//! seen cannot have been freed and its address cannot have been given to another value since; if it was freed between
//! P1 and P2 and the address came back as a newer live value, the slot holds just that newer value.
//!
//! **New slots**: a thread's record is pushed under the lock that the scan takes. A record that the scan did not find
//! was pushed after it, by a thread that locked after S2, and so P4 sees the swap.
//!
//! **Nested pins** of the same value only count up. A nested pin that finds a newer live value takes a *counted hold* of
//! it, under the lock that S1 also takes: at that moment the value is live, so it cannot be on its way out.
//!
//! **A call** whose pin is the outermost one ([`Slotted`]) does not look for others when it ends: what shares its slot are
//! nested calls, which have returned, and looks within a function of the host's. Pins that people keep are counted.
//!
//! # What is called under a pin
//! Whoever closes a gate (see `gate`) has to know who has got behind it before. So a pin says what it is for:
//! ```text
//! pin                    nested pin that shares the slot     switch, then look who is inside
//! P0  entered = plugin   N1  entered = outer, and more       S1, S2
//! P1 to P4               N2  light barrier                   G1  for each slot that holds old:
//!                        N3  if live != slot: undo, hold     G2      is entered one of those?
//! ```
//! P0 stands before P3 as P2 does, and N1 before N2: what was said of P2 holds for them. So a pin, or a nested pin, that
//! got `old` after the switch is none, and one that got it before is seen by G1 and G2, or has ended. `entered` is
//! written before the slot, so that G2 finds what belongs to the slot of G1 or to a later pin; and with `Release`, so that
//! who finds that of a later pin sees all that was done under the one before. What is called under a nested pin that
//! holds by count is seen by that count.
//!
//! **Holds** are counted as references are: one more needs no order, since there is a pin, a hold or the lock already;
//! one less is `Release`, and whoever finds none reads with `Acquire`.
//!
//! **Order of the two checks**: a slot can become a hold, never the other way round, and the hold is counted before the
//! slot is cleared. The retiring side looks at the slots first and at the holds afterwards, so it misses neither.
//!
//! **How this is checked**: `tests/model` runs this file under a model checker and in a race on the machine, and expects
//! them to fail when any ordering or barrier here is taken away. What is `Relaxed` needs no order: P1 is only a guess;
//! a nested pin compares with what its thread has pinned and looks again at N3, or reads under the lock.
//!
//! A pin must not be taken in a signal handler: it could interrupt P1 to P4 of its own thread.
#[cfg(all(test, not(hotswap_model)))]
mod tests;

use super::barrier::Barriers;
use super::record::{self, CallTarget, Record};
use super::sync::{AtomicPtr, AtomicUsize, Mutex, MutexGuard};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::null_mut;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::*;

/// A value with its count of holds.
pub(crate) struct Counted<T> {
    holds: AtomicUsize,
    value: T,
}

/// The live value. It is never empty.
pub(crate) struct Live<T> {
    now: AtomicPtr<Counted<T>>,
    barriers: Barriers,
    /// Taken for S1 and for counting a hold of the live value: for nothing else, and never while plugin code runs.
    switching: Mutex<()>,
}

impl<T> Live<T> {
    pub(crate) fn new(value: T) -> Self {
        Live {
            now: AtomicPtr::new(into_raw(value)),
            barriers: Barriers::of_this_process(),
            switching: Mutex::new(()),
        }
    }

    /// Pins the live value on this thread, to look at it. Destructors that retired plugins have left on it run first.
    pub(crate) fn pin(&self) -> Pinned<'_, T> {
        self.enter(CallTarget::NOTHING)
    }

    /// The same, to call what `entering` says.
    pub(crate) fn enter(&self, entering: CallTarget) -> Pinned<'_, T> {
        let record = record::mine();
        record.run_pending_destructors();
        self.pin_on(record, entering)
    }

    /// As [`pin`](Self::pin) without the destructors, for who holds a lock: they may call anything.
    pub(crate) fn pin_quietly(&self) -> Pinned<'_, T> {
        self.pin_on(record::mine(), CallTarget::NOTHING)
    }

    /// Pins the live value for a call, if that takes no more than the slot: the thread has nothing else to do, has nothing
    /// pinned, and nobody switches meanwhile. Else [`enter`](Self::enter) does it.
    #[inline(always)]
    pub(crate) fn try_enter(&self, entering: CallTarget) -> Option<Slotted<'_, T>> {
        let record = record::mine();
        if record.has_pending_destructors() || record.has_pin() {
            return None;
        }
        self.pin_in_slot(record, entering)
    }

    fn pin_on(&self, record: &'static Record, entering: CallTarget) -> Pinned<'_, T> {
        if record.has_pin() {
            return self.pin_nested(record, entering);
        }
        loop {
            if let Some(slotted) = self.pin_in_slot(record, entering) {
                return slotted.into_pinned();
            }
        }
    }

    /// The outermost pin. None if there was a switch meanwhile.
    #[inline(always)]
    fn pin_in_slot(&self, record: &'static Record, entering: CallTarget) -> Option<Slotted<'_, T>> {
        let slot = record.slot();
        record.set_entered(entering); // P0
        let at = self.now.load(Relaxed); // P1
        slot.store(at.cast(), Release); // P2
        self.barriers.light(); // P3
        if self.now.load(Acquire) != at {
            unpin(record); // P4
            return None;
        }
        Some(Slotted {
            record,
            at,
            _live: PhantomData,
        })
    }

    #[cold]
    #[inline(never)]
    fn pin_nested(&self, record: &'static Record, entering: CallTarget) -> Pinned<'_, T> {
        if self.shares_slot(record, entering) {
            record.set_sharing(record.sharing() + 1);
            return Pinned {
                record: Some(record),
                at: record.slot().load(Relaxed).cast(),
                _live: PhantomData,
            };
        }
        let _switching = self.switching();
        let at = self.now.load(Relaxed);
        // SAFETY: live, and cannot be switched while the lock is held.
        unsafe { (*at).holds.fetch_add(1, Relaxed) };
        record.add_held(at.cast(), entering);
        Pinned {
            record: None,
            at,
            _live: PhantomData,
        }
    }

    /// Whether a nested pin counts up. One that may outlive the outer one does not, whatever is live.
    fn shares_slot(&self, record: &Record, entering: CallTarget) -> bool {
        let pinned = record.slot().load(Relaxed).cast();
        if entering == CallTarget::ANYTHING || self.now.load(Relaxed) != pinned {
            return false;
        }
        let outer = record.entered();
        if outer.includes(entering) {
            return true;
        }
        record.set_entered(outer.with_nested()); // N1
        self.barriers.light(); // N2
        if self.now.load(Acquire) == pinned {
            return true; // N3
        }
        record.set_entered(outer);
        false
    }

    /// Makes `next` live and returns what was live before. Cannot fail.
    pub(crate) fn switch(&self, next: T) -> Retired<T> {
        let next = into_raw(next);
        let old = {
            let _switching = self.switching();
            self.now.swap(next, Release) // S1
        };
        let ordered = self.barriers.heavy(); // S2
        Retired { at: old, ordered }
    }

    fn switching(&self) -> MutexGuard<'_, ()> {
        self.switching
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Live<T> {
    fn drop(&mut self) {
        // SAFETY: made by `into_raw`. Pins and holds borrow or count what owns `self`: there are none left. Who
        // forgot a pin has to switch to another value before dropping.
        drop(unsafe { Box::from_raw(self.now.load(Relaxed)) });
    }
}

fn into_raw<T>(value: T) -> *mut Counted<T> {
    Box::into_raw(Box::new(Counted {
        holds: AtomicUsize::new(0),
        value,
    }))
}

/// A pinned value. Stays on its thread.
pub(crate) struct Pinned<'a, T> {
    /// The record whose slot holds the address; none for a counted hold.
    record: Option<&'static Record>,
    at: *mut Counted<T>,
    _live: PhantomData<&'a Live<T>>,
}

impl<T> Pinned<'_, T> {
    /// The record whose slot pins the value; `None` when it is held by count.
    pub(crate) fn record(&self) -> Option<&'static Record> {
        self.record
    }

    /// Says what is called under this pin, where it was made to call anything.
    pub(crate) fn narrow(&self, entered: CallTarget) {
        if let Some(record) = self.record.filter(|record| record.sharing() == 0) {
            record.set_entered(entered);
        }
    }

    /// What the slots of those who have pinned it hold.
    pub(crate) fn address(&self) -> *const () {
        self.at.cast_const().cast()
    }

    /// A hold of the same value, which may move to other threads.
    pub(crate) fn hold(&self) -> Holding<T> {
        // SAFETY: pinned, so alive. The hold is counted before the slot is cleared.
        unsafe { (*self.at).holds.fetch_add(1, Relaxed) };
        Holding(self.at)
    }
}

impl<T> Deref for Pinned<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: pinned, see the module's documentation.
        unsafe { &(*self.at).value }
    }
}

impl<T> Drop for Pinned<'_, T> {
    fn drop(&mut self) {
        let Some(record) = self.record else {
            record::mine().remove_held(self.address());
            // SAFETY: this hold was counted when it was made.
            unsafe { (*self.at).holds.fetch_sub(1, Release) };
            return;
        };
        let sharing = record.sharing();
        if sharing == 0 {
            return unpin(record);
        }
        record.set_sharing(sharing - 1);
        if sharing == 1 {
            record.leave_nested();
        }
    }
}

/// The end of the last pin of the slot.
#[inline(always)]
fn unpin(record: &Record) {
    record.slot().store(null_mut(), Release);
}

/// A value that the slot pins: what most calls need, without what a [`Pinned`] has to find out when it ends.
pub(crate) struct Slotted<'a, T> {
    record: &'static Record,
    at: *mut Counted<T>,
    _live: PhantomData<&'a Live<T>>,
}

impl<'a, T> Slotted<'a, T> {
    fn into_pinned(self) -> Pinned<'a, T> {
        let slotted = ManuallyDrop::new(self);
        Pinned {
            record: Some(slotted.record),
            at: slotted.at,
            _live: PhantomData,
        }
    }
}

impl<T> Deref for Slotted<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: pinned, see the module's documentation.
        unsafe { &(*self.at).value }
    }
}

impl<T> Drop for Slotted<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        debug_assert_eq!(self.record.sharing(), 0, "nested calls return first");
        unpin(self.record);
    }
}

/// A counted hold.
pub(crate) struct Holding<T>(*mut Counted<T>);

impl<T> Holding<T> {
    /// As [`Pinned::address`].
    pub(crate) fn address(&self) -> *const () {
        self.0.cast_const().cast()
    }

    /// How many counted holds there are, this one included: for people, since it changes all the time.
    pub(crate) fn holds(&self) -> usize {
        // SAFETY: held, so alive.
        unsafe { (*self.0).holds.load(Relaxed) }
    }
}

// SAFETY: a counted reference, as `Arc<T>` is.
unsafe impl<T: Send + Sync> Send for Holding<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Holding<T> {}

impl<T> Clone for Holding<T> {
    fn clone(&self) -> Self {
        // SAFETY: held, so alive.
        unsafe { (*self.0).holds.fetch_add(1, Relaxed) };
        Holding(self.0)
    }
}

impl<T> Deref for Holding<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: counted, so the retiring side waits.
        unsafe { &(*self.0).value }
    }
}

impl<T> Drop for Holding<T> {
    fn drop(&mut self) {
        // SAFETY: counted when it was made.
        unsafe { (*self.0).holds.fetch_sub(1, Release) };
    }
}

/// A value that was live, and may still be pinned or held.
pub(crate) struct Retired<T> {
    at: *mut Counted<T>,
    /// S2 took place.
    ordered: bool,
}

// SAFETY: the only owner of the value; pins and holds of it share it.
unsafe impl<T: Send + Sync> Send for Retired<T> {}
// SAFETY: what can be done with a reference is to share the value, and to look at the count.
unsafe impl<T: Send + Sync> Sync for Retired<T> {}

impl<T> Retired<T> {
    /// Whether anything can be said of who uses it: see [`Barriers::heavy`]. If not, it has to be leaked.
    pub(crate) fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// What the slots of those who still pin it hold.
    pub(crate) fn address(&self) -> *const () {
        self.at.cast()
    }

    /// The value.
    pub(crate) fn get(&self) -> &T {
        // SAFETY: owned by `self`; pins and holds share it.
        unsafe { &(*self.at).value }
    }

    /// How many counted holds there are. Means nothing before no slot holds the value any more.
    pub(crate) fn holds(&self) -> usize {
        // SAFETY: owned by `self`.
        unsafe { (*self.at).holds.load(Acquire) }
    }

    /// The value itself, where nobody uses it any more.
    ///
    /// # Errors
    /// Gives itself back while it is pinned or held, and when nothing can be said of that.
    pub(crate) fn into_inner(self) -> Result<T, Self> {
        if !self.ordered || record::is_pinned(self.address()) || self.holds() != 0 {
            return Err(self);
        }
        // SAFETY: made by `into_raw`, no longer live, in no slot, and without holds: nobody has the address.
        Ok(unsafe { Box::from_raw(self.at) }.value)
    }
}
