//! Directories that are held by a descriptor, so that an operation takes place in that directory, wherever its path
//! leads by then. And small files of the build, which are always regular files.

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

/// The largest number of bytes that is read of a file of the build's own.
const MAX_KEPT: u64 = 256 << 20;

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// A directory that is held by a descriptor: see the module.
#[derive(Debug)]
pub(super) struct HeldDir {
    fd: OwnedFd,
    /// The path by which it was found.
    path: PathBuf,
}

impl HeldDir {
    /// Opens the directory at `path`. Links on the way are followed.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let fd = rustix::fs::open(path, DIRECTORY, Mode::empty());
        Ok(Self {
            fd: fd.map_err(|errno| io("open", path)(errno.into()))?,
            path: path.to_owned(),
        })
    }

    /// Opens the directory `name` in this one. Returns `None` if there is none.
    ///
    /// # Errors
    /// Returns [`Error::Link`] if it is a link: it is not known who made the link, nor where it leads when something is
    /// removed there.
    pub(super) fn below(&self, name: &OsStr) -> Result<Option<Self>, Error> {
        let path = self.path.join(name);
        match rustix::fs::openat(&self.fd, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => Ok(Some(Self { fd, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => Err(Error::Link { path }),
            Err(errno) => Err(io("open", &path)(errno.into())),
        }
    }

    /// Opens the file `name` for reading and writing. If there is none and `create` is true, makes it for this user
    /// alone. Returns `None` if there is none.
    ///
    /// # Errors
    /// Returns [`Error::NotAFile`] if it is a link, a pipe, or anything else that is not a file.
    pub(super) fn open_file(&self, name: &str, create: bool) -> Result<Option<File>, Error> {
        let path = self.path.join(name);
        // Without NONBLOCK, a pipe would block.
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
            // Any user who can open a file can lock it. A file of another user stays as it is.
            let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        }
        Ok(Some(file))
    }

    /// Returns true if `name` is a file, and not a link to one.
    pub(super) fn is_file(&self, name: &str) -> bool {
        let found = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile)
    }

    /// Removes the file `name`. A link itself is removed, and not its target.
    pub(super) fn remove_file(&self, name: &str) -> Result<(), Error> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|errno| io("remove", &self.path.join(name))(errno.into()))
    }

    /// Removes the directory `name` if it is empty. Returns true if it is gone.
    pub(super) fn remove_empty(&self, name: &OsStr) -> bool {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR).is_ok()
    }

    /// Returns the sorted names in the directory. Names that are not UTF-8 are not ours, and are left out.
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

/// Returns the content of a file of the build's own. Returns `None` if it is missing, cannot be read, or is not a file;
/// then it is written again.
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

/// Gives a file of the build's own another content, in one step. If that fails, the old content stays.
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
