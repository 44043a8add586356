//! The rates of calls in a rollback window: errors, and the time that calls take.
use crate::support::{checked, host, orders, window};
use hotswap_host::prelude::*;
use hotswap_host::{ReloadOptions, WindowOutcome};
use hotswap_tests::{LIMIT, Stage};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// Calls the plugin on three threads, until the window of a reload of this build has closed.
fn watched(options: ReloadOptions, build: &str) -> (Stage, WindowOutcome) {
    let stage = host(&checked("first"), |builder| builder);
    let check: Function<fn(u32) -> Result<u32, String>> =
        stage.swapper.function("checked", "check").unwrap();
    let done = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut n = 0;
                while !done.load(SeqCst) {
                    n += 1;
                    assert_eq!(check.call(n).unwrap_or(n), n);
                }
            });
        }
        stage.install("checked", &checked(build));
        let report = stage.swapper.prepare_reload().options(options).run();
        let window = report.map(|report| report.window.expect("a window was opened"));
        let outcome = window.map(|window| window.wait(LIMIT));
        done.store(true, SeqCst);
        outcome.unwrap().expect("the window closes")
    });
    (stage, outcome)
}

fn reason(outcome: WindowOutcome) -> String {
    match outcome {
        WindowOutcome::Reverted { reason } => reason,
        other => panic!("{other}"),
    }
}

fn options(change: impl FnOnce(&mut ReloadOptions)) -> ReloadOptions {
    let mut options = window();
    options.interval = Duration::from_millis(5);
    options.min_calls = 100;
    change(&mut options);
    options
}

#[test]
fn a_build_that_refuses_calls_is_reverted() {
    let options = options(|options| options.max_error_rate = 0.5);
    let (stage, outcome) = watched(options, "refuse");
    let reason = reason(outcome);
    assert!(
        reason.contains("calls have returned an error, and the limit is 0.5"),
        "{reason}"
    );
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn one_that_refuses_more_than_the_one_before_is_reverted() {
    let options = options(|options| {
        options.error_rate_factor = 3.0;
        // The previous build is measured while the new one is staged.
        options.min_calls = 1;
    });
    let (stage, outcome) = watched(options, "refuse");
    let reason = reason(outcome);
    assert!(
        reason.contains("calls have returned an error, and 0 of "),
        "{reason}"
    );
    assert_eq!(orders(&stage), "first");
    stage.settle();
    stage.close();
}

#[test]
fn one_that_is_slow_is_reverted() {
    let options = options(|options| options.max_latency = Duration::from_micros(1500));
    let (stage, outcome) = watched(options, "slow");
    let reason = reason(outcome);
    assert!(
        reason.starts_with("99 of 100 calls take up to "),
        "{reason}"
    );
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn a_good_one_is_permanent_when_there_were_enough_calls() {
    let options = options(|options| {
        options.max_error_rate = 0.0;
        options.error_rate_factor = 2.0;
        options.min_healthy_time = Duration::from_millis(10);
    });
    let (stage, outcome) = watched(options, "second");
    assert_eq!(outcome, WindowOutcome::Permanent);
    assert_eq!(orders(&stage), "second");
    stage.settle();
    stage.close();
}

#[test]
fn without_enough_calls_the_verdict_is_what_the_options_say() {
    for (promote, expected) in [(true, "second"), (false, "first")] {
        let mut options = options(|options| options.promote_inconclusive = promote);
        options.healthy_deadline = Duration::from_millis(50);
        options.min_healthy_time = Duration::from_millis(5);
        let stage = host(&checked("first"), |builder| builder.reload_options(options));
        let window = stage.swap("checked", &checked("second")).window.unwrap();
        match window.wait(LIMIT).unwrap() {
            WindowOutcome::Permanent => assert!(promote),
            WindowOutcome::Reverted { reason } => {
                assert_eq!(
                    reason,
                    "there were fewer than 100 calls, which is too few for a verdict"
                );
            }
            other => panic!("{other}"),
        }
        assert_eq!(orders(&stage), expected);
        stage.close();
    }
}
