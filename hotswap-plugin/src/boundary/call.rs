//! Both ends of a call, and of a hook. The callee catches every panic, and the caller copies the result while the callee holds it.
//!
//! A panic that left a library and entered another would end the process. So each function of a table is `extern "C"`,
//! catches panics, and returns a [`Status`]. The text of a panic reaches the caller, which raises it again with its own
//! runtime ([`receive`]), until an entry of the host turns it into an error ([`try_receive`]).
//!
//! Arguments, results, and the payload of a panic are dropped by the library that made them, inside a catch.
#![allow(
    unsafe_code,
    reason = "it reads and writes memory that the other end of a call has lent"
)]
use crate::boundary::abi::{OutOps, Sink};
use crate::boundary::error::{Error, chain};
use crate::boundary::hook_result::HookError;
use crate::boundary::shared::{Return, Shared};
use crate::boundary::view::{Arena, StrView};
use crate::telemetry::explained;
use std::any::Any;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;

pub use crate::boundary::abi::{Out, Status};

/// The whole of the caller's memory for a result. `Out` is its first field.
#[repr(C)]
struct Slot<R: Shared> {
    out: Out<R::View>,
    state: State,
    /// Written by `take`.
    taken: MaybeUninit<R>,
}

#[repr(u8)]
enum State {
    /// `take` was not called. The answer, if there is one, is the view in `Out`.
    Untaken,
    /// The answer is in `taken`.
    Taken,
    /// The callee panicked.
    Failed(String),
    /// Copying the result panicked in the caller's own library.
    CopyPanicked(Box<dyn Any + Send>),
}

impl<R: Shared> Slot<R> {
    const OPS: &'static OutOps<R::View> = &OutOps {
        take: take::<R>,
        fail: fail::<R>,
    };
}

unsafe extern "C" fn take<R: Shared>(out: *mut Out<R::View>, view: *const R::View) {
    // SAFETY: `out` is the first field of the slot that `try_receive` made, and `try_receive` lends no part of it
    // meanwhile. The callee holds the value that the view shows. The state was `Untaken` until now, so there is nothing
    // to drop.
    unsafe {
        let slot = out.cast::<Slot<R>>();
        let copied = catch_unwind(AssertUnwindSafe(|| {
            (*slot).taken.write(R::from_view(*view));
        }));
        (&raw mut (*slot).state).write(match copied {
            Ok(()) => State::Taken,
            Err(payload) => State::CopyPanicked(payload),
        });
    }
}

unsafe extern "C" fn fail<R: Shared>(out: *mut (), text: StrView) {
    // SAFETY: `out` is the first field of the slot that `try_receive` made, and the callee holds the text.
    let (slot, text) = unsafe { (&mut *out.cast::<Slot<R>>(), text.get().to_owned()) };
    slot.discard();
    slot.state = State::Failed(text);
}

impl<R: Shared> Slot<R> {
    /// Drops the value that was taken.
    fn discard(&mut self) {
        if let State::Taken = self.state {
            // SAFETY: the state says that `taken` was written. It is not read again, since the state changes.
            drop_quietly(unsafe { self.taken.assume_init_read() });
            self.state = State::Untaken;
        }
    }
}

/// The callee's end: runs `f`, passes its result to the caller, and drops it here.
///
/// A panic in `f`, in the drop of its captures, or in the drop of the result becomes [`Status::PANICKED`] for the
/// caller.
///
/// # Safety
/// `out` comes from [`receive`] or [`try_receive`] of any library, for a result with this view.
#[inline]
pub unsafe fn answer<R: Shared>(out: *mut Out<R::View>, f: impl FnOnce() -> R) -> Status {
    // SAFETY: the caller guarantees that `out` is valid and belongs to a result with this view.
    unsafe { caught(out, || put(out, f())) }
}

/// Runs `f`, and reports a panic of it to the caller.
///
/// # Safety
/// The contract of [`answer`] holds for `out`.
#[inline]
pub(super) unsafe fn caught<V>(out: *mut Out<V>, f: impl FnOnce()) -> Status {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => Status::OK,
        // SAFETY: the caller guarantees that `out` is valid, and `fail` is the function that belongs to it.
        Err(payload) => unsafe { report(payload, (*(*out).ops).fail, out.cast()) },
    }
}

/// Passes a result to the caller, and drops it here.
///
/// # Safety
/// The contract of [`answer`] holds for `out`. To be called once for each `out`.
#[inline]
pub(super) unsafe fn put<R: Shared>(out: *mut Out<R::View>, result: R) {
    let arena = Arena::new();
    let view = result.view(&arena);
    // SAFETY: the caller guarantees that `out` is valid. The view is used while the result and the arena are alive.
    unsafe {
        if R::BORROWS && result.borrows() {
            ((*(*out).ops).take)(out, &raw const view);
        } else {
            write(out, view);
        }
    }
}

/// Writes a view that borrows nothing into the caller's memory.
///
/// # Safety
/// `out` is the caller's memory for a result with this view, and the caller has not read it yet.
#[inline]
pub(super) unsafe fn write<V>(out: *mut Out<V>, view: V) {
    // SAFETY: the caller of this function guarantees that `out` is valid memory for such a view.
    unsafe { (&raw mut (*out).value).cast::<V>().write(view) }
}

/// Passes the text of a panic to the caller, and drops its payload. Not generic, so that a plugin has one copy of it,
/// off the hot path.
///
/// # Safety
/// `to` is what `put` expects.
#[cold]
#[inline(never)]
unsafe fn report(
    payload: Box<dyn Any + Send>,
    put: unsafe extern "C" fn(*mut (), StrView),
    to: *mut (),
) -> Status {
    // SAFETY: the caller guarantees that `to` belongs to `put`, and the text is alive.
    unsafe { put(to, StrView::new(&explained(payload_text(&*payload)))) };
    drop_quietly(payload);
    Status::PANICKED
}

/// Returns the message of a panic.
pub(crate) fn payload_text(payload: &(dyn Any + Send)) -> &str {
    if let Some(crossed) = payload.downcast_ref::<Crossed>() {
        &crossed.text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else {
        "non-string panic payload"
    }
}

/// Drops a value whose drop may panic, and the payload of that panic. A payload may panic again when it is dropped, and
/// so on, so the payload of that second panic is forgotten.
pub(crate) fn drop_quietly<T>(value: T) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(value)));
    let payload = catch_unwind(AssertUnwindSafe(|| drop(dropped)));
    std::mem::forget(payload);
}

/// Runs `run`, and discards its panic. For C functions whose callers cannot do anything about it.
pub(crate) fn quietly(run: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(run)) {
        drop_quietly(payload);
    }
}

/// The error of a call that panicked in the other library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panicked {
    /// The message of the panic.
    pub text: String,
}

impl Panicked {
    /// Returns the error for a callee that broke the contract.
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

/// The payload of a panic that came from another library and is raised again in this one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Crossed {
    /// The message of the first panic.
    pub text: String,
}

/// The caller's end: lends `call` the memory for a result, and returns the result.
///
/// # Errors
/// Returns an error if the callee panicked.
///
/// # Panics
/// Resumes the panic of a `Hash`, `Eq`, or `Ord` of this library that ran while the result was copied.
///
/// # Safety
/// `call` passes `out` to a function that [`answer`]s with a type of the same description as `R`, and returns its
/// status.
#[inline]
pub unsafe fn try_receive<R: Shared>(
    call: impl FnOnce(*mut Out<R::View>) -> Status,
) -> Result<R, Panicked> {
    let then = |received: Received<'_, R>| match received {
        Received::View(view) => Ok(view.get()),
        Received::Result(result) => Ok(result),
        Received::Panicked(panicked) => Err(panicked),
        Received::Pending => Err(Panicked::unanswered()),
    };
    // SAFETY: the caller guarantees that `call` answers with a type of the same description as `R`.
    unsafe { receive_by(call, then) }
}

/// Does the same as [`try_receive`], for a function that may also return [`Status::PENDING`] without an answer.
///
/// # Errors
/// Returns an error if the callee panicked.
///
/// # Panics
/// Resumes the panic of a `Hash`, `Eq`, or `Ord` of this library that ran while the result was copied.
///
/// # Safety
/// The contract of [`try_receive`] holds, except that the function may return [`Status::PENDING`] without an answer.
#[inline]
pub(super) unsafe fn try_receive_later<R: Shared>(
    call: impl FnOnce(*mut Out<R::View>) -> Status,
) -> Poll<Result<R, Panicked>> {
    let then = |received: Received<'_, R>| match received {
        Received::View(view) => Poll::Ready(Ok(view.get())),
        Received::Result(result) => Poll::Ready(Ok(result)),
        Received::Panicked(panicked) => Poll::Ready(Err(panicked)),
        Received::Pending => Poll::Pending,
    };
    // SAFETY: the caller guarantees that `call` answers with a type of the same description as `R`, unless it is
    // pending.
    unsafe { receive_by(call, then) }
}

/// The form in which a result arrives.
pub(super) enum Received<'a, R: Shared> {
    /// A view that borrows nothing.
    View(Unborrowed<'a, R>),
    /// A copy.
    Result(R),
    /// The callee panicked.
    Panicked(Panicked),
    /// There is no result yet.
    Pending,
}

impl<'a, R: Shared> Received<'a, R> {
    /// Returns the view, if it borrows nothing.
    #[inline(always)]
    pub(super) fn view(&self) -> Option<&'a R::View> {
        match self {
            Received::View(view) => Some(view.view()),
            _ => None,
        }
    }
}

/// The view of a value, which borrows nothing.
pub(super) struct Unborrowed<'a, R: Shared>(&'a R::View);

impl<'a, R: Shared> Unborrowed<'a, R> {
    #[inline(always)]
    pub(super) fn view(&self) -> &'a R::View {
        self.0
    }

    /// Returns the value.
    #[inline(always)]
    pub(super) fn get(self) -> R {
        // SAFETY: `receive_by` makes this of a view that a type of an equal description has written, and that borrows
        // nothing.
        unsafe { R::from_view(*self.0) }
    }
}

/// Does the same as [`try_receive`], where `then` reads the view in place. Copying an enum that was written a moment
/// ago, field by field, would cost more than the call.
///
/// # Safety
/// The contract of [`try_receive`] holds for `call`.
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
    // A pointer to the whole slot, since `take` and `fail` access the fields behind `out`.
    let status = call((&raw mut *slot).cast());
    if status == Status::OK {
        if R::BORROWS && matches!(slot.state, State::Taken) {
            // SAFETY: the state says that `taken` was written, and it is read only here.
            return then(Received::Result(unsafe { slot.taken.assume_init_read() }));
        }
        if !R::BORROWS || matches!(slot.state, State::Untaken) {
            // SAFETY: the callee has answered and did not call `take`, so it has written the view.
            let view = unsafe { slot.out.value.assume_init_ref() };
            return then(Received::View(Unborrowed(view)));
        }
    }
    then(unanswered(&mut slot, status))
}

/// Returns the reason for the missing answer. Leaves nothing to drop in the slot. Stands apart, off the hot path, so
/// that calls with an answer do not pay for it.
///
/// # Panics
/// Resumes the panic of this library that ran while the result was copied.
#[cold]
#[inline(never)]
fn unanswered<R: Shared>(slot: &mut Slot<R>, status: Status) -> Received<'_, R> {
    if status == Status::PENDING && matches!(slot.state, State::Untaken) {
        return Received::Pending;
    }
    slot.discard();
    Received::Panicked(match std::mem::replace(&mut slot.state, State::Untaken) {
        State::Failed(text) => Panicked { text },
        State::CopyPanicked(payload) => resume_unwind(payload),
        State::Untaken | State::Taken => Panicked::unanswered(),
    })
}

/// The caller's end inside a plugin: a panic of the callee goes on as a panic of the caller, up to the caller's own
/// [`answer`]. The result is never a future, which [`Awaited::receive`](super::Awaited::receive) counts.
///
/// # Panics
/// Panics with [`Crossed`] if the callee panicked. Otherwise resumes a panic as [`try_receive`] does.
///
/// # Safety
/// The contract of [`try_receive`] holds for `call`.
#[inline]
pub unsafe fn receive<R: Return>(call: impl FnOnce(*mut Out<R::View>) -> Status) -> R {
    // SAFETY: the caller guarantees the contract of `try_receive`.
    match unsafe { try_receive(call) } {
        Ok(result) => result,
        Err(panicked) => raise(panicked.text),
    }
}

/// Continues a panic that came from another library. The panic hook ran there, and does not run again.
///
/// # Panics
/// Always panics, with [`Crossed`].
#[cold]
#[inline(never)]
pub fn raise(text: String) -> ! {
    resume_unwind(Box::new(Crossed { text }))
}

/// The callee's end of a hook: runs `f`. An error or a panic of it becomes a status, and a text in the sink.
///
/// # Safety
/// The sink comes from [`collect`], which has not returned yet.
pub unsafe fn guard(sink: Sink, f: impl FnOnce() -> Result<(), Error>) -> Status {
    let run = || {
        let Err(error) = f() else {
            return Status::OK;
        };
        // SAFETY: the caller guarantees that the sink is valid, so `data` belongs to `put`, and the text is alive.
        unsafe { (sink.put)(sink.data, StrView::new(&chain(&*error))) };
        drop_quietly(error);
        Status::FAILED
    };
    let ran = catch_unwind(AssertUnwindSafe(run));
    // SAFETY: the caller guarantees that the sink is valid, so `data` belongs to `put`.
    ran.unwrap_or_else(|payload| unsafe { report(payload, sink.put, sink.data) })
}

/// Both ends of a hook at once, for code of this library: an error or a panic of `f` becomes a text.
///
/// # Errors
/// Returns an error if `f` returned one, or panicked.
pub fn attempt(f: impl FnOnce() -> Result<(), Error>) -> Result<(), HookError> {
    // SAFETY: `collect` makes the sink, and waits for this call.
    collect(|sink| unsafe { guard(sink, f) })
}

/// The caller's end of a hook: lends a sink to `call`.
///
/// # Errors
/// Returns an error if the hook returned one, or panicked.
pub fn collect(call: impl FnOnce(Sink) -> Status) -> Result<(), HookError> {
    unsafe extern "C" fn put(data: *mut (), text: StrView) {
        // SAFETY: `data` is the address of the `text` below, and the callee holds the text that the view shows.
        unsafe { *data.cast::<String>() = text.get().to_owned() }
    }
    let mut text = String::new();
    match call(Sink {
        data: (&raw mut text).cast(),
        put,
    }) {
        Status::OK => Ok(()),
        Status::FAILED => Err(HookError::Failed(text)),
        _ => Err(HookError::Panicked(text)),
    }
}
