//! Calls functions by name.
use crate::error::{CallError, Hook, HookFailure, InvokeError};
use crate::instance::Instance;
use crate::instance::made::FunctionOf;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{InvokeError as Refused, Panicked};

/// Calls a function of `plugin` by name. If there is no such function, the plugin may handle the name itself.
pub(crate) fn invoke(
    plugin: &Instance,
    function: &str,
    args: &[Value],
) -> Result<Value, InvokeError> {
    let error = |refused| failed(plugin.name().as_str(), function, refused);
    match plugin.function(function) {
        Some(found) => found.invoke(args, error),
        None => plugin.invoke_func(function, args, error),
    }
}

/// Calls a live function.
pub(crate) fn invoke_free(
    plugin: &Instance,
    function: FunctionOf<'_>,
    args: &[Value],
) -> Result<Value, InvokeError> {
    let (plugin, name) = (plugin.name().as_str(), function.name.as_str());
    function.invoke(args, |refused| failed(plugin, name, refused))
}

#[cold]
pub(crate) fn failed(
    plugin: &str,
    function: &str,
    refused: Result<Refused, Panicked>,
) -> InvokeError {
    let (plugin, function) = (plugin.to_owned(), function.to_owned());
    match refused {
        Ok(Refused::Returned(error)) => CallError::Returned(error),
        Ok(Refused::Unknown) => CallError::NotLoaded { plugin, function },
        Ok(refused) => CallError::Arguments {
            plugin,
            function,
            message: refused.to_string(),
        },
        Err(panicked) => CallError::Panicked {
            plugin,
            function,
            message: panicked.text,
        },
    }
}

/// Runs a smoke test of a plugin.
///
/// # Errors
/// The test returned an error or panicked, or the plugin does not have it.
pub(crate) fn smoke(plugin: &Instance, test: &str) -> Result<(), HookFailure> {
    let (loaded, hook) = (plugin.loaded(), Hook::Smoke);
    let failure = |panicked, message| {
        let message = format!("{test}: {message}");
        Err(loaded.failure(hook, panicked, message))
    };
    match loaded.during(hook, || invoke(plugin, test, &[]))? {
        Ok(Value::Nil) => Ok(()),
        Ok(value) => failure(false, format!("it returned {value}, which means nothing")),
        Err(CallError::Panicked { message, .. }) => failure(true, message),
        Err(error) => failure(false, error.to_string()),
    }
}
