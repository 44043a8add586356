//! The changes that are not built yet.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::session::Session;
use crate::sources::{Content, Found, Reader, Scope, Survey, modified_since};
use crate::ui::shown;
use crate::watch::{Interest, Noticed, Watcher};

/// A change is built when all files are closed or moved into place, and no other change came for this long.
const SETTLED: Duration = Duration::from_millis(5);
/// A change is built when no other change came for this long, if a file is not closed yet or is missing. Editors and
/// version control write in bursts, and not every file system reports that a file was closed.
const QUIET: Duration = Duration::from_millis(60);
/// A change is built after this long in any case.
const PATIENCE: Duration = Duration::from_secs(1);
/// After this long without an event the files are checked, since not every change of a file causes an event.
const SELDOM: Duration = Duration::from_secs(3);
/// The interval between two looks if the system cannot watch everything.
const OFTEN: Duration = Duration::from_secs(1);

/// The changes that are not built yet, and how they are noticed.
pub(crate) struct Pending {
    /// `None` if there are only checks at intervals.
    watcher: Option<Watcher>,
    interest: Option<Interest>,
    /// The time between two checks.
    interval: Duration,
    reader: Reader,
    /// The files of the plugins.
    plugins: Scope,
    /// The files of the host.
    host: Scope,
    /// The contents of the last build that was tried.
    tried: BTreeMap<PathBuf, Content>,
    /// The modification times of the files at that build.
    modified: BTreeMap<PathBuf, SystemTime>,
    building: Option<Before>,
    hint: Option<Hint>,
    looked: Instant,
    /// True if something changed while the last build ran, and that build succeeded.
    may_be_built: bool,
    /// True if an earlier check has found a change without an event.
    warned: bool,
}

/// The state at the beginning of a build.
struct Before {
    began: SystemTime,
    scope: Scope,
    survey: Arc<Survey>,
}

/// The times of what may be a change.
struct Hint {
    first: Instant,
    last: Instant,
    /// True if there was an event, and not only a check.
    event: bool,
    /// The paths that were made or written to, and are not closed yet.
    begun: BTreeSet<PathBuf>,
    /// True if a file is missing, which another one may be about to replace.
    missing: bool,
}

/// The changes to build.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The paths that changed since the last build.
    pub(crate) paths: Vec<PathBuf>,
    /// The time of the last of these changes, if the file system knows it. It is `None` for the first build.
    pub(crate) saved: Option<Instant>,
    /// True if they changed while a build ran that succeeded, and may be in that build already: Cargo itself writes its
    /// lock file then.
    pub(crate) may_be_built: bool,
}

impl Pending {
    /// Checks the files of `scope`, after every event that `watcher` reports and, in any case, each `interval`.
    pub(crate) fn new(watcher: Option<Watcher>, interval: Option<Duration>, scope: Scope) -> Self {
        Self {
            watcher,
            interest: None,
            interval: interval.unwrap_or(SELDOM),
            reader: Reader::default(),
            plugins: scope,
            host: Scope::default(),
            tried: BTreeMap::new(),
            modified: BTreeMap::new(),
            building: None,
            hint: None,
            looked: Instant::now(),
            may_be_built: false,
            warned: false,
        }
    }

    /// Returns the time of the next check, if nothing else happens.
    pub(crate) fn due(&self) -> Option<Instant> {
        let hinted = self.hint.as_ref().map(Hint::due);
        if self.building.is_some() {
            return hinted;
        }
        let seldom = self.looked + self.interval;
        Some(hinted.map_or(seldom, |hinted| hinted.min(seldom)))
    }

    /// Notes that something may have changed.
    pub(crate) fn note(&mut self, noticed: Noticed) {
        self.hint(true).note(noticed);
    }

    /// Returns true if it is time to look, and if a file is not any more what the running build has found. While a host
    /// runs, the host's own files are left out.
    ///
    /// Only the content of a file counts, and not a file that has come or gone: Cargo and build scripts make files, too.
    pub(crate) fn is_outdated(&mut self, host_runs: bool) -> bool {
        let Some(before) = &self.building else {
            return false;
        };
        if self
            .hint
            .as_ref()
            .is_none_or(|hint| hint.due() > Instant::now())
        {
            return false;
        }
        // `finish` looks for changes in any case.
        self.hint = None;
        let now = self.reader.survey(&before.scope);
        let is_other = |(path, found): &(&PathBuf, &Found)| {
            let known = before.survey.found.get(*path);
            known.is_some_and(|known| known.content != found.content)
                && !path.ends_with("Cargo.lock")
                && (!host_runs || self.plugins.covers(path))
        };
        now.found.iter().any(|found| is_other(&found))
    }

    /// Checks the files if it is time, and returns what is to be built. While a host runs, changes of the host's own
    /// files are left out.
    pub(crate) fn take(&mut self, session: &Session, host_runs: bool) -> Option<Change> {
        let now = Instant::now();
        if self.building.is_some() || self.due().is_none_or(|due| due > now) {
            return None;
        }
        let survey = self.look(session);
        let mut paths = self.differences(&survey);
        if host_runs {
            let (plugins, of_host) = paths
                .into_iter()
                .partition(|path| self.plugins.covers(path));
            paths = plugins;
            self.leave(session, &survey, of_host);
        }
        if paths.is_empty() {
            self.hint = None;
            return None;
        }
        let missing = paths.iter().any(|path| !survey.found.contains_key(path));
        let hint = self.hint.get_or_insert_with(|| Hint::new(false));
        hint.missing = missing;
        if hint.due() > now {
            // There may be more changes to come.
            return None;
        }
        if !hint.event && self.watcher.is_some() && !std::mem::replace(&mut self.warned, true) {
            session.ui.warn(format_args!(
                "{} changed, but the file system reported no event; if it never does, `--poll` looks for changes more often than \
                 every {} seconds",
                shown(&paths[0], &session.dir),
                self.interval.as_secs()
            ));
        }
        for path in &paths {
            session.ui.detail("Changed", shown(path, &session.dir));
        }
        let may_be_built = std::mem::take(&mut self.may_be_built);
        let saved = saved(&paths).or(Some(hint.first));
        self.begin(survey);
        Some(Change {
            paths,
            saved,
            may_be_built,
        })
    }

    /// Asks for another build without a change.
    pub(crate) fn retry(&mut self) {
        self.tried.clear();
        self.hint(true);
    }

    /// Returns everything, for the first build.
    pub(crate) fn take_all(&mut self, session: &Session) -> Change {
        let survey = self.look(session);
        self.begin(survey);
        Change::default()
    }

    fn begin(&mut self, survey: Arc<Survey>) {
        self.hint = None;
        self.building = Some(Before {
            began: SystemTime::now(),
            scope: self.scope(),
            survey,
        });
    }

    /// Notes that a build has ended. `plugins` and, if it was built, `host` are the files that they are made of.
    pub(crate) fn finish(
        &mut self,
        session: &Session,
        plugins: Scope,
        host: Option<Scope>,
        succeeded: bool,
    ) {
        self.plugins = plugins;
        if let Some(host) = host {
            self.host = host;
        }
        let Some(before) = self.building.take() else {
            return;
        };
        let survey = self.look(session);
        let scope = self.scope();
        self.tried.clear();
        self.modified.clear();
        for (path, found) in &survey.found {
            self.modified
                .extend(found.modified.map(|at| (path.clone(), at)));
            let content = match before.survey.found.get(path) {
                Some(before) => Some(before.content),
                // The file was missing.
                None if before.scope.covers(path) => None,
                // The file was not checked before.
                None => {
                    let changed = path
                        .metadata()
                        .is_ok_and(|metadata| modified_since(&metadata, before.began));
                    (!changed).then_some(found.content)
                }
            };
            self.tried
                .extend(content.map(|content| (path.clone(), content)));
        }
        let gone = before.survey.found.iter();
        let gone = gone.filter(|(path, _)| !survey.found.contains_key(*path) && scope.covers(path));
        self.tried
            .extend(gone.map(|(path, found)| (path.clone(), found.content)));
        let changed = !self.differences(&survey).is_empty();
        self.may_be_built = changed && succeeded;
        if changed {
            // For changes during the build: not all files had been watched.
            self.hint(true);
        }
    }

    fn scope(&self) -> Scope {
        let mut scope = self.plugins.clone();
        scope.extend(self.host.clone());
        scope
    }

    /// Checks all files, and watches the directories that it finds.
    fn look(&mut self, session: &Session) -> Arc<Survey> {
        /// A directory may be replaced all the time, so there is a limit.
        const TIMES: usize = 5;
        let scope = self.scope();
        let mut survey = Arc::new(self.reader.survey(&scope));
        for _ in 0..TIMES {
            let Some(watcher) = &mut self.watcher else {
                break;
            };
            if watcher.is_up_to_date(&survey) {
                break;
            }
            match watcher.watch(survey.clone()) {
                Ok(interest) => self.interest = Some(interest),
                Err(error) => {
                    self.watcher = None;
                    self.interval = self.interval.min(OFTEN);
                    session.ui.warn(format_args!(
                        "cannot watch {} directories ({error}); looking for changes every {} seconds instead. On Linux, \
                         `sysctl fs.inotify` shows the limits",
                        survey.directories().len(),
                        self.interval.as_secs_f32(),
                    ));
                }
            }
            // For changes before the directories were watched.
            survey = Arc::new(self.reader.survey(&scope));
        }
        if let Some(interest) = &self.interest {
            interest.set(survey.clone());
        }
        self.looked = Instant::now();
        survey
    }

    /// Returns the paths whose content differs from that of the last build that was tried.
    fn differences(&self, survey: &Survey) -> Vec<PathBuf> {
        let changed = survey.found.iter().filter(|(path, found)| {
            self.tried.get(*path) != Some(&found.content)
                || self.modified.get(*path) != found.modified.as_ref()
        });
        let gone = self.tried.keys();
        let gone = gone.filter(|path| !survey.found.contains_key(*path));
        changed.map(|(path, _)| path).chain(gone).cloned().collect()
    }

    /// Reports changes of files that only the host is made of.
    fn leave(&mut self, session: &Session, survey: &Survey, paths: Vec<PathBuf>) {
        if let Some(path) = paths.first() {
            session.ui.info(
                "Note",
                format_args!(
                    "{} belongs to the host; restart the host for this change",
                    shown(path, &session.dir)
                ),
            );
        }
        for path in paths {
            match survey.found.get(&path) {
                Some(found) => {
                    self.modified
                        .extend(found.modified.map(|at| (path.clone(), at)));
                    self.tried.insert(path, found.content);
                }
                None => drop(self.tried.remove(&path)),
            }
        }
    }

    fn hint(&mut self, event: bool) -> &mut Hint {
        let hint = self.hint.get_or_insert_with(|| Hint::new(event));
        hint.last = Instant::now();
        hint.event |= event;
        hint
    }
}

impl Hint {
    fn new(event: bool) -> Self {
        let now = Instant::now();
        Self {
            first: now,
            last: now,
            event,
            begun: BTreeSet::new(),
            missing: false,
        }
    }

    fn note(&mut self, noticed: Noticed) {
        self.missing = false;
        match noticed {
            Noticed::Begun(path) => drop(self.begun.insert(path)),
            Noticed::Settled(path) => drop(self.begun.remove(&path)),
            Noticed::Other => {}
        }
    }

    fn due(&self) -> Instant {
        let is_settled = self.event && self.begun.is_empty() && !self.missing;
        let quiet = if is_settled { SETTLED } else { QUIET };
        (self.last + quiet).min(self.first + PATIENCE)
    }
}

/// Returns the time at which the last of these files was written, or moved to its place. Returns `None` if the file
/// system does not tell, or tells another time than this machine.
fn saved(paths: &[PathBuf]) -> Option<Instant> {
    /// Whatever is older was not noticed at once.
    const RECENT: Duration = Duration::from_secs(10);
    let changed = |path: &PathBuf| {
        let found = path.metadata().ok()?;
        let since = Duration::new(
            u64::try_from(found.ctime()).ok()?,
            u32::try_from(found.ctime_nsec()).ok()?,
        );
        SystemTime::UNIX_EPOCH.checked_add(since)
    };
    let last = paths.iter().filter_map(changed).max()?;
    let ago = last.elapsed().ok().filter(|ago| *ago < RECENT)?;
    Instant::now().checked_sub(ago)
}
