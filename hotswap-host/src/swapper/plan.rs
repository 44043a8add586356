//! The plan of a reload, its cause, and the change that its checks see.
use super::cause::Cause;
use super::options::ReloadOptions;
use super::sent_manifest::SentManifest;
use super::smoke::SmokeTests;
use super::stored_build::StoredBuild;
use crate::base::name::PluginName;
use crate::error::ReloadError;
use crate::generation::Generation;
use hotswap_plugin::boundary::{HookError, attempt};
use std::collections::BTreeSet;
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
    /// The builds that take the place of the live builds of their plugins. Then nothing else changes.
    pub(super) deploy: Option<Vec<StoredBuild>>,
    /// The manifest that was sent with a deployment.
    pub(super) manifest: Option<SentManifest>,
    /// True if a set of builds that was reverted may become live again.
    pub(super) force: bool,
    /// True if plugins that are sticky may be replaced.
    pub(super) override_sticky: bool,
    /// The plugin of which another instance is made. Then nothing else changes.
    pub(super) restart: Option<Restart>,
}

/// A plugin of which another instance is made.
pub(super) struct Restart {
    pub(super) plugin: PluginName,
    /// True if the new instance receives the state.
    pub(super) with_state: bool,
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
            deploy: None,
            manifest: None,
            force: false,
            restart: None,
            override_sticky: false,
        }
    }
}

pub(super) type Check<'s> = Box<dyn FnOnce(&Change<'_>) -> Result<(), String> + Send + 's>;

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
