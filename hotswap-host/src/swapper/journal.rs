//! [`Journal`], by which something outside of the host's core remembers what the host runs.
use super::cause::Cause;
use super::frozen::Frozen;
use super::observe::ReloadEvent;
use super::options::ReloadOptions;
use super::stored_build::StoredBuild;
use super::stored_patches::StoredPatches;
use crate::artifact::{BuildId, BuildSet, Deployed};
use crate::base::name::PluginName;
use crate::error::ReloadError;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Remembers what a host runs beyond the end of the process, so that its next start is on builds that have proven
/// themselves.
///
/// The crate `hotswap-operate` has a journal in a directory. The host calls a journal while it makes a generation, one
/// call at a time, so it may be as slow as a disk.
///
/// The order of the calls is [`start`](Self::start), then for each attempt [`trying`](Self::trying) before any code of
/// the new builds runs, and [`event`](Self::event) for each step, for the outcome, and for the end of the rollback window.
/// A process that ends after `trying`, and before any of these events has decided the attempt, has died of it, for all
/// that is known.
pub trait Journal: Send + Sync {
    /// Returns what the host starts with, or `None` if it has never run, and starts with its plugin directory.
    ///
    /// # Errors
    /// The journal cannot be read. The host does not start.
    fn start(&self) -> Result<Option<Start>, JournalError>;

    /// The builds that `start` has returned do not run in this host. It starts with its plugin directory.
    ///
    /// # Errors
    /// The journal cannot be written. The host does not start.
    fn misfit(&self, reason: &str) -> Result<(), JournalError>;

    /// Keeps the builds of a set that is about to be staged, and notes that it was tried. When this returns, both have to
    /// be on the disk.
    ///
    /// # Errors
    /// The journal cannot be written. The reload is refused.
    fn trying(&self, trial: &Trial<'_>) -> Result<(), JournalError>;

    /// Notes an event. This cannot fail, because the event has happened.
    fn event(&self, event: &ReloadEvent<'_>);

    /// Returns the bytes of a build that was tried before, if the journal still has them and they are whole. A plugin that
    /// is [kept cold](crate::Keep::Cold) is made again from them.
    fn build(&self, plugin: &PluginName, build: BuildId) -> Option<Vec<u8>> {
        let _ = (plugin, build);
        None
    }

    /// Keeps the bytes of a build that gives way to an older one, because live data may be left that it has saved, until
    /// [`drop_data_build`](Self::drop_data_build). The next start returns it in [`Start::data_builds`].
    ///
    /// # Errors
    /// The journal cannot be written. The host goes on.
    fn keep_data_build(
        &self,
        plugin: &PluginName,
        file: &Path,
        build: BuildId,
    ) -> Result<(), JournalError> {
        let _ = (plugin, file, build);
        Ok(())
    }

    /// No live data of this build is left, or others understand it, or the operator has dropped it.
    ///
    /// # Errors
    /// The journal cannot be written. The host goes on.
    fn drop_data_build(&self, build: BuildId) -> Result<(), JournalError> {
        let _ = build;
        Ok(())
    }

    /// The host refuses all changes from now on, or none any more. The next start returns it in [`Start::frozen`].
    ///
    /// # Errors
    /// The journal cannot be written. The host stays as it is.
    fn freeze(&self, frozen: Option<&Frozen>) -> Result<(), JournalError> {
        let _ = frozen;
        Ok(())
    }

    /// The next start is to apply these patches, and returns them in [`Start::patches`]. With `provisional`, they are on trial
    /// with the attempt whose [event](Self::event) comes next, or whose rollback window is open: they take the place of the
    /// earlier ones when the window has closed as [permanent](crate::WindowOutcome::Permanent), and are forgotten after any
    /// other outcome but [`Superseded`](crate::WindowOutcome::Superseded), and when the process ends before. If they are not
    /// provisional, they do so at once. When this returns, they have to be on the disk.
    ///
    /// # Errors
    /// The journal cannot be written. The patch is refused.
    fn keep_patches(&self, patches: &StoredPatches, provisional: bool) -> Result<(), JournalError> {
        let _ = (patches, provisional);
        Ok(())
    }

    /// The host ends in an orderly way.
    fn shut_down(&self);
}

/// The error of a journal. It says what failed, on which file, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JournalError(pub Box<dyn std::error::Error + Send + Sync>);

/// What a host starts with.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Start {
    /// The builds of the permanent set.
    pub builds: Vec<StoredBuild>,
    /// The plugins that were added one by one, with their files.
    pub added: BTreeMap<PluginName, PathBuf>,
    /// The plugins that were taken out.
    pub removed: Vec<PluginName>,
    /// The sets that were reverted, with the reasons.
    pub held: Vec<(BuildSet, String)>,
    /// The set that was tried last.
    pub tried: Option<BuildSet>,
    /// Set if the host was frozen when it ended. It starts on its permanent builds and stays frozen.
    pub frozen: Option<Frozen>,
    /// The builds that gave way to older ones, and may have saved live data that is left.
    pub data_builds: Vec<StoredBuild>,
    /// The patches that are permanent.
    pub patches: StoredPatches,
}

/// A set of builds that is tried.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trial<'a> {
    /// The number of the attempt.
    pub attempt: u64,
    /// The cause of the attempt.
    pub cause: &'a Cause,
    /// The options of the attempt.
    pub options: &'a ReloadOptions,
    /// The builds that are live.
    pub from: BuildSet,
    /// The builds of the next generation.
    pub builds: Vec<TriedBuild<'a>>,
    /// The plugins that stay part of later generations although they are not in the plugin directory.
    pub added: BTreeMap<PluginName, PathBuf>,
    /// The plugins that stay out of later generations.
    pub removed: Vec<PluginName>,
    /// True if the operator has gone back to builds of an earlier time. They become permanent with the switch.
    pub is_rollback: bool,
}

/// A build of a set that is tried.
#[derive(Debug)]
#[non_exhaustive]
pub struct TriedBuild<'a> {
    /// The plugin.
    pub plugin: &'a PluginName,
    /// The file that it was loaded from.
    pub file: &'a Path,
    /// Its build id.
    pub build_id: BuildId,
    /// Its bytes, or `None` if the build is live, and the journal has it.
    pub bytes: Option<&'a [u8]>,
    /// What the host's [`Examiner`](crate::Examiner) has returned for these bytes. The journal keeps it with them, and gives
    /// it back in [`StoredBuild::evidence`]. `None` changes nothing about evidence that the journal has for the same bytes.
    pub evidence: Option<&'a [u8]>,
    /// Set if the build was deployed. The journal gives it back in [`StoredBuild::deployed`].
    pub deployed: Option<Deployed>,
}

impl Trial<'_> {
    /// The builds of the next generation, by plugin.
    pub fn set(&self) -> BuildSet {
        let builds = self.builds.iter();
        builds.map(|b| (b.plugin.clone(), b.build_id)).collect()
    }
}

impl From<JournalError> for ReloadError {
    fn from(error: JournalError) -> Self {
        ReloadError::Journal(error.0)
    }
}
