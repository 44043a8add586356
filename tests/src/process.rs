//! Facts about this process from the operating system.
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the lines of the memory map that have code from files in this directory. Other mappings of libraries do not
/// count: std keeps those that it reads to print a backtrace.
///
/// # Panics
/// Panics if the map cannot be read.
pub fn mapped_from(directory: &Path) -> Vec<String> {
    let mut lines = mapped_or_read_from(directory);
    lines.retain(|line| line.contains("r-xp"));
    lines
}

/// Returns all lines of the memory map with files in this directory.
///
/// # Panics
/// Panics if the map cannot be read.
pub fn mapped_or_read_from(directory: &Path) -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the map can be read");
    // The separator belongs to it, since the directory of another swapper may begin with the same text.
    let inside = format!("{}/", directory.display());
    maps.lines()
        .filter(|line| line.contains(&inside))
        .map(str::to_owned)
        .collect()
}

/// Returns the number of open file descriptors.
///
/// # Panics
/// Panics if they cannot be listed.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("descriptors can be listed")
        .count()
}

/// Returns the number of threads.
///
/// # Panics
/// Panics if they cannot be listed.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task")
        .expect("threads can be listed")
        .count()
}

/// Returns the resident memory that does not belong to a file, in bytes.
///
/// # Panics
/// Panics if it cannot be read.
pub fn anonymous_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the status can be read");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes
        .and_then(|number| number.parse::<usize>().ok())
        .expect("the line has a number")
        * 1024
}

/// Returns the directories of this process's open swappers.
pub fn host_dirs() -> Vec<PathBuf> {
    let var = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // SAFETY: `geteuid` always succeeds and touches no memory.
    let user = unsafe { libc::geteuid() };
    let bases = match var("HOTSWAP_RUNTIME_DIR") {
        Some(base) => vec![base],
        None => var("XDG_RUNTIME_DIR")
            .map(|dir| dir.join("hotswap"))
            .into_iter()
            .chain([std::env::temp_dir().join(format!("hotswap-{user}"))])
            .collect(),
    };
    let own = format!("{}-", std::process::id());
    let entries = bases
        .iter()
        .filter_map(|base| fs::read_dir(base).ok())
        .flatten()
        .flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&own))
        .map(|entry| entry.path())
        .collect()
}

/// Returns the directory of the open swapper that serves this plugin directory.
///
/// # Panics
/// Panics if there is none.
pub fn host_dir_of(plugin_dir: &Path) -> PathBuf {
    let plugin_dir = plugin_dir
        .canonicalize()
        .expect("the plugin directory exists");
    let serves = |dir: &PathBuf| {
        let json = fs::read(dir.join("host.json")).unwrap_or_default();
        let host: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
        host["plugin_dir"]
            .as_str()
            .is_some_and(|dir| Path::new(dir) == plugin_dir)
    };
    host_dirs()
        .into_iter()
        .find(serves)
        .expect("the swapper has a directory")
}
