//! A reload, from the request to the report.
use super::arrange::{Arranged, arrange};
use super::inner::bind_all;
use super::observe::{Cause, ReloadEvent, ReloadEventKind};
use super::optional::{culprit, explained, without};
use super::report::{Outcome, PluginReport, Report};
use super::request::{Change, Check, Plan, run_check};
use super::scan::{added_by, scan};
use super::stage::Staged;
use super::state::HandOver;
use super::writer::Writer;
use super::{Swapper, WeakSwapper};
use crate::error::{Hook, HookFailure, ReloadError};
use crate::generation::Generation;
use crate::hook_thread::{self, HookThread, NotRun};
use crate::instance::Instance;
use crate::levels;
use crate::live::pin::Holding;
use crate::name::PluginName;
use crate::runtime::{Reported, StoredReport};
use crate::telemetry::{caught, contain};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::Ordering::*;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

impl Swapper {
    /// As [`run_checked`](Self::run_checked), without a check.
    pub(super) fn run(&self, writer: &mut Writer, plan: Plan) -> Result<Report, ReloadError> {
        self.run_checked(writer, plan, None)
    }

    /// Makes the next generation, and tells the observers and the tools beside the host how it went. Every generation passes here,
    /// the first one included; only the empty one of a shutdown does not.
    pub(super) fn run_checked(
        &self,
        writer: &mut Writer,
        plan: Plan,
        check: Option<Check<'_>>,
    ) -> Result<Report, ReloadError> {
        let cause = plan.cause.clone();
        // What panics here is the host's own: it is no reason to listen to no further signal.
        let outcome = caught(|| self.make_next(writer, plan, check))
            .unwrap_or_else(|message| Err(ReloadError::Panicked { message }));
        let attempt = writer.attempts;
        writer.attempts += 1;
        // Before the tools beside the host hear of it.
        self.0.observers.tell(&ReloadEvent {
            attempt,
            cause: &cause,
            kind: match &outcome {
                Ok(report) => ReloadEventKind::Completed(report),
                Err(error) => ReloadEventKind::Refused(error),
            },
        });
        let reported = match &outcome {
            Ok(report) => Ok(Reported {
                text: report.to_string(),
                report: serde_json::to_value(report).unwrap_or_default(),
            }),
            Err(error) => Err(error),
        };
        let generation = self.0.live.pin_quietly().number;
        self.0
            .store(&StoredReport::new(attempt, generation, reported));
        outcome
    }

    fn make_next(
        &self,
        writer: &mut Writer,
        plan: Plan,
        mut check: Option<Check<'_>>,
    ) -> Result<Report, ReloadError> {
        let began = Instant::now();
        let (made, added) = self.make(writer, &plan, &mut check)?;
        let Made {
            changed,
            mut plugins,
            fresh,
            gate,
            hooks,
        } = made;
        remember(writer, plan, added);
        if let Some(hooks) = hooks {
            start(hooks, fresh, &mut plugins);
        }
        let warn = |plugin: &&PluginReport| matches!(plugin.outcome, Outcome::Failed { .. });
        for plugin in plugins.iter().filter(warn) {
            contain((), || tracing::warn!(target: "hotswap", "{plugin:#}"));
        }
        let live = self.0.live.pin_quietly();
        Ok(Report {
            generation: live.number,
            reloads: live.reloads,
            plugins,
            took: began.elapsed(),
            gate,
            changed,
        })
    }

    /// Makes the next generation, and again as long as optional plugins fail. Also returns the files that were added one
    /// by one.
    fn make(
        &self,
        writer: &Writer,
        plan: &Plan,
        check: &mut Option<Check<'_>>,
    ) -> Result<(Made, BTreeMap<PluginName, PathBuf>), ReloadError> {
        let live = self.0.live.pin_quietly().hold();
        if live.number != 0 {
            writer.check_may_change()?;
        }
        let (candidates, mut failures) = scan(&self.0.plugin_dir(), writer, plan, &live)?;
        let checks = check.is_some();
        loop {
            let arranged = arrange(candidates.clone(), &failures, &live);
            let made = arranged.and_then(|arranged| {
                let mut made = self.attempt(writer, &arranged, &live, &plan.cause, check)?;
                let without = without(&live, &arranged.candidates, &failures);
                made.plugins.extend(without);
                Ok(made)
            });
            let error = match made {
                Ok(made) => return Ok((made, added_by(plan, &candidates))),
                Err(error) => error,
            };
            // The check may have had effects: it does not run twice.
            let may_try = checks == check.is_some();
            let culprit = may_try.then(|| culprit(&error, writer, &candidates, &failures));
            match culprit.flatten() {
                Some(name) => drop(failures.insert(name, error)),
                None => return Err(explained(error, failures)),
            }
        }
    }

    /// Makes this generation, unless it is the live one.
    fn attempt(
        &self,
        writer: &Writer,
        arranged: &Arranged,
        live: &Holding<Generation>,
        cause: &Cause,
        check: &mut Option<Check<'_>>,
    ) -> Result<Made, ReloadError> {
        if live.number != 0 && arranged.is_live(live) {
            let plugins = live.plugins.iter();
            let report = |p: &Arc<_>| PluginReport::new(p, arranged.candidates[p.name()].outcome());
            return Ok(Made {
                changed: false,
                plugins: plugins.map(report).collect(),
                fresh: Vec::new(),
                gate: None,
                hooks: None,
            });
        }
        self.replace(writer, arranged, live, cause, check)
    }

    /// Stages the next generation, lets the checks see it, and makes it live. Runs the hooks of plugins.
    fn replace(
        &self,
        writer: &Writer,
        arranged: &Arranged,
        live: &Holding<Generation>,
        cause: &Cause,
        check: &mut Option<Check<'_>>,
    ) -> Result<Made, ReloadError> {
        let mut staged = Staged::make(&self.0, writer, arranged, live)?;
        let next = staged.generation();
        // Refused before the checks have side effects; bound for good at the switch.
        bind_all(&self.0.handles(), &next)?;
        let standing = &self.0.checks;
        if !standing.is_empty() || check.is_some() {
            let change = Change {
                live,
                next: &next,
                cause,
            };
            let last = check.take();
            let run = || {
                let mut standing = standing.iter();
                standing.try_for_each(|check| run_check(check, &change))?;
                last.map_or(Ok(()), |check| run_check(check, &change))
            };
            hook_thread::check(run).map_err(ReloadError::Thread)??;
        }
        let hand_over = HandOver::plan(live, staged.fresh_instances());
        let switched = hand_over.switch(&self.0, live, next, staged.hooks())?;
        staged.report_states(&switched.states);
        // They may have changed since the new plugins were told.
        levels::tell(self, staged.levels());
        let (fresh, plugins, hooks) = staged.take();
        Ok(Made {
            changed: true,
            plugins,
            fresh,
            gate: switched.gate,
            hooks: Some(hooks),
        })
    }
}

/// What has become of a reload that was not refused.
struct Made {
    /// There is another generation.
    changed: bool,
    plugins: Vec<PluginReport>,
    /// Instances that have just become live.
    fresh: Vec<Arc<Instance>>,
    /// For how long calls could not begin.
    gate: Option<Duration>,
    /// The thread for the hooks that are left.
    hooks: Option<HookThread>,
}

/// Runs `on_start`, once nothing holds the generation before any more.
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

/// Runs a hook of each instance, whatever becomes of the others. Says in the log which have failed, and which have not
/// returned in time: their plugins are returned.
pub(super) fn each_in_turn(
    hooks: &mut HookThread,
    instances: Vec<Arc<Instance>>,
    hook: fn(&Instance) -> Result<(), HookFailure>,
) -> Vec<PluginName> {
    // Shared, since a hook that hangs keeps what its job has.
    let left = Arc::new(Mutex::new(VecDeque::from(instances)));
    let run = move |left: &Mutex<VecDeque<Arc<Instance>>>| {
        let next = || {
            // Those that are left are the next job's.
            let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
            (!hook_thread::is_given_up()).then(|| left.pop_front())?
        };
        while let Some(instance) = next() {
            if let Err(failure) = hook(&instance) {
                contain((), || tracing::error!(target: "hotswap", "{failure}"));
            }
        }
    };
    let is_empty = || {
        left.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    };
    let mut late = Vec::new();
    while !is_empty() {
        let of_job = left.clone();
        match hooks.run(move || run(&of_job), drop) {
            Ok(()) => {}
            Err(NotRun::Late(hung) | NotRun::Interrupted(hung)) => {
                contain((), || {
                    tracing::error!(
                        target: "hotswap",
                        "{}: {} has not returned within {:?} ({}): it is left to its thread, and the build stays in memory until it returns",
                        hung.plugin,
                        hung.hook,
                        hooks.limit(),
                        hung.file.display()
                    );
                });
                late.push(hung.plugin);
            }
            Err(NotRun::NoThread(error)) if hooks.is_over() => {
                contain(
                    (),
                    || tracing::error!(target: "hotswap", "hooks have not run, for want of a thread: {error}"),
                );
                break;
            }
            Err(NotRun::NoThread(error)) => {
                contain((), || {
                    tracing::warn!(target: "hotswap", "no thread to run hooks on, so they run without a limit: {error}");
                });
                hook_thread::run_here(|| run(&left));
            }
        }
    }
    late
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

impl WeakSwapper {
    /// A plugin wishes for a reload: one on a thread of its own, however often it is asked for before it begins.
    pub(crate) fn request_reload(&self, plugin: &str) {
        let Some(swapper) = self.upgrade() else {
            return;
        };
        if swapper.0.requested.swap(true, AcqRel) {
            return;
        }
        let asked = swapper.clone();
        let cause = Cause::Plugin {
            plugin: plugin.into(),
        };
        let run = move || {
            swapper.0.requested.store(false, Release);
            match swapper.prepare_reload().caused_by(cause).run() {
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
            tracing::error!(target: "hotswap", "no thread for the reload that a plugin asked for: {error}");
            asked.0.requested.store(false, Release);
        }
        // The calling thread may be one that `on_stop` waits for.
        asked.drop_elsewhere();
    }
}
