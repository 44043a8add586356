//! The live value: pinning it, and switching it for another.
//!
//! A pin writes the address of the value that it uses into the *hazard slot* of its thread. The thread that replaces
//! the live value frees the old one only after it has seen every slot without that address.
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
//! every pin that returns `old` has been seen. Without the barriers, the compiler and the processor could move P2
//! behind P4: the store could still sit in the store buffer while the scan reads the slot.
//!
//! **Unpinning** is a `Release` store of null. The scan reads with `Acquire`, so everything that was done under the pin
//! happens before the freeing. P2 is `Release` for the same reason: the scan may read the store of the thread's next
//! pin instead of the null before it, and that store, too, has to make visible what was done under the earlier pin.
//!
//! **No ABA**: P4 compares addresses. The compared address is in the slot, so once P2 is visible, the value at that
//! address cannot be freed, and the address cannot pass to another value. If the value was freed between P1 and P2, and
//! its address was reused for a newer live value, the slot holds that newer value.
//!
//! **New slots**: a thread's record is pushed under the lock that the scan takes. If the scan did not find a record, it
//! was pushed after the scan, by a thread that took the lock after S2, so P4 sees the swap.
//!
//! **Nested pins** of the same value only increment a counter. A nested pin that finds a newer live value takes a
//! *counted hold* of it, under the lock that S1 also takes. At that moment the value is live, so it is not being
//! retired.
//!
//! **A call** whose pin is the outermost one ([`Slotted`]) does not check for other pins when it ends. Only nested
//! calls, which have returned, and looks within a function of the host share its slot. Pins that are handed out to
//! users are counted.
//!
//! # What is called under a pin
//! The thread that closes a gate (see `gate`) has to know who has passed it before. So a pin says what it is for:
//! ```text
//! pin                    nested pin that shares the slot     switch, then look who is inside
//! P0  entered = plugin   N1  entered = outer, and more       S1, S2
//! P1 to P4               N2  light barrier                   G1  for each slot that holds old:
//!                        N3  if live != slot: undo, hold     G2      is entered one of those?
//! ```
//! P0 comes before P3 as P2 does, and N1 comes before N2, so the argument for P2 applies to both. A pin, or a nested
//! pin, that would get `old` after the switch tries again or takes a hold; one that got `old` before the switch is seen
//! by G1 and G2, or has ended. `entered` is written before the slot, so that G2 finds the value that belongs to the
//! slot of G1, or to a later pin. It is written with `Release`, so that a thread that finds the value of a later pin
//! sees everything that was done under the earlier one. The targets of a nested pin that holds by count are seen
//! through that count.
//!
//! **Holds** are counted as references are. An increment needs no order, since a pin, a hold, or the lock already
//! protects the value. A decrement is `Release`, and the thread that finds zero reads with `Acquire`.
//!
//! **Order of the two checks**: a slot can become a hold, but a hold never becomes a slot, and the hold is counted
//! before the slot is cleared. The retiring side looks at the slots first and at the holds afterwards, so it misses
//! neither.
//!
//! **How this is checked**: `tests/model` runs this file under a model checker and in a race on the machine, and
//! expects both to fail when any ordering or barrier here is taken away. The `Relaxed` accesses need no order: P1 is
//! only a guess, and a nested pin compares with the value that its thread has pinned and looks again at N3, or reads
//! under the lock.
//!
//! A pin must not be taken in a signal handler, which could interrupt P1 to P4 of its own thread.
//!
//! Unsafe code: the value is behind a pointer, and the protocol above says for how long.
#![allow(unsafe_code)]
pub(crate) mod again;
#[cfg(all(test, not(hotswap_model)))]
mod tests;

use super::barrier::Barriers;
use super::record::{self, Record};
use super::slot::{Address, CallTarget, Slot};
use super::sync::{AtomicPtr, AtomicUsize, Mutex, MutexGuard};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
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
    /// Taken only for S1 and for counting a hold of the live value, and never while code of plugins runs.
    switching: Mutex<()>,
    /// The value stays when this is dropped.
    is_left: bool,
}

impl<T> Live<T> {
    pub(crate) fn new(value: T) -> Self {
        Live {
            now: AtomicPtr::new(into_raw(value)),
            barriers: Barriers::of_this_process(),
            switching: Mutex::new(()),
            is_left: false,
        }
    }

    /// Pins the live value on this thread, to look at it. First runs the destructors that retired plugins have left on
    /// the thread.
    pub(crate) fn pin(&self) -> Pinned<'_, T> {
        self.enter(CallTarget::NOTHING)
    }

    /// Pins the live value like [`pin`](Self::pin), to call `entering`.
    pub(crate) fn enter(&self, entering: CallTarget) -> Pinned<'_, T> {
        let record = record::mine();
        record.run_pending_destructors();
        self.pin_on(record, entering)
    }

    /// Pins the live value like [`pin`](Self::pin), without running destructors, for callers that hold a lock:
    /// destructors may call anything.
    pub(crate) fn pin_quietly(&self) -> Pinned<'_, T> {
        self.pin_on(record::mine(), CallTarget::NOTHING)
    }

    /// Pins the live value for a call if that takes no more than the slot: the thread has no destructors to run, it has
    /// no pin, and there is no switch meanwhile. Otherwise the caller uses [`enter`](Self::enter).
    #[inline(always)]
    pub(crate) fn try_enter(&self, entering: CallTarget) -> Option<Slotted<'_, T>> {
        let slot = record::mine().slot();
        if slot.wants_attention() || slot.has_pin() {
            return None;
        }
        self.pin_in_slot(slot, entering)
    }

    fn pin_on(&self, record: &'static Record, entering: CallTarget) -> Pinned<'_, T> {
        if record.slot().has_pin() {
            return self.pin_nested(record, entering);
        }
        loop {
            if let Some(slotted) = self.pin_in_slot(record.slot(), entering) {
                return slotted.into_pinned();
            }
        }
    }

    /// Takes the outermost pin. Returns `None` if there was a switch meanwhile.
    #[inline(always)]
    fn pin_in_slot(&self, slot: &'static Slot, entering: CallTarget) -> Option<Slotted<'_, T>> {
        slot.set_entered(entering); // P0
        let at = self.now.load(Relaxed); // P1
        slot.at().store(at.cast(), Release); // P2
        self.barriers.light(); // P3
        if self.now.load(Acquire) != at {
            slot.unpin(); // P4
            return None;
        }
        Some(Slotted {
            slot,
            at,
            _live: PhantomData,
        })
    }

    #[cold]
    #[inline(never)]
    fn pin_nested(&self, record: &'static Record, entering: CallTarget) -> Pinned<'_, T> {
        let slot = record.slot();
        if self.shares_slot(slot, entering) {
            slot.set_sharing(slot.sharing() + 1);
            return Pinned {
                slot: Some(slot),
                at: slot.at().load(Relaxed).cast(),
                _live: PhantomData,
            };
        }
        let _switching = self.switching();
        let at = self.now.load(Relaxed);
        // SAFETY: `at` is live, and it cannot be switched while this thread holds the lock.
        unsafe { (*at).holds.fetch_add(1, Relaxed) };
        record.add_held(at.cast(), entering);
        Pinned {
            slot: None,
            at,
            _live: PhantomData,
        }
    }

    /// Returns true if a nested pin may share the slot and only count up. A pin that may outlive the outer one never
    /// shares it, whatever is live.
    fn shares_slot(&self, slot: &Slot, entering: CallTarget) -> bool {
        let pinned = slot.at().load(Relaxed).cast();
        if entering == CallTarget::ANYTHING || self.now.load(Relaxed) != pinned {
            return false;
        }
        let outer = slot.entered();
        if outer.includes(entering) {
            return true;
        }
        slot.set_entered(outer.with_nested()); // N1
        self.barriers.light(); // N2
        if self.now.load(Acquire) == pinned {
            return true; // N3
        }
        slot.set_entered(outer);
        false
    }

    /// Makes `next` live and returns the value that was live before. Cannot fail.
    pub(crate) fn switch(&self, next: T) -> Retired<T> {
        let next = into_raw(next);
        let old = {
            let _switching = self.switching();
            self.now.swap(next, Release) // S1
        };
        let ordered = self.barriers.heavy(); // S2
        Retired { at: old, ordered }
    }

    /// Leaves the last value where it is when `self` is dropped: the threads that use it are not in this process.
    pub(crate) fn leave(&mut self) {
        self.is_left = true;
    }

    fn switching(&self) -> MutexGuard<'_, ()> {
        self.switching
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Live<T> {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        // SAFETY: `into_raw` made the pointer. Pins borrow the owner of `self`, and holds count it, so none are left. A
        // caller that has forgotten a pin has to switch to another value before it drops `self`.
        drop(unsafe { Box::from_raw(self.now.load(Relaxed)) });
    }
}

fn into_raw<T>(value: T) -> *mut Counted<T> {
    Box::into_raw(Box::new(Counted {
        holds: AtomicUsize::new(0),
        value,
    }))
}

/// A pinned value. It stays on its thread.
pub(crate) struct Pinned<'a, T> {
    /// The slot that holds the address, or `None` for a counted hold.
    slot: Option<&'static Slot>,
    at: *mut Counted<T>,
    _live: PhantomData<&'a Live<T>>,
}

impl<T> Pinned<'_, T> {
    /// Returns the slot that pins the value, or `None` if the value is held by count.
    pub(crate) fn slot(&self) -> Option<&'static Slot> {
        self.slot
    }

    /// Says what is called under this pin, if it was made to call anything.
    pub(crate) fn narrow(&self, entered: CallTarget) {
        if let Some(slot) = self.slot.filter(|slot| slot.sharing() == 0) {
            slot.set_entered(entered);
        }
    }

    /// The address of the value, as the slots of those who have pinned it hold it.
    pub(crate) fn address(&self) -> Address {
        Address::of(self.at)
    }

    /// Makes a hold of the same value, which may move to other threads.
    pub(crate) fn hold(&self) -> Holding<T> {
        // The hold is counted before the slot is cleared.
        self.counted().holds.fetch_add(1, Relaxed);
        Holding(self.at)
    }

    #[inline(always)]
    fn counted(&self) -> &Counted<T> {
        // SAFETY: the slot or the count of this pin keeps the value alive: the retiring side (`Retired::into_inner`) frees
        // no value that a slot holds (P2, S3) or that has a counted hold.
        unsafe { &*self.at }
    }
}

impl<T> Deref for Pinned<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Drop for Pinned<'_, T> {
    fn drop(&mut self) {
        let Some(slot) = self.slot else {
            record::mine().remove_held(self.address());
            let counted = self.counted();
            counted.holds.fetch_sub(1, Release);
            return;
        };
        slot.leave();
    }
}

/// A value that the slot pins. Most calls need only this; a [`Pinned`] has to do more when it ends.
pub(crate) struct Slotted<'a, T> {
    slot: &'static Slot,
    at: *mut Counted<T>,
    _live: PhantomData<&'a Live<T>>,
}

impl<'a, T> Slotted<'a, T> {
    /// Returns the same pin.
    #[inline(always)]
    pub(crate) fn into_pinned(self) -> Pinned<'a, T> {
        let slotted = ManuallyDrop::new(self);
        Pinned {
            slot: Some(slotted.slot),
            at: slotted.at,
            _live: PhantomData,
        }
    }
}

impl<T> Slotted<'_, T> {
    /// The slot of the calling thread.
    #[inline(always)]
    pub(crate) fn slot(&self) -> &'static Slot {
        self.slot
    }
}

impl<T> Deref for Slotted<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the slot keeps the value alive: the retiring side (`Retired::into_inner`) frees no value that a slot
        // holds (P2, S3).
        unsafe { &(*self.at).value }
    }
}

impl<T> Drop for Slotted<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        debug_assert_eq!(
            self.slot.sharing(),
            0,
            "nested calls return first; the stack must not be switched in the middle of a call"
        );
        self.slot.unpin();
    }
}

/// A counted hold of a value.
pub(crate) struct Holding<T>(*mut Counted<T>);

impl<T> Holding<T> {
    /// The address of the value, as hazard slots hold it.
    pub(crate) fn address(&self) -> Address {
        Address::of(self.0)
    }

    /// The number of counted holds, including this one. It is only for people to read, since it changes all the time.
    pub(crate) fn holds(&self) -> usize {
        self.counted().holds.load(Relaxed)
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: this hold was counted when it was made, and the retiring side (`Retired::into_inner`) frees no value
        // that has a counted hold.
        unsafe { &*self.0 }
    }
}

// SAFETY: a hold is a counted reference, as `Arc<T>` is, and has the same bounds.
unsafe impl<T: Send + Sync> Send for Holding<T> {}
// SAFETY: a hold is a counted reference, as `Arc<T>` is, and has the same bounds.
unsafe impl<T: Send + Sync> Sync for Holding<T> {}

impl<T> Clone for Holding<T> {
    fn clone(&self) -> Self {
        self.counted().holds.fetch_add(1, Relaxed);
        Holding(self.0)
    }
}

impl<T> Deref for Holding<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Drop for Holding<T> {
    fn drop(&mut self) {
        self.counted().holds.fetch_sub(1, Release);
    }
}

/// A value that was live, and that may still be pinned or held.
pub(crate) struct Retired<T> {
    at: *mut Counted<T>,
    /// S2 took place.
    ordered: bool,
}

// SAFETY: `self` is the only owner of the value; pins and holds share it, which `T: Sync` allows.
unsafe impl<T: Send + Sync> Send for Retired<T> {}
// SAFETY: a reference to `self` only shares the value and reads the count.
unsafe impl<T: Send + Sync> Sync for Retired<T> {}

impl<T> Retired<T> {
    /// Returns true if the host knows who uses the value: see [`Barriers::heavy`]. If not, the value has to be leaked.
    pub(crate) fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// The address of the value, as the slots of those who still pin it hold it.
    pub(crate) fn address(&self) -> Address {
        Address::of(self.at)
    }

    /// The value.
    pub(crate) fn get(&self) -> &T {
        &self.counted().value
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: `self` owns the value, and gives it up only in `into_inner`; pins and holds share it.
        unsafe { &*self.at }
    }

    /// The number of counted holds. It means nothing until no slot holds the value any more.
    pub(crate) fn holds(&self) -> usize {
        self.counted().holds.load(Acquire)
    }

    /// Returns the value itself if it is not used any more.
    ///
    /// # Errors
    /// Returns `self` while the value is pinned or held, and if the host cannot know whether it is.
    pub(crate) fn into_inner(self) -> Result<T, Self> {
        if !self.ordered || record::is_pinned(self.address()) || self.holds() != 0 {
            return Err(self);
        }
        // SAFETY: `into_raw` made the pointer. The value is no longer live, it is in no slot, and it has no holds, so
        // no other copy of the address is in use.
        Ok(unsafe { Box::from_raw(self.at) }.value)
    }
}
