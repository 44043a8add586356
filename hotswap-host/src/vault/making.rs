//! Answers the requests of plugins in `on_init`, which they make through their `Vault`.
use super::author::Author;
use super::contents::Contents;
use crate::base::name::PluginName;
use crate::requests::{self, LentSlots, Making};
use abi_stable::std_types::RStr;
use hotswap_plugin::boundary::ExtensionDesc;
use hotswap_plugin::contract::VaultView;
use hotswap_plugin::{BagError, BagValue, ExtensionError};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A generation that is being made, as seen by the plugin whose `on_init` is running.
pub(crate) struct Vault<'a> {
    plugin: &'a PluginName,
    contents: &'a Mutex<Contents>,
}

impl<'a> Vault<'a> {
    pub(crate) fn new(plugin: &'a PluginName, contents: &'a Mutex<Contents>) -> Self {
        Vault { plugin, contents }
    }

    /// Returns the view that the plugin gets for as long as its hook runs.
    pub(crate) fn view(&'a self, generation: u64, plugins: &'a [RStr<'a>]) -> VaultView<'a> {
        requests::vault_view(self, generation, plugins)
    }

    /// Locks the contents. No code of a plugin runs while they are locked, because everything that is put into them is
    /// copied or counted.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making for Vault<'_> {
    fn set(&self, name: &str, value: BagValue) -> Result<(), BagError> {
        let author = Author::Plugin(self.plugin);
        self.contents().bag.set(author, name, value)
    }

    fn get(&self, name: &str) -> Option<BagValue> {
        self.contents().bag.get(name).cloned()
    }

    fn fill(&self, extension: &ExtensionDesc, slots: LentSlots<'_>) -> Result<(), ExtensionError> {
        let mut contents = self.contents();
        contents.extensions.fill(self.plugin, extension, slots)
    }
}
