//! A reload, from the request to the report.
use super::Swapper;
use super::inner::{Writer, bind_all};
use super::report::{Outcome, PluginReport, Report};
use super::scan::{Candidate, added_by, scan};
use super::stage::Staged;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::levels;
use crate::live::pin::Held;
use crate::load::library::RequestReload;
use crate::load_data::LoadDataBox;
use crate::name::PluginName;
use crate::runtime::{Reported, StoredReport};
use hotswap_plugin::boundary::{HookError, Shared, collect, guard};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::*;
use std::time::Instant;

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

/// What a reload changes besides what the plugin directory says.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) add: Vec<PathBuf>,
    pub(super) remove: Vec<PluginName>,
}

type Check<'s> = Box<dyn FnOnce(&Change<'_>) -> Result<(), String> + Send + 's>;

/// A reload before it runs.
#[must_use = "it does nothing before `run`"]
pub struct Reload<'s> {
    swapper: &'s Swapper,
    plan: Plan,
    data: Option<LoadDataBox>,
    check: Option<Check<'s>>,
}

impl<'s> Reload<'s> {
    pub(super) fn new(swapper: &'s Swapper) -> Self {
        Reload {
            swapper,
            plan: Plan::default(),
            data: None,
            check: None,
        }
    }

    pub(super) fn add(mut self, file: &Path) -> Self {
        self.plan.add.push(file.to_owned());
        self
    }

    pub(super) fn remove(mut self, plugin: &str) -> Self {
        self.plan.remove.push(plugin.into());
        self
    }

    /// What the plugins' `on_load` can read, from this reload on if it succeeds.
    pub fn load_data<T: Shared + Send + Sync>(mut self, data: T) -> Self {
        self.data = Some(LoadDataBox::new(data));
        self
    }

    /// Has the last word, on another thread: it sees both generations just before the switch, and may call the new one. An error or a panic
    /// leaves the live generation as it is.
    pub fn check<E: fmt::Display>(
        mut self,
        check: impl FnOnce(&Change<'_>) -> Result<(), E> + Send + 's,
    ) -> Self {
        self.check = Some(Box::new(|change| {
            check(change).map_err(|error| error.to_string())
        }));
        self
    }

    /// Runs it, after those that were asked for before.
    ///
    /// # Errors
    /// As [`Swapper::reload`].
    pub fn run(self) -> Result<Report, ReloadError> {
        let Reload {
            swapper,
            plan,
            data,
            check,
        } = self;
        let mut writer = swapper.0.writer()?;
        let before = data.map(|data| std::mem::replace(&mut writer.load_data, data));
        let outcome = swapper.run_checked(&mut writer, plan, check);
        if let (Err(_), Some(before)) = (&outcome, before) {
            writer.load_data = before;
        }
        outcome
    }
}

/// The two generations of a reload, just before the switch.
#[derive(Debug)]
pub struct Change<'a> {
    live: &'a Generation,
    next: &'a Generation,
}

impl<'a> Change<'a> {
    /// The live one.
    pub fn live(&self) -> &'a Generation {
        self.live
    }

    /// The one that is about to become live.
    pub fn next(&self) -> &'a Generation {
        self.next
    }
}

impl Swapper {
    /// As [`run_checked`](Self::run_checked), without a check.
    pub(super) fn run(&self, writer: &mut Writer, plan: Plan) -> Result<Report, ReloadError> {
        self.run_checked(writer, plan, None)
    }

    /// Makes the next generation, and tells the tools beside the host how it went.
    fn run_checked(
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
        check: Option<Check<'_>>,
    ) -> Result<Report, ReloadError> {
        let began = Instant::now();
        let live = self.0.live.pin_quietly().hold();
        let candidates = scan(&self.0.plugin_dir(), writer, &plan, &live)?;
        let left: Vec<_> = live
            .plugins
            .iter()
            .filter(|p| !candidates.contains_key(p.name()))
            .collect();
        let unchanged =
            left.is_empty() && candidates.values().all(Candidate::is_live) && live.number != 0;
        let plugins = if unchanged {
            let (added, plugins) = (added_by(&plan, &live), live.plugins.iter());
            let reports = plugins
                .map(|p| PluginReport::new(p, candidates[p.name()].outcome()))
                .collect();
            remember(writer, plan, added);
            reports
        } else {
            let gone: Vec<_> = left
                .into_iter()
                .map(|p| PluginReport::new(p, Outcome::Removed))
                .collect();
            let mut plugins =
                on_own_thread(|| self.replace(writer, plan, candidates, live, check))??;
            plugins.extend(gone);
            plugins
        };
        let live = self.0.live.pin_quietly();
        Ok(Report {
            generation: live.number,
            reloads: live.reloads,
            plugins,
            took: began.elapsed(),
        })
    }

    /// Stages the next generation, lets the check see it, and makes it live. Runs the hooks of plugins.
    fn replace(
        &self,
        writer: &mut Writer,
        plan: Plan,
        candidates: BTreeMap<PluginName, Candidate>,
        live: Held<Generation>,
        check: Option<Check<'_>>,
    ) -> Result<Vec<PluginReport>, ReloadError> {
        let staged = Staged::make(self, writer, candidates, (live.number, live.reloads))?;
        let next = staged.generation();
        // Refused before the check has side effects; bound for good at the switch.
        bind_all(&self.0.handles(), &next)?;
        if let Some(check) = check {
            run_check(
                check,
                &Change {
                    live: &live,
                    next: &next,
                },
            )?;
        }
        drop(live);
        let added = added_by(&plan, &next);
        self.0.switch(next)?;
        remember(writer, plan, added);
        // They may have changed since the new plugins were told.
        levels::tell(self);
        let (fresh, reports) = staged.take();
        for plugin in &fresh {
            if let Err(failure) = plugin.on_start() {
                tracing::error!(target: "hotswap", "{failure}");
            }
        }
        Ok(reports)
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

fn run_check(check: Check<'_>, change: &Change<'_>) -> Result<(), ReloadError> {
    // SAFETY: the sink is that of this call.
    let checked = collect(|sink| unsafe { guard(sink, || check(change).map_err(Into::into)) });
    checked.map_err(|error| match error {
        HookError::Failed(text) => ReloadError::Vetoed(text),
        HookError::Panicked(text) => ReloadError::Vetoed(format!("the check panicked: {text}")),
    })
}

/// What a plugin's wish for a reload does: one on a thread of its own, however often it is asked for before it begins.
pub(super) fn on_request(swapper: &Swapper) -> RequestReload {
    let swapper = swapper.downgrade();
    Arc::new(move || {
        let Some(swapper) = swapper.upgrade() else {
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
    })
}
