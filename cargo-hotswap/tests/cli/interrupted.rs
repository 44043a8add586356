//! Builds that end half way.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use hotswap_host::artifact::Artifact;
use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::Fixture;

/// A workspace in which the build script of `moon`, once it is told to block, says that it runs, and then waits.
struct Blocking {
    fixture: Fixture,
}

impl Blocking {
    fn new() -> Self {
        let fixture = Fixture::new();
        for pipe in ["running", "release"] {
            let made = Command::new("mkfifo").arg(fixture.root.join(pipe)).status();
            assert!(made.expect("mkfifo can be started").success());
        }
        fixture.write(
            "app/moon/build.rs",
            "fn main() {\n    println!(\"cargo::rerun-if-changed=block\");\n    if std::fs::exists(\"block\").unwrap() {\n        \
             std::fs::write(\"../../running\", b\"!\").unwrap();\n        std::fs::read(\"../../release\").unwrap();\n    }\n}\n",
        );
        Self { fixture }
    }

    /// Starts a build and returns once it is in the middle.
    fn start(&self) -> Child {
        self.fixture.write("app/moon/block", "");
        let mut command = self.fixture.command("", &["build", "app"]);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command can be started");
        let said = std::fs::read(self.fixture.root.join("running"))
            .expect("the build script says that it runs");
        assert_eq!(said, b"!");
        std::fs::remove_file(self.fixture.root.join("app/moon/block")).expect("it is there");
        child
    }
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the build runs");
}

#[test]
fn a_signal_ends_the_build_and_all_it_started() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let blocking = Blocking::new();
        blocking.fixture.ok(&["build", "app"]);
        let before = blocking.fixture.artifact("world");
        blocking.fixture.edit("app/world/src/lib.rs", "40", "41");
        let mut child = blocking.start();
        send(&child, signal);
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
        assert_eq!(blocking.fixture.artifact("world").build_id, before.build_id);
        assert_eq!(
            blocking.fixture.installed(),
            ["libmoon.so", "libworld.so"],
            "no temporary file"
        );
        // This would wait for Cargo's own lock, had the build script not ended too.
        blocking.fixture.ok(&["build", "app"]);
        assert_ne!(blocking.fixture.artifact("world").build_id, before.build_id);
    }
}

#[test]
fn a_killed_build_is_in_nobodys_way() {
    let blocking = Blocking::new();
    blocking.fixture.ok(&["build", "app"]);
    // What a builder that is killed in the middle of a write leaves.
    blocking.fixture.write(
        "target/hotswap/debug/app/.hotswap-libworld.so-x1y2z3.tmp",
        "half",
    );
    let mut child = blocking.start();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    // Cargo goes on without the one that started it, and ends in its own time.
    drop(File::create(blocking.fixture.root.join("release")).expect("the build script waits"));
    blocking.fixture.ok(&["build", "app"]);
    assert_eq!(blocking.fixture.installed(), ["libmoon.so", "libworld.so"]);
}

#[test]
fn a_killed_build_never_leaves_half_a_file() {
    let fixture = Fixture::new();
    fixture.ok(&["build", "app"]);
    for round in 0..8 {
        fixture.edit(
            "app/world/src/lib.rs",
            &format!("{} +", 40 + round),
            &format!("{} +", 41 + round),
        );
        let mut command = fixture.command("", &["build", "app", "-v"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be started");
        // Each round gets a line further.
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let seen = stderr.lines().take(6 + round).count();
        assert!(seen > 0);
        child.kill().expect("it was not waited for");
        child.wait().expect("it ends");
        for plugin in ["world", "moon"] {
            Artifact::read(&fixture.artifact_path(plugin)).expect("the old file or the new one");
        }
    }
    fixture.ok(&["build", "app"]);
    assert_eq!(fixture.installed(), ["libmoon.so", "libworld.so"]);
}
