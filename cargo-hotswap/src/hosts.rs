//! Running hosts: finding those of a plugin directory, and making one reload.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hotswap_host::runtime::{self, RunningHost, StoredReport, WaitError};

use crate::Error;
use crate::session::Session;

/// The living hosts that load their plugins from `directory`.
pub(crate) fn of(directory: &Path) -> Vec<RunningHost> {
    let serves = |host: &RunningHost| host.serves(directory).unwrap_or(false);
    runtime::hosts().into_iter().filter(serves).collect()
}

/// That no living host loads its plugins from `directory`, with the directories in which none is looked for.
pub(crate) fn none_of(directory: PathBuf) -> Error {
    Error::NoHostRunning {
        directory,
        refused: runtime::refused(),
    }
}

/// Warns of hosts that are not reloaded, since the directory that says where they are cannot be trusted.
pub(crate) fn warn_of_unseen(session: &Session) {
    for refused in runtime::refused() {
        if !refused.pids.is_empty() {
            session.ui.warn(refused);
        }
    }
}

/// Makes `host` reload, and returns what it says about it.
///
/// # Errors
/// Where it does not listen, ends, or says nothing for as long as `patience`; that it refused what it found is no
/// error here.
pub(crate) fn reload(
    session: &Session,
    host: &RunningHost,
    patience: Duration,
) -> Result<StoredReport, Error> {
    /// After so long an interruption is noticed.
    const SLICE: Duration = Duration::from_millis(100);
    let before = host.report().map(|report| report.attempt);
    host.request_reload().map_err(|source| Error::NotAsked {
        pid: host.pid,
        source,
    })?;
    let started = Instant::now();
    loop {
        session.interrupt.check()?;
        match host.wait_for_attempt(before, SLICE.min(patience)) {
            Ok(report) => return Ok(report),
            Err(WaitError::TimedOut { .. }) if started.elapsed() < patience => {}
            Err(WaitError::TimedOut { pid, stopped, .. }) => {
                return Err(Error::NotAnswered(WaitError::TimedOut {
                    pid,
                    waited: patience,
                    stopped,
                }));
            }
            Err(error) => return Err(Error::NotAnswered(error)),
        }
    }
}
