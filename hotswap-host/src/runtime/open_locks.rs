//! Hosts whose directory was removed: found by the lock files that processes have open.
use super::held::{LOCK, MARK, parse_name};
use super::record::LockRecord;
use super::small_file;
use crate::platform;
use std::fs;
use std::path::Path;

/// The name of the lock file with what the kernel adds once it was removed.
const DELETED: &str = "lock (deleted)";

/// What hosts of this user's say of themselves in lock files that they have open, also in those that were removed. Where the
/// system does not show what processes have open, there are none.
pub(super) fn records() -> impl Iterator<Item = LockRecord> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.flat_map(|pid| {
        // That of another user's process cannot be read.
        let open = fs::read_dir(format!("/proc/{pid}/fd"));
        let open = open.into_iter().flatten().flatten();
        open.filter_map(move |entry| record(pid, &entry.path()))
    })
}

/// The record in a file that a process has open, if it is its lock file: it inherits those of a process that it was forked from.
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
    // One that is being written may have the end of the one before.
    let mut records = serde_json::Deserializer::from_slice(content).into_iter::<LockRecord>();
    records.next()?.ok()
}
