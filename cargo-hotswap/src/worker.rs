//! Builds and reloads while a host runs, on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

#[cfg(feature = "control")]
use hotswap_control::ClientError;
use hotswap_host::runtime::WaitError;

use crate::build::Outcome;
use crate::call::quoted;
use crate::cli::RunArgs;
use crate::delivery::{Delivered, InstalledBuild};
use crate::pending::Change;
use crate::project::Project;
use crate::recipient::{HostProcess, Recipient};
use crate::selection::Group;
use crate::session::Session;
use crate::sources::{self, Scope, is_toolchain_file};
use crate::timing::{Timing, Way};
use crate::ui::shown;
use crate::workspace::{directory, library};
use crate::{Error, attribute, host};

/// The shortest and the longest pause before a refused reload is tried again. Each pause is twice the previous one.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// Work for a running host, or for one that is to be started.
#[derive(Debug)]
pub(crate) enum Job {
    /// A build.
    Build {
        /// The changes since the last one.
        change: Change,
        /// The running host, if the command has started one. If it starts hosts and none runs, the host is built, too.
        host: Option<HostProcess>,
    },
    /// The last build is to be brought to a host that may not have it.
    #[cfg(feature = "control")]
    Bring,
}

/// A finished build.
#[derive(Debug)]
pub(crate) struct Done {
    /// The files that the plugins are made of, or may be made of if they could not be built.
    pub(crate) plugins: Scope,
    /// The files of the host, if it was built.
    pub(crate) host: Option<Scope>,
    /// The result of the build.
    pub(crate) result: Result<Made, Error>,
}

/// The result of a successful build.
#[derive(Debug)]
pub(crate) enum Made {
    /// The plugins were built, and the running host has got them if there was anything new.
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
    /// The last builds of the plugins, by package.
    installed: BTreeMap<String, InstalledBuild>,
    recipient: Recipient,
    /// True if the host has yet to load the last build.
    behind: bool,
    /// The time at which to ask the host again, and the pause after that.
    again: Option<(Instant, Duration)>,
}

impl<'a> Worker<'a> {
    /// Returns a worker for the project of `manifest`, which it opens itself.
    pub(crate) fn new(
        session: &'a Session,
        args: &'a RunArgs,
        manifest: PathBuf,
        mut recipient: Recipient,
    ) -> Self {
        Self {
            session,
            args,
            manifest,
            project: None,
            scopes: Default::default(),
            owed: BTreeSet::new(),
            dep_infos: BTreeMap::new(),
            plugins: vec![],
            installed: BTreeMap::new(),
            // A host that is started loads what was built before.
            behind: recipient.own().is_none(),
            recipient,
            again: None,
        }
    }

    /// Does `jobs` until there are no more, or until an interruption. Calls `done` after each build.
    pub(crate) fn serve(mut self, jobs: &Receiver<Job>, done: impl Fn(Done)) {
        loop {
            let job = match self.again {
                Some((at, _)) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => jobs.recv().map_err(RecvTimeoutError::from),
            };
            match job {
                Ok(Job::Build { change, host }) => {
                    self.owed.extend(change.paths.iter().cloned());
                    let result = self.work(&change, host);
                    match &result {
                        Ok(_) => self.owed.clear(),
                        // The next build takes up what this one has not.
                        Err(Error::Superseded) => {}
                        Err(_) => self.widen(),
                    }
                    let (plugins, of_host) = self.scopes.clone();
                    done(Done {
                        plugins,
                        host: of_host.filter(|_| host.is_none()),
                        result,
                    });
                }
                #[cfg(feature = "control")]
                Ok(Job::Bring) => self.bring(),
                Err(RecvTimeoutError::Timeout) => self.ask_again(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.session.interrupt.check().is_err() {
                return;
            }
        }
    }

    fn work(&mut self, change: &Change, running: Option<HostProcess>) -> Result<Made, Error> {
        let noticed = Instant::now();
        if let Some(own) = self.recipient.own() {
            own.process = running;
        }
        self.again = None;
        let changed: Vec<PathBuf> = self.owed.iter().cloned().collect();
        self.take_up(&changed)?;
        let project = self.project.as_ref().expect("it was taken up");
        let (host, group) = project.host()?;
        check_all_are_there(project, &group, &self.plugins)?;
        self.plugins = packages(&group);
        let plugin_dir = project.plugin_dir()?;
        let ui = &self.session.ui;
        if let Some(own) = self.recipient.own().filter(|own| !own.can_reload()) {
            if group.plugins.is_empty() {
                let first = quoted(&directory(host).join("plugins/first").to_string_lossy());
                ui.warn(format_args!(
                    "`{}` has no plugins yet; `cargo hotswap new --plugin {first}` makes one",
                    host.name
                ));
            }
            let outcome = project.build_changed_plugins(&[])?;
            if !change.may_be_built {
                outcome.say_unchanged(self.session);
            }
            note_dep_infos(&mut self.dep_infos, &outcome);
            let executable = host::build(&project.calls(), host, self.args.bin.as_deref())?;
            let of_plugins = plugin_scope(project, &self.plugins, &self.dep_infos)?;
            let dep_info = executable.with_extension("d");
            let of_host = Scope::of_build(&project.workspace, std::iter::once(&*dep_info));
            let program = Program::of(project, executable, self.args)?;
            self.scopes = (of_plugins, Some(of_host));
            own.built_for = Some(program.plugin_dir.clone());
            self.behind = false;
            return Ok(Made::Everything(Box::new(program)));
        }
        let before = self.recipient.plugin_dir();
        if let Some(before) = before.filter(|before| *before != plugin_dir) {
            return Err(Error::PluginDirMoved {
                before,
                now: plugin_dir,
            });
        }
        let outcome = project.build_changed_plugins(&changed)?;
        let mut timing = outcome.compiled.map(|(at, _)| Timing::since(at));
        let mut step = |name| timing.iter_mut().for_each(|timing| timing.step(name));
        step("check and install");
        if !change.may_be_built {
            outcome.say_unchanged(self.session);
        }
        note_dep_infos(&mut self.dep_infos, &outcome);
        self.scopes.0 = plugin_scope(project, &self.plugins, &self.dep_infos)?;
        self.note_installed(&outcome);
        self.behind |= outcome.changed();
        if self.behind {
            step("list of sources");
            self.deliver(AGAIN[0])?;
            step("reload");
            if let Some(timing) = timing {
                self.session.ui.detail("Timing", timing);
            }
            if let (false, Some(saved), Some(compiled)) =
                (self.behind, change.saved, outcome.compiled)
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
                self.project = Some(match self.recipient.own() {
                    Some(_) => project.with_host(),
                    None => project,
                });
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

    fn note_installed(&mut self, outcome: &Outcome) {
        for built in &outcome.built {
            let installed = InstalledBuild {
                package: built.package.clone(),
                file: built.file.clone(),
                build_id: built.build_id,
            };
            self.installed.insert(built.package.clone(), installed);
        }
    }

    /// Brings the last builds to the host. `pause` comes before another attempt if the host refuses for a reason that may
    /// pass.
    ///
    /// # Errors
    /// Only an error that makes further attempts useless. Others are printed.
    fn deliver(&mut self, pause: Duration) -> Result<(), Error> {
        let ui = &self.session.ui;
        let builds = self.installed.values();
        let builds: Vec<_> = builds
            .filter(|build| self.plugins.contains(&build.package))
            .collect();
        let may_pass = match self.recipient.deliver(self.session, &builds) {
            Ok(Delivered::Live(report)) => {
                ui.status("Reloaded", report);
                self.behind = false;
                return Ok(());
            }
            #[cfg(feature = "control")]
            Ok(Delivered::Already) => {
                ui.info("Unchanged", "the host runs what is built");
                self.behind = false;
                return Ok(());
            }
            #[cfg(feature = "control")]
            Ok(Delivered::Away) => {
                ui.info("Behind", "the host gets the build when it is there again");
                return Ok(());
            }
            Ok(Delivered::Refused { text, may_pass }) => {
                ui.warn(format_args!(
                    "the host refused the new plugins, and keeps those that it has\n{text}"
                ));
                may_pass
            }
            Err(error) if error.is_final() => return Err(error),
            Err(error) => {
                ui.error(&error);
                may_be_answered(&error)
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
            self.deliver_beside((pause * 2).min(AGAIN[1]));
        }
    }

    /// Brings the last builds to a host that may not have them.
    #[cfg(feature = "control")]
    fn bring(&mut self) {
        self.again = None;
        self.behind = true;
        // Without a build, there is nothing to bring yet.
        if !self.installed.is_empty() {
            self.deliver_beside(AGAIN[0]);
        }
    }

    /// Brings the last builds to the host when nothing was built.
    fn deliver_beside(&mut self, pause: Duration) {
        match self.deliver(pause) {
            // The caller notices an interruption.
            Ok(()) | Err(Error::Interrupted { .. }) => {}
            Err(error) => self.session.ui.error(&error),
        }
    }
}

/// Returns true if a host may answer later that has not answered now.
fn may_be_answered(error: &Error) -> bool {
    match error {
        Error::NotAnswered(WaitError::TimedOut { .. }) => true,
        #[cfg(feature = "control")]
        Error::NoAnswer { .. } | Error::Control(ClientError::Connect(_)) => true,
        _ => false,
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
