//! The plugin that a thread has entered, which tells a closed gate who is behind it.
//!
//! The word `entered` belongs to the slot: it says what is called under the pin that the slot holds. It is written
//! before the slot, so the value that a scan reads is at least as new as the value that it read from the slot.
//!
//! A call that is nested in another one and shares its slot may go anywhere. A mark says so until all nested calls have
//! returned. Calls return in reverse order, so the mark and a count are enough. A pin that is not part of a call need
//! not end in that order. If it is nested, it does not share the slot, but is counted.
use super::{ALL, Record, ThreadName, lock};
use crate::reclaim::code::Code;
use std::panic::Location;
use std::sync::atomic::Ordering::*;

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

    /// The target that was entered first.
    pub(crate) fn without_nested(self) -> Self {
        CallTarget(self.0 & !NESTED)
    }
}

impl Record {
    pub(crate) fn entered(&self) -> CallTarget {
        CallTarget(self.entered.load(Relaxed))
    }

    /// Sets the target. The store is `Release`, so a thread that reads it sees everything that the earlier pins have
    /// done.
    #[inline(always)]
    pub(crate) fn set_entered(&self, entered: CallTarget) {
        self.entered.store(entered.0, Release);
    }

    /// Removes the mark for nested calls: the last one has returned.
    pub(crate) fn leave_nested(&self) {
        self.set_entered(self.entered().without_nested());
    }

    /// Lists a value that a nested pin of the owning thread holds by count.
    pub(crate) fn add_held(&self, at: *const (), entered: CallTarget) {
        self.state().held.push((at, entered));
    }

    /// Removes such a value, because its pin has ended.
    pub(crate) fn remove_held(&self, at: *const ()) {
        let mut state = self.state();
        if let Some(index) = state.held.iter().rposition(|(held, _)| *held == at) {
            state.held.remove(index);
        }
    }

    /// Returns true if the owning thread, which is the caller, has a pin of a value under which it has entered
    /// something, and `inside` is true of both.
    pub(crate) fn is_inside(&self, inside: impl Fn(*const (), CallTarget) -> bool) -> bool {
        let in_slot = (self.slot.load(Relaxed).cast_const(), self.entered());
        let state = self.state();
        let pins = state.held.iter().copied().chain([in_slot]);
        let mut all = pins.chain(self.polled());
        all.any(|(at, entered)| inside(at, entered))
    }

    /// Runs code of an async call that began under this value. The calling thread owns the record.
    #[inline]
    pub(crate) fn within<R>(
        &self,
        at: *const (),
        entered: CallTarget,
        run: impl FnOnce() -> R,
    ) -> R {
        /// Restores the async call that was polled before.
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

    /// Returns true if the owning thread, which is the caller, polls an async call.
    pub(crate) fn polls(&self) -> bool {
        !self.polled.load(Relaxed).is_null()
    }

    /// The async calls that the owning thread, which is the caller, polls.
    fn polled(&self) -> impl Iterator<Item = (*const (), CallTarget)> {
        let mut next = self.polled.load(Relaxed).cast_const().cast::<Polled>();
        std::iter::from_fn(move || {
            // SAFETY: `within` sets the pointer to a value on the stack of this thread, below this call, and restores
            // the previous one before that value goes; at first it is null.
            let polled = unsafe { next.as_ref() }?;
            next = polled.outer.cast_const().cast();
            Some((polled.at, polled.entered))
        })
    }

    /// Returns true if the code that started the owning thread satisfies `which`.
    pub(crate) fn is_started_by(&self, which: impl Fn(&dyn Code) -> bool) -> bool {
        let state = self.state();
        state.started_by.as_deref().is_some_and(which)
    }
}

/// An async call that a thread polls.
struct Polled {
    /// The value under which the call began.
    at: *const (),
    entered: CallTarget,
    /// The async call around this one.
    outer: *mut (),
}

/// A thread that has pinned a value.
pub(crate) struct Inside {
    pub(crate) thread: ThreadName,
    /// The place where the pin was made, or `None` for a call.
    pub(crate) pinned_at: Option<&'static Location<'static>>,
    /// The address of the pinned value.
    pub(crate) at: *const (),
    /// The target that the thread has entered.
    pub(crate) entered: CallTarget,
}

/// Returns the threads whose slot holds a value under which they have entered a target, if `inside` is true of both.
/// The caller has switched and run the heavy barrier.
pub(crate) fn inside(inside: impl Fn(*const (), CallTarget) -> bool) -> Vec<Inside> {
    let look = |record: &&'static Record| {
        // The order of these two loads matters: see `pin`.
        let at = record.slot.load(Acquire).cast_const();
        let entered = CallTarget(record.entered.load(Acquire));
        (!at.is_null() && inside(at, entered)).then_some((*record, at, entered))
    };
    let found: Vec<_> = lock(&ALL).iter().filter_map(look).collect();
    let name = |(record, at, entered): (&'static Record, _, _)| Inside {
        thread: record.state().thread(),
        // SAFETY: the pointer is null, or `set_pinned_at` stored a location of a caller, which is a constant.
        pinned_at: unsafe { record.pinned_at.load(Relaxed).as_ref() },
        at,
        entered,
    };
    found.into_iter().map(name).collect()
}

/// Returns the nested pins that hold a value by count, in the same form. They are only for people to read; the host
/// relies on the counts.
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
