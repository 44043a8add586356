//! Small files that are replaced in one step, again and again, and read whole.
//!
//! If a file that has just been written replaces another one by a rename, some file systems that otherwise delay it
//! (ext4) write the file to the disk at once. This costs more than all the rest of a reload that finds nothing new.
//! Therefore two files exchange their names: the hidden one, which already has space on the disk, is overwritten and
//! becomes the visible one.
//!
//! A reader that opened the hidden file while it was the visible one may still be reading it. Therefore readers lock
//! the file that they read. A hidden file that is locked is left to its readers, and a new file replaces it.
use crate::platform::Dir;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

/// The maximum number of bytes that are read. No file that hotswap writes is nearly as long.
const LIMIT: u64 = 64 << 20;

/// Replaces the content of the file in the directory. Only one thread may do this at a time.
pub(super) fn write(dir: &Dir, name: &OsStr, content: &[u8]) -> io::Result<()> {
    let hidden = hidden(name);
    let written = overwrite(dir, &hidden, content).or_else(|_| {
        // There is no hidden file yet, or it is being read.
        remove(dir, &hidden)?;
        dir.new_file(&hidden)?.write_all(content)
    });
    let replaced = written.and_then(|()| {
        dir.exchange(&hidden, name)
            .or_else(|_| dir.rename(&hidden, name))
    });
    if replaced.is_err() {
        // Half a file is useless, and it would not be found under this name.
        let _ = remove(dir, &hidden);
    }
    replaced
}

/// Replaces the content of the file at a path.
pub(super) fn write_at(file: &Path, content: &[u8]) -> io::Result<()> {
    let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(ErrorKind::InvalidInput.into());
    };
    write(&Dir::open(&parent.canonicalize()?)?, name, content)
}

/// Returns the content of the file, all of which was written at one time.
pub(super) fn read(dir: &Dir, name: &OsStr) -> io::Result<Vec<u8>> {
    let file = dir.file(name)?;
    // Where there are no locks, no file is overwritten.
    while file
        .lock_shared()
        .is_err_and(|error| error.kind() == ErrorKind::Interrupted)
    {}
    read_whole(file)
}

/// Returns the content of an open file from its current position.
pub(super) fn read_whole(file: File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut content)?;
    match content.len() as u64 > LIMIT {
        true => Err(ErrorKind::FileTooLarge.into()),
        false => Ok(content),
    }
}

/// Returns the name under which the next content is written.
pub(super) fn hidden(name: &OsStr) -> OsString {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden
}

fn overwrite(dir: &Dir, name: &OsStr, content: &[u8]) -> io::Result<()> {
    let mut file = dir.file_to_overwrite(name)?;
    file.try_lock()?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)
}

fn remove(dir: &Dir, name: &OsStr) -> io::Result<()> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{read, write_at as write};
    use crate::platform::Dir;
    use std::ffi::OsStr;
    use std::fs::{self, File};
    use std::io::Read;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn shorter_and_longer_contents_replace_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, name) = (Dir::open(dir.path()).unwrap(), OsStr::new("file"));
        let file = dir.path().join(name);
        for content in ["first", "a second", "3rd", "", "the fifth and last"] {
            write(&file, content.as_bytes()).unwrap();
            assert_eq!(read(&opened, name).unwrap(), content.as_bytes());
        }
        // These are the two files that exchange their names.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_being_read_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, name) = (Dir::open(dir.path()).unwrap(), OsStr::new("file"));
        let file = dir.path().join(name);
        write(&file, b"first").unwrap();
        let mut reader = File::open(&file).unwrap();
        reader.lock_shared().unwrap();
        for content in ["second", "third", "fourth"] {
            write(&file, content.as_bytes()).unwrap();
        }
        let mut content = String::new();
        reader.read_to_string(&mut content).unwrap();
        assert_eq!(content, "first");
        assert_eq!(read(&opened, name).unwrap(), b"fourth");
    }

    #[test]
    fn readers_never_see_a_mixture() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, name) = (Dir::open(dir.path()).unwrap(), OsStr::new("file"));
        let file = dir.path().join(name);
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
                assert!(contents.contains(&read(&opened, name).unwrap()));
            }
        });
    }

    #[test]
    fn what_links_lead_to_is_neither_read_nor_written() {
        let dir = tempfile::tempdir().unwrap();
        let (opened, name) = (Dir::open(dir.path()).unwrap(), OsStr::new("file"));
        let victim = dir.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        for link in ["file", ".file"] {
            std::os::unix::fs::symlink(&victim, dir.path().join(link)).unwrap();
        }
        assert!(read(&opened, name).is_err());
        for content in ["first", "second", "third"] {
            super::write(&opened, name, content.as_bytes()).unwrap();
            assert_eq!(read(&opened, name).unwrap(), content.as_bytes());
        }
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    }
}
