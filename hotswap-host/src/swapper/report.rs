//! The report of a reload, plugin by plugin.
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::base::paths::as_text_of_some;
use crate::base::seconds::{seconds, seconds_of_some};
use crate::base::size::size;
use crate::instance::Instance;
use crate::swapper::keep::KeptBuild;
use crate::swapper::step::StepReport;
use crate::swapper::window::RollbackWindow;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The result of a reload. It is displayed as one line: `world: reloaded; moon: unchanged`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The number of the attempt, which its [events](crate::ReloadEvent) have, too.
    pub attempt: u64,
    /// The number of the generation that is live now. If nothing changed, it is the one that was live before.
    pub generation: u64,
    /// The number of completed reloads that changed something.
    pub reloads: u64,
    /// All plugins: those of the generation in its order, followed by those that left.
    pub plugins: Vec<PluginReport>,
    /// The duration of the reload, in seconds when serialised.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// The time for which calls could not begin while state was handed over, in seconds when serialised.
    #[serde(serialize_with = "seconds_of_some")]
    pub gate: Option<Duration>,
    /// The steps of the reload, in their order.
    pub steps: Vec<StepReport>,
    /// The rollback window, if the previous generation is kept for a while. Until the window has closed, the reload is
    /// provisional.
    #[serde(skip)]
    pub window: Option<RollbackWindow>,
    /// The builds that are kept for a rollback, with what they take in memory.
    pub kept: Vec<KeptBuild>,
    pub(super) changed: bool,
}

/// The result for one plugin. It is displayed as one line; with `{:#}`, all lines of an error are displayed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginReport {
    /// The name of the plugin.
    pub name: PluginName,
    /// Its current build, or the last one if it was removed. `None` for an optional plugin that has not run yet.
    pub build_id: Option<BuildId>,
    /// The artifact of that build. If an optional plugin that has not run yet failed, it is the artifact that failed,
    /// as far as it is known.
    #[serde(serialize_with = "as_text_of_some")]
    pub file: Option<PathBuf>,
    /// The result for the plugin.
    pub outcome: Outcome,
    /// The result for the state of the previous instance, if that had any or the new one accepts any.
    pub state: Option<StateReport>,
    /// Further remarks for the operator.
    pub notes: Vec<String>,
}

/// The result for the state of an instance that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StateReport {
    /// The new instance goes on with the state.
    HandedOver {
        /// The size of the saved state.
        bytes: u64,
    },
    /// The new instance starts without the state, because one of the two has neither `save` nor `restore`.
    Reset,
    /// The reload was reverted, and the state could not be handed back. The plugin goes on as it stood at the switch.
    SetBack {
        /// The time since the switch, in seconds when serialised. What has happened to the state in it is lost.
        #[serde(serialize_with = "seconds")]
        by: Duration,
    },
}

impl fmt::Display for StateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            StateReport::HandedOver { bytes } => write!(f, "state handed over ({})", size(bytes)),
            StateReport::Reset => f.write_str("state reset"),
            StateReport::SetBack { by } => write!(f, "state set back by {by:.1?}"),
        }
    }
}

/// The result of a reload for one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The plugin was not there before.
    Loaded,
    /// Another build replaced the running one.
    Reloaded {
        /// The build that ran before.
        from: BuildId,
    },
    /// The same instance goes on.
    Unchanged,
    /// The same build was loaded again, with a new instance, because a plugin that it imports was replaced.
    Followed {
        /// The imported plugin.
        plugin: PluginName,
    },
    /// The same build was loaded again, with a new instance, because that was [asked for](crate::Swapper::restart).
    Restarted,
    /// A new build is available, but the running instance is not reloadable.
    NotReloadable,
    /// The reload was reverted, and this build runs again.
    Reverted {
        /// The build that ran in between.
        from: Option<BuildId>,
    },
    /// The plugin is gone.
    Removed,
    /// The plugin is optional, and its new build could not be made part of the generation.
    Failed {
        /// The error.
        error: String,
        /// True if the previous build goes on. Otherwise the host runs without the plugin.
        stays: bool,
    },
}

impl Report {
    /// Returns true if a new generation was made.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Returns true if the reload can still be reverted, because its rollback window is open.
    pub fn is_provisional(&self) -> bool {
        let window = self.window.as_ref();
        window.is_some_and(|window| window.outcome().is_none())
    }

    /// Returns the result for this plugin.
    pub fn plugin(&self, name: &str) -> Option<&PluginReport> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.plugins.is_empty() {
            return f.write_str("no plugins");
        }
        for (i, plugin) in self.plugins.iter().enumerate() {
            write!(f, "{}{plugin}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl PluginReport {
    pub(super) fn new(plugin: &Instance, outcome: Outcome) -> Self {
        PluginReport {
            name: plugin.name().clone(),
            build_id: Some(plugin.build_id()),
            file: Some(plugin.file().to_owned()),
            outcome,
            state: None,
            notes: Vec::new(),
        }
    }
}

impl fmt::Display for PluginReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match f.alternate() {
            true => write!(f, "{:#}", self.outcome)?,
            false => write!(f, "{}", self.outcome)?,
        }
        if let Some(state) = &self.state {
            write!(f, ", {state}")?;
        }
        for note in &self.notes {
            write!(f, " ({note})")?;
        }
        Ok(())
    }
}

/// With `{:#}`, an error that has more than one line is whole.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Loaded => f.write_str("loaded"),
            Outcome::Reloaded { .. } => f.write_str("reloaded"),
            Outcome::Unchanged => f.write_str("unchanged"),
            Outcome::Followed { plugin } => write!(f, "followed {plugin}"),
            Outcome::Restarted => f.write_str("restarted"),
            Outcome::NotReloadable => f.write_str("not reloadable, the running build stays"),
            Outcome::Reverted { .. } => f.write_str("reverted"),
            Outcome::Removed => f.write_str("removed"),
            Outcome::Failed { error, stays } => {
                let then = match stays {
                    true => "the running build stays",
                    false => "the host runs without it",
                };
                let lines = if f.alternate() { usize::MAX } else { 1 };
                let error: Vec<_> = error.lines().take(lines).collect();
                write!(f, "failed, {then}: {}", error.join("\n"))
            }
        }
    }
}
