//! A reload, from the request to the report.
mod arrange;
mod begin;
mod bind;
mod candidate;
mod construct;
mod deployed;
mod fallback;
mod for_data;
mod hand_over;
mod keeping;
mod made;
mod patches;
#[cfg(unix)]
mod probe;
mod restore;
mod revert;
mod scan;
mod smoke;
#[cfg(unix)]
mod sources;
mod stage;
mod trial;
mod validate;
mod versions;

use crate::base::name::PluginName;
use crate::error::{Hook, ReloadError};
use crate::generation::Generation;
use crate::hook_thread::{self, HookThread};
use crate::instance::Instance;
use crate::reclaim::pin::Holding;
use crate::runtime::{Reported, StoredReport};
use crate::swapper::cause::Cause;
use crate::swapper::handles::Bound;
use crate::swapper::hooks::each_in_turn;
use crate::swapper::inner::Inner;
use crate::swapper::levels;
use crate::swapper::observe::ReloadEventKind;
use crate::swapper::options::ReloadOptions;
use crate::swapper::plan::{Change, Check, Plan, run_check};
use crate::swapper::progress::Progress;
use crate::swapper::report::{Outcome, PluginReport, Report, StateReport};
use crate::swapper::step::Step;
use crate::swapper::window::Window;
use crate::swapper::writer::Writer;
use crate::telemetry::{caught, contain};
use arrange::Arranged;
use fallback::{Failed, with_fallbacks, without};
use hand_over::HandOver;
pub(super) use made::Prepared;
use made::{Attempted, Made, Next, Ready};
#[cfg(unix)]
pub(super) use probe::Probed;
use scan::{Failures, added_by, scan};
use stage::Staged;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use trial::{check_accepted, check_not_held, check_window, remember, set_of, trial};

impl Inner {
    /// Makes the next generation live. Every generation passes here or through [`commit`](Self::commit), including the
    /// first one, except for the empty one of a shutdown and those of a revert.
    pub(super) fn reload(
        self: &Arc<Self>,
        writer: &mut Writer,
        plan: Plan,
        check: Option<Check<'_>>,
    ) -> Result<Report, ReloadError> {
        let cause = plan.cause.clone();
        self.attempt(writer, &cause, |writer, progress| {
            self.check_not_frozen()?;
            if matches!(cause, Cause::Signal { .. }) && !self.signals {
                return Err(ReloadError::SignalsOff);
            }
            self.complete(writer, plan, check, progress)
        })
    }

    /// Stages the next generation for a switch at a later time.
    pub(super) fn stage(
        self: &Arc<Self>,
        writer: &mut Writer,
        plan: Plan,
        mut check: Option<Check<'_>>,
    ) -> Result<Prepared, ReloadError> {
        let cause = plan.cause.clone();
        self.attempt(writer, &cause, |writer, progress| {
            let began = Instant::now();
            self.check_not_frozen()?;
            check_window(writer, &plan)?;
            let live = self.live.pin_quietly().hold();
            let (next, added) =
                self.make_with_fallbacks(writer, &plan, &live, &mut check, progress, |next, _| {
                    Ok(next)
                })?;
            Ok(Prepared {
                next,
                plan,
                added,
                live: live.number,
                steps: progress.take(),
                took: began.elapsed(),
            })
        })
    }

    /// Makes a staged generation live, unless another one has become live since.
    pub(super) fn commit(
        self: &Arc<Self>,
        writer: &mut Writer,
        prepared: Prepared,
    ) -> Result<Report, ReloadError> {
        let cause = prepared.plan.cause.clone();
        self.attempt(writer, &cause, |writer, progress| {
            let began = Instant::now();
            let live = self.live.pin_quietly().hold();
            if live.number != prepared.live {
                return Err(ReloadError::Overtaken {
                    staged_beside: prepared.live,
                    live: live.number,
                });
            }
            self.check_not_frozen()?;
            check_window(writer, &prepared.plan)?;
            progress.resume(prepared.steps);
            let (options, window) = (&prepared.plan.options, writer.window.as_ref());
            let made = self.switch_to(prepared.next, &live, options, window, progress)?;
            drop(live);
            let began = began.checked_sub(prepared.took).unwrap_or(began);
            Ok(self.conclude(writer, made, prepared.plan, prepared.added, began, progress))
        })
    }

    /// Runs an attempt to make a generation, and tells the observers and the tools outside of the host how it went.
    pub(super) fn attempt<R: Attempted>(
        &self,
        writer: &mut Writer,
        cause: &Cause,
        run: impl FnOnce(&mut Writer, &mut Progress<'_>) -> Result<R, ReloadError>,
    ) -> Result<R, ReloadError> {
        let attempt = writer.attempts;
        let mut progress = Progress::new(&self.observers, self.journal.as_deref(), attempt, cause);
        // A panic here is a fault of the host's own code. It must not keep the host from listening to later signals.
        let outcome = caught(|| run(writer, &mut progress))
            .unwrap_or_else(|message| Err(ReloadError::Panicked { message }));
        let report = match &outcome {
            Ok(made) => made.report().map(Ok),
            Err(error) => Some(Err(error)),
        };
        let Some(report) = report else {
            return outcome;
        };
        writer.attempts += 1;
        // The observers come before the tools outside of the host.
        progress.tell(match report {
            Ok(report) => ReloadEventKind::Completed(report),
            Err(error) => ReloadEventKind::Refused(error),
        });
        let reported = report.map(|report| Reported {
            text: report.to_string(),
            report: serde_json::to_value(report).unwrap_or_default(),
        });
        let generation = self.live.pin_quietly().number;
        self.store(&StoredReport::new(attempt, generation, reported));
        outcome
    }

    /// Makes the next generation live, runs `on_start` of its new instances, and makes the report.
    fn complete(
        self: &Arc<Self>,
        writer: &mut Writer,
        plan: Plan,
        mut check: Option<Check<'_>>,
        progress: &mut Progress<'_>,
    ) -> Result<Report, ReloadError> {
        let began = Instant::now();
        check_window(writer, &plan)?;
        let has_plugins = self.live.pin_quietly().number != 0;
        let meter = (has_plugins && plan.options.wants_baseline()).then(|| self.watch_live());
        let live = self.live.pin_quietly().hold();
        let window = writer.window.as_ref();
        let switch = |next, progress: &mut Progress<'_>| {
            self.switch_to(next, &live, &plan.options, window, progress)
        };
        let made = self.make_with_fallbacks(writer, &plan, &live, &mut check, progress, switch);
        drop(live);
        if made.as_ref().is_ok_and(|(made, _)| made.switched.is_none()) || made.is_err() {
            self.unwatch();
        }
        let (mut made, added) = made?;
        made.baseline = meter.map(|meter| meter.read());
        Ok(self.conclude(writer, made, plan, added, began, progress))
    }

    /// Retires or keeps the replaced generation, runs `on_start` of the new instances, and makes the report.
    fn conclude(
        self: &Arc<Self>,
        writer: &mut Writer,
        made: Made,
        plan: Plan,
        added: BTreeMap<PluginName, PathBuf>,
        began: Instant,
        progress: &mut Progress<'_>,
    ) -> Report {
        let Made {
            mut plugins,
            fresh,
            gate,
            switched,
            baseline,
        } = made;
        let changed = switched.is_some();
        let mut window = None;
        if let Some((replaced, mut hooks)) = switched {
            let watch = self.leave(
                writer,
                replaced,
                &plan.options,
                &plan.cause,
                &mut hooks,
                baseline,
            );
            let starting = Instant::now();
            start(hooks, fresh, &mut plugins);
            progress.ended(Step::Start, starting, false);
            window = watch.map(|watch| {
                let window = watch.handle();
                watch.start(self);
                window
            });
        }
        if changed && window.is_none() {
            self.drop_understood();
        }
        if changed {
            self.keep_patches(writer, window.is_some());
        }
        remember(writer, plan, added);
        let warn = |plugin: &&PluginReport| matches!(plugin.outcome, Outcome::Failed { .. });
        for plugin in plugins.iter().filter(warn) {
            contain((), || tracing::warn!(target: "hotswap", "{plugin:#}"));
        }
        let live = self.live.pin_quietly();
        Report {
            attempt: progress.attempt(),
            generation: live.number,
            reloads: live.reloads,
            plugins,
            took: began.elapsed(),
            gate,
            steps: progress.take(),
            kept: window
                .as_ref()
                .map_or_else(Vec::new, |window| window.kept().to_vec()),
            window,
            changed,
        }
    }

    /// Stages the next generation and passes it to `then`, again and again while optional plugins fail. Also returns the
    /// files that were added one by one.
    fn make_with_fallbacks<R>(
        self: &Arc<Self>,
        writer: &Writer,
        plan: &Plan,
        live: &Holding<Generation>,
        check: &mut Option<Check<'_>>,
        progress: &mut Progress<'_>,
        mut then: impl FnMut(Next, &mut Progress<'_>) -> Result<R, ReloadError>,
    ) -> Result<(R, BTreeMap<PluginName, PathBuf>), ReloadError> {
        if live.number != 0 {
            writer.check_may_change()?;
        }
        let scanning = || scan(&self.plugin_dir(), writer, plan, live);
        let (candidates, failures) = progress.step(Step::Validate, scanning)?;
        let checks = check.is_some();
        let make = |arranged: &Arranged, failures: &Failures| {
            let made = self
                .stage_if_changed(writer, arranged, live, plan, check, progress)
                .and_then(|mut next| {
                    next.reports()
                        .extend(without(live, &arranged.candidates, failures));
                    then(next, progress)
                });
            made.map_err(|error| Failed {
                error: Box::new(error),
                // The check does not run twice, because it may have had effects.
                may_retry: checks == check.is_some(),
            })
        };
        let made = with_fallbacks(writer, live, &candidates, failures, make)?;
        Ok((made, added_by(plan, &candidates)))
    }

    /// Stages this generation, unless it is the live one.
    fn stage_if_changed(
        self: &Arc<Self>,
        writer: &Writer,
        arranged: &Arranged,
        live: &Holding<Generation>,
        plan: &Plan,
        check: &mut Option<Check<'_>>,
        progress: &mut Progress<'_>,
    ) -> Result<Next, ReloadError> {
        let was_tried = || {
            let restarts = plan.restart.is_some();
            !restarts && writer.tried.is_some() && writer.tried == Some(set_of(arranged))
        };
        if live.number != 0 && (arranged.is_live(live) || was_tried()) {
            let plugins = live.plugins.iter();
            let report = |p: &Arc<_>| PluginReport::new(p, arranged.candidates[p.name()].outcome());
            return Ok(Next::Live(plugins.map(report).collect()));
        }
        check_not_held(writer, arranged, plan)?;
        self.check_sticky(arranged, live, plan)?;
        self.check_keep(arranged, live, &plan.options, writer.window.as_ref())?;
        check_accepted(writer, arranged, live, plan, false)?;
        // The builds with which a host starts have proven themselves, and so has one that is restarted.
        let proven = (live.number == 0 && plan.builds.is_some()) || plan.restart.is_some();
        if let Some(journal) = self.journal.as_ref().filter(|_| !proven) {
            let trial = trial(writer, arranged, live, plan, progress.attempt());
            journal.trying(&trial).map_err(ReloadError::from)?;
        }
        if plan.options.refuse_breaking && live.number != 0 {
            self.refuse_breaking(arranged, live)?;
        }
        #[cfg(unix)]
        let notes = match proven {
            true => Vec::new(),
            false => {
                let checked = self.check_sources(arranged, plan, progress)?;
                if plan.options.probe || checked.deep {
                    let deep = plan.options.deep || checked.deep;
                    let probe = || self.probe(arranged, live, &plan.options, deep);
                    progress.step(Step::Probe, probe)?;
                }
                checked.notes
            }
        };
        #[cfg(not(unix))]
        let notes = Vec::new();
        if smoke::is_wanted(self, arranged, plan) {
            let trial = || Staged::make(self, writer, arranged, live);
            progress.step(Step::Smoke, || smoke::run(self, trial()?, plan))?;
        }
        let mut staged =
            progress.step(Step::Stage, || Staged::make(self, writer, arranged, live))?;
        staged.note(notes);
        let mut next = staged.generation();
        let has_rates = plan.options.has_rates() && live.number != 0;
        let timed = staged.fresh_instances().filter(|_| has_rates);
        let timed = timed.map(|plugin| plugin.call_target());
        if let Some(watched) = self.watch_of(&next.plugins, timed) {
            next.watch(watched);
        }
        // The generation is refused before the checks can have side effects.
        let bound = Bound::all(&self.handles(), &next)?;
        if !self.checks.is_empty() || check.is_some() {
            progress.step(Step::Check, || self.run_checks(live, &next, plan, check))?;
        }
        Ok(Next::Staged(Box::new(Ready {
            next,
            bound,
            left_out: Vec::new(),
            without_state: plan
                .restart
                .as_ref()
                .filter(|restart| !restart.with_state)
                .map(|restart| restart.plugin.clone()),
            staged,
        })))
    }

    /// Runs the checks of every generation, and then that of this reload.
    fn run_checks(
        &self,
        live: &Generation,
        next: &Generation,
        plan: &Plan,
        check: &mut Option<Check<'_>>,
    ) -> Result<(), ReloadError> {
        let change = Change {
            live,
            next,
            cause: &plan.cause,
        };
        let last = check.take();
        let run = || {
            let mut standing = self.checks.iter();
            standing.try_for_each(|check| run_check(check, &change))?;
            last.map_or(Ok(()), |check| run_check(check, &change))
        };
        hook_thread::check(run).map_err(ReloadError::Thread)?
    }

    /// Makes a staged generation live. This runs hooks of plugins.
    fn switch_to(
        self: &Arc<Self>,
        next: Next,
        live: &Holding<Generation>,
        options: &ReloadOptions,
        window: Option<&Window>,
        progress: &mut Progress<'_>,
    ) -> Result<Made, ReloadError> {
        let Ready {
            mut next,
            mut bound,
            left_out,
            without_state,
            mut staged,
        } = match next {
            Next::Staged(ready) => *ready,
            Next::Live(plugins) => {
                return Ok(Made {
                    plugins,
                    fresh: Vec::new(),
                    gate: None,
                    switched: None,
                    baseline: None,
                });
            }
        };
        let patched = staged.carry_patches_of(live)?;
        if next.out != live.out || patched {
            // They have changed since the generation was staged.
            next.out = live.out.clone();
            next.patch(staged.patched());
            bound = Bound::all(&self.handles(), &next)?;
        }
        let keeping = self.keeping(live, |plugin| !next.has(plugin), options, window)?;
        let receives = |plugin: &&Arc<Instance>| without_state.as_ref() != Some(plugin.name());
        let fresh = staged.fresh_instances().filter(receives);
        let (hand_over, mut reset) = HandOver::plan(self, live, &next, fresh, options, &keeping);
        reset.extend(without_state.map(|plugin| (plugin, StateReport::Reset)));
        staged.report_states(reset);
        let notes = keeping.notes();
        // From the switch on, handlers may meet data of the builds that leave.
        let leaving = live.plugins.iter().filter(|plugin| !next.has(plugin));
        let metadata = next.plugins.iter().map(|plugin| plugin.metadata());
        let for_data = self.keep_for_data(leaving, metadata);
        let mut switching = Instant::now();
        let mut saved = BTreeMap::new();
        let (gate, mut replaced) = match hand_over {
            None => {
                let switched = self.switch(next, bound);
                let failed = |_: &_| self.need_no_data_builds(&for_data);
                (None, switched.inspect_err(failed)?)
            }
            Some(hand_over) => {
                let switched = hand_over.switch(self, live, next, bound, staged.hooks());
                let end = switched
                    .as_ref()
                    .map_or_else(|_| Instant::now(), |ok| ok.drained);
                progress.took(Step::Drain, end - switching, switched.is_err());
                switching = end;
                let failed = |_: &_| self.need_no_data_builds(&for_data);
                let switched = switched.inspect_err(failed)?;
                staged.report_states(switched.states);
                saved = switched.saved;
                (Some(switched.gate), switched.replaced)
            }
        };
        replaced.cold = keeping.with_states(saved);
        progress.ended(Step::Switch, switching, false);
        // The levels may have changed since the new plugins were told.
        levels::tell(self, staged.levels());
        let (fresh, mut plugins, hooks) = staged.take();
        plugins.extend(left_out);
        for_data.note_in(&mut plugins);
        for (name, note) in notes {
            let report = plugins.iter_mut().find(|report| report.name == name);
            report
                .into_iter()
                .for_each(|report| report.notes.push(note.clone()));
        }
        Ok(Made {
            plugins,
            fresh,
            gate,
            switched: Some((replaced, hooks)),
            baseline: None,
        })
    }
}

/// Runs `on_start`, once nothing holds the previous generation any more.
fn start(mut hooks: HookThread, mut fresh: Vec<Arc<Instance>>, reports: &mut [PluginReport]) {
    fresh.retain(|plugin| plugin.has_hook(Hook::OnStart));
    for plugin in each_in_turn(&mut hooks, fresh, |plugin| plugin.on_start()) {
        let note = format!("on_start has not returned within {:?}", hooks.limit());
        let of = |report: &&mut PluginReport| report.name == plugin;
        reports
            .iter_mut()
            .find(of)
            .into_iter()
            .for_each(|r| r.notes.push(note.clone()));
    }
}
