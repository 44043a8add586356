//! Private copies of artifacts: what is opened is never the artifact itself.
//!
//! An artifact may be overwritten or removed at any time, and a library that is mapped must not change below the code
//! that runs. Besides, the system's loader knows libraries by path and inode: opening either a second time returns the
//! first library, whatever the file holds by then. So the bytes that were read and checked are written to a file of
//! their own, under a path that this process never used before, in a directory that only this user may write to. It
//! stays until the library has left memory, for debuggers, profilers and backtraces.
//!
//! The copy differs from the artifact in one address, by which the plugin finds the host: see
//! [`SHIM_SECTION`](hotswap_plugin::contract::shim::SHIM_SECTION).
//!
//! The file is made in the directory that is held, and opened by its path. Where others could exchange a directory on that path,
//! and where no such file can be made or mapped as code, the copy is an anonymous file in memory, which is sealed. Its path,
//! `/proc/<process>/fd/<n>`, names it only as long as the descriptor is open, so that stays open as well. It names the
//! process, not `self`: a debugger opens what the loader tells it, and would find a descriptor of its own.
use crate::artifact::{Artifact, BuildId};
use crate::base::name::PluginName;
use crate::error::CopyError;
use crate::platform::{self, Dir};
use crate::runtime::{Held, HostDir, Ready, RuntimeError};
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

/// What is to be known of copies in memory.
pub(crate) const IN_MEMORY: &str =
    "where profilers cannot follow, and debuggers only as long as the host runs";

/// Where the private copies of a swapper are made.
#[derive(Debug)]
pub(crate) struct CopyDir {
    /// Or why there is none.
    dir: Result<Arc<HostDir>, String>,
}

/// A copy of an artifact that nobody else opens or changes. [`remove`](Self::remove) removes it; where it is only dropped,
/// it stays, for a library that may be mapped.
#[derive(Debug)]
pub(crate) struct PrivateCopy {
    path: PathBuf,
    storage: ManuallyDrop<Storage>,
}

/// Eight bytes that a copy has instead of those of the artifact, as often as they fit into the range.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub(crate) at: Range<u64>,
    pub(crate) bytes: [u8; 8],
}

#[derive(Debug)]
enum Storage {
    File {
        /// Where it is. Keeps the directory from being removed.
        held: Arc<Held>,
        name: OsString,
    },
    Memory {
        /// What the path means.
        _file: File,
        /// Why it is no file.
        reason: String,
    },
}

impl CopyDir {
    /// Copies are files in `dir`, as long as it takes them.
    pub(crate) fn new(dir: Arc<HostDir>) -> Self {
        CopyDir { dir: Ok(dir) }
    }

    /// All copies are in memory.
    pub(crate) fn in_memory(reason: &RuntimeError) -> Self {
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
    /// What to open.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why the copy is in memory, if it is.
    pub(crate) fn fallback(&self) -> Option<&str> {
        match &*self.storage {
            Storage::File { .. } => None,
            Storage::Memory { reason, .. } => Some(reason),
        }
    }

    /// Removes the copy: no library is open that was mapped from it.
    pub(crate) fn remove(self) {
        if let Storage::File { held, name } = &*self.storage {
            // What cannot be removed now goes with the directory, or when the next host starts.
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

/// A name that was not used before in this process, whichever directory it was in.
fn unique_name(plugin: &PluginName, build: BuildId) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    format!("{plugin}-{build:.8}-{}", COUNTER.fetch_add(1, Relaxed))
}

/// Writes a file into the host's directory, which is made again where somebody has removed it.
fn write_into(
    dir: &HostDir,
    name: &str,
    bytes: &[u8],
    patch: &Patch,
) -> Result<PrivateCopy, String> {
    let Ready { held, real } = dir.ready().map_err(|error| error.to_string())?;
    // Where its path could lead elsewhere by the time it is opened, it is not opened by a path.
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
            "mounted noexec, so that no library can be opened there",
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

/// An anonymous file that cannot be changed any more.
fn write_memory(name: &str, bytes: &[u8], patch: &Patch) -> io::Result<File> {
    let mut file = platform::memory_file(name)?;
    file.write_all(bytes)?;
    patch.write(&file)?;
    platform::seal(&file)?;
    Ok(file)
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
