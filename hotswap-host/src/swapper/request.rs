//! What a reload is asked to do.
use super::Swapper;
use super::observe::Cause;
use super::report::Report;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::load_data::LoadDataBox;
use crate::name::PluginName;
use crate::paths::absolute;
use hotswap_plugin::boundary::{HookError, Shared, collect, guard};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a reload changes besides what the plugin directory says.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) add: Vec<PathBuf>,
    pub(super) remove: Vec<PluginName>,
    /// The only plugins to look at.
    pub(super) only: Option<BTreeSet<PluginName>>,
    /// Who asked.
    pub(super) cause: Cause,
}

pub(super) type Check<'s> = Box<dyn FnOnce(&Change<'_>) -> Result<(), String> + Send + 's>;

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
        self.plan.add.push(absolute(file));
        self
    }

    pub(super) fn remove(mut self, plugin: &str) -> Self {
        self.plan.remove.push(plugin.into());
        self
    }

    /// Looks at these plugins only, in whichever order they are named. All others keep their instances, whatever became
    /// of their files; those that import a reloaded one follow it as usual.
    pub fn only<N: Into<PluginName>>(mut self, plugins: impl IntoIterator<Item = N>) -> Self {
        self.plan.only = Some(plugins.into_iter().map(Into::into).collect());
        self
    }

    /// What the plugins' `on_load` can read, from this reload on if it succeeds.
    pub fn load_data<T: Shared + Send + Sync>(mut self, data: T) -> Self {
        self.data = Some(LoadDataBox::new(data));
        self
    }

    pub(crate) fn caused_by(mut self, cause: Cause) -> Self {
        self.plan.cause = cause;
        self
    }

    /// Has the last word, on another thread: it sees both generations just before the switch, and may call the new one.
    /// An error or a panic leaves the live generation as it is. It comes after the checks of every generation, see
    /// [`Builder::check`](crate::Builder::check).
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
        let before = data.map(|data| std::mem::replace(&mut writer.load_data, Arc::new(data)));
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
    pub(super) live: &'a Generation,
    pub(super) next: &'a Generation,
    pub(super) cause: &'a Cause,
}

impl<'a> Change<'a> {
    /// The live one. When the host is opened, it has number 0 and no plugins.
    pub fn live(&self) -> &'a Generation {
        self.live
    }

    /// The one that is about to become live.
    pub fn next(&self) -> &'a Generation {
        self.next
    }

    /// Who asked for it.
    pub fn cause(&self) -> &'a Cause {
        self.cause
    }
}

/// # Errors
/// The check refused, or panicked.
pub(super) fn run_check(
    check: impl FnOnce(&Change<'_>) -> Result<(), String>,
    change: &Change<'_>,
) -> Result<(), ReloadError> {
    // SAFETY: the sink is that of this call.
    let checked = collect(|sink| unsafe { guard(sink, || check(change).map_err(Into::into)) });
    checked.map_err(|error| match error {
        HookError::Failed(text) => ReloadError::Vetoed(text),
        HookError::Panicked(text) => ReloadError::Vetoed(format!("the check panicked: {text}")),
    })
}
