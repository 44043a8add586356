//! The counts of the async calls of a generation: see [`async_call`](crate::call::async_call).
use crate::instance::Instance;
use crate::retirement::Holder;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, PoisonError};

/// The async calls of one generation that have begun and have not ended, for each function and each export.
///
/// A call has a reference to its count for as long as it likes, so counts are never freed. Generations use them one after
/// the other.
pub(crate) struct AsyncCalls {
    /// The index of the first count of each plugin, followed by the number of all counts.
    starts: Box<[usize]>,
    counts: &'static [AtomicUsize],
}

/// The counts that no generation has. All of them are zero.
static SPARE: Mutex<Vec<&'static [AtomicUsize]>> = Mutex::new(Vec::new());

/// Returns at least this many counts of zero.
fn take_counts(len: usize) -> &'static [AtomicUsize] {
    if len == 0 {
        return &[];
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    match spare.iter().position(|counts| counts.len() >= len) {
        Some(at) => spare.swap_remove(at),
        // The sizes are few, so that most counts can be used again.
        None => Box::leak(
            (0..len.next_power_of_two())
                .map(|_| AtomicUsize::new(0))
                .collect(),
        ),
    }
}

impl Drop for AsyncCalls {
    fn drop(&mut self) {
        // The counts of a generation that is leaked with its calls are not used again.
        let are_zero = self.counts.iter().all(|count| count.load(Acquire) == 0);
        if are_zero && !self.counts.is_empty() {
            let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
            spare.push(self.counts);
        }
    }
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
            counts: take_counts(len),
        }
    }

    /// Returns the counts of the plugin with this number.
    pub(crate) fn of(&self, plugin: usize) -> &'static [AtomicUsize] {
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
