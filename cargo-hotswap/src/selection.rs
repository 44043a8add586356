//! Selects the plugins to build, and the host to which each belongs.

use std::path::{Path, PathBuf};

use cargo_metadata::Package;

use crate::Error;
use crate::workspace::{Workspace, binaries, directory, library, listed_plugins};
use hotswap_host::shown;

/// Plugins that are built into one directory: those of a host, or those without a host.
#[derive(Debug, Clone)]
pub(crate) struct Group<'w> {
    /// The host, if there is one.
    pub(crate) host: Option<&'w Package>,
    /// Its plugins, in the order in which they are built.
    pub(crate) plugins: Vec<&'w Package>,
    /// How they were found.
    pub(crate) rule: Rule,
    /// True if these are all plugins of the host.
    pub(crate) complete: bool,
}

impl<'w> Group<'w> {
    fn without_plugins(host: &'w Package) -> Self {
        Self {
            host: Some(host),
            plugins: vec![],
            rule: Rule::Below,
            complete: true,
        }
    }
}

/// How the plugins of a group were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The host's Cargo.toml lists them.
    Listed,
    /// They lie below the host's directory and carry `#[plugin]`.
    Below,
    /// They were named directly, or belong to no host.
    Named,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Listed => "listed under [package.metadata.hotswap] in the host's Cargo.toml",
            Self::Below => {
                "workspace members below the host's directory with #[plugin] in the library root"
            }
            Self::Named => "named themselves, without a host",
        })
    }
}

/// The options that narrow a selection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter<'a> {
    /// Only these plugins or hosts, unless empty.
    pub(crate) package: &'a [String],
    /// All plugins of the workspace.
    pub(crate) workspace: bool,
    /// Without these plugins or hosts.
    pub(crate) exclude: &'a [String],
}

/// Returns the groups for `manifest`, each with at least one plugin.
pub(crate) fn select<'w>(
    workspace: &'w Workspace,
    manifest: &Path,
    filter: Filter<'_>,
) -> Result<Vec<Group<'w>>, Error> {
    let chosen = members(workspace, filter.package, "--package")?;
    let excluded = members(workspace, filter.exclude, "--exclude")?;
    let start = workspace.member_at(manifest).filter(|_| !filter.workspace);
    let mut groups = match start {
        Some(package) if workspace.is_plugin(package)? => vec![alone(vec![package])],
        Some(package) => of_host(workspace, package)?.into_iter().collect(),
        None => all(workspace)?,
    };
    let found = plugin_names(&groups);
    if !chosen.is_empty() {
        groups = named(workspace, groups, &chosen)?;
    }
    for group in &mut groups {
        let before = group.plugins.len();
        group.plugins.retain(|plugin| !contains(&excluded, plugin));
        group.complete &= group.plugins.len() == before;
    }
    groups.retain(|group| {
        !group.plugins.is_empty() && !group.host.is_some_and(|host| contains(&excluded, host))
    });
    if !groups.is_empty() {
        return groups.iter().try_for_each(check_files).map(|()| groups);
    }
    Err(if found.is_empty() && chosen.is_empty() {
        Error::NoPlugins {
            of: start.map_or_else(
                || shown::path(&workspace.root).to_string(),
                |package| package.name.to_string(),
            ),
            manifest: manifest.to_owned(),
        }
    } else {
        Error::NothingSelected { found }
    })
}

/// Returns the one host for `manifest`, with its plugins.
pub(crate) fn select_host<'w>(
    workspace: &'w Workspace,
    manifest: &Path,
) -> Result<(&'w Package, Group<'w>), Error> {
    let mut groups = match workspace.member_at(manifest) {
        // The directory of a plugin stands for the host to which the plugin belongs.
        Some(package) if workspace.is_plugin(package)? => {
            let mut groups = hosts(workspace)?;
            groups.retain(|group| group.plugins.iter().any(|plugin| plugin.id == package.id));
            groups
        }
        // The host may have no plugins yet.
        Some(host) => {
            vec![of_host(workspace, host)?.unwrap_or_else(|| Group::without_plugins(host))]
        }
        None => hosts(workspace)?,
    };
    let candidates = || -> Vec<String> {
        let hosts = groups.iter().filter_map(|group| group.host);
        hosts
            .map(|host| shown::path(directory(host)).to_string())
            .collect()
    };
    if let [
        Group {
            host: Some(host), ..
        },
    ] = groups[..]
    {
        let group = groups.remove(0);
        check_files(&group)?;
        return Ok((host, group));
    }
    Err(Error::NotOneHost {
        manifest: manifest.to_owned(),
        candidates: candidates(),
    })
}

/// Returns every host of the workspace with its plugins, and the plugins without a host.
fn all(workspace: &Workspace) -> Result<Vec<Group<'_>>, Error> {
    let mut groups = hosts(workspace)?;
    let mut rest = vec![];
    for package in &workspace.members {
        let taken = groups
            .iter()
            .flat_map(|group| &group.plugins)
            .any(|plugin| plugin.id == package.id);
        if !taken && workspace.is_plugin(package)? {
            rest.push(package);
        }
    }
    if !rest.is_empty() {
        groups.push(alone(rest));
    }
    Ok(groups)
}

/// Returns every host of the workspace: a package that lists plugins, or a program with plugins below its directory.
fn hosts(workspace: &Workspace) -> Result<Vec<Group<'_>>, Error> {
    let mut groups = vec![];
    for package in &workspace.members {
        if binaries(package).next().is_some() && !workspace.is_plugin(package)? {
            groups.extend(of_host(workspace, package)?);
        }
    }
    Ok(groups)
}

/// Returns all plugins of `host`, whatever is selected.
pub(crate) fn plugins_of<'w>(
    workspace: &'w Workspace,
    host: &'w Package,
) -> Result<Vec<&'w Package>, Error> {
    let group = of_host(workspace, host)?;
    Ok(group.map_or_else(Vec::new, |group| group.plugins))
}

/// Returns the plugins of `host`, if it has any.
fn of_host<'w>(workspace: &'w Workspace, host: &'w Package) -> Result<Option<Group<'w>>, Error> {
    let mut plugins = vec![];
    let rule = if let Some(names) = listed_plugins(host)? {
        let by = host.manifest_path.as_std_path();
        for name in names {
            let plugin = member(workspace, &name, || format!("`{}`", shown::path(by)))?;
            if library(plugin).is_none() {
                return Err(Error::NoLibrary {
                    name,
                    by: by.to_owned(),
                });
            }
            plugins.push(plugin);
        }
        Rule::Listed
    } else {
        for package in workspace.below(host) {
            if workspace.is_plugin(package)? {
                plugins.push(package);
            }
        }
        Rule::Below
    };
    Ok((!plugins.is_empty()).then_some(Group {
        host: Some(host),
        plugins,
        rule,
        complete: true,
    }))
}

/// Returns what `--package` selects: the named plugins of each group, whole groups of named hosts, and plugins that are
/// in no group.
fn named<'w>(
    workspace: &'w Workspace,
    groups: Vec<Group<'w>>,
    chosen: &[&'w Package],
) -> Result<Vec<Group<'w>>, Error> {
    let mut kept = vec![];
    for mut group in groups {
        if !group.host.is_some_and(|host| contains(chosen, host)) {
            let before = group.plugins.len();
            group.plugins.retain(|plugin| contains(chosen, plugin));
            group.complete &= group.plugins.len() == before;
        }
        kept.push(group);
    }
    kept.retain(|group| !group.plugins.is_empty());
    for &package in chosen {
        let covered = |group: &Group<'_>| {
            group
                .host
                .into_iter()
                .chain(group.plugins.iter().copied())
                .any(|member| member.id == package.id)
        };
        if kept.iter().any(covered) {
            continue;
        }
        if workspace.is_plugin(package)? {
            kept.push(alone(vec![package]));
        } else if let Some(group) = of_host(workspace, package)? {
            kept.push(group);
        } else {
            // Not passed over in silence if others are built.
            return Err(Error::NoPlugins {
                of: package.name.to_string(),
                manifest: package.manifest_path.clone().into(),
            });
        }
    }
    Ok(kept)
}

fn alone(plugins: Vec<&Package>) -> Group<'_> {
    Group {
        host: None,
        plugins,
        rule: Rule::Named,
        complete: false,
    }
}

fn members<'w>(
    workspace: &'w Workspace,
    names: &[String],
    option: &str,
) -> Result<Vec<&'w Package>, Error> {
    names
        .iter()
        .map(|name| member(workspace, name, || option.to_owned()))
        .collect()
}

fn member<'w>(
    workspace: &'w Workspace,
    name: &str,
    by: impl FnOnce() -> String,
) -> Result<&'w Package, Error> {
    workspace
        .member(name)?
        .ok_or_else(|| Error::UnknownPackage {
            by: by(),
            name: name.to_owned(),
            workspace: workspace.root.clone(),
            candidates: workspace
                .members
                .iter()
                .map(|package| package.name.to_string())
                .collect(),
        })
}

fn contains(packages: &[&Package], package: &Package) -> bool {
    packages.iter().any(|other| other.id == package.id)
}

fn plugin_names(groups: &[Group<'_>]) -> Vec<String> {
    groups
        .iter()
        .flat_map(|group| &group.plugins)
        .map(|plugin| plugin.name.to_string())
        .collect()
}

/// Refuses two plugins with the same file name.
fn check_files(group: &Group<'_>) -> Result<(), Error> {
    let mut files: Vec<(PathBuf, &Package)> = vec![];
    for &plugin in &group.plugins {
        let Some(library) = library(plugin) else {
            continue;
        };
        let file = PathBuf::from(library.name.replace('-', "_"));
        if let Some((_, other)) = files.iter().find(|(name, _)| *name == file) {
            return Err(Error::SameFile {
                first: other.name.to_string(),
                second: plugin.name.to_string(),
                file: format!(
                    "{}{}{}",
                    std::env::consts::DLL_PREFIX,
                    shown::path(&file),
                    std::env::consts::DLL_SUFFIX
                ),
            });
        }
        files.push((file, plugin));
    }
    Ok(())
}
