//! Wakers, as they cross.
//!
//! While a future is polled, its waker is *lent*: a [`WakerView`] on the caller's stack, with two C functions of the
//! caller's. Whoever is polled makes a waker of its own library of that, whose vtable lies in its own library. When that is
//! cloned, it is *kept*: the caller makes an object of its waker that is counted as every object is that another library
//! owns ([`Held`](crate::Held)). So
//! - a waker that the host has lent is in the host's memory when it is kept, and may be used for ever: after the future, or
//!   the host's runtime, is gone, and from a plugin's thread;
//! - a waker that a plugin has made itself (a task of its own, a combinator) is counted for the plugin's library, which
//!   stays in memory while it is kept, and is named (`1 object (Waker) that … has`);
//! - a waker that a plugin was lent, and lends on, is the first lender's, whoever keeps it: what lies between may leave.
use crate::boundary::abi::Status;
use crate::boundary::call::drop_quietly;
use crate::boundary::counted::{Counted, count, own_token};
use crate::contract::Ticket;
use crate::contract::shim::Token;
use crate::contract::ticket::RawTicket;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::from_ref;
use std::sync::{Arc, OnceLock};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker that is lent for the time of a poll.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WakerView {
    waker: *const (),
    /// Two views with the same are of the same waker, as long as a waker of one is kept that is [`stable`](RawKept).
    same: [*const (); 2],
    /// Makes a waker that can be kept, with a count of the library that `by` names. [`Status::PANICKED`] where it could not.
    /// Does not unwind.
    keep: unsafe extern "C" fn(waker: *const (), by: Token, to: *mut RawKept) -> Status,
    wake: Wake,
}

/// Has the future polled again. Does not unwind.
type Wake = unsafe extern "C" fn(waker: *const ());

/// A waker that can be kept, as it crosses: an object, and a count of it, which the receiver takes over.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawKept {
    waker: *const (),
    wake: Wake,
    ticket: RawTicket,
    /// Whether it has the identity of the one that was lent: as long as it is there, no other waker has.
    stable: bool,
}

// SAFETY: what it shows is a waker, which may be used from any thread.
unsafe impl Send for WakerView {}
// SAFETY: as above.
unsafe impl Sync for WakerView {}

impl WakerView {
    /// Lends this waker: the view can be used as long as it is there.
    #[inline]
    pub fn of(waker: &Waker) -> Self {
        if std::ptr::eq(waker.vtable(), &LENT) {
            // SAFETY: a waker with this vtable is one that `Known::lend` made, and is borrowed from there.
            return unsafe { (*waker.data().cast::<Lent>()).view };
        }
        WakerView {
            waker: from_ref(waker).cast(),
            same: [waker.data(), from_ref(waker.vtable()).cast()],
            keep,
            wake,
        }
    }

    /// # Panics
    /// When the waker panics as it is cloned.
    ///
    /// # Safety
    /// The waker is lent at this time.
    unsafe fn keep(&self) -> Kept {
        let mut raw = RawKept {
            waker: self.waker,
            wake: self.wake,
            ticket: RawTicket::NONE,
            stable: false,
        };
        // SAFETY: the caller's promise; the token is that of this library.
        let status = unsafe { (self.keep)(self.waker, own_token(), &mut raw) };
        assert!(
            status == Status::OK,
            "the waker panicked when it was cloned"
        );
        Kept {
            waker: raw.waker,
            wake: raw.wake,
            counted: Counted::new(raw.ticket.0.cast()),
            stable: raw.stable,
        }
    }
}

unsafe extern "C" fn keep(waker: *const (), by: Token, to: *mut RawKept) -> Status {
    let keep = || {
        // SAFETY: `WakerView::of` made this of a waker, which is lent.
        let waker = unsafe { &*waker.cast::<Waker>() };
        if std::ptr::eq(waker.vtable(), &OWNED) {
            // SAFETY: the data of a waker with this vtable.
            return unsafe { (*waker.data().cast::<Kept>()).lend(by, true) };
        }
        let clone = waker.clone();
        let stable = clone.will_wake(waker);
        let (waker, counted) = count(clone, "Waker");
        let made = Kept {
            waker,
            wake,
            counted,
            stable,
        };
        // SAFETY: the token is the caller's.
        unsafe { made.lend(by, stable) }
    };
    match catch_unwind(AssertUnwindSafe(keep)) {
        Ok(kept) => {
            // SAFETY: the caller's memory.
            unsafe { to.write(kept) };
            Status::OK
        }
        Err(payload) => {
            drop_quietly(payload);
            Status::PANICKED
        }
    }
}

unsafe extern "C" fn wake(waker: *const ()) {
    // SAFETY: `WakerView::of` made this of a waker, which is lent.
    let waker = unsafe { &*waker.cast::<Waker>() };
    quietly(|| waker.wake_by_ref());
}

/// Whoever wakes has nothing to do with a panic of that.
fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        drop_quietly(payload);
    }
}

/// The waker of the last poll, where it was kept.
#[derive(Default)]
pub(super) struct Known(Option<([*const (); 2], Waker)>);

// SAFETY: the addresses are compared, never followed.
unsafe impl Send for Known {}

impl Known {
    /// Polls with the waker. It is the same one as before where the caller's is: whoever keeps it once need not do so
    /// again.
    ///
    /// # Safety
    /// The waker is lent until this returns.
    #[inline]
    pub(super) unsafe fn lend<T>(&mut self, view: WakerView, poll: impl FnOnce(&Waker) -> T) -> T {
        if let Some((same, waker)) = &self.0
            && *same == view.same
        {
            return poll(waker);
        }
        let lent = Lent {
            view,
            kept: OnceLock::new(),
        };
        // SAFETY: the functions of this vtable want a `Lent`, which is there as long as the waker is; it is not dropped,
        // since there is nothing to drop.
        let waker = ManuallyDrop::new(unsafe {
            Waker::from_raw(RawWaker::new(from_ref(&lent).cast(), &LENT))
        });
        let polled = poll(&waker);
        // The address of a waker means another one when nobody has the first any more: this one stays until then.
        self.0 = lent
            .kept
            .into_inner()
            .filter(|kept| kept.stable)
            .map(|kept| (view.same, owned(kept)));
        polled
    }
}

/// What a waker is on the stack of a poll.
struct Lent {
    view: WakerView,
    kept: OnceLock<Arc<Kept>>,
}

/// A waker of another library, or of this one, as an object that is counted.
struct Kept {
    waker: *const (),
    wake: Wake,
    counted: Counted,
    /// See [`RawKept`].
    stable: bool,
}

// SAFETY: a waker may be used from any thread.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl Kept {
    /// One more count of it, for this library.
    ///
    /// # Safety
    /// The token names a library whose code runs.
    unsafe fn lend(&self, by: Token, stable: bool) -> RawKept {
        let ticket: *const Ticket = self.counted.ticket();
        // SAFETY: this is a count; the token is valid by the caller's promise.
        unsafe { Ticket::retain(ticket, by) };
        RawKept {
            waker: self.waker,
            wake: self.wake,
            ticket: RawTicket(ticket.cast()),
            stable,
        }
    }
}

static LENT: RawWakerVTable = RawWakerVTable::new(clone_lent, wake_lent, wake_lent, |_| {});
static OWNED: RawWakerVTable =
    RawWakerVTable::new(clone_owned, wake_owned, wake_owned_by_ref, drop_owned);

unsafe fn clone_lent(lent: *const ()) -> RawWaker {
    // SAFETY: the data of a waker with the vtable `LENT`, which is lent as long as that is there.
    let lent = unsafe { &*lent.cast::<Lent>() };
    // SAFETY: as above.
    let kept = lent
        .kept
        .get_or_init(|| Arc::new(unsafe { lent.view.keep() }));
    raw(kept.clone())
}

unsafe fn wake_lent(lent: *const ()) {
    // SAFETY: as in `clone_lent`.
    unsafe {
        let view = &(*lent.cast::<Lent>()).view;
        (view.wake)(view.waker);
    }
}

fn raw(kept: Arc<Kept>) -> RawWaker {
    RawWaker::new(Arc::into_raw(kept).cast(), &OWNED)
}

fn owned(kept: Arc<Kept>) -> Waker {
    // SAFETY: the functions of the vtable want what `raw` made of an `Arc`, and keep its count.
    unsafe { Waker::from_raw(raw(kept)) }
}

unsafe fn clone_owned(kept: *const ()) -> RawWaker {
    // SAFETY: made by `raw`, and counted.
    unsafe { Arc::increment_strong_count(kept.cast::<Kept>()) };
    RawWaker::new(kept, &OWNED)
}

unsafe fn wake_owned(kept: *const ()) {
    // SAFETY: made by `raw`; the count is the caller's.
    unsafe {
        wake_owned_by_ref(kept);
        drop_owned(kept);
    }
}

unsafe fn wake_owned_by_ref(kept: *const ()) {
    // SAFETY: made by `raw`, and counted.
    let kept = unsafe { &*kept.cast::<Kept>() };
    // Nobody waits for one that was dropped with its plugin.
    if !kept.counted.ticket().is_revoked() {
        // SAFETY: the object is there as long as it is counted.
        unsafe { (kept.wake)(kept.waker) };
    }
}

unsafe fn drop_owned(kept: *const ()) {
    // SAFETY: made by `raw`; the count is the caller's.
    drop(unsafe { Arc::from_raw(kept.cast::<Kept>()) });
}

#[cfg(test)]
mod tests {
    use super::{Known, WakerView};
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

    fn lend<T>(known: &mut Known, waker: &Waker, poll: impl FnOnce(&Waker) -> T) -> T {
        // SAFETY: the waker is there until this returns.
        unsafe { known.lend(WakerView::of(waker), poll) }
    }

    #[test]
    fn what_is_kept_wakes_when_all_else_is_gone() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut known = Known::default();
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
        let mut known = Known::default();
        let kept = lend(&mut known, &first, Waker::clone);
        lend(&mut known, &first, |again| assert!(again.will_wake(&kept)));
        // The test's, what it is cloned from, and what is kept of it.
        assert_eq!(Arc::strong_count(&one), 3);
        lend(&mut known, &second, |another| {
            assert!(!another.will_wake(&kept));
            let kept = another.clone();
            kept.wake();
        });
        assert_eq!((one.0.load(SeqCst), other.0.load(SeqCst)), (0, 1));
    }

    #[test]
    fn what_is_lent_on_is_the_first_lenders() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let (mut outer, mut inner) = (Known::default(), Known::default());
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
}
