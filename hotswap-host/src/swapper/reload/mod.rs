//! A reload, from the request to the report.
mod arrange;
mod bind;
mod candidate;
mod construct;
mod fallback;
mod hand_over;
#[cfg(unix)]
mod probe;
mod revert;
mod scan;
mod smoke;
#[cfg(unix)]
mod sources;
mod stage;
mod validate;
mod versions;

use crate::artifact::BuildSet;
use crate::base::name::PluginName;
use crate::error::{Hook, ReloadError};
use crate::generation::Generation;
use crate::generation::watched::Watched;
use crate::hook_thread::{self, HookThread};
use crate::instance::Instance;
use crate::load::library::Owner;
use crate::reclaim::pin::Holding;
use crate::runtime::{Reported, StoredReport};
use crate::swapper::cause::Cause;
use crate::swapper::handles::Bound;
use crate::swapper::hooks::each_in_turn;
use crate::swapper::inner::{Inner, drop_elsewhere};
use crate::swapper::journal::{Trial, TriedBuild};
use crate::swapper::levels;
use crate::swapper::observe::ReloadEventKind;
use crate::swapper::options::ReloadOptions;
use crate::swapper::plan::{Change, Check, Plan, run_check};
use crate::swapper::progress::Progress;
use crate::swapper::report::{Outcome, PluginReport, Report};
use crate::swapper::step::{Step, StepReport};
use crate::swapper::window::{Rates, Replaced};
use crate::swapper::writer::Writer;
use crate::telemetry::{caught, contain};
use arrange::Arranged;
use candidate::Candidate;
use fallback::{Failed, with_fallbacks, without};
use hand_over::HandOver;
#[cfg(unix)]
pub(super) use probe::Probed;
use scan::{Failures, added_by, scan};
use stage::Staged;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::*;
use std::time::{Duration, Instant};

impl Inner {
    /// Reloads everything that has changed in the plugin directory.
    fn reload_because(self: &Arc<Self>, cause: Cause) -> Result<Report, ReloadError> {
        let mut writer = self.writer()?;
        let plan = Plan {
            cause,
            ..Plan::new(self.options.clone())
        };
        self.reload(&mut writer, plan, None)
    }

    /// Makes the first generation: of the builds that the journal has, or else of those in the plugin directory. In the
    /// first case, the directory is tried afterwards, if it has changed since it was tried before.
    pub(super) fn first_load(self: &Arc<Self>, writer: &mut Writer) -> Result<(), ReloadError> {
        let plan = || Plan {
            cause: Cause::Open,
            ..Plan::new(self.options.clone())
        };
        let start = match &self.journal {
            None => None,
            Some(journal) => journal.start()?.map(|start| (journal, start)),
        };
        let Some((journal, start)) = start else {
            self.reload(writer, plan(), None)?;
            return Ok(());
        };
        writer.held = start.held.into_iter().collect();
        writer.added = start.added;
        writer.removed = start.removed.into_iter().collect();
        let mut permanent = Plan {
            builds: Some(start.builds),
            ..plan()
        };
        // They have passed their tests.
        permanent.options.smoke = false;
        if let Err(error) = self.reload(writer, permanent, None) {
            let reason = error.to_string();
            contain(
                (),
                || tracing::warn!(target: "hotswap", "the host starts with its plugin directory, because the builds that ran before do not run in it: {reason}"),
            );
            journal.misfit(&reason)?;
            self.reload(writer, plan(), None)?;
            return Ok(());
        }
        writer.tried = start.tried;
        match self.reload(writer, plan(), None) {
            Ok(_) => {}
            Err(error) => contain((), || {
                tracing::warn!(target: "hotswap", "the host starts with the builds that ran before, because those in its plugin directory are refused: {error}");
            }),
        }
        writer.tried = None;
        Ok(())
    }

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
            check_window(writer, &prepared.plan)?;
            progress.resume(prepared.steps);
            let made = self.switch_to(prepared.next, &live, &prepared.plan.options, progress)?;
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
        let switch = |next, progress: &mut Progress<'_>| {
            self.switch_to(next, &live, &plan.options, progress)
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
        remember(writer, plan, added);
        let warn = |plugin: &&PluginReport| matches!(plugin.outcome, Outcome::Failed { .. });
        for plugin in plugins.iter().filter(warn) {
            contain((), || tracing::warn!(target: "hotswap", "{plugin:#}"));
        }
        let live = self.live.pin_quietly();
        Report {
            generation: live.number,
            reloads: live.reloads,
            plugins,
            took: began.elapsed(),
            gate,
            steps: progress.take(),
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
        let was_tried = || writer.tried.is_some() && writer.tried == Some(set_of(arranged));
        if live.number != 0 && (arranged.is_live(live) || was_tried()) {
            let plugins = live.plugins.iter();
            let report = |p: &Arc<_>| PluginReport::new(p, arranged.candidates[p.name()].outcome());
            return Ok(Next::Live(plugins.map(report).collect()));
        }
        check_not_held(writer, arranged, plan)?;
        // The builds with which a host starts have proven themselves.
        let proven = live.number == 0 && plan.builds.is_some();
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
        if plan.options.has_rates() && live.number != 0 {
            let fresh = staged.fresh_instances().map(|plugin| plugin.call_target());
            next.watch(Arc::new(Watched::new(fresh)));
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
        progress: &mut Progress<'_>,
    ) -> Result<Made, ReloadError> {
        let Ready {
            mut next,
            mut bound,
            left_out,
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
        if next.out != live.out {
            // It has changed since the generation was staged.
            next.out = live.out.clone();
            bound = Bound::all(&self.handles(), &next)?;
        }
        let (hand_over, reset) =
            HandOver::plan(self, live, &next, staged.fresh_instances(), options);
        staged.report_states(reset);
        let mut switching = Instant::now();
        let (gate, replaced) = match hand_over {
            None => (None, self.switch(next, bound)?),
            Some(hand_over) => {
                let switched = hand_over.switch(self, live, next, bound, staged.hooks());
                let end = switched
                    .as_ref()
                    .map_or_else(|_| Instant::now(), |ok| ok.drained);
                progress.took(Step::Drain, end - switching, switched.is_err());
                switching = end;
                let switched = switched?;
                staged.report_states(switched.states);
                (Some(switched.gate), switched.replaced)
            }
        };
        progress.ended(Step::Switch, switching, false);
        // The levels may have changed since the new plugins were told.
        levels::tell(self, staged.levels());
        let (fresh, mut plugins, hooks) = staged.take();
        plugins.extend(left_out);
        Ok(Made {
            plugins,
            fresh,
            gate,
            switched: Some((replaced, hooks)),
            baseline: None,
        })
    }
}

/// Returns an error if a reload may not begin because the rollback window of another one is open.
fn check_window(writer: &mut Writer, plan: &Plan) -> Result<(), ReloadError> {
    let Some(window) = &writer.window else {
        return Ok(());
    };
    let left = window.shared.left();
    if !plan.add.is_empty() || !plan.remove.is_empty() {
        return Err(ReloadError::WindowOpen { left });
    }
    if plan.options.supersede {
        return Ok(());
    }
    writer.deferred.get_or_insert(plan.cause.clone());
    Err(ReloadError::Deferred { left })
}

/// Returns an error if this set of builds was reverted.
fn check_not_held(writer: &Writer, arranged: &Arranged, plan: &Plan) -> Result<(), ReloadError> {
    if writer.held.is_empty() || plan.force {
        return Ok(());
    }
    let set = set_of(arranged);
    match writer.held.get(&set) {
        None => Ok(()),
        Some(reason) => {
            let new = |(name, candidate): (&PluginName, &Candidate)| {
                candidate.live().is_none().then(|| name.clone())
            };
            Err(ReloadError::Held {
                plugins: arranged.candidates.iter().filter_map(new).collect(),
                reason: reason.clone(),
            })
        }
    }
}

/// Returns the builds of the next generation.
fn set_of(arranged: &Arranged) -> BuildSet {
    let builds = arranged.candidates.values();
    let build = |candidate: &Candidate| (candidate.metadata().name.clone(), candidate.build_id());
    builds.map(build).collect()
}

/// Describes an attempt to the journal.
fn trial<'a>(
    writer: &'a Writer,
    arranged: &'a Arranged,
    live: &Generation,
    plan: &'a Plan,
    attempt: u64,
) -> Trial<'a> {
    let builds = arranged.candidates.values().map(|candidate| TriedBuild {
        plugin: &candidate.metadata().name,
        file: candidate.file(),
        build_id: candidate.build_id(),
        bytes: candidate.bytes(),
    });
    let plugins = live.plugins.iter();
    let mut added = writer.added.clone();
    added.extend(added_by(plan, &arranged.candidates));
    added.retain(|name, _| !plan.remove.contains(name));
    let removed = writer.removed.iter().chain(&plan.remove);
    let removed = removed.filter(|name| !added.contains_key(*name));
    let removed = removed.cloned().collect();
    Trial {
        attempt,
        cause: &plan.cause,
        options: &plan.options,
        from: plugins.map(|p| (p.name().clone(), p.build_id())).collect(),
        builds: builds.collect(),
        added,
        removed,
        is_rollback: plan.builds.is_some() && live.number != 0,
    }
}

/// The result of an attempt.
pub(super) trait Attempted {
    /// The report, or `None` if the attempt has not come to its end.
    fn report(&self) -> Option<&Report>;
}

impl Attempted for Report {
    fn report(&self) -> Option<&Report> {
        Some(self)
    }
}

impl Attempted for Prepared {
    fn report(&self) -> Option<&Report> {
        None
    }
}

/// The next generation, before the switch.
pub(super) enum Next {
    /// The live generation goes on. These are the reports on its plugins.
    Live(Vec<PluginReport>),
    Staged(Box<Ready>),
}

/// A staged generation with everything that the switch needs. The generation comes first, so that nothing has the new
/// instances when `staged` frees them.
pub(super) struct Ready {
    next: Generation,
    bound: Bound,
    /// The reports on plugins that are not part of it.
    left_out: Vec<PluginReport>,
    staged: Staged,
}

impl Next {
    /// The reports to which those on plugins that are left out are added.
    fn reports(&mut self) -> &mut Vec<PluginReport> {
        match self {
            Next::Live(reports) => reports,
            Next::Staged(ready) => &mut ready.left_out,
        }
    }
}

/// A staged generation, and the plan by which it becomes live.
pub(in crate::swapper) struct Prepared {
    next: Next,
    plan: Plan,
    /// The files that were added one by one.
    added: BTreeMap<PluginName, PathBuf>,
    /// The number of the generation beside which it was staged.
    live: u64,
    steps: Vec<StepReport>,
    /// The time that staging took.
    took: Duration,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Next::Staged(ready) = &self.next else {
            return f.write_str("Unchanged");
        };
        ready.next.fmt(f)
    }
}

/// The result of a reload that was not refused.
struct Made {
    plugins: Vec<PluginReport>,
    /// The instances that have just become live.
    fresh: Vec<Arc<Instance>>,
    /// The time for which calls could not begin.
    gate: Option<Duration>,
    /// If there is another generation, the one before it, and the thread for the remaining hooks.
    switched: Option<(Replaced, HookThread)>,
    /// The rates of the previous generation, if they were measured.
    baseline: Option<Rates>,
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

fn remember(writer: &mut Writer, plan: Plan, added: BTreeMap<PluginName, PathBuf>) {
    for name in plan.remove {
        writer.added.remove(&name);
        writer.removed.insert(name);
    }
    for (name, file) in added {
        writer.removed.remove(&name);
        writer.added.insert(name, file);
    }
}

impl Owner for Inner {
    /// Reloads on a thread of its own. Several requests before it begins make one reload.
    fn request_reload(self: Arc<Self>, plugin: &str) {
        if self.requested.swap(true, AcqRel) {
            return;
        }
        let (asked, plugin) = (self.clone(), plugin.into());
        let run = move || {
            self.requested.store(false, Release);
            match self.reload_because(Cause::Plugin { plugin }) {
                Ok(report) => {
                    tracing::info!(target: "hotswap", "a plugin asked for a reload: {report}")
                }
                Err(error) => {
                    tracing::error!(target: "hotswap", "a plugin asked for a reload, which failed: {error}")
                }
            }
        };
        if let Err(error) = std::thread::Builder::new()
            .name("hotswap-reload".into())
            .spawn(run)
        {
            tracing::error!(target: "hotswap", "cannot start a thread for the reload that a plugin asked for: {error}");
            asked.requested.store(false, Release);
        }
        // The calling thread may be one that `on_stop` waits for.
        drop_elsewhere(asked);
    }
}
