//! What is kept of a plugin while its reload can be reverted.
use super::option_value::{OptionValue, by_serde};
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::base::size::size;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What is kept of a plugin that was replaced, while the rollback window is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Keep {
    /// Its instance, with everything that it has in memory. To revert is to switch back.
    #[default]
    Warm,
    /// Its build and the bytes that its `save` returns. The instance leaves memory after the switch. To revert is to make a
    /// new instance, which restores the state. What `save` does not return is lost then. Plugins that import a plugin
    /// which is kept cold are kept cold, too.
    Cold,
}

/// What is kept of single plugins. In a file it is a table, such as `keep_of = { world = "cold" }`, and as a text it is
/// `world=cold,moon=warm`, or `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepOf(BTreeMap<PluginName, Keep>);

impl KeepOf {
    /// Sets what is kept of this plugin.
    pub fn set(&mut self, plugin: impl Into<PluginName>, keep: Keep) {
        self.0.insert(plugin.into(), keep);
    }

    /// Returns what is kept of this plugin, if it was set.
    pub fn get(&self, plugin: &PluginName) -> Option<Keep> {
        self.0.get(plugin).copied()
    }

    /// The plugins for which something was set.
    pub(super) fn plugins(&self) -> impl Iterator<Item = &PluginName> {
        self.0.keys()
    }
}

/// A build that is kept for a rollback, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptBuild {
    /// The plugin.
    pub plugin: PluginName,
    /// The build.
    pub build_id: BuildId,
    /// What is kept of it.
    pub keep: Keep,
    /// The bytes that it takes in memory: those that its allocator counts if it is kept warm, or those of its saved state if
    /// it is kept cold. `None` if it has an allocator of its own, which counts nothing.
    pub bytes: Option<u64>,
}

/// For example, `world: kept warm, 1.2 MB`.
impl fmt::Display for KeptBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: kept {}", self.plugin, self.keep.to_text())?;
        match self.bytes {
            Some(bytes) => write!(f, ", {}", size(bytes)),
            None => f.write_str(", of unknown size"),
        }
    }
}

impl OptionValue for Keep {
    const TYPE: &str = "warm or cold";
    fn from_text(text: &str) -> Option<Self> {
        let all = [Keep::Warm, Keep::Cold];
        all.into_iter().find(|keep| keep.to_text() == text)
    }
    fn to_text(&self) -> String {
        let text = match self {
            Keep::Warm => "warm",
            Keep::Cold => "cold",
        };
        text.into()
    }
    by_serde!();
}

/// The text of an empty [`KeepOf`].
const NONE: &str = "none";

impl OptionValue for KeepOf {
    const TYPE: &str = "a list such as world=cold,moon=warm";
    fn from_text(text: &str) -> Option<Self> {
        let mut of = KeepOf::default();
        for part in text.split(',').filter(|_| text != NONE) {
            let (plugin, keep) = part.split_once('=')?;
            of.set(plugin.trim(), Keep::from_text(keep.trim())?);
        }
        Some(of)
    }
    fn to_text(&self) -> String {
        if self.0.is_empty() {
            return NONE.into();
        }
        let parts = self.0.iter();
        let parts = parts.map(|(plugin, keep)| format!("{}={}", plugin.as_str(), keep.to_text()));
        parts.collect::<Vec<_>>().join(",")
    }
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(plugin, keep)| (plugin.as_str(), keep)))
    }
    fn read<'d, D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, Keep>::deserialize(from)?;
        let read = read.into_iter();
        Ok(KeepOf(
            read.map(|(plugin, keep)| (plugin.into(), keep)).collect(),
        ))
    }
}
