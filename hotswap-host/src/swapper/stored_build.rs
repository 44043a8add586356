//! [`StoredBuild`], a build that comes from a store instead of a file.
use crate::artifact::Deployed;
use crate::base::name::PluginName;
use std::path::PathBuf;

/// A build whose bytes come from a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredBuild {
    /// The plugin.
    pub plugin: PluginName,
    /// The file that the build was loaded from at first. It may have another build by now, or be gone.
    pub file: PathBuf,
    /// The bytes of the build.
    pub bytes: Vec<u8>,
    /// What the host's [`Examiner`](crate::Examiner) returned when it saw these bytes, if the store has it.
    pub evidence: Option<Vec<u8>>,
    /// Set if the build was deployed.
    pub deployed: Option<Deployed>,
}

impl StoredBuild {
    /// Makes a build from its bytes.
    pub fn new(plugin: PluginName, file: PathBuf, bytes: Vec<u8>) -> Self {
        StoredBuild {
            plugin,
            file,
            bytes,
            evidence: None,
            deployed: None,
        }
    }

    /// Adds what an examiner has returned for the bytes.
    pub fn with_evidence(mut self, evidence: Option<Vec<u8>>) -> Self {
        self.evidence = evidence;
        self
    }

    /// Says whether the build was deployed, as [`TriedBuild::deployed`](crate::TriedBuild::deployed) has it.
    pub fn with_deployed(mut self, deployed: Option<Deployed>) -> Self {
        self.deployed = deployed;
        self
    }
}
