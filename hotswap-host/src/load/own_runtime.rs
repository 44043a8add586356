//! The runtime that a plugin has for itself: the feature `tokio` of `hotswap-plugin`.
use hotswap_plugin::contract::PluginEntryRef;

/// The functions by which the host asks for the runtime. They may be called while the plugin's code is mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnRuntime {
    threads: extern "C" fn() -> usize,
    stop: extern "C" fn(),
}

impl OwnRuntime {
    pub(crate) fn of(entry: PluginEntryRef) -> Self {
        OwnRuntime {
            threads: entry.runtime_threads(),
            stop: entry.stop_runtime(),
        }
    }

    /// Returns the number of threads of the runtime if it can be stopped now, and 0 otherwise.
    pub(crate) fn threads(self) -> usize {
        (self.threads)()
    }

    /// Shuts the runtime down. Code of the plugin that runs later makes another one.
    pub(crate) fn stop(self) {
        (self.stop)();
    }
}
