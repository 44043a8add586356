//! Directories that are held by a descriptor.
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::retry_on_intr;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// A directory that is held. Whatever happens to its name, this stays the directory that was opened.
///
/// Nothing in it is reached through a link: all names are names of entries of this directory.
#[derive(Debug)]
pub(crate) struct Dir(File);

/// The identity of a file among all files that exist at the same time.
pub(crate) type Identity = (u64, u64);

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// With these flags, opening a pipe does not wait for its other end.
const FILE: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

impl Dir {
    /// Opens a directory. The last part of the path must not be a link.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let dir = retry_on_intr(|| fs::openat(fs::CWD, path, DIRECTORY, Mode::empty()))?;
        Ok(Dir(File::from(dir)))
    }

    /// Opens a directory in this one.
    pub(crate) fn dir(&self, name: &OsStr) -> io::Result<Self> {
        let dir = retry_on_intr(|| fs::openat(&self.0, name, DIRECTORY, Mode::empty()))?;
        Ok(Dir(File::from(dir)))
    }

    /// Makes a directory in this one, for this user alone.
    pub(crate) fn make_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::mkdirat(&self.0, name, Mode::RWXU)?)
    }

    /// Returns the metadata of the directory.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Locks the directory, which keeps cleaners away that lock a directory before they clean it. Has no effect where
    /// directories cannot be locked.
    pub(crate) fn lock_shared(&self) {
        let _ = self.0.lock_shared();
    }

    /// Returns true if the directory is not [locked](Self::lock_shared).
    pub(crate) fn is_unlocked(&self) -> bool {
        self.0.try_lock().is_ok()
    }

    /// Opens a regular file for reading.
    pub(crate) fn file(&self, name: &OsStr) -> io::Result<File> {
        self.open_file(name, OFlags::RDONLY, Mode::empty())
    }

    /// Opens a regular file for overwriting.
    pub(crate) fn file_to_overwrite(&self, name: &OsStr) -> io::Result<File> {
        self.open_file(name, OFlags::WRONLY, Mode::empty())
    }

    /// Makes a file that only this user may read and write.
    pub(crate) fn new_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        self.open_file(name, flags, Mode::RUSR | Mode::WUSR)
    }

    /// Makes a file that only this user may read, and that cannot be opened for writing later.
    pub(crate) fn new_read_only_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        self.open_file(name, flags, Mode::RUSR)
    }

    fn open_file(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<File> {
        let file = retry_on_intr(|| fs::openat(&self.0, name, flags | FILE, mode))?;
        let file = File::from(file);
        // A new file is always a regular one.
        if !flags.contains(OFlags::EXCL) {
            super::only_regular(&file)?;
        }
        Ok(file)
    }

    /// Binds a socket to which only this user can connect. An entry that has the name is removed.
    ///
    /// # Errors
    /// The system has no paths that begin at a descriptor ([`Unsupported`](io::ErrorKind::Unsupported)), or the socket
    /// cannot be made.
    pub(crate) fn bind(&self, name: &OsStr) -> io::Result<UnixListener> {
        let path = self.path_of(name)?;
        match self.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::chmodat(&self.0, name, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
        Ok(listener)
    }

    /// Connects to a socket.
    ///
    /// # Errors
    /// The system has no paths that begin at a descriptor, or nobody listens there.
    pub(crate) fn connect(&self, name: &OsStr) -> io::Result<UnixStream> {
        let path = self.path_of(name)?;
        // A link could lead anywhere.
        match FileType::from_raw_mode(fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)
        {
            FileType::Socket => UnixStream::connect(path),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Returns a path that leads to the entry with this name, and is short enough for the address of a socket.
    fn path_of(&self, name: &OsStr) -> io::Result<PathBuf> {
        match cfg!(any(target_os = "linux", target_os = "android")) {
            true => Ok(Path::new("/proc/self/fd")
                .join(self.0.as_raw_fd().to_string())
                .join(name)),
            false => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Returns the identity of the entry with this name.
    pub(crate) fn identity_of(&self, name: &OsStr) -> io::Result<Identity> {
        let stat = fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        // The types of these fields differ between platforms.
        #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
        Ok((stat.st_dev as u64, stat.st_ino as u64))
    }

    /// Returns the names of all entries.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    /// Removes a file or a link.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Renames a file, replacing the file that has the new name.
    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Exchanges the names of two files, in one step.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(crate) fn exchange(&self, first: &OsStr, second: &OsStr) -> io::Result<()> {
        let flags = fs::RenameFlags::EXCHANGE;
        Ok(fs::renameat_with(&self.0, first, &self.0, second, flags)?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(crate) fn exchange(&self, _: &OsStr, _: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns true if the file system is mounted so that nothing in it can be mapped as code.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn forbids_code(&self) -> io::Result<bool> {
        let flags = fs::fstatvfs(&self.0)?.f_flag;
        Ok(flags.contains(fs::StatVfsMountFlags::NOEXEC))
    }

    /// Other systems do not say.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn forbids_code(&self) -> io::Result<bool> {
        Ok(false)
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::Dir;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_reached_is_in_this_very_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("dir");
        fs::create_dir(&path).unwrap();
        let outside = temporary.path().join("outside");
        fs::write(&outside, "untouched").unwrap();
        let dir = Dir::open(&path).unwrap();
        symlink(&outside, path.join("link")).unwrap();
        let name = OsStr::new("link");
        assert!(dir.file(name).is_err() && dir.file_to_overwrite(name).is_err());
        assert!(dir.new_file(name).is_err() && dir.dir(name).is_err());
        assert!(Dir::open(&path.join("link")).is_err());
        dir.remove_file(name).unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"untouched");

        // Another directory takes the place of this one.
        let away = temporary.path().join("away");
        fs::rename(&path, &away).unwrap();
        symlink(temporary.path(), &path).unwrap();
        dir.new_file(OsStr::new("new")).unwrap();
        assert!(away.join("new").exists() && !temporary.path().join("new").exists());
        assert_eq!(dir.names().unwrap(), ["new"]);
    }

    #[test]
    fn a_pipe_is_no_file_and_nobody_waits_for_its_other_end() {
        let temporary = tempfile::tempdir().unwrap();
        let pipe = temporary.path().join("pipe");
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: the name ends in a zero.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let dir = Dir::open(temporary.path()).unwrap();
        assert!(dir.file(OsStr::new("pipe")).is_err());
        assert!(dir.file_to_overwrite(OsStr::new("pipe")).is_err());
        assert!(super::super::open_regular(&pipe).is_err());
    }
}
