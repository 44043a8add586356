//! The plan of a reload, its cause, and the change that its checks see.
use super::journal::StoredBuild;
use super::options::ReloadOptions;
use super::smoke::SmokeTests;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::generation::Generation;
use hotswap_plugin::boundary::{HookError, attempt};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// The changes of a reload besides those in the plugin directory.
pub(super) struct Plan {
    pub(super) add: Vec<PathBuf>,
    pub(super) remove: Vec<PluginName>,
    /// The only plugins to look at, if they are limited.
    pub(super) only: Option<BTreeSet<PluginName>>,
    /// The cause of the reload.
    pub(super) cause: Cause,
    pub(super) options: ReloadOptions,
    /// The smoke tests of the host for this reload only.
    pub(super) smoke: SmokeTests,
    /// The builds to take in place of those in the plugin directory.
    pub(super) builds: Option<Vec<StoredBuild>>,
    /// True if a set of builds that was reverted may become live again.
    pub(super) force: bool,
}

impl Plan {
    pub(super) fn new(options: ReloadOptions) -> Self {
        Plan {
            add: Vec::new(),
            remove: Vec::new(),
            only: None,
            cause: Cause::default(),
            options,
            smoke: SmokeTests::default(),
            builds: None,
            force: false,
        }
    }
}

pub(super) type Check<'s> = Box<dyn FnOnce(&Change<'_>) -> Result<(), String> + Send + 's>;

/// The cause of an attempt to make a generation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The host is opened, and this is its first generation.
    Open,
    /// The host's own code called [`Swapper::reload`](crate::Swapper::reload), `load`, or `unload`, or ran a
    /// [`Reload`](crate::Reload) that it had described.
    #[default]
    Code,
    /// `cargo hotswap reload`, or any other process, sent a signal that the host [listens
    /// for](crate::signal::reload_on).
    Signal {
        /// The number of the signal.
        signal: i32,
    },
    /// The rollback window of a reload has ended badly, or [`Swapper::rollback`](crate::Swapper::rollback) was called.
    Revert {
        /// The reason.
        reason: String,
    },
    /// A plugin called `Context::request_reload`.
    Plugin {
        /// The first plugin that asked.
        plugin: PluginName,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Open => f.write_str("the start of the host"),
            Cause::Code => f.write_str("the host's own code"),
            Cause::Signal { signal } => write!(f, "signal {signal}"),
            Cause::Revert { reason } => write!(f, "revert, because {reason}"),
            Cause::Plugin { plugin } => write!(f, "the plugin {plugin}"),
        }
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
    /// The live generation. When the host is opened, it has number 0 and no plugins.
    pub fn live(&self) -> &'a Generation {
        self.live
    }

    /// The generation that is about to become live.
    pub fn next(&self) -> &'a Generation {
        self.next
    }

    /// The cause of the reload.
    pub fn cause(&self) -> &'a Cause {
        self.cause
    }
}

/// Runs a check.
///
/// # Errors
/// The check refused the generation, or it panicked.
pub(super) fn run_check(
    check: impl FnOnce(&Change<'_>) -> Result<(), String>,
    change: &Change<'_>,
) -> Result<(), ReloadError> {
    let checked = attempt(|| check(change).map_err(Into::into));
    checked.map_err(|error| match error {
        HookError::Failed(text) => ReloadError::Vetoed(text),
        HookError::Panicked(text) => ReloadError::Vetoed(format!("the check panicked: {text}")),
    })
}
