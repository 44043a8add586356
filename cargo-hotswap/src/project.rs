//! One host with its plugins, which `run`, `reload`, and `graph` need.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Package;
use hotswap_host::artifact::Artifact;
use hotswap_host::shown::nearest;

use crate::Error;
use crate::build::{self, Built, Outcome};
use crate::cargo::Calls;
use crate::cli::{CompileOptions, MessageFormat, RunArgs};
use crate::host;
use crate::manifest::find_manifest;
use crate::output::out_dir;
use crate::replay::Replays;
use crate::selection::{Group, select_host};
use crate::session::Session;
use crate::workspace::Workspace;

/// A host with its plugins, and the options to build them.
pub(crate) struct Project<'a> {
    session: &'a Session,
    options: &'a CompileOptions,
    manifest: PathBuf,
    /// The workspace as it was when Cargo was last asked.
    pub(crate) workspace: Workspace,
    /// The directories of libraries that the build scripts of plugins have made.
    library_paths: RefCell<BTreeSet<PathBuf>>,
    replays: RefCell<Replays>,
    /// True if the host is built, too.
    builds_host: bool,
}

/// The variable with the directories in which the dynamic linker looks for libraries.
const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else {
    "LD_LIBRARY_PATH"
};

impl<'a> Project<'a> {
    /// Opens the project of the host that `path`, `--manifest-path`, or the current directory names.
    pub(crate) fn open(
        session: &'a Session,
        path: Option<&Path>,
        options: &'a CompileOptions,
    ) -> Result<Self, Error> {
        let manifest = match options.manifest_path.as_deref().or(path) {
            Some(path) => find_manifest(session, &session.absolute(path), false)?,
            None => find_manifest(session, &session.dir, true)?,
        };
        let workspace = Workspace::load(session, &manifest, options)?;
        let mut project = Self {
            session,
            options,
            manifest,
            workspace,
            library_paths: RefCell::default(),
            replays: RefCell::default(),
            builds_host: false,
        };
        project.configure()?;
        Ok(project)
    }

    /// Returns the same project, whose host is built, too, with the features that its plugins need.
    pub(crate) fn with_host(mut self) -> Self {
        self.builds_host = true;
        self
    }

    /// Takes the configuration of the host. If it is not clear which host is meant, that is an error only for code that
    /// needs one.
    fn configure(&mut self) -> Result<(), Error> {
        let host = self.host().ok().map(|(host, _)| host);
        if let Some(workspace) = self
            .workspace
            .configured_for(self.session, host, self.options)?
        {
            self.workspace = workspace;
        }
        Ok(())
    }

    /// Opens the project of the host with this package name, in the workspace of the current directory.
    pub(crate) fn named(
        session: &'a Session,
        name: &str,
        options: &'a CompileOptions,
    ) -> Result<Self, Error> {
        let mut project = Self::open(session, None, options)?;
        let workspace = &project.workspace;
        let Some(package) = workspace.member(name)? else {
            let members = workspace.members.iter();
            return Err(Error::NoSuchHost {
                name: name.to_owned(),
                workspace: workspace.root.clone(),
                candidates: members.map(|package| package.name.to_string()).collect(),
            });
        };
        project.manifest = package.manifest_path.clone().into();
        project.configure()?;
        Ok(project)
    }

    /// Asks Cargo again, since a manifest changed.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        // With another plugin, all may have other features.
        self.replays.take();
        self.workspace = Workspace::load(self.session, &self.manifest, self.options)?;
        self.configure()
    }

    /// Returns the host and its plugins.
    pub(crate) fn host(&self) -> Result<(&Package, Group<'_>), Error> {
        select_host(&self.workspace, &self.manifest)
    }

    /// Builds the plugins.
    pub(crate) fn build_plugins(&self) -> Result<Outcome, Error> {
        let (_, group) = self.host()?;
        let outcome = build::build(&self.calls(), &[group])?;
        self.note_library_paths(&outcome);
        Ok(outcome)
    }

    /// Checks whether the host has plugins of these names.
    pub(crate) fn check_names(&self, names: &[String]) -> Result<(), Error> {
        self.group_of(names).map(drop)
    }

    /// Builds these plugins of the host. Returns the names that they have for a host.
    pub(crate) fn build_named(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let outcome = build::build(&self.calls(), &[self.group_of(names)?])?;
        self.note_library_paths(&outcome);
        let name = |built: &Built| {
            let artifact = Artifact::read(&built.file);
            let artifact = artifact.map_err(|error| Error::Artifact(Box::new(error)))?;
            Ok(artifact.metadata.name.to_string())
        };
        outcome.built.iter().map(name).collect()
    }

    /// Returns the plugins of the host with these names, which are those of packages or their own.
    fn group_of(&self, names: &[String]) -> Result<Group<'_>, Error> {
        let (host, mut group) = self.host()?;
        let mut chosen = vec![];
        for name in names {
            let found = self.workspace.member(name)?;
            let found = found.filter(|found| group.plugins.iter().any(|it| it.id == found.id));
            let Some(package) = found else {
                let mut known = vec![];
                for package in &group.plugins {
                    known.push(package.name.to_string());
                    known.extend(self.workspace.own_name(package)?);
                }
                return Err(Error::NoPluginOfHost {
                    name: name.clone(),
                    host: host.name.to_string(),
                    nearest: nearest(name, known.iter().map(String::as_str)).map(str::to_owned),
                });
            };
            chosen.push(package.id.clone());
        }
        let before = group.plugins.len();
        group.plugins.retain(|package| chosen.contains(&package.id));
        group.complete &= group.plugins.len() == before;
        Ok(group)
    }

    /// Builds the plugins after changes of `paths`, without a message about those that did not change. Cargo is not
    /// called if it could do nothing but start rustc.
    pub(crate) fn build_changed_plugins(&self, paths: &[PathBuf]) -> Result<Outcome, Error> {
        let (_, group) = self.host()?;
        let calls = Calls {
            replayed: true,
            ..self.calls()
        };
        let mut replays = self.replays.borrow_mut();
        if let Some(outcome) = build::rebuild(&calls, &group, paths, &mut replays)? {
            return Ok(outcome);
        }
        replays.forget(paths);
        let outcome = build::build_changed(&calls, &[group], &mut replays)?;
        self.note_library_paths(&outcome);
        Ok(outcome)
    }

    fn note_library_paths(&self, outcome: &Outcome) {
        let paths = outcome.built.iter().flat_map(|built| &built.library_paths);
        self.library_paths.borrow_mut().extend(paths.cloned());
    }

    /// Returns the command that runs the host in the user's directory, as `cargo run` would.
    pub(crate) fn host_command(&self, executable: &Path, args: &RunArgs) -> Result<Command, Error> {
        let (host, _) = self.host()?;
        if args.linked {
            return Ok(host::linked_command(
                &self.calls(),
                host,
                executable,
                &args.args,
            ));
        }
        let name = host::binary(host, args.bin.as_deref())?;
        let mut command = self.calls().run_host(host, name, &args.args);
        let of_plugins = self.library_paths.borrow();
        if !of_plugins.is_empty() {
            // Cargo puts the host's own directories before them.
            let known = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
            let known = std::env::split_paths(&known).collect::<Vec<_>>();
            let paths = std::env::join_paths(of_plugins.iter().cloned().chain(known));
            // A path with a colon cannot be in the list.
            command.envs(paths.ok().map(|paths| (LIBRARY_PATH, paths)));
        }
        Ok(command)
    }

    /// Returns the plugin directory.
    pub(crate) fn plugin_dir(&self) -> Result<PathBuf, Error> {
        let (host, _) = self.host()?;
        Ok(out_dir(
            self.session,
            &self.workspace,
            self.options,
            Some(host),
        ))
    }

    /// Returns the calls of Cargo for this project.
    pub(crate) fn calls(&self) -> Calls<'_> {
        Calls {
            session: self.session,
            workspace: &self.workspace,
            options: self.options,
            cargo_args: &[],
            rustc_args: &[],
            format: MessageFormat::Human,
            relabel: None,
            replayed: false,
            builds_host: self.builds_host,
        }
    }
}
