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
    /// The plugin is out of service.
    OutOfService(Box<OutOfService>),
}

impl Missing {
    /// Returns the error of a call.
    pub(crate) fn error<E>(self, plugin: String, function: String) -> CallError<E> {
        match self {
            Missing::NotLoaded => CallError::NotLoaded { plugin, function },
            Missing::Gone => CallError::Gone { plugin, function },
            Missing::OutOfService(out) => CallError::OutOfService {
                plugin,
                reason: out.reason,
                since: out.since,
            },
        }
    }
}
