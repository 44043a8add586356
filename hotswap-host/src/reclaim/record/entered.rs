//! The values that a thread uses, and the plugin that it has entered in each of them. This tells a closed gate who is
//! behind it. The words of the hazard slot are in [`slot`](crate::reclaim::slot).
use super::{ALL, Record, ThreadName, lock};
use crate::reclaim::code::Code;
use crate::reclaim::slot::{Address, CallTarget};
use std::panic::Location;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// A value that a nested pin holds by count, and the target that it has entered.
pub(super) struct HeldPin {
    // An atomic pointer, because that is `Send`.
    value: AtomicPtr<()>,
    entered: CallTarget,
}

impl HeldPin {
    fn at(&self) -> Address {
        Address::of(self.value.load(Relaxed))
    }
}

impl Record {
    /// Lists a value that a nested pin of the owning thread, which is the caller, holds by count.
    pub(crate) fn add_held(&self, value: *mut (), entered: CallTarget) {
        let mut state = self.state();
        state.held.push(HeldPin {
            value: value.into(),
            entered,
        });
        self.holding.store(state.held.len() as u32, Relaxed);
    }

    /// Returns the values that nested pins of the owning thread, which is the caller, hold by count, the newest one last.
    #[inline]
    pub(crate) fn held_values(&self) -> Vec<*mut ()> {
        if self.holding.load(Relaxed) == 0 {
            return Vec::new();
        }
        let state = self.state();
        let held = state.held.iter().map(|held| held.value.load(Relaxed));
        held.collect()
    }

    /// Removes such a value, because its pin has ended.
    pub(crate) fn remove_held(&self, at: Address) {
        let mut state = self.state();
        if let Some(index) = state.held.iter().rposition(|held| held.at() == at) {
            state.held.remove(index);
        }
        self.holding.store(state.held.len() as u32, Relaxed);
    }

    /// Returns true if the owning thread, which is the caller, has a pin of a value under which it has entered
    /// something, and `inside` is true of both.
    pub(crate) fn is_inside(&self, inside: impl Fn(Address, CallTarget) -> bool) -> bool {
        let in_slot = (self.slot.own(), self.slot.entered());
        let state = self.state();
        let held = state.held.iter().map(|held| (held.at(), held.entered));
        let pins = held.chain([in_slot]);
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
            .filter(|held| inside(held.at(), held.entered));
        let found = held.map(|held| Inside {
            thread: state.thread(),
            pinned_at: None,
            at: held.at(),
            entered: held.entered,
        });
        found.collect::<Vec<_>>()
    };
    records.into_iter().flat_map(of).collect()
}
