//! Carries out the steps of a recovery, each on a thread of its own, because it may have to wait for a reload.
use super::recovery::{Recovery, RecoveryAction, RecoveryStep, RollBack};
use super::schedule::Shared;
use super::{HealthError, HealthLevel};
#[cfg(feature = "history")]
use crate::history::History;
use hotswap_host::{PluginName, ReloadError, Swapper};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// A plugin for which nothing more can be done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incident {
    /// The plugin.
    pub plugin: PluginName,
    /// Its level.
    pub level: HealthLevel,
    /// The reason for the level.
    pub message: String,
    /// What was done about it.
    pub steps: Vec<RecoveryStep>,
}

/// What the steps need.
#[derive(Default)]
pub(super) struct Means {
    #[cfg(feature = "history")]
    pub(super) history: Option<Arc<History>>,
    pub(super) tell: Option<Box<dyn Fn(&Incident) + Send + Sync>>,
}

/// A step that is about to be taken.
pub(super) struct Act {
    pub(super) action: RecoveryAction,
    pub(super) policy: Recovery,
    pub(super) incident: Incident,
}

impl Means {
    /// Checks that a policy can be carried out, and that a plugin would not flap with it.
    ///
    /// # Errors
    /// It would, or it goes back to another build, and there is no history, or the history does not have that build any more.
    pub(super) fn check(&self, of: &str, policy: &Recovery) -> Result<(), HealthError> {
        policy.validate(of)?;
        let wrong = |problem: String| {
            Err(HealthError::Recovery {
                of: of.to_owned(),
                problem,
            })
        };
        #[cfg(feature = "history")]
        let has_history = self.history.is_some();
        #[cfg(not(feature = "history"))]
        let has_history = false;
        if policy.roll_back != RollBack::Never && !has_history {
            return wrong(
                "`roll_back` needs builds of an earlier time; pass the host's history to `HealthMonitorBuilder::history`, or \
                 write `RollBack::Never`"
                    .into(),
            );
        }
        #[cfg(feature = "history")]
        if let (RollBack::To(digits), Some(history)) = (&policy.roll_back, &self.history)
            && let Err(error) = history.build(digits)
        {
            return wrong(format!("`roll_back` goes to a build that is gone: {error}"));
        }
        Ok(())
    }

    #[cfg(feature = "history")]
    fn roll_back(&self, swapper: &Swapper, act: &Act, reason: &str) -> Result<bool, String> {
        let build = match &act.policy.roll_back {
            RollBack::To(digits) => Some(digits.as_str()),
            _ => None,
        };
        let history = self.history.as_ref().ok_or("there is no history")?;
        let plugin = act.incident.plugin.as_str();
        let report = history.recover_plugin(swapper, plugin, build, reason);
        let report = report.map_err(|error| error.to_string())?;
        Ok(report.changed())
    }

    #[cfg(not(feature = "history"))]
    fn roll_back(&self, _: &Swapper, _: &Act, _: &str) -> Result<bool, String> {
        Err("there is no history".into())
    }
}

impl Shared {
    /// Begins a step.
    pub(super) fn act(self: &Arc<Self>, swapper: &Swapper, act: Act) {
        let (shared, host) = (self.clone(), swapper.clone());
        let (plugin, policy) = (act.incident.plugin.clone(), act.policy.clone());
        let thread = std::thread::Builder::new().name("hotswap-recovery".into());
        let spawned = thread.spawn(move || shared.carry_out(&host, act));
        if let Err(error) = spawned {
            tracing::error!(target: "hotswap", "nothing can be done about {plugin}: no thread could be started: {error}");
            self.change(|state| state.acted(&plugin, &policy, None, Instant::now()));
        }
    }

    fn carry_out(&self, swapper: &Swapper, mut act: Act) {
        loop {
            let reason = format!("it is {}: {}", act.incident.level, act.incident.message);
            let done = self.take(swapper, &act, &reason);
            let suspended = matches!(&done, Err(Problem::Suspended));
            let error = match done {
                Ok(()) | Err(Problem::Suspended) => None,
                Err(Problem::Failed(error)) => Some(error),
            };
            let plugin = act.incident.plugin.clone();
            let step = RecoveryStep {
                action: act.action,
                reason,
                error,
            };
            if !suspended {
                match step.error {
                    None => tracing::warn!(target: "hotswap", "{plugin}: {step}"),
                    Some(_) => tracing::error!(target: "hotswap", "{plugin}: {step}"),
                }
            }
            // Who takes it out of service also says so, whatever its checks say in the meantime.
            let is_out = act.action == RecoveryAction::OutOfService && step.error.is_none();
            act.incident.steps.push(step.clone());
            let step = (!suspended).then_some(step);
            if is_out && act.policy.tell && !suspended {
                let step = step.clone();
                self.change(|state| state.note_step(&plugin, step));
                act.action = RecoveryAction::Tell;
                continue;
            }
            // The live build is another one after a rollback.
            let live = swapper.health_checks();
            let build = live.iter().find(|live| live.plugin == plugin);
            let build = build.map(|build| build.build_id);
            let policy = &act.policy;
            let now = Instant::now();
            self.change(|state| {
                state.acted(&plugin, policy, Some((step, build)), now);
            });
            self.tell_waiting();
            return;
        }
    }

    fn take(&self, swapper: &Swapper, act: &Act, reason: &str) -> Result<(), Problem> {
        let Incident { plugin, .. } = &act.incident;
        let name = plugin.as_str();
        match act.action {
            RecoveryAction::Restart => {
                let report = swapper.restart_because(name, reason)?;
                let failed = || match report.plugin(name) {
                    Some(report) => format!("{report:#}"),
                    None => "it is gone".into(),
                };
                match report.changed() {
                    true => Ok(()),
                    false => Err(Problem::Failed(failed())),
                }
            }
            RecoveryAction::Rollback => {
                if swapper.open_window().is_some() {
                    return Err(Problem::Suspended);
                }
                match self.means.roll_back(swapper, act, reason) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Problem::Failed("that build is live already".into())),
                    Err(error) => Err(Problem::Failed(error)),
                }
            }
            RecoveryAction::OutOfService => Ok(swapper.take_out_of_service(name, reason)?),
            RecoveryAction::Tell => {
                let steps: Vec<_> = act.incident.steps.iter().map(ToString::to_string).collect();
                let text = format!("nothing more can be done about it: {}", steps.join("; "));
                swapper.note(name, &text)?;
                let told = self
                    .means
                    .tell
                    .as_ref()
                    .map(|tell| catch_unwind(AssertUnwindSafe(|| tell(&act.incident))));
                match told {
                    Some(Err(_)) => Err(Problem::Failed("the host's callback panicked".into())),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// The reason why a step was not taken.
enum Problem {
    /// A rollback window has opened meanwhile.
    Suspended,
    Failed(String),
}

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::WindowOpen { .. } | ReloadError::Deferred { .. } => Problem::Suspended,
            error => Problem::Failed(error.to_string()),
        }
    }
}
