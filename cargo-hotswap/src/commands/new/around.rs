//! Finds the workspace to which a new package would belong.
//!
//! Cargo takes the manifest of a workspace above a package as the package's own, with its patches, its dependencies,
//! and its profiles. So a manifest that belongs to another user, or that has nothing to do with the package, is neither
//! used nor changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::io;

/// Returns the Cargo.toml of the workspace to which a package in `directory` would belong, with its content.
///
/// # Errors
/// Returns [`Error::ForeignManifest`] if another user decides what Cargo would read there, and
/// [`Error::OutsideRepository`] if the workspace lies above the repository of `directory`.
pub(super) fn enclosing_workspace(
    directory: &Path,
) -> Result<Option<(PathBuf, toml::Table)>, Error> {
    let mut repository = None;
    for above in directory.ancestors().skip(1) {
        let manifest = above.join("Cargo.toml");
        if manifest.symlink_metadata().is_ok() {
            if let Some(owner) = foreign_owner(&manifest).or_else(|| foreign_owner(above)) {
                return Err(Error::ForeignManifest { manifest, owner });
            }
            if manifest.is_file() {
                let table: toml::Table = std::fs::read_to_string(&manifest)
                    .map_err(io("read", &manifest))?
                    .parse()
                    .map_err(|source| Error::Toml {
                        path: manifest.clone(),
                        source: Box::new(source),
                    })?;
                if table.contains_key("workspace") {
                    return match repository {
                        None => Ok(Some((manifest, table))),
                        Some(repository) => Err(Error::OutsideRepository {
                            manifest,
                            repository,
                        }),
                    };
                }
            }
        }
        if repository.is_none() && above.join(".git").exists() {
            repository = Some(above.to_owned());
        }
    }
    Ok(None)
}

/// Returns the owner of the file or directory, if that is neither this user nor root. For a link, both the link and its
/// target are checked.
pub(super) fn foreign_owner(path: &Path) -> Option<u32> {
    let own = rustix::process::geteuid().as_raw();
    let owners = [path.symlink_metadata(), path.metadata()];
    let mut owners = owners.into_iter().flatten().map(|found| found.uid());
    owners.find(|owner| ![own, 0].contains(owner))
}
