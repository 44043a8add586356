//! The state directory on a disk that is full or read-only. The host goes on, and reloads are refused until it is not.
use crate::support::{checked, host, orders};
use hotswap_host::ReloadError;
use hotswap_operate::{EntryResult, History};
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

/// Runs an ignored test in a process that may mount file systems.
fn may_mount(test: &str) {
    // The plugin has to be built outside.
    let _ = checked("first");
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("HOTSWAP_TEST_MOUNTS", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{errors}"
    );
}

fn mount(dir: &Path, flags: libc::c_ulong) {
    let dir = CString::new(dir.as_os_str().as_bytes()).unwrap();
    let tmpfs = c"tmpfs".as_ptr();
    // SAFETY: all texts end with a zero and live until the call has returned.
    let answer = unsafe {
        libc::mount(
            tmpfs,
            dir.as_ptr(),
            tmpfs,
            flags,
            c"size=24m".as_ptr().cast(),
        )
    };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn a_full_disk_refuses_reloads_until_there_is_room() {
    may_mount("disk::full");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn full() {
    if std::env::var_os("HOTSWAP_TEST_MOUNTS").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    mount(dir.path(), 0);
    let history = History::open(dir.path()).unwrap();
    let journal = history.clone();
    let stage = host(&checked("first"), |builder| builder.journal(journal));
    // The next build does not fit beside this.
    let filler = dir.path().join("filler");
    let mut size = 24 << 20;
    while fs::write(&filler, vec![1; size]).is_err() {
        size -= 64 << 10;
    }
    stage.install("checked", &checked("second"));
    for _ in 0..3 {
        let error = stage.swapper.reload().unwrap_err();
        assert!(matches!(error, ReloadError::Journal(_)), "{error}");
        assert!(
            error.to_string().contains("No space left on device"),
            "{error}"
        );
        assert_eq!(orders(&stage), "first");
    }
    fs::remove_file(&filler).unwrap();
    stage.swapper.reload().unwrap();
    assert_eq!(orders(&stage), "second");
    assert_eq!(history.verify().unwrap(), []);
    assert_eq!(
        history.entries(1).unwrap()[0].result,
        EntryResult::Permanent
    );
    history.rollback(&stage.swapper, 1).unwrap();
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn a_read_only_disk_refuses_reloads_and_starts() {
    may_mount("disk::read_only");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn read_only() {
    if std::env::var_os("HOTSWAP_TEST_MOUNTS").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    mount(dir.path(), 0);
    let history = History::open(dir.path()).unwrap();
    let journal = history.clone();
    let stage = host(&checked("first"), |builder| builder.journal(journal));
    let state = dir.path().join("builds");
    // A file system is made read-only only if nothing in it is open, so another one takes its place.
    mount(&state, libc::MS_RDONLY);
    stage.install("checked", &checked("second"));
    let error = stage.swapper.reload().unwrap_err();
    assert!(
        error.to_string().contains("Read-only file system"),
        "{error}"
    );
    assert_eq!(orders(&stage), "first");
    stage.close();
    drop(history);
    let empty = tempfile::tempdir().unwrap();
    mount(empty.path(), libc::MS_RDONLY);
    let error = History::open(empty.path()).unwrap_err();
    assert!(
        error.to_string().contains("Read-only file system"),
        "{error}"
    );
}
