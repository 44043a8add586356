//! A reload, from the request to the report.
mod arrange;
mod bind;
mod candidate;
mod construct;
mod fallback;
mod hand_over;
mod scan;
mod stage;
mod validate;

use crate::base::name::PluginName;
use crate::error::{Hook, ReloadError};
use crate::generation::Generation;
use crate::hook_thread::{self, HookThread};
use crate::instance::Instance;
use crate::load::library::Owner;
use crate::reclaim::pin::Holding;
use crate::runtime::{Reported, StoredReport};
use crate::swapper::handles::Bound;
use crate::swapper::hooks::each_in_turn;
use crate::swapper::inner::{Inner, drop_elsewhere};
use crate::swapper::levels;
use crate::swapper::observe::{ReloadEvent, ReloadEventKind};
use crate::swapper::plan::{Cause, Change, Check, Plan, run_check};
use crate::swapper::report::{Outcome, PluginReport, Report};
use crate::swapper::writer::Writer;
use crate::telemetry::{caught, contain};
use arrange::Arranged;
use fallback::{Failed, with_fallbacks, without};
use hand_over::HandOver;
use scan::{Failures, added_by, scan};
use stage::Staged;
use std::collections::BTreeMap;
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
            ..Plan::default()
        };
        self.reload(&mut writer, plan, None)
    }

    /// Makes the next generation, and tells the observers and the tools outside of the host how it went. Every
    /// generation passes here, including the first one, except for the empty one of a shutdown.
    pub(super) fn reload(
        self: &Arc<Self>,
        writer: &mut Writer,
        plan: Plan,
        check: Option<Check<'_>>,
    ) -> Result<Report, ReloadError> {
        let cause = plan.cause.clone();
        // A panic here is a fault of the host's own code. It must not keep the host from listening to later signals.
        let outcome = caught(|| self.complete(writer, plan, check))
            .unwrap_or_else(|message| Err(ReloadError::Panicked { message }));
        let attempt = writer.attempts;
        writer.attempts += 1;
        // The observers come before the tools outside of the host.
        self.observers.tell(&ReloadEvent {
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
    ) -> Result<Report, ReloadError> {
        let began = Instant::now();
        let (made, added) = self.make_with_fallbacks(writer, &plan, &mut check)?;
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
        let live = self.live.pin_quietly();
        Ok(Report {
            generation: live.number,
            reloads: live.reloads,
            plugins,
            took: began.elapsed(),
            gate,
            changed,
        })
    }

    /// Makes the next generation, again and again while optional plugins fail. Also returns the files that were added
    /// one by one.
    fn make_with_fallbacks(
        self: &Arc<Self>,
        writer: &Writer,
        plan: &Plan,
        check: &mut Option<Check<'_>>,
    ) -> Result<(Made, BTreeMap<PluginName, PathBuf>), ReloadError> {
        let live = self.live.pin_quietly().hold();
        if live.number != 0 {
            writer.check_may_change()?;
        }
        let (candidates, failures) = scan(&self.plugin_dir(), writer, plan, &live)?;
        let checks = check.is_some();
        let make = |arranged: &Arranged, failures: &Failures| {
            let made = self.make_if_changed(writer, arranged, &live, &plan.cause, check);
            let mut made = made.map_err(|error| Failed {
                error: Box::new(error),
                // The check does not run twice, because it may have had effects.
                may_retry: checks == check.is_some(),
            })?;
            let without = without(&live, &arranged.candidates, failures);
            made.plugins.extend(without);
            Ok(made)
        };
        let made = with_fallbacks(writer, &live, &candidates, failures, make)?;
        Ok((made, added_by(plan, &candidates)))
    }

    /// Makes this generation, unless it is the live one.
    fn make_if_changed(
        self: &Arc<Self>,
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
        self.stage_and_switch(writer, arranged, live, cause, check)
    }

    /// Stages the next generation, runs the checks, and makes it live. This runs hooks of plugins.
    fn stage_and_switch(
        self: &Arc<Self>,
        writer: &Writer,
        arranged: &Arranged,
        live: &Holding<Generation>,
        cause: &Cause,
        check: &mut Option<Check<'_>>,
    ) -> Result<Made, ReloadError> {
        let mut staged = Staged::make(self, writer, arranged, live)?;
        let next = staged.generation();
        // The generation is refused before the checks can have side effects.
        let bound = Bound::all(&self.handles(), &next)?;
        let standing = &self.checks;
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
        let (hand_over, reset) = HandOver::plan(live, staged.fresh_instances());
        staged.report_states(reset);
        let gate = match hand_over {
            None => {
                self.switch(next, bound, staged.hooks())?;
                None
            }
            Some(hand_over) => {
                let switched = hand_over.switch(self, live, next, bound, staged.hooks())?;
                staged.report_states(switched.states);
                Some(switched.gate)
            }
        };
        // The levels may have changed since the new plugins were told.
        levels::tell(self, staged.levels());
        let (fresh, plugins, hooks) = staged.take();
        Ok(Made {
            changed: true,
            plugins,
            fresh,
            gate,
            hooks: Some(hooks),
        })
    }
}

/// The result of a reload that was not refused.
struct Made {
    /// True if there is another generation.
    changed: bool,
    plugins: Vec<PluginReport>,
    /// The instances that have just become live.
    fresh: Vec<Arc<Instance>>,
    /// The time for which calls could not begin.
    gate: Option<Duration>,
    /// The thread for the remaining hooks.
    hooks: Option<HookThread>,
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
