//! The runtime that a plugin has of its own: the feature `tokio` of `hotswap-plugin`.
use hotswap_plugin::contract::PluginEntryRef;

/// What the host may ask of it, as long as the plugin's code is there.
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

    /// How many threads it has, where it can be stopped now; else 0.
    pub(crate) fn threads(self) -> usize {
        (self.threads)()
    }

    /// Shuts it down. Code of the plugin that runs later finds another one.
    pub(crate) fn stop(self) {
        (self.stop)();
    }
}
