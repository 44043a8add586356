//! [`HealthLevel`].
use serde::{Deserialize, Serialize};
use std::fmt;

/// How well something does, from the best level to the worst.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HealthLevel {
    /// It does its work. What was not checked yet counts as healthy, and says so.
    #[default]
    Healthy,
    /// It does its work, but not as it should; or a check has failed, and not often enough for a verdict.
    Degraded,
    /// It does not do its work.
    Unhealthy,
    /// It does not do its work, for long, or with harm to others.
    Critical,
}

impl HealthLevel {
    /// All levels, from the best to the worst.
    pub const ALL: [HealthLevel; 4] = [
        HealthLevel::Healthy,
        HealthLevel::Degraded,
        HealthLevel::Unhealthy,
        HealthLevel::Critical,
    ];

    /// Returns true if something has to be done about it.
    pub fn is_bad(self) -> bool {
        self >= HealthLevel::Unhealthy
    }
}

impl fmt::Display for HealthLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HealthLevel::Healthy => "healthy",
            HealthLevel::Degraded => "degraded",
            HealthLevel::Unhealthy => "unhealthy",
            HealthLevel::Critical => "critical",
        })
    }
}
