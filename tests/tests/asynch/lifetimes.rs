//! Tests that a build stays loaded while one of its futures exists, and leaves with the last one.
use crate::support::{Night, block_on, current, dreamer, poll_once, sleeper, threads};
use hotswap_host::prelude::*;
use hotswap_host::{Calling, Held, Holder, RetirementState};
use hotswap_tests::{LIMIT, until};
use std::time::Duration;

type Wait = AsyncFunction<fn(&str) -> String>;

/// Begins a call that waits for the hour in the first build.
fn waiting(night: &Night, hour: &str) -> Calling<String> {
    let wait: Wait = night.dreamer("wait");
    let mut call = wait.call(hour);
    assert!(poll_once(&mut call).is_pending());
    night
        .clock
        .until_told(&format!("dreamer 01 waits for {hour}"));
    call
}

#[test]
fn awaited_across_three_swaps() {
    let night = Night::dreaming();
    let call = waiting(&night, "noon");
    for build in 2..5 {
        night.swap("dreamer", &dreamer(build));
    }
    assert!(night.clock.has_told("dreamer 01 on_stop"));
    assert!(!night.clock.has_told("dreamer 01 on_free"));
    night.clock.strike("noon");
    // The call ends in the build in which it began, although three builds have come since.
    assert_eq!(block_on(call).unwrap(), "dreamer 01 at noon");
    night.clock.until_told("dreamer 01 on_free");
    let wait: Wait = night.dreamer("wait");
    assert_eq!(block_on(wait.call("noon")).unwrap(), "dreamer 04 at noon");
    assert_eq!(night.settle().len(), 3);
    night.close();
}

#[test]
fn dropped_half_way() {
    let night = Night::dreaming();
    // One future is never polled, one is polled, and one is polled on another thread.
    let wait: Wait = night.dreamer("wait");
    drop(wait.call("never"));
    drop(waiting(&night, "noon"));
    assert!(night.clock.has_told("dreamer 01 dropped noon"));
    assert!(!night.clock.has_told("dreamer 01 dropped never"));
    let late = waiting(&night, "midnight");
    night.swap("dreamer", &dreamer(2));
    std::thread::spawn(move || drop(late)).join().unwrap();
    // The plugin drops its future at once, and still has everything that the drop needs.
    assert!(night.clock.has_told("dreamer 01 dropped midnight"));
    night.settle();
    night.close();
}

#[test]
fn moved_between_threads() {
    let night = Night::dreaming();
    let turns: AsyncFunction<fn(u32) -> u32> = night.dreamer("turns");
    let mut call = turns.call(3);
    for _ in 0..3 {
        call = std::thread::spawn(move || {
            assert!(poll_once(&mut call).is_pending());
            call
        })
        .join()
        .unwrap();
    }
    night.swap("dreamer", &dreamer(2));
    assert_eq!(
        std::thread::spawn(move || block_on(call))
            .join()
            .unwrap()
            .unwrap(),
        3
    );
    night.settle();
    night.close();
}

#[test]
fn held_for_ever_it_is_named() {
    let night = Night::dreaming();
    let (one, two) = (waiting(&night, "never"), waiting(&night, "ever"));
    let at_once: AsyncFunction<fn() -> String> = night.dreamer("at_once");
    let unpolled = at_once.call();
    night.swap("dreamer", &dreamer(2));
    let calls = |function: &str, count| Holder::AsyncCalls {
        plugin: "dreamer".into(),
        function: function.into(),
        count,
    };
    let retirement = night.until_held_by(&[calls("at_once", 1), calls("wait", 2)]);
    assert_eq!(retirement.state, RetirementState::InUse);
    let text = retirement.to_string();
    let end = "is still in use: held by 1 unfinished async call of dreamer.at_once, 2 unfinished async calls of dreamer.wait";
    assert!(text.ends_with(end), "{text}");
    // Other calls come and go at the same time.
    for build in 3..6 {
        night.swap("dreamer", &dreamer(build));
    }
    let gone = || {
        let retirements = night.swapper.retirements();
        retirements
            .iter()
            .filter(|r| r.state == RetirementState::Gone)
            .count()
    };
    until("the others to leave", || gone() == 3);
    std::mem::forget(one);
    drop((two, unpolled));
    let late = night.swapper.wait_retired(Duration::from_millis(50));
    assert_eq!(late.len(), 1);
}

#[test]
fn polled_when_the_swapper_is_gone() {
    let night = Night::dreaming();
    let (call, dropped) = (waiting(&night, "noon"), waiting(&night, "midnight"));
    let clock = night.clock.clone();
    let wait: Wait = night.dreamer("wait");
    // The handle alone would keep the plugins loaded.
    drop(wait);
    drop(night);
    clock.until_told("dreamer 01 on_stop");
    clock.strike("noon");
    assert_eq!(block_on(call).unwrap(), "dreamer 01 at noon");
    assert!(!clock.has_told("dreamer 01 on_free"));
    drop(dropped);
    clock.until_told("dreamer 01 on_free");
}

#[test]
fn after_the_shutdown_a_new_call_fails_and_an_old_one_does_not() {
    let night = Night::dreaming();
    let wait: Wait = night.dreamer("wait");
    let call = waiting(&night, "noon");
    let late = night.swapper.shutdown(Duration::from_millis(50)).unwrap();
    assert_eq!(late.len(), 1);
    let error = block_on(wait.call("noon")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "dreamer.wait is not loaded in this generation"
    );
    night.clock.strike("noon");
    assert_eq!(block_on(call).unwrap(), "dreamer 01 at noon");
    assert!(night.swapper.wait_retired(LIMIT).is_empty());
}

#[test]
fn the_hosts_runtime_is_shut_down_first() {
    for runtime in [threads(), current()] {
        let night = Night::dreaming();
        let wait: Wait = night.dreamer("wait");
        let calls = [wait.call("noon"), wait.call("midnight")];
        let spawned = calls.map(|call| runtime.spawn(call));
        runtime.block_on(tokio::task::yield_now());
        night.clock.until_told("dreamer 01 waits for noon");
        night.clock.until_told("dreamer 01 waits for midnight");
        night.swap("dreamer", &dreamer(2));
        drop(runtime);
        // The futures were dropped with the runtime, and so were the plugin's.
        for hour in ["noon", "midnight"] {
            night
                .clock
                .until_told(&format!("dreamer 01 dropped {hour}"));
        }
        drop(spawned);
        // The clock wakes tasks that no longer exist; nothing happens.
        night.clock.strike("noon");
        night.settle();
        night.close();
    }
}

#[test]
fn an_import_stays_with_the_call_that_awaits_it() {
    let night = Night::begin(&[("dreamer", &dreamer(1)), ("sleeper", &sleeper(1))]);
    let dream: AsyncFunction<fn(&str) -> Option<String>> =
        night.swapper.async_function("sleeper", "dream").unwrap();
    // Both plugins are replaced. The call that has begun uses the old ones.
    let mut call = dream.call("noon");
    assert!(poll_once(&mut call).is_pending());
    night.clock.until_told("dreamer 01 waits for noon");
    let error = night.swapper.reload();
    assert!(error.is_ok());
    drop(call);
    night.clock.until_told("dreamer 01 dropped noon");
    night.swap("dreamer", &dreamer(2));
    night.clock.strike("noon");
    let both = block_on(dream.call("noon")).unwrap().unwrap();
    assert_eq!(both, "sleeper 01 of dreamer 02 at noon");
    night.settle();
    night.close();
}

#[test]
fn a_reload_from_inside_is_refused_at_once() {
    let night = Night::dreaming();
    let reload: AsyncFunction<fn() -> String> = night.dreamer("reload");
    let text = block_on(reload.call()).unwrap();
    assert!(text.contains("from inside a call"), "{text}");
    // Another task on the same thread is not inside a call.
    let call = waiting(&night, "noon");
    assert_eq!(
        night.swapper.reload().unwrap().to_string(),
        "dreamer: unchanged"
    );
    drop(call);
    night.close();
}

/// A future of a retired build still has the runtime of that build, although the instance is gone.
#[test]
fn an_object_is_awaited_after_its_plugin() {
    let night = Night::dreaming();
    let dozer: Function<fn() -> Held<dyn dreams::Dozer>> =
        night.swapper.function("dreamer", "dozer").unwrap();
    let dozer = dozer.call().unwrap();
    night.swap("dreamer", &dreamer(2));
    night.clock.until_told("dreamer 01 on_free");
    night.until_held_by(&[Holder::Objects {
        interface: "Dozer".into(),
        owner: "the host".into(),
        count: 1,
    }]);
    assert_eq!(block_on(dozer.doze(5)), "dreamer 01");
    drop(dozer);
    night.settle();
    night.close();
}
