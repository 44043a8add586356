//! Building and reloading while a host runs: when ([`Pending`]) and how ([`Worker`]).

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use hotswap_host::runtime::RunningHost;

use crate::project::Project;
use crate::session::Session;
use crate::watch::{Change, Sources, Watcher};
use crate::{Error, hosts};

/// A change is built when nothing else changed for so long: editors and version control write in bursts.
const QUIET: Duration = Duration::from_millis(60);
/// So long a host may take from its start until it has opened its plugins and listens.
const STARTING: Duration = Duration::from_secs(10);
/// So long a reload may take. Longer ones finish too, but the next change is not built before.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    /// Whether a manifest changed, so that Cargo has to be asked again which plugins there are.
    refresh: bool,
}

/// A build that is done.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    /// When it began: later changes are not in it.
    began: SystemTime,
    /// What the plugins are made of now; nothing where they could not be built.
    sources: Option<Sources>,
}

/// What changed and is not built yet.
pub(crate) struct Pending {
    watcher: Watcher,
    sources: Sources,
    host_sources: Sources,
    /// When the last change was noticed.
    changed: Option<Instant>,
    manifests: bool,
    building: bool,
    host_changed: bool,
}

impl Pending {
    /// Watches `sources`, of which a build was begun at `began`, and those of the host.
    pub(crate) fn new(
        watcher: Watcher,
        sources: Sources,
        host_sources: Sources,
        began: SystemTime,
    ) -> Result<Self, Error> {
        let mut this = Self {
            watcher,
            sources: Sources::default(),
            host_sources,
            changed: None,
            manifests: false,
            building: false,
            host_changed: false,
        };
        this.watch(sources, began)?;
        Ok(this)
    }

    /// When the next build should begin, if nothing else happens.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.changed
            .filter(|_| !self.building)
            .map(|changed| changed + QUIET)
    }

    /// Notes what changed. No path at all means that changes were lost: anything may have.
    pub(crate) fn note(&mut self, session: &Session, changes: &[Change]) {
        for (path, is_new) in changes {
            if self.sources.concern(path, *is_new) {
                session.ui.detail("Changed", path.display());
                self.manifests |= path.ends_with("Cargo.toml");
                self.changed = Some(Instant::now());
            } else if self.host_sources.concern(path, *is_new)
                && !std::mem::replace(&mut self.host_changed, true)
            {
                let path = path.display();
                session.ui.info(
                    "Note",
                    format_args!("{path} belongs to the host, which only a restart changes"),
                );
            }
        }
        if changes.is_empty() {
            self.manifests = true;
            self.changed = Some(Instant::now());
        }
    }

    /// Takes what is to be built.
    pub(crate) fn start(&mut self) -> Job {
        self.changed = None;
        self.building = true;
        Job {
            refresh: std::mem::take(&mut self.manifests),
        }
    }

    /// Goes on with what the finished build is made of.
    pub(crate) fn finish(&mut self, session: &Session, rebuilt: Rebuilt) {
        self.building = false;
        let Some(sources) = rebuilt.sources else {
            return;
        };
        if let Err(error) = self.watch(sources, rebuilt.began) {
            session.ui.error(&error);
        }
    }

    fn watch(&mut self, sources: Sources, began: SystemTime) -> Result<(), Error> {
        self.watcher.watch([&sources, &self.host_sources])?;
        // What was saved before it was watched.
        if sources != self.sources && sources.changed_since(began) {
            self.changed = Some(Instant::now());
        }
        self.sources = sources;
        Ok(())
    }
}

/// Builds and reloads.
pub(crate) struct Worker<'a> {
    session: &'a Session,
    project: Project<'a>,
    /// The host's process id.
    host: u32,
    /// Until then the host may still be starting.
    starting: Instant,
    /// Whether the host has yet to load what was built.
    behind: bool,
}

impl<'a> Worker<'a> {
    /// For the host with this process id, which was started just now.
    pub(crate) fn new(session: &'a Session, project: Project<'a>, host: u32) -> Self {
        Self {
            session,
            project,
            host,
            starting: Instant::now() + STARTING,
            behind: false,
        }
    }

    /// Does `jobs` until there are no more, or an interruption, and says of each when it is `done`.
    pub(crate) fn serve(mut self, jobs: &Receiver<Job>, done: impl Fn(Rebuilt)) {
        let ui = &self.session.ui;
        for job in jobs {
            let began = SystemTime::now();
            let sources = match self.rebuild(job) {
                Ok(sources) => Some(sources),
                Err(Error::Interrupted { .. }) => return,
                Err(error) => {
                    ui.error(&error);
                    ui.info("Unchanged", "the host goes on with what it has");
                    None
                }
            };
            done(Rebuilt { began, sources });
        }
    }

    /// Builds, and reloads where anything changed.
    fn rebuild(&mut self, job: Job) -> Result<Sources, Error> {
        if job.refresh {
            self.project.refresh()?;
        }
        let outcome = self.project.build_plugins()?;
        self.behind |= outcome.changed();
        if self.behind {
            match self.reload() {
                Ok(()) => self.behind = false,
                Err(error @ Error::Interrupted { .. }) => return Err(error),
                Err(error) => self.session.ui.error(&error),
            }
        }
        Ok(Sources::of(&self.project.workspace, &outcome.built))
    }

    fn reload(&self) -> Result<(), Error> {
        let ui = &self.session.ui;
        let report = hosts::reload(self.session, &self.await_host()?, PATIENCE)?;
        if report.ok {
            ui.status("Reloaded", report.text);
        } else {
            ui.warn(format_args!(
                "the host refused what was built, and goes on with what it has\n{}",
                report.text
            ));
        }
        Ok(())
    }

    /// The running host, once it listens.
    fn await_host(&self) -> Result<RunningHost, Error> {
        let directory = self.project.plugin_dir()?;
        loop {
            self.session.interrupt.check()?;
            let mut found = hosts::of(&directory);
            // What a script started has another id.
            let own = found.iter().position(|host| host.pid == self.host);
            let host = (!found.is_empty()).then(|| found.swap_remove(own.unwrap_or(0)));
            match host {
                Some(host) if host.reload_signal.is_some() => return Ok(host),
                // Asked to reload, it says why it cannot.
                Some(host) if Instant::now() >= self.starting => return Ok(host),
                None if Instant::now() >= self.starting => {
                    return Err(Error::NoHostRunning { directory });
                }
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}
