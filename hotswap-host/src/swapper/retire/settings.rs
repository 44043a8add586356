//! The settings of retirements.
use std::time::Duration;

/// Says what happens to libraries that are no longer used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnloadMode {
    /// They leave memory.
    #[default]
    Unload,
    /// They leave memory, and their addresses stay reserved without access for ever, so that a stale use crashes
    /// instead of running other code. This is for tests.
    Quarantine,
    /// They stay mapped, and their instances are dropped all the same.
    Keep,
}

/// The settings of retirements.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: UnloadMode,
    /// The time for which a replaced instance is kept after its last use.
    pub(crate) free_delay: Duration,
    /// The time that a state may last before its holders are named.
    pub(crate) limit: Duration,
    /// If true, destructors on threads that do not come back are skipped after the limit.
    pub(crate) skip_destructors: bool,
}
