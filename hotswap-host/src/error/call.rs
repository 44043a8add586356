//! Calls that fail.
use super::handle::not_live;
use hotswap_plugin::{LiveKind, Value};
use std::convert::Infallible;
use std::fmt;

/// Why a call has no result. `E` is the error type of a function that returns a `Result`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The function returned this error.
    Returned(E),
    /// The plugin panicked: the function, or an argument, or the result, when it was copied or dropped.
    Panicked {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The panic's message.
        message: String,
    },
    /// The plugin, or the function, is not in the generation that was called.
    NotLoaded {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
    },
    /// Nothing live of this kind and name is in the generation that was called.
    NotLive {
        /// What was called.
        kind: LiveKind,
        /// Its name.
        name: String,
        /// The most similar name that there is.
        nearest_name: Option<String>,
    },
    /// A call by name with arguments that do not fit the function.
    Arguments {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// What does not fit.
        message: String,
    },
}

/// The error of a call by name; a function's own error arrives as a [`Value`].
pub type InvokeError = CallError<Value>;

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Returned(error) => error.fmt(f),
            CallError::Panicked {
                plugin,
                function,
                message,
            } => {
                write!(f, "{plugin}.{function} panicked: {message}")
            }
            CallError::NotLoaded { plugin, function } => {
                write!(f, "{plugin}.{function} is not loaded in this generation")
            }
            CallError::NotLive {
                kind,
                name,
                nearest_name,
            } => write!(f, "{}", not_live(*kind, name, nearest_name)),
            CallError::Arguments {
                plugin,
                function,
                message,
            } => write!(f, "{plugin}.{function}: {message}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for CallError<E> {}
