//! A plugin that is compiled to be linked: its library, and how the list and the compiler name it.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, Package, PackageId};
use hotswap_host::artifact::{BuildId, Note};

use crate::Error;
use crate::cargo::{Made, file_of};
use crate::commit::Commits;
use crate::error::io;
use crate::workspace::{directory, library};

/// What the file names of libraries end in.
pub(super) const LIBRARY_SUFFIX: &str = ".rlib";

/// A plugin that was compiled to be linked.
#[derive(Debug)]
pub(super) struct Plugin {
    /// Its package.
    pub(super) package: String,
    /// The name of its library target.
    pub(super) library: String,
    pub(super) bytes: Vec<u8>,
    note: Note,
    /// The crates whose live functions and types it has.
    crates: BTreeSet<String>,
    /// What the program needs to be linked with it.
    pub(super) link: Vec<OsString>,
}

impl Plugin {
    /// The library that came of the call for `package`.
    pub(super) fn file(package: &Package, made: &Made) -> Result<PathBuf, Error> {
        let wanted = |artifact: &Artifact, file: &Path| is_library(artifact) && is_rlib(file);
        file_of(&made.artifacts, &package.id, wanted).ok_or_else(|| no_library(package))
    }

    /// The plugin whose library is `file`. `live` are the packages that may have something live.
    pub(super) fn of(
        package: &Package,
        (made, file): &(Made, PathBuf),
        live: &HashSet<PackageId>,
        commits: &mut Commits,
    ) -> Result<Self, Error> {
        let library = library(package).ok_or_else(|| no_library(package))?;
        let library = library.name.replace('-', "_");
        let mut with_live = made.artifacts.clone();
        with_live.retain(|made| is_library(made) && live.contains(&made.package_id));
        let crates = with_live
            .into_iter()
            .map(|made| made.target.name.replace('-', "_"));
        Ok(Plugin {
            package: package.name.to_string(),
            bytes: std::fs::read(file).map_err(io("read", file))?,
            note: commits.note(directory(package)),
            crates: crates.chain([library.clone()]).collect(),
            link: search_paths(made),
            library,
        })
    }

    /// The entry of the list.
    pub(super) fn listed(&self) -> String {
        let Note { commit, dirty } = &self.note;
        let crates: Vec<&String> = self.crates.iter().collect();
        format!(
            "        __hotswap::LinkedPlugin {{\n            \
                 package: {:?},\n            \
                 build: \"{}\",\n            \
                 commit: {commit:?},\n            \
                 dirty: {dirty},\n            \
                 crates: &{crates:?},\n        \
             }},\n",
            self.package,
            build_id(&self.bytes)
        )
    }
}

fn no_library(package: &Package) -> Error {
    Error::NoArtifact {
        package: package.name.to_string(),
        wanted: "library",
    }
}

fn is_library(artifact: &Artifact) -> bool {
    artifact.target.is_lib() || artifact.target.is_rlib()
}

fn is_rlib(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "rlib")
}

/// Where rustc finds the crates that a plugin is made of, and the linker the libraries that those need.
fn search_paths(made: &Made) -> Vec<OsString> {
    let libraries = made.artifacts.iter().filter(|made| is_library(made));
    let files = libraries.flat_map(|made| &made.filenames);
    let directories: BTreeSet<_> = files.filter_map(|file| file.parent()).collect();
    let crates = directories.into_iter();
    let crates = crates.map(|directory| format!("dependency={directory}"));
    let paths = crates.chain(made.linked_paths.iter().cloned());
    paths.flat_map(|path| ["-L".into(), path.into()]).collect()
}

/// The identity of a library: what is in it. rustc gives the objects in it other names in each run.
fn build_id(library: &[u8]) -> BuildId {
    let content = members(library).map(|members| members.concat());
    BuildId::of(content.as_deref().unwrap_or(library))
}

/// What is in an archive, without its tables of names; `None` where it is not laid out as they are on Unix.
fn members(archive: &[u8]) -> Option<Vec<&[u8]>> {
    const SIZE: std::ops::Range<usize> = 48..58;
    let (mut members, mut rest) = (vec![], archive.strip_prefix(b"!<arch>\n")?);
    while let Some((head, after)) = rest.split_first_chunk::<60>() {
        let size: usize = str::from_utf8(&head[SIZE]).ok()?.trim_end().parse().ok()?;
        let (member, after) = after.split_at_checked(size)?;
        if !head.starts_with(b"/ ") && !head.starts_with(b"// ") {
            members.push(member);
        }
        // Each begins at an even place.
        rest = after.get(size % 2..).unwrap_or_default();
    }
    Some(members)
}

/// What the host's source calls the library of a plugin.
pub(super) fn alias(library: &str) -> String {
    format!("hotswap_linked_{}", library.replace('-', "_"))
}

/// What its file is called.
pub(super) fn file_name(library: &str) -> String {
    format!("lib{}{LIBRARY_SUFFIX}", library.replace('-', "_"))
}

/// Has rustc find the library of a plugin in `out`.
pub(super) fn external(out: &Path, library: &str) -> [OsString; 2] {
    let mut external = OsString::from(format!("{}=", alias(library)));
    external.push(out.join(file_name(library)));
    ["--extern".into(), external]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_of_a_library_is_what_is_in_it() {
        let member = |name: &str, content: &str| {
            let padding = if content.len() % 2 == 1 { "\n" } else { "" };
            let head = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}", 0, 0, 0, 644);
            format!("{head}{:<10}`\n{content}{padding}", content.len())
        };
        let archive = |name: &str, content: &str| {
            let members = [
                member("/", name),
                member("//", name),
                member(name, content),
                member("/0", "b"),
            ];
            format!("!<arch>\n{}", members.concat()).into_bytes()
        };
        let first = archive("a.o/", "odd");
        assert_eq!(members(&first).unwrap(), [&b"odd"[..], b"b"]);
        assert_eq!(build_id(&first), build_id(&archive("other.o/", "odd")));
        assert_ne!(build_id(&first), build_id(&archive("a.o/", "even")));
        // Whatever it is, it has an identity.
        assert_eq!(members(b"no archive"), None);
        assert_eq!(build_id(b"no archive"), BuildId::of(b"no archive"));
    }
}
