//! Builds and reloads while a host runs, on a thread of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use hotswap_host::runtime::{RunningHost, WaitError};

use crate::build::Outcome;
use crate::call::quoted;
use crate::cli::RunArgs;
use crate::pending::Change;
use crate::project::Project;
use crate::selection::Group;
use crate::session::Session;
use crate::sources::{self, Scope, is_toolchain_file};
use crate::ui::shown;
use crate::workspace::{directory, library};
use crate::{Error, attribute, host, hosts};

/// So long a host may take from its start until it has opened its plugins and listens.
const STARTING: Duration = Duration::from_secs(10);
/// So long a reload may take. Longer ones finish too, but the next change is not built before.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pauses before a refused reload is tried again: from this to that, each twice the one before.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// What is to be built, and for whom.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) change: Change,
    /// The running host. Where there is none, it is built too.
    pub(crate) host: Option<HostProcess>,
}

/// A host that was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostProcess {
    /// Its process id.
    pub(crate) pid: u32,
    /// When it was started.
    pub(crate) since: Instant,
}

/// A job that is done.
#[derive(Debug)]
pub(crate) struct Done {
    /// What the plugins are made of, or might be made of where they could not be built.
    pub(crate) plugins: Scope,
    /// The same of the host, where that was built.
    pub(crate) host: Option<Scope>,
    /// What came of it.
    pub(crate) result: Result<Made, Error>,
}

/// What came of a job.
#[derive(Debug)]
pub(crate) enum Made {
    /// The running host was told, if there was anything to tell.
    Plugins {
        /// Whether there was.
        changed: bool,
    },
    /// Everything that it takes to start the host.
    Everything(Box<Program>),
}

/// A host that can be started.
#[derive(Debug)]
pub(crate) struct Program {
    /// Runs it as `cargo run` would.
    pub(crate) command: Command,
    /// Its executable.
    pub(crate) executable: PathBuf,
    /// Where its plugins are.
    pub(crate) plugin_dir: PathBuf,
    /// The root of its workspace.
    pub(crate) root: PathBuf,
}

impl Program {
    /// The host of `project`, with this executable.
    pub(crate) fn of(
        project: &Project<'_>,
        executable: PathBuf,
        args: &RunArgs,
    ) -> Result<Self, Error> {
        Ok(Self {
            command: project.host_command(&executable, args)?,
            executable,
            plugin_dir: project.plugin_dir()?,
            root: project.workspace.root.clone(),
        })
    }
}

/// Builds and reloads.
pub(crate) struct Worker<'a> {
    session: &'a Session,
    args: &'a RunArgs,
    /// What was started from.
    manifest: PathBuf,
    /// `None` until Cargo can read the workspace.
    project: Option<Project<'a>>,
    /// What the last build was made of.
    scopes: (Scope, Option<Scope>),
    /// The packages of the plugins.
    plugins: Vec<String>,
    /// Where the running host looks for plugins.
    plugin_dir: Option<PathBuf>,
    host: Option<HostProcess>,
    /// Whether the host has yet to load what was built.
    behind: bool,
    /// When to ask the host once more, and the pause after that.
    again: Option<(Instant, Duration)>,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(session: &'a Session, args: &'a RunArgs, manifest: PathBuf) -> Self {
        Self {
            session,
            args,
            manifest,
            project: None,
            scopes: Default::default(),
            plugins: vec![],
            plugin_dir: None,
            host: None,
            behind: false,
            again: None,
        }
    }

    /// Does `jobs` until there are no more, or an interruption, and says of each when it is `done`.
    pub(crate) fn serve(mut self, jobs: &Receiver<Job>, done: impl Fn(Done)) {
        loop {
            let job = match self.again {
                Some((at, _)) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => jobs.recv().map_err(RecvTimeoutError::from),
            };
            match job {
                Ok(job) => {
                    let result = self.work(&job);
                    if result.is_err() {
                        self.widen();
                    }
                    let (plugins, host) = self.scopes.clone();
                    done(Done {
                        plugins,
                        host: host.filter(|_| job.host.is_none()),
                        result,
                    });
                }
                Err(RecvTimeoutError::Timeout) => self.ask_again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.session.interrupt.check().is_err() {
                return;
            }
        }
    }

    fn work(&mut self, job: &Job) -> Result<Made, Error> {
        self.host = job.host;
        self.again = None;
        self.take_up(&job.change)?;
        let project = self.project.as_ref().expect("it was taken up");
        let (host, group) = project.host()?;
        check_all_are_there(project, &group, &self.plugins)?;
        self.plugins = packages(&group);
        let plugin_dir = project.plugin_dir()?;
        let ui = &self.session.ui;
        let Some(before) = self.plugin_dir.clone().filter(|_| job.host.is_some()) else {
            if group.plugins.is_empty() {
                let first = quoted(&directory(host).join("plugins/first").to_string_lossy());
                ui.warn(format_args!(
                    "`{}` has no plugins yet; `cargo hotswap new --plugin {first}` makes one",
                    host.name
                ));
            }
            let outcome = project.build_changed_plugins()?;
            if !job.change.may_be_built {
                outcome.say_unchanged(self.session);
            }
            let executable = host::build(&project.calls(), host, self.args.bin.as_deref())?;
            let of_plugins = plugin_scope(project, &outcome)?;
            let dep_info = executable.with_extension("d");
            let of_host = Scope::of_build(&project.workspace, std::iter::once(&*dep_info));
            let program = Program::of(project, executable, self.args)?;
            self.scopes = (of_plugins, Some(of_host));
            self.plugin_dir = Some(program.plugin_dir.clone());
            self.behind = false;
            return Ok(Made::Everything(Box::new(program)));
        };
        if before != plugin_dir {
            return Err(Error::PluginDirMoved {
                before,
                now: plugin_dir,
            });
        }
        let outcome = project.build_changed_plugins()?;
        if !job.change.may_be_built {
            outcome.say_unchanged(self.session);
        }
        self.scopes.0 = plugin_scope(project, &outcome)?;
        self.behind |= outcome.changed();
        if self.behind {
            self.reload(AGAIN[0])?;
        }
        Ok(Made::Plugins {
            changed: outcome.changed(),
        })
    }

    /// Asks Cargo anew where what it says may have changed.
    fn take_up(&mut self, change: &Change) -> Result<(), Error> {
        let session = self.session;
        if let Some(file) = change.paths.iter().find(|path| is_toolchain_file(path))
            && let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN")
        {
            session.ui.warn(format_args!(
                "{} changed, but this command was started with the toolchain {}, which goes on building; start it again for another",
                shown(file, &session.dir),
                toolchain.to_string_lossy()
            ));
        }
        match &mut self.project {
            Some(project) => {
                if is_selection_changed(project, change)? {
                    project.refresh()?;
                }
            }
            None => {
                let manifest = Some(&*self.manifest);
                self.project = Some(Project::open(session, manifest, &self.args.compile)?);
            }
        }
        Ok(())
    }

    /// Adds what might mend a build that has failed.
    fn widen(&mut self) {
        let mut manifests = vec![self.manifest.clone()];
        if let Some(project) = &self.project {
            let workspace = &project.workspace;
            manifests.push(workspace.root.join("Cargo.toml"));
            if let Ok((host, group)) = project.host() {
                let packages = group.plugins.into_iter().chain([host]);
                manifests.extend(packages.map(|package| package.manifest_path.clone().into()));
            }
            self.scopes.0.exclude(workspace.target_dir.clone());
        }
        self.scopes.0.extend(sources::guess(manifests));
        self.scopes.0.add_mentions();
    }

    /// Has the host load what was built. `pause` comes before another attempt, where the host refuses for a reason that may pass.
    fn reload(&mut self, pause: Duration) -> Result<(), Error> {
        let ui = &self.session.ui;
        let reloaded = self
            .await_host()
            .and_then(|host| hosts::reload(self.session, &host, PATIENCE));
        let may_pass = match reloaded {
            Ok(report) if report.ok => {
                ui.status("Reloaded", report.text);
                self.behind = false;
                return Ok(());
            }
            Ok(report) => {
                ui.warn(format_args!(
                    "the host refused what was built, and goes on with what it has\n{}",
                    report.text
                ));
                report.may_pass
            }
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            Err(error) => {
                ui.error(&error);
                matches!(error, Error::NotAnswered(WaitError::TimedOut { .. }))
            }
        };
        let then = if may_pass {
            self.again = Some((Instant::now() + pause, pause));
            format!("asked again in {pause:?}")
        } else {
            "asked again after the next change".into()
        };
        ui.info(
            "Behind",
            format_args!("the host runs an older build; it is {then}"),
        );
        Ok(())
    }

    fn ask_again(&mut self) {
        if let Some((_, pause)) = self.again.take() {
            // An interruption is noticed by the caller.
            let _ = self.reload((pause * 2).min(AGAIN[1]));
        }
    }

    /// The running host, once it listens.
    fn await_host(&self) -> Result<RunningHost, Error> {
        let directory = self.plugin_dir.clone().unwrap_or_default();
        let own = self.host.map(|host| host.pid);
        let starting = self.host.map(|host| host.since + STARTING);
        loop {
            self.session.interrupt.check()?;
            let mut found = hosts::of(&directory);
            // What a script started has another id.
            let own = found.iter().position(|host| Some(host.pid) == own);
            let host = (!found.is_empty()).then(|| found.swap_remove(own.unwrap_or(0)));
            let is_late = starting.is_none_or(|until| Instant::now() >= until);
            match host {
                Some(host) if host.reload_signal.is_some() => return Ok(host),
                // Asked to reload, it says why it cannot.
                Some(host) if is_late => return Ok(host),
                None if is_late => return Err(hosts::none_of(directory)),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// Refuses to go on without a plugin whose source is half written: it would be removed from the running host.
fn check_all_are_there(
    project: &Project<'_>,
    group: &Group<'_>,
    before: &[String],
) -> Result<(), Error> {
    let now = packages(group);
    for name in before.iter().filter(|name| !now.contains(name)) {
        let mut members = project.workspace.members.iter();
        let package = members.find(|package| *package.name == **name);
        let root = package
            .and_then(library)
            .map(|library| library.src_path.as_std_path());
        if let Some(root) = root.filter(|root| !attribute::is_whole(root)) {
            return Err(Error::PluginUnreadable {
                package: name.clone(),
                source_file: root.to_owned(),
            });
        }
    }
    Ok(())
}

fn packages(group: &Group<'_>) -> Vec<String> {
    let plugins = group.plugins.iter();
    plugins.map(|plugin| plugin.name.to_string()).collect()
}

/// What the plugins that were built are made of, and what decides which plugins there are.
fn plugin_scope(project: &Project<'_>, outcome: &Outcome) -> Result<Scope, Error> {
    let workspace = &project.workspace;
    let dep_infos = outcome.built.iter().map(|built| built.dep_info.as_path());
    let mut scope = Scope::of_build(workspace, dep_infos);
    let (host, _) = project.host()?;
    scope.add_configuration(directory(host));
    sources::add_member_patterns(&workspace.root, &mut scope);
    for package in workspace.below(host) {
        let root = library(package).map(|library| library.src_path.clone().into());
        root.into_iter().for_each(|root| scope.add_file(root));
    }
    Ok(scope)
}

/// Whether there may be other plugins now than Cargo said.
fn is_selection_changed(project: &Project<'_>, change: &Change) -> Result<bool, Error> {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    if !change.paths.iter().all(is_rust) {
        return Ok(true);
    }
    let workspace = &project.workspace;
    for package in &workspace.members {
        let root = library(package).map(|library| library.src_path.as_std_path());
        let Some(root) = root.filter(|root| change.paths.iter().any(|path| path == root)) else {
            continue;
        };
        // One that is none any more is said to be none when it is built.
        if attribute::plugin(root)?.is_some() && !workspace.is_plugin(package)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Everything around `manifest` that the first build may be made of.
pub(crate) fn first_scope(manifest: &Path) -> Scope {
    sources::guess([manifest.to_owned()])
}
