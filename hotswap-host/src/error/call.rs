//! Errors of calls.
use super::handle::not_live;
use hotswap_plugin::{LiveKind, Value};
use std::convert::Infallible;
use std::fmt;
use std::time::SystemTime;

/// The reason why a call has no result. `E` is the error type of a function that returns a `Result`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The function returned this error.
    Returned(E),
    /// The plugin panicked in the function, or while an argument or the result was copied or dropped.
    Panicked {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The panic's message.
        message: String,
    },
    /// The generation that was called does not have the plugin or the function.
    NotLoaded {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
    },
    /// The generation that is live was live before the handle was made, and does not have its target. It has become live
    /// again, because a reload was reverted.
    Gone {
        /// The plugin.
        plugin: String,
        /// The function or the interface.
        function: String,
    },
    /// A [patch](crate::Swapper::patch) has removed the function.
    Removed {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The number of the patch.
        by: u64,
    },
    /// The plugin is [out of service](crate::Swapper::take_out_of_service).
    OutOfService {
        /// The plugin.
        plugin: String,
        /// The reason, as the operator gave it.
        reason: String,
        /// The time since which it is out of service, by the clock of the machine.
        since: SystemTime,
    },
    /// The generation that was called has no live item of this kind and name.
    NotLive {
        /// The kind of the item.
        kind: LiveKind,
        /// The name of the item.
        name: String,
        /// The most similar name in the generation.
        nearest_name: Option<String>,
    },
    /// The arguments of a call by name do not fit the function.
    Arguments {
        /// The plugin.
        plugin: String,
        /// The function.
        function: String,
        /// The mismatch.
        message: String,
    },
}

/// The error of a call by name. A function's own error is a [`Value`].
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
            CallError::Gone { plugin, function } => write!(
                f,
                "{plugin}.{function} is gone, because the reload that brought it was reverted"
            ),
            CallError::Removed {
                plugin,
                function,
                by,
            } => write!(f, "{plugin}.{function} was removed by patch {by}"),
            CallError::OutOfService { plugin, reason, .. } => {
                write!(f, "{plugin} is out of service: {reason}")
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
