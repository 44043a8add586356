//! What concerns the whole process. Tests that end a process, or take something away from it, run in one of their own.
mod descriptors;
mod directories;
mod exit;
mod fork;
mod log;
mod threads;

use hotswap_tests::fixture::{Build, variant};
use std::process::{Command, Output};

/// The registrar's build of this number.
fn registrar(number: u8) -> Vec<u8> {
    let library = Build::Registrar.bytes("registrar");
    variant(&library, "registrar 00", &format!("registrar {number:02}"))
}

/// Alpha's build of this number.
fn alpha(number: u8) -> Vec<u8> {
    let library = Build::First.bytes("alpha");
    variant(&library, "alpha 00", &format!("alpha {number:02}"))
}

/// Runs a test that is ignored otherwise in a process of its own, and returns what it has printed.
fn alone(test: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    let output = command.output().expect("it can be run");
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
