use super::error::WaitError;
#[cfg(unix)]
use super::held::CONTROL;
use super::held::{REPORT, host_dirs, read_record};
use super::record::{HostRecord, StoredReport};
use super::{base, open_locks, process, signalling, small_file};
use crate::platform::Dir;
use std::ffi::OsStr;
use std::io;
use std::ops::Deref;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// A host that runs on this machine for this user. It derefs to its [`HostRecord`].
#[derive(Clone, Debug)]
pub struct RunningHost {
    record: HostRecord,
    dir: PathBuf,
}

/// Returns all hosts that run on this machine for this user, by process id.
///
/// Directories that others could write to are skipped (see [`refused`](super::refused())), and so are hosts that have
/// ended.
pub fn hosts() -> Vec<RunningHost> {
    let bases = base::candidates();
    let mut hosts: Vec<_> = bases.iter().flat_map(|dir| hosts_in(dir)).collect();
    for host in hosts_without_directory(&base::once_candidates()) {
        // The directory has been made again meanwhile, perhaps elsewhere.
        let name = host.dir.file_name();
        if !hosts.iter().any(|known| known.dir.file_name() == name) {
            hosts.push(host);
        }
    }
    hosts.sort_by_key(|host| host.pid);
    hosts
}

/// Returns the hosts whose directory was in one of these base directories and cannot be found there, because the
/// directory or a file of it was removed.
pub(super) fn hosts_without_directory(bases: &[PathBuf]) -> Vec<RunningHost> {
    open_locks::records()
        .filter(|lock| {
            let base = lock.dir.parent();
            let known = base.is_some_and(|base| bases.iter().any(|known| known == base));
            known && process::is_alive(lock.host.pid, lock.host.start_time)
        })
        .filter(|lock| {
            Dir::open(&lock.dir)
                .ok()
                .and_then(|dir| read_record(&dir))
                .is_none()
        })
        .map(|lock| RunningHost {
            record: lock.host,
            dir: lock.dir,
        })
        .collect()
}

pub(super) fn hosts_in(base: &Path) -> Vec<RunningHost> {
    let Ok(opened) = base::open(base) else {
        return Vec::new();
    };
    host_dirs(&opened)
        .filter(|found| process::is_alive(found.pid, found.started) && !found.is_abandoned())
        .filter_map(|found| {
            Some(RunningHost {
                record: found.record()?,
                dir: base.join(found.name),
            })
        })
        .collect()
}

impl Deref for RunningHost {
    type Target = HostRecord;

    fn deref(&self) -> &HostRecord {
        &self.record
    }
}

impl RunningHost {
    /// Returns the outcome of the host's latest attempt to load or reload, or `None` before its first load has ended.
    pub fn report(&self) -> Option<StoredReport> {
        let name = self.dir.file_name()?;
        let in_base = |base: &Path| {
            let dir = base::open(base).ok()?.dir(name).ok()?;
            serde_json::from_slice(&small_file::read(&dir, OsStr::new(REPORT)).ok()?).ok()
        };
        self.dir.parent().and_then(in_base).or_else(|| {
            // If its directory was removed, it is made again, perhaps below another base directory.
            let bases = base::candidates();
            bases.iter().find_map(|base| in_base(base))
        })
    }

    /// Connects to the host's control socket.
    ///
    /// # Errors
    /// The host has none ([`NotFound`](io::ErrorKind::NotFound)), does not listen on it any more, or cannot be reached.
    #[cfg(unix)]
    pub fn connect(&self) -> io::Result<UnixStream> {
        let name = self.dir.file_name().ok_or(io::ErrorKind::NotFound)?;
        let in_base = |base: &Path| {
            let base = base::open(base).map_err(io::Error::other)?;
            base.dir(name)?.connect(OsStr::new(CONTROL))
        };
        let first = self.dir.parent().map(in_base);
        match first {
            Some(Ok(stream)) => Ok(stream),
            first => {
                // If its directory was removed, it is made again, perhaps below another base directory.
                let mut bases = base::candidates().into_iter();
                let found = bases.find_map(|base| in_base(&base).ok());
                found.map_or_else(
                    || first.unwrap_or_else(|| Err(io::ErrorKind::NotFound.into())),
                    Ok,
                )
            }
        }
    }

    /// Returns true if the host is still running.
    pub fn is_alive(&self) -> bool {
        process::is_alive(self.pid, self.start_time)
    }

    /// Asks the host to reload. Take the number of the latest [`report`](Self::report) before, and
    /// [wait](Self::wait_for_attempt) for a later one.
    ///
    /// # Errors
    /// The host listens for no signal ([`Unsupported`](io::ErrorKind::Unsupported)), its file names a signal that is
    /// not for reloading ([`InvalidData`](io::ErrorKind::InvalidData)), it has ended
    /// ([`NotFound`](io::ErrorKind::NotFound)), or it may not be signalled. No other process gets the signal, even if
    /// it has the process id by now.
    pub fn request_reload(&self) -> io::Result<()> {
        signalling::request_reload(&self.record)
    }

    /// Waits for the outcome of an attempt later than `after`, or of any attempt if `after` is `None`.
    ///
    /// # Errors
    /// The host ends, or reports nothing within `limit`.
    pub fn wait_for_attempt(
        &self,
        after: Option<u64>,
        limit: Duration,
    ) -> Result<StoredReport, WaitError> {
        /// Most hosts answer within this time.
        const SOON: Duration = Duration::from_millis(50);
        let begin = Instant::now();
        loop {
            // The order matters, because a host may report and then end.
            let alive = self.is_alive();
            if let Some(report) = self.report().filter(|report| Some(report.attempt) > after) {
                return Ok(report);
            }
            if !alive {
                return Err(WaitError::Ended { pid: self.pid });
            }
            if begin.elapsed() >= limit {
                return Err(WaitError::TimedOut {
                    pid: self.pid,
                    waited: limit,
                    stopped: process::is_stopped(self.pid),
                });
            }
            let pause = if begin.elapsed() < SOON { 1 } else { 5 };
            thread::sleep(Duration::from_millis(pause));
        }
    }
}
