//! Requests by file: whoever may write into a directory may ask for a reload, be it a script, an editor, or a deployment.
use anyhow::Context as _;
use notify::{RecursiveMode, Watcher as _};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use tracing::error;

/// The file that asks.
const NAME: &str = "reload";

/// Watches a directory until it is dropped.
pub struct Requests {
    file: PathBuf,
    // Dropped in this order: without the watcher, the thread ends.
    watcher: Option<notify::RecommendedWatcher>,
    thread: Option<JoinHandle<()>>,
}

impl Requests {
    /// Runs `serve` whenever the file is there, on a thread of its own. The file is removed before: it is gone once its
    /// request was taken up, and one that comes meanwhile is another request.
    ///
    /// # Errors
    /// The directory can be neither made nor watched.
    pub fn watch(directory: &Path, serve: impl Fn() + Send + 'static) -> anyhow::Result<Self> {
        let shown = directory.display();
        fs::create_dir_all(directory).with_context(|| format!("cannot make {shown}"))?;
        let directory = directory
            .canonicalize()
            .with_context(|| format!("cannot find {shown}"))?;
        let file = directory.join(NAME);
        let (sender, changes) = mpsc::channel();
        let mut watcher = watcher(sender.clone())?;
        watcher
            .watch(&directory, RecursiveMode::NonRecursive)
            .with_context(|| format!("cannot watch {shown}"))?;
        // One that was there before.
        // The receiver is there until the thread ends.
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

    /// The file that asks.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        drop(self.watcher.take());
        if let Some(thread) = self.thread.take() {
            // It has told what it panicked of.
            let _ = thread.join();
        }
    }
}

/// Sends something for each change.
fn watcher(changes: Sender<()>) -> notify::Result<notify::RecommendedWatcher> {
    notify::recommended_watcher(move |event: notify::Result<notify::Event>| match event {
        // Reading is no change.
        Ok(event) if event.kind.is_access() => {}
        Ok(_) => {
            let _ = changes.send(());
        }
        Err(failed) => error!("requests are no longer seen: {failed}"),
    })
}

/// Whether there was a request.
fn take(file: &Path) -> bool {
    match fs::remove_file(file) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => {
            error!("{} cannot be removed: {error}", file.display());
            false
        }
    }
}
