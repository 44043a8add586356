//! [`Patches`], the versions of a plugin.
use super::Swapper;
use super::inner::Inner;
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::error::{HandleError, PatchError};
use crate::generation::Generation;
use crate::generation::edges;
use crate::instance::Instance;
use crate::patch::layers::Layers;
use crate::patch::stack::{PatchVersion, Stack, without_unused};
use crate::telemetry::contain;
use std::fmt;
use std::sync::Arc;

impl Swapper {
    /// Returns the patches of a plugin, to list them or to roll them back.
    pub fn patches(&self, plugin: &str) -> Patches<'_> {
        Patches {
            inner: &self.0,
            plugin: plugin.into(),
        }
    }
}

/// The versions of a plugin: the patches that were applied to it, one on top of the other.
///
/// The version is the number of the last patch, or 0 for the plugin as it was built. It has nothing to do with the number
/// of a generation, and rolling patches back has nothing to do with [`Swapper::rollback`], which reverts a reload.
#[derive(Clone)]
pub struct Patches<'s> {
    inner: &'s Arc<Inner>,
    plugin: PluginName,
}

impl Patches<'_> {
    /// Lists the patches that apply, the first one first. A plugin that is not loaded has none.
    pub fn list(&self) -> Vec<PatchVersion> {
        self.stack().list()
    }

    /// Lists the patches that were rolled back and can be done again, the one that comes first in [`redo`](Self::redo)
    /// first.
    pub fn undone(&self) -> Vec<PatchVersion> {
        self.stack().list_undone()
    }

    /// The version of the plugin.
    pub fn version(&self) -> u64 {
        self.stack().current()
    }

    fn stack(&self) -> Stack {
        let live = self.inner.live().pin_quietly();
        live.patched
            .stack(&self.plugin)
            .cloned()
            .unwrap_or_default()
    }

    /// Rolls back the last `count` patches, and returns the version that is live then. Running calls end in the version in
    /// which they began. With a `count` of 0, nothing changes.
    ///
    /// # Errors
    /// There are fewer patches, no such plugin is loaded, or the caller is inside a reload or a call. Then nothing has
    /// changed.
    pub fn rollback(&self, count: usize) -> Result<u64, PatchError> {
        self.change(|_, _, stack| {
            let found = stack.versions.len();
            let left = found.checked_sub(count);
            let left = left.ok_or_else(|| self.too_far("roll back", count, found))?;
            let undone = stack.versions.drain(left..).rev();
            stack.undone.extend(undone);
            Ok(())
        })
    }

    /// Applies the last `count` patches again that were rolled back, and returns the version that is live then. With a
    /// `count` of 0, nothing changes.
    ///
    /// # Errors
    /// There are fewer patches, the plugin was replaced and they do not fit it any more, no such plugin is loaded, or the
    /// caller is inside a reload or a call. Then nothing has changed.
    pub fn redo(&self, count: usize) -> Result<u64, PatchError> {
        self.change(|live, instance, stack| {
            let found = stack.undone.len();
            let left = found.checked_sub(count);
            let left = left.ok_or_else(|| self.too_far("do again", count, found))?;
            let again = stack.undone.drain(left..).rev();
            stack.versions.extend(again);
            Layers::of(&live.plugins, instance, stack).map(drop)
        })
    }

    /// Makes the plugin what it was built as. None of its patches can be done again.
    ///
    /// # Errors
    /// No such plugin is loaded, or the caller is inside a reload or a call.
    pub fn reset(&self) -> Result<(), PatchError> {
        let reset = |_: &Generation, _: &Instance, stack: &mut Stack| {
            stack.versions.clear();
            stack.undone.clear();
            Ok(())
        };
        self.change(reset).map(drop)
    }

    fn too_far(&self, what: &'static str, asked: usize, found: usize) -> PatchError {
        PatchError::TooFar {
            plugin: self.plugin.to_string(),
            what,
            asked,
            found,
        }
    }

    fn change(
        &self,
        change: impl FnOnce(&Generation, &Instance, &mut Stack) -> Result<(), PatchError>,
    ) -> Result<u64, PatchError> {
        let writer = self.inner.writer()?;
        self.inner.check_not_frozen()?;
        let version = self
            .inner
            .change_patches(&self.plugin, |live, instance, stack| {
                change(live, instance, stack)?;
                Ok(stack.current())
            })?;
        drop(writer);
        let plugin = &self.plugin;
        contain((), || {
            tracing::info!(target: "hotswap", "{plugin} is now at version {version} of its patches");
        });
        Ok(version)
    }
}

impl fmt::Debug for Patches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Patches").field(&self.plugin).finish()
    }
}

impl Inner {
    /// Changes the patches of a plugin, and makes a generation with them live. The caller has the writer.
    ///
    /// # Errors
    /// No such plugin is loaded, or the change is refused.
    pub(super) fn change_patches<R>(
        &self,
        plugin: &PluginName,
        change: impl FnOnce(&Generation, &Instance, &mut Stack) -> Result<R, PatchError>,
    ) -> Result<R, PatchError> {
        let live = self.live.pin_quietly();
        let instance = live
            .plugin(plugin)
            .ok_or_else(|| no_plugin(&live, plugin))?;
        let mut stacks = without_unused(&live.patched.stacks);
        let stack = stacks.entry(instance.name().clone()).or_default();
        let changed = change(&live, instance, stack)?;
        if stack.is_empty() {
            stacks.remove(plugin);
        }
        let patched = edges::link(&live.plugins, Arc::new(stacks))?;
        let next = live.patched_copy(Arc::new(patched));
        drop(live);
        self.replace_by_copy(next);
        Ok(changed)
    }
}

/// Returns the error that no such plugin is loaded.
pub(super) fn no_plugin(live: &Generation, plugin: &PluginName) -> PatchError {
    let known = live.plugins.iter().map(|known| known.name().as_str());
    PatchError::Function(HandleError::NoPlugin {
        plugin: plugin.to_string(),
        nearest_name: nearest(plugin.as_str(), known).map(str::to_owned),
    })
}
