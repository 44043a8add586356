//! What a reload would mean for those that use the plugins, before anything is loaded.
use super::report::Outcome;
use crate::base::name::PluginName;
use crate::shown::Shown;
use hotswap_plugin::LiveKind;
use serde::Serialize;
use std::fmt;

/// What a reload would do, as far as the files say: see [`Reload::validate`](crate::Reload::validate).
///
/// Displayed as a summary in one line, then a line for each change.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The worst of all plugins.
    pub compatibility: Compatibility,
    /// The plugins of the next generation in its order, then those that would leave.
    pub plugins: Vec<PluginVerdict>,
}

/// Whether those that use a plugin can go on as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compatibility {
    /// They can, and nothing is new.
    Compatible,
    /// They can, and something is new.
    Additions,
    /// Something that they may use is gone, or is not what it was.
    Breaking,
}

/// What a reload would do to one plugin.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginVerdict {
    /// The plugin.
    pub name: PluginName,
    /// What would become of it.
    pub outcome: Outcome,
    /// What its new build offers that the one before did not, or the other way round.
    pub changes: Vec<ItemChange>,
}

/// Something that a plugin offers, and that the new build does not offer as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ItemChange {
    /// The item.
    pub item: Item,
    /// How it differs.
    pub difference: Difference,
    /// Who is known to use it as it was.
    pub users: Vec<ItemUser>,
    /// Whether the change is breaking.
    pub compatibility: Compatibility,
}

/// Something that a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Item {
    /// A function that can be called by name.
    Function(String),
    /// An interface that other plugins and the host may import.
    Interface(String),
    /// A live function.
    LiveFunction(String),
    /// A live type.
    LiveType(String),
    /// The state that goes from one instance to the next.
    State(String),
}

/// How an item of the new build differs from that of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// The new build has it.
    Added,
    /// The new build does not have it any more.
    Removed,
    /// The new build has another one of this name. The texts may be the same where a type that they name has changed.
    Changed {
        /// What it was.
        from: String,
        /// What it would be.
        to: String,
    },
}

/// Somebody who uses an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ItemUser {
    /// The host holds a handle. The reload would be refused.
    Host,
    /// This plugin imports it. The reload would be refused.
    Plugin(PluginName),
}

impl Verdict {
    pub(super) fn new(plugins: Vec<PluginVerdict>) -> Self {
        let changes = plugins.iter().flat_map(|plugin| &plugin.changes);
        let worst = changes.map(|change| change.compatibility).max();
        let added = plugins
            .iter()
            .any(|plugin| plugin.outcome == Outcome::Loaded);
        let least = match added {
            true => Compatibility::Additions,
            false => Compatibility::Compatible,
        };
        Verdict {
            compatibility: worst.unwrap_or(least).max(least),
            plugins,
        }
    }

    /// Returns true if something that others may use is gone, or is not what it was.
    pub fn is_breaking(&self) -> bool {
        self.compatibility == Compatibility::Breaking
    }

    /// The verdict on the plugin of this name.
    pub fn plugin(&self, name: &str) -> Option<&PluginVerdict> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }
}

impl Item {
    pub(super) fn live(kind: LiveKind, name: &str) -> Self {
        match kind {
            LiveKind::Type => Item::LiveType(name.to_owned()),
            _ => Item::LiveFunction(name.to_owned()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.compatibility)?;
        for plugin in &self.plugins {
            write!(f, "\n{plugin}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compatibility::Compatible => "compatible",
            Compatibility::Additions => "compatible, with additions",
            Compatibility::Breaking => "breaking",
        })
    }
}

impl fmt::Display for PluginVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.outcome)?;
        for change in &self.changes {
            write!(f, "\n  {change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ItemChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.difference {
            Difference::Added => write!(f, "adds {}", self.item)?,
            Difference::Removed => write!(f, "removes {}", self.item)?,
            Difference::Changed { from, to } if from == to => {
                write!(f, "changes a type in {}, {}", self.item, Shown(from))?
            }
            Difference::Changed { from, to } => write!(
                f,
                "changes {} from {} to {}",
                self.item,
                Shown(from),
                Shown(to)
            )?,
        }
        for (i, user) in self.users.iter().enumerate() {
            f.write_str(if i == 0 { ", used by " } else { " and " })?;
            match user {
                ItemUser::Host => f.write_str("the host")?,
                ItemUser::Plugin(name) => write!(f, "{name}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Item::Function(name) => ("function", name),
            Item::Interface(name) => ("interface", name),
            Item::LiveFunction(name) => ("live function", name),
            Item::LiveType(name) => ("live type", name),
            Item::State(name) => ("state", name),
        };
        write!(f, "{kind} {}", Shown(name))
    }
}
