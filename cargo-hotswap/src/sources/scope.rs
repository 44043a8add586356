//! The files on which a build depends, as paths. They need not exist.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::file_names::{is_hidden, is_rust};
use super::mentions;
use crate::dep_info;
use crate::workspace::{CONFIG_NAMES, Workspace};

/// A set of paths: see the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Single files.
    pub(super) files: BTreeSet<PathBuf>,
    /// Directories in which every name counts, but nothing deeper.
    pub(super) lists: BTreeSet<PathBuf>,
    /// Directories in which Rust sources count, but nothing deeper.
    pub(super) rust: BTreeSet<PathBuf>,
    /// Directories below which the contents of Rust sources count, and the names of everything else.
    pub(super) trees: BTreeSet<PathBuf>,
    /// Directories below which all contents count.
    pub(super) whole: BTreeSet<PathBuf>,
    /// Directories into which Cargo writes, so that nothing below counts.
    pub(super) excluded: BTreeSet<PathBuf>,
}

impl Scope {
    /// Returns the files that the dep-info files `dep_infos` of a build list, and the manifests and configuration of
    /// that build.
    pub(crate) fn of_build<'p>(
        workspace: &Workspace,
        dep_infos: impl Iterator<Item = &'p Path>,
    ) -> Self {
        let mut scope = Self::default();
        scope.excluded.insert(workspace.target_dir.clone());
        for file in dep_infos.flat_map(|path| dep_info::read(path, &workspace.root)) {
            scope.add_input(workspace, file);
        }
        scope.add_configuration(&workspace.root);
        scope
    }

    /// Adds the files that the Rust sources in this scope mention, whether they exist or not.
    pub(crate) fn add_mentions(&mut self) {
        for (file, package) in self.rust_sources() {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            self.files
                .extend(mentions::candidates(&text, &file, package.as_deref()));
        }
    }

    /// Adds everything in `other`.
    pub(crate) fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.lists.extend(other.lists);
        self.rust.extend(other.rust);
        self.trees.extend(other.trees);
        self.whole.extend(other.whole);
        self.excluded.extend(other.excluded);
    }

    /// Returns true if a file at `path` would count.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        let parent = path.parent().unwrap_or(path);
        if path.components().any(|part| part == Component::ParentDir) {
            // The path lies below the directory that it names only if there is no link on the way.
            return self.files.contains(path);
        }
        self.files.contains(path)
            || self.lists.contains(parent)
            || is_rust(path) && self.rust.contains(parent)
            || path
                .ancestors()
                .skip(1)
                .any(|above| self.trees.contains(above) || self.whole.contains(above))
    }

    /// Returns true if nothing below `directory` counts.
    pub(super) fn excludes(&self, directory: &Path) -> bool {
        self.excluded.contains(directory) || directory.join("CACHEDIR.TAG").is_file()
    }

    /// Adds one file.
    pub(crate) fn add_file(&mut self, file: PathBuf) {
        self.files.insert(file);
    }

    /// Excludes everything below `directory`.
    pub(crate) fn exclude(&mut self, directory: PathBuf) {
        self.excluded.insert(directory);
    }

    pub(super) fn add_list(&mut self, directory: &Path) {
        self.lists.insert(directory.to_owned());
    }

    /// Adds the manifest and the sources of the package in `directory`.
    pub(super) fn add_package(&mut self, directory: &Path) {
        self.files.insert(directory.join("Cargo.toml"));
        self.files.insert(directory.join("build.rs"));
        self.trees.insert(directory.join("src"));
    }

    /// Adds the files with which Cargo and rustup are configured when they are started in `directory`.
    pub(crate) fn add_configuration(&mut self, directory: &Path) {
        for name in ["Cargo.toml", "Cargo.lock"] {
            self.files.insert(directory.join(name));
        }
        let above = directory.ancestors();
        for above in above {
            self.files.extend(TOOLCHAIN.map(|name| above.join(name)));
            self.files
                .extend(CONFIG_NAMES.map(|name| above.join(".cargo").join(name)));
        }
        let home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
            .filter(|home| home.is_absolute());
        self.files.extend(
            home.into_iter()
                .flat_map(|home| CONFIG_NAMES.map(|name| home.join(name))),
        );
    }

    fn add_input(&mut self, workspace: &Workspace, file: PathBuf) {
        if file.starts_with(&workspace.target_dir) {
            return;
        }
        let package = package_of(&file);
        if let Some(package) = &package {
            self.files.insert(package.join("Cargo.toml"));
            if is_build_script(workspace, &file) {
                // A build script may read anything in its package without declaring it. Then Cargo runs it again after
                // any change there.
                self.whole.insert(package.clone());
            }
            if file.starts_with(package.join("src")) {
                self.trees.insert(package.join("src"));
            }
        }
        if file.is_dir() {
            self.whole.insert(file);
            return;
        }
        if let Some(parent) = file.parent() {
            if is_rust(&file) {
                self.rust.insert(parent.to_owned());
            } else if package.as_deref() != Some(parent) && parent != workspace.root {
                self.lists.insert(parent.to_owned());
            }
        }
        self.files.insert(file);
    }

    /// Returns the Rust sources, each with the directory of its package.
    fn rust_sources(&self) -> Vec<(PathBuf, Option<PathBuf>)> {
        fn below(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let path = entry.path();
                if is_rust(&path) {
                    found.push(path);
                } else if depth < 32 && !is_hidden(&path) && path.is_dir() {
                    below(&path, depth + 1, found);
                }
            }
        }
        let mut found: Vec<PathBuf> = self
            .files
            .iter()
            .filter(|file| is_rust(file))
            .cloned()
            .collect();
        for tree in &self.trees {
            below(tree, 0, &mut found);
        }
        found.sort();
        found.dedup();
        let with_package = |file: PathBuf| {
            let package = package_of(&file);
            (file, package)
        };
        found.into_iter().map(with_package).collect()
    }
}

const TOOLCHAIN: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];

/// Returns true if rustup takes the toolchain from the file `path`.
pub(crate) fn is_toolchain_file(path: &Path) -> bool {
    TOOLCHAIN.iter().any(|name| path.ends_with(name))
}

/// Returns the directory of the package that contains `file`.
pub(crate) fn package_of(file: &Path) -> Option<PathBuf> {
    file.ancestors()
        .skip(1)
        .find(|directory| directory.join("Cargo.toml").is_file())
        .map(Path::to_owned)
}

fn is_build_script(workspace: &Workspace, file: &Path) -> bool {
    workspace
        .members
        .iter()
        .flat_map(|package| &package.targets)
        .any(|target| target.is_custom_build() && target.src_path == file)
}
