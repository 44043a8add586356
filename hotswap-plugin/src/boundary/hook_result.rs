//! The result of a hook. It succeeds, or the host gets the text of an error or a panic: see
//! [`guard`](super::guard) and [`collect`](super::collect).
use std::fmt;

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
