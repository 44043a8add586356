//! Notices when there may be something to build.
//!
//! The kernel watches directories by what they are, not by their paths. So whenever a survey finds a directory that is another one
//! than was watched there, all are watched anew. Directories are watched rather than files: editors replace files, and a file that
//! is missing has nothing else to be watched by. Those above them are watched, too, and those that links lead through.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::EventKind;
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::sources::Survey;

/// Reports from a thread of its own that something may have changed.
pub(crate) struct Watcher {
    report: Arc<dyn Fn() + Send + Sync>,
    /// `None` before the first survey.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeMap<PathBuf, (u64, u64)>,
}

impl Watcher {
    /// Watches nothing yet.
    pub(crate) fn new(report: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            report: Arc::new(report),
            watcher: None,
            watched: BTreeMap::new(),
        }
    }

    /// Whether exactly the directories of `survey` are watched.
    pub(crate) fn is_up_to_date(&self, survey: &Survey) -> bool {
        self.watcher.is_some() && self.watched == *survey.directories()
    }

    /// Watches the directories of `survey`, and no others. Returns what is reported, which is to be given what further surveys find.
    ///
    /// # Errors
    /// The system cannot watch so much. What it can is watched all the same.
    pub(crate) fn watch(&mut self, survey: Arc<Survey>) -> Result<Interest, notify::Error> {
        let interest = Interest(Arc::new(Mutex::new(survey.clone())));
        self.watched.clone_from(survey.directories());
        let make = || notify::recommended_watcher(handler(self.report.clone(), interest.clone()));
        // The one before goes on until the new one watches, unless the system has no room for two.
        let mut before = self.watcher.take();
        let mut made = make();
        if made.is_err() && before.take().is_some() {
            made = make();
        }
        let watcher = self.watcher.insert(made?);
        let mut exhausted = None;
        for directory in survey.directories().keys() {
            match watcher.watch(directory, RecursiveMode::NonRecursive) {
                Err(error) if is_exhausted(&error) => exhausted = Some(error),
                // One above the sources may not be readable, and any may be gone by now; the next survey then finds another.
                Ok(()) | Err(_) => {}
            }
        }
        drop(before);
        exhausted.map_or(Ok(interest), Err)
    }
}

/// The survey by which events are judged.
#[derive(Clone)]
pub(crate) struct Interest(Arc<Mutex<Arc<Survey>>>);

impl Interest {
    /// From now on, events are judged by this survey.
    pub(crate) fn set(&self, survey: Arc<Survey>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = survey;
    }

    fn get(&self) -> Arc<Survey> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn handler(
    report: Arc<dyn Fn() + Send + Sync>,
    interest: Interest,
) -> impl Fn(notify::Result<Event>) + Send {
    move |event| {
        let concerns = match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => false,
            Ok(event) if event.need_rescan() || event.paths.is_empty() => true,
            Ok(event) => {
                let survey = interest.get();
                event.paths.iter().any(|path| survey.concerns(path))
            }
            // Events were lost.
            Err(_) => true,
        };
        if concerns {
            report();
        }
    }
}

fn is_exhausted(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::MaxFilesWatch => true,
        ErrorKind::Io(error) => error.raw_os_error().is_some_and(|code| {
            let errno = rustix::io::Errno::from_raw_os_error(code);
            use rustix::io::Errno;
            matches!(
                errno,
                Errno::NOSPC | Errno::MFILE | Errno::NFILE | Errno::NOMEM
            )
        }),
        _ => false,
    }
}
