//! What the operating system says of this process.
use std::fs;
use std::path::{Path, PathBuf};

/// The lines of the memory map with code from files in this directory. Others map libraries to read them, and keep
/// them: std, when it prints a backtrace.
///
/// # Panics
/// When the map cannot be read.
pub fn mapped_from(directory: &Path) -> Vec<String> {
    let mut lines = mapped_or_read_from(directory);
    lines.retain(|line| line.contains("r-xp"));
    lines
}

/// All lines of the memory map with files in this directory.
///
/// # Panics
/// When the map cannot be read.
pub fn mapped_or_read_from(directory: &Path) -> Vec<String> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the map can be read");
    // With the separator: the directory of another swapper may begin with the same text.
    let inside = format!("{}/", directory.display());
    maps.lines()
        .filter(|line| line.contains(&inside))
        .map(str::to_owned)
        .collect()
}

/// How many file descriptors are open.
///
/// # Panics
/// When they cannot be listed.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("descriptors can be listed")
        .count()
}

/// How many threads there are.
///
/// # Panics
/// When they cannot be listed.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task")
        .expect("threads can be listed")
        .count()
}

/// Resident memory that is no file's, in bytes.
///
/// # Panics
/// When it cannot be read.
pub fn anonymous_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("the status can be read");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes
        .and_then(|number| number.parse::<usize>().ok())
        .expect("a number")
        * 1024
}

/// The directories of this process's open swappers.
pub fn host_dirs() -> Vec<PathBuf> {
    let var = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // SAFETY: it always succeeds and touches no memory.
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

/// The directory of the open swapper that serves this plugin directory.
///
/// # Panics
/// When there is none.
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
