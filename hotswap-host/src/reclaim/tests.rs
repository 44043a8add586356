//! Tests of the slot that the model checker does not make.
use super::slot::{CallTarget, Slot, period};
use std::time::Duration;

/// Of so many calls of a thread that makes many, one is timed.
const MANY: usize = 32_768;

/// Makes this many watched calls, and returns the number of those that are timed.
fn timed(slot: &Slot, target: CallTarget, calls: usize) -> usize {
    let mut timed = 0;
    for _ in 0..calls {
        if !slot.count_untimed(target) {
            slot.count_watched(target);
            timed += 1;
        }
    }
    timed
}

#[test]
fn the_first_call_and_then_one_in_many_is_timed() {
    for target in [
        CallTarget::ANYTHING,
        CallTarget::plugin(61),
        CallTarget::plugin(62),
        CallTarget::plugin(1000),
    ] {
        let slot = Slot::new();
        assert_eq!(timed(&slot, target, 1), 1);
        // It depends on the time that they take.
        let timed = timed(&slot, target, MANY * 10);
        assert!((10..=10 * MANY / 1024).contains(&timed), "{timed}");
        assert_eq!(slot.watched(target), (1 + MANY * 10) as u64);
    }
}

#[test]
fn another_thread_has_the_next_call_timed() {
    let (slot, target) = (Slot::new(), CallTarget::plugin(5));
    timed(&slot, target, 10);
    assert_eq!(timed(&slot, target, 10), 0);
    slot.time_next(target);
    assert_eq!(timed(&slot, target, 10), 1);
}

#[test]
fn more_calls_of_a_thread_that_calls_seldom_are_timed() {
    assert_eq!(period(Duration::from_millis(39)), MANY as u64);
    assert_eq!(period(Duration::from_millis(40)), 1024);
}

#[test]
fn calls_are_counted_by_plugin() {
    let slot = Slot::new();
    let [few, many, most] = [3, 70, 700].map(CallTarget::plugin);
    timed(&slot, few, 5);
    timed(&slot, many, 50);
    timed(&slot, most, 3);
    timed(&slot, few, 5);
    timed(&slot, many, 1);
    timed(&slot, CallTarget::ANYTHING, 7);
    let counts = [few, many, most].map(|target| slot.watched(target));
    assert_eq!(counts, [10, 51, 3]);
    assert_eq!(slot.watched(CallTarget::plugin(4)), 0);
    assert_eq!(slot.watched(CallTarget::ANYTHING), 7);
}
