//! Directories whose entries survive a power failure.
//!
//! A file is on the disk when it has been synced, but under its name only when its directory has been synced, too. The
//! same is true of a directory and the one above it.
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes a directory that only this user may use, and those above it. When this returns, they are on the disk.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let missing: Vec<_> = dir.ancestors().take_while(is_missing).collect();
    let mut private = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
    private.recursive(true).create(dir)?;
    for made in missing.into_iter().rev() {
        sync(above(made))?;
    }
    // If it was made by a process that has ended before it has synced it, this is the time. Otherwise, the directory above
    // may belong to somebody else, and need not be readable.
    let _ = sync(above(dir));
    Ok(())
}

/// Returns once the entries of a directory are on the disk.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(dir)?.sync_all(),
        // Other systems open no directories as files, and have nothing like this.
        false => Ok(()),
    }
}

fn above(dir: &Path) -> &Path {
    match dir.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => dir,
    }
}
