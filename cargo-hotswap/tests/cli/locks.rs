//! The files that builds keep for themselves: for one user, never anything but files, and never in the way of a signal.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;

const BUILD_LOCK: &str = "target/hotswap/.hotswap-build-lock";
const KEPT: [&str; 4] = [
    BUILD_LOCK,
    "target/hotswap/debug/app/.hotswap-lock",
    "target/hotswap/.hotswap-commits.json",
    "target/hotswap/.hotswap-sources.json",
];

/// A workspace that was built, in a repository, so that there is a commit to be remembered.
fn built() -> Fixture {
    let fixture = Fixture::new();
    fixture.git(&["init", "-q"]);
    fixture.commit();
    fixture.ok(&["build", "-q", "app"]);
    fixture
}

#[test]
fn they_are_for_their_user_alone() {
    let fixture = built();
    let mode = |file: &str| {
        let found = fs::metadata(fixture.root.join(file)).expect("it is there");
        found.permissions().mode() & 0o777
    };
    for file in KEPT {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    // An earlier version has made it for all.
    fs::set_permissions(
        fixture.root.join(BUILD_LOCK),
        fs::Permissions::from_mode(0o666),
    )
    .expect("it is ours");
    fixture.ok(&["build", "-q", "app"]);
    assert_eq!(mode(BUILD_LOCK), 0o600);
}

#[test]
fn no_link_is_followed() {
    let fixture = built();
    fixture.write("precious", "precious");
    for file in KEPT {
        let path = fixture.root.join(file);
        fs::remove_file(&path).expect("it is there");
        symlink(fixture.root.join("precious"), &path).expect("it can be made");
        // Something to remember.
        fixture.write("app/moon/a-file", file);
        fixture.commit();
        let ran = fixture.run(&["build", "app"]);
        assert_eq!(fixture.read("precious"), "precious", "{file}");
        if file.ends_with("-lock") {
            assert_eq!(ran.code, Some(1), "{file}");
            assert_eq!(
                ran.stderr.lines().last(),
                Some(&*format!(
                    "error: `<root>/{file}` is not a file but a link, a pipe, or a device; remove it"
                ))
            );
            fs::remove_file(&path).expect("it is there");
        } else {
            assert_eq!(ran.code, Some(0), "{file}: {}", ran.stderr);
            assert!(!path.is_symlink(), "{file} took its place");
        }
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    let fixture = built();
    for file in KEPT {
        let path = fixture.root.join(file);
        fs::remove_file(&path).expect("it is there");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo can be started").success());
        fixture.write("app/moon/a-file", file);
        fixture.commit();
        let ran = fixture.run(&["build", "-q", "app"]);
        let refused = file.ends_with("-lock");
        assert_eq!(ran.code, Some(i32::from(refused)), "{file}: {}", ran.stderr);
        drop(fs::remove_file(path));
    }
}

#[test]
fn a_signal_ends_the_waiting_for_another_build() {
    let fixture = built();
    let lock = File::open(fixture.root.join(BUILD_LOCK)).expect("it is there");
    lock.lock().expect("nobody has it");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut command = fixture.command("", &["build", "app"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be started");
        let mut said = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        said.find(|line| line.as_ref().is_ok_and(|line| line.contains("Blocking")))
            .expect("it waits")
            .expect("it is text");
        kill_process(Pid::from_child(&child), signal).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
    }
}

/// Cargo may wait for another Cargo before it answers anything.
#[test]
fn a_signal_ends_the_waiting_for_cargo() {
    let fixture = Fixture::new();
    let running = fixture.root.join("running");
    let made = Command::new("mkfifo").arg(&running).status();
    assert!(made.expect("mkfifo can be started").success());
    fixture.write(
        "cargo.sh",
        "#!/bin/sh\necho > \"$RUNNING\"\nexec sleep 1000\n",
    );
    let cargo = fixture.root.join("cargo.sh");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("it is ours");
    for args in [
        &["build", "app"][..],
        &["reload", "app"],
        &["new", "--host", "shop"],
    ] {
        let mut command = fixture.command("", args);
        let mut child = command
            .env("CARGO", &cargo)
            .env("RUNNING", &running)
            .env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command can be started");
        fs::read(&running).expect("it says that it runs");
        kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(143), "{args:?}");
    }
}
