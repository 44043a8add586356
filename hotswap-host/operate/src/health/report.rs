//! [`HealthReport`], the health of a host and its plugins at one time.
use super::HealthLevel;
use super::recovery::RecoveryStep;
use hotswap_host::PluginName;
use hotswap_host::artifact::BuildId;
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The health of a host and its plugins at one time. It is displayed as lines of text, and serialised as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The worst level of all.
    pub level: HealthLevel,
    /// What has this level, if it is not healthy: plugins, and the host.
    pub decided_by: Vec<String>,
    /// The live plugins, by name.
    pub plugins: Vec<PluginHealth>,
    /// The checks of the host that belong to no plugin, by name.
    pub host: Vec<CheckHealth>,
}

/// The health of a live plugin.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PluginHealth {
    /// The plugin.
    pub plugin: PluginName,
    /// Its build.
    pub build_id: BuildId,
    /// The worst level of its checks. A plugin that is out of service is critical.
    pub level: HealthLevel,
    /// The reason for the level. Empty if the plugin is healthy.
    pub message: String,
    /// The reason why it is out of service, if it is.
    pub out_of_service: Option<String>,
    /// Its checks, by name.
    pub checks: Vec<CheckHealth>,
    /// What was done about it, if it has a [recovery](crate::Recovery).
    pub recovery: Option<RecoveryHealth>,
}

/// What was done about a plugin since it was last well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecoveryHealth {
    /// The steps that were taken.
    pub steps: Vec<RecoveryStep>,
    /// True while a rollback window is open, and nothing is done.
    pub suspended: bool,
    /// True if no step is left.
    pub exhausted: bool,
}

/// The state of one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CheckHealth {
    /// The name of the check.
    pub name: String,
    /// The level that follows from it.
    pub level: HealthLevel,
    /// The reason for the level. Empty if it is healthy.
    pub message: String,
    /// The time at which the last check has ended or was given up, by the clock of the machine, in seconds since 1970 when
    /// serialised. `None` before the first one.
    #[serde(serialize_with = "epoch")]
    pub last_check: Option<SystemTime>,
    /// The number of failures since the last success.
    pub consecutive_failures: u32,
    /// The duration of the last check that has returned in time, in seconds when serialised.
    #[serde(serialize_with = "seconds")]
    pub response_time: Option<Duration>,
    /// The time for which the present check has been running, if one is, in seconds when serialised.
    #[serde(serialize_with = "seconds")]
    pub running_for: Option<Duration>,
}

fn epoch<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let since = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    seconds(&since, serializer)
}

fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

impl HealthReport {
    /// Returns the health of this plugin, if it is live.
    pub fn plugin(&self, name: &str) -> Option<&PluginHealth> {
        self.plugins.iter().find(|plugin| plugin.plugin == name)
    }

    /// Returns the report as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Rolls the levels up.
    pub(super) fn of(plugins: Vec<PluginHealth>, host: Vec<CheckHealth>) -> Self {
        let mut levels: Vec<_> = plugins
            .iter()
            .map(|plugin| (plugin.level, plugin.plugin.to_string()))
            .collect();
        let of_host = host.iter().map(|check| check.level).max();
        levels.extend(of_host.map(|level| (level, "the host".to_owned())));
        let level = levels.iter().map(|(level, _)| *level).max();
        let level = level.unwrap_or_default();
        let decides = |of: HealthLevel| of == level && level != HealthLevel::Healthy;
        levels.retain(|(of, _)| decides(*of));
        HealthReport {
            level,
            decided_by: levels.into_iter().map(|(_, name)| name).collect(),
            plugins,
            host,
        }
    }
}

impl PluginHealth {
    /// Returns the check with this name.
    pub fn check(&self, name: &str) -> Option<&CheckHealth> {
        self.checks.iter().find(|check| check.name == name)
    }
}

/// For example:
/// ```text
/// unhealthy, because of alpha
/// alpha (build 11223344): unhealthy: pulse: there is none
///   pulse: unhealthy: there is none (failed 3 times in a row, took 1.2ms)
/// the host
///   disk: healthy (took 20.0µs)
/// ```
impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        if !self.decided_by.is_empty() {
            write!(f, ", because of {}", self.decided_by.join(", "))?;
        }
        for plugin in &self.plugins {
            write!(f, "\n{plugin:#}")?;
        }
        if !self.host.is_empty() {
            f.write_str("\nthe host")?;
        }
        for check in &self.host {
            write!(f, "\n  {check}")?;
        }
        Ok(())
    }
}

/// One line. `{:#}` has more lines, with the checks and what was done.
impl fmt::Display for PluginHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let build = self.build_id.short();
        write!(f, "{} (build {build}): {}", self.plugin, self.level)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if !f.alternate() {
            return Ok(());
        }
        for check in &self.checks {
            write!(f, "\n  {check}")?;
        }
        let recovery = self.recovery.iter();
        for step in recovery.flat_map(|recovery| &recovery.steps) {
            write!(f, "\n  {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CheckHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.level)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        let mut more = Vec::new();
        match self.consecutive_failures {
            0 => {}
            1 => more.push("failed once".to_owned()),
            n => more.push(format!("failed {n} times in a row")),
        }
        more.extend(self.response_time.map(|took| format!("took {took:.1?}")));
        if !more.is_empty() {
            write!(f, " ({})", more.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(name: &str, level: HealthLevel) -> PluginHealth {
        PluginHealth {
            plugin: name.into(),
            build_id: BuildId::of(b""),
            level,
            message: String::new(),
            out_of_service: None,
            checks: Vec::new(),
            recovery: None,
        }
    }

    fn decided(levels: &[(&str, HealthLevel)]) -> (HealthLevel, Vec<String>) {
        let plugins = levels.iter().map(|(name, level)| plugin(name, *level));
        let report = HealthReport::of(plugins.collect(), Vec::new());
        (report.level, report.decided_by)
    }

    #[test]
    fn the_worst_plugins_decide() {
        use HealthLevel::*;
        let none: [&str; 0] = [];
        assert_eq!(decided(&[]), (Healthy, none.map(str::to_owned).to_vec()));
        let all_well = decided(&[("a", Healthy), ("b", Healthy)]);
        assert_eq!(all_well, (Healthy, Vec::new()));
        let mixed = decided(&[("a", Degraded), ("b", Critical), ("c", Critical)]);
        assert_eq!(mixed, (Critical, vec!["b".to_owned(), "c".to_owned()]));
    }
}
