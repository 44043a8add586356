//! What the host of the demo livex offers its plugins.
use hotswap_plugin::prelude::*;

/// The jobs that are to be done. They belong to the host, on disk: builds of plugins come and go.
#[interface]
pub trait JobQueue: Send + Sync {
    /// Puts a job at the end, and returns its number.
    fn push(&self, job: &LiveData) -> Result<u64>;
}
