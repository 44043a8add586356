//! Makes the generation that was kept in a rollback window live again.
//!
//! Instances that have been live are never restored: what they have in memory is newer than any saved state, or is the
//! state itself. So there are two ways:
//! - **Without state**, the old instances are switched back. They go on as they stood at the switch.
//! - **With state**, the new instances have the state, and it may have changed since the switch. New instances of the
//!   old builds receive it, lowered to the version that they know. Whatever imports them is made again, too. If this
//!   fails, the old instances are switched back instead, and what has happened to the state since the switch is lost.
use super::hand_over::HandOver;
use super::stage::Staged;
use crate::artifact::BuildSet;
use crate::base::name::PluginName;
use crate::error::{Hook, ReloadError};
use crate::generation::Generation;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::reclaim::pin::Holding;
use crate::swapper::cause::Cause;
use crate::swapper::handles::Bound;
use crate::swapper::hooks::each_in_turn;
use crate::swapper::inner::Inner;
use crate::swapper::options::ReloadOptions;
use crate::swapper::progress::Progress;
use crate::swapper::report::{Outcome, PluginReport, Report};
use crate::swapper::step::Step;
use crate::swapper::window::{Kept, Replaced, WindowOutcome, is_among};
use crate::swapper::writer::{Writer, WriterGuard};
use crate::telemetry::{caught, contain};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

impl Inner {
    /// Closes the rollback window, and makes the permanent generation live again. The set of builds that was live is
    /// held from now on.
    ///
    /// # Errors
    /// No window is open.
    pub(in crate::swapper) fn revert(
        self: &Arc<Self>,
        writer: &mut Writer,
        reason: String,
    ) -> Result<Report, ReloadError> {
        let cause = Cause::Revert {
            reason: reason.clone(),
        };
        let outcome = WindowOutcome::Reverted {
            reason: reason.clone(),
        };
        let mut window = writer.window.take().ok_or(ReloadError::NoWindow)?;
        let (opened, kept) = (window.shared.opened, window.kept.take());
        let live = self.live.pin_quietly();
        let builds = live
            .plugins
            .iter()
            .map(|p| (p.name().clone(), p.build_id()));
        writer.held.insert(builds.collect::<BuildSet>(), reason);
        drop(live);
        writer.added = kept.added.clone();
        writer.removed = kept.removed.clone();
        let reverted = self.attempt(writer, &cause, |writer, progress| {
            let began = Instant::now();
            let live = self.live.pin_quietly().hold();
            let with_state = caught(|| self.with_state(writer, &kept, &live, progress));
            let panicked = |message| Err(Some(ReloadError::Panicked { message }));
            let made = match with_state.unwrap_or_else(panicked) {
                Ok(made) => made,
                Err(error) => {
                    let mut made = self.switch_back(&kept, &live);
                    made.lost = error.map(|error| {
                        format!(
                            "what has happened to the state in the last {:.1?} is lost: {error}",
                            opened.elapsed()
                        )
                    });
                    made
                }
            };
            progress.ended(Step::Switch, began, false);
            drop(live);
            Ok(self.finish_revert(kept, made, began, progress))
        });
        self.announce(&window, outcome);
        reverted
    }

    /// Makes new instances of the old builds that receive the state of the live ones.
    ///
    /// # Errors
    /// This fails, and the live generation goes on. The error is `None` if there is no state to receive.
    fn with_state(
        self: &Arc<Self>,
        writer: &Writer,
        kept: &Kept,
        live: &Holding<Generation>,
        progress: &mut Progress<'_>,
    ) -> Result<Reverted, Option<ReloadError>> {
        let mut made_again = Vec::new();
        for plugin in &kept.plugins {
            let receives = || {
                let newer = live.plugin(plugin.name());
                let both =
                    newer.is_some_and(|newer| newer.state().is_some()) && plugin.state().is_some();
                both && !live.has(plugin)
            };
            let mut imports = plugin.imports().iter();
            if receives() || imports.any(|import| is_among(import, &made_again)) {
                made_again.push(plugin.clone());
            }
        }
        if made_again.is_empty() {
            return Err(None);
        }
        let stage = || Staged::revert(self, writer, kept, &made_again, live);
        let mut staged = progress.step(Step::Stage, stage).map_err(Some)?;
        let next = staged.generation();
        let bound = Bound::as_possible(&self.handles(), &next);
        let (hand_over, _) = HandOver::plan(
            self,
            live,
            &next,
            staged.fresh_instances(),
            &ReloadOptions::default(),
        );
        let switched = match hand_over {
            Some(hand_over) => {
                let switched = hand_over.switch(self, live, next, bound, staged.hooks());
                Some(switched.map_err(Some)?)
            }
            None => None,
        };
        let Some(switched) = switched else {
            return Err(None);
        };
        staged.report_states(switched.states);
        let (fresh, reports, hooks) = staged.take();
        let resumed = kept
            .plugins
            .iter()
            .filter(|plugin| !live.has(plugin) && !is_among(plugin, &made_again));
        Ok(Reverted {
            replaced: switched.replaced,
            start: fresh.into_iter().chain(resumed.cloned()).collect(),
            reports,
            hooks,
            lost: None,
        })
    }

    /// Switches back to the old instances. This cannot fail: a handle that finds nothing in the old generation returns
    /// an error when it is called.
    fn switch_back(&self, kept: &Kept, live: &Holding<Generation>) -> Reverted {
        let plugins = kept.plugins.clone();
        let mut next = Generation::new(
            live.number + 1,
            live.reloads + 1,
            plugins,
            kept.contents.clone(),
        );
        next.out = live.out.clone();
        let handles = self.handles();
        let _ = Bound::as_possible(&handles, &next);
        let old = self.make_live(next, handles);
        let start = kept.plugins.iter().filter(|plugin| !live.has(plugin));
        Reverted {
            replaced: Replaced {
                old,
                stopped: Vec::new(),
            },
            start: start.cloned().collect(),
            reports: Vec::new(),
            hooks: self.hook_thread(),
            lost: None,
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
            lost,
        } = made;
        let before: BTreeMap<PluginName, _> = {
            let plugins = replaced.old.get().plugins.iter();
            plugins.map(|p| (p.name().clone(), p.build_id())).collect()
        };
        self.retire(replaced, None, &mut hooks);
        let starting = Instant::now();
        let starts = start.iter().filter(|plugin| plugin.has_hook(Hook::OnStart));
        each_in_turn(&mut hooks, starts.cloned().collect(), |plugin| {
            plugin.on_start()
        });
        progress.ended(Step::Start, starting, false);
        let live = self.live.pin_quietly();
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
            let mut report = PluginReport {
                state: known.and_then(|known| known.state.take()),
                ..PluginReport::new(plugin, outcome)
            };
            if is_among(plugin, &start) && plugin.state().is_some() {
                report.notes.extend(lost.clone());
            }
            report
        };
        let plugins = live.plugins.iter().map(report_of).collect();
        let (generation, count) = (live.number, live.reloads);
        drop(live);
        // Some of the old instances may have been made again.
        self.release(kept);
        if let Some(lost) = lost {
            contain((), || tracing::warn!(target: "hotswap", "{lost}"));
        }
        Report {
            generation,
            reloads: count,
            plugins,
            took: began.elapsed(),
            gate: None,
            steps: progress.take(),
            window: None,
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

/// A generation that is live again.
struct Reverted {
    replaced: Replaced,
    /// The instances that were stopped, or that are new.
    start: Vec<Arc<Instance>>,
    /// The reports on the new ones.
    reports: Vec<PluginReport>,
    hooks: HookThread,
    /// What is lost, if anything.
    lost: Option<String>,
}
