//! The errors of a health monitor's settings.
use hotswap_host::PluginName;

/// The reason why a health monitor cannot be started or changed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// Options contradict each other.
    #[error("the health options of {of} cannot be used: {problem}")]
    Options {
        /// What they are for.
        of: String,
        /// The contradiction, and what to write instead.
        problem: String,
    },
    /// A recovery cannot be carried out, or would flap.
    #[error("the recovery of {of} cannot be used: {problem}")]
    Recovery {
        /// What it is for.
        of: String,
        /// The problem, and what to write instead.
        problem: String,
    },
    /// There are two checks of one name.
    #[error("{of} already has a health check {check:?}; give this one another name")]
    Twice {
        /// What the check is for.
        of: String,
        /// The name.
        check: String,
    },
    /// The plugin is not loaded.
    #[error(
        "no plugin {plugin} is loaded, so there is no health to watch; {}",
        loaded(loaded_plugins)
    )]
    NotLoaded {
        /// The plugin.
        plugin: PluginName,
        /// The plugins that are loaded.
        loaded_plugins: Vec<PluginName>,
    },
    /// All swappers of the host are gone.
    #[error("the host has ended, and so has its health monitor")]
    Ended,
    /// The thread of the monitor could not be started.
    #[error("the thread of the health monitor could not be started: {0}")]
    Thread(std::io::Error),
}

fn loaded(plugins: &[PluginName]) -> String {
    let names: Vec<_> = plugins.iter().map(PluginName::as_str).collect();
    match names.is_empty() {
        true => "none is loaded".into(),
        false => format!("write one of {}", names.join(", ")),
    }
}
