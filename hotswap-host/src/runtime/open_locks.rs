//! Finds hosts whose directory was removed, by the lock files that processes have open.
use super::held::{LOCK, MARK, parse_name};
use super::record::LockRecord;
use super::small_file;
use crate::platform;
use std::fs;
use std::path::Path;

/// The name of a removed lock file, with the suffix that the kernel adds.
const DELETED: &str = "lock (deleted)";

/// Returns the records in lock files that hosts of this user have open, including removed ones. Where the system does
/// not show the open files of processes, there are none.
pub(super) fn records() -> impl Iterator<Item = LockRecord> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.flat_map(|pid| {
        // This cannot be read for a process of another user.
        let open = fs::read_dir(format!("/proc/{pid}/fd"));
        let open = open.into_iter().flatten().flatten();
        open.filter_map(move |entry| record(pid, &entry.path()))
    })
}

/// Returns the record in an open file of a process, if it is the process's own lock file. A process inherits those of
/// the process that it was forked from.
fn record(pid: u32, open: &Path) -> Option<LockRecord> {
    let file = fs::read_link(open).ok()?;
    if file.file_name()? != LOCK && file.file_name()? != DELETED {
        return None;
    }
    let (of, _) = parse_name(file.parent()?.file_name()?.to_str()?)?;
    if of != pid {
        return None;
    }
    let content = small_file::read_whole(platform::open_regular(open).ok()?).ok()?;
    let content = content.strip_prefix(MARK)?;
    // A file that is being written may end with the rest of the previous record.
    let mut records = serde_json::Deserializer::from_slice(content).into_iter::<LockRecord>();
    records.next()?.ok()
}
