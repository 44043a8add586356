//! The directories in which a name is looked up when a path is resolved, links included. The result of resolving
//! depends on them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The limit of links in a path, which is the kernel's own.
const MAX_LINKS: usize = 40;

/// The device and inode of a directory. A new directory at the same path has others.
pub(crate) type Identity = (u64, u64);

/// The directories and names on which the resolving of some paths depends.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    /// The directories, without links.
    pub(crate) directories: BTreeMap<PathBuf, Identity>,
    /// The names that were looked up, each with its directory.
    pub(crate) names: HashSet<PathBuf>,
    known: HashMap<PathBuf, Option<PathBuf>>,
}

impl Lookups {
    /// Returns the target of the absolute `path`, without links, if there is one.
    pub(crate) fn resolve(&mut self, path: &Path) -> Option<PathBuf> {
        self.follow(path, 0)
    }

    /// Notes that the names in `directory`, a path without links, are read.
    pub(crate) fn enter(&mut self, directory: &Path) {
        if self.directories.contains_key(directory) {
            return;
        }
        if let Ok(found) = directory.metadata()
            && found.is_dir()
        {
            let identity = (found.dev(), found.ino());
            self.directories.insert(directory.to_owned(), identity);
        }
    }

    fn follow(&mut self, path: &Path, links: usize) -> Option<PathBuf> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let found = self.look_up(path, links);
        self.known.insert(path.to_owned(), found.clone());
        found
    }

    fn look_up(&mut self, path: &Path, links: usize) -> Option<PathBuf> {
        let Some(above) = path.parent() else {
            return Some(path.to_owned());
        };
        let above = self.follow(above, links)?;
        let Some(name) = path.file_name() else {
            // The path ends in `..`.
            return Some(above.parent().unwrap_or(&above).to_owned());
        };
        self.enter(&above);
        let found = above.join(name);
        self.names.insert(found.clone());
        if !found.symlink_metadata().ok()?.is_symlink() {
            return Some(found);
        }
        if links == MAX_LINKS {
            return None;
        }
        let target = found.read_link().ok()?;
        self.follow(&above.join(target), links + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_is_looked_up_where_it_lies() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let root = temp.path().canonicalize().expect("it is there");
        for name in ["a", "b", "c"] {
            std::fs::create_dir(root.join(name)).expect("it can be made");
        }
        std::fs::write(root.join("c/file"), "").expect("it can be written");
        symlink("../b/second", root.join("a/first")).expect("it can be made");
        symlink(root.join("c"), root.join("b/second")).expect("it can be made");
        let mut lookups = Lookups::default();
        let found = lookups.resolve(&root.join("a/first/../c/./file"));
        assert_eq!(found, Some(root.join("c/file")));
        for name in ["a", "a/first", "b", "b/second", "c", "c/file"] {
            assert!(lookups.names.contains(&root.join(name)), "{name}");
        }
        for directory in ["", "a", "b", "c"] {
            let directory = root.join(directory);
            assert!(
                lookups
                    .directories
                    .contains_key(directory.canonicalize().expect("it is there").as_path())
            );
        }
    }

    #[test]
    fn what_is_missing_is_looked_for_where_it_would_appear() {
        let temp = tempfile::tempdir().expect("a temporary directory");
        let root = temp.path().canonicalize().expect("it is there");
        symlink("nowhere/else", root.join("link")).expect("it can be made");
        symlink("circle", root.join("circle")).expect("it can be made");
        let mut lookups = Lookups::default();
        assert_eq!(lookups.resolve(&root.join("link/file")), None);
        assert!(lookups.names.contains(&root.join("nowhere")));
        assert_eq!(lookups.resolve(&root.join("circle")), None);
    }
}
