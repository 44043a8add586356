//! Counts the calls of plugins, over all of their builds.
use super::Swapper;
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::instance::Instance;
use crate::load::known;
use crate::reclaim::record;
use crate::reclaim::slot::CallTarget;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The calls of a plugin since the process began, over all of its builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallCounts {
    /// The plugin, or `None` for the calls of [live functions](Swapper::live_function), whichever plugin has them.
    pub plugin: Option<PluginName>,
    /// The calls that the host has begun while [calls were counted](Swapper::count_calls).
    pub calls: u64,
    /// Those that have returned an error. A call of a live function counts for the plugin that has it.
    pub errors: u64,
    /// The panics in the plugin's code, whoever called it, and whether or not the calls were counted.
    pub panics: u64,
}

/// The memory of a live plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MemoryInUse {
    /// The plugin.
    pub plugin: PluginName,
    /// Its build.
    pub build_id: BuildId,
    /// The bytes that its allocator has in use, or `None` if the plugin has an allocator that does not count.
    pub bytes: Option<u64>,
}

impl Swapper {
    /// Counts the calls of all plugins from now on, or does not count them any more.
    ///
    /// Counted are the calls that the host makes through handles, async ones and those of interfaces included, and by name.
    /// A call of an interface is one call, whatever is called in its closure. Not counted are calls of a pinned generation,
    /// of every plugin that has a function, and those that plugins make of each other. Each thread counts for itself, which
    /// adds little to a call; without this, a call costs nothing more. While a rollback window measures calls, a change takes
    /// effect when the window closes.
    ///
    /// # Errors
    /// The caller is inside a reload or a call.
    pub fn count_calls(&self, count: bool) -> Result<(), ReloadError> {
        let inner = &self.0;
        let _writer = inner.writer()?;
        if inner.counts_calls.swap(count, SeqCst) == count {
            return Ok(());
        }
        let live = inner.live.pin_quietly();
        let timed: Vec<_> = live
            .watched
            .iter()
            .flat_map(|watched| watched.timed())
            .collect();
        let next = match timed.is_empty() {
            true => live.watched_copy(inner.watch_of(&live.plugins, [])),
            // The window goes on with its own watch.
            false => return Ok(()),
        };
        drop(live);
        inner.replace_by_copy(next);
        Ok(())
    }

    /// Returns the calls of all plugins that this process has known, in the order of their names, and then those of live
    /// functions. The counts only grow. Swappers of one process share them.
    pub fn call_counts(&self) -> Vec<CallCounts> {
        let plugins = known::all().into_iter();
        let counts = plugins.map(|(plugin, target, totals)| CallCounts {
            plugin: Some(plugin),
            calls: record::watched_calls(target),
            errors: totals.errors.load(Relaxed),
            panics: totals.panics.load(Relaxed),
        });
        let of_live_functions = CallCounts {
            plugin: None,
            calls: record::watched_calls(CallTarget::ANYTHING),
            errors: 0,
            panics: 0,
        };
        counts.chain([of_live_functions]).collect()
    }

    /// Returns the memory that the live plugins have in use.
    pub fn memory_in_use(&self) -> Vec<MemoryInUse> {
        let live = self.0.live.pin_quietly();
        let memory = |plugin: &Arc<Instance>| MemoryInUse {
            plugin: plugin.name().clone(),
            build_id: plugin.build_id(),
            bytes: plugin.memory(),
        };
        live.plugins.iter().map(memory).collect()
    }
}
