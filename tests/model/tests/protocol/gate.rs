//! Tests that closing a gate misses no call behind it, and sees what those calls have done.
use crate::reclaim::pin::Live;
use crate::reclaim::record::entered::inside;
use crate::reclaim::slot::CallTarget;
use crate::{check, thread};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};

const GROUP: CallTarget = CallTarget::plugin(0);
const OTHER: CallTarget = CallTarget::plugin(1);

/// The state that calls of the group change, and that is saved when there are no such calls.
struct State(UnsafeCell<u32>);

// SAFETY: the model checker reports accesses that are not ordered.
unsafe impl Send for State {}
// SAFETY: the model checker reports accesses that are not ordered.
unsafe impl Sync for State {}

impl State {
    fn add(&self) {
        // SAFETY: the model checker watches each access, and reports one that is not ordered.
        self.0.with_mut(|state| unsafe { *state += 1 });
    }
}

/// Closes the gate before value 1, and saves the state if no call of the group is running.
fn close(live: &Live<u32>, state: &State) {
    let old = live.switch(2);
    assert!(old.is_ordered());
    let at = old.address();
    let in_group =
        |slot, entered: CallTarget| slot == at && (entered.is_anything() || entered == GROUP);
    if inside(in_group).is_empty() && old.holds() == 0 {
        // SAFETY: the model checker watches each access, and reports one that is not ordered.
        state.0.with(|state| unsafe { *state });
    }
}

/// Runs `call` while another thread closes the gate.
fn beside_a_gate(preemptions: Option<usize>, call: fn(&Live<u32>, &State)) {
    check(preemptions, move || {
        let shared = Arc::new((Live::new(1), State(UnsafeCell::new(0))));
        // This is a step of its own: otherwise the checker would take what follows for a part of the thread's start.
        AtomicBool::new(false).store(true, Relaxed);
        let caller = thread({
            let shared = shared.clone();
            move || call(&shared.0, &shared.1)
        });
        close(&shared.0, &shared.1);
        caller.join().unwrap();
    });
}

/// Adds one if value 1 is still live, which means that the call is behind the gate.
fn add_behind(live: &Live<u32>, state: &State) {
    let pinned = live.enter(GROUP);
    if *pinned == 1 {
        state.add();
    }
}

#[test]
fn a_call() {
    beside_a_gate(None, add_behind);
}

#[test]
fn a_call_after_one_of_another_plugin() {
    beside_a_gate(Some(3), |live, state| {
        drop(live.enter(OTHER));
        add_behind(live, state);
    });
}

#[test]
fn a_call_of_another_plugin_after_one() {
    beside_a_gate(Some(3), |live, state| {
        add_behind(live, state);
        drop(live.enter(OTHER));
    });
}

#[test]
fn a_nested_call() {
    beside_a_gate(Some(3), |live, state| {
        let _outer = live.enter(OTHER);
        add_behind(live, state);
    });
}

/// Code after a nested call is not behind the gate, but the effects of the call are seen.
#[test]
fn after_a_nested_call() {
    beside_a_gate(Some(3), |live, state| {
        let outer = live.enter(OTHER);
        add_behind(live, state);
        AtomicBool::new(false).store(true, Relaxed);
        drop(outer);
    });
}

#[test]
fn a_pin_for_anything() {
    beside_a_gate(Some(3), |live, state| {
        let _outer = live.enter(OTHER);
        let pinned = live.enter(CallTarget::ANYTHING);
        if *pinned == 1 {
            state.add();
        }
    });
}
