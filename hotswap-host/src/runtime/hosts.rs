use super::error::WaitError;
use super::host_dir::{HOST, REPORT, host_dirs, is_abandoned};
use super::record::{HostRecord, StoredReport};
use super::{base, open_locks, process, signalling, small_file};
use serde::de::DeserializeOwned;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// A host that runs on this machine for this user. What it says of itself is read through [`HostRecord`].
#[derive(Clone, Debug)]
pub struct RunningHost {
    record: HostRecord,
    dir: PathBuf,
}

/// All hosts that run on this machine for this user, by process id.
///
/// Directories that others could write to are passed over, as are hosts that have ended: see [`refused`](super::refused()).
pub fn hosts() -> Vec<RunningHost> {
    let bases = base::candidates()
        .into_iter()
        .filter(|dir| base::check(dir).is_ok());
    let mut hosts: Vec<_> = bases.flat_map(|dir| hosts_in(&dir)).collect();
    for host in hosts_without_directory(&base::once_candidates()) {
        // Made again meanwhile, perhaps elsewhere.
        let name = host.dir.file_name();
        if !hosts.iter().any(|known| known.dir.file_name() == name) {
            hosts.push(host);
        }
    }
    hosts.sort_by_key(|host| host.pid);
    hosts
}

/// The hosts whose directory was in one of these, and that cannot be found there: somebody has removed it, or a file of it.
pub(super) fn hosts_without_directory(bases: &[PathBuf]) -> Vec<RunningHost> {
    open_locks::records()
        .filter(|lock| {
            let base = lock.dir.parent();
            let known = base.is_some_and(|base| bases.iter().any(|known| known == base));
            known && process::is_alive(lock.host.pid, lock.host.start_time)
        })
        .filter(|lock| read::<HostRecord>(&lock.dir.join(HOST)).is_none())
        .map(|lock| RunningHost {
            record: lock.host,
            dir: lock.dir,
        })
        .collect()
}

pub(super) fn hosts_in(base: &Path) -> Vec<RunningHost> {
    host_dirs(base)
        .filter(|(dir, pid, started)| process::is_alive(*pid, *started) && !is_abandoned(dir))
        .filter_map(|(dir, pid, started)| {
            let record: HostRecord = read(&dir.join(HOST))?;
            let own = record.pid == pid && record.start_time == started;
            own.then_some(RunningHost { record, dir })
        })
        .collect()
}

/// `None` where the file is missing; it is never half-written.
fn read<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&small_file::read(file).ok()?).ok()
}

impl Deref for RunningHost {
    type Target = HostRecord;

    fn deref(&self) -> &HostRecord {
        &self.record
    }
}

impl RunningHost {
    /// The outcome of its latest attempt to load or reload; `None` before the first load is through.
    pub fn report(&self) -> Option<StoredReport> {
        let in_base = |dir: &Path| {
            base::check(dir.parent()?).ok()?;
            read(&dir.join(REPORT))
        };
        in_base(&self.dir).or_else(|| {
            // Where its directory was removed, it is made again, perhaps below another base directory.
            let name = self.dir.file_name()?;
            let mut bases = base::candidates().into_iter();
            bases.find_map(|base| in_base(&base.join(name)))
        })
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        process::is_alive(self.pid, self.start_time)
    }

    /// Asks it to reload. Take the number of the latest [`report`](Self::report) before, and
    /// [wait](Self::wait_for_attempt) for a later one.
    ///
    /// # Errors
    /// If it listens for no signal (of kind [`Unsupported`](io::ErrorKind::Unsupported)) or, as its file says, for one that is not
    /// for reloading ([`InvalidData`](io::ErrorKind::InvalidData)), has ended ([`NotFound`](io::ErrorKind::NotFound)), or may not
    /// be signalled. No other process gets the signal, even if it has the process id by now.
    pub fn request_reload(&self) -> io::Result<()> {
        signalling::request_reload(&self.record)
    }

    /// Waits for the outcome of an attempt later than `after`; `None` waits for any.
    ///
    /// # Errors
    /// If the host ends, or reports nothing within `limit`.
    pub fn wait_for_attempt(
        &self,
        after: Option<u64>,
        limit: Duration,
    ) -> Result<StoredReport, WaitError> {
        const PAUSE: Duration = Duration::from_millis(5);
        let begin = Instant::now();
        loop {
            // In this order: a host may report and end.
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
            thread::sleep(PAUSE);
        }
    }
}
