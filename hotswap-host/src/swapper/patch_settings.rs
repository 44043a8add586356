//! The settings of a host for patches.
use crate::base::name::PluginName;
use crate::patch::sticky::Sticky;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a reload does with the patches of a plugin that it replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PatchesOnReload {
    /// Patches that fit the new build go on: it has each of their functions, with the same signature. The others are
    /// dropped, and the report says so.
    #[default]
    Keep,
    /// All patches of the plugin are dropped, and the report says so.
    Drop,
    /// Patches that fit the new build go on. If one does not fit, the reload is refused.
    Fail,
}

/// The settings of a host for patches, and their numbers.
pub(super) struct PatchSettings {
    pub(super) sticky: Sticky,
    /// The largest number of versions that a plugin may have.
    pub(super) max: usize,
    pub(super) on_reload: PatchesOnReload,
    /// True if plugins may ask for patches of their own functions.
    pub(super) for_plugins: bool,
    /// The number of the last patch of each plugin that was patched. Only the thread that has the writer uses it.
    pub(super) numbers: Mutex<BTreeMap<PluginName, u64>>,
}

impl PatchSettings {
    /// The number that the next patch of a plugin gets.
    pub(super) fn next_number(&self, plugin: &PluginName) -> u64 {
        self.numbers().get(plugin).copied().unwrap_or_default() + 1
    }

    /// Notes that a patch has this number.
    pub(super) fn use_number(&self, plugin: &PluginName, number: u64) {
        self.numbers().insert(plugin.clone(), number);
    }

    /// Goes on with these numbers of an earlier run of the host.
    pub(super) fn set_numbers(&self, numbers: BTreeMap<PluginName, u64>) {
        *self.numbers() = numbers;
    }

    fn numbers(&self) -> MutexGuard<'_, BTreeMap<PluginName, u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for PatchSettings {
    fn default() -> Self {
        PatchSettings {
            sticky: Sticky::default(),
            max: 64,
            on_reload: PatchesOnReload::default(),
            for_plugins: false,
            numbers: Mutex::default(),
        }
    }
}
