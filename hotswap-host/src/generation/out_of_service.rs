//! Plugins of a generation that are out of service: loaded, and not to be called by the host.
use crate::base::name::PluginName;
use crate::reclaim::slot::CallTarget;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A plugin that is out of service. It is loaded, and its threads go on, but the host's calls of it return
/// [`CallError::OutOfService`](crate::CallError::OutOfService).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutOfService {
    /// The plugin.
    pub plugin: PluginName,
    /// The reason, as the operator gave it.
    pub reason: String,
    /// The time since which it is out of service, by the clock of the machine.
    pub since: SystemTime,
}

/// The plugins that are out of service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutList(BTreeMap<PluginName, (CallTarget, OutOfService)>);

impl OutList {
    /// Takes a plugin out.
    pub(crate) fn insert(&mut self, call_target: CallTarget, out: OutOfService) {
        self.0.insert(out.plugin.clone(), (call_target, out));
    }

    /// Puts a plugin back.
    pub(crate) fn remove(&mut self, plugin: &PluginName) {
        self.0.remove(plugin);
    }

    /// Returns the plugin that a call of this target would enter, if it is out.
    pub(crate) fn find(&self, call_target: CallTarget) -> Option<&OutOfService> {
        let mut out = self.0.values();
        Some(&out.find(|(target, _)| *target == call_target)?.1)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &OutOfService> {
        self.0.values().map(|(_, out)| out)
    }
}
