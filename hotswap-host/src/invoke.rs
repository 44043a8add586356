//! Calls functions by name.
use crate::error::{CallError, InvokeError};
use crate::instance::Instance;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{
    DynamicOut, FunctionDesc, InvokeError as Refused, Panicked, SliceView, Status, StrView,
    ValueView, call_dynamic,
};
use hotswap_plugin::contract::host_table::{RawArgs, RawOut};
use std::ptr::null;

/// Calls a function of `plugin` by name. If there is no such function, the plugin may handle the name itself.
pub(crate) fn invoke(
    plugin: &Instance,
    function: &str,
    args: &[Value],
) -> Result<Value, InvokeError> {
    let (name, this) = (plugin.name().as_str(), plugin.this());
    // SAFETY: the instance is borrowed, so it is alive.
    unsafe {
        match plugin.function(function) {
            Some(desc) => finish(name, function, args, |args, out| {
                (desc.dynamic)(this, args, out)
            }),
            None => finish(name, function, args, |args, out| {
                let args = RawArgs((&raw const args).cast());
                plugin.entry().invoke_func()(this, StrView::new(function), args, RawOut(out.cast()))
            }),
        }
    }
}

/// Calls a function that belongs to no instance.
pub(crate) fn invoke_free(
    plugin: &Instance,
    desc: &FunctionDesc,
    args: &[Value],
) -> Result<Value, InvokeError> {
    let (plugin, name) = (plugin.name().as_str(), desc.name.as_str());
    // SAFETY: the instance is borrowed, so its library is mapped. The function ignores its first argument.
    unsafe {
        finish(plugin, name, args, |args, out| {
            (desc.dynamic)(null(), args, out)
        })
    }
}

/// Finishes a call by name.
///
/// # Safety
/// The requirements of [`call_dynamic`] apply.
#[inline]
unsafe fn finish(
    plugin: &str,
    function: &str,
    args: &[Value],
    call: impl FnOnce(SliceView<ValueView>, *mut DynamicOut) -> Status,
) -> Result<Value, InvokeError> {
    // SAFETY: the caller keeps the requirements of `call_dynamic`.
    unsafe { call_dynamic(args, call, |refused| failed(plugin, function, refused)) }
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
