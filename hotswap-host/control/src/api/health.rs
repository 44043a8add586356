//! The health of a host and its plugins.
use serde::{Deserialize, Serialize};

super::types! {
    /// The health of a host and its plugins.
    pub struct Health {
        /// The health as lines of text.
        pub text: String,
        /// The worst level of all.
        pub level: HealthLevel,
        /// The plugins that have this level, and `the host` if it does, unless the level is healthy.
        pub decided_by: Vec<String>,
        /// The live plugins, by name.
        pub plugins: Vec<PluginHealth>,
        /// The checks that belong to no plugin, by name.
        pub host: Vec<CheckHealth>,
    }

    /// The health of a live plugin.
    pub struct PluginHealth {
        /// The health of the plugin as lines of text.
        pub text: String,
        /// The plugin.
        pub plugin: String,
        /// Its build, in 64 hexadecimal digits.
        pub build_id: String,
        /// The worst level of its checks. A plugin that is out of service is critical.
        pub level: HealthLevel,
        /// The reason for the level. Empty if the plugin is healthy.
        pub message: String,
        /// The reason why it is out of service, if it is.
        pub out_of_service: Option<String>,
        /// Its checks, by name.
        pub checks: Vec<CheckHealth>,
        /// What was done about it since it was last well.
        pub recovery: Vec<RecoveryStep>,
        /// True if nothing is done about it while a rollback window is open.
        pub recovery_suspended: bool,
        /// True if nothing more can be done about it.
        pub recovery_exhausted: bool,
    }

    /// The state of one check.
    pub struct CheckHealth {
        /// The name of the check.
        pub name: String,
        /// The level that follows from it.
        pub level: HealthLevel,
        /// The reason for the level. Empty if it is healthy.
        pub message: String,
        /// The time at which the last check has ended, in seconds since 1970.
        pub last_check: Option<f64>,
        /// The number of failures since the last success.
        pub consecutive_failures: u32,
        /// The duration of the last check that has returned in time, in seconds.
        pub response_time: Option<f64>,
        /// The time for which the present check has been running, in seconds.
        pub running_for: Option<f64>,
    }

    /// A step that was taken to bring a plugin back to work.
    pub struct RecoveryStep {
        /// The step: `restart`, `rollback`, `out_of_service`, or `tell`.
        pub action: String,
        /// The reason.
        pub reason: String,
        /// The error, if it failed.
        pub error: Option<String>,
    }
}

/// How well a plugin or a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthLevel {
    /// It does its work.
    Healthy,
    /// It does its work, but not as well as it should.
    Degraded,
    /// It does not do its work.
    Unhealthy,
    /// It does not do its work, and what depends on it suffers.
    Critical,
    /// A level that this version does not know.
    #[serde(other)]
    Unknown,
}
