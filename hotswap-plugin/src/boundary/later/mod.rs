//! Results that come later: what an `async fn` of one library gives to another.
//!
//! An `async fn` crosses as a function with the result [`Later<R>`]: a future that belongs to the library that made it,
//! with two C functions. The caller *polls* it, and lends a waker and memory for the result, which arrives as that of any
//! call does; and *drops* it, which ends it wherever it is. Both catch in the callee. Parameters are copied before the first
//! poll, so a future borrows nothing of its caller.
//!
//! A future is polled by one caller at a time, from whichever thread. Whoever has one keeps the instance that it runs in:
//! the host counts it as a call (`async_call` there), a plugin has its import for as long. It borrows the handle, so it is
//! dropped before that ([`Awaited`] has a `Drop`, which is what makes the compiler look). A future of an object that others
//! own is counted beside the object, since the host may drop both while they have owners: then the future ends first, and
//! what is left of it here leads nowhere.
//!
//! Wakers cross in the other direction: see [`waker`].
mod signature;
pub mod waker;

pub use signature::AsyncSignature;

use crate::boundary::abi::{LaterTable, LaterView, Out, RawLater, Status};
use crate::boundary::call::{Panicked, caught, drop_quietly, put, raise, try_receive_later};
use crate::boundary::counted::Counted;
use crate::boundary::describe::{FieldDesc, Kind, TypeDesc};
use crate::boundary::interface::Object;
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::Arena;
use crate::contract::ticket::RawDrop;
use crate::runtime;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::*};
use std::task::{Context, Poll, Waker};
use waker::{Known, WakerView};

/// The result of an `async fn`, which comes later: a future of the library that made it.
///
/// Neither this nor what is made of it has a bound on the type of the result: the compiler would want to see it proved for
/// types with other lifetimes than they have, wherever it asks whether an `async` block is `Send`.
pub struct Later<R> {
    raw: RawLater,
    result: PhantomData<fn() -> R>,
}

/// Goes on with a future. [`Status::PENDING`] until it is ready or has panicked, after which it is not polled again.
type PollFn<V> =
    unsafe extern "C" fn(future: *mut (), waker: *const WakerView, out: *mut Out<V>) -> Status;

// SAFETY: made of a future that is `Send`, by `new`; the table is constant. The result is made where it is polled.
unsafe impl<R> Send for Later<R> {}

/// A future in the library that made it.
struct Made<F> {
    future: F,
    /// The waker of the last poll, as far as it was kept.
    waker: Known,
}

impl<R: Shared> Later<R> {
    /// What this future gives.
    pub fn new<F>(future: F) -> Self
    where
        F: Future<Output = R> + Send + 'static,
    {
        let made = Box::new(Made {
            future,
            waker: Known::default(),
        });
        Later {
            raw: RawLater {
                future: AtomicPtr::new(Box::into_raw(made).cast()),
                table: const { &LaterTable::of::<R, F>() },
            },
            result: PhantomData,
        }
    }

    /// Goes on with it; the caller's end of a poll.
    ///
    /// # Errors
    /// It panicked.
    ///
    /// # Panics
    /// When it has ended before; otherwise as [`try_receive`](super::try_receive).
    #[inline]
    pub fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, Panicked>> {
        let polled = self.poll(cx);
        if polled.is_ready() {
            self.end();
        }
        polled
    }

    /// As [`try_poll`](Self::try_poll), and leaves the future where it is.
    // Both of its callers are on the way of every poll.
    #[inline(always)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, Panicked>> {
        let future = *self.raw.future.get_mut();
        assert!(!future.is_null(), "polled after it had ended");
        let waker = WakerView::of(cx.waker());
        // SAFETY: the type of the result was compared before this arrived, and so is the table's; whoever has the future
        // keeps its library. It was not dropped, and is not polled by others: it is borrowed.
        unsafe {
            let poll = (*self.raw.table).poll;
            let poll = std::mem::transmute::<*const (), PollFn<R::View>>(poll);
            try_receive_later(|out| poll(future, &waker, out))
        }
    }
}

impl<R> Later<R> {
    /// Drops the future in its library, if it is still there.
    fn end(&mut self) {
        let future = self.take();
        if !future.is_null() {
            // SAFETY: whoever has the future keeps its library; the place is empty now.
            unsafe { ((*self.raw.table).drop)(future) };
        }
    }

    /// Takes the future away, to be dropped by somebody else. Null if it was taken before.
    fn take(&mut self) -> *mut () {
        std::mem::replace(self.raw.future.get_mut(), null_mut())
    }
}

impl<R> Drop for Later<R> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<R> fmt::Debug for Later<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").finish_non_exhaustive()
    }
}

impl LaterTable {
    const fn of<R: Shared, F: Future<Output = R>>() -> Self {
        LaterTable {
            poll: poll::<R, F> as *const (),
            drop: free::<F>,
        }
    }
}

unsafe extern "C" fn poll<R: Shared, F: Future<Output = R>>(
    future: *mut (),
    waker: *const WakerView,
    out: *mut Out<R::View>,
) -> Status {
    let mut status = Status::PENDING;
    let go_on = || {
        // SAFETY: made by `Later::new` for the same `F`, and not polled by others meanwhile; the caller lends the waker.
        let (made, waker) = unsafe { (&mut *future.cast::<Made<F>>(), *waker) };
        // SAFETY: it stays in its box until it is dropped there.
        let future = unsafe { Pin::new_unchecked(&mut made.future) };
        let poll = |waker: &Waker| future.poll(&mut Context::from_waker(waker));
        // SAFETY: the caller lends the waker for this call.
        let polled = runtime::within(|| unsafe { made.waker.lend(waker, poll) });
        if let Poll::Ready(result) = polled {
            // SAFETY: `out` comes from `try_poll`, for a result with this view.
            unsafe { put(out, result) };
            status = Status::OK;
        }
    };
    // SAFETY: `out` comes from `try_poll`, which reads it when this has returned.
    match unsafe { caught(out, go_on) } {
        Status::OK => status,
        panicked => panicked,
    }
}

unsafe extern "C" fn free<F>(future: *const ()) {
    // SAFETY: made by `Later::new` for the same `F`, and dropped once.
    let made = unsafe { Box::from_raw(future.cast_mut().cast::<Made<F>>()) };
    runtime::within(|| drop_quietly(made));
}

// SAFETY: the view is an address, of a `repr(C)` struct that is the same everywhere. It can be read while the value is
// alive. What that gives has the future for itself: taking it leaves nothing behind.
unsafe impl<R: Shared> Shared for Later<R> {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<LaterView>("", "Later", Kind::Later, &[FieldDesc::new("", R::TYPE)]);
    type View = LaterView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;

    #[inline]
    fn view(&self, _: &Arena) -> LaterView {
        LaterView(&raw const self.raw)
    }

    #[inline]
    unsafe fn from_view(view: LaterView) -> Self {
        // SAFETY: by the caller's promise, what the view shows is alive.
        let raw = unsafe { &*view.0 };
        // By one receiver, in the call that gives it: no other thread sees this.
        let future = raw.future.load(Relaxed);
        raw.future.store(null_mut(), Relaxed);
        Later {
            raw: RawLater {
                future: AtomicPtr::new(future),
                table: raw.table,
            },
            result: PhantomData,
        }
    }

    /// The name of its type: a future has no value.
    fn to_value(&self) -> Value {
        Value::Str(Self::TYPE.to_string())
    }

    /// # Errors
    /// Always: a future cannot be made from a value.
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Err(ValueError::new(&Self::TYPE.to_string(), &value))
    }
}

/// What an `async` method of an import or of an object gives: a future that borrows it, and none of the arguments.
///
/// A panic of the implementation goes on as a panic of who awaits it. Dropping the future ends the call.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Awaited<'a, R> {
    later: Later<R>,
    /// Counts the future, where the object is counted. Then the future is dropped by that alone, and is no longer there
    /// once it says so.
    counted: Option<Counted>,
    lender: PhantomData<&'a ()>,
}

impl<'a, R> Awaited<'a, R> {
    /// What a method of this object has given, and will give later.
    #[inline]
    pub fn of<T>(object: &'a Object<T>, mut later: Later<R>) -> Self {
        let future = *later.raw.future.get_mut();
        let count = object.count().filter(|_| !future.is_null());
        let counted = count.and_then(|counted| {
            let future = RawDrop {
                object: future,
                // SAFETY: the future has not ended, so its library is there.
                drop: unsafe { (*later.raw.table).drop },
            };
            // SAFETY: `end` has only one of both drop it.
            unsafe { counted.adopt(future) }
        });
        Awaited {
            later,
            counted,
            lender: PhantomData,
        }
    }
}

impl<R> Awaited<'_, R> {
    /// Drops the future, if it is still there.
    fn end(&mut self) {
        match self.counted.take() {
            Some(counted) => {
                self.later.take();
                drop(counted);
            }
            None => self.later.end(),
        }
    }
}

/// Also keeps who has this from dropping first what it borrows.
impl<R> Drop for Awaited<'_, R> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<R: Shared> Future for Awaited<'_, R> {
    type Output = R;

    /// # Panics
    /// As the implementation does; when it has ended before, or the object has been dropped with its plugin.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        if let Some(counted) = &self.counted {
            counted.check();
        }
        let polled = self.later.poll(cx);
        if polled.is_ready() {
            self.end();
        }
        polled.map(|result| match result {
            Ok(result) => result,
            Err(panicked) => raise(panicked.text),
        })
    }
}

impl<R> fmt::Debug for Awaited<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.later.fmt(f)
    }
}
