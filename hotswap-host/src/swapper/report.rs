//! What a reload did, plugin by plugin.
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::base::paths::as_text_of_some;
use crate::instance::Instance;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What a reload did. Displayed as one line: `world: reloaded; moon: unchanged`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The number of the generation that is live now. Where nothing changed it is the one that was live before.
    pub generation: u64,
    /// How many reloads that changed something have completed.
    pub reloads: u64,
    /// Each plugin: those of the generation in its order, then those that left.
    pub plugins: Vec<PluginReport>,
    /// How long it took, in seconds when serialised.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// For how long calls could not begin, where state was handed over; in seconds when serialised.
    #[serde(serialize_with = "seconds_of_some")]
    pub gate: Option<Duration>,
    pub(super) changed: bool,
}

/// What became of one plugin. Displayed as one line; with `{:#}` an error that has more of them is whole.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginReport {
    /// The plugin.
    pub name: PluginName,
    /// Its build now; that which left, when it was removed. `None` for an optional plugin that has not run yet.
    pub build_id: Option<BuildId>,
    /// The artifact of that build. Where an optional plugin failed that has not run yet, the artifact that failed, as far as it
    /// is known.
    #[serde(serialize_with = "as_text_of_some")]
    pub file: Option<PathBuf>,
    /// What became of it.
    pub outcome: Outcome,
    /// What became of the state of the instance before, where that had any or the new one takes some.
    pub state: Option<StateReport>,
    /// What the operator should know besides.
    pub notes: Vec<String>,
}

/// What became of the state of an instance that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StateReport {
    /// The new instance goes on with it.
    HandedOver {
        /// Its size.
        bytes: u64,
    },
    /// The new instance starts anew: one of the two has neither `save` nor `restore`.
    Reset,
}

impl fmt::Display for StateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StateReport::HandedOver { bytes } = *self else {
            return f.write_str("state reset");
        };
        let size = bytes as f64;
        match bytes {
            ..1_000 => write!(f, "state handed over ({bytes} B)"),
            1_000..1_000_000 => write!(f, "state handed over ({:.1} kB)", size / 1e3),
            _ => write!(f, "state handed over ({:.1} MB)", size / 1e6),
        }
    }
}

/// What became of a plugin in a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was not there before.
    Loaded,
    /// Another build replaced the one that ran.
    Reloaded {
        /// The build that ran before.
        from: BuildId,
    },
    /// The same instance goes on.
    Unchanged,
    /// The same build was loaded again, with a new instance, since a plugin that it imports was replaced.
    Followed {
        /// That plugin.
        plugin: PluginName,
    },
    /// Another build is there, but the one that runs does not allow to be replaced.
    NotReloadable,
    /// It is gone.
    Removed,
    /// It is optional, and its new build could not be made part of the generation.
    Failed {
        /// Why.
        error: String,
        /// The build that ran goes on; otherwise the host runs without the plugin.
        stays: bool,
    },
}

impl Report {
    /// Whether a new generation was made.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// What became of this plugin.
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
            Outcome::NotReloadable => f.write_str("not reloadable, the running build stays"),
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

fn seconds_of_some<S: serde::Serializer>(
    took: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    took.map(|took| took.as_secs_f64()).serialize(to)
}

fn seconds<S: serde::Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(took.as_secs_f64())
}
