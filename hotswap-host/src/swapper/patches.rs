//! [`Patches`], the versions of a plugin.
use super::Swapper;
use super::cause::Cause;
use super::inner::Inner;
use super::journal::Journal;
use super::observe::ReloadEventKind;
use super::progress::Progress;
use super::report::{Outcome, PluginReport, Report};
use super::step::Step;
use super::stored_patches::StoredPatches;
use super::writer::Writer;
use crate::base::name::PluginName;
use crate::base::nearest::nearest;
use crate::error::{HandleError, PatchError, ReloadError};
use crate::generation::Generation;
use crate::generation::edges;
use crate::instance::Instance;
use crate::patch::layers::Layers;
use crate::patch::stack::{PatchVersion, Stack, without_unused};
use crate::telemetry::contain;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

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
        self.change(None, |_, _, stack| {
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
        let redo = format!("redo of {count}");
        self.change(Some(redo), |live, instance, stack| {
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
        self.change(None, reset).map(drop)
    }

    fn too_far(&self, what: &'static str, asked: usize, found: usize) -> PatchError {
        PatchError::TooFar {
            plugin: self.plugin.to_string(),
            what,
            asked,
            found,
        }
    }

    /// Changes the versions. `tried` says what the change is, unless the plugin goes back to what it did before.
    fn change(
        &self,
        tried: Option<String>,
        change: impl FnOnce(&Generation, &Instance, &mut Stack) -> Result<(), PatchError>,
    ) -> Result<u64, PatchError> {
        let mut writer = self.inner.writer()?;
        self.inner.check_not_frozen()?;
        let version = self.inner.change_patches(
            &mut writer,
            &self.plugin,
            |_| tried,
            |live, instance, stack| {
                change(live, instance, stack)?;
                Ok(stack.current())
            },
        )?;
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
    /// Changes the patches of a plugin, and makes a generation with them live. If this changes what the next start of the host
    /// applies, the journal is told before. `tried` returns the change in a few words if it has to prove itself in a rollback
    /// window: that of a reload, if one is open, or else one of its own, as the options of the host have it.
    ///
    /// # Errors
    /// No such plugin is loaded, the change is refused, or the journal cannot be written.
    pub(super) fn change_patches<R>(
        self: &Arc<Self>,
        writer: &mut Writer,
        plugin: &PluginName,
        tried: impl FnOnce(&R) -> Option<String>,
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
        let Some((journal, kept)) = self.newly_kept(writer, &next) else {
            self.replace_by_copy(next);
            return Ok(changed);
        };
        let tried = tried(&changed);
        match (tried, writer.window.is_some()) {
            (Some(change), false) => {
                let cause = Cause::Patch {
                    plugin: plugin.clone(),
                    change,
                };
                self.attempt(writer, &cause, |writer, progress| {
                    let tried = (next, kept);
                    self.try_patches(writer, journal, plugin, tried, &cause, progress)
                })?;
            }
            (tried, is_open) => {
                let told = journal.keep_patches(&kept, is_open);
                told.map_err(ReloadError::from)?;
                writer.patches = kept;
                self.replace_by_copy(next);
                if let Some(change) = tried {
                    let text = "it is on trial with the reload whose rollback window is open";
                    let kind = ReloadEventKind::Noted { plugin, text };
                    let plugin = plugin.clone();
                    self.tell(writer, &Cause::Patch { plugin, change }, kind);
                }
            }
        }
        Ok(changed)
    }

    /// Returns the patches of a generation as the journal is to keep them, if that is not what it has.
    fn newly_kept(
        &self,
        writer: &Writer,
        next: &Generation,
    ) -> Option<(&Arc<dyn Journal>, StoredPatches)> {
        let journal = self.journal.as_ref()?;
        let kept = writer.patches.after(next);
        (kept != writer.patches).then_some((journal, kept))
    }

    /// Tells the journal the patches that the next start is to apply, if a reload has changed them.
    pub(super) fn keep_patches(&self, writer: &mut Writer, provisional: bool) {
        let live = self.live.pin_quietly();
        let Some((journal, kept)) = self.newly_kept(writer, &live) else {
            return;
        };
        drop(live);
        match journal.keep_patches(&kept, provisional) {
            Ok(()) => writer.patches = kept,
            Err(error) => contain((), || {
                tracing::error!(target: "hotswap", "the next start of this host does not know its patches: {error}");
            }),
        }
    }

    /// Makes patches live that have not proven themselves. They are on trial until their rollback window has closed, or until
    /// they are live if the host has none.
    ///
    /// # Errors
    /// The journal cannot be written.
    fn try_patches(
        self: &Arc<Self>,
        writer: &mut Writer,
        journal: &Arc<dyn Journal>,
        plugin: &PluginName,
        (next, kept): (Generation, StoredPatches),
        cause: &Cause,
        progress: &mut Progress<'_>,
    ) -> Result<Report, ReloadError> {
        let began = Instant::now();
        journal.keep_patches(&kept, true)?;
        writer.patches = kept;
        let options = &self.options;
        let unpatched = options.has_window().then(|| self.kept_of_live(writer));
        let switching = Instant::now();
        self.replace_by_copy(next);
        progress.ended(Step::Switch, switching, false);
        let live = self.live.pin_quietly().hold();
        let stack = live.patched.stack(plugin);
        let runs = |other: &PluginName| {
            other == plugin || stack.is_some_and(|stack| stack.calls(|by| by == other))
        };
        let runs = live.plugins.iter().filter(|other| runs(other.name()));
        let runs: Vec<_> = runs.cloned().collect();
        let window = unpatched.map(|unpatched| {
            let watch = self.leave_unpatched(writer, unpatched, &runs, options, cause);
            let window = watch.handle();
            watch.start(self);
            window
        });
        if window.is_none()
            && let Err(error) = journal.keep_patches(&writer.patches, false)
        {
            contain((), || {
                tracing::error!(target: "hotswap", "the next start of this host does not know its last patch: {error}");
            });
        }
        let plugins = live.plugins.iter();
        Ok(Report {
            attempt: progress.attempt(),
            generation: live.number,
            reloads: live.reloads,
            plugins: plugins
                .map(|plugin| PluginReport::new(plugin, Outcome::Unchanged))
                .collect(),
            took: began.elapsed(),
            gate: None,
            steps: progress.take(),
            kept: Vec::new(),
            window,
            changed: true,
        })
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
