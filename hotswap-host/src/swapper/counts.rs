//! Counts the calls of plugins, over all of their builds.
use super::Swapper;
use super::inner::Inner;
use crate::artifact::BuildId;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::instance::Instance;
use crate::load::known;
use crate::reclaim::record;
use crate::reclaim::slot::CallTarget;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Duration;

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

/// How long calls of a live plugin take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CallLatency {
    /// The plugin.
    pub plugin: PluginName,
    /// The number of calls that were timed.
    pub timed: u64,
    /// The time that half of them have not exceeded, to a fifth.
    pub median: Duration,
    /// The time that 99 of 100 have not exceeded, to a fifth.
    pub p99: Duration,
}

/// Calls are counted until this is dropped: see [`Swapper::count_calls_meanwhile`].
#[must_use = "calls are not counted any more when this is dropped"]
pub struct CountedCalls(Arc<Inner>);

impl Drop for CountedCalls {
    /// Waits for a running reload.
    fn drop(&mut self) {
        let inner = &self.0;
        if inner.counting_calls.fetch_sub(1, SeqCst) == 1
            && let Ok(_writer) = inner.writer()
        {
            inner.count_or_not();
        }
    }
}

impl fmt::Debug for CountedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedCalls").finish_non_exhaustive()
    }
}

impl Inner {
    /// Counts the calls of the live generation, or does not count them any more, as it is wanted now. The caller has the
    /// writer.
    fn count_or_not(&self) {
        let live = self.live.pin_quietly();
        let mut watched = live.watched.iter();
        if watched.any(|watched| watched.timed().next().is_some()) {
            // The window goes on with its own watch.
            return;
        }
        let next = live.watched_copy(self.watch_of(&live.plugins, []));
        drop(live);
        self.replace_by_copy(next);
    }
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
        if inner.counts_calls.swap(count, SeqCst) != count {
            inner.count_or_not();
        }
        Ok(())
    }

    /// Counts the calls of all plugins until the result is dropped, whether or not the host [counts](Self::count_calls)
    /// them by itself. This is for tools that look at a host for a while.
    ///
    /// # Errors
    /// The caller is inside a reload or a call.
    pub fn count_calls_meanwhile(&self) -> Result<CountedCalls, ReloadError> {
        let inner = &self.0;
        let _writer = inner.writer()?;
        if inner.counting_calls.fetch_add(1, SeqCst) == 0 {
            inner.count_or_not();
        }
        Ok(CountedCalls(inner.clone()))
    }

    /// Returns how long calls of the live plugins take, as far as some were timed since the live generation or the counting of
    /// calls began. Of each plugin, the first call of a thread and then one in 1,024 of those that are counted is timed,
    /// or one in 32,768 while a thread makes many. Async calls are not.
    pub fn call_latencies(&self) -> Vec<CallLatency> {
        let live = self.0.live.pin_quietly();
        let watched = live.watched.as_ref();
        let latency = |plugin: &Arc<Instance>| {
            let latency = watched?.latency_of(plugin.call_target())?;
            Some(CallLatency {
                plugin: plugin.name().clone(),
                timed: latency.count(),
                median: latency.quantile(0.5)?,
                p99: latency.quantile(0.99)?,
            })
        };
        live.plugins.iter().filter_map(latency).collect()
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
