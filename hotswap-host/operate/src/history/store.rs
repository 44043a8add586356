//! The bytes of builds, in files that are named for their build ids.
use super::error::HistoryError;
use hotswap_host::artifact::{Artifact, BuildId};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A directory with a file for each build.
pub(super) struct Store(PathBuf);

impl Store {
    pub(super) fn open(dir: &Path) -> Result<Self, HistoryError> {
        fs::create_dir_all(dir).map_err(failed(dir, "made"))?;
        Ok(Store(dir.to_owned()))
    }

    pub(super) fn path(&self, build: BuildId) -> PathBuf {
        self.0.join(build.to_string())
    }

    /// Puts a build into the store, unless it is there. When this returns, it is on the disk.
    pub(super) fn put(&self, build: BuildId, bytes: &[u8]) -> Result<(), HistoryError> {
        let path = self.path(build);
        if fs::metadata(&path).is_ok_and(|there| there.len() == bytes.len() as u64) {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&self.0)?.sync_all()
        };
        write().map_err(failed(&path, "written"))
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
        let entries = fs::read_dir(&self.0).map_err(failed(&self.0, "read"))?;
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut builds: Vec<_> = names.filter_map(|name| name.parse().ok()).collect();
        builds.sort();
        Ok(builds)
    }

    /// Removes the builds that `keep` does not want.
    pub(super) fn retain(&self, keep: impl Fn(&BuildId) -> bool) -> Result<(), HistoryError> {
        let mut builds = self.builds()?.into_iter().filter(|build| !keep(build));
        builds.try_for_each(|build| {
            let path = self.path(build);
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
