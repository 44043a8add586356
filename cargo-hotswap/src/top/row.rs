//! A line of the table.

use hotswap_control::api::HealthLevel;

/// A line of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) plugin: String,
    pub(super) build: String,
    pub(super) health: Option<HealthLevel>,
    /// The calls in a second.
    pub(super) calls: f64,
    /// The errors in a second.
    pub(super) errors: f64,
    pub(super) median: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) running: usize,
    pub(super) memory: Option<u64>,
    /// The seconds since it was loaded.
    pub(super) age: f64,
    pub(super) notes: String,
}

/// Returns a level in a word.
pub(super) fn word(level: HealthLevel) -> &'static str {
    match level {
        HealthLevel::Healthy => "healthy",
        HealthLevel::Degraded => "degraded",
        HealthLevel::Unhealthy => "unhealthy",
        HealthLevel::Critical => "critical",
        _ => "unknown",
    }
}
