//! Tests a process that can open no more files.
use crate::{alone, registrar};
use hotswap_host::prelude::*;
use hotswap_host::{Holder, RetirementState};
use hotswap_tests::{Stage, until};
use std::fs::File;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Takes all remaining descriptors.
fn exhaust() -> Vec<File> {
    let limit = libc::rlimit {
        rlim_cur: 256,
        rlim_max: 256,
    };
    // SAFETY: `setrlimit` reads `limit`, which outlives the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn a_thread_that_could_not_be_looked_at_counts_as_alive() {
    alone("descriptors::not_looked_at");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn not_looked_at() {
    let stage = Stage::with(&[("registrar", &registrar(0))], |builder| {
        builder.retire_limit(Duration::from_millis(20))
    });
    let remember: Function<fn() -> u8> = stage.swapper.function("registrar", "remember").unwrap();
    let (go_on, may_go_on) = channel::<()>();
    let (tell, told) = channel();
    std::thread::scope(|scope| {
        let remember = &remember;
        scope.spawn(move || {
            let taken = exhaust();
            remember.call().unwrap();
            drop(taken);
            tell.send(()).unwrap();
            may_go_on.recv().unwrap();
            remember.call().unwrap();
            tell.send(()).unwrap();
            may_go_on.recv().unwrap();
        });
        told.recv().unwrap();
        stage.swap("registrar", &registrar(1));
        until("the thread to be named", || {
            let retirements = stage.swapper.retirements();
            retirements.iter().any(|r| {
                r.state == RetirementState::Freeing
                    && matches!(r.held_by[..], [Holder::Destructors { count: 1, .. }])
            })
        });
        assert_eq!(stage.desk.told(), [""; 0]);
        // The thread calls again, and drops its value.
        go_on.send(()).unwrap();
        told.recv().unwrap();
        stage.desk.until_told("registrar 00: thread-local dropped");
        stage.settle();
        go_on.send(()).unwrap();
    });
    stage.close();
}

#[test]
fn a_build_leaves_though_no_file_can_be_opened() {
    alone("descriptors::leaves");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn leaves() {
    let stage = Stage::open(&[("registrar", &registrar(0))]);
    let remember: Function<fn() -> u8> = stage.swapper.function("registrar", "remember").unwrap();
    let (end, may_end) = channel::<()>();
    let (tell, told) = channel();
    std::thread::scope(|scope| {
        let remember = &remember;
        scope.spawn(move || {
            remember.call().unwrap();
            tell.send(()).unwrap();
            may_end.recv().unwrap();
        });
        told.recv().unwrap();
        stage.swap("registrar", &registrar(1));
        let taken = exhaust();
        end.send(()).unwrap();
        until("the build to leave", || {
            let mut retirements = stage.swapper.retirements().into_iter();
            retirements.any(|r| r.state == RetirementState::Gone)
        });
        drop(taken);
    });
    stage.settle();
    stage.close();
}
