//! Where the private copies of the libraries cannot be files: they are in memory then, and the report says why.
use crate::support::{libraries, probe};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, ordered};
use hotswap_tests::{Desk, LIMIT, process};
use insta::assert_snapshot;
use std::env;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Names the runtime directory of a child.
const RUNTIME: &str = "HOTSWAP_RUNTIME_DIR";
/// Names what is mounted there.
const MOUNT: &str = "HOTSWAP_TEST_MOUNT";

/// Runs a test of this program, one that is ignored otherwise, in a process of its own, which `wrapper` starts.
pub fn in_child(test: &str, wrapper: &[&str]) {
    with_env(test, wrapper, &[]);
}

fn with_env(test: &str, wrapper: &[&str], env: &[(&str, &str)]) {
    let runtime = tempfile::tempdir().unwrap();
    let program = env::current_exe().unwrap();
    let mut command = match wrapper {
        [] => Command::new(&program),
        [wrapper, args @ ..] => {
            let mut command = Command::new(wrapper);
            command.args(args).arg(&program);
            command
        }
    };
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(RUNTIME, runtime.path())
        .envs(env.iter().copied())
        .env("HOTSWAP_TEST_CHILD", "1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{errors}"
    );
}

/// The runtime directory, in a child. There is none where somebody runs all tests that are ignored.
pub fn runtime_dir_of_child() -> Option<PathBuf> {
    env::var_os("HOTSWAP_TEST_CHILD")?;
    env::var_os(RUNTIME).map(PathBuf::from)
}

fn mounted(mount: &str) {
    let unshare = ["unshare", "--map-root-user", "--mount"];
    with_env("copies::with_a_mount", &unshare, &[(MOUNT, mount)]);
}

#[test]
fn a_directory_that_forbids_code() {
    mounted("noexec");
}

#[test]
fn a_directory_that_is_full() {
    mounted("full");
}

#[test]
fn a_directory_that_is_read_only() {
    mounted("read-only");
}

#[test]
#[ignore = "the other process of other tests"]
fn with_a_mount() {
    let (Some(runtime), Ok(mount)) = (runtime_dir_of_child(), env::var(MOUNT)) else {
        return;
    };
    // All that is built is built before.
    let probe = probe();
    let flags = match &*mount {
        "noexec" => libc::MS_NOEXEC,
        "read-only" => libc::MS_RDONLY,
        _ => 0,
    };
    // Less than one plugin fits in.
    mount_on(&runtime, flags, c"size=64k,mode=700");

    let dir = tempfile::tempdir().unwrap();
    fixture::install(&probe, "probe", dir.path());
    let before = (process::descriptors(), libraries());
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
    insta::with_settings!({filters => vec![(r"<dir>/\d+-\d+-\d+", "<dir>/<host>")]}, {
        match &*mount {
            "noexec" => assert_snapshot!(text, @""),
            "full" => assert_snapshot!(text, @""),
            _ => assert_snapshot!(text, @""),
        }
    });
    drop(build);
    assert!(swapper.shutdown(LIMIT).unwrap().is_empty());
    drop(swapper);
    assert_eq!((process::descriptors(), libraries()), before);
    assert!(process::host_dirs().is_empty());
}

/// Mounts a file system in memory. Only this process sees it.
fn mount_on(dir: &Path, flags: libc::c_ulong, options: &CStr) {
    let dir = CString::new(dir.as_os_str().as_bytes()).unwrap();
    let tmpfs = c"tmpfs".as_ptr();
    // SAFETY: all texts end in a zero.
    let answer = unsafe { libc::mount(tmpfs, dir.as_ptr(), tmpfs, flags, options.as_ptr().cast()) };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
}
