//! The counts of the async calls of a generation: see [`async_call`](crate::call::async_call).
use crate::instance::Instance;
use crate::retirement::Holder;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};

/// The async calls of one generation that have begun and have not ended, for each function and each export.
pub(crate) struct AsyncCalls {
    /// The index of the first count of each plugin, followed by the number of all counts.
    starts: Box<[usize]>,
    counts: Box<[AtomicUsize]>,
}

impl AsyncCalls {
    /// Returns counts of zero for these plugins.
    pub(crate) fn none(plugins: &[Arc<Instance>]) -> Self {
        let mut starts = vec![0];
        for plugin in plugins {
            let items = plugin.desc().functions.len() + plugin.desc().exports.len();
            starts.push(starts.last().map_or(0, |start| start + items));
        }
        let len = starts.last().copied().unwrap_or_default();
        AsyncCalls {
            starts: starts.into(),
            counts: (0..len).map(|_| AtomicUsize::new(0)).collect(),
        }
    }

    /// Returns the counts of the plugin with this number.
    pub(crate) fn of(&self, plugin: usize) -> &[AtomicUsize] {
        &self.counts[self.starts[plugin]..self.starts[plugin + 1]]
    }

    /// Returns the number of calls of the plugins that satisfy `which`.
    pub(crate) fn count(
        &self,
        plugins: &[Arc<Instance>],
        which: impl Fn(&Instance) -> bool,
    ) -> usize {
        let plugins = plugins.iter().enumerate();
        let these = plugins.filter(|(_, plugin)| which(plugin));
        these
            .flat_map(|(index, _)| self.of(index))
            .map(|count| count.load(Acquire))
            .sum()
    }

    /// Returns these calls by name.
    pub(crate) fn holders(
        &self,
        plugins: &[Arc<Instance>],
        which: impl Fn(&Instance) -> bool,
    ) -> Vec<Holder> {
        let mut holders = Vec::new();
        for (index, plugin) in plugins.iter().enumerate() {
            if !which(plugin) {
                continue;
            }
            let functions = plugin.desc().functions.iter().map(|f| f.name.as_str());
            let items = functions.chain(plugin.exports());
            for (item, count) in items.zip(self.of(index)) {
                match count.load(Acquire) {
                    0 => {}
                    count => holders.push(Holder::AsyncCalls {
                        plugin: plugin.name().to_string(),
                        function: item.to_owned(),
                        count,
                    }),
                }
            }
        }
        holders
    }
}
