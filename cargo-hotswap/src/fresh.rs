//! Checks that builds which Cargo takes for fresh were made from the sources on disk.
//!
//! Cargo compares time stamps, and names that are the same in each checkout of a workspace. So it keeps a build after
//! an older file was put over a newer one. In a target directory that several checkouts share, it takes the build of
//! one checkout for that of another. This module records from which contents each package was compiled. A package whose
//! contents differ is compiled again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cargo_metadata::{Artifact, Package, PackageId};
use hotswap_host::artifact::BuildId;
use serde::{Deserialize, Serialize};

use crate::call::Made;
use crate::dep_info;
use crate::install::{read_kept, write_kept};
use crate::output::base_dir;
use crate::sources::modified_since;
use crate::workspace::Workspace;

/// The file with the records.
const SOURCES: &str = ".hotswap-sources.json";

/// The sources of the units in one target directory.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Compiled {
    /// For each file of a unit: its sources, as the package names them, with their hashes.
    units: BTreeMap<PathBuf, BTreeMap<PathBuf, BuildId>>,
    /// The files of units that were compiled from sources of which nothing is known, since that build failed or was
    /// ended. They are compiled again.
    #[serde(default)]
    doubtful: BTreeSet<PathBuf>,
}

impl Compiled {
    /// Reads the records of earlier builds.
    pub(crate) fn read(workspace: &Workspace) -> Self {
        let text = read_kept(&file(workspace)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Writes the records for the next build. If that fails, the next build notices less.
    pub(crate) fn write(&self, workspace: &Workspace) {
        let file = file(workspace);
        if let Ok(text) = serde_json::to_vec(self)
            && read_kept(&file).is_none_or(|known| known != text)
        {
            write_kept(&file, &text);
        }
    }

    /// Records the sources of what was compiled for `package`, and returns the packages that Cargo took for fresh
    /// although they are stale.
    pub(crate) fn stale(
        &mut self,
        workspace: &Workspace,
        package: &Package,
        made: &Made,
    ) -> BTreeSet<PackageId> {
        let root = &workspace.root;
        let units: Vec<Unit<'_>> = made.artifacts.iter().filter_map(Unit::of).collect();
        let primary = units.iter().filter(|unit| *unit.id == package.id);
        let primary = primary.filter(|unit| !unit.is_build_script);
        let mut stale = BTreeSet::new();
        let mut sources = BTreeSet::new();
        for unit in primary {
            let named = dep_info::read(&unit.uplifted.with_extension("d"), root);
            // Cargo does not even describe again what another checkout has built.
            let is_foreign = !named.iter().any(|it| it == unit.root_source)
                && named.iter().any(|it| unit.is_namesake(it, root));
            if unit.fresh && is_foreign {
                stale.insert(package.id.clone());
            }
            sources.extend(named);
        }
        let foreign = !stale.is_empty();
        let own = sources
            .into_iter()
            .filter(|source| !source.starts_with(&workspace.target_dir));
        let hashed = own.filter_map(|source| {
            let bytes = std::fs::read(&source).ok()?;
            Some((source, BuildId::of(&bytes)))
        });
        let sources: BTreeMap<PathBuf, BuildId> = hashed.collect();
        let anew = units.iter().filter(|unit| !unit.fresh);
        let anew: BTreeSet<&PackageId> = anew.map(|unit| unit.id).collect();
        for unit in &units {
            let hashes = unit.hashes(&units, package, &sources);
            let known = self.units.get(unit.file);
            let fits = match known {
                _ if unit.fresh && self.doubtful.contains(unit.file) => false,
                // Another target of its package has changed, and it is not known which source belongs to which target.
                _ if !unit.fresh || anew.contains(unit.id) && !unit.is_build_script => true,
                Some(known) => hashes
                    .iter()
                    .all(|(source, hash)| known.get(source).is_none_or(|known| known == hash)),
                None => !(foreign && unit.directory.starts_with(root)),
            };
            if fits {
                self.doubtful.remove(unit.file);
                let known = self.units.entry(unit.file.to_owned()).or_default();
                known.extend(hashes);
            } else {
                stale.insert(unit.id.clone());
            }
        }
        stale
    }

    /// Records what is known after a run of Cargo that began at `began` and failed or was ended: `made` has the units
    /// of which Cargo still told. A unit that was compiled is in doubt if a source of it may have changed since.
    pub(crate) fn note_failure(&mut self, workspace: &Workspace, made: &Made, began: SystemTime) {
        let units: Vec<Unit<'_>> = made.artifacts.iter().filter_map(Unit::of).collect();
        for unit in &units {
            if unit.fresh {
                continue;
            }
            self.units.remove(unit.file);
            match unit.own_hashes(&workspace.root, began) {
                Some(hashes) => {
                    self.units.insert(unit.file.to_owned(), hashes);
                    self.doubtful.remove(unit.file);
                }
                None => drop(self.doubtful.insert(unit.file.to_owned())),
            }
        }
        // Cargo was ended after it had compiled a unit, and before it could tell.
        let told: BTreeSet<&Path> = units.iter().map(|unit| unit.file).collect();
        let is_untold = |file: &&PathBuf| {
            !told.contains(file.as_path())
                && file
                    .metadata()
                    .is_ok_and(|found| modified_since(&found, began))
        };
        let untold: Vec<PathBuf> = self.units.keys().filter(is_untold).cloned().collect();
        self.doubtful.extend(untold);
    }

    /// Removes the records of the packages `stale`, which are compiled again.
    pub(crate) fn forget(&mut self, made: &Made, stale: &BTreeSet<PackageId>) {
        let units = made.artifacts.iter().filter_map(Unit::of);
        for unit in units.filter(|unit| stale.contains(unit.id)) {
            self.units.remove(unit.file);
        }
    }
}

fn file(workspace: &Workspace) -> PathBuf {
    base_dir(workspace).join(SOURCES)
}

/// A compiled target of a package on this machine.
struct Unit<'a> {
    id: &'a PackageId,
    /// The directory of its package.
    directory: &'a Path,
    root_source: &'a Path,
    is_build_script: bool,
    /// The file that Cargo names by a hash of the features, the profile, and similar settings.
    file: &'a Path,
    /// The copy of the file beside its dep-info. Cargo puts the requested output there.
    uplifted: &'a Path,
    fresh: bool,
}

impl<'a> Unit<'a> {
    fn of(artifact: &'a Artifact) -> Option<Self> {
        if !artifact.package_id.repr.starts_with("path+") {
            return None;
        }
        Some(Self {
            id: &artifact.package_id,
            directory: artifact.manifest_path.parent()?.as_std_path(),
            root_source: artifact.target.src_path.as_std_path(),
            is_build_script: artifact.target.is_custom_build(),
            file: artifact.filenames.last()?.as_std_path(),
            uplifted: artifact.filenames.first()?.as_std_path(),
            fresh: artifact.fresh,
        })
    }

    /// Returns true if `source` is its root in another checkout of the workspace `root`.
    fn is_namesake(&self, source: &Path, root: &Path) -> bool {
        let inside = self.root_source.strip_prefix(root);
        inside.is_ok_and(|inside| source.ends_with(inside))
    }

    /// Returns its own sources, as its package names them, with their hashes, if rustc lists them and none has changed
    /// since `began`.
    fn own_hashes(&self, root: &Path, began: SystemTime) -> Option<BTreeMap<PathBuf, BuildId>> {
        let sources = dep_info::of_unit(self.file, root);
        let hashed = sources.into_iter().map(|source| {
            let bytes = std::fs::read(&source).ok()?;
            let found = source.metadata().ok()?;
            let name = source.strip_prefix(self.directory).unwrap_or(&source);
            (!modified_since(&found, began)).then(|| (name.to_owned(), BuildId::of(&bytes)))
        });
        let hashed: BTreeMap<_, _> = hashed.collect::<Option<_>>()?;
        (!hashed.is_empty()).then_some(hashed)
    }

    /// Returns its own sources among `sources`, as its package names them, with their hashes. A source that belongs to
    /// no package counts for the primary one.
    fn hashes(
        &self,
        units: &[Unit<'_>],
        primary: &Package,
        sources: &BTreeMap<PathBuf, BuildId>,
    ) -> BTreeMap<PathBuf, BuildId> {
        let is_script = |source: &Path| {
            let mut scripts = units.iter().filter(|unit| unit.is_build_script);
            scripts.any(|unit| unit.root_source == source)
        };
        let owner = |source: &Path| {
            let above = units
                .iter()
                .filter(|unit| source.starts_with(unit.directory));
            let nearest = above.max_by_key(|unit| unit.directory.as_os_str().len());
            nearest.map_or(&primary.id, |unit| unit.id)
        };
        let is_own = |source: &Path| {
            if self.is_build_script {
                source == self.root_source
            } else {
                owner(source) == self.id && !is_script(source)
            }
        };
        let own = sources.iter().filter(|(source, _)| is_own(source));
        let named = own.map(|(source, hash)| {
            let name = source.strip_prefix(self.directory).unwrap_or(source);
            (name.to_owned(), *hash)
        });
        named.collect()
    }
}
