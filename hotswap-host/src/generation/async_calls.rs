//! The counts of the async calls of a generation: see [`async_call`](crate::call::async_call).
use crate::instance::Instance;
use crate::load::failures::Failures;
use crate::retirement::Holder;
use hotswap_plugin::boundary::CountErrors;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The async calls of one generation that have begun and have not ended, by plugin.
pub(crate) struct AsyncCalls(Box<[&'static PluginCalls]>);

/// The async calls of one plugin of a generation.
///
/// A call has a reference to this for as long as it likes, so it is never freed. Generations use it one after the other.
pub(crate) struct PluginCalls {
    /// The number of calls of each function, and then of each export. There may be more than the plugin needs.
    counts: Box<[AtomicUsize]>,
    /// The plugin of the generation that uses this.
    plugin: Mutex<Option<PluginOf>>,
}

/// A plugin of a generation.
struct PluginOf {
    /// The generation has the instance, and is there as long as one of its calls has not ended.
    instance: Weak<Instance>,
    /// The names of the functions that patches have added to it.
    added: Vec<String>,
    /// The failures of the plugin's code, if the calls are watched.
    watched: Option<Arc<Failures>>,
}

impl PluginOf {
    /// Calls `named` with the names of the plugin's functions and exports, in the order of the counts.
    fn items<R>(&self, named: impl FnOnce(&str, &mut dyn Iterator<Item = &str>) -> R) -> Option<R> {
        let instance = self.instance.upgrade()?;
        let functions = instance.desc().functions.iter().map(|f| f.name.as_str());
        let added = self.added.iter().map(String::as_str);
        let mut items = functions.chain(instance.exports()).chain(added);
        Some(named(instance.name().as_str(), &mut items))
    }
}

/// The counts that no generation has. All of them are zero. There is a list for each power of two.
struct Spare([Vec<&'static PluginCalls>; usize::BITS as usize]);

static SPARE: Mutex<Spare> = Mutex::new(Spare([const { Vec::new() }; usize::BITS as usize]));

fn spare() -> MutexGuard<'static, Spare> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Spare {
    /// Returns at least this many counts of zero. The sizes are few, so that most counts can be used again.
    fn take(&mut self, len: usize, plugin: Option<PluginOf>) -> &'static PluginCalls {
        let len = len.next_power_of_two();
        let unused = self.0[len.ilog2() as usize].pop();
        let calls = unused.unwrap_or_else(|| {
            Box::leak(Box::new(PluginCalls {
                counts: (0..len).map(|_| AtomicUsize::new(0)).collect(),
                plugin: Mutex::default(),
            }))
        });
        *calls.plugin() = plugin;
        calls
    }

    /// Takes counts back, unless calls have not ended.
    fn give(&mut self, calls: &'static PluginCalls) {
        // The counts of a generation that is leaked with its calls are not used again.
        if calls.counts.iter().all(|count| count.load(Acquire) == 0) {
            *calls.plugin() = None;
            self.0[calls.counts.len().ilog2() as usize].push(calls);
        } else {
            calls.watch(None);
        }
    }
}

impl PluginCalls {
    /// Returns the number of calls of the function or export with this number.
    #[inline]
    pub(crate) fn count(&'static self, item: usize) -> &'static AtomicUsize {
        &self.counts[item]
    }

    /// Returns the names of the plugin and of the function or export with this number, one of whose calls has not ended.
    #[cold]
    pub(crate) fn names(&self, item: usize) -> Option<(String, String)> {
        let plugin = self.plugin();
        let names = plugin.as_ref()?.items(|plugin, items| {
            items
                .nth(item)
                .map(|item| (plugin.to_owned(), item.to_owned()))
        });
        names.flatten()
    }

    fn watch(&self, failures: Option<Arc<Failures>>) {
        if let Some(plugin) = &mut *self.plugin() {
            plugin.watched = failures;
        }
    }

    fn plugin(&self) -> MutexGuard<'_, Option<PluginOf>> {
        self.plugin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CountErrors for PluginCalls {
    fn count_error(&self) {
        let plugin = self.plugin();
        if let Some(failures) = plugin.as_ref().and_then(|it| it.watched.as_ref()) {
            failures.add_error();
        }
    }
}

impl Drop for AsyncCalls {
    fn drop(&mut self) {
        let mut spare = spare();
        self.0.iter().for_each(|calls| spare.give(calls));
    }
}

impl AsyncCalls {
    /// Returns counts of zero for these plugins. `added` names the functions that patches have added to the plugin with
    /// a number.
    pub(crate) fn none(plugins: &[Arc<Instance>], added: impl Fn(usize) -> Vec<String>) -> Self {
        let mut spare = spare();
        let counts = plugins.iter().enumerate().map(|(index, plugin)| {
            let (desc, added) = (plugin.desc(), added(index));
            let items = desc.functions.len() + desc.exports.len() + added.len();
            let plugin = PluginOf {
                instance: Arc::downgrade(plugin),
                added,
                watched: None,
            };
            spare.take(items, Some(plugin))
        });
        AsyncCalls(counts.collect())
    }

    /// Returns the calls of the plugin with this number.
    #[inline]
    pub(crate) fn of(&self, plugin: usize) -> &'static PluginCalls {
        self.0[plugin]
    }

    /// Counts errors of calls of the plugins that satisfy `which` from now on.
    pub(super) fn watch(&self, plugins: &[Arc<Instance>], which: impl Fn(&Instance) -> bool) {
        for (plugin, calls) in plugins.iter().zip(&self.0) {
            let failures = plugin.library().failures();
            calls.watch(which(plugin).then(|| failures.clone()));
        }
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
            .flat_map(|(index, _)| &self.of(index).counts)
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
            let calls = self.of(index);
            let calls_of = |(item, count): (&str, &AtomicUsize)| match count.load(Acquire) {
                0 => None,
                count => Some(Holder::AsyncCalls {
                    plugin: plugin.name().to_string(),
                    function: item.to_owned(),
                    count,
                }),
            };
            if let Some(of) = &*calls.plugin() {
                of.items(|_, items| holders.extend(items.zip(&calls.counts).filter_map(calls_of)));
            }
        }
        holders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_while_the_calls_are_watched() {
        let of = PluginOf {
            instance: Weak::new(),
            added: Vec::new(),
            watched: None,
        };
        let (calls, failures) = (spare().take(500, Some(of)), Arc::<Failures>::default());
        calls.count_error();
        calls.watch(Some(failures.clone()));
        calls.count_error();
        drop(AsyncCalls([calls].into()));
        calls.count_error();
        assert_eq!(failures.errors(), 1);
    }

    #[test]
    fn counts_are_used_again_once_no_call_has_them() {
        let calls = |calls| AsyncCalls([calls].into());
        let take = || spare().take(1000, None);
        let (first, second) = (take(), take());
        assert!(first.counts.len() >= 1000 && !std::ptr::eq(first, second));
        // A call has not ended when its generation goes.
        first.count(999).store(1, Relaxed);
        drop((calls(first), calls(second)));
        let third = take();
        assert!(
            std::ptr::eq(third, second),
            "nothing refers to these counts"
        );
        let fourth = take();
        assert!(
            !std::ptr::eq(fourth, first),
            "a call refers to these counts"
        );
    }
}
