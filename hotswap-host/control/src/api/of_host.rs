//! Makes the types of the API from those of the host.
#[cfg(feature = "history")]
use super::{Attempt, AuditBreak, AuditCheck, AuditRecord};
use super::{
    Change, EventKind, Frozen, InFlight, OutOfService, Plugin, PluginReport, PluginVerdict, Report,
    Retirement, Step, Verdict,
};
use hotswap_host::{
    InFlight as HostInFlight, PluginListing, ReloadEventKind, Report as HostReport,
    Retirement as HostRetirement, StepReport, Verdict as HostVerdict, WindowOutcome,
};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the word that a value without data is in JSON.
pub(crate) fn word(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns the seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

impl Plugin {
    pub(crate) fn of(plugin: &PluginListing, in_flight: &[HostInFlight]) -> Self {
        let note = plugin.note.as_ref();
        let out = plugin.out_of_service.as_ref();
        Plugin {
            name: plugin.name.to_string(),
            version: plugin.version.clone(),
            file: plugin.file.display().to_string(),
            build_id: plugin.build_id.to_string(),
            commit: note.map(|note| note.commit.clone()),
            dirty: note.is_some_and(|note| note.dirty),
            loaded_at: seconds(plugin.loaded_at),
            dependencies: texts(&plugin.dependencies),
            users: texts(&plugin.users),
            deployed: plugin.deployed.is_some(),
            out_of_service: out.map(|out| OutOfService {
                reason: out.reason.clone(),
                since: seconds(out.since),
            }),
            in_flight: in_flight.iter().map(InFlight::from).collect(),
        }
    }
}

impl From<hotswap_host::Frozen> for Frozen {
    fn from(frozen: hotswap_host::Frozen) -> Self {
        Frozen {
            reason: frozen.reason,
            since: seconds(frozen.since),
        }
    }
}

impl From<&HostInFlight> for InFlight {
    fn from(build: &HostInFlight) -> Self {
        InFlight {
            build_id: build.build_id.to_string(),
            live: build.live,
            calls: build.calls,
        }
    }
}

impl From<&HostRetirement> for Retirement {
    fn from(retirement: &HostRetirement) -> Self {
        Retirement {
            plugin: retirement.plugin.clone(),
            build_id: retirement.build_id.to_string(),
            state: word(retirement.state),
            held_by: texts(&retirement.held_by),
        }
    }
}

impl From<&StepReport> for Step {
    fn from(step: &StepReport) -> Self {
        Step {
            step: step.step.to_string(),
            took: step.took.as_secs_f64(),
            failed: step.failed,
        }
    }
}

impl From<&HostReport> for Report {
    fn from(report: &HostReport) -> Self {
        let plugins = report.plugins.iter().map(|plugin| PluginReport {
            name: plugin.name.to_string(),
            build_id: plugin.build_id.map(|build| build.to_string()),
            outcome: format!("{:#}", plugin.outcome),
            state: plugin.state.as_ref().map(ToString::to_string),
            notes: plugin.notes.clone(),
        });
        Report {
            attempt: Some(report.attempt),
            text: report.to_string(),
            generation: report.generation,
            reloads: report.reloads,
            changed: report.changed(),
            provisional: report.is_provisional(),
            plugins: plugins.collect(),
            took: report.took.as_secs_f64(),
            gate: report.gate.map(|gate| gate.as_secs_f64()),
            steps: report.steps.iter().map(Step::from).collect(),
        }
    }
}

impl From<&HostVerdict> for Verdict {
    fn from(verdict: &HostVerdict) -> Self {
        let plugins = verdict.plugins.iter().map(|plugin| PluginVerdict {
            name: plugin.name.to_string(),
            outcome: format!("{:#}", plugin.outcome),
            changes: plugin
                .changes
                .iter()
                .map(|change| Change {
                    text: change.to_string(),
                    compatibility: word(change.compatibility),
                    warnings: change.warnings.clone(),
                })
                .collect(),
        });
        Verdict {
            text: verdict.to_string(),
            compatibility: word(verdict.compatibility),
            plugins: plugins.collect(),
        }
    }
}

impl EventKind {
    /// Returns `None` for an event that this version of the API does not have.
    pub(crate) fn of(kind: &ReloadEventKind<'_>) -> Option<Self> {
        Some(match kind {
            ReloadEventKind::Step(step) => EventKind::Step((*step).into()),
            ReloadEventKind::Completed(report) => EventKind::Completed((*report).into()),
            ReloadEventKind::Refused(error) => EventKind::Refused {
                error: error.to_string(),
            },
            ReloadEventKind::Confirmed => EventKind::Confirmed,
            ReloadEventKind::OutOfService(out) => EventKind::OutOfService {
                plugin: out.plugin.to_string(),
                reason: out.reason.clone(),
            },
            ReloadEventKind::Frozen { reason } => EventKind::Frozen {
                reason: (*reason).to_owned(),
            },
            ReloadEventKind::Unfrozen => EventKind::Unfrozen,
            ReloadEventKind::InService(plugin) => EventKind::InService {
                plugin: plugin.to_string(),
            },
            ReloadEventKind::Noted { plugin, text } => EventKind::Noted {
                plugin: plugin.to_string(),
                text: (*text).to_owned(),
            },
            ReloadEventKind::WindowClosed(outcome) => EventKind::WindowClosed {
                outcome: outcome.to_string(),
                permanent: matches!(outcome, WindowOutcome::Permanent),
                result: result_of(outcome).into(),
            },
            _ => return None,
        })
    }
}

/// Returns the word that the history has for how a window has closed, too.
fn result_of(outcome: &WindowOutcome) -> &'static str {
    match outcome {
        WindowOutcome::Permanent => "permanent",
        WindowOutcome::Reverted { .. } => "reverted",
        WindowOutcome::NotReverted { .. } => "not_reverted",
        WindowOutcome::Superseded => "superseded",
        WindowOutcome::ShutDown => "interrupted",
        _ => "unknown",
    }
}

#[cfg(feature = "history")]
impl From<&hotswap_operate::Entry> for Attempt {
    fn from(entry: &hotswap_operate::Entry) -> Self {
        let builds =
            |builds: &std::collections::BTreeMap<String, hotswap_host::artifact::BuildId>| {
                let builds = builds.iter();
                builds
                    .map(|(plugin, build)| (plugin.clone(), build.to_string()))
                    .collect()
            };
        let steps = entry.steps.iter().map(|(step, took, failed)| Step {
            step: step.clone(),
            took: *took,
            failed: *failed,
        });
        Attempt {
            id: entry.id,
            began: seconds(entry.began),
            cause: entry.cause.clone(),
            deployment: entry.deployment.clone(),
            pid: entry.pid,
            user: entry.user.clone(),
            from: builds(&entry.from),
            to: builds(&entry.to),
            steps: steps.collect(),
            took: entry.took,
            result: word(entry.result),
            detail: entry.detail.clone(),
            text: entry.to_string(),
        }
    }
}

#[cfg(feature = "history")]
impl From<hotswap_operate::AuditRecord> for AuditRecord {
    fn from(record: hotswap_operate::AuditRecord) -> Self {
        AuditRecord {
            id: record.id,
            at: seconds(record.at),
            who: record.who,
            what: record.what,
            details: record.details,
            result: word(record.result),
            reason: record.reason,
            deployment: record.deployment,
            outcome: record.outcome,
            begun: record.begun,
            hash: record.hash,
            record: record.text,
        }
    }
}

#[cfg(feature = "history")]
impl From<hotswap_operate::AuditCheck> for AuditCheck {
    fn from(check: hotswap_operate::AuditCheck) -> Self {
        AuditCheck {
            records: check.records,
            hash: check.hash,
            broken: check.broken.map(|broken| AuditBreak {
                id: broken.id(),
                text: broken.to_string(),
            }),
        }
    }
}
