//! [`Frozen`], why a host refuses all changes.
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

/// Why a host refuses all changes, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Frozen {
    /// The reason.
    pub reason: String,
    /// The time at which the host was frozen.
    pub since: SystemTime,
}
