//! Opens and closes rollback windows.
use super::watch::Watch;
use super::{Kept, Replaced, Shared, Window, WindowOutcome, is_among};
use super::{Meter, Rates};
use crate::generation::watched::Watched;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::load::failures::Failures;
use crate::reclaim::slot::CallTarget;
use crate::swapper::cause::Cause;
use crate::swapper::hooks::each_in_turn;
use crate::swapper::inner::Inner;
use crate::swapper::observe::ReloadEventKind;
use crate::swapper::options::ReloadOptions;
use crate::swapper::progress::Progress;
use crate::swapper::writer::Writer;
use crate::telemetry::contain;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

impl Inner {
    /// Stops the instances of a replaced generation that are not live any more, and retires those that are not `kept`.
    pub(in crate::swapper) fn retire(
        &self,
        replaced: Replaced,
        kept: Option<&Kept>,
        hooks: &mut HookThread,
    ) {
        let Replaced { old, stopped, .. } = replaced;
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
    pub(in crate::swapper) fn leave(
        self: &Arc<Self>,
        writer: &mut Writer,
        replaced: Replaced,
        options: &ReloadOptions,
        cause: &Cause,
        hooks: &mut HookThread,
        baseline: Option<Rates>,
    ) -> Option<Watch> {
        let before = self.close_window(writer, WindowOutcome::Superseded);
        if !options.has_window() || replaced.old.get().number == 0 {
            self.retire(replaced, before.as_ref(), hooks);
            before.into_iter().for_each(|kept| self.release(kept));
            return None;
        }
        let mut replaced = replaced;
        let mut kept =
            before.unwrap_or_else(|| Kept::of(replaced.old.get(), &writer.added, &writer.removed));
        let cold = std::mem::take(&mut replaced.cold);
        if kept.replaced_by(&self.live.pin_quietly(), cold) {
            self.part_with_contents(&mut kept);
        }
        self.retire(replaced, Some(&kept), hooks);
        let live = self.live.pin_quietly();
        let fresh = live.plugins.iter().filter(|plugin| !kept.has(plugin));
        let failures = fresh.map(|plugin| plugin.library().failures().clone());
        let failures: Vec<_> = failures.collect();
        let watched = live.watched.clone().filter(|_| options.has_rates());
        drop(live);
        let meter = watched.map(|watched| Meter::start(watched, failures.clone()));
        let shared = self.begin_window(writer, kept, &failures, options, cause);
        let options = options.clone();
        Some(Watch::new(shared, failures, options, meter, baseline))
    }

    /// Returns the live generation as a rollback window keeps it.
    pub(in crate::swapper) fn kept_of_live(&self, writer: &Writer) -> Kept {
        Kept::of(&self.live.pin_quietly(), &writer.added, &writer.removed)
    }

    /// Opens a rollback window for patches. The kept generation is the one without them, and has the instances that are live.
    /// The code of `watched` is what the patches lead to. The rates of its calls are not watched. The caller starts the watch.
    pub(in crate::swapper) fn leave_unpatched(
        &self,
        writer: &mut Writer,
        kept: Kept,
        watched: &[Arc<Instance>],
        options: &ReloadOptions,
        cause: &Cause,
    ) -> Watch {
        let failures = watched.iter().map(|plugin| plugin.library().failures());
        let failures: Vec<_> = failures.cloned().collect();
        let shared = self.begin_window(writer, kept, &failures, options, cause);
        Watch::new(shared, failures, options.clone(), None, None)
    }

    /// Opens a rollback window, in which these failures are seen.
    fn begin_window(
        &self,
        writer: &mut Writer,
        kept: Kept,
        failures: &[Arc<Failures>],
        options: &ReloadOptions,
        cause: &Cause,
    ) -> Arc<Shared> {
        let number = self.live.pin_quietly().number();
        let shared = Arc::new(Shared::new(number, options.healthy_deadline, kept.builds()));
        let failures = failures.iter();
        failures.for_each(|failures| failures.watched_by(&shared));
        *self.open_window() = Arc::downgrade(&shared);
        writer.window = Some(Window {
            shared: shared.clone(),
            kept,
            options: options.clone(),
            attempt: writer.attempts,
            cause: cause.clone(),
        });
        shared
    }

    /// Releases what the plugins that are kept cold have put into a kept generation. Their new instances put it there again.
    fn part_with_contents(&self, kept: &mut Kept) {
        let cold: Vec<_> = kept.cold().cloned().collect();
        let rest = kept
            .contents
            .carried(&self.extensions, |name| !cold.contains(name));
        let contents = std::mem::replace(&mut kept.contents, Arc::new(rest));
        self.retirer.let_go(contents);
    }

    /// Watches the calls of all live plugins. Returns what measures them.
    pub(in crate::swapper) fn watch_live(&self) -> Meter {
        let live = self.live.pin_quietly();
        let targets = live.plugins.iter().map(|plugin| plugin.call_target());
        let watched = Arc::new(Watched::new([], targets));
        let next = live.watched_copy(Some(watched.clone()));
        drop(live);
        let plugins = next.plugins.iter();
        let failures = plugins.map(|plugin| plugin.library().failures().clone());
        let failures = failures.collect();
        self.replace_by_copy(next);
        Meter::start(watched, failures)
    }

    /// Ends the watch of the live generation by a rollback window. Calls are still counted if they are to be.
    pub(in crate::swapper) fn unwatch(&self) {
        let live = self.live.pin_quietly();
        let watched = live.watched.as_ref();
        if watched.is_none_or(|watched| watched.timed().next().is_none()) {
            return;
        }
        let next = live.watched_copy(self.watch_of(&live.plugins, []));
        drop(live);
        self.replace_by_copy(next);
    }

    /// Returns the watch of a generation with these plugins, of which the calls of some are timed. There is none if nothing
    /// is counted or timed.
    pub(in crate::swapper) fn watch_of(
        &self,
        plugins: &[Arc<Instance>],
        timed: impl IntoIterator<Item = CallTarget>,
    ) -> Option<Arc<Watched>> {
        let counts = self.counts_calls.load(SeqCst) || self.counting_calls.load(SeqCst) > 0;
        let counted = plugins.iter().filter(|_| counts);
        let counted = counted.map(|plugin| plugin.call_target());
        let watched = Watched::new(counted, timed);
        watched.is_any().then(|| Arc::new(watched))
    }

    /// Closes the window, if one is open. Returns the generation that was kept, which the caller releases or makes live.
    pub(in crate::swapper) fn close_window(
        &self,
        writer: &mut Writer,
        outcome: WindowOutcome,
    ) -> Option<Kept> {
        let window = writer.window.take()?;
        self.announce(&window, outcome);
        Some(window.kept)
    }

    /// Makes the live generation permanent, and closes its window.
    pub(in crate::swapper) fn promote(&self, writer: &mut Writer) {
        let Some(mut window) = writer.window.take() else {
            return;
        };
        self.release(window.kept.take());
        self.unwatch();
        self.drop_understood();
        self.announce(&window, WindowOutcome::Permanent);
    }

    /// Tells everybody that a window has closed.
    pub(in crate::swapper) fn announce(&self, window: &Window, outcome: WindowOutcome) {
        let progress = Progress::new(
            &self.observers,
            self.journal.as_deref(),
            window.attempt,
            &window.cause,
        );
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
    pub(in crate::swapper) fn release(&self, kept: Kept) {
        let live = self.live.pin_quietly();
        let replaced = kept
            .warm()
            .filter(|plugin| !is_among(plugin, &live.plugins));
        let replaced: Vec<_> = replaced.cloned().collect();
        drop(kept.plugins);
        drop(live);
        self.retirer.let_go(kept.contents);
        self.retirer.instances(kept.number, replaced);
    }
}
