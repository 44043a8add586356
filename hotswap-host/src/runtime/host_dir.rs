//! The directory of one open swapper, and how it survives cleaners.
//!
//! The directory, or files of it, may be removed while the host runs: at the end of a session, or because nothing in it
//! was used for a long time. Three measures deal with this:
//!
//! - The directory itself is locked, which makes systemd-tmpfiles skip it and everything in it.
//! - The host keeps the lock file open and writes its record into it. So tools find the host by its open files while
//!   there is no directory: see [`open_locks`](super::open_locks).
//! - Before the host writes anything, it looks whether the lock file is still in its place. If not, it makes the
//!   directory again, under the same name, in the same base directory or, if that is not possible, in the next one.
//!   This also keeps the host from trusting a directory that someone else has made at the old place.
//!
//! Between these looks, the directory is not named but held: see [`Held`]. If it is exchanged for another one, only a
//! name is exchanged, and nothing is read, written, or removed by that name.
use super::base::{self, Base};
use super::error::RuntimeError;
use super::held::{CONTROL, HOST, Held, LOCK, MARK, REPORT, sweep};
use super::process;
use super::record::{HostRecord, LockRecord, StoredReport};
use super::small_file;
#[cfg(unix)]
use crate::platform::Identity;
use crate::shown;
use crate::telemetry::contain;
use serde::Serialize;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The last number in the name of this process's next directory.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The directory of one open swapper. The directory and its files are removed when this is dropped and no library is
/// left in it.
#[derive(Debug)]
pub(crate) struct HostDir {
    name: String,
    place: Mutex<Place>,
}

/// The place of the directory, as long as it is not removed.
#[derive(Debug)]
struct Place {
    base: Base,
    held: Arc<Held>,
    /// The host's record.
    host: Option<HostRecord>,
    /// The control socket, as long as it is where it was bound.
    #[cfg(unix)]
    control: Option<Identity>,
}

/// A directory that has just been found to exist.
pub(crate) struct Ready {
    pub(crate) held: Arc<Held>,
    /// Its path, if users other than this one cannot make it lead elsewhere; otherwise the reason why they can.
    pub(crate) real: Result<PathBuf, String>,
}

impl HostDir {
    /// Makes a directory below the first base directory that can be used, and removes what dead hosts left there.
    pub(crate) fn create() -> Result<Self, RuntimeError> {
        HostDir::create_below(Base::prepare_first(&base::candidates())?)
    }

    /// Makes a directory below `base`, like [`create`](Self::create).
    #[cfg(test)]
    pub(crate) fn create_in(base: &Path) -> Result<Self, RuntimeError> {
        HostDir::create_below(Base::prepare(base)?)
    }

    fn create_below(base: Base) -> Result<Self, RuntimeError> {
        sweep(&base.dir);
        let pid = std::process::id();
        let started = process::start_time(pid).unwrap_or(0);
        // A number is not used again even after its directory was removed, because tools may still look at that
        // directory.
        loop {
            let n = NEXT.fetch_add(1, Relaxed);
            let name = format!("{pid}-{started}-{n}");
            match base.dir.make_dir(OsStr::new(&name)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => {
                    let dir = base.path.join(name);
                    return Err(RuntimeError::NotCreated { dir, error });
                }
            }
            match Held::take(&base.dir, &name) {
                Ok(Some(held)) => {
                    let place = Place {
                        base,
                        held: Arc::new(held),
                        host: None,
                        #[cfg(unix)]
                        control: None,
                    };
                    return Ok(HostDir {
                        name,
                        place: Mutex::new(place),
                    });
                }
                // Another host took the directory for an abandoned one, between its making and its locking.
                Ok(None) => {}
                Err(error) => {
                    let file = base.path.join(name).join(LOCK);
                    return Err(RuntimeError::NotWritten { file, error });
                }
            }
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of the directory, which may have been removed.
    #[cfg(test)]
    pub(crate) fn path(&self) -> PathBuf {
        self.place().path(&self.name)
    }

    /// Returns the reason why no library is opened by its path, if there is one.
    pub(crate) fn exposed(&self) -> Option<String> {
        let place = self.place();
        place.base.real.as_ref().err().map(ToString::to_string)
    }

    /// Returns the directory, which is made again if it was removed.
    pub(crate) fn ready(&self) -> Result<Ready, RuntimeError> {
        let (made, ready, path) = {
            let mut place = self.place();
            let made = place.restore(&self.name)?;
            let real = match &place.base.real {
                Ok(real) => Ok(real.join(&self.name)),
                Err(error) => Err(error.to_string()),
            };
            let held = place.held.clone();
            (made, Ready { held, real }, place.path(&self.name))
        };
        Self::tell(made, &path);
        Ok(ready)
    }

    /// Publishes the host, or updates its record.
    pub(crate) fn publish(&self, host: &HostRecord) -> Result<(), RuntimeError> {
        let (made, path) = {
            let mut place = self.place();
            place.host = Some(host.clone());
            let made = place.restore(&self.name)?;
            if !made {
                place.publish(&self.name)?;
            }
            (made, place.path(&self.name))
        };
        Self::tell(made, &path);
        Ok(())
    }

    /// Stores the outcome of an attempt to reload.
    pub(crate) fn store(&self, report: &StoredReport) -> Result<(), RuntimeError> {
        let (made, path) = {
            let mut place = self.place();
            let made = place.restore(&self.name)?;
            if !made && place.held.dir().identity_of(OsStr::new(HOST)).is_err() {
                place.publish(&self.name)?;
            }
            place.write(&self.name, REPORT, report)?;
            (made, place.path(&self.name))
        };
        Self::tell(made, &path);
        Ok(())
    }

    /// Binds the control socket in the directory. An earlier one is replaced.
    #[cfg(unix)]
    pub(crate) fn bind_control(&self) -> Result<UnixListener, RuntimeError> {
        let (bound, made, path) = {
            let mut place = self.place();
            let made = place.restore(&self.name)?;
            let bound = place.held.dir().bind(OsStr::new(CONTROL));
            let bound = bound.and_then(|listener| {
                place.control = Some(place.held.dir().identity_of(OsStr::new(CONTROL))?);
                Ok(listener)
            });
            (bound, made, place.path(&self.name))
        };
        Self::tell(made, &path);
        let file = path.join(CONTROL);
        bound.map_err(|error| RuntimeError::NotWritten { file, error })
    }

    /// Returns true if the control socket is where it was bound.
    #[cfg(unix)]
    pub(crate) fn has_control(&self) -> bool {
        let place = self.place();
        let there = place.held.dir().identity_of(OsStr::new(CONTROL)).ok();
        place.control.is_some()
            && there == place.control
            && place.held.is_at(&place.path(&self.name))
    }

    /// Logs that the directory was made again. No lock is held here, because the host's subscriber may do anything.
    fn tell(made: bool, path: &Path) {
        if made {
            contain((), || {
                tracing::warn!(
                    target: "hotswap",
                    "the host's runtime directory was removed while the host runs, and has been made again: {}",
                    shown::path(path)
                );
            });
        }
    }

    /// Withdraws the host's record. The directory stays, for the libraries that are still open.
    pub(crate) fn withdraw(&self) {
        let mut place = self.place();
        place.host = None;
        // If the files cannot be changed, readers still notice that the host has ended.
        let _ = place.held.lock().set_len(MARK.len() as u64);
        for name in [HOST, REPORT, CONTROL] {
            let _ = place.held.dir().remove_file(OsStr::new(name));
        }
    }
}

impl Place {
    /// The path by which tools with the same environment find the directory.
    fn path(&self, name: &str) -> PathBuf {
        self.base.path.join(name)
    }

    /// Makes the directory again if it does not exist any more. Returns true if it was made.
    fn restore(&mut self, name: &str) -> Result<bool, RuntimeError> {
        if self.held.is_at(&self.path(name)) {
            return Ok(false);
        }
        self.base = match Base::prepare(&self.base.path) {
            Ok(base) => base,
            Err(_) => Base::prepare_first(&base::candidates())?,
        };
        self.held = loop {
            match self.base.dir.make_dir(OsStr::new(name)) {
                // The directory exists if only the lock file was removed. Only this user can create anything in the
                // base directory.
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    let dir = self.path(name);
                    return Err(RuntimeError::NotCreated { dir, error });
                }
                _ => {}
            }
            match Held::take(&self.base.dir, name) {
                Ok(Some(held)) => break Arc::new(held),
                Ok(None) => {}
                Err(error) => {
                    let file = self.path(name).join(LOCK);
                    return Err(RuntimeError::NotWritten { file, error });
                }
            }
        };
        self.publish(name)?;
        Ok(true)
    }

    /// Writes the host's record.
    fn publish(&self, name: &str) -> Result<(), RuntimeError> {
        let Some(host) = &self.host else {
            return Ok(());
        };
        self.write(name, HOST, host)?;
        let record = LockRecord {
            dir: self.path(name),
            host: host.clone(),
        };
        let written = shown::json(&record).map_err(io::Error::from);
        written
            .and_then(|json| {
                let mut file = self.held.lock();
                file.seek(SeekFrom::Start(MARK.len() as u64))?;
                file.write_all(json.as_bytes())?;
                file.set_len((MARK.len() + json.len()) as u64)
            })
            .map_err(|error| RuntimeError::NotWritten {
                file: self.path(name).join(LOCK),
                error,
            })
    }

    fn write(&self, name: &str, file: &str, content: &impl Serialize) -> Result<(), RuntimeError> {
        shown::json(content)
            .map_err(io::Error::from)
            .and_then(|json| small_file::write(self.held.dir(), OsStr::new(file), json.as_bytes()))
            .map_err(|error| RuntimeError::NotWritten {
                file: self.path(name).join(file),
                error,
            })
    }
}
