//! The part of a thread's record that a call touches: the hazard slot, and the words that belong to it.
//!
//! The word `entered` says what is called under the pin that the slot holds. It is written before the slot, so the value
//! that a scan reads is at least as new as the value that it read from the slot.
//!
//! A call that is nested in another one and shares its slot may go anywhere. A mark says so until all nested calls have
//! returned. Calls return in reverse order unless somebody switches stacks, which the rules for authors forbid, so the mark
//! and a count are enough. A pin that is not part of a call need
//! not end in that order. If it is nested, it does not share the slot, but is counted.
//!
//! Unsafe code: three words are addresses: of a constant, of a value on the stack of the owning thread, and of the counts of its
//! calls.
#![allow(unsafe_code)]
use super::sync::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64};
use std::panic::Location;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::*;
use std::time::{Duration, Instant};

/// The address of a value, as slots hold it. It is only compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Address(usize);

impl Address {
    #[inline(always)]
    pub(super) fn of<T: ?Sized>(value: *const T) -> Self {
        Address(value.addr())
    }
}

/// The code that a thread may call under a pin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CallTarget(u32);

/// The mark for nested calls, which may be anywhere.
const NESTED: u32 = 1 << 31;

impl CallTarget {
    /// No code of plugins: the pin only looks at the value.
    pub(crate) const NOTHING: CallTarget = CallTarget(0);
    /// Any code that the generation has.
    pub(crate) const ANYTHING: CallTarget = CallTarget(NESTED - 1);

    /// The plugin with this number, which has to be less than 2³¹ - 2.
    pub(crate) const fn plugin(number: u32) -> Self {
        assert!(number < NESTED - 2, "fewer plugins than that");
        CallTarget(number + 1)
    }

    /// Returns true if the target may be any plugin.
    pub(crate) fn is_anything(self) -> bool {
        self >= CallTarget::ANYTHING
    }

    /// Returns true if a thread that has entered this target may have entered the other one, too.
    pub(crate) fn includes(self, other: CallTarget) -> bool {
        self == other || other == CallTarget::NOTHING || self.is_anything()
    }

    /// The same target with calls that are nested in it.
    pub(crate) fn with_nested(self) -> Self {
        CallTarget(self.0 | NESTED)
    }

    /// Its place in a table of counts. [`ANYTHING`](Self::ANYTHING), which live functions have, has that of no code.
    #[inline(always)]
    fn place(self) -> u32 {
        match self.is_anything() {
            true => 0,
            false => self.0,
        }
    }

    /// The target that was entered first.
    pub(crate) fn without_nested(self) -> Self {
        CallTarget(self.0 & !NESTED)
    }
}

/// Of so many watched calls of a thread, one is timed.
const TIMED: u64 = 1024;
/// Of a thread that makes many calls, one of so many is timed, so that the slowest of a thousand calls is not one of them.
/// If its calls become slow, the next of these may be far away: see [`Slot::time_next`].
const TIMED_OF_MANY: u64 = 32_768;
/// A thread makes many calls if not more time than this has passed since the last one was timed.
const MANY: Duration = Duration::from_millis(40);

/// The number of targets whose calls are counted in the slot itself. Few hosts have more plugins.
const FEW: u32 = 64;

/// The hazard slot of a thread, and the words that belong to it. A pin touches nothing else of the thread's record.
/// Only the owning thread writes them, except for `attention`, and `next` of a count.
#[repr(C)]
pub(crate) struct Slot {
    /// The address of the pinned value. It is null while nothing is pinned.
    at: AtomicPtr<()>,
    /// The retiring side asks the thread to run destructors.
    attention: AtomicBool,
    /// The number of pins that share the slot with the pin that wrote it.
    sharing: AtomicU32,
    /// The [`CallTarget`] that the pins in the slot have entered.
    entered: AtomicU32,
    /// The place where an explicit pin was made; null for a call.
    pinned_at: AtomicPtr<Location<'static>>,
    /// The innermost async call that the thread polls: a `*const Polled`.
    polled: AtomicPtr<()>,
    /// The counts of watched calls that the thread has begun, by the target's place.
    few: [Count; FEW as usize],
    /// The counts of those whose place is beyond these. The table is only replaced by a longer one, and never freed.
    more: AtomicPtr<Count>,
    /// The length of that table.
    len_of_more: AtomicU32,
}

/// A count of watched calls. Its place is found by a shift.
#[repr(align(32))]
struct Count {
    calls: AtomicU64,
    /// The number of the call that is timed next. Other threads may write 0 here.
    next: AtomicU64,
    /// When the last one was timed, in nanoseconds of the process's [`clock`].
    timed_at: AtomicU64,
}

impl Default for Count {
    /// The first call is timed.
    fn default() -> Self {
        Count {
            calls: AtomicU64::new(0),
            next: AtomicU64::new(1),
            timed_at: AtomicU64::new(0),
        }
    }
}

impl Count {
    fn copy(&self) -> Self {
        let copy = |of: &AtomicU64| AtomicU64::new(of.load(Relaxed));
        Count {
            calls: copy(&self.calls),
            next: copy(&self.next),
            timed_at: copy(&self.timed_at),
        }
    }

    /// Counts a call, and if it is timed, chooses the next one.
    fn count(&self) {
        let counted = self.calls.load(Relaxed).wrapping_add(1);
        self.calls.store(counted, Relaxed);
        if counted < self.next.load(Relaxed) {
            return;
        }
        let now = clock();
        let pause = now.saturating_sub(self.timed_at.load(Relaxed));
        self.timed_at.store(now, Relaxed);
        let period = period(Duration::from_nanos(pause));
        self.next.store(counted.wrapping_add(period), Relaxed);
    }
}

/// Returns how many calls later the next one is timed, if the one before was so long ago.
pub(super) fn period(pause: Duration) -> u64 {
    if pause < MANY { TIMED_OF_MANY } else { TIMED }
}

/// Returns how many nanoseconds the process has run since this was called first.
fn clock() -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    BEGIN.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

impl Slot {
    pub(super) fn new() -> Self {
        Slot {
            at: AtomicPtr::new(null_mut()),
            attention: AtomicBool::new(false),
            sharing: AtomicU32::new(0),
            entered: AtomicU32::new(0),
            pinned_at: AtomicPtr::new(null_mut()),
            polled: AtomicPtr::new(null_mut()),
            few: std::array::from_fn(|_| Count::default()),
            more: AtomicPtr::new(null_mut()),
            len_of_more: AtomicU32::new(0),
        }
    }

    /// The word that holds the address, which only a pin writes.
    #[inline(always)]
    pub(super) fn at(&self) -> &AtomicPtr<()> {
        &self.at
    }

    /// Ends the last pin of the slot.
    #[inline(always)]
    pub(super) fn unpin(&self) {
        self.at.store(null_mut(), Release);
    }

    /// Returns true if the owning thread has a pin in the slot.
    #[inline(always)]
    pub(crate) fn has_pin(&self) -> bool {
        !self.at.load(Relaxed).is_null()
    }

    /// Counts a watched call of this target, by the owning thread, which is the caller. Returns false if it is one of those
    /// that are timed, or there is no count yet. Then it is not counted, and the caller [does so](Self::count_watched) where
    /// it takes the time.
    #[inline(always)]
    pub(crate) fn count_untimed(&self, target: CallTarget) -> bool {
        let Some(count) = self.count(target) else {
            return false;
        };
        let counted = count.calls.load(Relaxed).wrapping_add(1);
        if counted >= count.next.load(Relaxed) {
            return false;
        }
        count.calls.store(counted, Relaxed);
        true
    }

    /// Counts a watched call of this target, by the owning thread, which is the caller.
    #[cold]
    #[inline(never)]
    pub(crate) fn count_watched(&self, target: CallTarget) {
        let at = target.place();
        if self.count_at(at).is_none() {
            let room = (at - FEW + 1).next_power_of_two().max(16);
            let known = |at| {
                self.count_at(FEW + at)
                    .map_or_else(Count::default, Count::copy)
            };
            let longer: Vec<_> = (0..room).map(known).collect();
            // A reader may have the shorter table, so that stays, too. All of them together are no longer than the last one.
            let longer = Vec::leak(longer);
            self.more.store(longer.as_mut_ptr(), Release);
            self.len_of_more.store(room, Release);
        }
        if let Some(count) = self.count_at(at) {
            count.count();
        }
    }

    /// Returns the count of this target, if there is one.
    #[inline(always)]
    fn count(&self, target: CallTarget) -> Option<&Count> {
        // This is the fast path. It does not ask for the place, which is the same.
        match self.few.get(target.0 as usize) {
            Some(count) => Some(count),
            None => self.count_at(target.place()),
        }
    }

    #[inline(never)]
    fn count_at(&self, at: u32) -> Option<&Count> {
        if let Some(count) = self.few.get(at as usize) {
            return Some(count);
        }
        let at = at - FEW;
        if at >= self.len_of_more.load(Acquire) {
            return None;
        }
        // SAFETY: `count_watched` publishes a table of at least this length before the length, and leaks each table.
        Some(unsafe { &*self.more.load(Acquire).add(at as usize) })
    }

    /// Lets the thread time its next watched call of this target. That is lost if the thread times one just now.
    pub(super) fn time_next(&self, target: CallTarget) {
        if let Some(count) = self.count(target) {
            count.next.store(0, Relaxed);
        }
    }

    /// The number of watched calls of this target that the thread has begun.
    pub(super) fn watched(&self, target: CallTarget) -> u64 {
        self.count(target)
            .map_or(0, |count| count.calls.load(Relaxed))
    }

    /// Returns true if the slot holds the address. The caller has switched and run the heavy barrier.
    pub(super) fn holds(&self, address: Address) -> bool {
        Address::of(self.at.load(Acquire)) == address
    }

    /// Returns the address in the slot, with what is called under the pin that wrote it, or `None` if nothing is pinned.
    /// The caller has switched and run the heavy barrier.
    pub(super) fn look(&self) -> Option<(Address, CallTarget)> {
        // The order of these two loads matters: see `pin`.
        let at = self.at.load(Acquire);
        let entered = CallTarget(self.entered.load(Acquire));
        (!at.is_null()).then_some((Address::of(at), entered))
    }

    /// Returns the address in the slot, for the owning thread. It is that of no value while nothing is pinned.
    pub(super) fn own(&self) -> Address {
        Address::of(self.at.load(Relaxed))
    }

    /// Returns true if the retiring side has asked the thread to [run its pending
    /// destructors](super::record::Record::run_pending_destructors).
    #[inline(always)]
    pub(super) fn wants_attention(&self) -> bool {
        self.attention.load(Relaxed)
    }

    pub(super) fn set_attention(&self, wanted: bool) {
        self.attention.store(wanted, Relaxed);
    }

    /// The number of pins that share the slot with the pin that wrote it.
    #[inline(always)]
    pub(crate) fn sharing(&self) -> u32 {
        self.sharing.load(Relaxed)
    }

    pub(super) fn set_sharing(&self, sharing: u32) {
        self.sharing.store(sharing, Relaxed);
    }

    pub(crate) fn entered(&self) -> CallTarget {
        CallTarget(self.entered.load(Relaxed))
    }

    /// Sets the target. The store is `Release`, so a thread that reads it sees everything that the earlier pins have
    /// done.
    #[inline(always)]
    pub(crate) fn set_entered(&self, entered: CallTarget) {
        self.entered.store(entered.0, Release);
    }

    /// Ends one of the pins that share the slot.
    pub(super) fn leave(&self) {
        let sharing = self.sharing();
        if sharing == 0 {
            return self.unpin();
        }
        self.set_sharing(sharing - 1);
        if sharing == 1 {
            self.leave_nested();
        }
    }

    /// Removes the mark for nested calls: the last one has returned.
    fn leave_nested(&self) {
        self.set_entered(self.entered().without_nested());
    }

    /// Remembers where the pin in the slot was made, or that it belongs to a call.
    pub(crate) fn set_pinned_at(&self, at: Option<&'static Location<'static>>) {
        let at = at.map_or(null_mut(), |at| (&raw const *at).cast_mut());
        self.pinned_at.store(at, Relaxed);
    }

    /// Returns the place where the pin in the slot was made, or `None` for a call.
    pub(super) fn pinned_at(&self) -> Option<&'static Location<'static>> {
        // SAFETY: the pointer is null, or `set_pinned_at` has stored a reference that is `'static`.
        unsafe { self.pinned_at.load(Relaxed).as_ref() }
    }

    /// Runs code of an async call that began under this value. The calling thread owns the slot.
    #[inline]
    pub(super) fn within<R>(&self, at: Address, entered: CallTarget, run: impl FnOnce() -> R) -> R {
        /// Restores the async call that was polled before.
        struct Leave<'s>(&'s Slot, *mut ());
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.polled.store(self.1, Relaxed);
            }
        }
        let outer = self.polled.load(Relaxed);
        let polled = Polled { at, entered, outer };
        let _leave = Leave(self, outer);
        self.polled
            .store((&raw const polled).cast_mut().cast(), Relaxed);
        run()
    }

    /// Returns true if the owning thread, which is the caller, polls an async call.
    pub(crate) fn polls(&self) -> bool {
        !self.polled.load(Relaxed).is_null()
    }

    /// Returns the value and the target of each async call that the owning thread, which is the caller, polls.
    pub(super) fn polled(&self) -> impl Iterator<Item = (Address, CallTarget)> {
        let mut next = self.polled.load(Relaxed).cast_const().cast::<Polled>();
        std::iter::from_fn(move || {
            // SAFETY: `within` sets the pointer to a value on the stack of this thread, below this call, and restores
            // the previous one before that value goes; at first it is null.
            let polled = unsafe { next.as_ref() }?;
            next = polled.outer.cast_const().cast();
            Some((polled.at, polled.entered))
        })
    }
}

/// An async call that a thread polls.
struct Polled {
    /// The value under which the call began.
    at: Address,
    entered: CallTarget,
    /// The async call around this one.
    outer: *mut (),
}
