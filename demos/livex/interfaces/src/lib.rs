//! What the host of the demo livex offers its plugins.
use hotswap_plugin::prelude::*;
use std::time::Duration;

/// The jobs that are to be done. They belong to the host, on disk: builds of plugins come and go.
#[interface]
pub trait JobQueue: Send + Sync {
    /// Puts a job at the end, and returns its number.
    fn push(&self, job: &LiveData) -> Result<u64>;

    /// Puts a job at the end that is not done before this time is over, and returns its number.
    fn push_after(&self, job: &LiveData, delay: Duration) -> Result<u64>;
}
