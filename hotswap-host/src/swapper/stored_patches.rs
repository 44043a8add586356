//! [`StoredPatches`], the patches of a host in the form in which a journal keeps them.
use crate::artifact::PatchTarget;
use crate::base::name::PluginName;
use crate::generation::Generation;
use crate::instance::Instance;
use crate::patch::Operation;
use crate::patch::stack::{Stack, Stacks, Version};
use crate::patch::sticky::Sticky;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The patches that the next start of a host applies: those that plugins bring along with `#[patch]`, and those that were
/// made [persistent](crate::Patch::persistent), with those of them that were rolled back.
///
/// A [journal](crate::Journal::keep_patches) stores them as serde writes them, and returns them in
/// [`Start::patches`](crate::Start::patches).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredPatches {
    /// The versions of each plugin.
    plugins: BTreeMap<String, StoredStack>,
    /// All plugins that were loaded, each with the patches that it brought along, if any plugin brings some. Those that
    /// are here, and are no version any more, were taken away.
    loaded: BTreeMap<String, Vec<StoredTarget>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct StoredStack {
    /// The largest number that a version has had.
    last: u64,
    versions: Vec<StoredVersion>,
    undone: Vec<StoredVersion>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredVersion {
    number: u64,
    by: String,
    /// Milliseconds since the beginning of 1970.
    since: u64,
    #[serde(default)]
    overrode_sticky: bool,
    #[serde(default)]
    made_by: Option<String>,
    operations: Vec<StoredOperation>,
}

/// An operation without a closure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredOperation {
    function: String,
    /// The function of another plugin that answers, or `None` if the function is removed.
    #[serde(default)]
    by: Option<StoredFunction>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredFunction {
    plugin: String,
    function: String,
}

/// A function that stands for one of another plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredTarget {
    function: String,
    of: StoredFunction,
}

/// The plugins of a generation, each with its functions that stand for one of another plugin.
pub(super) type PatchesByPlugin = BTreeMap<PluginName, Vec<(String, PatchTarget)>>;

/// Returns these plugins.
pub(super) fn patches_by_plugin(generation: &Generation) -> PatchesByPlugin {
    let patches = |plugin: &Arc<Instance>| {
        let patches = plugin.metadata().patches();
        let patches = patches.map(|(function, target)| (function.to_owned(), target.clone()));
        (plugin.name().clone(), patches.collect())
    };
    generation.plugins.iter().map(patches).collect()
}

impl StoredPatches {
    /// Returns the patches of a generation that follows one with these.
    pub(super) fn after(&self, generation: &Generation) -> Self {
        let mut next = StoredPatches::default();
        for (plugin, before) in self.plugins.iter().filter(|(_, stack)| stack.last != 0) {
            let last = before.last;
            let numbers = StoredStack {
                last,
                ..StoredStack::default()
            };
            next.plugins.insert(plugin.clone(), numbers);
        }
        for (plugin, stack) in generation.patched.stacks.iter() {
            let (versions, undone) = (stored(&stack.versions), stored(&stack.undone));
            let all = versions.iter().chain(&undone);
            let Some(last) = all.map(|version| version.number).max() else {
                continue;
            };
            let next = next.plugins.entry(plugin.as_str().to_owned()).or_default();
            *next = StoredStack {
                last: last.max(next.last),
                versions,
                undone,
            };
        }
        let loaded = patches_by_plugin(generation);
        if loaded.values().any(|patches| !patches.is_empty()) {
            let loaded = loaded.into_iter();
            next.loaded = loaded
                .map(|(plugin, patches)| {
                    let patches = patches.into_iter().map(|(function, target)| StoredTarget {
                        function,
                        of: StoredFunction {
                            plugin: target.plugin.as_str().to_owned(),
                            function: target.function,
                        },
                    });
                    (plugin.as_str().to_owned(), patches.collect())
                })
                .collect();
        }
        next
    }

    /// Returns the plugins that were loaded.
    pub(super) fn loaded(&self) -> PatchesByPlugin {
        let loaded = self.loaded.iter();
        loaded
            .map(|(plugin, patches)| {
                let patches = patches.iter().map(|patch| {
                    let target = PatchTarget {
                        plugin: patch.of.plugin.as_str().into(),
                        function: patch.of.function.clone(),
                    };
                    (patch.function.clone(), target)
                });
                (plugin.as_str().into(), patches.collect())
            })
            .collect()
    }

    /// Returns the largest number that a version of each plugin has had.
    pub(super) fn numbers(&self) -> BTreeMap<PluginName, u64> {
        let plugins = self.plugins.iter();
        plugins
            .map(|(plugin, stack)| (plugin.as_str().into(), stack.last))
            .collect()
    }

    /// Returns the versions, and notes on those that the host does not allow any more.
    pub(super) fn stacks(&self, sticky: &Sticky) -> (Stacks, Vec<(PluginName, String)>) {
        let (mut stacks, mut notes) = (Stacks::new(), Vec::new());
        for (plugin, stored) in &self.plugins {
            let plugin = PluginName::from(plugin.as_str());
            let mut stack = Stack::default();
            for version in &stored.versions {
                match version.check(&plugin, sticky) {
                    Ok(()) => stack.versions.push(version.version()),
                    Err(why) => {
                        let note = format!("patch {} was dropped: {why}", version.number);
                        notes.push((plugin.clone(), note));
                    }
                }
            }
            let undone = stored.undone.iter();
            let undone = undone.filter(|version| version.check(&plugin, sticky).is_ok());
            stack.undone = undone.map(StoredVersion::version).collect();
            if !stack.is_empty() {
                stacks.insert(plugin, stack);
            }
        }
        (stacks, notes)
    }
}

fn stored(versions: &[Arc<Version>]) -> Vec<StoredVersion> {
    let persistent = versions.iter().filter(|version| version.persistent);
    persistent
        .map(|version| StoredVersion {
            number: version.number,
            by: version.by.clone(),
            since: {
                let since = version.since.duration_since(UNIX_EPOCH);
                since.unwrap_or_default().as_millis() as u64
            },
            overrode_sticky: version.overrode_sticky,
            made_by: version.made_by.as_ref().map(|by| by.as_str().to_owned()),
            operations: version.operations.iter().map(StoredOperation::of).collect(),
        })
        .collect()
}

impl StoredVersion {
    fn version(&self) -> Arc<Version> {
        Arc::new(Version {
            number: self.number,
            operations: self.operations.iter().map(StoredOperation::made).collect(),
            by: self.by.clone(),
            since: since(self.since),
            overrode_sticky: self.overrode_sticky,
            made_by: self.made_by.as_deref().map(PluginName::from),
            persistent: true,
        })
    }

    /// Returns an error if something of it is sticky by now.
    fn check(&self, plugin: &PluginName, sticky: &Sticky) -> Result<(), String> {
        let functions = self.operations.iter().map(|made| made.function.as_str());
        let checked = sticky.check(plugin, functions, self.overrode_sticky);
        checked.map(drop).map_err(|error| error.to_string())
    }
}

fn since(millis: u64) -> SystemTime {
    let since = UNIX_EPOCH.checked_add(Duration::from_millis(millis));
    since.unwrap_or(UNIX_EPOCH)
}

impl StoredOperation {
    /// Describes an operation that has no closure.
    fn of(operation: &Operation) -> Self {
        StoredOperation {
            function: operation.function.clone(),
            by: operation.by.as_ref().map(|by| StoredFunction {
                plugin: by.plugin.as_str().to_owned(),
                function: by.function.clone(),
            }),
        }
    }

    fn made(&self) -> Operation {
        match &self.by {
            Some(by) => {
                Operation::by_plugin(&self.function, by.plugin.as_str().into(), &by.function)
            }
            None => Operation::remove(&self.function),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form in which journals have stored patches since there are any.
    const STORED: &str = r#"{
        "plugins": {"guest": {
            "last": 4,
            "versions": [{
                "number": 2, "by": "ops", "since": 1700000000123,
                "operations": [
                    {"function": "visit", "by": {"plugin": "choir", "function": "hum"}},
                    {"function": "leave"}
                ]
            }],
            "undone": [{
                "number": 4, "by": "plugin choir", "since": 1700000000123, "overrode_sticky": true, "made_by": "choir",
                "operations": [{"function": "visit", "by": {"plugin": "choir", "function": "sing"}}]
            }]
        }},
        "loaded": {
            "choir": [{"function": "sing", "of": {"plugin": "guest", "function": "visit"}}],
            "guest": []
        }
    }"#;

    #[test]
    fn stored_patches_become_versions_again() {
        let patches: StoredPatches = serde_json::from_str(STORED).unwrap();
        let mut sticky = Sticky::default();
        sticky.set_may_override(true);
        let (stacks, notes) = patches.stacks(&sticky);
        assert!(notes.is_empty());
        let guest = PluginName::from("guest");
        let stack = &stacks[&guest];
        let shown = |versions: &[Arc<Version>]| {
            let versions = versions.iter().map(|version| version.listed().to_string());
            versions.collect::<Vec<_>>()
        };
        assert_eq!(
            shown(&stack.versions),
            ["2: rewrite visit by choir.hum, remove leave (by ops)"]
        );
        assert_eq!(
            shown(&stack.undone),
            ["4: rewrite visit by choir.sing (by plugin choir)"]
        );
        assert_eq!(patches.numbers()[&guest], 4);
        assert_eq!(patches.loaded()[&PluginName::from("choir")].len(), 1);
        assert_eq!(stored(&stack.versions), patches.plugins["guest"].versions);
        assert_eq!(stored(&stack.undone), patches.plugins["guest"].undone);
    }

    #[test]
    fn what_is_sticky_by_now_is_dropped() {
        let patches: StoredPatches = serde_json::from_str(STORED).unwrap();
        let mut sticky = Sticky::default();
        sticky.add_function("guest".into(), "leave");
        let (stacks, notes) = patches.stacks(&sticky);
        let stack = &stacks[&PluginName::from("guest")];
        assert!(stack.versions.is_empty());
        assert_eq!(stack.undone.len(), 1);
        assert_eq!(
            notes[0].1,
            "patch 2 was dropped: guest.leave is sticky and cannot be changed: this host does not allow that"
        );
    }
}
