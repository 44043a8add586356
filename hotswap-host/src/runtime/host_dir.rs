//! The directory of one open swapper, and how it survives cleaners.
//!
//! Somebody may remove it, or files of it, while the host runs: at the end of a session, or since nothing of it was used for
//! long. Three things are done about it:
//!
//! - The directory itself is locked, which makes systemd-tmpfiles pass it over, with all that is in it.
//! - The host keeps the lock file open, and writes into it what it says of itself. So tools find the host by what the process
//!   has open, while there is no directory: see [`open_locks`](super::open_locks).
//! - Before the host writes anything, it looks whether the lock file is still at its place. If not, it makes the
//!   directory again, under its name: in the same base directory or, where that cannot be had, in the next one. That also keeps
//!   the host from trusting a directory that somebody else has made at the old place.
use super::base;
use super::error::RuntimeError;
use super::process;
use super::record::{HostRecord, LockRecord, StoredReport};
use super::small_file;
use crate::telemetry::contain;
use crate::{platform, shown};
use serde::Serialize;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The last number in the name of this process's next directory.
static NEXT: AtomicU64 = AtomicU64::new(0);

pub(super) const LOCK: &str = "lock";
pub(super) const HOST: &str = "host.json";
pub(super) const REPORT: &str = "report.json";

/// The directory of one open swapper. It and what is in it are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct HostDir {
    name: String,
    place: Mutex<Place>,
    /// The process that made it. In a forked child of that, the directory is not its own.
    process: u32,
}

/// Where it is, as long as nobody removes it.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    locks: Locks,
    /// What is known of the host.
    host: Option<HostRecord>,
}

#[derive(Debug)]
struct Locks {
    file: File,
    /// None where directories cannot be locked.
    _dir: Option<File>,
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
            let name = format!("{pid}-{started}-{n}");
            let path = base.join(&name);
            match platform::private_dirs().create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(RuntimeError::NotCreated { dir: path, error }),
            }
            match Locks::take(&path) {
                Ok(Some(locks)) => {
                    return Ok(HostDir {
                        name,
                        place: Mutex::new(Place {
                            path,
                            locks,
                            host: None,
                        }),
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

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is, or was before somebody removed it.
    pub(crate) fn path(&self) -> PathBuf {
        self.place().path.clone()
    }

    /// Where it is: made again where somebody has removed it.
    pub(crate) fn ready(&self) -> Result<PathBuf, RuntimeError> {
        let (made, path) = {
            let mut place = self.place();
            (place.restore(&self.name)?, place.path.clone())
        };
        Self::tell(made, &path);
        Ok(path)
    }

    /// Makes the host known, or what is known of it up to date.
    pub(crate) fn publish(&self, host: &HostRecord) -> Result<(), RuntimeError> {
        let (made, path) = {
            let mut place = self.place();
            place.host = Some(host.clone());
            let made = place.restore(&self.name)?;
            if !made {
                place.publish()?;
            }
            (made, place.path.clone())
        };
        Self::tell(made, &path);
        Ok(())
    }

    /// Stores the outcome of an attempt to reload.
    pub(crate) fn store(&self, report: &StoredReport) -> Result<(), RuntimeError> {
        let (made, path) = {
            let mut place = self.place();
            let made = place.restore(&self.name)?;
            if !made && !place.path.join(HOST).exists() {
                place.publish()?;
            }
            place.write(REPORT, report)?;
            (made, place.path.clone())
        };
        Self::tell(made, &path);
        Ok(())
    }

    /// Logs that the directory was made again. Nothing is locked: the host's subscriber may do anything.
    fn tell(made: bool, path: &Path) {
        if made {
            contain((), || {
                tracing::warn!(
                    target: "hotswap",
                    "the host's runtime directory was removed while it runs, and was made again: {}",
                    shown::path(path)
                );
            });
        }
    }

    /// Makes the host unknown again. The directory stays, for the libraries that are still open.
    pub(crate) fn withdraw(&self) {
        let mut place = self.place();
        place.host = None;
        // Where the files cannot be changed, readers still find out that the host has ended.
        let _ = place.locks.file.set_len(0);
        for name in [HOST, REPORT] {
            let _ = fs::remove_file(place.path.join(name));
        }
    }
}

impl Place {
    /// Makes the directory again, if it is not there any more. Returns whether it was made.
    fn restore(&mut self, name: &str) -> Result<bool, RuntimeError> {
        if is_at(&self.locks.file, &self.path.join(LOCK)) {
            return Ok(false);
        }
        let before = self.path.parent().map(base::prepare);
        let base = match before {
            Some(Ok(base)) => base,
            _ => base::prepare_first(&base::candidates())?,
        };
        self.path = base.join(name);
        self.locks = loop {
            match platform::private_dirs().create(&self.path) {
                // It is there where the lock file alone was removed. Only this user can make anything in the base directory.
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    let dir = self.path.clone();
                    return Err(RuntimeError::NotCreated { dir, error });
                }
                _ => {}
            }
            match Locks::take(&self.path) {
                Ok(Some(locks)) => break locks,
                Ok(None) => {}
                Err(error) => {
                    let file = self.path.join(LOCK);
                    return Err(RuntimeError::NotWritten { file, error });
                }
            }
        };
        self.publish()?;
        Ok(true)
    }

    /// Writes what is known of the host.
    fn publish(&self) -> Result<(), RuntimeError> {
        let Some(host) = &self.host else {
            return Ok(());
        };
        self.write(HOST, host)?;
        let record = LockRecord {
            dir: self.path.clone(),
            host: host.clone(),
        };
        let written = shown::json(&record).map_err(io::Error::from);
        written
            .and_then(|json| {
                let mut file = &self.locks.file;
                file.seek(SeekFrom::Start(0))?;
                file.write_all(json.as_bytes())?;
                self.locks.file.set_len(json.len() as u64)
            })
            .map_err(|error| RuntimeError::NotWritten {
                file: self.path.join(LOCK),
                error,
            })
    }

    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), RuntimeError> {
        let file = self.path.join(name);
        shown::json(content)
            .map_err(io::Error::from)
            .and_then(|json| small_file::write(&file, json.as_bytes()))
            .map_err(|error| RuntimeError::NotWritten { file, error })
    }
}

impl Drop for HostDir {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            remove(&self.path());
        }
    }
}

impl Locks {
    /// Takes the locks of a new directory. `None` if it was removed meanwhile.
    fn take(dir: &Path) -> io::Result<Option<Self>> {
        let of_dir = File::open(dir).ok().filter(|dir| dir.lock_shared().is_ok());
        let file = lock_new(&dir.join(LOCK))?;
        Ok(file.map(|file| Locks { file, _dir: of_dir }))
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
        let (pid, started) = parse_name(entry.file_name().to_str()?)?;
        let dir = entry.file_type().ok()?.is_dir();
        dir.then_some((entry.path(), pid, started))
    })
}

/// Process id and start time, of the name of a host's directory.
pub(super) fn parse_name(name: &str) -> Option<(u32, u64)> {
    let (process, n) = name.rsplit_once('-')?;
    let (pid, started) = process.split_once('-')?;
    n.parse::<u64>().ok()?;
    Some((pid.parse().ok()?, started.parse().ok()?))
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
                // Being made, or half removed, where nothing is in it. Otherwise somebody has removed the lock file.
                let _ = fs::remove_dir(&dir);
                File::open(&dir).is_ok_and(|dir| dir.try_lock().is_ok())
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
