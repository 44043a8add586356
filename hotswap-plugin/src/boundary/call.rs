//! Both ends of a call: the callee catches every panic, and the caller copies the result while the callee holds it.
//!
//! A panic that left a library and entered another would end the process, so each function of a table is
//! `extern "C"`, catches, and returns a [`Status`]. What a panic said reaches the caller as text and is raised there
//! again, with the caller's own runtime ([`receive`]), until an entry of the host turns it into an error
//! ([`try_receive`]).
//!
//! Arguments, results and the panic's payload are dropped by the library that made them, inside a catch.
use crate::boundary::abi::{OutOps, write};
use crate::boundary::shared::Shared;
use crate::boundary::view::{Arena, StrView};
use crate::telemetry::explained;
use std::any::Any;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;

pub use crate::boundary::abi::{Out, Status};

/// What `Out` is the front of.
#[repr(C)]
struct Slot<R: Shared> {
    out: Out<R::View>,
    state: State,
    /// Written by `take`.
    taken: MaybeUninit<R>,
}

#[repr(u8)]
enum State {
    /// Nothing was taken: the answer, if there is one, is the view in `Out`.
    Untaken,
    /// The answer is in `taken`.
    Taken,
    /// The callee panicked.
    Failed(String),
    /// Copying the result panicked, here.
    Own(Box<dyn Any + Send>),
}

impl<R: Shared> Slot<R> {
    const OPS: &'static OutOps<R::View> = &OutOps {
        take: take::<R>,
        fail: fail::<R>,
    };
}

unsafe extern "C" fn take<R: Shared>(out: *mut Out<R::View>, view: *const R::View) {
    // SAFETY: `out` is the front of the slot that `try_receive` made, which lends nothing of it meanwhile; the callee
    // holds what the view shows. The state is `Untaken` until now: there is nothing to drop.
    unsafe {
        let slot = out.cast::<Slot<R>>();
        let copied = catch_unwind(AssertUnwindSafe(|| {
            (*slot).taken.write(R::from_view(*view));
        }));
        (&raw mut (*slot).state).write(match copied {
            Ok(()) => State::Taken,
            Err(payload) => State::Own(payload),
        });
    }
}

unsafe extern "C" fn fail<R: Shared>(out: *mut (), text: StrView) {
    // SAFETY: as in `take`; the callee holds the text.
    let (slot, text) = unsafe { (&mut *out.cast::<Slot<R>>(), text.get().to_owned()) };
    slot.discard();
    slot.state = State::Failed(text);
}

impl<R: Shared> Slot<R> {
    /// Drops what was taken.
    fn discard(&mut self) {
        if let State::Taken = self.state {
            // SAFETY: the state says that it was written, and is not read again.
            drop_quietly(unsafe { self.taken.assume_init_read() });
            self.state = State::Untaken;
        }
    }
}

/// The callee's end: runs `f`, hands its result to the caller, drops it here.
///
/// A panic in `f`, in the drop of its captures or of the result, is the caller's [`Status::PANICKED`].
///
/// # Safety
/// `out` comes from [`receive`] or [`try_receive`] for a result with this view, in whichever library.
#[inline]
pub unsafe fn answer<R: Shared>(out: *mut Out<R::View>, f: impl FnOnce() -> R) -> Status {
    // SAFETY: by the caller's promise.
    unsafe { caught(out, || put(out, f())) }
}

/// Runs `f`; a panic of it is the caller's.
///
/// # Safety
/// As [`answer`].
#[inline]
pub(super) unsafe fn caught<V>(out: *mut Out<V>, f: impl FnOnce()) -> Status {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => Status::OK,
        // SAFETY: `out` is valid by the caller's promise.
        Err(payload) => unsafe { report(payload, (*(*out).ops).fail, out.cast()) },
    }
}

/// Hands a result to the caller, and drops it here.
///
/// # Safety
/// As [`answer`]; once for each `out`.
#[inline]
pub(super) unsafe fn put<R: Shared>(out: *mut Out<R::View>, result: R) {
    let arena = Arena::new();
    let view = result.view(&arena);
    // SAFETY: `out` is valid by the caller's promise. The view is used while result and arena are alive.
    unsafe {
        if R::BORROWS && result.borrows() {
            ((*(*out).ops).take)(out, &raw const view);
        } else {
            write(out, view);
        }
    }
}

/// Tells the caller what a panic said, and drops its payload. Not generic: one copy in a plugin, off the hot path.
///
/// # Safety
/// `to` belongs to `put`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn report(
    payload: Box<dyn Any + Send>,
    put: unsafe extern "C" fn(*mut (), StrView),
    to: *mut (),
) -> Status {
    // SAFETY: by the caller's promise; the payload is alive.
    unsafe { put(to, StrView::new(&explained(payload_text(&*payload)))) };
    drop_quietly(payload);
    Status::PANICKED
}

/// What a panic said.
pub(crate) fn payload_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(crossed) = payload.downcast_ref::<Crossed>() {
        &crossed.text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else {
        "a payload that is no text"
    }
}

/// Drops a value whose drop may panic, and the payload of that panic. A payload that panics when it is dropped has one
/// more payload, and so on: that one is forgotten.
pub(crate) fn drop_quietly<T>(value: T) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(value)));
    let payload = catch_unwind(AssertUnwindSafe(|| drop(dropped)));
    std::mem::forget(payload);
}

/// A call that panicked in the other library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panicked {
    /// What the panic said.
    pub text: String,
}

impl Panicked {
    /// The callee broke the contract.
    #[cold]
    pub(super) fn unanswered() -> Self {
        Panicked {
            text: "the call ended without an answer".into(),
        }
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.text)
    }
}

impl std::error::Error for Panicked {}

/// The payload of a panic that came from another library, raised again in this one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crossed {
    /// What the first panic said.
    pub text: String,
}

/// The caller's end: lends `call` the memory for a result, and gives the result.
///
/// # Errors
/// The callee panicked.
///
/// # Panics
/// With the panic of a `Hash`, `Eq` or `Ord` of this library that ran while the result was copied.
///
/// # Safety
/// `call` hands `out` to a function that [`answer`]s with a type of the same description as `R`, and gives its status.
#[inline]
pub unsafe fn try_receive<R: Shared>(
    call: impl FnOnce(*mut Out<R::View>) -> Status,
) -> Result<R, Panicked> {
    let then = |received: Received<'_, R>| match received {
        // SAFETY: the callee wrote the view, which borrows nothing.
        Received::View(view) => Ok(unsafe { R::from_view(*view) }),
        Received::Result(result) => Ok(result),
        Received::Panicked(panicked) => Err(panicked),
        Received::Pending => Err(Panicked::unanswered()),
    };
    // SAFETY: by the caller's promise.
    unsafe { receive_by(call, then) }
}

/// As [`try_receive`], of a function that may also return [`Status::PENDING`], and then has not answered yet.
///
/// # Errors
/// As there.
///
/// # Panics
/// As there.
///
/// # Safety
/// As there.
#[inline]
pub(super) unsafe fn try_receive_later<R: Shared>(
    call: impl FnOnce(*mut Out<R::View>) -> Status,
) -> Poll<Result<R, Panicked>> {
    let then = |received: Received<'_, R>| match received {
        // SAFETY: the callee wrote the view, which borrows nothing.
        Received::View(view) => Poll::Ready(Ok(unsafe { R::from_view(*view) })),
        Received::Result(result) => Poll::Ready(Ok(result)),
        Received::Panicked(panicked) => Poll::Ready(Err(panicked)),
        Received::Pending => Poll::Pending,
    };
    // SAFETY: by the caller's promise.
    unsafe { receive_by(call, then) }
}

/// How a result arrives.
pub(super) enum Received<'a, R: Shared> {
    /// As a view that borrows nothing.
    View(&'a R::View),
    /// Copied.
    Result(R),
    /// Not at all.
    Panicked(Panicked),
    /// Not yet.
    Pending,
}

/// As [`try_receive`], where `then` reads a view where it lies. To copy an enum that was written a moment ago, field by
/// field, costs more than the call.
///
/// # Safety
/// As [`try_receive`].
#[inline]
pub(super) unsafe fn receive_by<R: Shared, T>(
    call: impl FnOnce(*mut Out<R::View>) -> Status,
    then: impl FnOnce(Received<'_, R>) -> T,
) -> T {
    // Dropped by hand: an answer leaves nothing to drop, and to find that out each time would cost more than the rest.
    let mut slot = ManuallyDrop::new(Slot::<R> {
        out: Out {
            ops: Slot::<R>::OPS,
            value: MaybeUninit::uninit(),
        },
        state: State::Untaken,
        taken: MaybeUninit::uninit(),
    });
    // Of the whole slot: `take` and `fail` reach behind `out`.
    let status = call((&raw mut *slot).cast());
    if status == Status::OK {
        if R::BORROWS && matches!(slot.state, State::Taken) {
            // SAFETY: the state says that it was written.
            return then(Received::Result(unsafe { slot.taken.assume_init_read() }));
        }
        if !R::BORROWS || matches!(slot.state, State::Untaken) {
            // SAFETY: the callee wrote the view, which borrows nothing, since it did not have it taken.
            return then(Received::View(unsafe { slot.out.value.assume_init_ref() }));
        }
    }
    then(unanswered(&mut slot, status))
}

/// Why there is no answer. Leaves nothing to drop in the slot. Aside, with all that is not an answer: so it takes nothing
/// from calls that have one.
///
/// # Panics
/// With the panic of this library that ran while the result was copied.
#[cold]
#[inline(never)]
fn unanswered<R: Shared>(slot: &mut Slot<R>, status: Status) -> Received<'_, R> {
    if status == Status::PENDING && matches!(slot.state, State::Untaken) {
        return Received::Pending;
    }
    slot.discard();
    Received::Panicked(match std::mem::replace(&mut slot.state, State::Untaken) {
        State::Failed(text) => Panicked { text },
        State::Own(payload) => resume_unwind(payload),
        State::Untaken | State::Taken => Panicked::unanswered(),
    })
}

/// The caller's end inside a plugin: a panic of the callee goes on as one of the caller, up to the caller's own
/// [`answer`].
///
/// # Panics
/// With [`Crossed`], when the callee panicked; otherwise as [`try_receive`].
///
/// # Safety
/// As [`try_receive`].
#[inline]
pub unsafe fn receive<R: Shared>(call: impl FnOnce(*mut Out<R::View>) -> Status) -> R {
    // SAFETY: the caller's promise is the same.
    match unsafe { try_receive(call) } {
        Ok(result) => result,
        Err(panicked) => raise(panicked.text),
    }
}

/// Goes on with a panic that came from another library. The panic hook ran there; it does not run again.
///
/// # Panics
/// Always, with [`Crossed`].
#[cold]
#[inline(never)]
pub fn raise(text: String) -> ! {
    resume_unwind(Box::new(Crossed { text }))
}
