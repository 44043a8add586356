//! A workspace as Cargo describes it. Cargo is asked once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Output;

use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId, Target, TargetKind};
use serde::Deserialize as _;

use crate::attribute::Plugin;
use crate::cli::CompileOptions;
use crate::session::{Session, without_cargos_variables};
use crate::toolchain::Toolchain;
use crate::unify::tree::Unified;
use crate::{Error, attribute};

/// The names of Cargo's files of configuration.
pub(crate) const CONFIG_NAMES: [&str; 2] = ["config", "config.toml"];

/// The members of a workspace, and its directories.
pub(crate) struct Workspace {
    /// The directory of its Cargo.toml, without links.
    pub(crate) root: PathBuf,
    /// The directory in which Cargo is called, wherever the user is. It decides on the configuration.
    pub(crate) directory: PathBuf,
    /// Cargo's target directory.
    pub(crate) target_dir: PathBuf,
    /// Its members.
    pub(crate) members: Vec<Package>,
    /// The contents of their `#[plugin]`, for members that were looked into.
    plugins: RefCell<HashMap<PackageId, Option<Plugin>>>,
    /// The features with which hosts and their plugins are built, once they were asked for.
    pub(crate) unified: RefCell<Unified>,
    /// The compiler that Cargo starts here, once it was asked for.
    pub(crate) toolchain: RefCell<Option<Toolchain>>,
}

impl Workspace {
    /// Asks Cargo about the workspace to which `manifest`, a result of
    /// [`find_manifest`](crate::manifest::find_manifest), belongs.
    pub(crate) fn load(
        session: &Session,
        manifest: &Path,
        options: &CompileOptions,
    ) -> Result<Self, Error> {
        let here = manifest.parent().unwrap_or(manifest);
        let metadata = ask(session, manifest, here, options, &["--no-deps"])?;
        let root = metadata.workspace_root.into_std_path_buf();
        let mut workspace = Self {
            directory: root.clone(),
            target_dir: metadata.target_directory.into_std_path_buf(),
            members: metadata.packages,
            plugins: RefCell::default(),
            unified: RefCell::default(),
            toolchain: RefCell::default(),
            root,
        };
        match explicit_target_dir(session, options, &workspace.root) {
            Some(directory) => workspace.target_dir = directory,
            // In this directory, Cargo may have read another configuration than the workspace's.
            None if here != workspace.root && !workspace.is_configured_alike(here) => {
                workspace.target_dir = workspace.ask_target_dir(session, options)?;
            }
            None => {}
        }
        Ok(workspace)
    }

    /// Returns the same workspace with the configuration of `host`, if that has one of its own: a host and its plugins
    /// are built as `cargo build` builds the host in its own directory.
    pub(crate) fn configured_for(
        &self,
        session: &Session,
        host: Option<&Package>,
        options: &CompileOptions,
    ) -> Result<Option<Self>, Error> {
        let wanted = self.directory_for(host);
        if wanted == self.directory {
            return Ok(None);
        }
        let mut workspace = Self {
            root: self.root.clone(),
            directory: wanted.to_owned(),
            target_dir: self.target_dir.clone(),
            members: self.members.clone(),
            plugins: self.plugins.clone(),
            unified: RefCell::default(),
            toolchain: RefCell::default(),
        };
        if explicit_target_dir(session, options, &self.root).is_none() {
            workspace.target_dir = workspace.ask_target_dir(session, options)?;
        }
        Ok(Some(workspace))
    }

    /// Returns the directory in which Cargo is called for `host` and its plugins.
    pub(crate) fn directory_for<'w>(&'w self, host: Option<&'w Package>) -> &'w Path {
        host.map_or(&self.root, |host| self.configured(directory(host)))
    }

    /// Returns the nearest directory at or above `directory` with a configuration of its own, up to the root. A
    /// directory behind a link does not count: it is not a directory of the workspace, and Cargo would read a foreign
    /// configuration there.
    pub(crate) fn configured<'w>(&'w self, directory: &'w Path) -> &'w Path {
        let below = directory
            .ancestors()
            .take_while(|above| *above != self.root && above.starts_with(&self.root));
        let mut configured = below.filter(|directory| config_of(directory).is_some());
        let is_inside = |directory: &&Path| {
            let real = directory.canonicalize();
            real.is_ok_and(|real| real.starts_with(&self.root))
        };
        configured.find(is_inside).unwrap_or(&self.root)
    }

    /// Returns the files of configuration that Cargo reads here, but not when it is called in `directory`; the weakest
    /// first.
    pub(crate) fn configuration_unseen_from(&self, directory: &Path) -> Vec<PathBuf> {
        let files = |directory: &Path| {
            let above = directory.ancestors().filter_map(config_of);
            above.collect::<Vec<_>>()
        };
        let seen = files(directory);
        let mut unseen = files(&self.directory);
        unseen.retain(|file| !seen.contains(file));
        unseen.reverse();
        unseen
    }

    /// Returns true if Cargo reads the same configuration in `directory` as in the root.
    fn is_configured_alike(&self, directory: &Path) -> bool {
        directory.canonicalize().is_ok_and(|real| real == directory)
            && self.configured(directory) == self.root
    }

    fn ask_target_dir(
        &self,
        session: &Session,
        options: &CompileOptions,
    ) -> Result<PathBuf, Error> {
        let manifest = self.root.join("Cargo.toml");
        let metadata = ask(session, &manifest, &self.directory, options, &["--no-deps"])?;
        Ok(metadata.target_directory.into_std_path_buf())
    }

    /// Returns the packages that depend on `hotswap-plugin`, here and below. Other packages have no live functions and
    /// types.
    pub(crate) fn users_of_hotswap(
        &self,
        session: &Session,
        options: &CompileOptions,
    ) -> Result<HashSet<PackageId>, Error> {
        let manifest = self.root.join("Cargo.toml");
        // Of all that may be built, with any features.
        let metadata = ask(
            session,
            &manifest,
            &self.directory,
            options,
            &["--all-features"],
        )?;
        let uses = |package: &Package| {
            let mut dependencies = package.dependencies.iter();
            dependencies.any(|dependency| dependency.name == "hotswap-plugin")
        };
        let users = metadata.packages.into_iter().filter(uses);
        Ok(users.map(|package| package.id).collect())
    }

    /// Returns the member whose Cargo.toml is `manifest`.
    pub(crate) fn member_at(&self, manifest: &Path) -> Option<&Package> {
        self.members
            .iter()
            .find(|package| package.manifest_path == manifest)
    }

    /// Returns the member with the name `name`, or the plugin with that name if there is no such member. Case, and the
    /// difference between `-` and `_`, do not count.
    pub(crate) fn member(&self, name: &str) -> Result<Option<&Package>, Error> {
        let mut members = self.members.iter();
        if let Some(package) = members.find(|package| same_name(&package.name, name)) {
            return Ok(Some(package));
        }
        for package in &self.members {
            let own = self.own_name(package)?;
            if own.is_some_and(|own| same_name(&own, name)) {
                return Ok(Some(package));
            }
        }
        Ok(None)
    }

    /// Returns the name that the plugin in `package` has by its `#[plugin]`, if that has one.
    pub(crate) fn own_name(&self, package: &Package) -> Result<Option<String>, Error> {
        Ok(self.plugin(package)?.and_then(|plugin| plugin.name))
    }

    /// Returns true if `package` has a library whose root carries `#[plugin]`.
    pub(crate) fn is_plugin(&self, package: &Package) -> Result<bool, Error> {
        Ok(self.plugin(package)?.is_some())
    }

    /// Returns the contents of the `#[plugin]` in the root of the library of `package`, if it has one.
    fn plugin(&self, package: &Package) -> Result<Option<Plugin>, Error> {
        if let Some(known) = self.plugins.borrow().get(&package.id) {
            return Ok(known.clone());
        }
        let root = library(package).map(|library| library.src_path.as_std_path());
        let found = root.map_or(Ok(None), attribute::plugin)?;
        self.plugins
            .borrow_mut()
            .insert(package.id.clone(), found.clone());
        Ok(found)
    }

    /// Returns the members whose directory is strictly below that of `package`.
    pub(crate) fn below<'w>(&'w self, package: &'w Package) -> impl Iterator<Item = &'w Package> {
        let directory = directory(package);
        self.members.iter().filter(move |other| {
            other.id != package.id && self::directory(other).starts_with(directory)
        })
    }

    /// Returns the members that `package` is compiled with because of path dependencies that are not optional, each
    /// with the dependency in the Cargo.toml.
    pub(crate) fn dependencies<'w>(
        &'w self,
        package: &'w Package,
    ) -> impl Iterator<Item = &'w Package> {
        package
            .dependencies
            .iter()
            .filter(|dependency| {
                dependency.kind == cargo_metadata::DependencyKind::Normal && !dependency.optional
            })
            .filter_map(|dependency| dependency.path.as_deref())
            .filter_map(|path| {
                self.members
                    .iter()
                    .find(|member| directory(member) == path.as_std_path())
            })
    }
}

/// Returns Cargo's file of configuration in `directory`, if there is one.
pub(crate) fn config_of(directory: &Path) -> Option<PathBuf> {
    let files = CONFIG_NAMES.map(|name| directory.join(".cargo").join(name));
    files.into_iter().find(|file| file.is_file())
}

/// Returns the names of the plugins that a host's Cargo.toml lists, if it does.
pub(crate) fn listed_plugins(package: &Package) -> Result<Option<Vec<String>>, Error> {
    #[derive(serde::Deserialize)]
    struct Section {
        plugins: Option<Vec<String>>,
    }
    let Some(section) = package.metadata.get("hotswap") else {
        return Ok(None);
    };
    Section::deserialize(section)
        .map(|section| section.plugins)
        .map_err(|source| Error::MetadataSection {
            manifest: package.manifest_path.clone().into_std_path_buf(),
            source,
        })
}

/// Returns the library of `package`.
pub(crate) fn library(package: &Package) -> Option<&Target> {
    use TargetKind::{CDyLib, DyLib, Lib, RLib, StaticLib};
    package.targets.iter().find(|target| {
        target
            .kind
            .iter()
            .any(|kind| matches!(kind, Lib | RLib | DyLib | CDyLib | StaticLib))
    })
}

/// Returns the binaries of `package`.
pub(crate) fn binaries(package: &Package) -> impl Iterator<Item = &str> {
    package
        .targets
        .iter()
        .filter(|target| target.is_bin())
        .map(|target| target.name.as_str())
}

/// Returns the directory of a package's Cargo.toml.
pub(crate) fn directory(package: &Package) -> &Path {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest)
}

/// Returns true if two names mean the same plugin.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    let normal = |name: &str| name.replace('-', "_").to_lowercase();
    normal(one) == normal(other)
}

/// Returns the target directory that an option or the environment names. The option is relative to the directory in
/// which the command was started. The environment variable is relative to the workspace's root, so that each command
/// means the same directory, wherever it is started.
pub(crate) fn explicit_target_dir(
    session: &Session,
    options: &CompileOptions,
    root: &Path,
) -> Option<PathBuf> {
    let given = options.target_dir.as_deref();
    let given = given.map(|directory| session.absolute(directory));
    given.or_else(|| {
        ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"]
            .into_iter()
            .find_map(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
            .map(|directory| root.join(directory))
    })
}

/// Returns `--locked` and similar options, for every call of Cargo.
pub(crate) fn lock_options(options: &CompileOptions) -> Vec<&'static str> {
    [
        (options.locked, "--locked"),
        (options.offline, "--offline"),
        (options.frozen, "--frozen"),
    ]
    .into_iter()
    .filter_map(|(given, option)| given.then_some(option))
    .collect()
}

/// Returns what Cargo, called in `directory`, reports about the workspace to which `manifest` belongs.
fn ask(
    session: &Session,
    manifest: &Path,
    directory: &Path,
    options: &CompileOptions,
    more: &[&str],
) -> Result<Metadata, Error> {
    let mut command = MetadataCommand::new();
    command
        .cargo_path(&session.cargo)
        .manifest_path(manifest)
        .current_dir(directory);
    let more = more.iter().copied().chain(lock_options(options));
    command.other_options(more.map(str::to_owned).collect::<Vec<_>>());
    run(session, command)?.map_err(|source| Error::Metadata {
        manifest: manifest.to_owned(),
        source: Box::new(source),
    })
}

/// # Errors
/// Returns an error if the command was interrupted. The inner error is Cargo's.
fn run(
    session: &Session,
    command: MetadataCommand,
) -> Result<Result<Metadata, cargo_metadata::Error>, Error> {
    let mut command = command.cargo_command();
    without_cargos_variables(&mut command);
    let output = session.interrupt.output(&mut command)?;
    Ok(output
        .map_err(Into::into)
        .and_then(|output| understood(&output)))
}

fn understood(output: &Output) -> Result<Metadata, cargo_metadata::Error> {
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned();
        return Err(cargo_metadata::Error::CargoMetadata { stderr });
    }
    let stdout = str::from_utf8(&output.stdout).map_err(cargo_metadata::Error::Utf8)?;
    let json = stdout
        .lines()
        .find(|line| line.starts_with('{'))
        .ok_or(cargo_metadata::Error::NoJson)?;
    MetadataCommand::parse(json)
}
