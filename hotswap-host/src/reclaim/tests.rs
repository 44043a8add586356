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
    for (target, beyond) in [
        (CallTarget::ANYTHING, false),
        (CallTarget::plugin(61), false),
        (CallTarget::plugin(62), true),
        (CallTarget::plugin(1000), true),
    ] {
        let slot = Slot::new();
        // The first call of a target that is beyond the slot's own counts has no count yet.
        let first = timed(&slot, target, 1);
        assert_eq!(first == 1, beyond);
        assert_eq!(timed(&slot, target, 1024 * 10), 10);
        assert_eq!(slot.watched(target), 1 + 1024 * 10);
    }
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
