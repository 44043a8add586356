//! Restarts a plugin: another instance of the same build takes the place of the live one.
use super::Swapper;
use super::cause::Cause;
use super::inner::Inner;
use super::options::ReloadOptions;
use super::plan::{Plan, Restart};
use super::report::Report;
use crate::base::name::PluginName;
use crate::error::{Hook, HookFailure, ReloadError};
use std::sync::Arc;

impl Swapper {
    /// Replaces the instance of a plugin by a new one of the same build. The new instance has a library of its own, and so
    /// globals with their initial values, and receives the state of the old one, if there is any. If the state cannot be
    /// handed over, because a call never ends or a hook fails, the new instance begins without it, and the report says so
    /// ([`StateReport::Reset`](crate::StateReport::Reset)).
    ///
    /// Plugins that import it follow, and no call fails. The plugin directory is not read. Neither smoke tests nor probes run,
    /// because the build has passed them, and the new instance is permanent at once.
    ///
    /// # Errors
    /// No such plugin is loaded, it is not reloadable, a hook of the new instance fails, a [rollback
    /// window](crate::RollbackWindow) is open, or the caller is inside a reload or a call. The old instance goes on.
    pub fn restart(&self, plugin: &str) -> Result<Report, ReloadError> {
        self.restart_because(plugin, "it was asked for")
    }

    /// Does the same as [`restart`](Self::restart), with a reason, which is part of the [cause](Cause::Recovery) in the
    /// history.
    ///
    /// # Errors
    /// Those of [`restart`](Self::restart).
    pub fn restart_because(&self, plugin: &str, reason: &str) -> Result<Report, ReloadError> {
        let inner = &self.0;
        let mut writer = inner.writer()?;
        if let Some(window) = &writer.window {
            let left = window.shared.left();
            return Err(ReloadError::WindowOpen { left });
        }
        let name = PluginName::from(plugin);
        let plan = |with_state| plan(&name, reason, with_state);
        let restarted = inner.reload(&mut writer, plan(true), None);
        match restarted {
            Err(error) if concerns_state(&error) && has_state(inner, &name) => {
                inner.reload(&mut writer, plan(false), None)
            }
            restarted => restarted,
        }
    }
}

fn plan(plugin: &PluginName, reason: &str, with_state: bool) -> Plan {
    let mut options = ReloadOptions::development();
    options.smoke = false;
    Plan {
        cause: Cause::Recovery {
            plugin: plugin.clone(),
            reason: reason.to_owned(),
        },
        restart: Some(Restart {
            plugin: plugin.clone(),
            with_state,
        }),
        // The set of builds is the one that is live.
        force: true,
        ..Plan::new(options)
    }
}

/// Returns true if the state could not be handed over.
fn concerns_state(error: &ReloadError) -> bool {
    match error {
        ReloadError::HandOver { .. } => true,
        ReloadError::Hook(HookFailure { hook, .. }) => matches!(hook, Hook::Save | Hook::Restore),
        _ => false,
    }
}

fn has_state(inner: &Arc<Inner>, plugin: &PluginName) -> bool {
    let live = inner.live.pin_quietly();
    let plugin = live.plugin(plugin);
    plugin.is_some_and(|plugin| plugin.state().is_some())
}
