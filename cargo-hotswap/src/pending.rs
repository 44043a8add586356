//! What changed and is not built yet.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::session::Session;
use crate::sources::{Content, Reader, Scope, Survey, modified_since};
use crate::ui::shown;
use crate::watch::{Interest, Watcher};

/// A change is built when nothing else changed for so long: editors and version control write in bursts.
const QUIET: Duration = Duration::from_millis(60);
/// A change is built after so long in any case.
const PATIENCE: Duration = Duration::from_secs(1);
/// After so long without an event there is a look: not every change of a file makes one.
const SELDOM: Duration = Duration::from_secs(3);
/// The same where the system cannot watch everything.
const OFTEN: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Pending {
    /// `None` where there are only looks.
    watcher: Option<Watcher>,
    interest: Option<Interest>,
    /// So long after a look there is another one.
    interval: Duration,
    reader: Reader,
    /// What the plugins are made of.
    plugins: Scope,
    /// What the host is made of.
    host: Scope,
    /// What was built, or was tried to be.
    tried: BTreeMap<PathBuf, Content>,
    /// When each file had been written when that was done.
    modified: BTreeMap<PathBuf, SystemTime>,
    building: Option<Before>,
    hint: Option<Hint>,
    looked: Instant,
    /// Whether something changed while the last build ran, which succeeded.
    may_be_built: bool,
    /// Whether a look has found a change without an event before.
    warned: bool,
}

/// How things were when a build began.
struct Before {
    began: SystemTime,
    scope: Scope,
    survey: Arc<Survey>,
}

/// When there was something that may be a change.
#[derive(Clone, Copy)]
struct Hint {
    first: Instant,
    last: Instant,
    /// Whether there was an event, and not only a look.
    event: bool,
}

/// What is to be built.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// What changed since the last build.
    pub(crate) paths: Vec<PathBuf>,
    /// Whether it changed while a build ran that succeeded, and may be in that already: Cargo itself writes its lock file then.
    pub(crate) may_be_built: bool,
}

impl Pending {
    /// Looks at what `scope` covers, at first after every event that `watcher` reports, and in any case each `interval`.
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

    /// When there is to be a look, if nothing else happens.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.building.is_some() {
            return None;
        }
        let seldom = self.looked + self.interval;
        let hinted = self.hint.map(|hint| hint.due());
        Some(hinted.map_or(seldom, |hinted| hinted.min(seldom)))
    }

    /// Something may have changed.
    pub(crate) fn note(&mut self) {
        self.hint(true);
    }

    /// Looks, if it is time, and takes what is to be built. While a host runs, what only that is made of is no reason.
    pub(crate) fn take(&mut self, session: &Session, host_runs: bool) -> Option<Change> {
        let now = Instant::now();
        if self.due().is_none_or(|due| due > now) {
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
        let Some(hint) = self.hint.filter(|hint| hint.due() <= now) else {
            // There may be more to come.
            self.hint(false);
            return None;
        };
        if !hint.event && self.watcher.is_some() && !std::mem::replace(&mut self.warned, true) {
            session.ui.warn(format_args!(
                "{} changed, and the file system reported nothing; where it never does, `--poll` looks for changes more often than \
                 every {} seconds",
                shown(&paths[0], &session.dir),
                self.interval.as_secs()
            ));
        }
        for path in &paths {
            session.ui.detail("Changed", shown(path, &session.dir));
        }
        let may_be_built = std::mem::take(&mut self.may_be_built);
        self.begin(survey);
        Some(Change {
            paths,
            may_be_built,
        })
    }

    /// There is to be another build, though nothing changes.
    pub(crate) fn retry(&mut self) {
        self.tried.clear();
        self.hint(true);
    }

    /// Takes everything, for the first build.
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

    /// A build has ended, and says what the plugins, and the host if that was built, are made of.
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
                // It was missing.
                None if before.scope.covers(path) => None,
                // Nobody had looked at it.
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
            // What happened meanwhile; not all of it had been watched.
            self.hint(true);
        }
    }

    fn scope(&self) -> Scope {
        let mut scope = self.plugins.clone();
        scope.extend(self.host.clone());
        scope
    }

    /// Looks at everything, and has watched what was found.
    fn look(&mut self, session: &Session) -> Arc<Survey> {
        /// A directory that is replaced all the time is not worth more.
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
            // What changed before it was watched.
            survey = Arc::new(self.reader.survey(&scope));
        }
        if let Some(interest) = &self.interest {
            interest.set(survey.clone());
        }
        self.looked = Instant::now();
        survey
    }

    /// The paths at which there is something else than when the last build was tried.
    fn differences(&self, survey: &Survey) -> Vec<PathBuf> {
        let changed = survey.found.iter().filter(|(path, found)| {
            self.tried.get(*path) != Some(&found.content)
                || self.modified.get(*path) != found.modified.as_ref()
        });
        let gone = self.tried.keys();
        let gone = gone.filter(|path| !survey.found.contains_key(*path));
        changed.map(|(path, _)| path).chain(gone).cloned().collect()
    }

    /// Changes of what only the host is made of.
    fn leave(&mut self, session: &Session, survey: &Survey, paths: Vec<PathBuf>) {
        if let Some(path) = paths.first() {
            session.ui.info(
                "Note",
                format_args!(
                    "{} belongs to the host, which only a restart changes",
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

    fn hint(&mut self, event: bool) {
        let now = Instant::now();
        let first = self.hint.map_or(now, |hint| hint.first);
        let event = event || self.hint.is_some_and(|hint| hint.event);
        self.hint = Some(Hint {
            first,
            last: now,
            event,
        });
    }
}

impl Hint {
    fn due(&self) -> Instant {
        (self.last + QUIET).min(self.first + PATIENCE)
    }
}
