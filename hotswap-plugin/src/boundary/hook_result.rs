//! Both ends of a hook. It succeeds, or the host gets the text of an error or a panic.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::boundary::abi::Status;
use crate::boundary::call::{drop_quietly, report};
use crate::boundary::std_types::{Error, chain};
use crate::boundary::view::StrView;
use abi_stable::StableAbi;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The receiver of the text of an error or a panic.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Sink {
    /// The first argument of `put`.
    pub data: *mut (),
    /// Copies the text. Does not unwind.
    pub put: unsafe extern "C" fn(*mut (), StrView),
}

/// The callee's end: runs `f`. An error or a panic of it becomes a status, and a text in the sink.
///
/// # Safety
/// The sink comes from [`collect`], which has not returned yet.
pub unsafe fn guard(sink: Sink, f: impl FnOnce() -> Result<(), Error>) -> Status {
    let ran = catch_unwind(AssertUnwindSafe(|| match f() {
        Ok(()) => Status::OK,
        Err(error) => {
            // SAFETY: the caller guarantees that the sink is valid, and the text is alive.
            unsafe { (sink.put)(sink.data, StrView::new(&chain(&*error))) };
            drop_quietly(error);
            Status::FAILED
        }
    }));
    // SAFETY: the caller guarantees that the sink is valid, so `data` belongs to `put`.
    ran.unwrap_or_else(|payload| unsafe { report(payload, sink.put, sink.data) })
}

/// The reason why a hook did not succeed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HookError {
    /// It returned an error. The text includes those of its sources.
    Failed(String),
    /// It panicked with this message.
    Panicked(String),
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HookError::Failed(text) => f.write_str(text),
            HookError::Panicked(text) => write!(f, "panicked: {text}"),
        }
    }
}

impl std::error::Error for HookError {}

/// Both ends at once, for code of this library: an error or a panic of `f` becomes a text.
///
/// # Errors
/// Returns an error if `f` returned one, or panicked.
pub fn attempt(f: impl FnOnce() -> Result<(), Error>) -> Result<(), HookError> {
    // SAFETY: `collect` makes the sink, and waits for this call.
    collect(|sink| unsafe { guard(sink, f) })
}

/// The caller's end: lends a sink to `call`.
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
