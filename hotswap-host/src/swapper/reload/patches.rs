//! The patches of plugins that a reload replaces.
use super::arrange::Arranged;
use crate::base::name::PluginName;
use crate::error::{PatchError, ReloadError};
use crate::generation::Generation;
use crate::generation::edges;
use crate::generation::patched::Patched;
use crate::instance::Instance;
use crate::patch::layers::Layers;
use crate::patch::stack::{Stack, Stacks, without_unused};
use crate::swapper::inner::Inner;
use crate::swapper::patch_settings::PatchesOnReload;
use crate::swapper::plan::Plan;
use std::sync::Arc;

/// The patches of the next generation, with notes on those that were dropped.
pub(super) struct Carried {
    pub(super) patched: Arc<Patched>,
    pub(super) notes: Vec<(PluginName, String)>,
}

/// Carries patches over to the next generation, whose new instances satisfy `is_fresh`.
///
/// # Errors
/// A patch does not fit the new build of its plugin, and the host refuses such a reload.
pub(super) fn carry(
    plugins: &[Arc<Instance>],
    is_fresh: impl Fn(&PluginName) -> bool,
    stacks: &Arc<Stacks>,
    on_reload: PatchesOnReload,
) -> Result<Carried, ReloadError> {
    let mut carried = Carried {
        patched: Arc::default(),
        notes: Vec::new(),
    };
    if stacks.is_empty() {
        return Ok(carried);
    }
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
        let Some(stack) = stacks.get(name) else {
            continue;
        };
        let kept = match (is_fresh(name), on_reload) {
            (false, _) => stack.clone(),
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
                fitting(plugin, &mocks, PatchesOnReload::Keep, &mut carried.notes)?
            }
            (true, on_reload) => fitting(plugin, stack, on_reload, &mut carried.notes)?,
        };
        next.insert(name.clone(), kept);
    }
    let linked = edges::link(plugins, Arc::new(next));
    // Each version was applied to its instance before.
    carried.patched = Arc::new(linked.unwrap_or_default());
    Ok(carried)
}

/// Returns the patches that fit a new instance.
fn fitting(
    plugin: &Instance,
    stack: &Stack,
    on_reload: PatchesOnReload,
    notes: &mut Vec<(PluginName, String)>,
) -> Result<Stack, ReloadError> {
    let mut kept = Stack {
        undone: stack.undone.clone(),
        mocks: stack.mocks.clone(),
        ..Stack::default()
    };
    for version in &stack.versions {
        let fits = Layers::of(plugin, &kept).and_then(|mut layers| layers.apply(version));
        match fits {
            Ok(()) => kept.versions.push(version.clone()),
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
        let layers = Layers::of(plugin, &kept);
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
    /// Returns an error if the reload would replace or remove a plugin that is sticky.
    pub(super) fn check_sticky(
        &self,
        arranged: &Arranged,
        live: &Generation,
        plan: &Plan,
    ) -> Result<(), ReloadError> {
        let goes_on = |name: &PluginName| {
            let candidate = arranged.candidates.get(name);
            let live = candidate.and_then(|candidate| candidate.live());
            live.is_some() && !arranged.followers.contains_key(name)
        };
        let replaced = live.plugins.iter().map(|plugin| plugin.name());
        for name in replaced.filter(|name| !goes_on(name)) {
            let sticky = &self.patching.sticky;
            let checked = sticky.check(name, std::iter::empty(), plan.override_sticky);
            if let Err(PatchError::Sticky { may_override, .. }) = checked {
                return Err(ReloadError::Sticky {
                    plugin: name.clone(),
                    may_override,
                });
            }
        }
        Ok(())
    }
}
