//! Wakers, and how they cross.
//!
//! While a future is polled, its waker is *lent*: the callee gets a [`WakerView`] on the caller's stack, with two C
//! functions of the caller. The callee makes a waker of its own library from the view, whose vtable lies in its own
//! library. A clone of that waker is *kept*: the caller makes an object of its waker, which is counted as every object
//! is that another library owns ([`Held`](crate::Held)). So
//! - a kept waker of the host lies in the host's memory, and may be used for ever: after the future, or the host's
//!   runtime, is gone, and from a plugin's thread;
//! - a kept waker that a plugin has made itself (a task of its own, a combinator) is counted for the plugin's library,
//!   which stays in memory meanwhile, and is named (`1 object (Waker) that … has`);
//! - a waker that a plugin was lent, and lends on, belongs to the first lender, whoever keeps it. The plugins in
//!   between may leave.
#![allow(
    unsafe_code,
    reason = "it makes wakers of addresses, and wakes by them"
)]
use crate::boundary::abi::Status;
use crate::boundary::call::{drop_quietly, quietly};
use crate::contract::shim::Token;
use crate::contract::ticket::RawTicket;
use crate::host::{Counted, own_token};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::from_ref;
use std::sync::{Arc, OnceLock};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A waker that is lent for the duration of a poll.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WakerView {
    waker: *const (),
    /// Two views with equal addresses are of the same waker, as long as a [`stable`](RawKept) waker of one of them is
    /// kept.
    same: [*const (); 2],
    /// Makes a waker that can be kept, with a count of the library that `by` names. Returns [`Status::PANICKED`] if
    /// that panicked. Does not unwind.
    keep: unsafe extern "C" fn(waker: *const (), by: Token, to: *mut RawKept) -> Status,
    wake: Wake,
}

/// Wakes the waker, so that the future is polled again. Does not unwind.
type Wake = unsafe extern "C" fn(waker: *const ());

/// A waker that can be kept, as it crosses: an object, and a count of it, which the receiver takes over.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawKept {
    waker: *const (),
    wake: Wake,
    ticket: RawTicket,
    /// True if it has the identity of the waker that was lent: as long as it exists, no other waker has that identity.
    stable: bool,
}

// SAFETY: the view shows a waker, which may be used from any thread.
unsafe impl Send for WakerView {}
// SAFETY: the view shows a waker, which may be used from several threads at once.
unsafe impl Sync for WakerView {}

impl WakerView {
    /// Lends this waker. The view can be used as long as the waker lives.
    #[inline]
    pub fn of(waker: &Waker) -> Self {
        if std::ptr::eq(waker.vtable(), &LENT) {
            // SAFETY: a waker with this vtable is one that `LastWaker::lend` made and lends, so its data is a
            // `LentWaker` that is alive.
            return unsafe { (*waker.data().cast::<LentWaker>()).view };
        }
        let same = if std::ptr::eq(waker.vtable(), &OWNED) {
            // The identity of the object, which is what a receiver keeps. The `KeptWaker` may be gone before that.
            // SAFETY: a waker with this vtable has a `KeptWaker` as its data.
            let kept = unsafe { &*waker.data().cast::<KeptWaker>() };
            [kept.waker, kept.wake as *const ()]
        } else {
            [waker.data(), from_ref(waker.vtable()).cast()]
        };
        WakerView {
            waker: from_ref(waker).cast(),
            same,
            keep,
            wake,
        }
    }

    /// Returns a clone that can be kept.
    ///
    /// # Panics
    /// Panics if the waker panics when it is cloned.
    ///
    /// # Safety
    /// The waker is lent at this time.
    unsafe fn keep(&self) -> KeptWaker {
        let mut raw = RawKept {
            waker: self.waker,
            wake: self.wake,
            ticket: RawTicket::NONE,
            stable: false,
        };
        // SAFETY: the caller guarantees that the waker is lent. The token is that of this library, for which the function
        // returns a ticket with a count.
        let counted = unsafe {
            let status = (self.keep)(self.waker, own_token(), &mut raw);
            assert!(
                status == Status::OK,
                "the waker panicked when it was cloned"
            );
            Counted::new(raw.ticket)
        };
        KeptWaker {
            waker: raw.waker,
            wake: raw.wake,
            counted,
            stable: raw.stable,
        }
    }
}

unsafe extern "C" fn keep(waker: *const (), by: Token, to: *mut RawKept) -> Status {
    // SAFETY: `WakerView::of` made the address from a waker, which is lent. `to` is the caller's memory for the result,
    // and the token is that of the caller, whose code runs.
    let keep = || unsafe { to.write(kept(&*waker.cast::<Waker>()).lend(by)) };
    match catch_unwind(AssertUnwindSafe(keep)) {
        Ok(()) => Status::OK,
        Err(payload) => {
            drop_quietly(payload);
            Status::PANICKED
        }
    }
}

/// Returns a clone of the waker that can be kept.
fn kept(waker: &Waker) -> KeptWaker {
    if std::ptr::eq(waker.vtable(), &OWNED) {
        // SAFETY: a waker with this vtable has a `KeptWaker` as its data.
        let kept = unsafe { &*waker.data().cast::<KeptWaker>() };
        return KeptWaker {
            counted: kept.counted.clone(),
            stable: true,
            ..*kept
        };
    }
    let clone = waker.clone();
    let stable = clone.will_wake(waker);
    let (waker, counted) = Counted::of(clone, "Waker");
    KeptWaker {
        waker,
        wake,
        counted,
        stable,
    }
}

unsafe extern "C" fn wake(waker: *const ()) {
    // SAFETY: `WakerView::of` made the address from a waker, which is lent.
    let waker = unsafe { &*waker.cast::<Waker>() };
    // The caller that wakes cannot do anything about a panic.
    quietly(|| waker.wake_by_ref());
}

/// The waker of the last poll, if it was kept.
#[derive(Default)]
pub(super) struct LastWaker(Option<([*const (); 2], Waker)>);

// SAFETY: the addresses are compared, and never followed.
unsafe impl Send for LastWaker {}

impl LastWaker {
    /// Polls with the waker. If the caller's waker is the same as before, so is the one for the callee, which need not
    /// keep it again then.
    ///
    /// # Safety
    /// The waker is lent until this function returns.
    #[inline]
    pub(super) unsafe fn lend<T>(&mut self, view: WakerView, poll: impl FnOnce(&Waker) -> T) -> T {
        if let Some((same, waker)) = &self.0
            && *same == view.same
        {
            return poll(waker);
        }
        let lent = LentWaker {
            view,
            kept: OnceLock::new(),
        };
        // SAFETY: the functions of this vtable expect a `LentWaker`, which lives as long as the waker. The waker is not
        // dropped, since there is nothing to drop.
        let waker = ManuallyDrop::new(unsafe {
            Waker::from_raw(RawWaker::new(from_ref(&lent).cast(), &LENT))
        });
        let polled = poll(&waker);
        // The address of a waker may stand for another one once the first is gone. A kept one prevents that.
        self.0 = lent
            .kept
            .into_inner()
            .filter(|kept| kept.stable)
            .map(|kept| (view.same, owned(kept)));
        polled
    }
}

/// The data of a waker on the stack of a poll.
struct LentWaker {
    view: WakerView,
    kept: OnceLock<Arc<KeptWaker>>,
}

/// A waker of another library, or of this one, as a counted object.
struct KeptWaker {
    waker: *const (),
    wake: Wake,
    counted: Counted,
    /// See [`RawKept`].
    stable: bool,
}

// SAFETY: a waker may be used from any thread.
unsafe impl Send for KeptWaker {}
// SAFETY: a waker may be used from several threads at once.
unsafe impl Sync for KeptWaker {}

impl KeptWaker {
    /// Adds a count for the library that `by` names.
    ///
    /// # Safety
    /// The token names a library whose code runs.
    unsafe fn lend(&self, by: Token) -> RawKept {
        RawKept {
            waker: self.waker,
            wake: self.wake,
            // SAFETY: the caller guarantees that the token is valid.
            ticket: unsafe { self.counted.retain(by) },
            stable: self.stable,
        }
    }
}

static LENT: RawWakerVTable = RawWakerVTable::new(clone_lent, wake_lent, wake_lent, |_| {});
static OWNED: RawWakerVTable =
    RawWakerVTable::new(clone_owned, wake_owned, wake_owned_by_ref, drop_owned);

unsafe fn clone_lent(lent: *const ()) -> RawWaker {
    // SAFETY: the data of a waker with the vtable `LENT` is a `LentWaker`, which lives as long as the waker, and so the
    // waker is lent.
    let kept = unsafe {
        let lent = &*lent.cast::<LentWaker>();
        lent.kept.get_or_init(|| Arc::new(lent.view.keep()))
    };
    raw(kept.clone())
}

unsafe fn wake_lent(lent: *const ()) {
    // SAFETY: the data of a waker with the vtable `LENT` is a `LentWaker`, which lives as long as the waker, and so the
    // waker is lent.
    unsafe {
        let view = &(*lent.cast::<LentWaker>()).view;
        (view.wake)(view.waker);
    }
}

fn raw(kept: Arc<KeptWaker>) -> RawWaker {
    RawWaker::new(Arc::into_raw(kept).cast(), &OWNED)
}

fn owned(kept: Arc<KeptWaker>) -> Waker {
    // SAFETY: the functions of the vtable expect the result of `raw`, made of an `Arc`, and keep its count.
    unsafe { Waker::from_raw(raw(kept)) }
}

unsafe fn clone_owned(kept: *const ()) -> RawWaker {
    // SAFETY: `raw` made the address from an `Arc`, and this waker has a count of it.
    unsafe { Arc::increment_strong_count(kept.cast::<KeptWaker>()) };
    RawWaker::new(kept, &OWNED)
}

unsafe fn wake_owned(kept: *const ()) {
    // SAFETY: `raw` made the address from an `Arc`, and the caller passes its count on.
    unsafe {
        wake_owned_by_ref(kept);
        drop_owned(kept);
    }
}

unsafe fn wake_owned_by_ref(kept: *const ()) {
    // SAFETY: `raw` made the address from an `Arc`, and this waker has a count of it. That one has a count of the object,
    // which is alive as long as it is counted and was not revoked.
    unsafe {
        let kept = &*kept.cast::<KeptWaker>();
        // A waker that was dropped with its plugin has no future to wake.
        if !kept.counted.ticket().is_revoked() {
            (kept.wake)(kept.waker);
        }
    }
}

unsafe fn drop_owned(kept: *const ()) {
    // SAFETY: `raw` made the address from an `Arc`, and the caller passes its count on.
    drop(unsafe { Arc::from_raw(kept.cast::<KeptWaker>()) });
}

#[cfg(test)]
mod tests;
