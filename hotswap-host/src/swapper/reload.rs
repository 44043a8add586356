//! A reload, from the request to the report.
use super::arrange::{Arranged, arrange};
use super::inner::{Writer, bind_all};
use super::optional::{culprit, explained, without};
use super::report::{Outcome, PluginReport, Report};
use super::request::{Change, Check, Plan, run_check};
use super::scan::{added_by, scan};
use super::stage::Staged;
use super::state::HandOver;
use super::{Swapper, WeakSwapper};
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::instance::Instance;
use crate::levels;
use crate::live::pin::Holding;
use crate::name::PluginName;
use crate::runtime::{Reported, StoredReport};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::*;
use std::time::{Duration, Instant};

thread_local! {
    /// This thread runs hooks, and the check, of a reload.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn is_running_here() -> bool {
    RUNNING.get()
}

struct Running;

impl Running {
    fn begin() -> Self {
        RUNNING.set(true);
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(false);
    }
}

impl Swapper {
    /// As [`run_checked`](Self::run_checked), without a check.
    pub(super) fn run(&self, writer: &mut Writer, plan: Plan) -> Result<Report, ReloadError> {
        self.run_checked(writer, plan, None)
    }

    /// Makes the next generation, and tells the tools beside the host how it went.
    pub(super) fn run_checked(
        &self,
        writer: &mut Writer,
        plan: Plan,
        check: Option<Check<'_>>,
    ) -> Result<Report, ReloadError> {
        let outcome = self.make_next(writer, plan, check);
        let attempt = writer.attempts;
        writer.attempts += 1;
        let reported = match &outcome {
            Ok(report) => Ok(Reported {
                text: report.to_string(),
                report: serde_json::to_value(report).unwrap_or_default(),
            }),
            Err(error) => Err(error.to_string()),
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
            plugins,
            fresh,
            gate,
        } = made;
        remember(writer, plan, added);
        start(&fresh);
        let warn = |plugin: &&PluginReport| matches!(plugin.outcome, Outcome::Failed { .. });
        for plugin in plugins.iter().filter(warn) {
            tracing::warn!(target: "hotswap", "{plugin:#}");
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
                let mut made = self.attempt(writer, &arranged, &live, check)?;
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
            });
        }
        on_own_thread(|| self.replace(writer, arranged, live, check))?
    }

    /// Stages the next generation, lets the check see it, and makes it live. Runs the hooks of plugins.
    fn replace(
        &self,
        writer: &Writer,
        arranged: &Arranged,
        live: &Holding<Generation>,
        check: &mut Option<Check<'_>>,
    ) -> Result<Made, ReloadError> {
        let mut staged = Staged::make(self, writer, arranged, live)?;
        let next = staged.generation();
        // Refused before the check has side effects; bound for good at the switch.
        bind_all(&self.0.handles(), &next)?;
        if let Some(check) = check.take() {
            run_check(check, &Change { live, next: &next })?;
        }
        let hand_over = HandOver::plan(live, staged.fresh_instances());
        let switched = hand_over.switch(&self.0, live, next)?;
        staged.report_states(&switched.states);
        // They may have changed since the new plugins were told.
        levels::tell(self, staged.levels());
        let (fresh, plugins) = staged.take();
        Ok(Made {
            changed: true,
            plugins,
            fresh,
            gate: switched.gate,
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
}

/// Runs `on_start`, once nothing holds the generation before any more.
fn start(fresh: &[Arc<Instance>]) {
    let start = || {
        for plugin in fresh {
            if let Err(failure) = plugin.on_start() {
                tracing::error!(target: "hotswap", "{failure}");
            }
        }
    };
    if !fresh.is_empty() && on_own_thread(start).is_err() {
        let _running = Running::begin();
        start();
    }
}

/// Runs hooks of plugins on a thread that ends with them. What they leave in thread-locals is gone then; the caller's
/// thread, which may sleep until the next reload, would keep old versions in memory until it came back.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn on_own_thread<R: Send>(run: impl FnOnce() -> R + Send) -> Result<R, ReloadError> {
    std::thread::scope(|scope| {
        let hooks = std::thread::Builder::new().name("hotswap-hooks".into());
        let hooks = hooks.spawn_scoped(scope, || {
            let _running = Running::begin();
            run()
        });
        // Joining waits for the end of the thread, destructors included.
        match hooks.map_err(ReloadError::Thread)?.join() {
            Ok(result) => Ok(result),
            Err(payload) => std::panic::resume_unwind(payload),
        }
    })
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
    pub(crate) fn request_reload(&self) {
        let Some(swapper) = self.upgrade() else {
            return;
        };
        if swapper.0.requested.swap(true, AcqRel) {
            return;
        }
        let run = move || {
            swapper.0.requested.store(false, Release);
            match swapper.reload() {
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
        }
    }
}
