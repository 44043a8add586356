//! What is mapped as code into a process: plugins, and everything else.
use crate::base::name::PluginName;
use crate::base::paths::as_text;
use crate::shown;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The libraries that are mapped as code into a process, and its program. It is displayed as lines of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Scan {
    /// The process.
    pub pid: u32,
    /// The mapped files: builds of plugins first, by name, and then the others, by path.
    pub mapped: Vec<MappedFile>,
}

/// A file of which code is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MappedFile {
    /// The path by which it was mapped. Files in memory have none on a disk, and begin with `/memfd:`.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// The bytes of address space that all of its mappings take.
    pub bytes: u64,
    /// What the file is.
    pub kind: MappedKind,
    /// How the file of this path is now.
    pub file: FileNow,
    /// The number of mapped files that are the same build of a plugin, or have the same file name. More than one means that
    /// code is mapped more than once.
    pub copies: usize,
}

/// What a mapped file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MappedKind {
    /// The private copy of a build of a plugin.
    Plugin {
        /// The plugin.
        plugin: PluginName,
        /// The first eight digits of the build id.
        build: String,
        /// Why it is mapped. From outside of the process, this is not known.
        state: BuildState,
    },
    /// Any other library, or the program.
    Foreign,
}

/// Why a build of a plugin is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BuildState {
    /// This is not known outside of the process. [`Swapper::scan`](crate::Swapper::scan) knows it.
    Unknown,
    /// It is live.
    Live,
    /// It is kept for a rollback, until the window closes.
    ForRollback,
    /// It stays for live data that it has saved, and which an older build may have to read.
    ForLiveData,
    /// It was replaced, and is on its way out of memory.
    Leaving {
        /// What holds it, in words, once that is named.
        held_by: Vec<String>,
    },
    /// It was replaced, and stays for ever.
    Stays {
        /// The reasons, in words.
        held_by: Vec<String>,
    },
    /// It is being loaded, or was loaded for a test, or another host of this process has it.
    Other,
}

/// How the file of a path is, compared with what is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileNow {
    /// It is what is mapped.
    Same,
    /// It was removed.
    Deleted,
    /// It was removed, and another file has its path: what is mapped is stale.
    Replaced,
    /// It is in memory, and has never had a path.
    InMemory,
}

/// Finds out what is mapped into a process. On systems without `/proc`, nothing is known.
///
/// # Errors
/// There is no such process, it belongs to somebody else, or there is no `/proc`.
pub fn scan(pid: u32) -> io::Result<Scan> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    Ok(Scan::of(pid, &maps, |path| path.exists()))
}

const DELETED: &str = " (deleted)";
const IN_MEMORY: &str = "/memfd:";

impl Scan {
    fn of(pid: u32, maps: &str, exists: impl Fn(&Path) -> bool) -> Self {
        // By path, device, and inode: the bytes, and whether some of them are code.
        let mut files = BTreeMap::<(&str, &str), (u64, bool)>::new();
        for mapping in maps.lines().filter_map(Mapping::of) {
            let file = files.entry((mapping.path, mapping.inode)).or_default();
            file.0 += mapping.bytes;
            file.1 |= mapping.code;
        }
        let code = files.into_iter().filter(|(_, (_, code))| *code);
        let mut mapped: Vec<_> = code
            .map(|((path, _), (bytes, _))| MappedFile::new(pid, path, bytes, &exists))
            .collect();
        let names: Vec<_> = mapped.iter().map(MappedFile::sameness).collect();
        for (file, name) in mapped.iter_mut().zip(&names) {
            file.copies = names.iter().filter(|other| *other == name).count();
        }
        mapped.sort_by_cached_key(MappedFile::order);
        Scan { pid, mapped }
    }

    /// The builds of plugins.
    pub fn plugins(&self) -> impl Iterator<Item = &MappedFile> {
        let is_plugin = |file: &&MappedFile| matches!(file.kind, MappedKind::Plugin { .. });
        self.mapped.iter().filter(is_plugin)
    }

    /// Everything else.
    pub fn foreign(&self) -> impl Iterator<Item = &MappedFile> {
        let is_foreign = |file: &&MappedFile| matches!(file.kind, MappedKind::Foreign);
        self.mapped.iter().filter(is_foreign)
    }
}

/// A line of the memory map.
struct Mapping<'m> {
    path: &'m str,
    inode: &'m str,
    bytes: u64,
    code: bool,
}

impl<'m> Mapping<'m> {
    /// Returns the mapping, if it is one of a file.
    fn of(line: &'m str) -> Option<Self> {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let at = |text| u64::from_str_radix(text, 16).ok();
        let (permissions, rest) = rest.split_once(' ')?;
        let (_offset, rest) = rest.split_once(' ')?;
        let (_device, rest) = rest.split_once(' ')?;
        let (inode, path) = rest.split_once(' ')?;
        let path = path.trim_start();
        path.starts_with('/').then_some(())?;
        Some(Mapping {
            path,
            inode,
            bytes: at(to)?.checked_sub(at(from)?)?,
            code: permissions.contains('x'),
        })
    }
}

impl MappedFile {
    fn new(pid: u32, path: &str, bytes: u64, exists: impl Fn(&Path) -> bool) -> Self {
        let in_memory = path.starts_with(IN_MEMORY);
        let (text, deleted) = match path.strip_suffix(DELETED) {
            Some(path) => (path, true),
            None => (path, false),
        };
        // The map has a newline as these four characters.
        let path = PathBuf::from(text.replace("\\012", "\n"));
        let file = match (in_memory, deleted) {
            (true, _) => FileNow::InMemory,
            (_, false) => FileNow::Same,
            (_, true) if exists(&path) => FileNow::Replaced,
            (_, true) => FileNow::Deleted,
        };
        MappedFile {
            kind: MappedKind::of(pid, &path),
            path,
            bytes,
            file,
            copies: 1,
        }
    }

    /// What is equal for files that have the same code.
    fn sameness(&self) -> String {
        match &self.kind {
            MappedKind::Plugin { plugin, build, .. } => format!("{plugin} {build}"),
            MappedKind::Foreign => {
                let name = self.path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
        }
    }

    fn order(&self) -> (bool, String, PathBuf) {
        let is_foreign = matches!(self.kind, MappedKind::Foreign);
        let name = if is_foreign {
            String::new()
        } else {
            self.sameness()
        };
        (is_foreign, name, self.path.clone())
    }
}

impl MappedKind {
    /// Finds out whether a path is that of a private copy, by the form that `load::copy` and `runtime::host_dir` give it.
    fn of(pid: u32, path: &Path) -> Self {
        let plugin = || {
            let text = path.to_str()?;
            let name = match text.strip_prefix(IN_MEMORY) {
                Some(name) => name,
                None => {
                    let dir = path.parent()?.file_name()?.to_str()?;
                    // A host has a directory for each swapper, with its own process id.
                    let mut numbers = dir.split('-');
                    let is_own = numbers.next()?.parse() == Ok(pid);
                    (is_own && numbers.count() == 2).then_some(())?;
                    path.file_name()?.to_str()?.strip_suffix(".so")?
                }
            };
            let (rest, number) = name.rsplit_once('-')?;
            let (plugin, build) = rest.rsplit_once('-')?;
            let digits = |text: &str, all: fn(&char) -> bool| text.chars().all(|c| all(&c));
            let fits = digits(number, char::is_ascii_digit)
                && build.len() == 8
                && digits(build, char::is_ascii_hexdigit)
                && !plugin.is_empty();
            fits.then(|| MappedKind::Plugin {
                plugin: plugin.into(),
                build: build.to_owned(),
                state: BuildState::Unknown,
            })
        };
        plugin().unwrap_or(MappedKind::Foreign)
    }
}

impl fmt::Display for BuildState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = |f: &mut fmt::Formatter<'_>, held_by: &[String]| match held_by {
            [] => Ok(()),
            held_by => write!(f, ": held by {}", held_by.join(", ")),
        };
        match self {
            BuildState::Unknown => f.write_str("mapped"),
            BuildState::Live => f.write_str("live"),
            BuildState::ForRollback => f.write_str("kept for a rollback"),
            BuildState::ForLiveData => f.write_str("kept for live data that it has saved"),
            BuildState::Leaving { held_by } => {
                f.write_str("on its way out")?;
                held(f, held_by)
            }
            BuildState::Stays { held_by } => {
                f.write_str("stays")?;
                held(f, held_by)
            }
            BuildState::Other => f.write_str("not part of this host's generations"),
        }
    }
}

/// For example, `world (build 11223344): live, 540 kB`.
impl fmt::Display for MappedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MappedKind::Plugin {
                plugin,
                build,
                state,
            } => write!(f, "{plugin} (build {build}): {state}")?,
            MappedKind::Foreign => write!(f, "{}", shown::path(&self.path))?,
        }
        write!(f, ", {}", crate::base::size::size(self.bytes))?;
        match self.file {
            FileNow::Same => {}
            FileNow::Deleted => f.write_str(", its file was deleted")?,
            FileNow::Replaced => f.write_str(", stale: another file has its path")?,
            FileNow::InMemory => f.write_str(", from memory")?,
        }
        match self.copies {
            1 => Ok(()),
            copies => write!(f, ", mapped {copies} times"),
        }
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize, what: &str| match n {
            1 => format!("1 {what}"),
            n => format!("{n} {what}s"),
        };
        let plugins = count(self.plugins().count(), "build");
        let foreign = count(self.foreign().count(), "other file");
        let pid = self.pid;
        write!(
            f,
            "process {pid}: {plugins} of plugins, {foreign} with code"
        )?;
        self.mapped
            .iter()
            .try_for_each(|file| write!(f, "\n  {file}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c0001000 r--p 00000000 fe:00 1001                       /usr/bin/shop
55d0c0001000-55d0c0003000 r-xp 00001000 fe:00 1001                       /usr/bin/shop
7f0000000000-7f0000001000 r--p 00000000 fe:00 2001                       /run/hotswap/42-7-0/world-0a1b2c3d-3.so
7f0000001000-7f0000002000 r-xp 00001000 fe:00 2001                       /run/hotswap/42-7-0/world-0a1b2c3d-3.so
7f0000010000-7f0000012000 r-xp 00001000 fe:00 2002                       /run/hotswap/42-7-0/world-0a1b2c3d-4.so (deleted)
7f0000020000-7f0000021000 r-xp 00000000 00:01 9                          /memfd:big-moon-ffffffff-11 (deleted)
7f0000030000-7f0000031000 r-xp 00000000 fe:00 3001                       /usr/lib/libz.so.1 (deleted)
7f0000040000-7f0000041000 r-xp 00000000 fe:00 3002                       /opt/shop/libz.so.1
7f0000050000-7f0000051000 r--p 00000000 fe:00 3003                       /usr/share/data
7f0000060000-7f0000061000 r-xp 00000000 fe:00 3004                       /run/hotswap/43-7-0/world-0a1b2c3d-3.so
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0                          [vdso]
7ffc00002000-7ffc00003000 rw-p 00000000 00:00 0 
";

    #[test]
    fn plugins_foreign_files_stale_ones_and_duplicates() {
        let scan = Scan::of(42, MAPS, |path| path.starts_with("/usr/lib"));
        assert_eq!(
            scan.to_string(),
            "process 42: 3 builds of plugins, 4 other files with code\n  \
             big-moon (build ffffffff): mapped, 4.1 kB, from memory\n  \
             world (build 0a1b2c3d): mapped, 8.2 kB, mapped 2 times\n  \
             world (build 0a1b2c3d): mapped, 8.2 kB, its file was deleted, mapped 2 times\n  \
             /opt/shop/libz.so.1, 4.1 kB, mapped 2 times\n  \
             /run/hotswap/43-7-0/world-0a1b2c3d-3.so, 4.1 kB\n  \
             /usr/bin/shop, 12.3 kB\n  \
             /usr/lib/libz.so.1, 4.1 kB, stale: another file has its path, mapped 2 times"
        );
    }
}
