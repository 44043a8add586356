//! The bytes of builds, in files that are named for their build ids, with the evidence of examiners beside them.
use super::directory;
use super::error::HistoryError;
use hotswap_host::artifact::{Artifact, BuildId};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The beginning of the names of files that are being written.
const UNFINISHED: &str = ".new-";

/// The end of the name of a file with evidence, after the build id.
const EVIDENCE: &str = ".evidence";

/// A directory with a file for each build.
pub(super) struct Store {
    dir: PathBuf,
    /// False while the directory may name a build that is not on the disk under that name.
    is_synced: AtomicBool,
}

impl Store {
    /// Opens the store for the process that has the lock of the directory above.
    pub(super) fn open(dir: &Path) -> Result<Self, HistoryError> {
        directory::make(dir).map_err(failed(dir, "made"))?;
        let store = Store {
            dir: dir.to_owned(),
            is_synced: AtomicBool::new(false),
        };
        // A process that was killed has left these, and may have ended before it has synced the directory.
        for name in store.names()? {
            if name.starts_with(UNFINISHED) {
                let path = dir.join(name);
                fs::remove_file(&path).map_err(failed(&path, "removed"))?;
            }
        }
        store.sync().map_err(failed(dir, "synced"))?;
        Ok(store)
    }

    pub(super) fn path(&self, build: BuildId) -> PathBuf {
        self.dir.join(build.to_string())
    }

    /// Returns once everything that the directory names is on the disk.
    fn sync(&self) -> io::Result<()> {
        if !self.is_synced.load(SeqCst) {
            directory::sync(&self.dir)?;
            self.is_synced.store(true, SeqCst);
        }
        Ok(())
    }

    fn evidence_path(&self, build: BuildId) -> PathBuf {
        self.dir.join(format!("{build}{EVIDENCE}"))
    }

    /// Puts a build into the store, with its evidence. When this returns, both are on the disk. If the same bytes are there,
    /// evidence that is there stays, unless there is newer one.
    pub(super) fn put(
        &self,
        build: BuildId,
        bytes: &[u8],
        evidence: Option<&[u8]>,
    ) -> Result<(), HistoryError> {
        let path = self.path(build);
        let is_there = fs::read(&path).is_ok_and(|there| there == bytes);
        let file = self.evidence_path(build);
        // The same build may come with another note. Evidence that covers the other note is removed first, and that of these
        // bytes comes last, so that a crash in between leaves a build without evidence, and not one with that of other bytes.
        let keeps = evidence.is_none() && is_there;
        if !keeps && self.evidence(build).as_deref() != evidence {
            let removed = match fs::remove_file(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed.and_then(|()| directory::sync(&self.dir)),
            };
            removed.map_err(failed(&file, "removed"))?;
        }
        if !is_there {
            self.write(&path, bytes).map_err(failed(&path, "written"))?;
        }
        if !is_there && evidence.is_some() {
            self.sync().map_err(failed(&path, "written"))?;
        }
        if let Some(evidence) = evidence.filter(|it| self.evidence(build).as_deref() != Some(*it)) {
            self.write(&file, evidence)
                .map_err(failed(&file, "written"))?;
        }
        self.sync().map_err(failed(&path, "written"))
    }

    /// Writes a file in one step. It is on the disk after the next [`sync`](Self::sync).
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut unfinished = tempfile::Builder::new();
        let mut file = unfinished.prefix(UNFINISHED).tempfile_in(&self.dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        self.is_synced.store(false, SeqCst);
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Returns the evidence of a build, if there is any. Whether it is damaged, only its examiner can tell.
    pub(super) fn evidence(&self, build: BuildId) -> Option<Vec<u8>> {
        fs::read(self.evidence_path(build)).ok()
    }

    /// Returns the bytes of a build, whose hash is checked.
    pub(super) fn get(&self, build: BuildId) -> Result<Vec<u8>, HistoryError> {
        let path = self.path(build);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(HistoryError::Gone {
                    build: build.to_string(),
                    there: self.builds()?,
                });
            }
            read => read.map_err(failed(&path, "read"))?,
        };
        if is_whole(&path, build, &bytes) {
            return Ok(bytes);
        }
        let others = self.builds()?.into_iter().filter(|other| *other != build);
        let whole = others.filter(|other| {
            let path = self.path(*other);
            fs::read(&path).is_ok_and(|bytes| is_whole(&path, *other, &bytes))
        });
        Err(HistoryError::Damaged {
            build,
            path,
            whole: whole.collect(),
        })
    }

    /// Returns all builds.
    pub(super) fn builds(&self) -> Result<Vec<BuildId>, HistoryError> {
        let names = self.names()?;
        let mut builds: Vec<_> = names.filter_map(|name| name.parse().ok()).collect();
        builds.sort();
        Ok(builds)
    }

    fn names(&self) -> Result<impl Iterator<Item = String>, HistoryError> {
        let entries = fs::read_dir(&self.dir).map_err(failed(&self.dir, "read"))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.filter_map(|name| name.into_string().ok()))
    }

    /// Removes the builds that `keep` does not want, and their evidence.
    pub(super) fn retain(&self, keep: impl Fn(&BuildId) -> bool) -> Result<(), HistoryError> {
        let is_unwanted = |name: &String| {
            let build = name.strip_suffix(EVIDENCE).unwrap_or(name).parse();
            build.is_ok_and(|build| !keep(&build))
        };
        let unwanted: Vec<_> = self.names()?.filter(is_unwanted).collect();
        unwanted.into_iter().try_for_each(|name| {
            let path = self.dir.join(name);
            fs::remove_file(&path).map_err(failed(&path, "removed"))
        })
    }
}

fn is_whole(path: &Path, build: BuildId, bytes: &[u8]) -> bool {
    Artifact::from_bytes(path, bytes).is_ok_and(|artifact| artifact.build_id == build)
}

fn failed(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> HistoryError {
    let path = path.to_owned();
    move |error| HistoryError::File {
        path,
        action,
        error,
    }
}
