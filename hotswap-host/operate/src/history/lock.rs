//! The lock of the directory, which names the process that uses it.
use super::directory;
use super::error::HistoryError;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The time for which a lock is waited for. A process that has just ended may have forked a child, which has the lock until
/// it runs its own program.
const PATIENCE: Duration = Duration::from_secs(1);

/// The right to use the directory. The system gives it back when the process ends, however it ends.
pub(super) struct DirectoryLock(#[allow(dead_code)] File);

impl DirectoryLock {
    pub(super) fn take(dir: &Path) -> Result<Self, HistoryError> {
        let path = dir.join("lock");
        let failed = |action| {
            let path = path.clone();
            move |error| HistoryError::File {
                path,
                action,
                error,
            }
        };
        // Whoever may write to the directory decides what the host runs.
        directory::make(dir).map_err(|error| HistoryError::File {
            path: dir.to_owned(),
            action: "made",
            error,
        })?;
        let mut options = File::options();
        let opened = options.read(true).write(true).create(true).truncate(false);
        let mut file = opened.open(&path).map_err(failed("opened"))?;
        match locked(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = file.read_to_string(&mut pid);
                return Err(HistoryError::Locked {
                    dir: dir.to_owned(),
                    pid: match read {
                        Ok(_) if !pid.is_empty() => pid,
                        _ => "of another user".into(),
                    },
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("locked")(error)),
        }
        file.set_len(0).map_err(failed("written"))?;
        write!(file, "{}", std::process::id()).map_err(failed("written"))?;
        Ok(DirectoryLock(file))
    }
}

/// Locks the file. Waits a little while another process has the lock.
fn locked(file: &File) -> Result<(), TryLockError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(5));
            }
            taken => return taken,
        }
    }
}
