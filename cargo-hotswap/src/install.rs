//! Puts artifacts into the directory a host loads them from, so that it never sees half of one.
//!
//! One builder at a time works in a directory, under a lock the system takes back when a builder dies. A file is
//! written beside its target under a name no host looks at, and renamed. So a temporary file that is there when the
//! lock is free belongs to a builder that was killed, and the next one removes it.

use std::ffi::OsString;
use std::fs::{File, Permissions, TryLockError};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use hotswap_host::artifact::{Artifact, BuildId};

use crate::Error;
use crate::error::io;
use crate::session::Session;

/// The lock of a directory artifacts are put into. In it stands the root of the workspace whose directory that is.
pub(crate) const OUT_LOCK: &str = ".hotswap-lock";
/// The lock of a target directory, held from a compilation until its output is installed.
pub(crate) const BUILD_LOCK: &str = ".hotswap-build-lock";
const TEMP_PREFIX: &str = ".hotswap-";
const TEMP_SUFFIX: &str = ".tmp";

/// A directory that nobody else builds into while this lives.
#[derive(Debug)]
pub(crate) struct Locked {
    path: PathBuf,
    /// Whether temporary files stay when something fails.
    keep_temps: bool,
    /// Closing it gives the lock back.
    lock: File,
}

/// `directory`, or another beside it where that belongs to another workspace: several may share a target directory.
/// The other one is kept even when the first is free, since a host may be loading from there.
pub(crate) fn of_workspace(directory: PathBuf, root: &Path) -> PathBuf {
    let id = BuildId::of(root.as_os_str().as_bytes());
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{}", id.short()));
    let other = directory.with_file_name(name);
    let is_taken = || {
        let owner = owner(&directory).filter(|owner| owner != root);
        owner.is_some_and(|owner| owner.join("Cargo.toml").is_file())
    };
    if other.is_dir() || is_taken() {
        other
    } else {
        directory
    }
}

/// The root of the workspace that `directory` belongs to, if one has claimed it.
fn owner(directory: &Path) -> Option<PathBuf> {
    let root = std::fs::read(directory.join(OUT_LOCK)).ok()?;
    (!root.is_empty()).then(|| OsString::from_vec(root).into())
}

/// What installing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installed {
    /// The file is new or has another content.
    Written,
    /// The same content was there already; the file was not touched.
    Unchanged,
}

impl Locked {
    /// Makes the directory where it is missing, and waits for the lock.
    pub(crate) fn wait(
        session: &Session,
        path: &Path,
        lock: &str,
        keep_temps: bool,
    ) -> Result<Self, Error> {
        std::fs::create_dir_all(path).map_err(io("create", path))?;
        let name = path.join(lock);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(io("open", &name))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                session.ui.info(
                    "Blocking",
                    format_args!("waiting for another build in {}", path.display()),
                );
                // In steps, so that an interruption is noticed.
                while matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                    session.interrupt.check()?;
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
            }
            Err(TryLockError::Error(source)) => return Err(io("lock", &name)(source)),
        }
        Ok(Self {
            path: path.to_owned(),
            keep_temps,
            lock,
        })
    }

    /// Writes down that the directory belongs to the workspace `root`.
    pub(crate) fn claim(&self, root: &Path) -> Result<(), Error> {
        if owner(&self.path).as_deref() == Some(root) {
            return Ok(());
        }
        let name = self.path.join(OUT_LOCK);
        let write = || {
            self.lock.set_len(0)?;
            self.lock.write_all_at(root.as_os_str().as_bytes(), 0)
        };
        write().map_err(io("write", &name))
    }

    /// Removes what killed builders left.
    pub(crate) fn remove_stale(&self) -> Result<(), Error> {
        if self.keep_temps {
            return Ok(());
        }
        for name in self.names()? {
            if name.starts_with(TEMP_PREFIX) && name.ends_with(TEMP_SUFFIX) {
                let path = self.path.join(name);
                std::fs::remove_file(&path).map_err(io("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Where `name` is or will be.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Gives the file `name` the content `bytes`, in one step.
    pub(crate) fn install(
        &self,
        session: &Session,
        name: &str,
        bytes: &[u8],
        permissions: Permissions,
    ) -> Result<Installed, Error> {
        let target = self.file(name);
        if same_content(&target, bytes) {
            return Ok(Installed::Unchanged);
        }
        put(session, &target, bytes, permissions, self.keep_temps)?;
        Ok(Installed::Written)
    }

    /// Removes the artifacts this command put here that are not among `names`, and returns their names.
    pub(crate) fn remove_others(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let mut removed = vec![];
        for name in self.names()? {
            if name.starts_with('.')
                || !name.ends_with(std::env::consts::DLL_SUFFIX)
                || names.contains(&name)
            {
                continue;
            }
            let path = self.file(&name);
            // Only what carries a note was put here by us.
            if Artifact::read(&path).is_ok_and(|artifact| artifact.note.is_some()) {
                std::fs::remove_file(&path).map_err(io("remove", &path))?;
                removed.push(name);
            }
        }
        Ok(removed)
    }

    /// Removes the files whose names end so and are not `wanted`.
    pub(crate) fn remove_others_with(
        &self,
        suffix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let names = self.names()?.into_iter();
        for name in names.filter(|name| name.ends_with(suffix) && !wanted(name)) {
            let path = self.file(&name);
            std::fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        Ok(())
    }

    /// Removes the files whose names are `wanted`, and the lock, which nobody else may be waiting for any more. Returns the
    /// names of the files.
    pub(crate) fn remove(self, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
        let mut removed = self.names()?;
        removed.retain(|name| wanted(name) && self.file(name).is_file());
        for path in removed.iter().map(|name| self.file(name)) {
            std::fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        let lock = self.file(OUT_LOCK);
        std::fs::remove_file(&lock).map_err(io("remove", &lock))?;
        Ok(removed)
    }

    /// The names of the files here, in order; those that are not text are not ours.
    fn names(&self) -> Result<Vec<String>, Error> {
        let entries = std::fs::read_dir(&self.path).map_err(io("read", &self.path))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }
}

/// Gives a file that is there another content, in one step.
pub(crate) fn replace(session: &Session, target: &Path, bytes: &[u8]) -> Result<(), Error> {
    // Of a link, the file behind it is replaced.
    let target = target.canonicalize().map_err(io("find", target))?;
    let found = target.metadata().map_err(io("read", &target))?;
    put(session, &target, bytes, found.permissions(), false)
}

/// Writes a file beside its target, and renames it.
fn put(
    session: &Session,
    target: &Path,
    bytes: &[u8],
    permissions: Permissions,
    keep_temps: bool,
) -> Result<(), Error> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let directory = target.parent().unwrap_or(Path::new("/"));
    let temp = tempfile::Builder::new()
        .prefix(&format!("{TEMP_PREFIX}{name}-"))
        .suffix(TEMP_SUFFIX)
        .disable_cleanup(keep_temps)
        .tempfile_in(directory)
        .map_err(io("write into", directory))?;
    let mut file = temp.as_file();
    for part in bytes.chunks(1 << 20) {
        session.interrupt.check()?;
        file.write_all(part).map_err(io("write", temp.path()))?;
    }
    file.set_permissions(permissions)
        .map_err(io("set the permissions of", temp.path()))?;
    session.interrupt.check()?;
    temp.persist(target)
        .map_err(|error| io("replace", target)(error.error))?;
    Ok(())
}

fn same_content(path: &Path, bytes: &[u8]) -> bool {
    // A link, even to the right content, is replaced by a file of our own.
    std::fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64)
        && std::fs::read(path).is_ok_and(|found| found == bytes)
}
