//! The result of a hook. It succeeds, or the host gets the text of an error or a panic: see
//! [`guard`](super::guard) and [`collect`](super::collect).
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::boundary::view::StrView;
use abi_stable::StableAbi;
use std::fmt;

/// The receiver of the text of an error or a panic.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Sink {
    /// The first argument of `put`.
    pub data: *mut (),
    /// Copies the text. Does not unwind.
    pub put: unsafe extern "C" fn(*mut (), StrView),
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
