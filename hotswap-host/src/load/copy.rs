//! Makes private copies of artifacts. The host never opens an artifact itself.
//!
//! An artifact may be overwritten or removed at any time, and a mapped library must not change below the code that
//! runs. Moreover, the system's loader identifies libraries by path and inode: opening the same one a second time
//! returns the first library, whatever the file contains by then. Therefore the bytes that were read and checked are
//! written to a new file, under a path that this process has never used before, in a directory that only this user may
//! write to. The file stays until the library has left memory, for debuggers, profilers, and backtraces.
//!
//! The copy differs from the artifact in one address, by which the plugin finds the host: see
//! [`SHIM_SECTION`](hotswap_plugin::contract::shim::SHIM_SECTION).
//!
//! The file is made in the directory that the host holds, and opened by its path. If others could exchange a directory
//! on that path, or if no such file can be made or mapped as code, the copy is a sealed anonymous file in memory. Its
//! path, `/proc/<process>/fd/<n>`, names it only while the descriptor is open, so the descriptor stays open as well.
//! The path names the process and not `self`, because a debugger opens the path that the loader reports, and would find
//! a descriptor of its own.
use crate::artifact::{Artifact, BuildId};
use crate::base::name::PluginName;
use crate::error::CopyError;
use crate::platform::{self, Dir};
use crate::runtime::{Held, HostDir, Ready};
use crate::shown;
use std::env::consts::DLL_EXTENSION;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The consequence of copies in memory, for messages.
pub(crate) const IN_MEMORY: &str =
    "where profilers cannot follow, and debuggers only as long as the host runs";

/// The place where a swapper makes its private copies.
#[derive(Debug)]
pub(crate) struct CopyDir {
    /// The directory, or the reason why there is none.
    dir: Result<Arc<HostDir>, String>,
}

/// A copy of an artifact that nothing else opens or changes. [`remove`](Self::remove) removes it. If it is only
/// dropped, it stays, because a library may be mapped from it.
#[derive(Debug)]
pub(crate) struct PrivateCopy {
    path: PathBuf,
    storage: ManuallyDrop<Storage>,
}

/// Eight bytes that a copy has in place of those of the artifact, as often as they fit into the range.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub(crate) at: Range<u64>,
    pub(crate) bytes: [u8; 8],
}

#[derive(Debug)]
enum Storage {
    File {
        /// The directory that contains the file. This keeps it from being removed.
        held: Arc<Held>,
        name: OsString,
    },
    Memory {
        /// The file that the path names.
        _file: File,
        /// The reason why the copy is not in a directory.
        reason: String,
    },
}

impl CopyDir {
    /// Makes copies as files in `dir`, as long as this is possible.
    pub(crate) fn new(dir: Arc<HostDir>) -> Self {
        CopyDir { dir: Ok(dir) }
    }

    /// Makes all copies in memory.
    pub(crate) fn in_memory(reason: impl std::fmt::Display) -> Self {
        CopyDir {
            dir: Err(reason.to_string()),
        }
    }

    /// Copies the bytes that `artifact` was read from.
    pub(crate) fn make(
        &self,
        artifact: &Artifact,
        bytes: &[u8],
        patch: &Patch,
    ) -> Result<PrivateCopy, CopyError> {
        let plugin = &artifact.metadata.name;
        let name = unique_name(plugin, artifact.build_id);
        let as_file = match &self.dir {
            Ok(dir) => match write_into(dir, &name, bytes, patch) {
                Ok(copy) => return Ok(copy),
                Err(error) => error,
            },
            Err(reason) => reason.clone(),
        };
        match write_memory(&name, bytes, patch) {
            Ok(file) => Ok(PrivateCopy {
                path: platform::path_of_descriptor(&file),
                storage: ManuallyDrop::new(Storage::Memory {
                    _file: file,
                    reason: as_file,
                }),
            }),
            Err(in_memory) => Err(CopyError {
                plugin: plugin.clone(),
                file: artifact.file.clone(),
                as_file,
                in_memory,
            }),
        }
    }
}

impl PrivateCopy {
    /// The path to open.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The reason why the copy is in memory, if it is.
    pub(crate) fn fallback(&self) -> Option<&str> {
        match &*self.storage {
            Storage::File { .. } => None,
            Storage::Memory { reason, .. } => Some(reason),
        }
    }

    /// Removes the copy. No open library is mapped from it.
    pub(crate) fn remove(self) {
        if let Storage::File { held, name } = &*self.storage {
            // A file that cannot be removed now goes with the directory, or when the next host starts.
            let _ = held.dir().remove_file(name);
        }
        drop(ManuallyDrop::into_inner(self.storage));
    }
}

impl Patch {
    fn write(&self, mut file: &File) -> io::Result<()> {
        let mut places = self.at.clone().step_by(self.bytes.len());
        places.try_for_each(|at| {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&self.bytes)
        })
    }
}

/// Returns a name that was not used before in this process, in any directory.
fn unique_name(plugin: &PluginName, build: BuildId) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    format!("{plugin}-{build:.8}-{}", COUNTER.fetch_add(1, Relaxed))
}

/// Writes a file into the host's directory, which is made again if it has been removed.
fn write_into(
    dir: &HostDir,
    name: &str,
    bytes: &[u8],
    patch: &Patch,
) -> Result<PrivateCopy, String> {
    let Ready { held, real } = dir.ready().map_err(|error| error.to_string())?;
    // If the path could lead elsewhere by the time it is opened, the library is not opened by a path.
    let real = real?;
    let name = OsString::from(format!("{name}.{DLL_EXTENSION}"));
    write_file(held.dir(), &name, bytes, patch)
        .map_err(|error| format!("{}: {error}", shown::path(&real)))?;
    Ok(PrivateCopy {
        path: real.join(&name),
        storage: ManuallyDrop::new(Storage::File { held, name }),
    })
}

fn write_file(dir: &Dir, name: &OsStr, bytes: &[u8], patch: &Patch) -> io::Result<()> {
    if dir.forbids_code()? {
        return Err(io::Error::other(
            "mounted noexec, so no library can be opened there",
        ));
    }
    let mut file = dir.new_read_only_file(name)?;
    file.write_all(bytes)
        .and_then(|()| patch.write(&file))
        .inspect_err(|_| {
            // The first error says more.
            let _ = dir.remove_file(name);
        })
}

/// Makes an anonymous file that cannot be changed any more.
fn write_memory(name: &str, bytes: &[u8], patch: &Patch) -> io::Result<File> {
    let mut file = platform::memory_file(name)?;
    file.write_all(bytes)?;
    patch.write(&file)?;
    platform::seal(&file)?;
    Ok(file)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(unsafe_code)]
mod tests;
