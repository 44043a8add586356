//! The health of the host and its plugins.
use super::Host;
use super::answer::{Answer, Shared, on_thread};
use super::input::Params;
use crate::api::{
    CheckHealth, EventKind, Failure, FailureKind, Health, HealthLevel, PluginHealth, RecoveryStep,
    of_host,
};
use axum::Json;
use axum::extract::State;
use hotswap_operate::{HealthError, HealthMonitor, Incident};
use serde::Deserialize;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn paths(router: OpenApiRouter<Arc<Host>>) -> OpenApiRouter<Arc<Host>> {
    router.routes(routes!(health))
}

fn monitor_of(host: &Host) -> Result<&HealthMonitor, Failure> {
    host.health.as_ref().ok_or_else(|| {
        let text =
            "this host does not check its health; `Control::health` gives the endpoint a monitor";
        Failure::new(FailureKind::NotFound, text)
    })
}

impl From<HealthError> for Failure {
    fn from(error: HealthError) -> Self {
        let kind = match error {
            HealthError::NotLoaded { .. } => FailureKind::NotFound,
            _ => FailureKind::Refused,
        };
        Failure::new(kind, error.to_string())
    }
}

/// What is asked about the health.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    now: bool,
    plugin: Option<String>,
}

/// Returns the health of the host and its plugins, as it is known or after all checks have run once more.
#[utoipa::path(get, path = "/v1/health",
    params(
        ("now" = Option<bool>, Query, description = "Runs the checks before the answer. By default, nothing is run."),
        ("plugin" = Option<String>, Query, description = "The only plugin whose checks are run."),
    ),
    responses(
        (status = 200, body = Health),
        (status = 404, body = Failure, description = "the host does not check its health, or no such plugin is loaded"),
        (status = 409, body = Failure, description = "the host is about to end"),
    )
)]
async fn health(State(host): Shared, Params(wanted): Params<Wanted>) -> Answer<Health> {
    let report = on_thread(&host, move |host| {
        let monitor = monitor_of(host)?;
        let report = match &wanted.plugin {
            Some(plugin) if wanted.now => monitor.check_now(plugin)?,
            None if wanted.now => monitor.check_all_now()?,
            _ => monitor.health_report(),
        };
        Ok(Health::from(&report))
    });
    report.await.map(Json)
}

impl From<hotswap_operate::HealthLevel> for HealthLevel {
    fn from(level: hotswap_operate::HealthLevel) -> Self {
        use hotswap_operate::HealthLevel as Level;
        match level {
            Level::Healthy => HealthLevel::Healthy,
            Level::Degraded => HealthLevel::Degraded,
            Level::Unhealthy => HealthLevel::Unhealthy,
            Level::Critical => HealthLevel::Critical,
        }
    }
}

impl From<&hotswap_operate::HealthReport> for Health {
    fn from(report: &hotswap_operate::HealthReport) -> Self {
        Health {
            text: report.to_string(),
            level: report.level.into(),
            decided_by: report.decided_by.clone(),
            plugins: report.plugins.iter().map(PluginHealth::from).collect(),
            host: report.host.iter().map(CheckHealth::from).collect(),
        }
    }
}

impl From<&hotswap_operate::PluginHealth> for PluginHealth {
    fn from(plugin: &hotswap_operate::PluginHealth) -> Self {
        let recovery = plugin.recovery.as_ref();
        let steps = recovery.map_or(&[][..], |recovery| &recovery.steps);
        PluginHealth {
            text: format!("{plugin:#}"),
            plugin: plugin.plugin.to_string(),
            build_id: plugin.build_id.to_string(),
            level: plugin.level.into(),
            message: plugin.message.clone(),
            out_of_service: plugin.out_of_service.clone(),
            checks: plugin.checks.iter().map(CheckHealth::from).collect(),
            recovery: steps.iter().map(RecoveryStep::from).collect(),
            recovery_suspended: recovery.is_some_and(|recovery| recovery.suspended),
            recovery_exhausted: recovery.is_some_and(|recovery| recovery.exhausted),
        }
    }
}

impl From<&hotswap_operate::CheckHealth> for CheckHealth {
    fn from(check: &hotswap_operate::CheckHealth) -> Self {
        CheckHealth {
            name: check.name.clone(),
            level: check.level.into(),
            message: check.message.clone(),
            last_check: check.last_check.map(of_host::seconds),
            consecutive_failures: check.consecutive_failures,
            response_time: check.response_time.map(|time| time.as_secs_f64()),
            running_for: check.running_for.map(|time| time.as_secs_f64()),
        }
    }
}

impl From<&hotswap_operate::RecoveryStep> for RecoveryStep {
    fn from(step: &hotswap_operate::RecoveryStep) -> Self {
        RecoveryStep {
            action: of_host::word(step.action),
            reason: step.reason.clone(),
            error: step.error.clone(),
        }
    }
}

impl From<&Incident> for EventKind {
    fn from(incident: &Incident) -> Self {
        EventKind::Incident {
            plugin: incident.plugin.to_string(),
            level: incident.level.into(),
            message: incident.message.clone(),
            steps: incident.steps.iter().map(RecoveryStep::from).collect(),
        }
    }
}
