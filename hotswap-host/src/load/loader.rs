//! The thread that opens libraries.
//!
//! A constructor of a library may remember the thread that opens it as the first one, as if that would live as long as the
//! process: allocators do. So all libraries are opened on one thread, which never ends. What a constructor leaves in
//! thread-locals is dropped here, when the retiring side asks for it.
use super::library::NotOpened;
use crate::live::record;
use crate::platform::{self, LoadedObject};
use libloading::os::unix as dl;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

enum Job {
    Open(PathBuf, Sender<Opened>),
    /// Run the destructors that retired libraries have left here.
    Attend,
}

type Opened = Result<(dl::Library, Option<LoadedObject>), libloading::Error>;

/// The way to the thread, once it was needed.
static LOADER: Mutex<Option<Sender<Job>>> = Mutex::new(None);

/// Opens a library. Also returns what the dynamic linker took the path for.
///
/// # Errors
/// There is no thread, or the dynamic linker refuses.
pub(super) fn open(path: &Path) -> Result<(dl::Library, Option<LoadedObject>), NotOpened> {
    let (reply, opened) = channel();
    let job = Job::Open(path.to_owned(), reply);
    let loader = sender().map_err(NotOpened::NoThread)?;
    let gone = || NotOpened::NoThread(io::Error::other("the thread that opens libraries is gone"));
    loader.send(job).map_err(|_| gone())?;
    opened
        .recv()
        .map_err(|_| gone())?
        .map_err(NotOpened::Linker)
}

/// Has the thread run the destructors that retired libraries have left on it.
pub(crate) fn attend() {
    let loader = LOADER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loader) = &*loader {
        // The thread never ends; in a forked child there is none, and nothing leaves memory.
        let _ = loader.send(Job::Attend);
    }
}

fn sender() -> io::Result<Sender<Job>> {
    let mut loader = LOADER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loader) = &*loader {
        return Ok(loader.clone());
    }
    let (jobs, inbox) = channel();
    std::thread::Builder::new()
        .name("hotswap-load".into())
        .spawn(move || run(&inbox))?;
    Ok(loader.insert(jobs).clone())
}

fn run(inbox: &Receiver<Job>) {
    // The static keeps a sender, so there is always another job.
    while let Ok(job) = inbox.recv() {
        match job {
            Job::Open(path, reply) => {
                // SAFETY: opening runs the constructors of the library and of what it needs. Loading a plugin is trusting
                // its code; the contract asks that constructors do not unwind.
                let library =
                    unsafe { dl::Library::open(Some(&path), dl::RTLD_NOW | dl::RTLD_LOCAL) };
                let opened = library.map(|library| platform::loaded_object(library, &path));
                // Who asked may have given up; then the library is closed again.
                let _ = reply.send(opened);
            }
            Job::Attend => record::mine().attend(),
        }
    }
}
