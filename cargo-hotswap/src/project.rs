//! One host with its plugins, as `run`, `reload` and `graph` need them.

use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::Error;
use crate::build::{self, Outcome};
use crate::cargo::Calls;
use crate::cli::{CompileOptions, MessageFormat};
use crate::selection::{Group, select_host};
use crate::session::Session;
use crate::workspace::{Workspace, find_manifest};

/// See the module.
pub(crate) struct Project<'a> {
    session: &'a Session,
    options: &'a CompileOptions,
    manifest: PathBuf,
    /// The workspace as it was when Cargo was last asked.
    pub(crate) workspace: Workspace,
}

impl<'a> Project<'a> {
    /// The project of the host that `path`, `--manifest-path` or the current directory names.
    pub(crate) fn open(
        session: &'a Session,
        path: Option<&Path>,
        options: &'a CompileOptions,
    ) -> Result<Self, Error> {
        let manifest = match options.manifest_path.as_deref().or(path) {
            Some(path) => find_manifest(&session.absolute(path), false)?,
            None => find_manifest(&session.dir, true)?,
        };
        let workspace = Workspace::load(session, &manifest, options)?;
        Ok(Self {
            session,
            options,
            manifest,
            workspace,
        })
    }

    /// The project of the host with this package name, in the workspace of the current directory.
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
        Ok(project)
    }

    /// Asks Cargo again, since a manifest changed.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        self.workspace = Workspace::load(self.session, &self.manifest, self.options)?;
        Ok(())
    }

    /// The host and its plugins.
    pub(crate) fn host(&self) -> Result<(&Package, Group<'_>), Error> {
        select_host(&self.workspace, &self.manifest)
    }

    /// Builds the plugins.
    pub(crate) fn build_plugins(&self) -> Result<Outcome, Error> {
        let (_, group) = self.host()?;
        build::build(&self.calls(), &[group])
    }

    /// Where the plugins are.
    pub(crate) fn plugin_dir(&self) -> Result<PathBuf, Error> {
        let (host, _) = self.host()?;
        Ok(build::out_dir(
            self.session,
            &self.workspace,
            self.options,
            Some(host),
        ))
    }

    /// Calls of Cargo for this project.
    pub(crate) fn calls(&self) -> Calls<'_> {
        Calls {
            session: self.session,
            workspace: &self.workspace,
            options: self.options,
            cargo_args: &[],
            rustc_args: &[],
            format: MessageFormat::Human,
        }
    }
}
