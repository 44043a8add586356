//! Finds the running hosts of a plugin directory, and makes one reload.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hotswap_host::runtime::{self, RunningHost, StoredReport, WaitError};

use crate::Error;
use crate::session::Session;

/// Returns the running hosts that load their plugins from `directory`.
pub(crate) fn of(directory: &Path) -> Vec<RunningHost> {
    let serves = |host: &RunningHost| host.serves(directory).unwrap_or(false);
    runtime::hosts().into_iter().filter(serves).collect()
}

/// Returns the error that no running host loads its plugins from `directory`, with the directories in which none is
/// looked for.
pub(crate) fn none_of(directory: PathBuf) -> Error {
    Error::NoHostRunning {
        directory,
        refused: runtime::refused(),
    }
}

/// Warns of hosts that are not reloaded, since the directory with their addresses cannot be trusted.
pub(crate) fn warn_of_unseen(session: &Session) {
    for refused in runtime::refused() {
        if !refused.pids.is_empty() {
            session.ui.warn(refused);
        }
    }
}

/// Makes `host` reload, and returns its report.
///
/// # Errors
/// Returns an error if the host does not listen, ends, or does not answer for as long as `patience`. A refusal by the
/// host is not an error here.
pub(crate) fn reload(
    session: &Session,
    host: &RunningHost,
    patience: Duration,
) -> Result<StoredReport, Error> {
    /// How long it takes at most until an interruption is noticed.
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
