//! The present state of all files of a scope.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hotswap_host::artifact::BuildId;

use super::file_names::{is_hidden, is_rust};
use super::lookups::Lookups;
use super::scope::Scope;

/// Larger files are compared by what the file system says of them.
const LARGE: u64 = 8 << 20;
/// A file that was written within this time may be written again without another time stamp.
const RECENT: Duration = Duration::from_secs(3);

/// The content of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Content of which only the name counts.
    Name,
    /// A file, with the hash of its content.
    Hash(BuildId),
}

/// A path that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its content.
    pub(crate) content: Content,
    /// Its modification time, if its content counts.
    pub(crate) modified: Option<SystemTime>,
}

/// The metadata of a file. The content is taken to be unchanged as long as the metadata is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Reads files, and remembers their contents.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    known: HashMap<PathBuf, (Stamp, BuildId)>,
}

/// The files of a scope. A path that is missing here does not exist.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The paths that exist, with their contents.
    pub(crate) found: BTreeMap<PathBuf, Found>,
    lookups: Lookups,
    /// The directories in which every name counts.
    open: HashSet<PathBuf>,
    /// The directories in which Rust sources count.
    rust: HashSet<PathBuf>,
}

impl Survey {
    /// Returns true if an event at `path`, in a directory without links, may mean a change.
    pub(crate) fn concerns(&self, path: &Path) -> bool {
        let parent = path.parent().unwrap_or(path);
        self.lookups.names.contains(path)
            || !is_hidden(path)
                && (self.open.contains(parent) || is_rust(path) && self.rust.contains(parent))
    }

    /// Returns the directories that have to be watched, without links, each with its identity, which another one at the
    /// same path does not have.
    pub(crate) fn directories(&self) -> &BTreeMap<PathBuf, (u64, u64)> {
        &self.lookups.directories
    }
}

impl Reader {
    /// Reads everything that `scope` covers.
    pub(crate) fn survey(&mut self, scope: &Scope) -> Survey {
        let mut walk = Walk {
            reader: self,
            scope,
            survey: Survey::default(),
            entered: BTreeSet::new(),
        };
        for file in &scope.files {
            walk.file(file);
        }
        for (directories, every_name) in [(&scope.lists, true), (&scope.rust, false)] {
            for directory in directories {
                walk.list(directory, every_name);
            }
        }
        for (directories, whole) in [(&scope.whole, true), (&scope.trees, false)] {
            for directory in directories {
                walk.entered.clear();
                walk.tree(directory, whole);
            }
        }
        walk.survey
    }

    fn hash(&mut self, path: &Path, metadata: &Metadata) -> Option<BuildId> {
        let stamp = Stamp::of(metadata);
        if let Some((known, hash)) = self.known.get(path)
            && *known == stamp
        {
            return Some(*hash);
        }
        let hash = if metadata.len() > LARGE {
            BuildId::of(format!("{stamp:?}").as_bytes())
        } else {
            BuildId::of(&std::fs::read(path).ok()?)
        };
        let recent = SystemTime::now()
            .checked_sub(RECENT)
            .is_none_or(|time| modified_since(metadata, time));
        if recent {
            self.known.remove(path);
        } else {
            self.known.insert(path.to_owned(), (stamp, hash));
        }
        Some(hash)
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Returns true if a file was written, or moved to its place, at `time` or later.
pub(crate) fn modified_since(metadata: &Metadata, time: SystemTime) -> bool {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let changed = Duration::new(
        u64::try_from(metadata.ctime()).unwrap_or(0),
        u32::try_from(metadata.ctime_nsec()).unwrap_or(0),
    );
    changed >= since || metadata.modified().is_ok_and(|modified| modified >= time)
}

struct Walk<'a> {
    reader: &'a mut Reader,
    scope: &'a Scope,
    survey: Survey,
    /// The directories in this tree that were visited, without links.
    entered: BTreeSet<PathBuf>,
}

impl Walk<'_> {
    fn file(&mut self, path: &Path) {
        if self.survey.lookups.resolve(path).is_none() {
            return;
        }
        let Ok(metadata) = path.metadata() else {
            return;
        };
        let hash = metadata
            .is_file()
            .then(|| self.reader.hash(path, &metadata))
            .flatten();
        let found = match hash {
            Some(hash) => Found {
                content: Content::Hash(hash),
                modified: metadata.modified().ok(),
            },
            None => NAME,
        };
        self.survey.found.insert(path.to_owned(), found);
    }

    fn list(&mut self, directory: &Path, every_name: bool) {
        let Some(there) = self.enter(directory) else {
            return;
        };
        for path in entries(directory) {
            if is_rust(&path) {
                self.file(&path);
            } else if every_name {
                self.survey.found.entry(path).or_insert(NAME);
            }
        }
        if every_name {
            self.survey.open.insert(there);
        } else {
            self.survey.rust.insert(there);
        }
    }

    fn tree(&mut self, directory: &Path, whole: bool) {
        if self.scope.excludes(directory) {
            return;
        }
        let Some(there) = self.enter(directory) else {
            return;
        };
        // Links may form a circle.
        if !self.entered.insert(there.clone()) {
            return;
        }
        self.survey.open.insert(there);
        for path in entries(directory) {
            self.survey.lookups.resolve(&path);
            if path.is_dir() {
                self.survey.found.entry(path.clone()).or_insert(NAME);
                self.tree(&path, whole);
            } else if whole || is_rust(&path) {
                self.file(&path);
            } else {
                self.survey.found.entry(path).or_insert(NAME);
            }
        }
    }

    /// Returns the directory to which `directory` leads, and notes that it is read.
    fn enter(&mut self, directory: &Path) -> Option<PathBuf> {
        let there = self.survey.lookups.resolve(directory)?;
        self.survey.lookups.enter(&there);
        Some(there)
    }
}

const NAME: Found = Found {
    content: Content::Name,
    modified: None,
};

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| !is_hidden(path)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Tree {
        _temp: tempfile::TempDir,
        root: PathBuf,
        scope: Scope,
        reader: Reader,
    }

    impl Tree {
        fn new() -> Self {
            let temp = tempfile::tempdir().expect("a temporary directory");
            let root = temp.path().canonicalize().expect("it is there");
            let mut scope = Scope::default();
            scope.trees.insert(root.join("src"));
            scope.files.insert(root.join("data"));
            let tree = Self {
                _temp: temp,
                root,
                scope,
                reader: Reader::default(),
            };
            tree.write("src/lib.rs", "one");
            tree.write("src/deep/mod.rs", "one");
            tree
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.root.join(path);
            fs::create_dir_all(path.parent().expect("it is in one")).expect("it can be made");
            fs::write(path, text).expect("it can be written");
        }

        fn contents(&mut self) -> BTreeMap<PathBuf, Content> {
            let found = self.reader.survey(&self.scope).found;
            found
                .into_iter()
                .map(|(path, found)| (path, found.content))
                .collect()
        }
    }

    #[test]
    fn another_content_is_seen_however_old_it_is() {
        let mut tree = Tree::new();
        tree.write("older", "two");
        let old = fs::File::open(tree.root.join("older")).expect("it is there");
        old.set_modified(SystemTime::UNIX_EPOCH)
            .expect("it can be set");
        let before = tree.contents();
        fs::rename(tree.root.join("older"), tree.root.join("src/lib.rs")).expect("it can be moved");
        assert_ne!(tree.contents(), before);
        tree.write("src/lib.rs", "one");
        assert_eq!(tree.contents(), before);
    }

    #[test]
    fn a_file_that_appears_and_a_link_that_leads_elsewhere_are_seen() {
        let mut tree = Tree::new();
        tree.write("far/one", "one");
        tree.write("far/two", "two");
        symlink("far/one", tree.root.join("data")).expect("it can be made");
        let before = tree.contents();
        fs::remove_file(tree.root.join("data")).expect("it is there");
        symlink("far/two", tree.root.join("data")).expect("it can be made");
        let after = tree.contents();
        assert_ne!(after, before);
        tree.write("src/deep/new.rs", "");
        assert_ne!(tree.contents(), after);
    }

    #[test]
    fn events_count_where_anything_is_looked_up() {
        let mut tree = Tree::new();
        symlink("far/one", tree.root.join("data")).expect("it can be made");
        tree.write("far/one", "one");
        let survey = tree.reader.survey(&tree.scope);
        for path in [
            "src",
            "data",
            "far",
            "far/one",
            "src/anything",
            "src/deep/x.rs",
        ] {
            assert!(survey.concerns(&tree.root.join(path)), "{path}");
        }
        for path in ["far/two", "target", "src/.lib.rs.swp"] {
            assert!(!survey.concerns(&tree.root.join(path)), "{path}");
        }
    }

    #[test]
    fn links_in_a_circle_are_walked_once() {
        let mut tree = Tree::new();
        symlink("..", tree.root.join("src/deep/up")).expect("it can be made");
        assert!(tree.contents().len() < 10);
    }
}
