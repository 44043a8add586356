//! Directories by their paths. Nothing is loaded from them on Windows.
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A directory.
#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
}

/// The identity of a file among all files that exist at the same time.
pub(crate) type Identity = (u64, u64);

impl Dir {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if !fs::symlink_metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Dir { path: path.into() })
    }

    pub(crate) fn dir(&self, name: &OsStr) -> io::Result<Self> {
        Dir::open(&self.path.join(name))
    }

    pub(crate) fn make_dir(&self, name: &OsStr) -> io::Result<()> {
        fs::create_dir(self.path.join(name))
    }

    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        fs::symlink_metadata(&self.path)
    }

    /// Does nothing, because directories cannot be locked.
    pub(crate) fn lock_shared(&self) {}

    pub(crate) fn is_unlocked(&self) -> bool {
        false
    }

    pub(crate) fn file(&self, name: &OsStr) -> io::Result<File> {
        super::open_regular(&self.path.join(name))
    }

    pub(crate) fn file_to_overwrite(&self, name: &OsStr) -> io::Result<File> {
        File::options().write(true).open(self.path.join(name))
    }

    pub(crate) fn new_file(&self, name: &OsStr) -> io::Result<File> {
        File::create_new(self.path.join(name))
    }

    pub(crate) fn new_read_only_file(&self, name: &OsStr) -> io::Result<File> {
        self.new_file(name)
    }

    pub(crate) fn identity_of(&self, name: &OsStr) -> io::Result<Identity> {
        let state = super::file_state(&fs::symlink_metadata(self.path.join(name))?);
        Ok((state.device, state.inode))
    }

    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(&self.path)?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_dir(self.path.join(name))
    }

    pub(crate) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    pub(crate) fn exchange(&self, _: &OsStr, _: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn forbids_code(&self) -> io::Result<bool> {
        Ok(false)
    }
}
