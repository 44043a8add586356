//! A workspace as Cargo describes it, asked once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId, Target, TargetKind};
use serde::Deserialize as _;

use crate::attribute::Plugin;
use crate::cli::CompileOptions;
use crate::error::io;
use crate::session::{Session, without_cargos_variables};
use crate::{Error, attribute};

/// The members of a workspace and where it lies.
pub(crate) struct Workspace {
    /// The directory of its Cargo.toml; Cargo is always started here.
    pub(crate) root: PathBuf,
    /// Cargo's directory for what it generates.
    pub(crate) target_dir: PathBuf,
    /// Its members.
    pub(crate) members: Vec<Package>,
    /// What stands in their `#[plugin]`, as far as they were looked into.
    plugins: RefCell<HashMap<PackageId, Option<Plugin>>>,
}

impl Workspace {
    /// Asks Cargo about the workspace that `manifest`, a canonical path, belongs to.
    pub(crate) fn load(
        session: &Session,
        manifest: &Path,
        options: &CompileOptions,
    ) -> Result<Self, Error> {
        let metadata = ask(session, manifest, options, &["--no-deps"])?;
        let target_dir = match explicit_target_dir(session, options) {
            Some(directory) => directory,
            None => metadata.target_directory.into_std_path_buf(),
        };
        Ok(Self {
            root: metadata.workspace_root.into_std_path_buf(),
            target_dir,
            members: metadata.packages,
            plugins: RefCell::default(),
        })
    }

    /// The packages that depend on `hotswap-plugin`, here and below: others have no live functions and types.
    pub(crate) fn users_of_hotswap(
        &self,
        session: &Session,
        options: &CompileOptions,
    ) -> Result<HashSet<PackageId>, Error> {
        let manifest = self.root.join("Cargo.toml");
        // Whatever is built, with whichever features.
        let metadata = ask(session, &manifest, options, &["--all-features"])?;
        let uses = |package: &Package| {
            let mut dependencies = package.dependencies.iter();
            dependencies.any(|dependency| dependency.name == "hotswap-plugin")
        };
        let users = metadata.packages.into_iter().filter(uses);
        Ok(users.map(|package| package.id).collect())
    }

    /// The member whose Cargo.toml is `manifest`.
    pub(crate) fn member_at(&self, manifest: &Path) -> Option<&Package> {
        self.members
            .iter()
            .find(|package| package.manifest_path == manifest)
    }

    /// The member called `name`, or the plugin called so where no member is; case and the difference of `-` and `_` do
    /// not count.
    pub(crate) fn member(&self, name: &str) -> Result<Option<&Package>, Error> {
        let mut members = self.members.iter();
        if let Some(package) = members.find(|package| same_name(&package.name, name)) {
            return Ok(Some(package));
        }
        for package in &self.members {
            let plugin = self.plugin(package)?;
            if plugin
                .and_then(|plugin| plugin.name)
                .is_some_and(|own| same_name(&own, name))
            {
                return Ok(Some(package));
            }
        }
        Ok(None)
    }

    /// Whether `package` has a library whose root carries `#[plugin]`.
    pub(crate) fn is_plugin(&self, package: &Package) -> Result<bool, Error> {
        Ok(self.plugin(package)?.is_some())
    }

    /// What stands in the `#[plugin]` that the root of the library of `package` carries, if it does.
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

    /// The members whose directory is strictly below that of `package`.
    pub(crate) fn below<'w>(&'w self, package: &'w Package) -> impl Iterator<Item = &'w Package> {
        let directory = directory(package);
        self.members.iter().filter(move |other| {
            other.id != package.id && self::directory(other).starts_with(directory)
        })
    }

    /// The members that `package` is compiled with because of path dependencies which are always there, each with
    /// the Cargo.toml's own edge.
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

/// The names of plugins a host's Cargo.toml lists, if it does.
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

/// The library of `package`.
pub(crate) fn library(package: &Package) -> Option<&Target> {
    use TargetKind::{CDyLib, DyLib, Lib, RLib, StaticLib};
    package.targets.iter().find(|target| {
        target
            .kind
            .iter()
            .any(|kind| matches!(kind, Lib | RLib | DyLib | CDyLib | StaticLib))
    })
}

/// The binaries of `package`.
pub(crate) fn binaries(package: &Package) -> impl Iterator<Item = &str> {
    package
        .targets
        .iter()
        .filter(|target| target.is_bin())
        .map(|target| target.name.as_str())
}

/// The directory of a package's Cargo.toml.
pub(crate) fn directory(package: &Package) -> &Path {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest)
}

/// Whether two names mean one plugin.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    let normal = |name: &str| name.replace('-', "_").to_lowercase();
    normal(one) == normal(other)
}

/// The canonical path of the Cargo.toml that `path`, a directory or a Cargo.toml, stands for. With `search` the
/// parents count too, as they do for Cargo.
pub(crate) fn find_manifest(path: &Path, search: bool) -> Result<PathBuf, Error> {
    let path = path.canonicalize().map_err(io("find", path))?;
    if path.is_file() {
        return Ok(path);
    }
    path.ancestors()
        .take(if search { usize::MAX } else { 1 })
        .map(|directory| directory.join("Cargo.toml"))
        .find(|manifest| manifest.is_file())
        .ok_or(Error::NoManifest {
            directory: path,
            above: search,
        })
}

/// The target directory where an option or the environment names it, seen from where the command was started.
pub(crate) fn explicit_target_dir(session: &Session, options: &CompileOptions) -> Option<PathBuf> {
    options
        .target_dir
        .clone()
        .or_else(|| {
            std::env::var_os("CARGO_TARGET_DIR")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        })
        .map(|directory| session.absolute(&directory))
}

/// `--locked` and its kin, for every call of Cargo.
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

/// What Cargo says of the workspace that `manifest` belongs to.
fn ask(
    session: &Session,
    manifest: &Path,
    options: &CompileOptions,
    more: &[&str],
) -> Result<Metadata, Error> {
    let mut command = MetadataCommand::new();
    command.cargo_path(&session.cargo).manifest_path(manifest);
    if let Some(directory) = manifest.parent() {
        command.current_dir(directory);
    }
    let more = more.iter().copied().chain(lock_options(options));
    command.other_options(more.map(str::to_owned).collect::<Vec<_>>());
    run(command).map_err(|source| Error::Metadata {
        manifest: manifest.to_owned(),
        source: Box::new(source),
    })
}

fn run(command: MetadataCommand) -> Result<cargo_metadata::Metadata, cargo_metadata::Error> {
    let mut command = command.cargo_command();
    without_cargos_variables(&mut command);
    let output = command.output()?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned();
        return Err(cargo_metadata::Error::CargoMetadata { stderr });
    }
    let stdout = String::from_utf8(output.stdout)
        .map_err(|error| cargo_metadata::Error::Utf8(error.utf8_error()))?;
    let json = stdout
        .lines()
        .find(|line| line.starts_with('{'))
        .ok_or(cargo_metadata::Error::NoJson)?;
    MetadataCommand::parse(json)
}
