//! A plugin whose library is open, connected, and checked, before it has an instance.
use super::library::Library;
use super::mapped::Tables;
use crate::artifact::{BuildId, Deployed, Fingerprint, Metadata, Note};
use crate::base::name::PluginName;
use crate::error::{Hook, HookFailure};
use crate::hook_thread;
use crate::linked::Claim;
use crate::reclaim::slot::CallTarget;
use hotswap_plugin::boundary::{HookError, Sink, Status, collect};
use hotswap_plugin::contract::LiveDesc;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// A library whose layout and contract have been checked, before an instance is made.
pub(crate) struct Loaded {
    pub(crate) library: Arc<Library>,
    pub(crate) tables: Tables,
    /// The live functions and types.
    pub(crate) live: Vec<LiveDesc>,
    pub(crate) name: PluginName,
    pub(crate) metadata: Metadata,
    pub(crate) file: PathBuf,
    pub(crate) build_id: BuildId,
    pub(crate) note: Option<Note>,
    /// The state of the artifact's file when it was known to hold this build, or `None` while a later change could look
    /// the same.
    pub(crate) fingerprint: Mutex<Option<Fingerprint>>,
    pub(crate) loaded_at: SystemTime,
    /// Set if the build was deployed.
    pub(crate) deployed: Option<Deployed>,
    /// The answer of the hook `reloadable`.
    pub(crate) is_reloadable: bool,
    /// The target of calls of the plugin. It is the same for all builds of the plugin.
    pub(crate) call_target: CallTarget,
    /// The claim of a plugin that is linked into the program, which keeps other swappers from opening linked plugins
    /// meanwhile.
    pub(crate) _claim: Option<Arc<Claim>>,
}

impl Loaded {
    /// Runs a hook, whose errors and panics come through the sink.
    ///
    /// # Errors
    /// The hook returned an error or panicked.
    pub(crate) fn run(
        &self,
        hook: Hook,
        call: impl FnOnce(Sink) -> Status,
    ) -> Result<(), HookFailure> {
        self.during(hook, || collect(call))?
            .map_err(|error| match error {
                HookError::Failed(text) => self.failure(hook, false, text),
                HookError::Panicked(text) => self.failure(hook, true, text),
            })
    }

    /// Runs code of the plugin as this hook.
    ///
    /// # Errors
    /// The hook has not begun, because an earlier one took too long.
    pub(crate) fn during<R>(&self, hook: Hook, run: impl FnOnce() -> R) -> Result<R, HookFailure> {
        let begun = hook_thread::begin(&self.library, &self.name, &self.file, hook);
        let _running = begun.map_err(|hook_thread::GivenUp| {
            let message = "not begun, because an earlier hook took too long";
            self.failure(hook, false, message.into())
        })?;
        Ok(run())
    }

    /// Returns the failure of a hook of this plugin.
    pub(crate) fn failure(&self, hook: Hook, panicked: bool, message: String) -> HookFailure {
        HookFailure {
            plugin: self.name.clone(),
            file: self.file.clone(),
            hook,
            panicked,
            message,
        }
    }
}
