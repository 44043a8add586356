//! Installs artifacts in the directory from which a host loads them, so that the host never sees half of one.
//!
//! One builder at a time works in a directory, under a lock that the system releases when the builder ends. A file is
//! written beside its target, under a name that hosts ignore, and then renamed. So a temporary file in a directory
//! whose lock is free belongs to a builder that was killed, and the next builder removes it.

use std::ffi::OsString;
use std::fs::{File, Permissions, TryLockError};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};

use hotswap_host::artifact::{Artifact, BuildId};
use hotswap_host::shown;

use crate::Error;
use crate::error::io;
use crate::session::Session;

mod held;

use held::{HeldDir, TEMP_PREFIX, TEMP_SUFFIX};
pub(crate) use held::{read_kept, write_kept};

/// The lock of a directory with artifacts. The file contains the root of the workspace to which the directory belongs.
pub(crate) const OUT_LOCK: &str = ".hotswap-lock";
/// The lock of a target directory, held from a compilation until its output is installed.
const BUILD_LOCK: &str = ".hotswap-build-lock";

/// A directory into which no other builder builds while this value lives.
#[derive(Debug)]
pub(crate) struct Locked {
    dir: HeldDir,
    path: PathBuf,
    /// True if temporary files stay when something fails.
    keep_temps: bool,
    /// The lock, which is released when the file is closed.
    lock: File,
}

/// Returns `directory`, or another one beside it if that belongs to another workspace, since several may share a target
/// directory. The other one is kept even when the first becomes free, since a host may be loading from there.
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

/// Returns the root of the workspace that has claimed `directory`, if one has.
pub(crate) fn owner(directory: &Path) -> Option<PathBuf> {
    let lock = HeldDir::open(directory).ok()?.open_file(OUT_LOCK, false);
    marked_root(&lock.ok()??)
}

/// Returns the root of a workspace from its lock.
fn marked_root(lock: &File) -> Option<PathBuf> {
    /// No path is longer than this.
    const MAX: usize = 1 << 16;
    let mut root = vec![0; MAX];
    let mut len = 0;
    while len < MAX {
        match lock.read_at(&mut root[len..], len as u64).ok()? {
            0 => break,
            read => len += read,
        }
    }
    root.truncate(len);
    (!root.is_empty()).then(|| OsString::from_vec(root).into())
}

/// Waits until the lock is free, or for an interruption.
fn wait_for(session: &Session, directory: &Path, name: &Path, lock: &File) -> Result<(), Error> {
    let mut is_first = true;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(io("lock", name)(source)),
            Err(TryLockError::WouldBlock) => {}
        }
        if std::mem::take(&mut is_first) {
            session.ui.info(
                "Blocking",
                format_args!("waiting for another build in {}", shown::path(directory)),
            );
        }
        session.interrupt.check()?;
        // In steps, so that an interruption is noticed.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// The directories on the way to a directory, each with the name of the next.
pub(crate) struct Way(Vec<(HeldDir, OsString)>);

impl Way {
    /// Removes those of the directories that are empty now, except for the first `keep`.
    pub(crate) fn remove_empty(&self, keep: usize) {
        let on_the_way = self.0.iter().skip(keep).rev();
        on_the_way
            .take_while(|(dir, name)| dir.remove_empty(name))
            .for_each(drop);
    }
}

/// The result of installing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Installed {
    /// The file is new, or its content has changed.
    Written,
    /// The file had the same content already, and was not touched.
    Unchanged,
}

impl Locked {
    /// Makes the directory if it is missing, and waits for the lock.
    pub(crate) fn wait(
        session: &Session,
        path: &Path,
        lock: &str,
        keep_temps: bool,
    ) -> Result<Self, Error> {
        std::fs::create_dir_all(path).map_err(io("create", path))?;
        let dir = HeldDir::open(path)?;
        let file = dir.open_file(lock, true)?;
        // The directory was made above, unless another process has removed it since.
        let gone = || io("open", &path.join(lock))(std::io::ErrorKind::NotFound.into());
        let file = file.ok_or_else(gone)?;
        wait_for(session, path, &path.join(lock), &file)?;
        Ok(Self {
            dir,
            path: path.to_owned(),
            keep_temps,
            lock: file,
        })
    }

    /// Waits until no other builder uses the target directory whose part `base` is, and removes what killed builders
    /// left there.
    pub(crate) fn of_builds(session: &Session, base: &Path) -> Result<Self, Error> {
        let locked = Self::wait(session, base, BUILD_LOCK, false)?;
        locked.remove_stale()?;
        Ok(locked)
    }

    /// Waits for the lock of the directory `path` below `base`, if the directory exists and carries the mark of the
    /// workspace `root`. Returns the lock with the directories on the way. Makes no directory, and follows no link
    /// behind `base`.
    pub(crate) fn marked(
        session: &Session,
        base: &Path,
        path: &Path,
        root: &Path,
    ) -> Result<Option<(Self, Way)>, Error> {
        let below = path.strip_prefix(base).ok();
        let names: Vec<_> = below.into_iter().flat_map(Path::components).collect();
        let is_below = |name: &Component<'_>| matches!(name, Component::Normal(_));
        if names.is_empty() || !names.iter().all(is_below) || !base.is_dir() {
            return Ok(None);
        }
        let mut way = vec![];
        let mut dir = HeldDir::open(base)?;
        for name in names {
            let Some(next) = dir.below(name.as_os_str())? else {
                return Ok(None);
            };
            way.push((
                std::mem::replace(&mut dir, next),
                name.as_os_str().to_owned(),
            ));
        }
        let Some(lock) = dir.open_file(OUT_LOCK, false)? else {
            return Ok(None);
        };
        wait_for(session, path, &path.join(OUT_LOCK), &lock)?;
        if marked_root(&lock).as_deref() != Some(root) {
            return Ok(None);
        }
        let locked = Self {
            dir,
            path: path.to_owned(),
            keep_temps: false,
            lock,
        };
        Ok(Some((locked, Way(way))))
    }

    /// Records that the directory belongs to the workspace `root`.
    pub(crate) fn claim(&self, root: &Path) -> Result<(), Error> {
        if marked_root(&self.lock).as_deref() == Some(root) {
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
                self.dir.remove_file(&name)?;
            }
        }
        Ok(())
    }

    /// Returns the path of the file `name`, whether it exists or not.
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

    /// Removes the artifacts that this command installed and that are not among `names`, and returns their names.
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
            // Only a file with a note was installed by this command.
            let is_ours = || Artifact::read(&path).is_ok_and(|artifact| artifact.note.is_some());
            if self.dir.is_file(&name) && is_ours() {
                self.dir.remove_file(&name)?;
                removed.push(name);
            }
        }
        Ok(removed)
    }

    /// Removes the files with this suffix that are not `wanted`.
    pub(crate) fn remove_others_with(
        &self,
        suffix: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let names = self.names()?.into_iter();
        for name in names.filter(|name| name.ends_with(suffix) && !wanted(name)) {
            self.dir.remove_file(&name)?;
        }
        Ok(())
    }

    /// Removes the files that are `wanted`, and the lock, for which no other process may be waiting any more. Returns
    /// the names of the files.
    pub(crate) fn remove(self, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
        let mut removed = self.names()?;
        removed.retain(|name| wanted(name) && self.dir.is_file(name));
        for name in &removed {
            self.dir.remove_file(name)?;
        }
        self.dir.remove_file(OUT_LOCK)?;
        Ok(removed)
    }

    fn names(&self) -> Result<Vec<String>, Error> {
        self.dir.names()
    }
}

/// Gives an existing file another content, in one step.
pub(crate) fn replace(session: &Session, target: &Path, bytes: &[u8]) -> Result<(), Error> {
    // If it is a link, the file behind it is replaced.
    let target = target.canonicalize().map_err(io("find", target))?;
    let found = target.metadata().map_err(io("read", &target))?;
    put(session, &target, bytes, found.permissions(), false)
}

/// Writes a file, whether it exists or not, in one step.
pub(crate) fn write(
    session: &Session,
    target: &Path,
    bytes: &[u8],
    permissions: Permissions,
) -> Result<(), Error> {
    put(session, target, bytes, permissions, false)
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
    // A link is replaced by a file of our own, even if it leads to the right content.
    std::fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64)
        && std::fs::read(path).is_ok_and(|found| found == bytes)
}
