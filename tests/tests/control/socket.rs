//! The socket, and who may connect to it.
use crate::support::Controlled;
use hotswap_control::Client;
use hotswap_host::runtime;
use hotswap_tests::until;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;

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
