//! [`Examiner`], which sees the bytes of each build before the host loads them, and may refuse it.
use super::sent_manifest::SentManifest;
use super::stored_build::StoredBuild;
use crate::artifact::{Artifact, BuildId, BuildSet};
use crate::base::name::PluginName;
use crate::error::{PluginErrorKind, ReloadError};
use crate::telemetry::caught;
use std::path::Path;
use std::sync::Arc;

/// Examines each build before the host loads it, and may refuse it.
///
/// The crate `hotswap-signature` has an examiner that requires signatures. A host has one with
/// [`Builder::examiner`](crate::Builder::examiner):
///
/// ```no_run
/// use hotswap_host::{ExaminedBuild, Examiner, Refusal, Swapper};
///
/// /// Loads nothing that was not reviewed.
/// struct Reviewed(Vec<String>);
///
/// impl Examiner for Reviewed {
///     fn examine(&self, build: &ExaminedBuild<'_>) -> Result<Option<Vec<u8>>, Refusal> {
///         match self.0.contains(&build.build_id.to_string()) {
///             true => Ok(None),
///             false => Err("it was not reviewed; add it to the list".into()),
///         }
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reviewed = std::fs::read_to_string("/etc/shop/reviewed")?;
/// let reviewed = Reviewed(reviewed.lines().map(str::to_owned).collect());
/// let swapper = Swapper::builder().examiner(reviewed).open()?;
/// # Ok(())
/// # }
/// ```
///
/// The host has read the file once. What the examiner sees is what is loaded, and what a probe and the journal get,
/// whatever happens to the file meanwhile. No code of the build has run.
///
/// These are not examined: plugins that are linked into the program; builds that the host has loaded before in this process,
/// to which a rollback window returns, or of which another instance is made; and builds whose live instances stay.
pub trait Examiner: Send + Sync {
    /// Examines a build. Returns evidence, which a [journal](crate::Journal) keeps with the bytes, and which comes back in
    /// [`ExaminedBuild::evidence`] when the build is loaded from there.
    ///
    /// # Errors
    /// The reason why the build may not be loaded: half a sentence, and what to do. The reload fails with
    /// [`PluginErrorKind::Refused`]. A panic refuses the build as well.
    fn examine(&self, build: &ExaminedBuild<'_>) -> Result<Option<Vec<u8>>, Refusal>;

    /// Examines a set of builds as a whole, each of which was examined, or is live. By default, any set may become live.
    ///
    /// It is asked about sets from files and about deployed ones, before anything of them is loaded. It is not asked about the builds with which a
    /// journal starts a host, about those to which the host goes back, about sets that are live already, and about plugins
    /// that are linked into the program.
    ///
    /// # Errors
    /// The reason why the set may not become live. The reload fails with [`ReloadError::SetRefused`].
    fn accept(&self, set: &ExaminedSet<'_>) -> Result<(), Refusal> {
        let _ = set;
        Ok(())
    }
}

/// The reason why an [`Examiner`] refuses a build.
pub type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// A build that is about to be loaded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExaminedBuild<'a> {
    /// The plugin.
    pub plugin: &'a PluginName,
    /// The file that the build is or was loaded from. A build from a journal has the path that it had at first, where there
    /// may be another file by now, or none.
    pub file: &'a Path,
    /// The build id.
    pub build_id: BuildId,
    /// All bytes of the file, with the note.
    pub bytes: &'a [u8],
    /// The place that the bytes come from.
    pub origin: BuildOrigin,
    /// The evidence that was kept with a build from a journal, or sent with a deployed one.
    pub evidence: Option<&'a [u8]>,
}

/// A set of builds that is about to become live.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ExaminedSet<'a> {
    /// All builds of the next generation, by plugin.
    pub builds: &'a BuildSet,
    /// True if nothing becomes live, because somebody only asks what would: [`Reload::validate`](crate::Reload::validate).
    pub is_dry_run: bool,
    /// The manifest that was sent with a deployment.
    pub manifest: Option<&'a SentManifest>,
}

/// The place that the bytes of a build come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildOrigin {
    /// A file: in the plugin directory, or one that was named in a request.
    File,
    /// Somebody has sent it: [`Reload::deploy`](crate::Reload::deploy). There is no file, and what was sent with it is the
    /// [evidence](ExaminedBuild::evidence).
    Deployed,
    /// The journal, from which the host starts with the builds that were permanent when it ended.
    Start,
    /// The journal, or the host's own code, which goes back to a build that was live before:
    /// [`Reload::builds`](crate::Reload::builds).
    Earlier,
}

/// The examiner of a host, if it has one.
#[derive(Clone, Default)]
pub(super) struct Examination(Option<Arc<dyn Examiner>>);

impl Examination {
    pub(super) fn by(examiner: impl Examiner + 'static) -> Self {
        Examination(Some(Arc::new(examiner)))
    }

    /// Examines a build from a file. Returns the evidence.
    ///
    /// # Errors
    /// It is refused.
    pub(super) fn of_file(
        &self,
        artifact: &Artifact,
        bytes: &[u8],
    ) -> Result<Option<Vec<u8>>, ReloadError> {
        self.examine(artifact, bytes, BuildOrigin::File, None)
    }

    /// Examines a build from a store. Returns the evidence.
    ///
    /// # Errors
    /// It is refused.
    pub(super) fn of_stored(
        &self,
        artifact: &Artifact,
        build: &StoredBuild,
        origin: BuildOrigin,
    ) -> Result<Option<Vec<u8>>, ReloadError> {
        self.examine(artifact, &build.bytes, origin, build.evidence.as_deref())
    }

    /// Examines the set of a next generation whose builds are from files.
    ///
    /// # Errors
    /// It is refused.
    pub(super) fn accept(&self, set: &ExaminedSet<'_>) -> Result<(), ReloadError> {
        let Some(examiner) = &self.0 else {
            return Ok(());
        };
        let accepted = caught(|| examiner.accept(set));
        let accepted = accepted
            .unwrap_or_else(|message| Err(format!("the examiner panicked: {message}").into()));
        accepted.map_err(ReloadError::SetRefused)
    }

    /// True if the host has an examiner.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    fn examine(
        &self,
        artifact: &Artifact,
        bytes: &[u8],
        origin: BuildOrigin,
        evidence: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, ReloadError> {
        let Some(examiner) = &self.0 else {
            // A later host may examine the build.
            return Ok(evidence.map(<[u8]>::to_vec));
        };
        let plugin = &artifact.metadata.name;
        let build = ExaminedBuild {
            plugin,
            file: &artifact.file,
            build_id: artifact.build_id,
            bytes,
            origin,
            evidence,
        };
        let examined = caught(|| examiner.examine(&build));
        let examined = examined
            .unwrap_or_else(|message| Err(format!("the examiner panicked: {message}").into()));
        examined.map_err(|reason| {
            let refused = PluginErrorKind::Refused(reason);
            ReloadError::Plugin(refused.of(plugin, &artifact.file))
        })
    }
}
