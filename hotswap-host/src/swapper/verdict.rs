//! `Verdict`: the result of a dry run of a reload.
use super::report::Outcome;
use crate::base::name::PluginName;
use crate::shown::Shown;
use hotswap_plugin::LiveKind;
use serde::Serialize;
use std::fmt;

/// The result of a dry run of a reload, which compares files and loads nothing: see [`Reload::validate`](crate::Reload::validate).
///
/// Displayed as a summary in one line, then a line for each change.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The compatibility of the worst change of all plugins.
    pub compatibility: Compatibility,
    /// The plugins of the next generation in its order, then those that would leave.
    pub plugins: Vec<PluginVerdict>,
}

/// The effect of a change on the users of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compatibility {
    /// The users can go on, and nothing is new.
    Compatible,
    /// The users can go on, and something is new.
    Additions,
    /// An item that they may use is gone or has changed.
    Breaking,
}

/// The result of a dry run for one plugin.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginVerdict {
    /// The plugin.
    pub name: PluginName,
    /// The outcome that the reload would have for it.
    pub outcome: Outcome,
    /// The items in which its new build differs from the running one.
    pub changes: Vec<ItemChange>,
}

/// An item in which two builds of a plugin differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ItemChange {
    /// The item.
    pub item: Item,
    /// The difference.
    pub difference: Difference,
    /// The known users of the item as it was.
    pub users: Vec<ItemUser>,
    /// The effect of the change.
    pub compatibility: Compatibility,
    /// What is missing, or not known, of the migrations of a live type or a state, and what to write. A version without a
    /// way back is only a warning.
    pub warnings: Vec<String>,
}

/// An item that a plugin offers to others, or its state.
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

/// The difference between an item of the new build and that of the running one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// The new build has it.
    Added,
    /// The new build does not have it any more.
    Removed,
    /// The new build has a different item of this name. The texts are equal if only a type that they name has changed.
    Changed {
        /// The signature or version in the running build.
        from: String,
        /// The signature or version in the new build.
        to: String,
    },
}

/// A known user of an item.
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

    /// Returns true if an item that others may use is gone or has changed.
    pub fn is_breaking(&self) -> bool {
        self.compatibility == Compatibility::Breaking
    }

    /// The warnings about all plugins, each with its plugin.
    pub fn warnings(&self) -> impl Iterator<Item = (&PluginName, &str)> {
        self.plugins.iter().flat_map(|plugin| {
            let warnings = plugin.changes.iter().flat_map(|change| &change.warnings);
            warnings.map(|warning| (&plugin.name, warning.as_str()))
        })
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
        let mut warnings = self.warnings.iter();
        warnings.try_for_each(|warning| write!(f, "\n    {}", Shown(warning)))
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
