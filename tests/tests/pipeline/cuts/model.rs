//! A file system that loses its power.
//!
//! What has been synced is there afterwards: the bytes of a file after `fsync` or `fdatasync` of the file, and a name
//! after `fsync` of its directory. Of everything else, anything may be there: each block of a file is as old or as new as
//! any other, and each change of a directory has reached the disk or not.
use super::trace::Change;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What is left of that which was not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Left {
    Nothing,
    /// All of it. This is also what a process leaves that is killed.
    All,
    /// What the numbers choose.
    Some,
}

/// Numbers that look random.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

type Id = usize;

enum Node {
    File(File),
    Dir(Dir),
}

/// The versions of a file since it was synced. The first one is on the disk.
struct File {
    versions: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Dir {
    /// The names on the disk.
    synced: BTreeMap<String, Id>,
    /// The names as the process sees them.
    now: BTreeMap<String, Id>,
    /// The changes since it was synced. A name is removed if it leads nowhere. Those that belong together are one.
    changes: Vec<Vec<(String, Option<Id>)>>,
}

impl Dir {
    fn change(&mut self, change: Vec<(String, Option<Id>)>) {
        apply(&mut self.now, &change);
        self.changes.push(change);
    }
}

fn apply(names: &mut BTreeMap<String, Id>, change: &[(String, Option<Id>)]) {
    for (name, id) in change {
        match id {
            Some(id) => names.insert(name.clone(), *id),
            None => names.remove(name),
        };
    }
}

impl File {
    fn now(&self) -> &Vec<u8> {
        self.versions.last().expect("there is one on the disk")
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut next = self.now().clone();
        change(&mut next);
        self.versions.push(next);
    }

    /// Returns the bytes after a power failure.
    fn left(&self, left: Left, numbers: &mut Numbers) -> Vec<u8> {
        match left {
            Left::Nothing => return self.versions[0].clone(),
            Left::All => return self.now().clone(),
            Left::Some => {}
        }
        let mut any = || &self.versions[numbers.below(self.versions.len())];
        let mut bytes = vec![0; any().len()];
        let block = [512, 4096][numbers.below(2)];
        for (n, to) in bytes.chunks_mut(block).enumerate() {
            let from = &self.versions[numbers.below(self.versions.len())];
            let from = from.get(n * block..).unwrap_or_default();
            let len = from.len().min(to.len());
            to[..len].copy_from_slice(&from[..len]);
        }
        bytes
    }
}

/// The directory that the process has changed.
pub struct Disk(Vec<Node>);

const ROOT: Id = 0;

impl Disk {
    /// A directory that is empty.
    pub fn new() -> Self {
        Disk(vec![Node::Dir(Dir::default())])
    }

    fn dir(&mut self, id: Id) -> &mut Dir {
        match &mut self.0[id] {
            Node::Dir(dir) => dir,
            Node::File(_) => panic!("it is a file"),
        }
    }

    fn find(&mut self, path: &str) -> Option<Id> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        parts.try_fold(ROOT, |id, part| self.dir(id).now.get(part).copied())
    }

    /// Returns the directory of a path, and the name in it.
    fn place(&mut self, path: &str) -> (Id, String) {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self.find(dir).expect("its directory is there");
        (dir, name.to_owned())
    }

    fn add(&mut self, path: &str, node: Node) {
        let id = self.0.len();
        self.0.push(node);
        let (dir, name) = self.place(path);
        self.dir(dir).change(vec![(name, Some(id))]);
    }

    fn file(&mut self, path: &str) -> &mut File {
        let id = self.find(path).unwrap_or_else(|| panic!("no file {path}"));
        match &mut self.0[id] {
            Node::File(file) => file,
            Node::Dir(_) => panic!("{path} is a directory"),
        }
    }

    /// Makes a change.
    pub fn change(&mut self, change: &Change) {
        match change {
            Change::MakeDir(path) => self.add(path, Node::Dir(Dir::default())),
            Change::Create { path, truncate } => {
                if self.find(path).is_none() {
                    let versions = vec![Vec::new()];
                    self.add(path, Node::File(File { versions }));
                } else if *truncate {
                    self.file(path).change(Vec::clear);
                }
            }
            Change::Write { path, at, bytes } => self.file(path).change(|file| {
                // The one file that is written without a place is written once, or at its end.
                let at = at.unwrap_or(file.len());
                file.resize(file.len().max(at + bytes.len()), 0);
                file[at..][..bytes.len()].copy_from_slice(bytes);
            }),
            Change::Truncate { path, len } => self.file(path).change(|file| file.resize(*len, 0)),
            Change::Rename(from, to) => {
                let moved = self.find(from);
                let ((dir, from), (to_dir, to)) = (self.place(from), self.place(to));
                assert_eq!(dir, to_dir, "the model knows one directory for each rename");
                self.dir(dir).change(vec![(from, None), (to, moved)]);
            }
            Change::Remove(path) => {
                let (dir, name) = self.place(path);
                self.dir(dir).change(vec![(name, None)]);
            }
            Change::Sync(path) => {
                let id = self.find(path).unwrap_or_else(|| panic!("no {path}"));
                match &mut self.0[id] {
                    Node::File(file) => drop(file.versions.drain(..file.versions.len() - 1)),
                    Node::Dir(dir) => {
                        dir.synced = dir.now.clone();
                        dir.changes.clear();
                    }
                }
            }
        }
    }

    /// Writes what a power failure leaves into an empty directory.
    pub fn cut(&self, left: Left, numbers: &mut Numbers, to: &Path) {
        self.write(ROOT, left, numbers, to);
    }

    fn write(&self, id: Id, left: Left, numbers: &mut Numbers, to: &Path) {
        let Node::Dir(dir) = &self.0[id] else {
            let Node::File(file) = &self.0[id] else {
                unreachable!("it is one or the other")
            };
            return fs::write(to, file.left(left, numbers)).unwrap();
        };
        fs::create_dir_all(to).unwrap();
        let mut names = dir.synced.clone();
        for change in &dir.changes {
            if left == Left::All || left == Left::Some && numbers.below(2) == 0 {
                apply(&mut names, change);
            }
        }
        for (name, id) in names {
            self.write(id, left, numbers, &to.join(name));
        }
    }
}

#[test]
fn only_what_was_synced_is_certain() {
    let mut disk = Disk::new();
    let path = || "file".to_owned();
    let create = Change::Create {
        path: path(),
        truncate: false,
    };
    let write = |byte| Change::Write {
        path: path(),
        at: Some(0),
        bytes: vec![byte; 600],
    };
    let changes = [create, write(1), Change::Sync(path()), write(2)];
    let left = |disk: &Disk, left| {
        let dir = tempfile::tempdir().unwrap();
        disk.cut(left, &mut Numbers(1), dir.path());
        fs::read(dir.path().join("file")).ok()
    };
    changes.iter().for_each(|change| disk.change(change));
    assert_eq!(left(&disk, Left::Nothing), None);
    assert_eq!(left(&disk, Left::All), Some(vec![2; 600]));
    disk.change(&Change::Sync(String::new()));
    assert_eq!(left(&disk, Left::Nothing), Some(vec![1; 600]));
    disk.change(&Change::Sync(path()));
    assert_eq!(left(&disk, Left::Nothing), Some(vec![2; 600]));
    let renamed = || "renamed".to_owned();
    disk.change(&Change::Rename(path(), renamed()));
    assert_eq!(left(&disk, Left::Nothing), Some(vec![2; 600]));
    assert_eq!(left(&disk, Left::All), None);
}
