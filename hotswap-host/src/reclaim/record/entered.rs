//! The values that a thread uses, and the plugin that it has entered in each of them. This tells a closed gate who is
//! behind it. The words of the hazard slot are in [`slot`](crate::reclaim::slot).
use super::{ALL, Record, ThreadName, lock};
use crate::reclaim::code::Code;
use crate::reclaim::slot::{Address, CallTarget};
use std::panic::Location;

impl Record {
    /// Lists a value that a nested pin of the owning thread holds by count.
    pub(crate) fn add_held(&self, at: Address, entered: CallTarget) {
        self.state().held.push((at, entered));
    }

    /// Removes such a value, because its pin has ended.
    pub(crate) fn remove_held(&self, at: Address) {
        let mut state = self.state();
        if let Some(index) = state.held.iter().rposition(|(held, _)| *held == at) {
            state.held.remove(index);
        }
    }

    /// Returns true if the owning thread, which is the caller, has a pin of a value under which it has entered
    /// something, and `inside` is true of both.
    pub(crate) fn is_inside(&self, inside: impl Fn(Address, CallTarget) -> bool) -> bool {
        let in_slot = (self.slot.own(), self.slot.entered());
        let state = self.state();
        let pins = state.held.iter().copied().chain([in_slot]);
        let mut all = pins.chain(self.slot.polled());
        all.any(|(at, entered)| inside(at, entered))
    }

    /// Runs code of an async call that began under this value. The calling thread owns the record.
    #[inline]
    pub(crate) fn within<R>(&self, at: Address, entered: CallTarget, run: impl FnOnce() -> R) -> R {
        self.slot.within(at, entered, run)
    }

    /// Returns true if the code that started the owning thread satisfies `which`.
    pub(crate) fn is_started_by(&self, which: impl Fn(&dyn Code) -> bool) -> bool {
        let state = self.state();
        state.started_by.as_deref().is_some_and(which)
    }
}

/// A thread that has pinned a value.
pub(crate) struct Inside {
    pub(crate) thread: ThreadName,
    /// The place where the pin was made, or `None` for a call.
    pub(crate) pinned_at: Option<&'static Location<'static>>,
    /// The address of the pinned value.
    pub(crate) at: Address,
    /// The target that the thread has entered.
    pub(crate) entered: CallTarget,
}

/// Returns the threads whose slot holds a value under which they have entered a target, if `inside` is true of both.
/// The caller has switched and run the heavy barrier.
pub(crate) fn inside(inside: impl Fn(Address, CallTarget) -> bool) -> Vec<Inside> {
    let look = |record: &&'static Record| {
        let (at, entered) = record.slot.look()?;
        inside(at, entered).then_some((*record, at, entered))
    };
    let found: Vec<_> = lock(&ALL).iter().filter_map(look).collect();
    let name = |(record, at, entered): (&'static Record, _, _)| Inside {
        thread: record.state().thread(),
        pinned_at: record.slot.pinned_at(),
        at,
        entered,
    };
    found.into_iter().map(name).collect()
}

/// Returns the nested pins that hold a value by count, in the same form. They are only for people to read; the host
/// relies on the counts.
pub(crate) fn held(inside: impl Fn(Address, CallTarget) -> bool) -> Vec<Inside> {
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
