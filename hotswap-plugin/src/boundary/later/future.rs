//! `Later`, a future of one library that another one polls, and `Awaited`, one that borrows an object.
#![allow(unsafe_code, reason = "it polls and drops futures by their addresses")]
use crate::boundary::abi::{LaterTable, LaterView, Out, RawLater, Status};
use crate::boundary::call::{
    Panicked, answer, caught, drop_quietly, put, quietly, raise, try_receive, try_receive_later,
};
use crate::boundary::describe::{FieldDesc, Kind, TypeDesc};
use crate::boundary::invoke_error::{DynamicResult, InvokeError};
use crate::boundary::later::waker::{LastWaker, WakerView};
use crate::boundary::noted::NotedErrors;
use crate::boundary::object::Object;
use crate::boundary::shared::{Return, Shared};
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::Arena;
use crate::contract::ticket::RawDrop;
use crate::host::Counted;
use crate::runtime;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::*};
use std::task::{Context, Poll, Waker};

/// The result of an `async fn`: a future of the library that made it.
///
/// Neither this type nor a type that is made of it has a bound on the type of the result. Otherwise the compiler would
/// demand a proof of the bound for other lifetimes than those of the result, wherever it checks whether an `async`
/// block is `Send`.
pub struct Later<R> {
    raw: RawLater,
    result: PhantomData<fn() -> R>,
}

/// Polls a future. Returns [`Status::PENDING`] until the future is ready or has panicked. After that it is not polled
/// again.
type PollFn<V> =
    unsafe extern "C" fn(future: *mut (), waker: *const WakerView, out: *mut Out<V>) -> Status;

// SAFETY: `new` makes it of a future that is `Send`, and the table is constant. The result is made where the future is
// polled.
unsafe impl<R> Send for Later<R> {}

/// A future in the library that made it.
struct OwnedFuture<F> {
    future: F,
    /// The waker of the last poll, if it was kept.
    waker: LastWaker,
}

impl<R: Shared> Later<R> {
    /// Makes the result from a future.
    pub fn new<F>(future: F) -> Self
    where
        F: Future<Output = R> + Send + 'static,
    {
        let made = Box::new(OwnedFuture {
            future,
            waker: LastWaker::default(),
        });
        Later {
            raw: RawLater {
                future: AtomicPtr::new(Box::into_raw(made).cast()),
                table: const { &LaterTable::of::<R, F>() },
            },
            result: PhantomData,
        }
    }

    /// Polls the future; the caller's end of a poll.
    ///
    /// # Errors
    /// Returns an error if the future panicked.
    ///
    /// # Panics
    /// Panics if the future has ended before. Otherwise resumes a panic as [`try_receive`](crate::boundary::try_receive) does.
    #[inline]
    pub fn try_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, Panicked>> {
        let polled = self.poll(cx);
        if polled.is_ready() {
            self.end();
        }
        polled
    }

    /// Does the same as [`try_poll`](Self::try_poll), and leaves the future in its place.
    // Inlined, since each poll goes through both of its callers.
    #[inline(always)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R, Panicked>> {
        let future = *self.raw.future.get_mut();
        assert!(!future.is_null(), "polled after it had ended");
        let waker = WakerView::of(cx.waker());
        // SAFETY: the type of the result, and so that of the table, was compared before this arrived, and the owner of
        // the future keeps its library loaded. The future was not dropped, since its place is not empty, and is not
        // polled by others, since it is borrowed exclusively.
        unsafe {
            let poll = (*self.raw.table).poll;
            let poll = std::mem::transmute::<*const (), PollFn<R::View>>(poll);
            try_receive_later(|out| poll(future, &waker, out))
        }
    }
}

impl<R> Later<R> {
    /// Returns true if the future was dropped, or taken out. Then nothing is left of it.
    #[inline]
    pub fn has_ended(&self) -> bool {
        // Relaxed: whoever asks has the future, and no other thread sees this place.
        self.raw.future.load(Relaxed).is_null()
    }

    /// Drops the future in its library, unless it was taken out.
    fn end(&mut self) {
        let future = self.take();
        if !future.is_null() {
            // SAFETY: the owner of the future keeps its library loaded, and the place is empty now, so this is the only
            // drop.
            unsafe { ((*self.raw.table).drop)(future) };
        }
    }

    /// Takes the future out, for another owner to drop. Returns null if it was taken out before.
    fn take(&mut self) -> *mut () {
        std::mem::replace(self.raw.future.get_mut(), null_mut())
    }
}

impl<R> Drop for Later<R> {
    fn drop(&mut self) {
        self.end();
    }
}

/// The result of an `async` method of an import or of an object: a future that borrows it, and none of the arguments.
///
/// A panic of the implementation goes on as a panic of the task that awaits it. Dropping the future ends the call.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Awaited<'a, R> {
    later: Later<R>,
    /// The count of the future, if it borrows an object that is counted. Then the future is dropped only with it, and is
    /// gone once the ticket says so.
    counted: Option<Counted>,
    /// The errors of the object.
    errors: &'a NotedErrors,
}

impl<'a, R> Awaited<'a, R> {
    /// Calls an `async` method of this object, and counts the future that it returns.
    ///
    /// # Panics
    /// Panics with [`Crossed`](crate::boundary::Crossed) if the callee panicked.
    ///
    /// # Safety
    /// `call` passes `out` to a function of the object that [`answer`]s with a future of a type of the same description
    /// as `R`, and returns its status.
    #[inline]
    pub unsafe fn receive<T>(
        object: &'a Object<T>,
        call: impl FnOnce(*mut Out<LaterView>) -> Status,
    ) -> Self
    where
        R: Shared,
    {
        // SAFETY: the caller guarantees that `call` answers with such a future.
        match unsafe { try_receive(call) } {
            Ok(later) => Awaited::of(object, later),
            Err(panicked) => raise(panicked.text),
        }
    }

    /// Makes the future from the result of a method of this object.
    #[inline]
    fn of<T>(object: &'a Object<T>, mut later: Later<R>) -> Self {
        let future = *later.raw.future.get_mut();
        let count = object.count().filter(|_| !future.is_null());
        let counted = count.and_then(|counted| {
            let future = RawDrop {
                object: future,
                // SAFETY: the future has not ended, so its library is loaded, as its owner guarantees.
                drop: unsafe { (*later.raw.table).drop },
            };
            // SAFETY: `end` drops the future either itself or through the count, and not both.
            unsafe { counted.adopt(future) }
        });
        Awaited {
            later,
            counted,
            errors: object.errors(),
        }
    }

    /// Drops the future, unless it has ended.
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

/// The `Drop` also makes the compiler check that the future does not outlive what it borrows.
impl<R> Drop for Awaited<'_, R> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<R: Return> Future for Awaited<'_, R> {
    type Output = R;

    /// # Panics
    /// Panics if the implementation panics, if the future has ended before, or if the object has been dropped with its
    /// plugin.
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
            Ok(result) => {
                self.errors.note(&result);
                result
            }
            Err(panicked) => raise(panicked.text),
        })
    }
}

impl<R> fmt::Debug for Awaited<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").finish_non_exhaustive()
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
    // SAFETY: `Later::new` made the future for the same `F`, in a box in which it stays until it is dropped. Only this
    // caller polls it. The caller lends the waker, and `out` for a result with this view, and reads that after this has
    // returned.
    let ended = unsafe {
        caught(out, || {
            let (made, waker) = (&mut *future.cast::<OwnedFuture<F>>(), *waker);
            let future = Pin::new_unchecked(&mut made.future);
            let poll = |waker: &Waker| future.poll(&mut Context::from_waker(waker));
            if let Poll::Ready(result) = runtime::within(|| made.waker.lend(waker, poll)) {
                put(out, result);
                status = Status::OK;
            }
        })
    };
    match ended {
        Status::OK => status,
        panicked => panicked,
    }
}

unsafe extern "C" fn free<F>(future: *const ()) {
    // SAFETY: `Later::new` made the box for the same `F`, and its owner drops it once.
    let made = unsafe { Box::from_raw(future.cast_mut().cast::<OwnedFuture<F>>()) };
    // The runtime may panic, too: it does where the future has forgotten a guard of it.
    quietly(|| runtime::within(|| drop_quietly(made)));
}

// SAFETY: the view is the address of a `repr(C)` struct, which is the same everywhere. It can be read while the value
// is alive. The receiver takes the future out, which leaves an empty place behind.
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
        // SAFETY: the caller guarantees that the `Later` that the view points to is alive.
        let raw = unsafe { &*view.0 };
        // Relaxed: one receiver takes the future, in the call that returns it, and no other thread sees this place.
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

    /// Returns the name of the type, since a future has no value.
    fn to_value(&self) -> Value {
        Value::Str(Self::TYPE.to_string())
    }

    /// # Errors
    /// Always returns an error, since a future cannot be made from a value.
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Err(ValueError::new(&Self::TYPE.to_string(), &value))
    }
}

/// The callee's end of an `async fn`: `f` reads the arguments, and starts the function.
///
/// # Safety
/// `out` is the caller's memory for such a result.
pub unsafe fn answer_later(
    out: *mut Out<LaterView>,
    f: impl FnOnce() -> Result<Later<DynamicResult>, InvokeError>,
) -> Status {
    let begin = || f().unwrap_or_else(|refused| Later::new(std::future::ready(Err(refused))));
    // SAFETY: the caller guarantees that `out` is valid memory for such a result.
    unsafe { answer(out, begin) }
}
