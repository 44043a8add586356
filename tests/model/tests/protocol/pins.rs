//! Tests that a pinned or held value is not freed, and that any other value can be.
use crate::reclaim::pin::again::pin_again;
use crate::reclaim::pin::{Live, Retired};
use crate::reclaim::record;
use crate::reclaim::slot::CallTarget;
use crate::{check, thread};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread::JoinHandle;
use std::mem::forget;

/// A value whose use and end the checker watches.
struct Value {
    number: u32,
    alive: UnsafeCell<bool>,
}

// SAFETY: the model checker reports accesses of `alive` that are not ordered.
unsafe impl Send for Value {}
// SAFETY: the model checker reports accesses of `alive` that are not ordered.
unsafe impl Sync for Value {}

impl Value {
    fn new(number: u32) -> Self {
        // This is a step of its own: otherwise the checker would take what follows for a part of the step before, the
        // start of a thread.
        AtomicBool::new(false).store(true, Relaxed);
        let alive = UnsafeCell::new(false);
        // Every user of the value has to see this store.
        // SAFETY: the model checker watches each access, and reports one that is not ordered.
        alive.with_mut(|alive| unsafe { *alive = true });
        Value { number, alive }
    }

    fn read(&self) -> u32 {
        // SAFETY: the model checker watches each access, and reports one that is not ordered.
        assert!(self.alive.with(|alive| unsafe { *alive }));
        self.number
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: the model checker watches each access, and reports one that is not ordered.
        self.alive.with_mut(|alive| unsafe { *alive = false });
    }
}

fn live() -> Arc<Live<Value>> {
    Arc::new(Live::new(Value::new(1)))
}

/// Frees the value if it is not in use. Returns it otherwise.
fn try_free(retired: Retired<Value>) -> Option<Retired<Value>> {
    assert!(retired.is_ordered());
    retired.into_inner().err()
}

/// Frees a value that is not in use any more.
fn free(retired: Option<Retired<Value>>) {
    if let Some(retired) = retired {
        assert!(retired.into_inner().is_ok(), "the value is not in use");
    }
}

/// Starts a thread that does this with the live value.
fn start<T: 'static>(live: &Arc<Live<Value>>, call: fn(&Live<Value>) -> T) -> JoinHandle<T> {
    let live = live.clone();
    thread(move || call(&live))
}

fn read(live: &Live<Value>) -> u32 {
    live.pin().read()
}

fn two_callers(live: &Arc<Live<Value>>) -> [JoinHandle<u32>; 2] {
    [(); 2].map(|()| start(live, read))
}

/// Runs `call` while another thread makes 2 live in place of 1, and frees 1.
fn beside_a_switch(preemptions: Option<usize>, call: fn(&Live<Value>)) {
    check(preemptions, move || {
        let live = live();
        let caller = start(&live, call);
        let left = try_free(live.switch(Value::new(2)));
        caller.join().unwrap();
        free(left);
    });
}

fn join<T>(threads: [JoinHandle<T>; 2]) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Tests P1 to P4 against S1 to S3, with a new record.
#[test]
fn a_pin_and_a_switch() {
    beside_a_switch(None, |live| assert!(matches!(read(live), 1 | 2)));
}

/// The pin of a call is not taken if there is a switch in between.
#[test]
fn a_call_and_a_switch() {
    beside_a_switch(None, |live| {
        let called = live.try_enter(CallTarget::ANYTHING);
        let number = called.map(|called| called.read());
        assert!(matches!(number, None | Some(1 | 2)));
    });
}

/// The slot keeps the value that was pinned first.
#[test]
fn a_call_under_a_pin() {
    beside_a_switch(None, |live| {
        let outer = live.pin();
        assert!(live.try_enter(CallTarget::ANYTHING).is_none());
        assert!(matches!(outer.read(), 1 | 2));
    });
}

/// Nested calls share the slot, and the outer call goes on after they have returned.
#[test]
fn calls_under_a_call() {
    beside_a_switch(None, |live| {
        let plugin = CallTarget::plugin(0);
        if let Some(outer) = live.try_enter(plugin) {
            assert!(live.try_enter(plugin).is_none());
            live.enter(plugin).read();
            outer.read();
        }
    });
}

/// Nothing is freed here: the test is about how much of the newest value a pin has seen.
#[test]
fn a_new_value_is_whole() {
    check(None, || {
        let live = live();
        let caller = start(&live, read);
        let _ = live.switch(Value::new(2));
        caller.join().unwrap();
    });
}

/// The scan may find the next pin in the slot where another pin was before.
#[test]
fn a_pin_after_a_pin() {
    beside_a_switch(None, |live| {
        // Each pin ends before the next one.
        let (first, second) = (read(live), read(live));
        assert_ne!((first, second), (2, 1), "a later pin has an older value");
    });
}

#[test]
fn two_pins_in_two_threads() {
    check(Some(3), || {
        let live = live();
        let callers = two_callers(&live);
        let left = try_free(live.switch(Value::new(2)));
        join(callers);
        free(left);
    });
}

/// Each retirement has its own grace period, also after a switch back.
#[test]
fn two_switches() {
    check(Some(3), || {
        let live = live();
        let caller = start(&live, read);
        let other = thread({
            let live = live.clone();
            move || try_free(live.switch(Value::new(2)))
        });
        let left = try_free(live.switch(Value::new(3)));
        caller.join().unwrap();
        free(other.join().unwrap());
        free(left);
    });
}

#[test]
fn nested_pins_of_one_value() {
    beside_a_switch(None, |live| {
        let outer = live.pin();
        drop(live.pin());
        outer.read();
    });
}

/// The pin of what is pinned already outlives the outer one, and another switch meanwhile.
#[test]
fn a_pin_of_what_is_pinned_already() {
    beside_a_switch(None, |live| {
        let outer = live.pin();
        // SAFETY: nothing but values of this type is pinned here.
        let again = unsafe { pin_again::<Value>(|_| true) }.unwrap();
        drop(outer);
        again.read();
    });
}

/// The newest nested pin holds its value by count, and so does the pin of that.
#[test]
fn a_pin_of_what_is_held_already() {
    beside_a_switch(Some(3), |live| {
        let outer = live.enter(CallTarget::ANYTHING);
        let nested = live.enter(CallTarget::ANYTHING);
        // SAFETY: nothing but values of this type is pinned here.
        let again = unsafe { pin_again::<Value>(|_| true) }.unwrap();
        drop((nested, outer));
        again.read();
    });
}

#[test]
fn a_nested_pin_of_a_newer_value() {
    check(Some(3), || {
        let live = live();
        let caller = start(&live, |live| {
            let (outer, inner) = (live.pin(), live.pin());
            assert!(outer.read() <= inner.read());
            drop(outer);
            inner.read();
        });
        let first = live.switch(Value::new(2));
        // This comes before the first value is freed, whose address the new one would have in some runs: pins compare
        // addresses, and the checker needs each run to be like the one before.
        let second = live.switch(Value::new(3));
        let (first, second) = (try_free(first), try_free(second));
        caller.join().unwrap();
        free(first);
        free(second);
    });
}

/// A look reads the slots before the holds, since a slot can become a hold and then be used for another value.
#[test]
fn a_hold_outlives_its_pin() {
    beside_a_switch(Some(3), |live| {
        let held = live.pin().hold();
        read(live);
        held.read();
    });
}

#[test]
fn a_hold_moves_to_another_thread() {
    check(Some(3), || {
        let live = live();
        let held = live.pin().hold();
        let reader = thread({
            let held = held.clone();
            move || held.read()
        });
        let left = try_free(live.switch(Value::new(2)));
        held.read();
        drop(held);
        let left = left.and_then(try_free);
        assert_eq!(reader.join().unwrap(), 1);
        free(left);
    });
}

#[test]
fn a_record_has_one_thread_after_the_other() {
    check(Some(3), || {
        let live = live();
        let callers = two_callers(&live);
        join(callers);
        let caller = start(&live, read);
        let left = try_free(live.switch(Value::new(2)));
        caller.join().unwrap();
        free(left);
        assert!(record::count() <= 3);
    });
}

#[test]
fn a_forgotten_pin_holds_for_ever() {
    check(None, || {
        let live = live();
        let caller = start(&live, |live| {
            let pinned = live.pin();
            let number = pinned.read();
            forget(pinned);
            number
        });
        let left = try_free(live.switch(Value::new(2)));
        let pinned = caller.join().unwrap();
        let another = start(&live, read);
        assert_eq!(another.join().unwrap(), 2);
        let left = left.and_then(try_free);
        assert_eq!(left.is_some(), pinned == 1);
    });
}
