//! The results of the parts of a reload.
use super::stage::Staged;
use crate::base::name::PluginName;
use crate::generation::Generation;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::swapper::handles::Bound;
use crate::swapper::plan::Plan;
use crate::swapper::report::{PluginReport, Report};
use crate::swapper::step::StepReport;
use crate::swapper::window::{Rates, Replaced};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The result of an attempt.
pub(in crate::swapper) trait Attempted {
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
pub(in crate::swapper) enum Next {
    /// The live generation goes on. These are the reports on its plugins.
    Live(Vec<PluginReport>),
    Staged(Box<Ready>),
}

/// A staged generation with everything that the switch needs. The generation comes first, so that nothing has the new
/// instances when `staged` frees them.
pub(in crate::swapper) struct Ready {
    pub(super) next: Generation,
    pub(super) bound: Bound,
    /// The reports on plugins that are not part of it.
    pub(super) left_out: Vec<PluginReport>,
    /// The plugin that begins without the state of its previous instance, although it has one.
    pub(super) without_state: Option<PluginName>,
    pub(super) staged: Staged,
}

impl Next {
    /// The reports to which those on plugins that are left out are added.
    pub(super) fn reports(&mut self) -> &mut Vec<PluginReport> {
        match self {
            Next::Live(reports) => reports,
            Next::Staged(ready) => &mut ready.left_out,
        }
    }
}

/// A staged generation, and the plan by which it becomes live.
pub(in crate::swapper) struct Prepared {
    pub(super) next: Next,
    pub(super) plan: Plan,
    /// The files that were added one by one.
    pub(super) added: BTreeMap<PluginName, PathBuf>,
    /// The number of the generation beside which it was staged.
    pub(super) live: u64,
    pub(super) steps: Vec<StepReport>,
    /// The time that staging took.
    pub(super) took: Duration,
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
pub(super) struct Made {
    pub(super) plugins: Vec<PluginReport>,
    /// The instances that have just become live.
    pub(super) fresh: Vec<Arc<Instance>>,
    /// The time for which calls could not begin.
    pub(super) gate: Option<Duration>,
    /// If there is another generation, the one before it, and the thread for the remaining hooks.
    pub(super) switched: Option<(Replaced, HookThread)>,
    /// The rates of the previous generation, if they were measured.
    pub(super) baseline: Option<Rates>,
}
