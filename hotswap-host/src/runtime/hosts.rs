use super::error::WaitError;
use super::host_dir::{HOST, REPORT, host_dirs, is_abandoned};
use super::record::{HostRecord, StoredReport};
use super::{base, process, small_file};
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
/// Directories that others could write to are passed over, as are hosts that have ended.
pub fn hosts() -> Vec<RunningHost> {
    let bases = base::candidates()
        .into_iter()
        .filter(|dir| base::check(dir).is_ok());
    let mut hosts: Vec<_> = bases.flat_map(|dir| hosts_in(&dir)).collect();
    hosts.sort_by_key(|host| host.pid);
    hosts
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
        read(&self.dir.join(REPORT))
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        process::is_alive(self.pid, self.start_time)
    }

    /// Asks it to reload. Take the number of the latest [`report`](Self::report) before, and
    /// [wait](Self::wait_for_attempt) for a later one.
    ///
    /// # Errors
    /// If it listens for no signal (of kind [`Unsupported`](io::ErrorKind::Unsupported)), has ended (of kind
    /// [`NotFound`](io::ErrorKind::NotFound)), or may not be signalled.
    pub fn request_reload(&self) -> io::Result<()> {
        let Some(signal) = self.reload_signal else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "the host with process id {} reloads on no signal; call `hotswap_host::signal::reload_on` in it",
                    self.pid
                ),
            ));
        };
        let ended = || io::Error::new(io::ErrorKind::NotFound, WaitError::Ended { pid: self.pid });
        let pid = libc::pid_t::try_from(self.pid)
            .ok()
            .filter(|pid| *pid > 0)
            .ok_or_else(ended)?;
        if !self.is_alive() {
            return Err(ended());
        }
        // SAFETY: a signal touches no memory of this process, and the other is the host that asked for this one.
        match unsafe { libc::kill(pid, signal) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
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
