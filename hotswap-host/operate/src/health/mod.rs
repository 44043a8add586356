//! The health of a host and its plugins, and what is done about it.
mod act;
mod check;
mod error;
mod level;
mod monitor;
mod options;
mod recovery;
mod report;
mod schedule;
mod state;

pub use act::Incident;
pub use error::HealthError;
pub use level::HealthLevel;
pub use monitor::{HealthMonitor, HealthMonitorBuilder};
pub use options::HealthOptions;
pub use recovery::{Recovery, RecoveryAction, RecoveryStep, RollBack};
pub use report::{CheckHealth, HealthReport, PluginHealth, RecoveryHealth};
