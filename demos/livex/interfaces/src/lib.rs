//! The interface that the host of the demo `livex` offers its plugins.
use hotswap_plugin::prelude::*;
use std::time::Duration;

/// A queue of jobs. It belongs to the host, on disk, so builds of plugins may come and go.
#[interface]
pub trait JobQueue: Send + Sync {
    /// Appends a job, and returns its number.
    fn push(&self, job: &LiveData) -> Result<u64>;

    /// Appends a job that is not done before this time is over, and returns its number.
    fn push_after(&self, job: &LiveData, delay: Duration) -> Result<u64>;
}
