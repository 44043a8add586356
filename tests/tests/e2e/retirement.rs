//! Tests that a replaced build leaves memory after its last use, together with everything that belongs to it.
use hotswap_host::prelude::*;
use hotswap_host::{RetirementState, UnloadMode};
use hotswap_tests::fixture::{self, Build, ordered};
use hotswap_tests::{LIMIT, Stage, process, until};
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

fn probe() -> Vec<u8> {
    Build::First.bytes("probe")
}

#[test]
fn a_call_of_300_ms_completes_and_then_its_build_leaves() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    let nap: Function<fn(u64) -> String> = stage.probe("nap");
    std::thread::scope(|scope| {
        let call = scope.spawn(|| nap.call(300));
        stage.desk.until_told("napping");
        let began = Instant::now();
        stage.swap("probe", &ordered(&probe, "another build"));
        let old = fixture::build_id(&probe);
        let is_there = || {
            stage
                .swapper
                .retirements()
                .iter()
                .any(|r| r.build_id == old && !r.state.is_end())
        };
        assert!(is_there() || began.elapsed() >= Duration::from_millis(300));
        // The old build answers although the new one is live.
        assert_eq!(call.join().unwrap().unwrap(), old.to_string());
    });
    assert_ne!(nap.call(0).unwrap(), fixture::build_id(&probe).to_string());
    let retired = stage.settle();
    assert_eq!(retired.len(), 1);
    assert_eq!(
        (retired[0].plugin.as_str(), retired[0].generation),
        ("probe", Some(1))
    );
    stage.close();
}

#[test]
fn thread_locals_are_dropped_on_their_threads() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    let remember: Function<fn(&str)> = stage.probe("remember");
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    // This thread ends before the swap.
    std::thread::scope(|scope| {
        scope.spawn(|| remember.call("short-lived").unwrap());
    });
    stage.desk.until_told("short-lived dropped");
    // One thread lives on and calls again, one ends after the swap, and this one waits for both.
    let (calls, called) = (channel(), channel());
    let (end, ended) = channel::<()>();
    let ready = Barrier::new(3);
    std::thread::scope(|scope| {
        let (remember, count, ready, inbox) = (&remember, &count, &ready, calls.1);
        let answers = called.0;
        scope.spawn(move || {
            remember.call("calling again").unwrap();
            ready.wait();
            for () in inbox {
                count.call().unwrap();
                answers.send(()).unwrap();
            }
        });
        scope.spawn(move || {
            remember.call("ending later").unwrap();
            ready.wait();
            let _ = ended.recv();
        });
        remember.call("waiting").unwrap();
        ready.wait();
        stage.swap("probe", &ordered(&probe, "another build"));
        until("the calling thread to drop its value", || {
            calls.0.send(()).unwrap();
            called.1.recv().unwrap();
            stage.desk.has_told("calling again dropped")
        });
        assert!(!stage.desk.has_told("ending later dropped"));
        drop(end);
        stage.desk.until_told("ending later dropped");
        assert!(stage.swapper.wait_retired(LIMIT).is_empty());
        assert!(stage.desk.has_told("waiting dropped"));
        drop(calls.0);
    });
    let retired = stage.settle();
    // There were at least the three values after the swap, and the value of the thread that ended before it.
    assert!(retired[0].destructors_run >= 4, "{retired:?}");
    assert_eq!(retired[0].destructors_skipped, 0);
    stage.close();
}

/// Destructors may take locks: this one makes a handle while another handle is being made.
#[test]
fn the_destructor_of_a_thread_local_may_do_anything() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    stage.desk.be_curious();
    for n in 0..5 {
        stage
            .probe::<fn(&str), _>("remember")
            .call("spawning")
            .unwrap();
        stage.swap("probe", &ordered(&probe, &format!("build {n}")));
        until("the destructor to run where a handle is made", || {
            drop(stage.probe::<fn() -> String, _>("build"));
            stage.desk.has_told("spawning dropped")
        });
        stage.desk.until_told("spawned");
        stage.desk.told();
        stage.settle();
    }
    stage.close();
}

#[test]
fn the_free_delay_is_kept() {
    let probe = probe();
    let delay = Duration::from_millis(200);
    let stage = Stage::with(&[("probe", &probe)], |builder| builder.free_delay(delay));
    let began = Instant::now();
    stage.swap("probe", &ordered(&probe, "another build"));
    stage.desk.until_told("on_stop");
    assert_eq!(stage.swapper.retirements()[0].state, RetirementState::InUse);
    stage.desk.until_told("on_free");
    assert!(began.elapsed() >= delay);
    stage.settle();
    stage.close();
}

#[test]
fn in_the_mode_keep_the_instance_goes_and_the_library_stays() {
    let probe = probe();
    let stage = Stage::with(&[("probe", &probe)], |builder| {
        builder.unload_mode(UnloadMode::Keep)
    });
    let host_dir = process::host_dir_of(stage.dir());
    for orders in ["two", "three", "four"] {
        stage.swap("probe", &ordered(&probe, orders));
    }
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    let told = stage.desk.told();
    assert_eq!(told.iter().filter(|told| *told == "drop").count(), 3);
    let retirements = stage.swapper.retirements();
    assert_eq!(retirements.len(), 3);
    for retirement in retirements {
        assert_eq!(retirement.state, RetirementState::Kept);
        let text = retirement.to_string();
        assert!(
            text.ends_with("stays mapped: held by the unload mode, which is keep"),
            "{text}"
        );
    }
    let mapped = process::mapped_from(&host_dir);
    let files: std::collections::BTreeSet<_> = mapped
        .iter()
        .filter_map(|line| line.rsplit('/').next())
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
    // The mapped copies are not found again: a build that was live before is loaded anew.
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    stage.swap("probe", &probe);
    assert_eq!(count.call().unwrap(), (1, 1, 1));
}

#[test]
fn without_a_shutdown_everything_goes_with_the_last_swapper() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    let host_dir = process::host_dir_of(stage.dir());
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    let desk = stage.desk.clone();
    drop(stage);
    // A handle is enough to keep everything going.
    assert_eq!(count.call().unwrap(), (1, 1, 1));
    desk.told();
    drop(count);
    desk.until_told("drop");
    assert_eq!(desk.told(), ["on_stop", "on_free", "drop"]);
    until("the directory to go", || !host_dir.exists());
    assert_eq!(process::mapped_from(&host_dir), [""; 0]);
}

#[test]
fn a_thread_of_a_plugin_outlives_the_swapper() {
    let stage = Stage::open(&[("probe", &probe())]);
    let host_dir = process::host_dir_of(stage.dir());
    let spawn: Function<fn(&str) -> hotswap_plugin::Result<()>> = stage.probe("spawn");
    // The thread ends, so that everything that the call has left in its thread-locals is dropped, too.
    std::thread::scope(|scope| {
        scope.spawn(|| spawn.call("outlives").unwrap());
    });
    stage.desk.until_waiting("outlives");
    // The thread has the only reference to the host's object, except for this one.
    let desk = std::sync::Arc::downgrade(&stage.desk);
    let ours = stage.desk.clone();
    drop((stage, spawn));
    ours.until_told("drop");
    ours.open("outlives");
    drop(ours);
    until("the directory to go", || !host_dir.exists());
    until("the desk to go", || desk.strong_count() == 0);
    assert_eq!(process::mapped_from(&host_dir), [""; 0]);
}

#[test]
fn a_build_that_was_refused_leaves_at_once() {
    let probe = probe();
    let stage = Stage::open(&[("probe", &probe)]);
    for n in 0..20 {
        let hook = ["new", "on_load", "on_init"][n % 3];
        stage.install("probe", &ordered(&probe, &format!("fail {hook}")));
        stage.swapper.reload().unwrap_err();
        // The reload has waited, so the test does not have to.
        let last = stage.swapper.retirements().pop().unwrap();
        assert_eq!((last.state, last.generation), (RetirementState::Gone, None));
        assert_eq!(stage.copies().len(), 1);
    }
    stage.close();
}
