//! The socket, and who may connect to it.
use crate::support::Controlled;
use hotswap_control::Client;
use hotswap_host::runtime;
use hotswap_operate::{AuditResult, History};
use hotswap_tests::{fixture, until};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

#[test]
fn only_this_user_may_connect() {
    let host = Controlled::new();
    let socket = fs::metadata(host.socket()).unwrap();
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    host.close();
}

#[test]
fn a_running_host_is_found_by_it() {
    let host = Controlled::new();
    let dir = host.stage.dir().canonicalize().unwrap();
    let found = runtime::hosts().into_iter();
    let mut found = found.filter(|found| found.serves(&dir).unwrap_or(false));
    let found = found.next().unwrap();
    assert_eq!(Client::of_host(&found).status().unwrap().generation, 1);
    host.close();
    assert!(found.connect().is_err());
}

#[test]
fn it_comes_back_when_the_directory_was_removed() {
    let host = Controlled::new();
    let socket = host.socket();
    fs::remove_dir_all(socket.parent().unwrap()).unwrap();
    until("the socket to come back", || {
        UnixStream::connect(&socket).is_ok()
    });
    assert_eq!(host.client().status().unwrap().generation, 1);
    host.close();
}

/// The id of another user.
const OTHER: u32 = 12345;

/// Runs `curl` as another user. Returns what it has printed, and its exit code.
fn curl_of_another(socket: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("curl")
        .args(["--silent", "--unix-socket"])
        .arg(socket)
        .args(args)
        .uid(OTHER)
        .gid(OTHER)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

#[test]
fn another_user_sees_and_does_nothing() {
    // SAFETY: this function has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        println!("left out, since it needs root: another_user_sees_and_does_nothing");
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let history = History::open(state.path()).unwrap();
    let host = Controlled::with_history(history.clone(), |builder| builder);
    let reload = ["--request", "POST", "http://host/v1/reload"];
    // 7 is "could not connect".
    let (code, text) = curl_of_another(&host.socket(), &reload);
    assert_eq!((code, &*text), (Some(7), ""));

    // Even if somebody lets others connect, the endpoint asks the system who they are.
    let open = tempfile::tempdir().unwrap();
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let link = open.path().join("socket");
    fs::hard_link(host.socket(), &link).unwrap();
    let (code, _) = curl_of_another(&link, &reload);
    assert_eq!(code, Some(7), "the socket is not for others");
    fs::set_permissions(&link, fs::Permissions::from_mode(0o666)).unwrap();
    for request in [&reload[..], &["http://host/v1/status"], &["http://host/x"]] {
        let (code, text) = curl_of_another(&link, request);
        assert_eq!(code, Some(0), "{text}");
        let told = "this host belongs to user 0, and you are user 12345";
        assert!(
            text.contains("\"forbidden\"") && text.contains(told),
            "{text}"
        );
    }
    let records = history.audit(10).unwrap();
    assert_eq!(records.len(), 3);
    for record in &records {
        assert!(record.who.ends_with(" of user 12345"), "{record}");
        assert_eq!(record.result, AuditResult::Denied);
    }
    assert_eq!(records[2].what, "POST /v1/reload");
    assert_eq!(host.stage.swapper.reloads(), 0);

    // The command of another user finds no host.
    let program = open.path().join("cargo-hotswap");
    fs::copy(fixture::hotswap().get_program(), &program).unwrap();
    let output = Command::new(&program)
        .args(["hotswap", "status"])
        .current_dir(open.path())
        .uid(OTHER)
        .gid(OTHER)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("no running host"), "{told}");
    host.close();
}
