//! The lock of the directory, which names the process that uses it.
use super::directory;
use super::error::HistoryError;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

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
        match file.try_lock() {
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
