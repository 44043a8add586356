use crate::platform::{self, FileState, Timestamp};
use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Shows whether a file is still the one that was read, without reading it again.
///
/// The inode, size, and modification time alone have been seen equal for different bytes: a file may be removed and its
/// inode reused, and anyone may set a modification time. The time of the last status change cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(FileState);

/// Two changes within this time may have the same timestamp. It is the grain of FAT, the coarsest file system in use. A
/// longer time only means that a file is hashed once more.
const GRAIN: Duration = Duration::from_secs(2);

impl Fingerprint {
    /// Returns the fingerprint of the file with this metadata.
    pub(crate) fn of(file: &Metadata) -> Self {
        Fingerprint(platform::file_state(file))
    }

    /// Returns true if every change after `now` will be visible, because the last change is longer ago than the clock's
    /// grain.
    ///
    /// Call this when the file is read. If the answer is no, equal fingerprints prove nothing later.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        let latest = self.0.modified.max(self.0.changed);
        let Some(horizon) = now
            .checked_sub(GRAIN)
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        else {
            return false;
        };
        let horizon = Timestamp {
            seconds: horizon.as_secs().cast_signed(),
            nanoseconds: i64::from(horizon.subsec_nanos()),
        };
        latest < horizon
    }
}

#[cfg(test)]
mod tests {
    use super::{Fingerprint, GRAIN};
    use std::fs::{self, File, FileTimes};
    use std::time::{Duration, SystemTime};

    #[test]
    fn other_bytes_of_the_same_size_and_time_show() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.so");
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        let write = |bytes: &str| {
            fs::write(&path, bytes).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_times(FileTimes::new().set_modified(long_ago))
                .unwrap();
            file.metadata().unwrap()
        };
        let first = write("old");
        let read_at = SystemTime::now();
        // The status has just changed, so a later change in the same tick could look the same.
        assert!(!Fingerprint::of(&first).is_settled(read_at));
        assert!(Fingerprint::of(&first).is_settled(read_at + 2 * GRAIN));
        assert_eq!(
            Fingerprint::of(&first),
            Fingerprint::of(&fs::metadata(&path).unwrap())
        );

        // Wait until the file system's clock has moved on, as a settled fingerprint guarantees.
        let second = loop {
            let second = write("new");
            if Fingerprint::of(&second).0.changed != Fingerprint::of(&first).0.changed {
                break second;
            }
        };
        assert_eq!(first.modified().unwrap(), second.modified().unwrap());
        assert_ne!(Fingerprint::of(&first), Fingerprint::of(&second));
    }

    #[test]
    fn a_file_from_the_future_never_settles() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("a.so")).unwrap();
        let future = SystemTime::now() + Duration::from_secs(3600);
        file.set_times(FileTimes::new().set_modified(future))
            .unwrap();
        let fingerprint = Fingerprint::of(&file.metadata().unwrap());
        assert!(!fingerprint.is_settled(SystemTime::now() + 2 * GRAIN));
    }
}
