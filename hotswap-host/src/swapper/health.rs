//! Runs the health checks that plugins bring along: functions with `#[health]`. What follows from their answers is up to
//! whoever asks, such as the health monitor of the crate `hotswap-operate`.
use super::Swapper;
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::error::CallError;
use crate::instance::Instance;
use crate::invoke;
use hotswap_plugin::{Health, Value};
use std::sync::Arc;
use std::time::SystemTime;

/// A live plugin with the health checks that it brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthChecks {
    /// The plugin.
    pub plugin: PluginName,
    /// Its build.
    pub build_id: BuildId,
    /// The time at which this instance was loaded. Another instance of the same build has another one.
    pub loaded_at: SystemTime,
    /// The number of the live generation.
    pub generation: u64,
    /// The names of the checks.
    pub names: Vec<String>,
}

/// The reason why a health check has given no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthCheckError {
    /// No such plugin is live, or it has no such check.
    #[error("{plugin} has no health check {check}, or is not loaded")]
    Missing {
        /// The plugin.
        plugin: PluginName,
        /// The check.
        check: String,
    },
    /// The plugin is behind a closed gate, because its state is being handed over. This says nothing about its health.
    #[error("{plugin} is being replaced")]
    Gated {
        /// The plugin.
        plugin: PluginName,
    },
    /// The check returned an error.
    #[error("{0}")]
    Failed(String),
    /// The check panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The check returned a value that is no answer.
    #[error("returned {0}, which is no `Health`")]
    Nonsense(String),
}

impl Swapper {
    /// Lists the live plugins, each after those that it imports, with the health checks that they bring along.
    pub fn health_checks(&self) -> Vec<HealthChecks> {
        let live = self.0.live.pin_quietly();
        let checks = |plugin: &Arc<Instance>| HealthChecks {
            plugin: plugin.name().clone(),
            build_id: plugin.build_id(),
            loaded_at: plugin.loaded_at(),
            generation: live.number(),
            names: plugin
                .metadata()
                .health_checks()
                .map(str::to_owned)
                .collect(),
        };
        live.plugins.iter().map(checks).collect()
    }

    /// Runs a health check of a plugin, on the calling thread and without a limit. It also runs while the plugin is [out of
    /// service](Self::take_out_of_service), and never waits for a reload.
    ///
    /// The build is in use until the check returns. A check that never does keeps it in memory, as any call would.
    ///
    /// # Errors
    /// The check returned an error, panicked, or returned no [`Health`]; or it could not run: see [`HealthCheckError`].
    pub fn check_health(&self, plugin: &str, check: &str) -> Result<Health, HealthCheckError> {
        let missing = || HealthCheckError::Missing {
            plugin: plugin.into(),
            check: check.to_owned(),
        };
        let gated = |_| HealthCheckError::Gated {
            plugin: plugin.into(),
        };
        let pinned = self.enter_plugin_or_gate(plugin).map_err(gated)?;
        let instance = pinned.plugin_called(plugin).ok_or_else(missing)?;
        if !instance
            .metadata()
            .health_checks()
            .any(|name| name == check)
        {
            return Err(missing());
        }
        match invoke::invoke(instance, check, &[]) {
            Ok(Value::Nil) => Ok(Health::Healthy),
            Ok(value) => {
                let text = value.to_string();
                value.decode().map_err(|_| HealthCheckError::Nonsense(text))
            }
            Err(CallError::Panicked { message, .. }) => Err(HealthCheckError::Panicked(message)),
            Err(error) => Err(HealthCheckError::Failed(error.to_string())),
        }
    }
}
