//! Tests all kinds of calls at the same time, while builds are replaced.
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, build_id, ordered};
use shapes::Everything;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Calls in every possible way. Each answer has to come from a generation that the caller could see.
fn caller(stage: &Stage, ids: &[String], done: &AtomicBool) {
    let stamp: Function<fn() -> (String, u64)> = stage.probe("stamp");
    let panic: Function<fn(&str)> = stage.probe("panic");
    let whole: Function<fn(Everything) -> Everything> = stage.probe("everything");
    let sample = Everything::sample();
    let of = |generation: u64| ids[generation as usize % ids.len()].as_str();
    while !done.load(Relaxed) {
        // This handle is made for one call.
        let fresh: Function<fn() -> (String, u64)> = stage.probe("stamp");
        let (build, generation) = fresh.call().unwrap();
        assert_eq!(build, of(generation));
        drop(fresh);
        // Several calls go to one generation, with pins in every order.
        let pin = stage.swapper.pin();
        let inner = stage.swapper.pin();
        let hold = inner.hold();
        assert!(inner.number() >= pin.number());
        let first = stamp.on(&pin).unwrap().call().unwrap();
        assert_eq!(
            (first.0.as_str(), first.1),
            (of(pin.number()), pin.number())
        );
        let newest = stamp.call().unwrap();
        assert!(newest.1 >= inner.number());
        drop(pin);
        let held = std::thread::scope(|scope| {
            let call = || hold.invoke("probe", "build", &[]).unwrap().to_string();
            scope.spawn(call).join().unwrap()
        });
        assert_eq!(held, of(hold.number()));
        drop((inner, hold));
        assert!(matches!(
            panic.call("bomb"),
            Err(CallError::Panicked { .. })
        ));
        assert_eq!(whole.call(sample.clone()).unwrap(), sample);
    }
}

/// Leaves values in thread-locals of threads that end at once.
fn passer_by(stage: &Stage, done: &AtomicBool) {
    let remember: Function<fn(&str)> = stage.probe("remember");
    while !done.load(Relaxed) {
        std::thread::scope(|scope| {
            scope.spawn(|| remember.call("spawning").unwrap());
            scope.spawn(|| remember.call("passing by").unwrap());
        });
        stage.desk.told();
    }
}

#[test]
fn everything_at_once() {
    let probe = Build::First.bytes("probe");
    let builds = ["zero", "one", "two"].map(|name| ordered(&probe, name));
    let ids = builds.each_ref().map(|build| build_id(build).to_string());
    let stage = Stage::open(&[("probe", &builds[1])]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(|| caller(&stage, &ids, &done))));
        scope.spawn(|| passer_by(&stage, &done));
        for n in 2..=100 {
            let report = stage.swap("probe", &builds[n % 3]);
            assert_eq!(report.generation, n as u64);
            if n % 10 == 0 {
                // A build that is refused comes in between.
                stage.install("probe", &ordered(&probe, "panic on_init"));
                stage.swapper.reload().unwrap_err();
            }
        }
        done.store(true, Relaxed);
    });
    stage.settle();
    stage.close();
}

#[test]
fn a_shutdown_under_load() {
    let probe = Build::First.bytes("probe");
    for _ in 0..5 {
        let stage = Stage::open(&[("probe", &probe)]);
        let stamp: Function<fn() -> (String, u64)> = stage.probe("stamp");
        let late = std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    // Calls succeed until the plugin is gone.
                    let error = std::iter::repeat_with(|| stamp.call()).find_map(Result::err);
                    assert!(
                        matches!(error, Some(CallError::NotLoaded { .. })),
                        "{error:?}"
                    );
                });
            }
            stage.desk.until_told("on_start");
            stage.swapper.shutdown(hotswap_tests::LIMIT).unwrap()
        });
        assert!(late.is_empty(), "{late:?}");
        stage.settle();
    }
}
