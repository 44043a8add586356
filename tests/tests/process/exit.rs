//! Tests exit functions of plugins, when a build leaves and when the process ends.
use crate::registrar;
use hotswap_host::Holder;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build, install};
use hotswap_tests::{Stage, until};
use std::process::Command;
use std::time::Duration;

#[test]
fn they_run_when_their_build_leaves_the_last_one_first() {
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    let at_exit: Function<fn(String)> = stage.swapper.function("registrar", "at_exit").unwrap();
    at_exit.call("first".into()).unwrap();
    at_exit.call("second".into()).unwrap();
    stage.swap("registrar", &registrar(1));
    stage.settle();
    assert_eq!(
        stage.desk.told(),
        ["registrar 00: second", "registrar 00: first"]
    );
    stage.close();
}

/// The dynamic linker would run the function under its lock, which every load takes.
#[test]
fn one_that_takes_its_time_holds_up_no_load_and_is_named() {
    let guest = Build::First.bytes("guest");
    let plugins: [(&str, &[u8]); 2] = [("registrar", &registrar(0)), ("guest", &guest)];
    let stage = Stage::with(&plugins, |builder| {
        builder.retire_limit(Duration::from_millis(20))
    });
    let at_exit: Function<fn(String)> = stage.swapper.function("registrar", "at_exit").unwrap();
    at_exit.call("wait gate".into()).unwrap();
    stage.swap("registrar", &registrar(1));
    stage.desk.until_waiting("gate");
    stage.swap("guest", &fixture::variant(&guest, "days 00", "days 01"));
    until("the exit function to be named", || {
        let mut retirements = stage.swapper.retirements().into_iter();
        retirements.any(|r| {
            r.plugin == "registrar"
                && r.held_by.iter().any(|holder| {
                    matches!(holder, Holder::Other { reason } if reason.contains("exit function"))
                })
        })
    });
    stage.desk.open("gate");
    stage.settle();
    stage.close();
}

/// A build that waits for a thread-local of the main thread could leave when that is dropped, and at this time the exit
/// functions begin to run.
#[test]
fn while_the_process_ends_nothing_is_closed() {
    let ender = fixture::executable("ender", false);
    for how in ["main", "exit", "thread"] {
        for _ in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let (plugins, next) = (dir.path().join("plugins"), dir.path().join("next"));
            std::fs::create_dir(&plugins).unwrap();
            install(&registrar(0), "registrar", &plugins);
            std::fs::write(&next, registrar(1)).unwrap();
            let output = Command::new(&ender)
                .args([&plugins, &next])
                .arg(how)
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{how}: {}\n{told}", output.status);
            // Each function runs once, and of each build the last one first. The thread that ends the process runs those
            // of the next build, while another one may run those of the earlier one.
            let mut functions: Vec<_> = told
                .lines()
                .filter(|l| !l.contains("thread-local"))
                .collect();
            functions.sort_by_key(|line| !line.starts_with("registrar 01"));
            assert_eq!(
                functions,
                [
                    "registrar 01: of the next build",
                    "registrar 00: wait second",
                    "registrar 00: first"
                ],
                "{how}: {told}"
            );
        }
    }
}
