//! Small files that are replaced in one step, again and again, and read whole.
//!
//! A file that was just written and takes another's place by a rename is written out to the disk by file systems that
//! usually wait with that (ext4), which costs more than all else of a reload that finds nothing new. So two files
//! exchange their names: the hidden one is overwritten, whose room on the disk is there already, and becomes the
//! visible one.
//!
//! The hidden file may still be read by whoever opened it when it was the visible one. So readers lock what they read,
//! and a hidden file that is locked is left to its readers: another takes its place.
use crate::platform;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Replaces what the file holds. One at a time.
pub(super) fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    let hidden = hidden(file);
    let written = overwrite(&hidden, content).or_else(|_| {
        // There is none yet, or somebody reads it.
        remove(&hidden)?;
        fs::write(&hidden, content)
    });
    let replaced = written
        .and_then(|()| platform::exchange(&hidden, file).or_else(|_| fs::rename(&hidden, file)));
    if replaced.is_err() {
        // Half a file is of no use, and nobody would look for it under this name.
        let _ = remove(&hidden);
    }
    replaced
}

/// What the file holds: all of what was written at one time.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    // Where there are no locks, no file is overwritten.
    while file
        .lock_shared()
        .is_err_and(|error| error.kind() == ErrorKind::Interrupted)
    {}
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(content)
}

fn hidden(file: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    file.with_file_name(name)
}

fn overwrite(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(file)?;
    file.try_lock()?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use std::fs::{self, File};
    use std::io::Read;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn shorter_and_longer_contents_replace_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        for content in ["first", "a second", "3rd", "", "the fifth and last"] {
            write(&file, content.as_bytes()).unwrap();
            assert_eq!(read(&file).unwrap(), content.as_bytes());
        }
        // Two that take turns.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_being_read_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        write(&file, b"first").unwrap();
        let mut reader = File::open(&file).unwrap();
        reader.lock_shared().unwrap();
        for content in ["second", "third", "fourth"] {
            write(&file, content.as_bytes()).unwrap();
        }
        let mut content = String::new();
        reader.read_to_string(&mut content).unwrap();
        assert_eq!(content, "first");
        assert_eq!(read(&file).unwrap(), b"fourth");
    }

    #[test]
    fn readers_never_see_a_mixture() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let contents = [b'a', b'b', b'c'].map(|byte| vec![byte; 1000 * usize::from(byte - b'_')]);
        write(&file, &contents[0]).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for content in contents.iter().cycle().take(3000) {
                    write(&file, content).unwrap();
                }
                done.store(true, Relaxed);
            });
            while !done.load(Relaxed) {
                assert!(contents.contains(&read(&file).unwrap()));
            }
        });
    }
}
