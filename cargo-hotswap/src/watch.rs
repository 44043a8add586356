//! Watching what plugins are made of.
//!
//! [`Sources`] is what Cargo's dep-info names: sources of all path dependencies, included files, what build scripts
//! read; and the manifests of the packages these belong to. Directories are watched rather than files, since editors
//! replace files, and since a file that is not there yet may be what the next build needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::build::Built;
use crate::workspace::Workspace;
use crate::{Error, dep_info};

/// What some libraries are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// The files, and the directories of which everything counts.
    files: BTreeSet<PathBuf>,
    /// The directories that are watched. A new Rust source in one counts: it may be the module that was missing.
    directories: BTreeSet<PathBuf>,
    /// Those of them that hold more than a manifest: there, whatever is new counts.
    open: BTreeSet<PathBuf>,
    /// Those that were added with all that is below.
    trees: BTreeSet<PathBuf>,
    /// Below this nothing counts: Cargo writes there.
    target_dir: PathBuf,
}

impl Sources {
    /// What the dep-info files `dep_infos` name, and the manifests.
    pub(crate) fn read<'p>(
        workspace: &Workspace,
        dep_infos: impl Iterator<Item = &'p Path>,
    ) -> Self {
        let mut sources = Self {
            target_dir: workspace.target_dir.clone(),
            ..Self::default()
        };
        for file in dep_infos.flat_map(|path| dep_info::read(path, &workspace.root)) {
            sources.add(workspace, file);
        }
        for name in [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            "rust-toolchain",
            ".cargo/config.toml",
        ] {
            sources.files.insert(workspace.root.join(name));
        }
        sources.directories.extend(sources.open.iter().cloned());
        sources.directories.insert(workspace.root.clone());
        sources.directories.insert(workspace.root.join(".cargo"));
        sources.directories.retain(|directory| directory.is_dir());
        sources
    }

    /// As [`Sources::read`], for what was built.
    pub(crate) fn of(workspace: &Workspace, built: &[Built]) -> Self {
        Self::read(
            workspace,
            built.iter().map(|built| built.dep_info.as_path()),
        )
    }

    fn add(&mut self, workspace: &Workspace, file: PathBuf) {
        if file.starts_with(&self.target_dir) {
            return;
        }
        if let Some(package) = file
            .ancestors()
            .skip(1)
            .find(|directory| directory.join("Cargo.toml").is_file())
        {
            self.files.insert(package.join("Cargo.toml"));
            self.directories.insert(package.to_owned());
            if is_build_script(workspace, &file) {
                // It may read anything in its package without saying so, and Cargo then runs it again for any change.
                self.add_tree(package);
                self.files.insert(package.to_owned());
            }
            if file.starts_with(package.join("src")) {
                self.add_tree(&package.join("src"));
            }
        }
        if file.is_dir() {
            self.add_tree(&file);
        } else {
            self.open.extend(file.parent().map(Path::to_owned));
        }
        self.files.insert(file);
    }

    /// Adds a directory and all below it, unless that was done.
    fn add_tree(&mut self, directory: &Path) {
        if directory.starts_with(&self.target_dir) || !self.trees.insert(directory.to_owned()) {
            return;
        }
        self.open.insert(directory.to_owned());
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            // Links are not followed: they may lead in a circle, and what they lead to is named by itself if it is read.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_hidden(&entry.path()) {
                self.add_tree(&entry.path());
            }
        }
    }

    /// Whether a change of `path` may change what is built. `is_new`: it appeared, or went away.
    pub(crate) fn concern(&self, path: &Path, is_new: bool) -> bool {
        if self.files.contains(path) {
            return true;
        }
        if path.starts_with(&self.target_dir) || is_hidden(path) {
            return false;
        }
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let is_in = |directories: &BTreeSet<PathBuf>| {
            path.parent()
                .is_some_and(|parent| directories.contains(parent))
        };
        is_source && is_in(&self.directories)
            || is_new && is_in(&self.open)
            || path
                .ancestors()
                .skip(1)
                .any(|directory| self.files.contains(directory))
    }

    /// Whether anything was written since `time`.
    pub(crate) fn changed_since(&self, time: SystemTime) -> bool {
        let newer = |path: &&PathBuf| {
            path.metadata()
                .and_then(|found| found.modified())
                .is_ok_and(|at| at > time)
        };
        self.files
            .iter()
            .filter(|path| path.is_file())
            .chain(&self.trees)
            .any(|path| newer(&path))
    }
}

/// Reports changes from a thread of its own.
pub(crate) struct Watcher {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
}

/// A path that changed, and whether it appeared or went away.
pub(crate) type Change = (PathBuf, bool);

impl Watcher {
    /// Watches nothing yet; `report` gets what changes, from another thread.
    pub(crate) fn new(report: impl Fn(Vec<Change>) + Send + 'static) -> Result<Self, Error> {
        let handler = move |event: notify::Result<notify::Event>| {
            // An error means lost events: as if everything had changed.
            let event = event.unwrap_or_else(|_| notify::Event::new(EventKind::Any));
            let is_new = match event.kind {
                EventKind::Access(_) => return,
                EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => false,
                _ => true,
            };
            report(event.paths.into_iter().map(|path| (path, is_new)).collect());
        };
        let watcher = notify::recommended_watcher(handler).map_err(failed)?;
        Ok(Self {
            watcher,
            watched: BTreeSet::new(),
        })
    }

    /// Watches the directories of all `sources`, and no others.
    pub(crate) fn watch<const N: usize>(&mut self, sources: [&Sources; N]) -> Result<(), Error> {
        let directories = sources.iter().flat_map(|sources| &sources.directories);
        let wanted: BTreeSet<PathBuf> = directories.filter(|path| path.is_dir()).cloned().collect();
        for gone in self.watched.difference(&wanted) {
            // It may be gone from the file system too.
            let _ = self.watcher.unwatch(gone);
        }
        for new in wanted.difference(&self.watched) {
            self.watcher
                .watch(new, RecursiveMode::NonRecursive)
                .map_err(failed)?;
        }
        self.watched = wanted;
        Ok(())
    }
}

fn failed(source: notify::Error) -> Error {
    Error::Watch {
        source: Box::new(source),
    }
}

fn is_build_script(workspace: &Workspace, file: &Path) -> bool {
    workspace
        .members
        .iter()
        .flat_map(|package| &package.targets)
        .any(|target| target.is_custom_build() && target.src_path == file)
}

/// What editors and version control keep beside sources.
fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| {
            name.starts_with('.')
                || name.starts_with('#')
                || name.ends_with('~')
                || name.ends_with(".swp")
        })
}
