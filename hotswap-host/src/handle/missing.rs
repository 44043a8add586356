//! The reasons why a handle has no target in a generation.
use crate::error::CallError;
use crate::generation::OutOfService;

/// The reason why a handle has no target in a generation.
#[derive(Clone, Debug)]
pub(crate) enum Missing {
    /// The generation has no plugins, because the swapper was shut down.
    NotLoaded,
    /// The generation was made before the handle, and became live again.
    Gone,
    /// A patch with this number has removed the function.
    Removed(u64),
    /// The plugin is out of service.
    OutOfService(Box<OutOfService>),
}

impl Missing {
    /// Returns the error of a call.
    pub(crate) fn error<E>(self, plugin: String, function: String) -> CallError<E> {
        match self {
            Missing::NotLoaded => CallError::NotLoaded { plugin, function },
            Missing::Gone => CallError::Gone { plugin, function },
            Missing::Removed(by) => CallError::Removed {
                plugin,
                function,
                by,
            },
            Missing::OutOfService(out) => CallError::OutOfService {
                plugin,
                reason: out.reason,
                since: out.since,
            },
        }
    }
}
