//! Has Cargo build again what it takes for fresh although its sources have changed.
//!
//! Cargo compares times: a file that was written before the last build is no reason for another one, even where it has just taken
//! the place of a newer one (`mv`, `cp -p`, an unpacked archive). So the contents that each build was made of are kept beside the
//! artifacts, and compared. Where a source differs, is older than the build, and Cargo calls its package fresh, the package's output
//! is removed, and Cargo is called once more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cargo_metadata::PackageId;
use hotswap_host::artifact::BuildId;
use serde::{Deserialize, Serialize};

use crate::build::base_dir;
use crate::cargo::{Call, Calls, Made};
use crate::sources::{Content, Reader, Scope, Stamp, Survey};
use crate::ui::shown;
use crate::{Error, dep_info};

/// Where the contents are kept.
const DIRECTORY: &str = ".hotswap-sources";

/// Calls of Cargo for one build.
pub(crate) struct Freshness<'c, 'w> {
    calls: &'c Calls<'w>,
    reader: Reader,
    /// The packages whose output was removed for this build. What several plugins share is removed once.
    renewed: BTreeSet<PackageId>,
}

/// What a build was made of.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// When the build began.
    began: SystemTime,
    files: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    hash: String,
    /// Saves reading the file again.
    stamp: Option<Stamp>,
}

impl<'c, 'w> Freshness<'c, 'w> {
    /// For one build with these `calls`.
    pub(crate) fn new(calls: &'c Calls<'w>) -> Self {
        Self {
            calls,
            reader: Reader::default(),
            renewed: BTreeSet::new(),
        }
    }

    /// Makes `call`, and returns what came of it with the file that `output` finds in that.
    pub(crate) fn build(
        &mut self,
        call: &Call,
        output: impl Fn(&Made) -> Result<PathBuf, Error>,
    ) -> Result<(Made, PathBuf), Error> {
        let calls = self.calls;
        let store = base_dir(calls.workspace).join(DIRECTORY);
        let store = store.join(format!("{}.json", BuildId::of(call.identity().as_bytes())));
        let record = Record::read(&store);
        let mut began = SystemTime::now();
        let mut before = BTreeMap::new();
        if let Some(record) = &record {
            self.recall(record);
            before = hashes(self.reader.survey(&record.scope()));
        }
        let mut made = call.run(calls.session, calls.format)?;
        let mut file = output(&made)?;
        let mut after = self.inputs(&file);
        if let Some(record) = record {
            let stale = record.older_changes(&after);
            let packages = self.stale_packages(&made, &stale);
            if let Some(source) = stale.first().filter(|_| !packages.is_empty()) {
                calls.session.ui.info(
                    "Stale",
                    format_args!(
                        "{} is older than the build without it, so cargo takes no notice of it; building {} again",
                        shown(source, &calls.workspace.root),
                        names(&packages)
                    ),
                );
                calls
                    .clean(packages.iter().map(name_of))
                    .run(calls.session, calls.format)?;
                self.renewed.extend(packages);
                began = SystemTime::now();
                before = hashes(self.reader.survey(&record.scope()));
                made = call.run(calls.session, calls.format)?;
                file = output(&made)?;
                after = self.inputs(&file);
            }
        }
        self.store(&store, began, &before, &after);
        Ok((made, file))
    }

    /// The contents of all sources that the dep-info of `file` names.
    fn inputs(&mut self, file: &Path) -> BTreeMap<PathBuf, BuildId> {
        let named = dep_info::read(&file.with_extension("d"), &self.calls.workspace.root);
        let target = &self.calls.workspace.target_dir;
        let sources = named.into_iter().filter(|path| !path.starts_with(target));
        hashes(self.reader.survey(&Scope::of_inputs(sources, target)))
    }

    /// The fresh packages that the changed files `stale` belong to. Where one belongs to none that was looked at, all packages
    /// that lie here may have read it.
    fn stale_packages(&self, made: &Made, stale: &[PathBuf]) -> BTreeSet<PackageId> {
        let mut local: BTreeMap<&PackageId, (PathBuf, bool)> = BTreeMap::new();
        for artifact in &made.artifacts {
            let id = &artifact.package_id;
            if id.repr.starts_with("path+") || self.is_member(id) {
                let manifest = artifact.manifest_path.as_std_path();
                let directory = manifest.parent().unwrap_or(manifest).to_owned();
                let (_, fresh) = local.entry(id).or_insert((directory, true));
                *fresh &= artifact.fresh;
            }
        }
        let mut found = BTreeSet::new();
        for file in stale {
            let owner = local
                .iter()
                .filter(|(_, (directory, _))| file.starts_with(directory))
                .max_by_key(|(_, (directory, _))| directory.components().count());
            let owners = match owner {
                Some((id, _)) => vec![*id],
                None => local.keys().copied().collect(),
            };
            let fresh = owners.into_iter().filter(|id| local[id].1);
            found.extend(fresh.filter(|id| !self.renewed.contains(id)).cloned());
        }
        found
    }

    fn is_member(&self, id: &PackageId) -> bool {
        let mut members = self.calls.workspace.members.iter();
        members.any(|package| package.id == *id)
    }

    fn recall(&mut self, record: &Record) {
        for (path, entry) in &record.files {
            if let (Some(stamp), Ok(hash)) = (entry.stamp, entry.hash.parse()) {
                self.reader.remember(path, stamp, hash);
            }
        }
    }

    /// Keeps what the build was made of: what was there before it, as far as that is known. What was changed meanwhile may or may
    /// not be in it, and is another reason to build.
    fn store(
        &self,
        store: &Path,
        began: SystemTime,
        before: &BTreeMap<PathBuf, BuildId>,
        after: &BTreeMap<PathBuf, BuildId>,
    ) {
        let files = after.iter().map(|(path, hash)| {
            let known = before.get(path).unwrap_or(hash);
            let entry = Entry {
                hash: known.to_string(),
                stamp: self.reader.stamp(path).filter(|_| known == hash),
            };
            (path.clone(), entry)
        });
        let record = Record {
            began,
            files: files.collect(),
        };
        // Where it cannot be kept, the next build relies on Cargo alone.
        let _ = record.write(store);
    }
}

impl Record {
    fn read(file: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file).ok()?).ok()
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let directory = file.parent().unwrap_or(file);
        std::fs::create_dir_all(directory)?;
        let temp = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer(&temp, self)?;
        temp.persist(file)?;
        Ok(())
    }

    fn scope(&self) -> Scope {
        let mut scope = Scope::default();
        self.files
            .keys()
            .cloned()
            .for_each(|file| scope.add_file(file));
        scope
    }

    /// The files with another content than the build had, of which Cargo does not know: those that are not newer than it.
    fn older_changes(&self, now: &BTreeMap<PathBuf, BuildId>) -> Vec<PathBuf> {
        let changed = self.files.iter().filter(|(path, entry)| {
            now.get(*path)
                .is_some_and(|hash| hash.to_string() != entry.hash)
        });
        let older = changed.filter(|(path, _)| {
            path.metadata()
                .and_then(|found| found.modified())
                .is_ok_and(|modified| modified <= self.began)
        });
        older.map(|(path, _)| path.clone()).collect()
    }
}

fn hashes(survey: Survey) -> BTreeMap<PathBuf, BuildId> {
    let found = survey.found.into_iter();
    found
        .filter_map(|(path, found)| match found.content {
            Content::Hash(hash) => Some((path, hash)),
            Content::Name => None,
        })
        .collect()
}

/// The package's name: at the end of its id, or of the path in it.
fn name_of(id: &PackageId) -> &str {
    let (path, fragment) = id.repr.rsplit_once('#').unwrap_or(("", &id.repr));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next().unwrap_or(path),
    }
}

fn names(packages: &BTreeSet<PackageId>) -> String {
    let names: Vec<_> = packages.iter().map(name_of).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_package_is_in_its_id() {
        let name = |repr: &str| name_of(&PackageId { repr: repr.into() }).to_owned();
        assert_eq!(name("path+file:///a/some%20where/app/world#0.1.0"), "world");
        assert_eq!(name("path+file:///a/other#world@0.1.0"), "world");
    }
}
