//! What a thread has entered: how a closed gate knows who is behind it.
//!
//! The word `entered` belongs to the slot: it says what is called under the pin that the slot holds. It is written
//! before the slot, and so what a scan reads of it is as new as what it read of the slot.
//!
//! A call that is nested in another one, and shares its slot, may go anywhere: the mark says so until all nested calls
//! have returned. Calls return in reverse, so the mark and a count are enough. A pin that is not a call's need not
//! come to its end in that order; where it is nested it does not share the slot, but is counted.
use super::{ALL, Record, ThreadName, lock};
use crate::reclaim::code::Code;
use std::panic::Location;
use std::sync::atomic::Ordering::*;

/// What a thread has entered under a pin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CallTarget(u32);

/// Nested calls may be anywhere.
const NESTED: u32 = 1 << 31;

impl CallTarget {
    /// No code of plugins: it only looks.
    pub(crate) const NOTHING: CallTarget = CallTarget(0);
    /// Whatever the generation has.
    pub(crate) const ANYTHING: CallTarget = CallTarget(NESTED - 1);

    /// The plugin of this number, which is less than two to the power of 31, less two.
    pub(crate) const fn plugin(number: u32) -> Self {
        assert!(number < NESTED - 2, "fewer plugins than that");
        CallTarget(number + 1)
    }

    /// Whether it may be any plugin.
    pub(crate) fn is_anything(self) -> bool {
        self >= CallTarget::ANYTHING
    }

    /// Whether who has entered this may have entered the other, too.
    pub(crate) fn includes(self, other: CallTarget) -> bool {
        self == other || other == CallTarget::NOTHING || self.is_anything()
    }

    /// With calls that are nested in it.
    pub(crate) fn with_nested(self) -> Self {
        CallTarget(self.0 | NESTED)
    }

    /// What was entered first.
    pub(crate) fn without_nested(self) -> Self {
        CallTarget(self.0 & !NESTED)
    }
}

impl Record {
    pub(crate) fn entered(&self) -> CallTarget {
        CallTarget(self.entered.load(Relaxed))
    }

    /// `Release`: whoever reads it sees all that the pins before have done.
    #[inline(always)]
    pub(crate) fn set_entered(&self, entered: CallTarget) {
        self.entered.store(entered.0, Release);
    }

    /// The last nested call has returned.
    pub(crate) fn leave_nested(&self) {
        self.set_entered(self.entered().without_nested());
    }

    /// A nested pin of the owning thread holds this value by count.
    pub(crate) fn add_held(&self, at: *const (), entered: CallTarget) {
        self.state().held.push((at, entered));
    }

    /// Such a pin has come to its end.
    pub(crate) fn remove_held(&self, at: *const ()) {
        let mut state = self.state();
        if let Some(index) = state.held.iter().rposition(|(held, _)| *held == at) {
            state.held.remove(index);
        }
    }

    /// Whether the owning thread, which asks, has a pin of a value under which it has entered something, for which
    /// this is true.
    pub(crate) fn is_inside(&self, inside: impl Fn(*const (), CallTarget) -> bool) -> bool {
        let in_slot = (self.slot.load(Relaxed).cast_const(), self.entered());
        let state = self.state();
        let pins = state.held.iter().copied().chain([in_slot]);
        let mut all = pins.chain(self.polled());
        all.any(|(at, entered)| inside(at, entered))
    }

    /// Runs code of an async call that began under this value: on this thread, which owns the record.
    #[inline]
    pub(crate) fn within<R>(&self, at: *const (), entered: CallTarget, run: impl FnOnce() -> R) -> R {
        /// Restores what was polled before.
        struct Leave<'r>(&'r Record, *mut ());
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

    /// Whether the owning thread, which asks, polls an async call.
    pub(crate) fn polls(&self) -> bool {
        !self.polled.load(Relaxed).is_null()
    }

    /// The async calls that the owning thread, which asks, polls.
    fn polled(&self) -> impl Iterator<Item = (*const (), CallTarget)> {
        let mut next = self.polled.load(Relaxed).cast_const().cast::<Polled>();
        std::iter::from_fn(move || {
            // SAFETY: null, or on the stack of a `within` of this thread, which is below this call.
            let polled = unsafe { next.as_ref() }?;
            next = polled.outer.cast_const().cast();
            Some((polled.at, polled.entered))
        })
    }

    /// Whether what this is true of has started the owning thread.
    pub(crate) fn is_started_by(&self, which: impl Fn(&dyn Code) -> bool) -> bool {
        let state = self.state();
        state.started_by.as_deref().is_some_and(which)
    }
}

/// An async call that a thread polls.
struct Polled {
    /// The value that it began under.
    at: *const (),
    entered: CallTarget,
    /// The one around it.
    outer: *mut (),
}

/// A thread that has something pinned.
pub(crate) struct Inside {
    pub(crate) thread: ThreadName,
    /// Where the pin was made; `None` for a call.
    pub(crate) pinned_at: Option<&'static Location<'static>>,
    /// What it has pinned.
    pub(crate) at: *const (),
    /// What it has entered.
    pub(crate) entered: CallTarget,
}

/// The threads whose slot holds a value under which they have entered something, for which this is true. The caller has
/// switched and fenced.
pub(crate) fn inside(inside: impl Fn(*const (), CallTarget) -> bool) -> Vec<Inside> {
    let look = |record: &&'static Record| {
        // In this order: see `pin`.
        let at = record.slot.load(Acquire).cast_const();
        let entered = CallTarget(record.entered.load(Acquire));
        (!at.is_null() && inside(at, entered)).then_some((*record, at, entered))
    };
    let found: Vec<_> = lock(&ALL).iter().filter_map(look).collect();
    let name = |(record, at, entered): (&'static Record, _, _)| Inside {
        thread: record.state().thread(),
        // SAFETY: null, or a location of a caller's, which is constant.
        pinned_at: unsafe { record.pinned_at.load(Relaxed).as_ref() },
        at,
        entered,
    };
    found.into_iter().map(name).collect()
}

/// The same for nested pins that hold by count, for people: the counts are what can be relied on.
pub(crate) fn held(inside: impl Fn(*const (), CallTarget) -> bool) -> Vec<Inside> {
    let records = lock(&ALL).clone();
    let of = |record: &'static Record| {
        let state = record.state();
        let held = state
            .held
            .iter()
            .filter(|(at, entered)| inside(*at, *entered));
        let found = held.map(|(at, entered)| Inside {
            thread: state.thread(),
            pinned_at: None,
            at: *at,
            entered: *entered,
        });
        found.collect::<Vec<_>>()
    };
    records.into_iter().flat_map(of).collect()
}
