//! The errors of calls through a `VaultHandle`.
use crate::Value;
use std::fmt;

/// The reason why a call through a [`VaultHandle`](crate::VaultHandle) has no result. `E` is the error type of a
/// function that returns a `Result`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultError<E = Value> {
    /// The function returned this error.
    Returned(E),
    /// The function panicked.
    Panicked {
        /// The name that was called.
        name: String,
        /// The panic's message.
        message: String,
    },
    /// There is no live item of this name in the newest generation, or the host has shut down.
    NotFound {
        /// The name that was called.
        name: String,
    },
    /// The arguments, or the live data, do not fit.
    Arguments {
        /// The name that was called.
        name: String,
        /// What does not fit.
        message: String,
    },
    /// The function has another signature.
    Signature {
        /// Both signatures, and the remedy.
        message: String,
    },
}

impl<E: fmt::Display> fmt::Display for VaultError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VaultError::Returned(error) => error.fmt(f),
            VaultError::Panicked { name, message } => write!(f, "{name} panicked: {message}"),
            VaultError::NotFound { name } => write!(f, "nothing live is called {name}"),
            VaultError::Arguments { name, message } => write!(f, "{name}: {message}"),
            VaultError::Signature { message } => f.write_str(message),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for VaultError<E> {}
