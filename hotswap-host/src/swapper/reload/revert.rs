//! Makes the generation that was kept in a rollback window live again.
//!
//! Instances that have been live are never restored: what they have in memory is newer than any saved state, or is the
//! state itself. So there are two ways:
//! - **Without state**, the old instances are switched back. They go on as they stood at the switch.
//! - **With state**, the new instances have the state, and it may have changed since the switch. New instances of the
//!   old builds receive it, lowered to the version that they know. Whatever imports them is made again, too. If this
//!   fails, the old instances are switched back instead, and what has happened to the state since the switch is lost.
//!
//! An importer that is made again has an old instance, too. If the live one has no state to receive, the state that the old one
//! has kept since it was stopped is saved now.
//!
//! A new instance of an old build passes the smoke tests of that build before it becomes live, as in any reload: those for
//! a new instance on a copy that is thrown away, and those for the state behind the gate. The build has passed them before,
//! but the state, the version that lowers it, and everything outside of the process are others by now. The tests of the host
//! do not run: they may call any plugin of a generation, and in this one some are stopped, and have to stay as they are.
//!
//! A plugin that is **kept cold** has no old instance. It is made again in either case, and restores the state that was saved
//! at the switch where it does not receive a newer one. This may fail. Then the new generation goes on.
use super::hand_over::HandOver;
use super::keeping::Keeping;
use super::patches::with_mocks_of;
use super::restore::{restore, save};
use super::smoke;
use super::stage::Staged;
use crate::artifact::{BuildSet, SmokeTime};
use crate::base::name::PluginName;
use crate::error::{Hook, ReloadError};
use crate::generation::Generation;
use crate::generation::edges;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::reclaim::pin::Holding;
use crate::swapper::cause::Cause;
use crate::swapper::handles::Bound;
use crate::swapper::hooks::each_in_turn;
use crate::swapper::inner::Inner;
use crate::swapper::levels;
use crate::swapper::options::ReloadOptions;
use crate::swapper::progress::Progress;
use crate::swapper::report::{Outcome, PluginReport, Report, StateReport};
use crate::swapper::step::Step;
use crate::swapper::window::{Kept, KeptPlugin, Replaced, WindowOutcome, is_among};
use crate::swapper::writer::{Writer, WriterGuard};
use crate::telemetry::{self, caught, contain};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

impl Inner {
    /// Closes the rollback window, and makes the permanent generation live again. The set of builds that was live is
    /// held from now on.
    ///
    /// # Errors
    /// No window is open, or a plugin that was kept cold cannot be made again.
    pub(in crate::swapper) fn revert(
        self: &Arc<Self>,
        writer: &mut Writer,
        reason: String,
        deployment: Option<String>,
    ) -> Result<Report, ReloadError> {
        let cause = Cause::Revert {
            reason: reason.clone(),
            deployment,
        };
        let mut window = writer.window.take().ok_or(ReloadError::NoWindow)?;
        let mut kept = window.kept.take();
        let live = self.live.pin_quietly();
        let builds = live
            .plugins
            .iter()
            .map(|p| (p.name().clone(), p.build_id()));
        let builds: BuildSet = builds.collect();
        drop(live);
        // The builds are the same ones if the window is that of a patch.
        if builds != kept.set() {
            writer.held.insert(builds, reason.clone());
        }
        let options = ReloadOptions {
            smoke: window.options.smoke,
            smoke_limit: window.options.smoke_limit,
            ..ReloadOptions::default()
        };
        let reverted = self.attempt(writer, &cause, |writer, progress| {
            let began = Instant::now();
            let live = self.live.pin_quietly().hold();
            // From the switch on, handlers may meet data of the builds that leave.
            let leaving = live.plugins.iter().filter(|plugin| !kept.has(plugin));
            let metadata = kept.plugins.iter().map(KeptPlugin::metadata);
            let for_data = self.keep_for_data(leaving, metadata);
            let made = self.go_back(writer, &kept, &live, &options, progress);
            let made = made.inspect_err(|_| self.need_no_data_builds(&for_data))?;
            progress.ended(Step::Switch, began, false);
            drop(live);
            let kept = kept.take();
            writer.added = kept.added.clone();
            writer.removed = kept.removed.clone();
            let mut report = self.finish_revert(kept, made, began, progress);
            for_data.note_in(&mut report.plugins);
            Ok(report)
        });
        if reverted.is_ok() {
            // The journal forgets what was on trial.
            writer.patches = writer.patches.after(&self.live.pin_quietly());
        }
        // After an error, these are instances that no longer make a whole generation.
        self.release(kept);
        let outcome = match &reverted {
            Ok(_) => WindowOutcome::Reverted { reason },
            Err(error) => WindowOutcome::NotReverted {
                reason,
                error: error.to_string(),
            },
        };
        self.announce(&window, outcome);
        reverted
    }

    /// Makes the kept generation live, with the state of the live instances if possible.
    ///
    /// # Errors
    /// A plugin that was kept cold cannot be made again. The live generation goes on.
    fn go_back(
        self: &Arc<Self>,
        writer: &Writer,
        kept: &Kept,
        live: &Holding<Generation>,
        options: &ReloadOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Reverted, ReloadError> {
        let receives = |plugin: &&KeptPlugin| {
            let newer = live.plugin(plugin.name());
            let both = newer.is_some_and(|newer| newer.state().is_some()) && plugin.has_state();
            both && plugin.replaced.is_some()
        };
        let receive = kept.plugins.iter().filter(receives);
        let receive: BTreeSet<_> = receive.map(|plugin| plugin.name().clone()).collect();
        let mut failed = None;
        if !receive.is_empty() {
            let made = caught(|| self.make_again(writer, kept, receive, live, options, progress));
            match made.unwrap_or_else(|message| Err(ReloadError::Panicked { message })) {
                Ok(made) => return Ok(made),
                Err(error) => failed = Some(error),
            }
        }
        let made = match kept.cold().next() {
            None => Ok(self.switch_back(kept, live)),
            Some(_) => self.make_again(writer, kept, BTreeSet::new(), live, options, progress),
        };
        let mut made = made.map_err(|error| ReloadError::NotReverted {
            error: Box::new(error),
        })?;
        made.failed = failed;
        Ok(made)
    }

    /// Makes new instances of the plugins that `receive` the state of the live ones, of those that were kept cold, and of
    /// all that import one of these, and switches to them.
    ///
    /// # Errors
    /// This fails, and the live generation goes on.
    fn make_again(
        self: &Arc<Self>,
        writer: &Writer,
        kept: &Kept,
        receive: BTreeSet<PluginName>,
        live: &Holding<Generation>,
        options: &ReloadOptions,
        progress: &mut Progress<'_>,
    ) -> Result<Reverted, ReloadError> {
        let mut again: BTreeSet<_> = receive.iter().chain(kept.cold()).cloned().collect();
        for plugin in &kept.plugins {
            if plugin.imports_one_of(&again) {
                again.insert(plugin.name().clone());
            }
        }
        let stage = || Staged::revert(self, writer, kept, &again, live);
        let is_tested = |plugin: &KeptPlugin| again.contains(plugin.name()) && plugin.is_tested();
        if options.smoke && kept.plugins.iter().any(is_tested) {
            let limit = options.smoke_limit;
            let test = |copy| smoke::of_plugins(self, &copy, SmokeTime::Staged, limit);
            progress.step(Step::Smoke, || test(stage()?))?;
        }
        let mut staged = progress.step(Step::Stage, stage)?;
        self.restore_saved(kept, &receive, &mut staged, options)?;
        let mut next = staged.generation();
        if let Some(watched) = self.watch_of(&next.plugins, []) {
            next.watch(watched);
        }
        let bound = Bound::as_possible(&self.handles(), &next);
        let fresh = staged.fresh_instances();
        let receives = fresh.filter(|plugin| receive.contains(plugin.name()));
        let keeping = Keeping::default();
        let (hand_over, _) = HandOver::plan(self, live, &next, receives, options, &keeping);
        let replaced = match hand_over {
            Some(hand_over) => {
                let switched = hand_over.switch(self, live, next, bound, staged.hooks())?;
                staged.report_states(switched.states);
                switched.replaced
            }
            None => self.switch(next, bound)?,
        };
        let (fresh, reports, hooks) = staged.take();
        let resumed = kept
            .warm()
            .filter(|plugin| !live.has(plugin) && !again.contains(plugin.name()));
        Ok(Reverted {
            replaced,
            start: fresh.into_iter().chain(resumed.cloned()).collect(),
            reports,
            hooks,
            failed: None,
        })
    }

    /// Restores the states of the switch in the new instances that do not receive a newer one, and runs their smoke tests for
    /// the state. Nothing calls these instances yet.
    ///
    /// # Errors
    /// A state cannot be restored, or a test fails.
    fn restore_saved(
        &self,
        kept: &Kept,
        receive: &BTreeSet<PluginName>,
        staged: &mut Staged,
        options: &ReloadOptions,
    ) -> Result<(), ReloadError> {
        let fresh: Vec<_> = staged.fresh_instances().cloned().collect();
        for plugin in kept.plugins.iter().filter(|p| !receive.contains(p.name())) {
            let Some(instance) = fresh.iter().find(|fresh| fresh.name() == plugin.name()) else {
                continue;
            };
            let state = match (plugin.cold(), plugin.warm()) {
                (Some(cold), _) => match &cold.saved {
                    Some(saved) => saved.try_clone().map_err(ReloadError::Descriptor)?,
                    None => continue,
                },
                (_, Some(old)) if plugin.has_state() && plugin.replaced.is_some() => {
                    save(staged.hooks(), old)?
                }
                _ => continue,
            };
            restore(staged.hooks(), instance, state)?;
            if options.smoke {
                let mut thread =
                    HookThread::new(options.smoke_limit).interrupted_by(&self.interrupt);
                for test in instance.metadata().smoke_tests(SmokeTime::Restored) {
                    smoke::plugin_test(self, &mut thread, instance, test)?;
                }
            }
        }
        Ok(())
    }

    /// Switches back to the old instances. This cannot fail: a handle that finds nothing in the old generation returns
    /// an error when it is called.
    fn switch_back(&self, kept: &Kept, live: &Holding<Generation>) -> Reverted {
        let plugins = kept.warm().cloned().collect();
        let mut next = Generation::new(
            live.number + 1,
            live.reloads + 1,
            plugins,
            kept.contents.clone(),
        );
        next.out = live.out.clone();
        // Its instances had these patches before, so they fit.
        let stacks = with_mocks_of(&kept.stacks, &live.patched.stacks);
        let patched = edges::link(&next.plugins, Arc::new(stacks));
        next.patch(Arc::new(patched.unwrap_or_default()));
        next.lowering = self.lowering.clone();
        if let Some(watched) = self.watch_of(&next.plugins, []) {
            next.watch(watched);
        }
        let handles = self.handles();
        let _ = Bound::as_possible(&handles, &next);
        let old = self.make_live(next, handles);
        let start = kept.warm().filter(|plugin| !live.has(plugin));
        Reverted {
            replaced: Replaced::whole(old),
            start: start.cloned().collect(),
            reports: Vec::new(),
            hooks: self.hook_thread(),
            failed: None,
        }
    }

    /// Stops and retires the instances that were live, and starts those that are live now.
    fn finish_revert(
        &self,
        kept: Kept,
        made: Reverted,
        began: Instant,
        progress: &mut Progress<'_>,
    ) -> Report {
        let Reverted {
            replaced,
            start,
            mut reports,
            mut hooks,
            failed,
        } = made;
        let before: BTreeMap<PluginName, _> = {
            let plugins = replaced.old.get().plugins.iter();
            plugins.map(|p| (p.name().clone(), p.build_id())).collect()
        };
        self.retire(replaced, None, &mut hooks);
        // The old instances were not told the levels while they were not live.
        let now = telemetry::levels();
        self.set_levels(now);
        levels::tell(self, now);
        let starting = Instant::now();
        let live = self.live.pin_quietly().hold();
        // Each starts after those that it imports.
        let starts = live
            .plugins
            .iter()
            .filter(|plugin| is_among(plugin, &start));
        let starts = starts.filter(|plugin| plugin.has_hook(Hook::OnStart));
        each_in_turn(&mut hooks, starts.cloned().collect(), |plugin| {
            plugin.on_start()
        });
        progress.ended(Step::Start, starting, false);
        let report_of = |plugin: &Arc<Instance>| {
            let outcome = match is_among(plugin, &start) {
                true => Outcome::Reverted {
                    from: before.get(plugin.name()).copied(),
                },
                false => Outcome::Unchanged,
            };
            let known = reports
                .iter_mut()
                .find(|report| report.name == *plugin.name());
            let (state, notes) = known.map_or((None, Vec::new()), |known| {
                (known.state.take(), std::mem::take(&mut known.notes))
            });
            let mut report = PluginReport {
                state,
                notes,
                ..PluginReport::new(plugin, outcome)
            };
            let of = kept
                .plugins
                .iter()
                .find(|kept| kept.name() == plugin.name());
            of.into_iter()
                .for_each(|of| say_what_is_lost(of, plugin, failed.as_ref(), &mut report));
            report
        };
        let plugins: Vec<_> = live.plugins.iter().map(report_of).collect();
        let (generation, count) = (live.number, live.reloads);
        drop(live);
        // Some of the old instances may have been made again.
        self.release(kept);
        Report {
            attempt: progress.attempt(),
            generation,
            reloads: count,
            plugins,
            took: began.elapsed(),
            gate: None,
            steps: progress.take(),
            window: None,
            kept: Vec::new(),
            changed: true,
        }
    }

    /// Runs the reload that was asked for while the rollback window was open, if there is one.
    pub(in crate::swapper) fn run_deferred(self: &Arc<Self>, mut writer: WriterGuard<'_>) {
        let Some(cause) = writer.deferred.take() else {
            return;
        };
        drop(writer);
        match self.reload_because(cause) {
            Ok(report) => contain((), || {
                tracing::info!(target: "hotswap", "a reload that was deferred: {report}");
            }),
            Err(error) => contain((), || {
                tracing::error!(target: "hotswap", "a reload that was deferred has failed: {error}");
            }),
        }
    }
}

/// Says in the report on a plugin what of it is lost.
fn say_what_is_lost(
    kept: &KeptPlugin,
    live: &Arc<Instance>,
    failed: Option<&ReloadError>,
    report: &mut PluginReport,
) {
    let Some(by) = kept.replaced.map(|at| at.elapsed()) else {
        return;
    };
    let mut lost = |what: String| {
        let name = kept.name();
        contain((), || tracing::warn!(target: "hotswap", "{name}: {what}"));
        report.notes.push(what);
    };
    if let Some(error) = failed.filter(|_| kept.has_state()) {
        lost(format!(
            "what has happened to the state in the last {by:.1?} is lost: {error}"
        ));
        report.state = Some(StateReport::SetBack { by });
    }
    let is_new = kept.warm().is_none_or(|old| !Arc::ptr_eq(old, live));
    if is_new && !kept.has_state() {
        let why = match kept.cold() {
            Some(_) => "it was kept cold",
            None => "it imports a plugin that was made again",
        };
        lost(format!(
            "what it had in memory is lost, because {why} and has neither `save` nor `restore`"
        ));
    }
}

/// A generation that is live again.
struct Reverted {
    replaced: Replaced,
    /// The instances that were stopped, or that are new.
    start: Vec<Arc<Instance>>,
    /// The reports on the new ones.
    reports: Vec<PluginReport>,
    hooks: HookThread,
    /// The reason why the state of the live instances could not be handed back, if it could not.
    failed: Option<ReloadError>,
}
