//! The settings of a host for patches.
use crate::patch::sticky::Sticky;
use serde::Serialize;

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

/// The settings of a host for patches.
pub(super) struct PatchSettings {
    pub(super) sticky: Sticky,
    /// The largest number of versions that a plugin may have.
    pub(super) max: usize,
    pub(super) on_reload: PatchesOnReload,
}

impl Default for PatchSettings {
    fn default() -> Self {
        PatchSettings {
            sticky: Sticky::default(),
            max: 64,
            on_reload: PatchesOnReload::default(),
        }
    }
}
