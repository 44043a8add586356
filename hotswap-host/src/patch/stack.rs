//! The versions of a plugin: numbered patches, each on top of those before it.
use super::mock::AnyPoint;
use super::sourced::PatchSource;
use super::{Operation, What};
use crate::base::name::PluginName;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// The patches of all plugins.
pub(crate) type Stacks = BTreeMap<PluginName, Stack>;

/// Returns the stacks without the points that have no mock.
pub(crate) fn without_unused(stacks: &Stacks) -> Stacks {
    let mut stacks = stacks.clone();
    for stack in stacks.values_mut() {
        stack.mocks.retain(|mock| !mock.point.is_unused());
    }
    stacks.retain(|_, stack| !stack.is_empty());
    stacks
}

/// The versions of one plugin.
#[derive(Clone, Default)]
pub(crate) struct Stack {
    /// The versions that apply, the first one first.
    pub(crate) versions: Vec<Arc<Version>>,
    /// The versions that were rolled back, the last one of which was rolled back last.
    pub(crate) undone: Vec<Arc<Version>>,
    /// The functions that are mocked or traced, which are no versions.
    pub(crate) mocks: Vec<Arc<MockEntry>>,
}

/// A function that is mocked or traced.
pub(crate) struct MockEntry {
    pub(crate) operation: Operation,
    pub(crate) point: Arc<dyn AnyPoint>,
}

impl MockEntry {
    /// True if the function is traced.
    pub(crate) fn is_trace(&self) -> bool {
        matches!(self.operation.what, What::Trace | What::TraceByName)
    }
}

/// A patch that was applied.
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) operations: Vec<Operation>,
    pub(crate) by: String,
    pub(crate) since: SystemTime,
    /// True if something of it is sticky, and it was allowed all the same.
    pub(crate) overrode_sticky: bool,
    /// The plugin that has made it, with `#[patch]`.
    pub(crate) made_by: Option<PluginName>,
    /// True if the next start of the host applies it again. No operation has a closure then.
    pub(crate) persistent: bool,
}

impl Stack {
    /// Removes the versions that plugins have made for which this is true. Returns those that applied.
    pub(crate) fn leave(&mut self, which: impl Fn(&PluginName) -> bool) -> Vec<Arc<Version>> {
        let leaves = |version: &mut Arc<Version>| version.made_by.as_ref().is_some_and(&which);
        self.undone.retain_mut(|version| !leaves(version));
        self.versions.extract_if(.., leaves).collect()
    }

    /// Returns true if this plugin has made one of the versions, also if that was rolled back.
    pub(crate) fn has_of(&self, plugin: &PluginName) -> bool {
        let mut all = self.versions.iter().chain(&self.undone);
        all.any(|version| version.made_by.as_ref() == Some(plugin))
    }

    /// Returns true if a version that applies calls a function of a plugin for which this is true.
    pub(crate) fn calls(&self, which: impl Fn(&PluginName) -> bool) -> bool {
        let mut operations = self.versions.iter().flat_map(|version| &version.operations);
        operations.any(|operation| operation.by.as_ref().is_some_and(|by| which(&by.plugin)))
    }

    /// Returns true if there is nothing to remember.
    pub(crate) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.undone.is_empty() && self.mocks.is_empty()
    }

    /// The number of the version that applies, or zero for the plugin as it was built.
    pub(crate) fn current(&self) -> u64 {
        self.versions.last().map_or(0, |version| version.number)
    }

    /// Lists the versions that apply.
    pub(crate) fn list(&self) -> Vec<PatchVersion> {
        self.versions
            .iter()
            .map(|version| version.listed())
            .collect()
    }

    /// Lists the versions that were rolled back, the one that is done again first comes first.
    pub(crate) fn list_undone(&self) -> Vec<PatchVersion> {
        let undone = self.undone.iter().rev();
        undone.map(|version| version.listed()).collect()
    }
}

impl Version {
    /// Describes the version.
    pub(crate) fn listed(&self) -> PatchVersion {
        let calls = self.operations.iter().filter_map(|operation| {
            let made = operation.made.as_ref()?;
            Some(made.layer.calls())
        });
        PatchVersion {
            number: self.number,
            changes: self.operations.iter().map(ToString::to_string).collect(),
            by: self.by.clone(),
            since: self.since,
            calls: calls.sum(),
            overrode_sticky: self.overrode_sticky,
            persistent: self.persistent,
            sources: {
                let operations = self.operations.iter();
                operations.flat_map(Operation::sources).collect()
            },
        }
    }
}

/// One version of a patched plugin. It is displayed as one line: `3: rewrite hum (by ops)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PatchVersion {
    /// The number of the version. The first patch of a plugin has number 1, numbers grow, and none is used twice. A reload
    /// that brings patches along may leave out numbers.
    pub number: u64,
    /// What it does, function by function: `rewrite hum`, `after Alpha::greet`.
    pub changes: Vec<String>,
    /// The person or the program that has patched the plugin, as far as it was [given](crate::Patch::by).
    pub by: String,
    /// The time at which it was applied, by the clock of the machine.
    pub since: SystemTime,
    /// The number of calls that have reached one of its closures.
    pub calls: u64,
    /// True if a function of it, or the plugin, is [sticky](crate::Builder::sticky), and the patch was allowed all the
    /// same.
    pub overrode_sticky: bool,
    /// True if a host with a [journal](crate::Builder::journal) applies it again at its next start, once it is permanent. It
    /// was made [persistent](crate::Patch::persistent), or a plugin brings it along.
    pub persistent: bool,
    /// The sources of its closures that [`patch!`](crate::patch!) has kept.
    pub sources: Vec<PatchSource>,
}

impl fmt::Display for PatchVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.number, self.changes.join(", "))?;
        match self.by.as_str() {
            "" => Ok(()),
            by => write!(f, " (by {by})"),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.function;
        match self.what {
            What::Rewrite => match &self.by {
                None => write!(f, "rewrite {name}"),
                Some(by) => write!(f, "rewrite {name} by {}.{}", by.plugin, by.function),
            },
            What::Before => write!(f, "before {name}"),
            What::After => write!(f, "after {name}"),
            What::Around => write!(f, "around {name}"),
            What::AddClause(index) => write!(f, "add clause {index} to {name}"),
            What::AddFunction => write!(f, "add {name}"),
            What::RemoveFunction => write!(f, "remove {name}"),
            What::Mock => write!(f, "mock {name}"),
            What::Trace | What::TraceByName => write!(f, "trace {name}"),
        }
    }
}
