//! Holds the directory of a host, and removes what dead hosts left behind.
//!
//! Everything is read, written, and removed through descriptors: that of the base directory, and that of the host's
//! directory in it. Only directories with hotswap's mark are removed, and only those of their files that hosts make. If
//! anything else is there, it stays, and so does the directory.
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
/// The socket on which the host can be asked and told things, if it listens there.
pub(super) const CONTROL: &str = "control.sock";

/// The beginning of the lock file of each host's directory.
pub(super) const MARK: &[u8] = b"hotswap host directory 1\n";

/// A host's directory that this process has made. The directory and its files are removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    base: Arc<Dir>,
    name: OsString,
    dir: Dir,
    lock: File,
    /// The process that made the directory. A forked child of it does not own the directory.
    process: u32,
}

impl Held {
    /// Makes, opens, locks, and marks a new directory. Returns `None` if it was removed meanwhile.
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
                // This succeeds only if the directory is empty.
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

    /// Returns true if its lock file, and so the directory, is still the one at this path.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let there = fs::symlink_metadata(path.join(LOCK));
        there.is_ok_and(|there| is_file_of(&self.lock, identity(&there)))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // If the lock file was removed, the directory now belongs to another swapper, perhaps of this host.
        if self.process == std::process::id() && is_lock_of(&self.lock, &self.dir) {
            remove(&self.base, &self.name, &self.dir);
        }
    }
}

/// Makes, locks, and marks the file. Returns `None` if the directory was removed meanwhile.
fn lock_new(dir: &Dir) -> io::Result<Option<File>> {
    let mut lock = match dir.new_file(OsStr::new(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // Where files cannot be locked, the process id and the start time have to suffice.
    while lock
        .lock()
        .is_err_and(|error| error.kind() == ErrorKind::Interrupted)
    {}
    if !is_lock_of(&lock, dir) {
        return Ok(None);
    }
    // If the disk is full, the mark is missing, and the directory is removed only if nothing else is in it.
    let _ = lock.write_all(MARK);
    Ok(Some(lock))
}

/// Returns true if the file is still the lock of this directory. It may have been removed, and another one made, before
/// it was locked.
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

/// A directory that may belong to a host.
pub(super) struct Candidate {
    pub(super) name: OsString,
    pub(super) dir: Dir,
    pub(super) pid: u32,
    pub(super) started: u64,
}

/// Returns the directories below a base directory whose names are those of hosts' directories.
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

/// Returns the process id and the start time from the name of a host's directory.
pub(super) fn parse_name(name: &str) -> Option<(u32, u64)> {
    let (process, n) = name.rsplit_once('-')?;
    let (pid, started) = process.split_once('-')?;
    n.parse::<u64>().ok()?;
    Some((pid.parse().ok()?, started.parse().ok()?))
}

impl Candidate {
    /// Returns the host's record, if there is one and the directory is named after the host.
    pub(super) fn record(&self) -> Option<HostRecord> {
        let record = read_record(&self.dir)?;
        (record.pid == self.pid && record.start_time == self.started).then_some(record)
    }

    /// Returns true if the lock proves that the directory's host has ended. Its process may still exist and run another
    /// program.
    pub(super) fn is_abandoned(&self) -> bool {
        let lock = self.dir.file(OsStr::new(LOCK));
        lock.is_ok_and(|lock| lock.try_lock_shared().is_ok() && is_lock_of(&lock, &self.dir))
    }

    /// Returns true if hotswap has made the directory.
    fn is_marked(&self, lock: Option<&File>) -> bool {
        let mut start = Vec::new();
        let read = lock.map(|lock| lock.take(MARK.len() as u64).read_to_end(&mut start));
        let alone = || self.dir.names().is_ok_and(|names| names == [LOCK]);
        match read {
            Some(Ok(0)) => alone() || self.record().is_some(),
            Some(_) => start == MARK,
            // The lock file has been removed.
            None => self.record().is_some(),
        }
    }
}

/// Returns the record of the host that this directory belongs to, or `None` if it is missing. It is never half-written.
pub(super) fn read_record(dir: &Dir) -> Option<HostRecord> {
    serde_json::from_slice(&small_file::read(dir, OsStr::new(HOST)).ok()?).ok()
}

/// Removes the directories that killed hosts left behind. Those of living hosts are never touched.
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
                // An empty directory is being made or was half removed. Otherwise the lock file was removed.
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

/// Removes the files of a host's directory, the lock last, and then the directory if nothing else is in it. Whatever
/// cannot be removed is left to the next host.
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

/// Returns true if this is a file that hosts make besides the lock: a record, a report, a socket, or a private copy.
fn is_made_by_hosts(name: &OsStr) -> bool {
    let records = [HOST, REPORT].map(OsStr::new);
    let is_record = |record: &OsStr| name == record || name == hidden(record);
    records.into_iter().any(is_record)
        || name == CONTROL
        || Path::new(name).extension() == Some(OsStr::new(DLL_EXTENSION))
}
