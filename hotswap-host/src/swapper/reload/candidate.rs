//! The plugins that the next generation is made of.
use crate::artifact::{
    Artifact, ArtifactError, BuildId, Deployed, Fingerprint, Metadata, read_source,
};
use crate::instance::Instance;
use crate::linked::LinkedCode;
use crate::load::Code;
use crate::swapper::report::Outcome;
use crate::swapper::stored_build::StoredBuild;
use crate::swapper::window::erase;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// A plugin of the generation to be made.
#[derive(Clone)]
pub(super) enum Candidate {
    /// The live instance has the same build.
    Same(Arc<Instance>),
    /// The live instance stays although the artifact has another build, because it is not reloadable.
    Stays(Arc<Instance>),
    /// The live instance stays if it can, because the plugin is optional and its new build failed.
    Kept {
        live: Arc<Instance>,
        /// The error of the new build.
        error: String,
    },
    /// The build has to be opened.
    New(Arc<Opening>),
}

/// A build that has to be opened.
pub(super) struct Opening {
    pub(super) artifact: Artifact,
    pub(super) code: Code,
    /// The metadata of the file that was read, or `None` for a plugin that is linked into the program.
    pub(super) read_from: Option<fs::Metadata>,
    /// The fingerprint of the file, or `None` if the file was changed so recently that another change could look the
    /// same.
    pub(super) fingerprint: Option<Fingerprint>,
    /// What the host's examiner has returned for a build from a file or a store.
    pub(super) evidence: Option<Vec<u8>>,
    /// Set if the build was deployed.
    pub(super) deployed: Option<Deployed>,
    /// The build that this one replaces.
    pub(super) replaces: Option<BuildId>,
    /// True if it is the live build, of which another instance is made.
    pub(super) restarts: bool,
}

impl Candidate {
    /// Returns the live instance, if it goes on.
    pub(super) fn live(&self) -> Option<&Arc<Instance>> {
        match self {
            Candidate::Same(live) | Candidate::Stays(live) | Candidate::Kept { live, .. } => {
                Some(live)
            }
            Candidate::New(_) => None,
        }
    }

    /// Returns the outcome for the plugin, unless it has to follow another.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Candidate::Same(_) => Outcome::Unchanged,
            Candidate::Stays(_) => Outcome::NotReloadable,
            Candidate::Kept { error, .. } => Outcome::Failed {
                error: error.clone(),
                stays: true,
            },
            Candidate::New(opening) => match opening.replaces {
                _ if opening.restarts => Outcome::Restarted,
                Some(from) => Outcome::Reloaded { from },
                None => Outcome::Loaded,
            },
        }
    }

    pub(super) fn metadata(&self) -> &Metadata {
        match self {
            Candidate::New(opening) => &opening.artifact.metadata,
            Candidate::Same(live) | Candidate::Stays(live) | Candidate::Kept { live, .. } => {
                live.metadata()
            }
        }
    }

    /// The bytes of a library that has to be opened.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Candidate::New(opening) => match &opening.code {
                Code::Library(bytes) => Some(bytes),
                Code::Linked(_) => None,
            },
            _ => None,
        }
    }

    /// What the host's examiner has returned for a library that has to be opened.
    pub(super) fn evidence(&self) -> Option<&[u8]> {
        match self {
            Candidate::New(opening) => opening.evidence.as_deref(),
            _ => None,
        }
    }

    /// Says whether the build was deployed.
    pub(super) fn deployed(&self) -> Option<Deployed> {
        match self {
            Candidate::New(opening) => opening.deployed,
            Candidate::Same(live) | Candidate::Stays(live) | Candidate::Kept { live, .. } => {
                live.deployed()
            }
        }
    }

    pub(super) fn build_id(&self) -> BuildId {
        match self {
            Candidate::New(opening) => opening.artifact.build_id,
            Candidate::Same(live) | Candidate::Stays(live) | Candidate::Kept { live, .. } => {
                live.build_id()
            }
        }
    }

    pub(super) fn file(&self) -> &Path {
        match self {
            Candidate::New(opening) => &opening.artifact.file,
            Candidate::Same(live) | Candidate::Stays(live) | Candidate::Kept { live, .. } => {
                live.file()
            }
        }
    }
}

impl Opening {
    /// Reads the artifact.
    ///
    /// # Errors
    /// The file cannot be read, or it is not a plugin.
    pub(super) fn read(file: &Path) -> Result<Self, ArtifactError> {
        Opening::read_as(file, |_| {})
    }

    /// Reads the artifact, with bytes that `change` has changed after they were read.
    fn read_as(file: &Path, change: impl FnOnce(&mut [u8])) -> Result<Self, ArtifactError> {
        let read_at = SystemTime::now();
        let mut source = read_source(file)?;
        change(&mut source.bytes);
        Ok(Opening {
            artifact: Artifact::from_bytes(file, &source.bytes)?,
            code: Code::Library(source.bytes),
            read_from: Some(source.file),
            fingerprint: source
                .fingerprint
                .is_settled(read_at)
                .then_some(source.fingerprint),
            evidence: None,
            deployed: None,
            replaces: None,
            restarts: false,
        })
    }

    /// Makes the candidate for a build from a store.
    ///
    /// # Errors
    /// It is not a plugin for this host.
    pub(super) fn stored(build: &StoredBuild) -> Result<Self, ArtifactError> {
        Ok(Opening {
            artifact: Artifact::from_bytes(&build.file, &build.bytes)?,
            code: Code::Library(build.bytes.clone()),
            read_from: None,
            fingerprint: None,
            evidence: None,
            deployed: build.deployed,
            replaces: None,
            restarts: false,
        })
    }

    /// Returns the bytes of the library. There are none for a plugin that is linked into the program.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self.code {
            Code::Library(bytes) => bytes,
            Code::Linked(_) => Vec::new(),
        }
    }

    /// Makes the candidate for a plugin that is linked into the program.
    pub(super) fn linked(artifact: Artifact, code: LinkedCode) -> Self {
        Opening {
            artifact,
            code: Code::Linked(code),
            read_from: None,
            fingerprint: None,
            evidence: None,
            deployed: None,
            replaces: None,
            restarts: false,
        }
    }

    /// Reads the build of an instance again, from its private copy, because the artifact may have another build by now.
    /// If the copy was removed, the artifact is used if it still has this build.
    ///
    /// # Errors
    /// Neither of them can be read.
    pub(super) fn again(instance: &Instance) -> Result<Self, ArtifactError> {
        let build_id = instance.build_id();
        let shim = instance.library().shim_range();
        let erase = |bytes: &mut [u8]| erase(bytes, &shim);
        let copy = Opening::read_as(instance.library().path(), erase).or_else(|gone| {
            let artifact = Opening::read(instance.file()).ok();
            let same = artifact.filter(|opening| opening.artifact.build_id == build_id);
            same.ok_or_else(|| gone.of(Some(instance.name())))
        })?;
        Ok(Opening {
            artifact: Artifact {
                file: instance.file().to_owned(),
                ..copy.artifact
            },
            fingerprint: instance.fingerprint(),
            deployed: instance.deployed(),
            ..copy
        })
    }
}
