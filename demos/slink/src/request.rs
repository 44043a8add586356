//! Requests by file. Everyone who may write into a directory can request a reload: a script, an editor, or a
//! deployment.
use anyhow::Context as _;
use notify::{RecursiveMode, Watcher as _};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use tracing::error;

/// The name of the file that requests a reload.
const NAME: &str = "reload";

/// Watches a directory until it is dropped.
pub struct Requests {
    file: PathBuf,
    // The watcher is dropped first, which ends the thread.
    watcher: Option<notify::RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl Requests {
    /// Runs `serve` on a thread of its own whenever the file is there. The file is removed first, so it disappears when
    /// its request is accepted, and a file that appears meanwhile is another request.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be created or watched.
    pub fn watch(directory: &Path, serve: impl Fn() + Send + 'static) -> anyhow::Result<Self> {
        let shown = directory.display();
        fs::create_dir_all(directory).with_context(|| format!("cannot create {shown}"))?;
        let directory = directory
            .canonicalize()
            .with_context(|| format!("cannot find {shown}"))?;
        let file = directory.join(NAME);
        let (sender, changes) = mpsc::channel();
        let mut watcher = watcher(sender.clone())?;
        watcher
            .watch(&directory, RecursiveMode::NonRecursive)
            .with_context(|| format!("cannot watch {shown}"))?;
        // The file may have been there before. The receiver exists until the thread ends, so sending succeeds.
        let _ = sender.send(());
        drop(sender);
        let asked = file.clone();
        let run = move || {
            for () in changes {
                if take(&asked) {
                    serve();
                }
            }
        };
        let thread = thread::Builder::new().name("requests".into()).spawn(run)?;
        Ok(Requests {
            file,
            watcher: Some(watcher),
            thread: Some(thread),
        })
    }

    /// Returns the file that requests a reload.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        drop(self.watcher.take());
        if let Some(thread) = self.thread.take() {
            // The thread has already reported its panic.
            let _ = thread.join();
        }
    }
}

/// Sends a message for each change.
fn watcher(changes: Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
        // Reading does not change anything.
        Ok(event) if event.kind.is_access() => {}
        Ok(_) => {
            let _ = changes.send(());
        }
        Err(failed) => error!("cannot watch for requests any longer: {failed}"),
    })
}

/// Takes a request, if there is one.
fn take(file: &Path) -> bool {
    match fs::remove_file(file) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => {
            error!("cannot remove {}: {error}", file.display());
            false
        }
    }
}
