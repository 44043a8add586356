//! Tests places where the private copies of libraries cannot be files: the copies are in memory then, and the report
//! says why.
use crate::support::{descriptors, libraries, probe};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, ordered};
use hotswap_tests::{Desk, LIMIT, process};
use insta::assert_snapshot;
use std::env;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// The variable that names the runtime directory of a child.
const RUNTIME: &str = "HOTSWAP_RUNTIME_DIR";
/// The variable that names what is mounted there.
const MOUNT: &str = "HOTSWAP_TEST_MOUNT";

/// The prefix of a line that a child prints for its parent.
const SAYS: &str = "the child says: ";

/// Runs an ignored test of this program in a process of its own, which `wrapper` starts. Returns the lines that the
/// test [says](say).
pub fn in_child(test: &str, wrapper: &[&str], mount: &str) -> Vec<String> {
    let runtime = tempfile::tempdir().unwrap();
    let program = env::current_exe().unwrap();
    let mut line = wrapper.iter().map(OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(line.next().unwrap());
    command
        .args(line)
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(RUNTIME, runtime.path())
        .env(MOUNT, mount);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{errors}"
    );
    let said = text.lines().filter_map(|line| line.strip_prefix(SAYS));
    said.map(str::to_owned).collect()
}

/// Prints a line for the parent, which compares it.
pub fn say(text: &str) {
    println!("\n{SAYS}{text}");
}

/// Returns the runtime directory in a child. Returns `None` if the test runs without a parent, as with `--ignored`.
pub fn runtime_dir_of_child() -> Option<PathBuf> {
    env::var_os(MOUNT)?;
    env::var_os(RUNTIME).map(PathBuf::from)
}

/// Returns the report of a reload with this mounted at the place of the copies.
fn with(mount: &str) -> String {
    // The plugin has to be built outside the child.
    let _ = probe();
    let unshare = ["unshare", "--map-root-user", "--mount"];
    in_child("copies::with_a_mount", &unshare, mount).concat()
}

#[test]
fn a_directory_that_forbids_code() {
    assert_snapshot!(with("noexec"), @"probe: reloaded (its private copy is in memory: <dir>/<host>: mounted noexec, so no library can be opened there)");
}

#[test]
fn a_directory_that_is_full() {
    assert_snapshot!(with("full"), @"probe: reloaded (its private copy is in memory: <dir>/<host>: No space left on device (os error 28))");
}

#[test]
fn a_directory_that_is_read_only() {
    assert_snapshot!(with("read-only"), @"probe: reloaded (its private copy is in memory: the runtime directory <dir>/<host> cannot be created: Read-only file system (os error 30))");
}

#[test]
#[ignore = "the other process of other tests"]
fn with_a_mount() {
    let (Some(runtime), Ok(mount)) = (runtime_dir_of_child(), env::var(MOUNT)) else {
        return;
    };
    let probe = probe();
    let flags = match &*mount {
        "noexec" => libc::MS_NOEXEC,
        "read-only" => libc::MS_RDONLY,
        _ => 0,
    };
    // The file system is smaller than one plugin.
    mount_on(&runtime, flags, c"size=64k,mode=700");

    let dir = tempfile::tempdir().unwrap();
    fixture::install(&probe, "probe", dir.path());
    let before = (descriptors(), libraries());
    let swapper = Swapper::builder()
        .plugin_dir(dir.path())
        .provide::<dyn shapes::Desk>(Arc::new(Desk::default()))
        .open()
        .unwrap();
    let build: Function<fn() -> String> = swapper.function("probe", "build").unwrap();
    let first = build.call().unwrap();
    fixture::install(&ordered(&probe, "another build"), "probe", dir.path());
    let report = swapper.reload().unwrap();
    assert_ne!(build.call().unwrap(), first);
    let text = report.to_string();
    let text = text.replace(runtime.to_str().unwrap(), "<dir>");
    let host = text
        .split("<dir>/")
        .nth(1)
        .expect("the host's directory is named");
    let host = host.split([':', ' ']).next().unwrap();
    say(&text.replace(host, "<host>"));
    drop(build);
    assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
    drop(swapper);
    assert_eq!((descriptors(), libraries()), before);
    assert!(process::host_dirs().is_empty());
}

/// Mounts a file system in memory. Only this process sees it.
fn mount_on(dir: &Path, flags: libc::c_ulong, options: &CStr) {
    let dir = CString::new(dir.as_os_str().as_bytes()).unwrap();
    let tmpfs = c"tmpfs".as_ptr();
    // SAFETY: the strings are C strings, which outlive the call.
    let answer = unsafe { libc::mount(tmpfs, dir.as_ptr(), tmpfs, flags, options.as_ptr().cast()) };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
}
