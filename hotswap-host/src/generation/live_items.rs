//! The items of a generation that are found by their names alone: live functions and live types.
use super::Generation;
use super::patched::Found;
use crate::base::nearest::nearest;
use crate::error::{CallError, HandleError, InvokeError};
use crate::instance::Instance;
use crate::instance::made::FunctionOf;
use crate::invoke;
use crate::vault::LiveTypeRef;
use hotswap_plugin::contract::{LiveCode, LiveDesc};
use hotswap_plugin::{LiveData, LiveItem, LiveKind, Value};
use std::sync::Arc;

impl Generation {
    /// Returns the live function with this name, and the plugin that has it.
    pub(crate) fn live_function(&self, name: &str) -> Option<(&Arc<Instance>, FunctionOf<'_>)> {
        let place = self.live.function(name)?;
        let plugin = &self.plugins[place.plugin];
        let function = match self.patched.live_function(place.plugin, place.item) {
            None => plugin.live_function(place.item)?,
            Some(Found::Function(function, _)) => function,
            Some(Found::Removed(_)) => return None,
        };
        Some((plugin, function))
    }

    /// Returns the live function with this name as the plugin that has it was built.
    pub(crate) fn own_live_function(&self, name: &str) -> Option<(&Arc<Instance>, FunctionOf<'_>)> {
        let place = self.live.function(name)?;
        let plugin = &self.plugins[place.plugin];
        Some((plugin, plugin.live_function(place.item)?))
    }

    /// Returns the live function with this name, if patches have changed it.
    pub(crate) fn patched_live_function(&self, name: &str) -> Option<Found<'_>> {
        let place = self.live.function(name)?;
        self.patched.live_function(place.plugin, place.item)
    }

    /// Returns the live type that has, or had, this name.
    pub(crate) fn type_named(&self, name: &str) -> Option<LiveTypeRef<'_>> {
        let place = self.live.type_named(name)?;
        let plugin = &self.plugins[place.plugin];
        let name = plugin.live()[place.item].name.as_str();
        Some(LiveTypeRef::new(
            plugin,
            name,
            plugin.live_type(place.item)?,
            &self.lowering,
        ))
    }

    /// Returns the most similar name of a live item of this kind.
    pub(crate) fn nearest_live(&self, kind: LiveKind, name: &str) -> Option<String> {
        let items = self.plugins.iter().flat_map(|plugin| plugin.live());
        let known = items.filter(|item| item.kind() == kind);
        nearest(name, known.map(|item| item.name.as_str())).map(str::to_owned)
    }

    /// Lists the live functions and types, sorted by module and name.
    pub fn live_items(&self) -> Vec<LiveItem> {
        let of_plugin = |plugin: &Arc<Instance>| {
            let name = plugin.name().clone();
            let item = move |desc: &LiveDesc| LiveItem {
                module: desc.module.as_str().to_owned(),
                name: desc.name.as_str().to_owned(),
                kind: desc.kind(),
                plugin: name.to_string(),
                signature: desc.signature.as_str().to_owned(),
                version: match desc.code {
                    LiveCode::Type(ty) => Some(ty.version),
                    LiveCode::Function(_) => None,
                },
            };
            plugin.live().iter().map(item).collect::<Vec<_>>()
        };
        let mut items: Vec<_> = self.plugins.iter().flat_map(of_plugin).collect();
        items.sort();
        items
    }

    /// Returns the live type that has, or had, this name, in whichever plugin it is.
    ///
    /// # Errors
    /// There is no such type.
    pub fn live_type(&self, name: &str) -> Result<LiveTypeRef<'_>, HandleError> {
        self.type_named(name).ok_or_else(|| HandleError::NotLive {
            kind: LiveKind::Type,
            name: name.to_owned(),
            nearest_name: self.nearest_live(LiveKind::Type, name),
        })
    }

    /// Passes live data to the [handler](hotswap_plugin::live::Handler) of its type.
    ///
    /// # Errors
    /// There is no live type with this name, the type has no handler, the data does not fit it, the handler returned an
    /// error, or it panicked. None of these errors consumes the data.
    pub fn handle(&self, data: &LiveData) -> Result<Value, InvokeError> {
        match self.type_named(data.type_name()) {
            Some(ty) => {
                self.check_in_service(ty.instance())?;
                ty.handle(data)
            }
            None => Err(self.not_live(LiveKind::Type, data.type_name())),
        }
    }

    /// Calls a live function, in whichever plugin it is.
    ///
    /// # Errors
    /// There is no such function, the arguments do not fit, the function returned an error, or it panicked.
    pub fn invoke_live(&self, name: &str, args: &[Value]) -> Result<Value, InvokeError> {
        match self.live_function(name) {
            Some((plugin, function)) => {
                self.check_in_service(plugin)?;
                invoke::invoke_free(plugin, function, args)
            }
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
