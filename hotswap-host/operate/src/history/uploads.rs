//! Builds that somebody has sent, and that were not deployed yet.
use super::History;
use super::error::HistoryError;
use super::store::Store;
use hotswap_host::artifact::{Artifact, BuildId};
use hotswap_host::{PluginName, StoredBuild};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time for which an uploaded build waits for its deployment.
const KEPT: Duration = Duration::from_secs(3600);
/// The number of builds that wait.
const MOST: usize = 64;

/// The uploaded builds that wait for their deployment. They have a store of their own: what somebody has sent replaces
/// neither the bytes nor the evidence of a build that the host has run, until the host has examined and tried it.
pub(super) struct Uploads {
    dir: PathBuf,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The store, once there was an upload.
    store: Option<Store>,
    builds: BTreeMap<BuildId, Instant>,
}

/// A build that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// The plugin, as the build names itself.
    pub plugin: PluginName,
    /// The build.
    pub build: BuildId,
}

impl Uploads {
    /// Opens the store for the process that has the lock of the directory above. What an earlier process has left is
    /// removed.
    pub(super) fn open(dir: PathBuf) -> Result<Self, HistoryError> {
        let store = dir.is_dir().then(|| Store::open(&dir)).transpose()?;
        let uploads = Uploads {
            dir,
            waiting: Mutex::new(Waiting {
                store,
                builds: BTreeMap::new(),
            }),
        };
        uploads.collect()?;
        Ok(uploads)
    }

    /// Removes the builds that do not wait any more.
    pub(super) fn collect(&self) -> Result<(), HistoryError> {
        let waiting = self.waiting();
        let builds = &waiting.builds;
        let store = waiting.store.as_ref();
        store.map_or(Ok(()), |store| {
            store.retain(|build| builds.contains_key(build))
        })
    }

    /// Returns those that still wait.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.builds.retain(|_, at| at.elapsed() < KEPT);
        waiting
    }

    fn add(
        &self,
        build: BuildId,
        bytes: &[u8],
        evidence: Option<&[u8]>,
    ) -> Result<(), HistoryError> {
        let mut waiting = self.waiting();
        let Waiting { store, builds } = &mut *waiting;
        if builds.len() >= MOST && !builds.contains_key(&build) {
            return Err(HistoryError::TooManyUploads { most: MOST });
        }
        let store = match store {
            Some(store) => store,
            None => store.insert(Store::open(&self.dir)?),
        };
        if evidence.is_none() {
            // What an earlier upload has brought along does not count for this one.
            store.retain(|there| *there != build)?;
        }
        store.put(build, bytes, evidence)?;
        builds.insert(build, Instant::now());
        Ok(())
    }

    /// Returns the bytes of a build, and its evidence.
    fn get(&self, build: BuildId) -> Result<(Vec<u8>, Option<Vec<u8>>), HistoryError> {
        let waiting = self.waiting();
        match &waiting.store {
            Some(store) if waiting.builds.contains_key(&build) => {
                Ok((store.get(build)?, store.evidence(build)))
            }
            _ => Err(HistoryError::NotUploaded { build }),
        }
    }
}

impl History {
    /// Keeps a build for a deployment, for which [`uploaded`](Self::uploaded) takes it. The bytes have to be a plugin for this
    /// host; none of their code runs. `evidence` is what the host's [`Examiner`](hotswap_host::Examiner) gets to see with
    /// them, such as the text of a signature. `name` is for errors.
    ///
    /// The build is kept for an hour, or until the host ends. Once it is deployed, the store has it with the others.
    ///
    /// # Errors
    /// The bytes are no plugin for this host, too many builds wait, or the build cannot be written.
    pub fn upload(
        &self,
        name: &str,
        bytes: &[u8],
        evidence: Option<&[u8]>,
    ) -> Result<Upload, HistoryError> {
        let artifact = Artifact::from_bytes(Path::new(name), bytes)?;
        self.uploads.add(artifact.build_id, bytes, evidence)?;
        Ok(Upload {
            plugin: artifact.metadata.name,
            build: artifact.build_id,
        })
    }

    /// Returns builds that were uploaded, for a [deployment](hotswap_host::Reload::deploy).
    ///
    /// # Errors
    /// One of them was not uploaded in the last hour, or it is damaged.
    pub fn uploaded(&self, builds: &[BuildId]) -> Result<Vec<StoredBuild>, HistoryError> {
        let read = |build: &BuildId| {
            let (bytes, evidence) = self.uploads.get(*build)?;
            // The file has the build once it is tried.
            let file = self.store.path(*build);
            let plugin = Artifact::from_bytes(&file, &bytes)?.metadata.name;
            Ok(StoredBuild::new(plugin, file, bytes).with_evidence(evidence))
        };
        builds.iter().map(read).collect()
    }
}
