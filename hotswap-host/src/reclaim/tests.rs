//! Tests of the slot that the model checker does not make.
use super::slot::{CallTarget, Slot};

/// Makes this many watched calls, and returns the number of those that are timed.
fn timed(slot: &Slot, target: CallTarget, calls: usize) -> usize {
    let mut timed = 0;
    for _ in 0..calls {
        if !slot.count_untimed(target) {
            slot.count_watched(target);
            slot.timed();
            timed += 1;
        }
    }
    timed
}

#[test]
fn more_calls_are_timed_at_first_than_later() {
    for target in [CallTarget::plugin(0), CallTarget::ANYTHING] {
        let slot = Slot::new();
        // The first call of a target has no count yet.
        assert_eq!(timed(&slot, target, 1), 1);
        assert_eq!(timed(&slot, target, 4096 * 10), 10);
        slot.time_calls();
        assert_eq!(timed(&slot, target, 16 * 64), 64);
        assert_eq!(timed(&slot, target, 4096 * 10), 10);
        let calls = 1 + 4096 * 20 + 16 * 64;
        assert_eq!(slot.watched(target), calls);
    }
}

#[test]
fn calls_are_counted_by_plugin() {
    let slot = Slot::new();
    let [few, many] = [3, 70].map(CallTarget::plugin);
    timed(&slot, few, 5);
    timed(&slot, many, 50);
    timed(&slot, few, 5);
    timed(&slot, CallTarget::ANYTHING, 7);
    assert_eq!([few, many].map(|target| slot.watched(target)), [10, 50]);
    assert_eq!(slot.watched(CallTarget::plugin(4)), 0);
    assert_eq!(slot.watched(CallTarget::ANYTHING), 7);
}
