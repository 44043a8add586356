//! Builds and reloads while a host runs, on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::timing::{Timing, Way};
use crate::ui::shown;
use crate::workspace::{directory, library};
use crate::{Error, attribute, host, hosts};

/// How long a reload may take. A longer one finishes, too, but the next change is not built before.
const PATIENCE: Duration = Duration::from_secs(60);
/// The shortest and the longest pause before a refused reload is tried again. Each pause is twice the previous one.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// A build for a running host, or for one that is to be started.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) change: Change,
    /// The running host. If there is none, the host is built, too.
    pub(crate) host: Option<HostProcess>,
}

/// The process of a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostProcess {
    /// Its process id.
    pub(crate) pid: u32,
    /// The time of its start.
    pub(crate) since: Instant,
}

/// A finished job.
#[derive(Debug)]
pub(crate) struct Done {
    /// The files that the plugins are made of, or may be made of if they could not be built.
    pub(crate) plugins: Scope,
    /// The files of the host, if it was built.
    pub(crate) host: Option<Scope>,
    /// The result of the job.
    pub(crate) result: Result<Made, Error>,
}

/// The result of a successful job.
#[derive(Debug)]
pub(crate) enum Made {
    /// The plugins were built, and the running host was told if there was anything new.
    Plugins {
        /// True if there was anything new.
        changed: bool,
    },
    /// Everything was built that is needed to start the host.
    Everything(Box<Program>),
}

/// A host that can be started.
#[derive(Debug)]
pub(crate) struct Program {
    /// The command that runs it as `cargo run` would.
    pub(crate) command: Command,
    /// Its executable.
    pub(crate) executable: PathBuf,
    /// Its plugin directory.
    pub(crate) plugin_dir: PathBuf,
    /// The root of its workspace.
    pub(crate) root: PathBuf,
}

impl Program {
    /// Returns the host of `project`, with this executable.
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

/// The thread's state: it builds and reloads.
pub(crate) struct Worker<'a> {
    session: &'a Session,
    args: &'a RunArgs,
    /// The manifest with which the command was started.
    manifest: PathBuf,
    /// `None` until Cargo can read the workspace.
    project: Option<Project<'a>>,
    /// The files of the last build.
    scopes: (Scope, Option<Scope>),
    /// The paths that changed since the last build that succeeded.
    owed: BTreeSet<PathBuf>,
    /// The dep-info files of the plugins.
    dep_infos: BTreeMap<String, Vec<PathBuf>>,
    /// The packages of the plugins.
    plugins: Vec<String>,
    /// The plugin directory of the running host.
    plugin_dir: Option<PathBuf>,
    host: Option<HostProcess>,
    /// True if the host has yet to load the last build.
    behind: bool,
    /// The time at which to ask the host again, and the pause after that.
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
            owed: BTreeSet::new(),
            dep_infos: BTreeMap::new(),
            plugins: vec![],
            plugin_dir: None,
            host: None,
            behind: false,
            again: None,
        }
    }

    /// Does `jobs` until there are no more, or until an interruption. Calls `done` after each.
    pub(crate) fn serve(mut self, jobs: &Receiver<Job>, done: impl Fn(Done)) {
        loop {
            let job = match self.again {
                Some((at, _)) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => jobs.recv().map_err(RecvTimeoutError::from),
            };
            match job {
                Ok(job) => {
                    self.owed.extend(job.change.paths.iter().cloned());
                    let result = self.work(&job);
                    match &result {
                        Ok(_) => self.owed.clear(),
                        // The next build takes up what this one has not.
                        Err(Error::Superseded) => {}
                        Err(_) => self.widen(),
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
        let noticed = Instant::now();
        self.host = job.host;
        self.again = None;
        let changed: Vec<PathBuf> = self.owed.iter().cloned().collect();
        self.take_up(&changed)?;
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
            let outcome = project.build_changed_plugins(&[])?;
            if !job.change.may_be_built {
                outcome.say_unchanged(self.session);
            }
            note_dep_infos(&mut self.dep_infos, &outcome);
            let executable = host::build(&project.calls(), host, self.args.bin.as_deref())?;
            let of_plugins = plugin_scope(project, &self.plugins, &self.dep_infos)?;
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
        let outcome = project.build_changed_plugins(&changed)?;
        let mut timing = outcome.compiled.map(|(at, _)| Timing::since(at));
        let mut step = |name| timing.iter_mut().for_each(|timing| timing.step(name));
        step("check and install");
        if !job.change.may_be_built {
            outcome.say_unchanged(self.session);
        }
        note_dep_infos(&mut self.dep_infos, &outcome);
        self.scopes.0 = plugin_scope(project, &self.plugins, &self.dep_infos)?;
        self.behind |= outcome.changed();
        if self.behind {
            step("list of sources");
            self.reload(AGAIN[0])?;
            step("reload");
            if let Some(timing) = timing {
                self.session.ui.detail("Timing", timing);
            }
            if let (false, Some(saved), Some(compiled)) =
                (self.behind, job.change.saved, outcome.compiled)
            {
                let way = Way {
                    saved,
                    noticed,
                    compiled,
                    live: Instant::now(),
                };
                self.session.ui.info("Took", way);
            }
        }
        Ok(Made::Plugins {
            changed: outcome.changed(),
        })
    }

    /// Asks Cargo again if its answer may have changed.
    fn take_up(&mut self, changed: &[PathBuf]) -> Result<(), Error> {
        let session = self.session;
        if let Some(file) = changed.iter().find(|path| is_toolchain_file(path))
            && let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN")
        {
            session.ui.warn(format_args!(
                "{} changed, but this command keeps using the toolchain {}; start it again to use another",
                shown(file, &session.dir),
                toolchain.to_string_lossy()
            ));
        }
        match &mut self.project {
            Some(project) => {
                if is_selection_changed(project, changed)? {
                    project.refresh()?;
                }
            }
            None => {
                let manifest = Some(&*self.manifest);
                let project = Project::open(session, manifest, &self.args.compile)?;
                self.project = Some(project.with_host());
            }
        }
        Ok(())
    }

    /// Adds the files whose change might help a build that has failed.
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

    /// Makes the host load the build. `pause` comes before another attempt if the host refuses for a reason that may
    /// pass.
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
                    "the host refused the new plugins, and keeps those that it has\n{}",
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
            format!("asked to reload again in {pause:?}")
        } else {
            "asked to reload again after the next change".into()
        };
        ui.info(
            "Behind",
            format_args!("the host runs an older build; it will be {then}"),
        );
        Ok(())
    }

    fn ask_again(&mut self) {
        if let Some((_, pause)) = self.again.take() {
            // The caller notices an interruption.
            let _ = self.reload((pause * 2).min(AGAIN[1]));
        }
    }

    /// Returns the running host, once it listens.
    fn await_host(&self) -> Result<RunningHost, Error> {
        let directory = self.plugin_dir.clone().unwrap_or_default();
        let own = self.host.map(|host| host.pid);
        let limit = Duration::from_secs_f32(self.args.start_limit);
        let starting = self.host.map(|host| host.since + limit);
        loop {
            self.session.interrupt.check()?;
            let mut found = hosts::of(&directory);
            // A host that a script started has another id.
            let own = found.iter().position(|host| Some(host.pid) == own);
            let host = (!found.is_empty()).then(|| found.swap_remove(own.unwrap_or(0)));
            let is_late = starting.is_none_or(|until| Instant::now() >= until);
            match host {
                Some(host) if host.reload_signal.is_some() => return Ok(host),
                // When it is asked to reload, it says why it cannot.
                Some(host) if is_late => return Ok(host),
                None if is_late => return Err(hosts::none_of(directory)),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// Refuses to continue without a plugin whose source is half written, since it would be removed from the running host.
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

/// Returns the files of the plugins that were built, and the files that decide which plugins there are.
fn plugin_scope(
    project: &Project<'_>,
    plugins: &[String],
    dep_infos: &BTreeMap<String, Vec<PathBuf>>,
) -> Result<Scope, Error> {
    let workspace = &project.workspace;
    let dep_infos = plugins.iter().filter_map(|plugin| dep_infos.get(plugin));
    let mut scope = Scope::of_build(workspace, dep_infos.flatten().map(PathBuf::as_path));
    let (host, _) = project.host()?;
    scope.add_configuration(directory(host));
    sources::add_member_patterns(&workspace.root, &mut scope);
    for package in workspace.below(host) {
        let root = library(package).map(|library| library.src_path.clone().into());
        root.into_iter().for_each(|root| scope.add_file(root));
    }
    Ok(scope)
}

fn note_dep_infos(known: &mut BTreeMap<String, Vec<PathBuf>>, outcome: &Outcome) {
    let built = outcome.built.iter();
    known.extend(built.map(|built| (built.package.clone(), built.dep_infos.clone())));
}

/// Returns true if there may be other plugins now than Cargo reported.
fn is_selection_changed(project: &Project<'_>, changed: &[PathBuf]) -> Result<bool, Error> {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    if !changed.iter().all(is_rust) {
        return Ok(true);
    }
    let workspace = &project.workspace;
    for package in &workspace.members {
        let root = library(package).map(|library| library.src_path.as_std_path());
        let Some(root) = root.filter(|root| changed.iter().any(|path| path == root)) else {
            continue;
        };
        // A package that is not a plugin any more is reported when it is built.
        if attribute::plugin(root)?.is_some() && !workspace.is_plugin(package)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns all files around `manifest` of which the first build may be made.
pub(crate) fn first_scope(manifest: &Path) -> Scope {
    sources::guess([manifest.to_owned()])
}
