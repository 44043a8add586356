//! The files that a plugin is made of, and whose they are.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, Package};

use crate::call::Made;
use crate::dep_info;
use crate::invocation::Invocation;
use crate::paths;
use crate::workspace::Workspace;

/// The part of a file in a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is a source of the plugin's own crate, and nothing else is made of it.
    Own,
    /// It is a source of another crate of which the plugin is made.
    Dependency,
    /// Anything else of which the plugin is made depends on it.
    Other,
    /// It has none.
    None,
}

/// The sources of a plugin's own crate, and those of all that it depends on.
#[derive(Debug)]
pub(super) struct Inputs {
    own: BTreeSet<PathBuf>,
    /// Those of other crates.
    others: BTreeSet<PathBuf>,
    /// Those of build scripts, and the files and directories that these may read.
    read: BTreeSet<PathBuf>,
    /// The libraries of the other crates whose sources may change.
    pub(super) libraries: BTreeSet<PathBuf>,
    root: PathBuf,
}

impl Inputs {
    /// Returns `None` if it is not known of each file whose it is.
    pub(super) fn of(
        workspace: &Workspace,
        plugin: &Package,
        made: &Made,
        invocation: &Invocation,
    ) -> Option<Self> {
        let root = &workspace.root;
        let library = invocation.out_dir().join(invocation.library());
        let own: BTreeSet<PathBuf> = dep_info::of_unit(&library, root).into_iter().collect();
        let mut inputs = Self {
            own,
            others: BTreeSet::new(),
            read: BTreeSet::new(),
            libraries: BTreeSet::new(),
            root: root.clone(),
        };
        for unit in made.artifacts.iter().filter(|unit| is_local(unit)) {
            if unit.package_id == plugin.id && !unit.target.is_custom_build() {
                continue;
            }
            let sources = dep_info::of_unit(unit.filenames.last()?.as_std_path(), root);
            if sources.is_empty() {
                return None;
            }
            if unit.target.is_custom_build() {
                inputs.read.extend(sources);
            } else {
                inputs.others.extend(sources);
                let files = unit
                    .filenames
                    .iter()
                    .map(|file| file.as_std_path().to_owned());
                inputs.libraries.extend(files);
            }
        }
        for script in &made.scripts {
            let mut packages = made.artifacts.iter();
            let package = packages.find(|unit| unit.package_id == script.package_id)?;
            let directory = package.manifest_path.parent()?.as_std_path();
            let output = script.out_dir.parent()?.join("output");
            inputs.add_script(directory, &std::fs::read_to_string(output).ok()?);
        }
        (!inputs.own.is_empty()).then_some(inputs)
    }

    /// Adds what a build script in `directory` reads, as its `output` says. One that says nothing may read anything
    /// there.
    fn add_script(&mut self, directory: &Path, output: &str) {
        let mut says = false;
        for line in output.lines() {
            let line = line
                .strip_prefix("cargo::")
                .or_else(|| line.strip_prefix("cargo:"));
            let Some((key, value)) = line.and_then(|line| line.split_once('=')) else {
                continue;
            };
            says |= key.starts_with("rerun-if-");
            if key == "rerun-if-changed" {
                self.read.insert(paths::tidy(&directory.join(value.trim())));
            }
        }
        if !says {
            self.read.insert(directory.to_owned());
        }
    }

    /// Returns what part `path` has in the plugin.
    pub(super) fn part(&self, path: &Path) -> Part {
        let is_read = || self.read.iter().any(|read| path.starts_with(read));
        if is_read() {
            Part::Other
        } else if self.others.contains(path) {
            Part::Dependency
        } else if self.own.contains(path) {
            Part::Own
        } else {
            Part::None
        }
    }

    /// Takes the list of sources beside `file`, a library that rustc has made.
    pub(super) fn renew(&mut self, file: &Path) {
        let sources = dep_info::of_unit(file, &self.root);
        self.own = sources.into_iter().collect();
    }
}

/// What the file system says of the files that decide on a call of rustc, beside the sources.
#[derive(Debug)]
pub(super) struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

/// The identity of a file, its size, and the time at which it was written. Another name for a file changes none of them.
type Stamp = (u64, u64, u64, (i64, i64));

impl Stamps {
    /// Returns the stamps of the compiler, of `configuration`, of build scripts, which are there as soon as they have a
    /// file, and of everything that Cargo has made for `plugin` but the library itself.
    pub(super) fn of(
        plugin: &Package,
        made: &Made,
        invocation: &Invocation,
        configuration: impl IntoIterator<Item = PathBuf>,
    ) -> Self {
        let units = made.artifacts.iter();
        let scripts = units
            .clone()
            .filter(|unit| is_local(unit))
            .filter_map(|unit| Some(unit.manifest_path.parent()?.join("build.rs").into()));
        let others = units.filter(|unit| unit.package_id != plugin.id);
        let made = others.flat_map(|unit| &unit.filenames);
        let made = made.map(|file| file.clone().into_std_path_buf());
        let files = made
            .chain(scripts)
            .chain(configuration)
            .chain([invocation.program().to_owned()])
            .chain(invocation.target_file());
        Self(files.map(|file| (file.clone(), stamp(&file))).collect())
    }

    /// Returns the files.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        self.0.iter().map(|(file, _)| file.clone()).collect()
    }

    /// Takes those of `files` as they are now.
    pub(super) fn renew(&mut self, files: &BTreeSet<PathBuf>) {
        for (file, known) in &mut self.0 {
            if files.contains(file) {
                *known = stamp(file);
            }
        }
    }

    /// Returns true if all files are as they were.
    pub(super) fn hold(&self) -> bool {
        self.0.iter().all(|(file, known)| stamp(file) == *known)
    }
}

/// Returns true if the sources of a unit may change.
fn is_local(unit: &Artifact) -> bool {
    unit.package_id.repr.starts_with("path+")
}

fn stamp(file: &Path) -> Option<Stamp> {
    let found = file.metadata().ok()?;
    let written = (found.mtime(), found.mtime_nsec());
    Some((found.dev(), found.ino(), found.size(), written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Inputs {
        let set = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        Inputs {
            own: set(&["/ws/world/src/lib.rs", "/ws/shared.rs"]),
            others: set(&["/ws/util/src/lib.rs", "/ws/shared.rs"]),
            read: BTreeSet::new(),
            libraries: BTreeSet::new(),
            root: "/ws".into(),
        }
    }

    #[test]
    fn a_source_of_two_crates_is_not_a_plugins_own() {
        let inputs = inputs();
        let part = |path: &str| inputs.part(Path::new(path));
        assert_eq!(part("/ws/world/src/lib.rs"), Part::Own);
        assert_eq!(part("/ws/util/src/lib.rs"), Part::Dependency);
        assert_eq!(part("/ws/shared.rs"), Part::Dependency);
        assert_eq!(part("/ws/world/Cargo.toml"), Part::None);
    }

    #[test]
    fn a_build_script_reads_what_it_declares_or_everything() {
        let own = Path::new("/ws/world/src/lib.rs");
        let mut declared = inputs();
        declared.add_script(Path::new("/ws/util"), "cargo::rerun-if-changed=build.rs\n");
        declared.add_script(Path::new("/ws/world"), "cargo:rerun-if-env-changed=X\n");
        assert_eq!(declared.part(own), Part::Own);
        let mut a_source = inputs();
        let output = "cargo:rerun-if-changed=../world/src\n";
        a_source.add_script(Path::new("/ws/world"), "cargo:rerun-if-changed=src\n");
        assert_eq!(a_source.part(own), Part::Other);
        let mut silent = inputs();
        silent.add_script(Path::new("/ws/world"), "cargo:rustc-cfg=fast\n");
        assert_eq!(silent.part(own), Part::Other);
        let mut elsewhere = inputs();
        elsewhere.add_script(Path::new("/ws/util"), output);
        assert_eq!(elsewhere.part(own), Part::Other);
    }
}
