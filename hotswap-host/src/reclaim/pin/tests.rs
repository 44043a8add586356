//! Tests each claim of the module's documentation on real threads.
use super::{Live, Retired};
use crate::reclaim::record;
use crate::reclaim::slot::CallTarget;
use crate::telemetry::caught;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::mpsc::channel;
use std::thread;

/// A value that notes when it is freed.
struct Value<'a> {
    number: usize,
    freed: &'a AtomicUsize,
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        self.freed.fetch_add(1, SeqCst);
    }
}

/// Returns the value once it is no longer used. The test harness stops a test that would wait for ever.
fn wait_for<T>(mut retired: Retired<T>) -> T {
    loop {
        retired = match retired.into_inner() {
            Ok(value) => return value,
            Err(again) => again,
        };
        thread::yield_now();
    }
}

#[test]
fn a_pin_keeps_the_value_that_was_live() {
    let live = Live::new(1);
    let pinned = live.pin();
    let retired = live.switch(2);
    assert_eq!((*pinned, *live.pin()), (1, 2));
    let retired = retired.into_inner().expect_err("it is pinned");
    drop(pinned);
    assert_eq!(retired.into_inner().ok(), Some(1));
}

#[test]
fn nested_pins_of_one_value_hold_until_the_last() {
    let live = Live::new(1);
    let (outer, inner) = (live.pin(), live.pin());
    let retired = live.switch(2);
    drop(outer);
    let retired = retired.into_inner().expect_err("the inner pin holds");
    drop(inner);
    assert!(retired.into_inner().is_ok());
}

/// Only a stack that is switched in the middle of a call can bring this about.
#[test]
#[cfg(debug_assertions)]
fn a_call_that_returns_before_one_that_is_nested_in_it_is_noticed() {
    let live = Live::new(1);
    let outer = live.try_enter(CallTarget::plugin(1)).expect("no pin yet");
    let nested = live.enter(CallTarget::plugin(1));
    let panic = caught(|| drop(outer)).expect_err("the order is wrong");
    assert!(
        panic.contains("the stack must not be switched in the middle of a call"),
        "{panic}"
    );
    drop(nested);
    record::mine().slot().unpin();
}

#[test]
fn a_nested_pin_of_a_newer_value_is_counted() {
    let live = Live::new(1);
    let outer = live.pin();
    let first = live.switch(2);
    let inner = live.pin();
    assert_eq!((*outer, *inner), (1, 2));
    assert!(inner.slot().is_none(), "the slot is the outer pin's");
    let second = live.switch(3);
    assert_eq!(second.holds(), 1);
    drop(outer);
    assert!(first.into_inner().is_ok());
    let second = second.into_inner().expect_err("the inner pin holds");
    drop(inner);
    assert!(second.into_inner().is_ok());
}

#[test]
fn pins_of_two_values_on_one_thread_hold_both() {
    let (one, other) = (Live::new('a'), Live::new('x'));
    let (a, x) = (one.pin(), other.pin());
    let (first, second) = (one.switch('b'), other.switch('y'));
    assert_eq!((*a, *x), ('a', 'x'));
    let first = first.into_inner().expect_err("pinned by the slot");
    let second = second.into_inner().expect_err("held by count");
    drop((a, x));
    assert!(first.into_inner().is_ok() && second.into_inner().is_ok());
}

#[test]
fn a_hold_moves_to_another_thread() {
    let live = Live::new(1);
    let held = live.pin().hold();
    let copy = held.clone();
    let retired = live.switch(2);
    assert_eq!(retired.holds(), 2);
    thread::scope(|s| {
        s.spawn(move || assert_eq!(*held, 1));
    });
    let retired = retired.into_inner().expect_err("the clone holds");
    drop(copy);
    assert!(retired.into_inner().is_ok());
}

#[test]
fn a_forgotten_pin_outlives_its_thread_and_is_named() {
    let live = Live::new(1);
    thread::scope(|s| {
        let forgetful = thread::Builder::new().name("forgetful".into());
        let forgetful = forgetful
            .spawn_scoped(s, || std::mem::forget(live.pin()))
            .unwrap();
        // Only joining waits for the end of the thread; the scope ends before that.
        forgetful.join().unwrap();
    });
    let retired = live.switch(2);
    let holders = record::slot_holders(retired.address());
    let names: Vec<_> = holders
        .iter()
        .map(|holder| holder.thread.to_string())
        .collect();
    assert_eq!(names.len(), 1);
    assert!(
        names[0].starts_with("ended thread ") && names[0].ends_with("\"forgetful\""),
        "{names:?}"
    );
    assert!(retired.into_inner().is_err());
}

#[test]
fn a_thread_that_pinned_gives_its_record_back() {
    (0..1000).for_each(|_| thread::spawn(|| drop(Live::new(0).pin())).join().unwrap());
    // Other tests take and give back records at the same time, but never hundreds.
    assert!(
        record::count() < 500,
        "{} records for a handful of threads",
        record::count()
    );
}

/// A writer switches as fast as it can, and frees each value at once when no slot and no hold has it.
///
/// This shows that retiring waits for pins. It does not show a missing barrier, because the window is smaller than the
/// time that a record's lock takes; the test in `barrier` is for that.
#[test]
fn a_value_that_is_used_is_never_freed() {
    const SWITCHES: usize = 100_000;
    let freed: Vec<AtomicUsize> = (0..=SWITCHES).map(|_| AtomicUsize::new(0)).collect();
    let value = |number: usize| Value {
        number,
        freed: &freed[number],
    };
    let live = Live::new(value(0));
    let (stop, start) = (AtomicBool::new(false), Barrier::new(3));
    let check = |value: &Value<'_>| {
        assert_eq!(
            freed[value.number].load(SeqCst),
            0,
            "used after it was freed"
        )
    };
    thread::scope(|s| {
        let (live, stop, start, check) = (&live, &stop, &start, &check);
        s.spawn(move || {
            start.wait();
            while !stop.load(Relaxed) {
                let pinned = live.pin();
                check(&pinned);
                check(&live.pin());
                check(&pinned);
            }
        });
        let (give, take) = channel();
        s.spawn(move || {
            start.wait();
            while !stop.load(Relaxed) {
                let held = live.pin().hold();
                check(&held);
                // This one is dropped on a third thread.
                give.send(held).unwrap();
            }
        });
        s.spawn(move || take.iter().for_each(|held| check(&held)));
        start.wait();
        for number in 1..=SWITCHES {
            drop(wait_for(live.switch(value(number))));
        }
        stop.store(true, Relaxed);
    });
    assert!(
        freed[..SWITCHES]
            .iter()
            .all(|freed| freed.load(SeqCst) == 1)
    );
    drop(live);
    assert_eq!(freed[SWITCHES].load(SeqCst), 1);
}
