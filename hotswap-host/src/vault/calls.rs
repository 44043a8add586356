//! Calling live functions by name.
use crate::error::{CallError, InvokeError};
use crate::function;
use crate::generation::Generation;
use hotswap_plugin::{LiveKind, Value};

impl Generation {
    /// Calls a live function, whichever plugin has it.
    ///
    /// # Errors
    /// No such function, arguments that do not fit, the function's own error, a panic.
    pub fn invoke_live(&self, name: &str, args: &[Value]) -> Result<Value, InvokeError> {
        match self.live_function(name) {
            Some((plugin, desc)) => function::invoke_free(plugin, desc, args),
            None => Err(self.not_live(LiveKind::Function, name)),
        }
    }

    #[cold]
    pub(crate) fn not_live<E>(&self, kind: LiveKind, name: &str) -> CallError<E> {
        CallError::NotLive {
            kind,
            name: name.to_owned(),
            nearest_name: self.nearest_live(kind, name),
        }
    }
}
