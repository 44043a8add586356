//! The patches of plugins that a reload replaces.
use super::arrange::Arranged;
use super::candidate::Candidate;
use crate::artifact::PatchTarget;
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::error::{PatchError, ReloadError};
use crate::generation::Generation;
use crate::generation::edges;
use crate::generation::patched::Patched;
use crate::instance::Instance;
use crate::patch::Operation;
use crate::patch::layers::Layers;
use crate::patch::stack::{Stack, Stacks, Version, without_unused};
use crate::swapper::inner::Inner;
use crate::swapper::patch_settings::{PatchSettings, PatchesOnReload};
use crate::swapper::plan::Plan;
use crate::swapper::stored_patches::PatchesByPlugin;
use std::iter;
use std::sync::Arc;
use std::time::SystemTime;

/// The patches of the next generation, with notes on those that were dropped.
pub(super) struct Carried {
    pub(super) patched: Arc<Patched>,
    pub(super) notes: Vec<(PluginName, String)>,
}

/// Carries patches over to the next generation, whose new instances satisfy `is_fresh`, and adds those that these bring
/// along.
///
/// # Errors
/// A patch does not fit the new build of its plugin, and the host refuses such a reload. Or a new plugin stands for a
/// function that it does not fit.
pub(super) fn carry(
    plugins: &[Arc<Instance>],
    is_fresh: &dyn Fn(&PluginName) -> bool,
    stacks: &Arc<Stacks>,
    before: &PatchesByPlugin,
    settings: &PatchSettings,
    on_reload: PatchesOnReload,
) -> Result<Carried, ReloadError> {
    let mut carried = Carried {
        patched: Arc::default(),
        notes: Vec::new(),
    };
    let brings_patches = |plugin: &Arc<Instance>| plugin.metadata().patches().next().is_some();
    if stacks.is_empty() && !plugins.iter().any(brings_patches) {
        return Ok(carried);
    }
    let is_there = |name: &PluginName| plugins.iter().any(|plugin| plugin.name() == name);
    let leaves = |name: &PluginName| is_fresh(name) || !is_there(name);
    let stacks = without_unused(stacks);
    let gone = stacks.iter().find(|(name, stack)| {
        let mut plugins = plugins.iter();
        let is_mocked = stack.mocks.iter().any(|mock| !mock.is_trace());
        is_mocked && !plugins.any(|plugin| plugin.name() == *name)
    });
    if let Some((name, _)) = gone {
        return Err(mocked_away(name, &"the plugin would be gone"));
    }
    let mut next = Stacks::new();
    for plugin in plugins {
        let name = plugin.name();
        let mut stack = stacks.get(name).cloned().unwrap_or_default();
        let brought = Brought {
            plugins,
            plugin,
            is_fresh,
            before,
            settings,
        };
        for version in stack.leave(|by| !is_there(by)) {
            let note = format!("patch {} has left with its plugin", version.number);
            carried.notes.push((name.clone(), note));
        }
        brought.renew(&mut stack);
        let mut kept = match (is_fresh(name), on_reload) {
            (false, _) if !stack.calls(leaves) => stack,
            (false, _) => brought.fitting(&stack, PatchesOnReload::Keep, &mut carried.notes)?,
            (true, PatchesOnReload::Drop) => {
                let count = stack.versions.len();
                let note = format!("its patches ({count}) were dropped, as the host is set to");
                if count != 0 {
                    carried.notes.push((name.clone(), note));
                }
                let mocks = Stack {
                    mocks: stack.mocks.clone(),
                    ..Stack::default()
                };
                brought.fitting(&mocks, PatchesOnReload::Keep, &mut carried.notes)?
            }
            (true, on_reload) => brought.fitting(&stack, on_reload, &mut carried.notes)?,
        };
        brought.add_to(&mut kept, &mut carried.notes)?;
        if !kept.is_empty() {
            next.insert(name.clone(), kept);
        }
    }
    for by in plugins.iter().filter(|plugin| is_fresh(plugin.name())) {
        let targets = by.metadata().patches().map(|(_, target)| target);
        for PatchTarget {
            plugin, function, ..
        } in targets.filter(|to| !is_there(&to.plugin))
        {
            let known = plugins.iter().map(|plugin| plugin.name().as_str());
            let hint =
                nearest(plugin.as_str(), known).map(|name| format!("; did you mean {name}?"));
            let hint = hint.unwrap_or_default();
            let note = format!("it stands for {function} of {plugin}, which is not loaded{hint}");
            carried.notes.push((by.name().clone(), note));
        }
    }
    let linked = edges::link(plugins, Arc::new(next));
    // Each version was applied to its instance before.
    carried.patched = Arc::new(linked.unwrap_or_default());
    Ok(carried)
}

/// The patches of a plugin that others bring along.
struct Brought<'c> {
    plugins: &'c [Arc<Instance>],
    plugin: &'c Arc<Instance>,
    is_fresh: &'c dyn Fn(&PluginName) -> bool,
    before: &'c PatchesByPlugin,
    settings: &'c PatchSettings,
}

impl Brought<'_> {
    /// The operations that another plugin brings along.
    fn operations_of(&self, other: &Instance) -> Vec<Operation> {
        let targets = other.metadata().patches();
        let targets = targets.filter(|(_, target)| target.plugin == *self.plugin.name());
        let operations = targets.map(|(function, target)| {
            Operation::by_plugin(&target.function, other.name().clone(), function)
        });
        operations.collect()
    }

    /// Renews the versions that new builds of plugins bring along, where these say something else by now.
    fn renew(&self, stack: &mut Stack) {
        for other in self
            .plugins
            .iter()
            .filter(|other| (self.is_fresh)(other.name()))
        {
            let is_of = |version: &Arc<Version>| version.made_by.as_ref() == Some(other.name());
            let as_before = |version: &Arc<Version>| {
                let now = self.operations_of(other);
                let both = version.operations.iter().zip(&now);
                now.len() == version.operations.len() && both.into_iter().all(|(a, b)| a.same(b))
            };
            stack
                .undone
                .retain(|version| !is_of(version) || as_before(version));
            let found = stack.versions.iter().position(is_of);
            let Some(at) = found.filter(|at| !as_before(&stack.versions[*at])) else {
                continue;
            };
            stack.versions.remove(at);
            let operations = self.operations_of(other);
            if !operations.is_empty() {
                let version = self.version(other.name(), operations);
                stack.versions.insert(at, version);
            }
        }
    }

    /// Makes a version that another plugin brings along.
    fn version(&self, by: &PluginName, operations: Vec<Operation>) -> Arc<Version> {
        let (name, settings) = (self.plugin.name(), self.settings);
        let functions = operations.iter().map(|made| made.function.as_str());
        // Whether the reload may do so was checked before anything was loaded.
        let overrode_sticky = settings.sticky.check(name, functions, true).unwrap_or(true);
        let number = settings.next_number(name);
        settings.use_number(name, number);
        Arc::new(Version {
            number,
            operations,
            by: format!("plugin {by}"),
            since: SystemTime::now(),
            overrode_sticky,
            made_by: Some(by.clone()),
            persistent: true,
        })
    }

    /// Returns true if the other plugin brought the same patches along before, and this one was there. Then there is nothing
    /// to add: those that do not apply any more were taken away.
    fn was_brought(&self, other: &Instance) -> bool {
        let had = self.before.get(other.name());
        let had = had.filter(|_| self.before.contains_key(self.plugin.name()));
        had.is_some_and(|had| {
            let of_this = |target: &PatchTarget| target.plugin == *self.plugin.name();
            let had = had
                .iter()
                .map(|(function, target)| (function.as_str(), target));
            let has = other.metadata().patches();
            has.filter(|(_, target)| of_this(target))
                .eq(had.filter(|(_, target)| of_this(target)))
        })
    }

    /// Adds the patches of plugins that are new, or to which this one is new.
    ///
    /// # Errors
    /// A new plugin does not fit this one.
    fn add_to(
        &self,
        stack: &mut Stack,
        notes: &mut Vec<(PluginName, String)>,
    ) -> Result<(), ReloadError> {
        let name = self.plugin.name();
        for other in self.plugins {
            let is_new = (self.is_fresh)(other.name());
            let operations = self.operations_of(other);
            let is_known = stack.has_of(other.name());
            if operations.is_empty() || is_known || self.was_brought(other) {
                continue;
            }
            match self.add(stack, other.name(), operations) {
                Ok(()) => {}
                Err(error) if is_new => return Err(self.refused(other.name(), &error)),
                Err(error) => {
                    let note = format!("the patch by {} was not applied: {error}", other.name());
                    notes.push((name.clone(), note));
                }
            }
        }
        Ok(())
    }

    fn add(
        &self,
        stack: &mut Stack,
        by: &PluginName,
        operations: Vec<Operation>,
    ) -> Result<(), PatchError> {
        let (name, settings) = (self.plugin.name(), self.settings);
        if stack.versions.len() >= settings.max {
            return Err(PatchError::TooMany {
                plugin: name.to_string(),
                max: settings.max,
            });
        }
        let version = self.version(by, operations);
        Layers::of(self.plugins, self.plugin, stack)?.apply(&version)?;
        stack.versions.push(version);
        stack.undone.clear();
        Ok(())
    }

    fn refused(&self, by: &PluginName, error: &PatchError) -> ReloadError {
        ReloadError::PatchPlugin {
            plugin: by.clone(),
            target: self.plugin.name().clone(),
            message: error.to_string(),
        }
    }

    /// Returns the patches that fit the plugin.
    ///
    /// # Errors
    /// One does not fit it, and the host refuses such a reload, or it is one of a new plugin.
    fn fitting(
        &self,
        stack: &Stack,
        on_reload: PatchesOnReload,
        notes: &mut Vec<(PluginName, String)>,
    ) -> Result<Stack, ReloadError> {
        let (plugins, plugin) = (self.plugins, self.plugin);
        let is_new = |by: &PluginName| (self.is_fresh)(by);
        let mut kept = Stack {
            undone: stack.undone.clone(),
            mocks: stack.mocks.clone(),
            ..Stack::default()
        };
        for version in &stack.versions {
            let fits =
                Layers::of(plugins, plugin, &kept).and_then(|mut layers| layers.apply(version));
            match fits {
                Ok(()) => kept.versions.push(version.clone()),
                Err(error) if version.made_by.as_ref().is_some_and(is_new) => {
                    let by = version.made_by.as_ref().unwrap_or(plugin.name());
                    return Err(self.refused(by, &error));
                }
                Err(error) if on_reload == PatchesOnReload::Fail => {
                    return Err(ReloadError::Patch {
                        plugin: plugin.name().clone(),
                        patch: version.number,
                        message: error.to_string(),
                    });
                }
                Err(error) => {
                    let note = format!("patch {} was dropped: {error}", version.number);
                    notes.push((plugin.name().clone(), note));
                }
            }
        }
        let mut on_top = Vec::new();
        for mock in std::mem::take(&mut kept.mocks) {
            on_top.push(mock);
            let layers = Layers::of(plugins, plugin, &kept);
            match layers.and_then(|mut layers| layers.mock(&on_top)) {
                Ok(()) => {}
                // A trace of what is not there any more ends.
                Err(_) if on_top.last().is_some_and(|mock| mock.is_trace()) => drop(on_top.pop()),
                Err(error) => return Err(mocked_away(plugin.name(), &error)),
            }
        }
        kept.mocks = on_top;
        Ok(kept)
    }
}

fn mocked_away(plugin: &PluginName, error: &dyn std::fmt::Display) -> ReloadError {
    ReloadError::Mock {
        plugin: plugin.clone(),
        message: error.to_string(),
    }
}

/// Returns the patches of a generation that is made live again, with the mocks of the one that is live.
pub(super) fn with_mocks_of(stacks: &Stacks, live: &Stacks) -> Stacks {
    let mut merged = stacks.clone();
    merged.values_mut().for_each(|stack| stack.mocks.clear());
    for (plugin, stack) in live.iter().filter(|(_, stack)| !stack.mocks.is_empty()) {
        let merged = merged.entry(plugin.clone()).or_default();
        merged.mocks.clone_from(&stack.mocks);
    }
    merged
}

impl Inner {
    /// Returns an error if the reload would replace or remove a plugin that is sticky, or would patch what is.
    pub(super) fn check_sticky(
        &self,
        arranged: &Arranged,
        live: &Generation,
        plan: &Plan,
    ) -> Result<(), ReloadError> {
        // The builds with which a host starts, and their patches, were allowed before.
        let starts_again = live.number == 0 && plan.builds.is_some();
        let override_sticky = plan.override_sticky || starts_again;
        let goes_on = |name: &PluginName| {
            let candidate = arranged.candidates.get(name);
            let live = candidate.and_then(|candidate| candidate.live());
            live.is_some() && !arranged.followers.contains_key(name)
        };
        let replaced = live.plugins.iter().map(|plugin| plugin.name());
        for name in replaced.filter(|name| !goes_on(name)) {
            let sticky = &self.patching.sticky;
            let checked = sticky.check(name, iter::empty(), override_sticky);
            if let Err(PatchError::Sticky { may_override, .. }) = checked {
                return Err(ReloadError::Sticky {
                    plugin: name.clone(),
                    may_override,
                });
            }
        }
        let new = arranged.candidates.values();
        let new = new.filter(|candidate| matches!(candidate, Candidate::New(_)));
        for metadata in new.map(Candidate::metadata) {
            for (
                _,
                PatchTarget {
                    plugin, function, ..
                },
            ) in metadata.patches()
            {
                let functions = iter::once(function.as_str());
                let sticky = &self.patching.sticky;
                let checked = sticky.check(plugin, functions, override_sticky);
                if let Err(error) = checked {
                    return Err(ReloadError::PatchPlugin {
                        plugin: metadata.name.clone(),
                        target: plugin.clone(),
                        message: error.to_string(),
                    });
                }
            }
        }
        Ok(())
    }
}
