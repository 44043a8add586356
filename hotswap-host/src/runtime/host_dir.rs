use super::base;
use super::error::RuntimeError;
use super::process;
use super::record::{HostRecord, StoredReport};
use super::small_file;
use crate::platform;
use serde::Serialize;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The last number in the name of this process's next directory.
static NEXT: AtomicU64 = AtomicU64::new(0);

const LOCK: &str = "lock";
pub(super) const HOST: &str = "host.json";
pub(super) const REPORT: &str = "report.json";

/// The directory of one open swapper. It and what is in it are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct HostDir {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
    /// The process that made it. In a forked child of that, the directory is not its own.
    process: u32,
}

impl HostDir {
    /// Makes one below the first base directory that can be used, and removes what dead hosts left there.
    pub(crate) fn create() -> Result<Self, RuntimeError> {
        HostDir::create_in(&base::prepare_first(&base::candidates())?)
    }

    /// As [`create`](Self::create), below `base`.
    pub(crate) fn create_in(base: &Path) -> Result<Self, RuntimeError> {
        sweep(base);
        let pid = std::process::id();
        let started = process::start_time(pid).unwrap_or(0);
        // Not even after its removal is a number used again: tools may still look at the directory it named.
        loop {
            let n = NEXT.fetch_add(1, Relaxed);
            let path = base.join(format!("{pid}-{started}-{n}"));
            match platform::private_dirs().create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(RuntimeError::NotCreated { dir: path, error }),
            }
            match lock_new(&path.join(LOCK)) {
                Ok(Some(lock)) => {
                    return Ok(HostDir {
                        path,
                        _lock: lock,
                        process: pid,
                    });
                }
                // Another host took it for left behind, between its making and its locking.
                Ok(None) => {}
                Err(error) => {
                    remove(&path);
                    return Err(RuntimeError::NotWritten {
                        file: path.join(LOCK),
                        error,
                    });
                }
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the host known, or what is known of it up to date.
    pub(crate) fn publish(&self, host: &HostRecord) -> Result<(), RuntimeError> {
        self.write(HOST, host)
    }

    /// Stores the outcome of an attempt to reload.
    pub(crate) fn store(&self, report: &StoredReport) -> Result<(), RuntimeError> {
        self.write(REPORT, report)
    }

    /// Makes the host unknown again. The directory stays, for the libraries that are still open.
    pub(crate) fn withdraw(&self) {
        for name in [HOST, REPORT] {
            // Where the file cannot be removed, readers still find out that the host has ended.
            let _ = fs::remove_file(self.path.join(name));
        }
    }

    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), RuntimeError> {
        let file = self.path.join(name);
        serde_json::to_vec(content)
            .map_err(io::Error::from)
            .and_then(|json| small_file::write(&file, &json))
            .map_err(|error| RuntimeError::NotWritten { file, error })
    }
}

impl Drop for HostDir {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            remove(&self.path);
        }
    }
}

/// Makes and locks the file. `None` if the directory was removed meanwhile.
fn lock_new(path: &Path) -> io::Result<Option<File>> {
    let lock = match File::create_new(path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // Where there are no locks, process id and start time have to do.
    while lock
        .lock()
        .is_err_and(|error| error.kind() == ErrorKind::Interrupted)
    {}
    Ok(is_at(&lock, path).then_some(lock))
}

/// Whether the file is still the one at this path: it may have been removed, and another made, before it was locked.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |meta: fs::Metadata| {
        let state = platform::file_state(&meta);
        (state.device, state.inode)
    };
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => identity(ours) == identity(there),
        _ => false,
    }
}

/// The directories of hosts below a base directory, with process id and start time.
pub(super) fn host_dirs(base: &Path) -> impl Iterator<Item = (PathBuf, u32, u64)> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (process, n) = name.rsplit_once('-')?;
        let (pid, started) = process.split_once('-')?;
        n.parse::<u64>().ok()?;
        let dir = entry.file_type().ok()?.is_dir();
        dir.then_some((entry.path(), pid.parse().ok()?, started.parse().ok()?))
    })
}

/// Whether the lock proves that its host has ended, though perhaps not its process: that may run another program now.
pub(super) fn is_abandoned(dir: &Path) -> bool {
    let path = dir.join(LOCK);
    File::open(&path).is_ok_and(|lock| lock.try_lock_shared().is_ok() && is_at(&lock, &path))
}

/// Removes what hosts left behind that were killed. Those of living hosts are never touched.
fn sweep(base: &Path) {
    for (dir, pid, started) in host_dirs(base) {
        let path = dir.join(LOCK);
        let lock = File::open(&path);
        let dead = match &lock {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => is_at(lock, &path),
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(_)) => !process::is_alive(pid, started),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Being made, or half removed. The lock goes last, so that nothing else is left in it.
                let _ = fs::remove_dir(&dir);
                false
            }
            Err(_) => false,
        };
        if dead {
            remove(&dir);
        }
    }
}

/// Removes a host's directory, the lock last. What cannot be removed is left to the next host.
fn remove(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_name() != LOCK {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_file(dir.join(LOCK));
    let _ = fs::remove_dir(dir);
}
