//! Errors of async calls, of interfaces, and of calls by name count in a rollback window, as those of other calls do.
use crate::support::window;
use dreams::{Clock, Dream, Nightmare};
use hotswap_host::prelude::*;
use hotswap_host::{ReloadOptions, Value, WindowOutcome};
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::{LIMIT, Stage};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// The clock that the plugin asks for. It never strikes.
struct Stopped;

impl Clock for Stopped {
    async fn strikes(&self, _: &str) -> String {
        std::future::pending().await
    }
    async fn breaks(&self, _: &str) {}
    async fn keeps_waiting(&self) {}
    fn tell(&self, _: &str) {}
    fn reload(&self) -> String {
        String::new()
    }
}

/// Returns a build of the dreamer. Those from 90 on return errors.
fn dreamer(number: u8) -> Vec<u8> {
    let text = format!("dreamer {number:02}");
    variant(&Build::Async.bytes("dreamer"), "dreamer 00", &text)
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// Options by which any error reverts.
fn no_errors() -> ReloadOptions {
    let mut options = window();
    options.interval = Duration::from_millis(2);
    options.min_calls = 1;
    options.max_error_rate = 0.0;
    options
}

/// Replaces the dreamer by this build, runs `calls` once, and returns how the window closes.
fn outcome(
    number: u8,
    options: ReloadOptions,
    calls: impl FnOnce(&Stage),
) -> (Stage, WindowOutcome) {
    let stage = Stage::with(&[("dreamer", &dreamer(1))], |builder| {
        let builder = builder.reload_options(options);
        builder.provide::<dyn Clock>(Arc::new(Stopped))
    });
    let report = stage.swap("dreamer", &dreamer(number));
    calls(&stage);
    let window = report.window.expect("a window was opened");
    let outcome = window.wait(LIMIT).expect("the window closes");
    (stage, outcome)
}

/// The number of the live build.
fn live(stage: &Stage) -> String {
    let dreamer: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
    dreamer.call(|dreamer| dreamer.build()).unwrap()
}

/// Checks that a build is reverted because exactly one of its calls returned an error.
fn is_reverted(calls: impl FnOnce(&Stage)) {
    let (stage, outcome) = outcome(91, no_errors(), calls);
    let WindowOutcome::Reverted { reason } = outcome else {
        panic!("{outcome}");
    };
    let whole = reason.starts_with("1 of its ")
        && reason.ends_with(" calls have returned an error, and the limit is 0");
    assert!(whole, "{reason}");
    assert_eq!(live(&stage), "dreamer 01");
    stage.settle();
    stage.close();
}

#[test]
fn an_async_function_that_returns_an_error_is_reverted() {
    is_reverted(|stage| {
        let checked: AsyncFunction<fn(u32) -> Result<u32, Nightmare>> =
            stage.swapper.async_function("dreamer", "checked").unwrap();
        let error = block_on(checked.call(7)).unwrap_err();
        assert!(matches!(error, CallError::Returned(_)), "{error}");
    });
}

#[test]
fn async_methods_that_return_errors_are_one_call_that_did() {
    is_reverted(|stage| {
        let dreamer: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
        let calls = dreamer.call_async(|dreamer| async move {
            for n in 0..3 {
                dreamer.doubts(n).await.unwrap_err();
                dreamer.doubt(n).unwrap_err();
            }
        });
        block_on(calls).unwrap();
    });
}

#[test]
fn they_count_before_the_call_ends() {
    is_reverted(|stage| {
        let dreamer: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
        let window = stage.swapper.window().unwrap().unwrap();
        let calls = dreamer.call_async(|dreamer| async move {
            dreamer.doubts(7).await.unwrap_err();
            window.wait(LIMIT).expect("the window closes");
        });
        block_on(calls).unwrap();
    });
}

#[test]
fn methods_that_return_errors_are_one_call_that_did() {
    is_reverted(|stage| {
        let dreamer: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
        let all = dreamer.call(|dreamer| (0..3).all(|n| dreamer.doubt(n).is_err()));
        assert!(all.unwrap());
    });
}

#[test]
fn calls_by_name_count() {
    is_reverted(|stage| {
        let call = stage
            .swapper
            .invoke_async("dreamer", "checked", &[Value::from(7)]);
        block_on(call).unwrap_err();
    });
    is_reverted(|stage| {
        let call = stage.swapper.invoke("dreamer", "refuse", &[]);
        call.unwrap_err();
    });
}

#[test]
fn an_async_function_that_panics_is_reverted() {
    let (stage, outcome) = outcome(2, window(), |stage| {
        let panic: AsyncFunction<fn(&str, u32) -> u32> =
            stage.swapper.async_function("dreamer", "panic").unwrap();
        block_on(panic.call("a bad dream", 2)).unwrap_err();
    });
    let reason = "it has failed once, and the failure limit is 0".to_owned();
    assert_eq!(outcome, WindowOutcome::Reverted { reason });
    assert_eq!(live(&stage), "dreamer 01");
    stage.close();
}

#[test]
fn an_async_method_that_panics_is_reverted() {
    let (stage, outcome) = outcome(2, window(), |stage| {
        let dreamer: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
        let nightmare =
            dreamer.call_async(|dreamer| async move { dreamer.nightmare("a bad dream").await });
        block_on(nightmare).unwrap_err();
    });
    let reason = "it has failed once, and the failure limit is 0".to_owned();
    assert_eq!(outcome, WindowOutcome::Reverted { reason });
    assert_eq!(live(&stage), "dreamer 01");
    stage.close();
}

#[test]
fn calls_that_succeed_make_the_build_permanent() {
    let mut options = no_errors();
    options.min_healthy_time = Duration::from_millis(1);
    let (stage, outcome) = outcome(2, options, |stage| {
        let checked: AsyncFunction<fn(u32) -> Result<u32, Nightmare>> =
            stage.swapper.async_function("dreamer", "checked").unwrap();
        assert_eq!(block_on(checked.call(7)).unwrap(), 7);
    });
    assert_eq!(outcome, WindowOutcome::Permanent);
    assert_eq!(live(&stage), "dreamer 02");
    stage.close();
}

#[test]
fn errors_of_calls_that_are_not_counted_do_not_count() {
    let (stage, outcome) = outcome(91, no_errors(), |stage| {
        let dreamer: Interface<dyn Dream> = stage.swapper.interface("dreamer").unwrap();
        {
            let pin = stage.swapper.pin();
            let pinned = dreamer.on(&pin).unwrap();
            assert!(pinned.call(|dreamer| dreamer.doubt(1).is_err()).unwrap());
        }
        // One that counts, and succeeds.
        dreamer.call(|dreamer| dreamer.build()).unwrap();
        stage.swapper.confirm().unwrap();
    });
    assert_eq!(outcome, WindowOutcome::Permanent);
    stage.close();
}
