//! The patches of plugins that a reload replaces.
use super::arrange::Arranged;
use crate::base::name::PluginName;
use crate::error::{PatchError, ReloadError};
use crate::generation::Generation;
use crate::generation::patched::Patched;
use crate::instance::Instance;
use crate::patch::layers::Layers;
use crate::patch::stack::{Stack, Stacks};
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
                carried.notes.push((name.clone(), note));
                continue;
            }
            (true, on_reload) => fitting(plugin, stack, on_reload, &mut carried.notes)?,
        };
        next.insert(name.clone(), kept);
    }
    let linked = Patched::link(plugins, Arc::new(next));
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
        versions: Vec::new(),
        undone: stack.undone.clone(),
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
    Ok(kept)
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
