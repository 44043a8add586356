//! How retirements behave.
use std::time::Duration;

/// What is done with libraries that nobody uses any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnloadMode {
    /// They leave memory.
    #[default]
    Unload,
    /// They leave memory, and their addresses stay reserved without access for ever, so that a stale use crashes
    /// instead of running other code. For tests.
    Quarantine,
    /// They stay mapped; their instances are dropped all the same.
    Keep,
}

/// How retirements behave.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: UnloadMode,
    /// How long a replaced instance is kept after its last use.
    pub(crate) free_delay: Duration,
    /// How long a state may last before its holders are named.
    pub(crate) limit: Duration,
    /// After the limit, skip destructors of threads that do not come back.
    pub(crate) skip_destructors: bool,
}
