#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "health")]
mod health;
#[cfg(feature = "history")]
mod history;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(all(feature = "systemd", unix))]
mod systemd;

#[cfg(feature = "metrics")]
pub use self::metrics::{HostMetrics, MetricDescription};
#[cfg(feature = "health")]
pub use health::{
    CheckHealth, HealthError, HealthLevel, HealthMonitor, HealthMonitorBuilder, HealthOptions,
    HealthReport, Incident, PluginHealth, Recovery, RecoveryAction, RecoveryHealth, RecoveryStep,
    RollBack,
};
#[cfg(all(feature = "history", unix))]
pub use history::Journald;
#[cfg(feature = "history")]
pub use history::{AuditBreak, AuditCheck, AuditEntry, AuditRecord, AuditResult};
#[cfg(feature = "history")]
pub use history::{Entry, EntryResult, HeldSet, History, HistoryError, StoredSet, Summary, Upload};
#[cfg(all(feature = "systemd", unix))]
pub use systemd::{Systemd, SystemdError, SystemdService};
