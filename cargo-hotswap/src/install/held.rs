//! Directories that are held by a descriptor, so that what is done in one is done there, whatever its path leads to by then; and
//! small files of the build, which are never anything but regular files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::Error;
use crate::error::io;

pub(super) const TEMP_PREFIX: &str = ".hotswap-";
pub(super) const TEMP_SUFFIX: &str = ".tmp";

/// So much is read of a file that the build keeps for itself.
const MAX_KEPT: u64 = 256 << 20;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// See the module.
#[derive(Debug)]
pub(super) struct HeldDir {
    fd: OwnedFd,
    /// By which it was found.
    path: PathBuf,
}

impl HeldDir {
    /// The directory at `path`. Links on the way are followed.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let fd = rustix::fs::open(path, DIRECTORY, Mode::empty());
        Ok(Self {
            fd: fd.map_err(|errno| io("open", path)(errno.into()))?,
            path: path.to_owned(),
        })
    }

    /// The directory `name` in this one; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Link`] where it is a link: who made it is not known, nor where it leads by the time something is removed there.
    pub(super) fn below(&self, name: &OsStr) -> Result<Option<Self>, Error> {
        let path = self.path.join(name);
        match rustix::fs::openat(&self.fd, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => Err(Error::Link { path }),
            Err(errno) => Err(io("open", &path)(errno.into())),
        }
    }

    /// Opens the file `name` for reading and writing, and makes it for this user alone where `create` says so and there is
    /// none. `None` where there is none.
    ///
    /// # Errors
    /// [`Error::NotAFile`] where it is a link, a pipe or anything else that is no file.
    pub(super) fn open_file(&self, name: &str, create: bool) -> Result<Option<File>, Error> {
        let path = self.path.join(name);
        // A pipe would block without NONBLOCK.
        let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        flags.set(OFlags::CREATE, create);
        let mode = Mode::RUSR | Mode::WUSR;
        let file = match rustix::fs::openat(&self.fd, name, flags, mode) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR | Errno::NODEV) => {
                return Err(Error::NotAFile { path });
            }
            Err(errno) => return Err(io("open", &path)(errno.into())),
        };
        let found = file.metadata().map_err(io("read", &path))?;
        if !found.is_file() {
            return Err(Error::NotAFile { path });
        }
        if found.mode() & 0o077 != 0 {
            // Whoever can open a file can lock it. One of another user stays as it is.
            let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        }
        Ok(Some(file))
    }

    /// Whether `name` is a file, and no link to one.
    pub(super) fn is_file(&self, name: &str) -> bool {
        let found = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile)
    }

    /// Removes the file `name`; a link is removed, and not what it leads to.
    pub(super) fn remove_file(&self, name: &str) -> Result<(), Error> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|errno| io("remove", &self.path.join(name))(errno.into()))
    }

    /// Removes the directory `name` if it is empty. Returns whether it is gone.
    pub(super) fn remove_empty(&self, name: &OsStr) -> bool {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR).is_ok()
    }

    /// The names of what is in it, in order; those that are not text are not ours.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let unreadable = |errno: Errno| io("read", &self.path)(errno.into());
        let mut names = vec![];
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            names.extend(
                name.to_str()
                    .filter(|name| !matches!(*name, "." | ".."))
                    .map(str::to_owned),
            );
        }
        names.sort();
        Ok(names)
    }
}

/// What a file holds that the build keeps for itself. `None` where it is missing, cannot be read, or is no file: it is then written
/// anew.
pub(crate) fn read_kept(path: &Path) -> Option<Vec<u8>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .ok()?;
    let found = file.metadata().ok()?;
    if !found.is_file() || found.len() > MAX_KEPT {
        return None;
    }
    let mut bytes = vec![];
    file.take(MAX_KEPT).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Gives a file that the build keeps for itself another content, in one step. Where that fails, the old one stays.
pub(crate) fn write_kept(path: &Path, content: &[u8]) {
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(TEMP_PREFIX)
            .suffix(TEMP_SUFFIX)
            .tempfile_in(path.parent()?)
            .ok()?;
        file.write_all(content).ok()?;
        file.persist(path).ok()
    };
    let _ = write();
}
