//! A short word for the reason of an error, by which failures are counted.
use super::ReloadError;
use crate::error::{PluginError, PluginErrorKind};

impl ReloadError {
    /// Returns a word for the kind of the reason, such as `hook` or `smoke`, by which failures can be counted. There are few of
    /// them, and the same error always has the same one.
    ///
    /// | word | meaning |
    /// |---|---|
    /// | `files` | the plugin directory or an artifact cannot be used, or a plugin is missing |
    /// | `fit` | a plugin does not fit the host or another plugin |
    /// | `refused` | the host's examiner does not let a build be loaded, or a set become live |
    /// | `hook` | a hook failed, panicked, or took too long |
    /// | `handle` | the host holds a handle that would find nothing |
    /// | `patch` | a patch or a mock does not fit the new build |
    /// | `breaking` | the dry run found what the options refuse |
    /// | `sources` | tests or lints of the sources failed |
    /// | `probe` | the child process found an error, or has crashed |
    /// | `smoke` | a smoke test of the host failed |
    /// | `check` | a check of the host refused the new set |
    /// | `hand_over` | the state could not be handed over |
    /// | `drain` | calls have not ended in time |
    /// | `held` | the set was reverted before |
    /// | `frozen` | the host refuses all changes |
    /// | `window` | a rollback window is open |
    /// | `keep` | what was to be kept for a rollback cannot be |
    /// | `revert` | a reload could not be reverted |
    /// | `journal` | the journal cannot be used |
    /// | `resources` | the machine is short of threads or descriptors |
    /// | `host` | the host itself panicked |
    /// | `request` | the request was not possible at this time or place |
    pub fn reason(&self) -> &'static str {
        match self {
            ReloadError::Find(_)
            | ReloadError::Artifact(_)
            | ReloadError::Copy(_)
            | ReloadError::Runtime(_)
            | ReloadError::NoPluginDir { .. }
            | ReloadError::RelativePath { .. }
            | ReloadError::Duplicate { .. }
            | ReloadError::LinkedDuplicate { .. }
            | ReloadError::NotLinked { .. }
            | ReloadError::Missing { .. }
            | ReloadError::Empty { .. } => "files",
            ReloadError::Hook(_)
            | ReloadError::Plugin(PluginError {
                kind: PluginErrorKind::HookTimeout { .. },
                ..
            }) => "hook",
            ReloadError::Plugin(PluginError {
                kind: PluginErrorKind::Refused(_),
                ..
            })
            | ReloadError::SetRefused(_) => "refused",
            ReloadError::Plugin(_)
            | ReloadError::LiveDuplicate { .. }
            | ReloadError::Cycle { .. }
            | ReloadError::InUse { .. } => "fit",
            ReloadError::Needed { failure, .. } => failure.reason(),
            ReloadError::Handle { .. } => "handle",
            ReloadError::Patch { .. }
            | ReloadError::PatchPlugin { .. }
            | ReloadError::Mock { .. } => "patch",
            ReloadError::Breaking { .. } => "breaking",
            ReloadError::Sources { .. } => "sources",
            ReloadError::Probe { .. } | ReloadError::CannotProbe => "probe",
            ReloadError::Smoke { .. } => "smoke",
            ReloadError::Vetoed(_) | ReloadError::Prefill(_) => "check",
            ReloadError::HandOver { .. } => "hand_over",
            ReloadError::Drain { .. } => "drain",
            ReloadError::Held { .. } => "held",
            ReloadError::Frozen { .. } => "frozen",
            ReloadError::SignalsOff => "signals",
            ReloadError::WindowOpen { .. } | ReloadError::Deferred { .. } => "window",
            ReloadError::KeepImporter { .. } | ReloadError::KeptState { .. } => "keep",
            ReloadError::NotReverted { .. } => "revert",
            ReloadError::Journal(_) => "journal",
            ReloadError::Thread(_) | ReloadError::Descriptor(_) => "resources",
            ReloadError::Panicked { .. } => "host",
            ReloadError::Static { .. }
            | ReloadError::Sticky { .. }
            | ReloadError::LinkedTwice
            | ReloadError::NotAllowed { .. }
            | ReloadError::Unknown { .. }
            | ReloadError::NotLoaded { .. }
            | ReloadError::Overtaken { .. }
            | ReloadError::NoWindow
            | ReloadError::Reentrant(_)
            | ReloadError::HostAborts
            | ReloadError::InPlugin
            | ReloadError::ShutDown
            | ReloadError::Busy { .. }
            | ReloadError::Forked => "request",
        }
    }
}
