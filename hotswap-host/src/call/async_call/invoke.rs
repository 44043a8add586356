//! Awaits functions that are called by name.
use super::calling::poll;
use super::count::{Place, Running};
use super::gate_opened::GateOpened;
use crate::error::{CallError, InvokeError};
use crate::generation::patched::Found;
use crate::instance::begun::Begun;
use crate::invoke::failed;
use crate::reclaim::gate::Gate;
use crate::swapper::{Swapper, watch_by_name};
use hotswap_plugin::Value;
use hotswap_plugin::boundary::{DynamicResult, InvokeError as Refused};
use std::future::{Future, poll_fn};
use std::sync::Arc;

/// The outcome of an attempt to begin a call.
enum Attempt {
    Begun(Begun<DynamicResult, Running>),
    /// The function is not `async` and has returned, or it does not exist.
    Ended(Result<Value, InvokeError>),
    /// The call has to wait at a gate.
    Gate(Arc<Gate>),
}

impl Swapper {
    /// Calls a function of the live generation by the names of the plugin and the function. It may be an `async fn` or
    /// any other function. Unlike the call of an [`AsyncFunction`](crate::AsyncFunction), this one begins when the
    /// future is first polled. It keeps its build until the future is ready or dropped.
    ///
    /// # Errors
    /// The future returns an error if there is no such plugin or function, if the arguments do not fit, if the function
    /// returned one, or if it panicked.
    pub fn invoke_async(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> impl Future<Output = Result<Value, InvokeError>> + Send + use<> {
        let swapper = self.clone();
        let (plugin, function, args) = (plugin.to_owned(), function.to_owned(), args.to_vec());
        async move {
            let mut begun = loop {
                match begin(&swapper, &plugin, &function, &args) {
                    Attempt::Begun(begun) => break begun,
                    Attempt::Ended(result) => return result,
                    Attempt::Gate(gate) => GateOpened::at(gate).await,
                }
            };
            drop(swapper);
            let refused = match poll_fn(|cx| poll(&mut begun, cx)).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(refused)) => {
                    if matches!(refused, Refused::Returned(_)) {
                        begun.keeps().count_error();
                    }
                    Ok(refused)
                }
                Err(panicked) => Err(panicked),
            };
            Err(failed(&plugin, &function, refused))
        }
    }
}

fn begin(swapper: &Swapper, plugin: &str, function: &str, args: &[Value]) -> Attempt {
    let pinned = match swapper.enter_plugin_or_gate(plugin) {
        Ok(pinned) => pinned,
        Err(gate) => return Attempt::Gate(gate),
    };
    let mut plugins = pinned.plugins.iter();
    let index = pinned
        .plugin_called(plugin)
        .and_then(|found| plugins.position(|other| Arc::ptr_eq(other, found)));
    let Some((index, instance)) = index.map(|index| (index, &pinned.plugins[index])) else {
        return Attempt::Ended(Err(CallError::NotLoaded {
            plugin: plugin.to_owned(),
            function: function.to_owned(),
        }));
    };
    if let Err(error) = pinned.check_in_service(instance) {
        return Attempt::Ended(Err(error));
    }
    let mut functions = instance.functions().enumerate();
    let found = match pinned.patched_function(instance, function) {
        Some(Found::Function(found, at)) => Some((at, found)),
        Some(Found::Removed(_)) => None,
        None => functions.find(|(_, found)| found.name.as_str() == function),
    };
    let begun = found.and_then(|(at, found)| {
        let running = || Running::begin(&pinned, Place::function(index, at));
        found.begin(args, running)
    });
    let ended = match begun {
        Some(Ok(begun)) => {
            if pinned.watched_failures(instance).is_some() {
                pinned.count(instance.call_target());
            }
            return Attempt::Begun(begun);
        }
        Some(Err(panicked)) => Err(failed(plugin, function, Err::<Refused, _>(panicked))),
        None => pinned.invoke(plugin, function, args),
    };
    watch_by_name(&pinned, Some(&**instance), &ended);
    Attempt::Ended(ended)
}
