//! A plugin that is compiled to be linked: its library, and its names in the list and for the compiler.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::Path;

use cargo_metadata::{Artifact, Package, PackageId};
use hotswap_host::artifact::{BuildId, Note};

use crate::Error;
use crate::call::{Made, file_of};
use crate::commit::Commits;
use crate::error::io;
use crate::workspace::{directory, library};

/// The suffix of the file names of libraries.
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
    /// The crates whose live functions and types it contains.
    crates: BTreeSet<String>,
    /// The arguments with which the program is linked to it.
    pub(super) link: Vec<OsString>,
}

impl Plugin {
    /// Returns the plugin that the call for `package` has built. `live` are the packages that may have live items.
    pub(super) fn of(
        package: &Package,
        made: &Made,
        live: &HashSet<PackageId>,
        commits: &mut Commits,
    ) -> Result<Self, Error> {
        let wanted = |artifact: &Artifact, file: &Path| is_library(artifact) && is_rlib(file);
        let file = file_of(&made.artifacts, &package.id, wanted);
        let (file, library) = file
            .zip(library(package))
            .ok_or_else(|| Error::NoArtifact {
                package: package.name.to_string(),
                wanted: "library",
            })?;
        let library = library.name.replace('-', "_");
        let mut with_live = made.artifacts.clone();
        with_live.retain(|made| is_library(made) && live.contains(&made.package_id));
        let crates = with_live
            .into_iter()
            .map(|made| made.target.name.replace('-', "_"));
        Ok(Plugin {
            package: package.name.to_string(),
            bytes: std::fs::read(&file).map_err(io("read", &file))?,
            note: commits.note(directory(package)),
            crates: crates.chain([library.clone()]).collect(),
            link: search_paths(made),
            library,
        })
    }

    /// Returns the entry of the list.
    pub(super) fn listed(&self) -> String {
        let Note { commit, dirty, .. } = &self.note;
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

fn is_library(artifact: &Artifact) -> bool {
    artifact.target.is_lib() || artifact.target.is_rlib()
}

fn is_rlib(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "rlib")
}

/// Returns the arguments with which rustc finds the crates of a plugin, and the linker the libraries that those need.
fn search_paths(made: &Made) -> Vec<OsString> {
    let libraries = made.artifacts.iter().filter(|made| is_library(made));
    let files = libraries.flat_map(|made| &made.filenames);
    let directories: BTreeSet<_> = files.filter_map(|file| file.parent()).collect();
    let crates = directories.into_iter();
    let crates = crates.map(|directory| format!("dependency={directory}"));
    let paths = crates.chain(made.linked_paths.iter().cloned());
    paths.flat_map(|path| ["-L".into(), path.into()]).collect()
}

/// Returns the identity of a library, which depends on its content only. rustc gives the objects in it other names in
/// each run.
fn build_id(library: &[u8]) -> BuildId {
    let content = members(library).map(|members| members.concat());
    BuildId::of(content.as_deref().unwrap_or(library))
}

/// Returns the members of an archive without its tables of names, or `None` if its layout is not the one of Unix.
fn members(archive: &[u8]) -> Option<Vec<&[u8]>> {
    const SIZE: std::ops::Range<usize> = 48..58;
    let (mut members, mut rest) = (vec![], archive.strip_prefix(b"!<arch>\n")?);
    while let Some((head, after)) = rest.split_first_chunk::<60>() {
        let size: usize = str::from_utf8(&head[SIZE]).ok()?.trim_end().parse().ok()?;
        let (member, after) = after.split_at_checked(size)?;
        if !head.starts_with(b"/ ") && !head.starts_with(b"// ") {
            members.push(member);
        }
        // Each member begins at an even offset.
        rest = after.get(size % 2..).unwrap_or_default();
    }
    Some(members)
}

/// Returns the name of a plugin's library in the host's source.
pub(super) fn alias(library: &str) -> String {
    format!("hotswap_linked_{}", library.replace('-', "_"))
}

/// Returns the file name of a plugin's library.
pub(super) fn file_name(library: &str) -> String {
    format!("lib{}{LIBRARY_SUFFIX}", library.replace('-', "_"))
}

/// Returns the arguments with which rustc finds the library of a plugin in `out`.
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
