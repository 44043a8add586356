//! Notices that there may be something to build.
//!
//! The kernel watches directories by their identity, not by their paths. So whenever a survey finds another directory
//! at a path than was watched there, all directories are watched anew. Directories are watched rather than files, since
//! editors replace files, and a missing file cannot be watched. The directories above them, and those on the way
//! through links, are watched, too.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::sources::Survey;

/// An event that may mean a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Noticed {
    /// This path was made or written to, and more may follow.
    Begun(PathBuf),
    /// This path is as it is meant to be: a file was closed after it was written to, or moved into place. Or it is gone.
    Settled(PathBuf),
    /// Something else has happened.
    Other,
}

/// Reports that something may have changed, from a thread of its own.
pub(crate) struct Watcher {
    report: Arc<dyn Fn(Noticed) + Send + Sync>,
    /// `None` before the first survey.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeMap<PathBuf, (u64, u64)>,
}

impl Watcher {
    /// Returns a watcher that watches nothing yet.
    pub(crate) fn new(report: impl Fn(Noticed) + Send + Sync + 'static) -> Self {
        Self {
            report: Arc::new(report),
            watcher: None,
            watched: BTreeMap::new(),
        }
    }

    /// Returns true if exactly the directories of `survey` are watched.
    pub(crate) fn is_up_to_date(&self, survey: &Survey) -> bool {
        self.watcher.is_some() && self.watched == *survey.directories()
    }

    /// Watches the directories of `survey`, and no others. Returns the filter of events, which has to be given later
    /// surveys.
    ///
    /// # Errors
    /// Returns an error if the system cannot watch so many directories. It watches as many as it can.
    pub(crate) fn watch(&mut self, survey: Arc<Survey>) -> Result<Interest, notify::Error> {
        let interest = Interest(Arc::new(Mutex::new(survey.clone())));
        self.watched.clone_from(survey.directories());
        let make = || notify::recommended_watcher(handler(self.report.clone(), interest.clone()));
        // The previous watcher stays until the new one watches, unless the system has no room for two.
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
                // A directory above the sources may not be readable, and any directory may be gone by now. Then the
                // next survey differs.
                Ok(()) | Err(_) => {}
            }
        }
        drop(before);
        exhausted.map_or(Ok(interest), Err)
    }
}

/// The survey that decides which events matter.
#[derive(Clone)]
pub(crate) struct Interest(Arc<Mutex<Arc<Survey>>>);

impl Interest {
    /// Replaces the survey that decides which events matter.
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
    report: Arc<dyn Fn(Noticed) + Send + Sync>,
    interest: Interest,
) -> impl Fn(notify::Result<Event>) + Send {
    move |event| match event {
        Ok(event) if event.need_rescan() || event.paths.is_empty() => report(Noticed::Other),
        Ok(event) => {
            let Some(classify) = classify(&event.kind) else {
                return;
            };
            let survey = interest.get();
            let paths = event.paths.into_iter();
            for path in paths.filter(|path| survey.concerns(path)) {
                report(classify(path));
            }
        }
        // Events were lost.
        Err(_) => report(Noticed::Other),
    }
}

/// Returns the meaning of an event for its paths, or `None` if such an event changes nothing.
fn classify(kind: &EventKind) -> Option<fn(PathBuf) -> Noticed> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Noticed::Settled),
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::To)) => {
            Some(Noticed::Settled)
        }
        EventKind::Remove(_) => Some(Noticed::Settled),
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => {
            Some(Noticed::Begun)
        }
        _ => Some(|_| Noticed::Other),
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

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, MetadataKind, RemoveKind};

    use super::*;

    #[test]
    fn a_file_is_settled_when_it_is_closed_or_moved_into_place() {
        let noticed = |kind| classify(&kind).map(|classify| classify("a".into()));
        let settled = Some(Noticed::Settled("a".into()));
        let begun = Some(Noticed::Begun("a".into()));
        let data = ModifyKind::Data(DataChange::Any);
        assert_eq!(noticed(EventKind::Create(CreateKind::File)), begun);
        assert_eq!(noticed(EventKind::Modify(data)), begun);
        let close = |mode| EventKind::Access(AccessKind::Close(mode));
        assert_eq!(noticed(close(AccessMode::Write)), settled);
        assert_eq!(noticed(close(AccessMode::Read)), None);
        let moved = ModifyKind::Name(RenameMode::To);
        assert_eq!(noticed(EventKind::Modify(moved)), settled);
        assert_eq!(noticed(EventKind::Remove(RemoveKind::File)), settled);
        let touched = ModifyKind::Metadata(MetadataKind::Any);
        assert_eq!(noticed(EventKind::Modify(touched)), Some(Noticed::Other));
    }
}
