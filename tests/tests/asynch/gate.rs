//! Tests that state is handed over once the group has no unfinished async calls, and that new calls begin afterwards.
use crate::support::{Night, block_on, current, poll_once, sleeper, threads};
use hotswap_host::fail_point::{left, panic_at};
use hotswap_host::prelude::*;
use hotswap_host::{Calling, Holder};
use hotswap_tests::alone;
use std::time::Duration;

type Sleep = AsyncFunction<fn(&str) -> u64>;

fn night(limit: Duration) -> (Night, Sleep) {
    let night = Night::with(&[("sleeper", &sleeper(1))], |builder| {
        builder.gate_limit(limit)
    });
    let sleep = night.swapper.async_function("sleeper", "sleep").unwrap();
    (night, sleep)
}

/// Returns a call that waits at the gate. Nothing announces that the gate is closed, so the function makes calls until
/// one waits.
fn at_the_gate(sleep: &Sleep) -> Calling<u64> {
    loop {
        let call = sleep.call("noon");
        if format!("{call:?}") == "Calling(at a gate)" {
            return call;
        }
    }
}

#[test]
fn an_unfinished_call_is_waited_for() {
    wait_for_an_unfinished_call();
}

#[test]
fn one_thread_waits_for_all_and_another_one_after_a_panic() {
    sleeper(1);
    alone("gate::a_panic");
}

#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn a_panic() {
    panic_at("hotswap-gate", 1);
    wait_for_an_unfinished_call();
    assert_eq!(left("hotswap-gate"), 0);
}

fn wait_for_an_unfinished_call() {
    let (night, sleep) = night(hotswap_tests::LIMIT);
    let mut call = sleep.call("noon");
    assert!(poll_once(&mut call).is_pending());
    let report = std::thread::scope(|scope| {
        let reload = scope.spawn(|| night.swap("sleeper", &sleeper(2)));
        // A new call finds the gate closed. The call waits, but its thread does not.
        let mut waiting = at_the_gate(&sleep);
        assert!(poll_once(&mut waiting).is_pending());
        assert!(!reload.is_finished());
        night.clock.strike("noon");
        // The call goes on when it is polled on this very thread.
        assert_eq!(block_on(call).unwrap(), 1);
        assert_eq!(block_on(waiting).unwrap(), 2);
        reload.join().unwrap()
    });
    assert!(report.to_string().contains("sleeper: reloaded"), "{report}");
    let nights: AsyncFunction<fn() -> (u64, String)> =
        night.swapper.async_function("sleeper", "nights").unwrap();
    assert_eq!(block_on(nights.call()).unwrap(), (2, "sleeper 02".into()));
    night.settle();
    night.close();
}

#[test]
fn one_that_outlives_the_limit_is_named() {
    let (night, sleep) = night(Duration::from_millis(30));
    let mut call = sleep.call("noon");
    assert!(poll_once(&mut call).is_pending());
    night.install("sleeper", &sleeper(2));
    let error = night.swapper.reload().unwrap_err();
    let ReloadError::HandOver { waited_for, .. } = &error else {
        panic!("{error}");
    };
    let unfinished = Holder::AsyncCalls {
        plugin: "sleeper".into(),
        function: "sleep".into(),
        count: 1,
    };
    assert_eq!(waited_for, &[unfinished]);
    // The old build keeps answering all calls.
    night.clock.strike("noon");
    assert_eq!(block_on(call).unwrap(), 1);
    assert_eq!(block_on(sleep.call("noon")).unwrap(), 2);
    night.swapper.reload().unwrap();
    assert_eq!(block_on(sleep.call("noon")).unwrap(), 3);
    night.settle();
    night.close();
}

/// A single thread has unfinished calls and calls that wait at the gate. Neither kind blocks the other.
#[test]
fn on_one_thread_no_call_fails_while_state_is_handed_over() {
    for runtime in [current(), threads()] {
        let (night, sleep) = night(hotswap_tests::LIMIT);
        night.clock.strike("noon");
        let calls: u64 = runtime.block_on(async {
            let nights = Box::new(night.swapper.clone());
            let swaps = tokio::task::spawn_blocking({
                let files: Vec<_> = (2..12).map(sleeper).collect();
                let file = night.file("sleeper");
                move || {
                    for bytes in files {
                        let dir = file.parent().expect("the file has a parent directory");
                        hotswap_tests::fixture::install(&bytes, "sleeper", dir);
                        nights.reload().expect("the build can be loaded");
                    }
                }
            });
            let callers: Vec<_> = (0..8)
                .map(|_| {
                    let sleep = sleep.clone();
                    tokio::spawn(async move {
                        for _ in 0..200 {
                            sleep.call("noon").await.expect("no call fails");
                            tokio::task::yield_now().await;
                        }
                        200
                    })
                })
                .collect();
            let mut calls = 0;
            for caller in callers {
                calls += caller.await.unwrap();
            }
            swaps.await.unwrap();
            calls
        });
        let nights: AsyncFunction<fn() -> (u64, String)> =
            night.swapper.async_function("sleeper", "nights").unwrap();
        assert_eq!(
            block_on(nights.call()).unwrap(),
            (calls, "sleeper 11".into())
        );
        drop(runtime);
        night.settle();
        night.close();
    }
}

/// Calls by name, and through the closure of an interface, behave alike.
#[test]
fn a_call_of_another_plugin_is_not_waited_for() {
    let plugins = [
        ("dreamer", crate::support::dreamer(1)),
        ("sleeper", sleeper(1)),
    ];
    let plugins = plugins
        .each_ref()
        .map(|(name, bytes)| (*name, bytes.as_slice()));
    let night = Night::begin(&plugins);
    // The dreamer has no state and is not in the group: sleeper imports it, and not the other way round.
    let wait: AsyncFunction<fn(&str) -> String> = night.dreamer("wait");
    let mut call = wait.call("noon");
    assert!(poll_once(&mut call).is_pending());
    let report = night.swap("sleeper", &sleeper(2));
    assert!(report.to_string().contains("sleeper: reloaded"), "{report}");
    night.clock.strike("noon");
    assert_eq!(block_on(call).unwrap(), "dreamer 01 at noon");
    night.settle();
    night.close();
}

/// An unfinished call that comes back to its plugin through the host is let in while the gate is closed.
#[test]
fn a_call_from_inside_passes() {
    let (night, sleep) = night(hotswap_tests::LIMIT);
    let nights = night.swapper.async_function("sleeper", "nights").unwrap();
    night.clock.ask(nights);
    let mut call = sleep.call("ask");
    assert!(poll_once(&mut call).is_pending());
    std::thread::scope(|scope| {
        let reload = scope.spawn(|| night.swap("sleeper", &sleeper(2)));
        let waiting = at_the_gate(&sleep);
        night.clock.strike("ask");
        assert_eq!(block_on(call).unwrap(), 1);
        night.clock.strike("noon");
        assert_eq!(block_on(waiting).unwrap(), 2);
        reload.join().unwrap()
    });
    night.settle();
    night.close();
}
