//! The rollback window of a reload: keeps the previous generation whole beside the new one, and watches that.
//!
//! The instances that were replaced are stopped and otherwise left as they are. Nothing calls them, because no live
//! generation has them, but what they have in memory is still there. To revert is to make a generation of them that is
//! switched to like any other: see `reload::revert`.
//!
//! At most two whole generations exist: the permanent one, and the live one. A reload during the window replaces the
//! live one, and the permanent one stays what it was.
mod handle;
mod watch;

pub(super) use handle::Shared;
pub use handle::{RollbackWindow, WindowOutcome};
pub(super) use watch::Watch;

use super::hooks::each_in_turn;
use super::inner::Inner;
use super::observe::ReloadEventKind;
use super::options::ReloadOptions;
use super::plan::Cause;
use super::step::Progress;
use super::writer::Writer;
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::generation::Generation;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::reclaim::pin::Retired;
use crate::telemetry::contain;
use crate::vault::Contents;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The builds of a generation, by plugin.
pub type BuildSet = BTreeMap<PluginName, BuildId>;

/// An open rollback window.
pub(super) struct Window {
    pub(super) shared: Arc<Shared>,
    /// The permanent generation.
    pub(super) kept: Kept,
    /// The attempt that has opened the window, with its cause.
    attempt: u64,
    cause: Cause,
}

/// A generation that is not live, and can become live again. There is one of each, so that the last owner of its contents
/// is whoever [releases](Inner::release) it: the drop of an object in a slot runs code of its plugin.
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) plugins: Vec<Arc<Instance>>,
    pub(super) contents: Arc<Contents>,
}

impl Window {
    /// Returns the handle by which callers wait.
    pub(super) fn handle(&self) -> RollbackWindow {
        RollbackWindow(self.shared.clone())
    }
}

impl Kept {
    fn of(generation: &Generation) -> Self {
        Kept {
            number: generation.number,
            plugins: generation.plugins.clone(),
            contents: generation.contents.clone(),
        }
    }

    /// Takes the generation out of its window.
    pub(super) fn take(&mut self) -> Self {
        let nothing = Kept {
            number: self.number,
            plugins: Vec::new(),
            contents: Arc::default(),
        };
        std::mem::replace(self, nothing)
    }

    fn has(&self, instance: &Arc<Instance>) -> bool {
        is_among(instance, &self.plugins)
    }
}

/// A generation that was just replaced, and whose instances have not been stopped.
#[must_use = "its instances are stopped and retired, or kept"]
pub(super) struct Replaced {
    pub(super) old: Retired<Generation>,
    /// The instances that the hand-over has stopped.
    pub(super) stopped: Vec<Arc<Instance>>,
}

impl Inner {
    /// Stops the instances of a replaced generation that are not live any more, and retires those that are not `kept`.
    pub(super) fn retire(&self, replaced: Replaced, kept: Option<&Kept>, hooks: &mut HookThread) {
        let Replaced { old, stopped } = replaced;
        let live = self.live.pin_quietly();
        let plugins = old.get().plugins.iter();
        let gone = plugins.filter(|plugin| !is_among(plugin, &live.plugins));
        let gone: Vec<_> = gone.cloned().collect();
        drop(live);
        let runs = gone.iter().filter(|plugin| !is_among(plugin, &stopped));
        let runs = runs.rev().cloned().collect();
        each_in_turn(hooks, runs, |plugin| plugin.on_stop());
        let kept = |plugin: &Arc<Instance>| kept.is_some_and(|kept| kept.has(plugin));
        let retired = gone.into_iter().filter(|plugin| !kept(plugin));
        self.retirer.generation(old, retired.collect());
    }

    /// Retires a generation that a reload has replaced, or opens a rollback window and keeps it. The caller starts the
    /// watch of the window once `on_start` has run.
    pub(super) fn leave(
        self: &Arc<Self>,
        writer: &mut Writer,
        replaced: Replaced,
        options: &ReloadOptions,
        cause: &Cause,
        hooks: &mut HookThread,
    ) -> Option<Watch> {
        let before = self.close_window(writer, WindowOutcome::Superseded);
        if !options.has_window() || replaced.old.get().number == 0 {
            self.retire(replaced, before.as_ref(), hooks);
            before.into_iter().for_each(|kept| self.release(kept));
            return None;
        }
        let kept = before.unwrap_or_else(|| Kept::of(replaced.old.get()));
        self.retire(replaced, Some(&kept), hooks);
        let shared = Arc::new(Shared::new(options.healthy_deadline));
        let live = self.live.pin_quietly();
        let fresh = live.plugins.iter().filter(|plugin| !kept.has(plugin));
        let failures = fresh.map(|plugin| plugin.library().failures().clone());
        let failures: Vec<_> = failures.collect();
        drop(live);
        failures
            .iter()
            .for_each(|failures| failures.watched_by(&shared));
        writer.window = Some(Window {
            shared: shared.clone(),
            kept,
            attempt: writer.attempts,
            cause: cause.clone(),
        });
        Some(Watch::new(shared, failures, options.clone()))
    }

    /// Closes the window, if one is open. Returns the generation that was kept, which the caller releases or makes live.
    pub(super) fn close_window(&self, writer: &mut Writer, outcome: WindowOutcome) -> Option<Kept> {
        let window = writer.window.take()?;
        self.announce(&window, outcome);
        Some(window.kept)
    }

    /// Tells everybody that a window has closed.
    pub(super) fn announce(&self, window: &Window, outcome: WindowOutcome) {
        let progress = Progress::new(self, window.attempt, &window.cause);
        progress.tell(ReloadEventKind::WindowClosed(&outcome));
        contain((), || {
            let cause = &window.cause;
            match &outcome {
                WindowOutcome::Reverted { .. } => {
                    tracing::warn!(target: "hotswap", "the reload by {cause} was {outcome}");
                }
                _ => {
                    tracing::info!(target: "hotswap", "the rollback window of the reload by {cause} has closed: {outcome}")
                }
            }
        });
        window.shared.change(|state| state.outcome = Some(outcome));
    }

    /// Retires the instances of a kept generation that are not live.
    pub(super) fn release(&self, kept: Kept) {
        let live = self.live.pin_quietly();
        let plugins = kept.plugins.into_iter();
        let replaced = plugins.filter(|plugin| !is_among(plugin, &live.plugins));
        let replaced: Vec<_> = replaced.collect();
        drop(live);
        self.retirer.let_go(kept.contents);
        self.retirer.instances(kept.number, replaced);
    }
}

pub(super) fn is_among(plugin: &Arc<Instance>, plugins: &[Arc<Instance>]) -> bool {
    plugins.iter().any(|other| Arc::ptr_eq(other, plugin))
}
