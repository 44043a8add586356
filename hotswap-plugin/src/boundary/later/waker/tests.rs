use super::{LastWaker, WakerView};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn lend<T>(known: &mut LastWaker, waker: &Waker, poll: impl FnOnce(&Waker) -> T) -> T {
    // SAFETY: the waker lives until this returns.
    unsafe { known.lend(WakerView::of(waker), poll) }
}

#[test]
fn what_is_kept_wakes_when_all_else_is_gone() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut known = LastWaker::default();
    let kept = lend(&mut known, &waker, |lent| {
        lent.wake_by_ref();
        assert_eq!(count.0.load(SeqCst), 1);
        lent.clone()
    });
    drop((known, waker));
    kept.wake_by_ref();
    let again = kept.clone();
    again.wake();
    assert_eq!(count.0.load(SeqCst), 3);
    assert_eq!(Arc::strong_count(&count), 2);
    drop(kept);
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn the_same_waker_is_kept_once_and_another_one_is_another() {
    let (one, other) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let (first, second) = (Waker::from(one.clone()), Waker::from(other.clone()));
    let mut known = LastWaker::default();
    let kept = lend(&mut known, &first, Waker::clone);
    lend(&mut known, &first, |again| assert!(again.will_wake(&kept)));
    // The waker of the test, the waker that was lent, and the one that was kept.
    assert_eq!(Arc::strong_count(&one), 3);
    lend(&mut known, &second, |another| {
        assert!(!another.will_wake(&kept));
        let kept = another.clone();
        kept.wake();
    });
    assert_eq!((one.0.load(SeqCst), other.0.load(SeqCst)), (0, 1));
}

/// The next waker may have the address of one that is gone. What was kept of that one is another waker.
#[test]
fn a_waker_at_the_same_address_is_another() {
    let (one, other) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let (first, second) = (Waker::from(one.clone()), Waker::from(other.clone()));
    let kept = |waker| lend(&mut LastWaker::default(), waker, Waker::clone);
    let mut known = LastWaker::default();
    let owned = kept(&first);
    lend(&mut known, &owned, |lent| drop(lent.clone()));
    let address = owned.data().addr();
    // Each waker that is kept is two allocations of this size. The first one takes the place of `spare`.
    let spare = std::hint::black_box(Box::new([0_usize; 7]));
    drop(owned);
    drop(spare);
    let mut others: Vec<Waker> = Vec::new();
    while others.len() < 100
        && others
            .last()
            .is_none_or(|last| last.data().addr() != address)
    {
        others.push(kept(&second));
    }
    lend(&mut known, others.last().unwrap(), Waker::wake_by_ref);
    assert_eq!((one.0.load(SeqCst), other.0.load(SeqCst)), (0, 1));
}

#[test]
fn what_is_lent_on_is_the_first_lenders() {
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let (mut outer, mut inner) = (LastWaker::default(), LastWaker::default());
    let mut kept = || {
        lend(&mut outer, &waker, |lent| {
            lend(&mut inner, lent, Waker::clone)
        })
    };
    let (first, again) = (kept(), kept());
    assert!(first.will_wake(&again));
    drop((outer, inner, waker));
    first.wake();
    assert_eq!(count.0.load(SeqCst), 1);
    drop(again);
    assert_eq!(Arc::strong_count(&count), 1);
}
