//! Tests of the slot that the model checker does not make.
use super::slot::{CallTarget, Slot};

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
fn one_call_in_many_is_timed() {
    for target in [CallTarget::plugin(0), CallTarget::ANYTHING] {
        let slot = Slot::new();
        // The first call of a target has no count yet.
        assert_eq!(timed(&slot, target, 1), 1);
        assert_eq!(timed(&slot, target, 1024 * 10), 10);
        assert_eq!(slot.watched(target), 1 + 1024 * 10);
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
