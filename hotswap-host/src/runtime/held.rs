//! The directory of a host as it is held, and the removal of what dead hosts left behind.
//!
//! All that is read, written and removed goes through descriptors: of the base directory, and of the host's directory in it.
//! What is removed carries hotswap's mark, and is one of the files that hosts make. Anything else that somebody has put there stays, and
//! so does the directory.
use super::process;
use super::record::HostRecord;
use super::small_file::{self, hidden};
use crate::platform::{self, Dir};
use std::env::consts::DLL_EXTENSION;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::sync::Arc;

pub(super) const LOCK: &str = "lock";
pub(super) const HOST: &str = "host.json";
pub(super) const REPORT: &str = "report.json";

/// What the lock file of each host's directory begins with.
pub(super) const MARK: &[u8] = b"hotswap host directory 1\n";

/// A host's directory that this process has made. It and what is in it are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    base: Arc<Dir>,
    name: OsString,
    dir: Dir,
    lock: File,
    /// The process that made it. In a forked child of that, the directory is not its own.
    process: u32,
}

impl Held {
    /// Opens, locks and marks a new directory. `None` if it was removed meanwhile.
    pub(super) fn take(base: &Arc<Dir>, name: &str) -> io::Result<Option<Self>> {
        let name = OsString::from(name);
        let dir = match base.dir(&name) {
            Ok(dir) => dir,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        dir.lock_shared();
        match lock_new(&dir) {
            Ok(lock) => Ok(lock.map(|lock| Held {
                base: base.clone(),
                name,
                dir,
                lock,
                process: std::process::id(),
            })),
            Err(error) => {
                // Only if nothing is in it.
                let _ = base.remove_dir(&name);
                Err(error)
            }
        }
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn lock(&self) -> &File {
        &self.lock
    }

    /// Whether its lock file, and so the directory, is still the one at this path.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let there = fs::symlink_metadata(path.join(LOCK));
        there.is_ok_and(|there| is_file_of(&self.lock, identity(&there)))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Where somebody has removed the lock, what is there now is another's, perhaps of this host's own.
        if self.process == std::process::id() && is_lock_of(&self.lock, &self.dir) {
            remove(&self.base, &self.name, &self.dir);
        }
    }
}

/// Makes, locks and marks the file. `None` if the directory was removed meanwhile.
fn lock_new(dir: &Dir) -> io::Result<Option<File>> {
    let mut lock = match dir.new_file(OsStr::new(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // Where there are no locks, process id and start time have to do.
    while lock
        .lock()
        .is_err_and(|error| error.kind() == ErrorKind::Interrupted)
    {}
    if !is_lock_of(&lock, dir) {
        return Ok(None);
    }
    // A full disk takes nothing; then the directory is only removed where nothing else is in it.
    let _ = lock.write_all(MARK);
    Ok(Some(lock))
}

/// Whether the file is still the lock of this directory: it may have been removed, and another made, before it was locked.
fn is_lock_of(lock: &File, dir: &Dir) -> bool {
    let there = dir.identity_of(OsStr::new(LOCK));
    there.is_ok_and(|there| is_file_of(lock, there))
}

fn is_file_of(file: &File, there: platform::Identity) -> bool {
    file.metadata().is_ok_and(|ours| identity(&ours) == there)
}

fn identity(meta: &fs::Metadata) -> platform::Identity {
    let state = platform::file_state(meta);
    (state.device, state.inode)
}

/// A directory that may be that of a host.
pub(super) struct Candidate {
    pub(super) name: OsString,
    pub(super) dir: Dir,
    pub(super) pid: u32,
    pub(super) started: u64,
}

/// The directories below a base directory that have the name of a host's.
pub(super) fn host_dirs(base: &Dir) -> impl Iterator<Item = Candidate> {
    let names = base.names().unwrap_or_default().into_iter();
    names.filter_map(|name| {
        let (pid, started) = parse_name(name.to_str()?)?;
        Some(Candidate {
            dir: base.dir(&name).ok()?,
            name,
            pid,
            started,
        })
    })
}

/// Process id and start time, of the name of a host's directory.
pub(super) fn parse_name(name: &str) -> Option<(u32, u64)> {
    let (process, n) = name.rsplit_once('-')?;
    let (pid, started) = process.split_once('-')?;
    n.parse::<u64>().ok()?;
    Some((pid.parse().ok()?, started.parse().ok()?))
}

impl Candidate {
    /// What the host says of itself, if it does, and is the one that the directory is named after.
    pub(super) fn record(&self) -> Option<HostRecord> {
        let record = read_record(&self.dir)?;
        (record.pid == self.pid && record.start_time == self.started).then_some(record)
    }

    /// Whether the lock proves that its host has ended, though perhaps not its process: that may run another program now.
    pub(super) fn is_abandoned(&self) -> bool {
        let lock = self.dir.file(OsStr::new(LOCK));
        lock.is_ok_and(|lock| lock.try_lock_shared().is_ok() && is_lock_of(&lock, &self.dir))
    }

    /// Whether hotswap has made it.
    fn is_marked(&self, lock: Option<&File>) -> bool {
        let mut start = Vec::new();
        let read = lock.map(|lock| lock.take(MARK.len() as u64).read_to_end(&mut start));
        let alone = || self.dir.names().is_ok_and(|names| names == [LOCK]);
        match read {
            Some(Ok(0)) => alone() || self.record().is_some(),
            Some(_) => start == MARK,
            // Somebody has removed the lock file.
            None => self.record().is_some(),
        }
    }
}

/// What is said of the host whose directory this is; `None` where that is missing; it is never half-written.
pub(super) fn read_record(dir: &Dir) -> Option<HostRecord> {
    serde_json::from_slice(&small_file::read(dir, OsStr::new(HOST)).ok()?).ok()
}

/// Removes what hosts left behind that were killed. Those of living hosts are never touched.
pub(super) fn sweep(base: &Dir) {
    for found in host_dirs(base) {
        let lock = found.dir.file(OsStr::new(LOCK));
        let dead = match &lock {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => is_lock_of(lock, &found.dir),
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(_)) => !process::is_alive(found.pid, found.started),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Being made, or half removed, where nothing is in it. Otherwise somebody has removed the lock file.
                let _ = base.remove_dir(&found.name);
                found.dir.is_unlocked()
            }
            Err(_) => false,
        };
        if dead && found.is_marked(lock.as_ref().ok()) {
            remove(base, &found.name, &found.dir);
        }
    }
}

/// Removes the files of a host's directory, the lock last, and then the directory, if nothing else is in it. What cannot be removed is
/// left to the next host.
fn remove(base: &Dir, name: &OsStr, dir: &Dir) {
    for file in dir.names().unwrap_or_default() {
        if is_made_by_hosts(&file) {
            let _ = dir.remove_file(&file);
        }
    }
    let is_lock = |file: &OsString| file == LOCK;
    if dir.names().is_ok_and(|left| left.iter().all(is_lock)) {
        let _ = dir.remove_file(OsStr::new(LOCK));
        let _ = base.remove_dir(name);
    }
}

/// Whether this is a file that hosts make beside the lock: what they say of themselves, and private copies.
fn is_made_by_hosts(name: &OsStr) -> bool {
    let records = [HOST, REPORT].map(OsStr::new);
    let is_record = |record: &OsStr| name == record || name == hidden(record);
    records.into_iter().any(is_record)
        || Path::new(name).extension() == Some(OsStr::new(DLL_EXTENSION))
}
