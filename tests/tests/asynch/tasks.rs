//! Tests the tasks that plugins spawn through hotswap: they are counted and named, and they end with their build.
use crate::support::{Night, block_on, dreamer};
use hotswap_host::prelude::*;
use hotswap_host::{Holder, RetirementState};
use std::time::Duration;

type Spawn = Function<fn(&str, Option<Duration>)>;

fn spawn(night: &Night, hour: &str, finish: Option<Duration>) {
    let spawn: Spawn = night.swapper.function("dreamer", "spawn").unwrap();
    spawn.call(hour, finish).unwrap();
    night
        .clock
        .until_told(&format!("dreamer 01 spawned {hour}"));
}

#[test]
fn one_is_cancelled_when_its_build_is_replaced() {
    let night = Night::dreaming();
    spawn(&night, "never", None);
    // An unfinished call keeps the build loaded.
    let wait: AsyncFunction<fn(&str) -> String> = night.dreamer("wait");
    let call = wait.call("noon");
    night.swap("dreamer", &dreamer(2));
    night.clock.until_told("dreamer 01 dropped never");
    assert!(!night.clock.has_told("dreamer 01 on_free"));
    drop(call);
    // The clock keeps the call's waker until then.
    night.clock.strike("never");
    night.settle();
    night.close();
}

#[test]
fn one_that_may_finish_does() {
    let night = Night::dreaming();
    spawn(&night, "noon", Some(hotswap_tests::LIMIT));
    night.swap("dreamer", &dreamer(2));
    night.clock.until_told("dreamer 01 on_stop");
    night.until_held_by(&[Holder::Tasks {
        names: vec!["noon".into()],
    }]);
    assert!(!night.clock.has_told("dreamer 01 on_free"));
    night.clock.strike("noon");
    night.clock.until_told("dreamer 01 finished noon");
    night.clock.until_told("dreamer 01 on_free");
    night.settle();
    night.close();
}

#[test]
fn one_that_may_finish_is_cancelled_at_its_limit() {
    let night = Night::dreaming();
    spawn(&night, "never", Some(Duration::from_millis(30)));
    night.swap("dreamer", &dreamer(2));
    night.clock.until_told("dreamer 01 dropped never");
    night.clock.until_told("dreamer 01 on_free");
    night.clock.strike("never");
    night.settle();
    night.close();
}

#[test]
fn one_that_never_awaits_is_named() {
    let night = Night::dreaming();
    let spin: Function<fn(&std::path::PathBuf)> =
        night.swapper.function("dreamer", "spin").unwrap();
    let end = night.dir().join("end");
    spin.call(&end).unwrap();
    night.swap("dreamer", &dreamer(2));
    let retirement = night.until_held_by(&[Holder::Tasks {
        names: vec!["spinning".into()],
    }]);
    assert_eq!(retirement.state, RetirementState::Freeing);
    let text = retirement.to_string();
    assert!(text.ends_with("held by 1 task: spinning"), "{text}");
    std::fs::write(&end, "").unwrap();
    night.settle();
    night.close();
}

#[test]
fn who_spawned_one_hears_of_its_end() {
    let night = Night::dreaming();
    let task: AsyncFunction<fn(&str) -> String> = night.dreamer("task");
    for (what, expected) in [
        ("a text", "a text"),
        ("panic", "the task panicked"),
        ("never", "the task was cancelled"),
    ] {
        assert_eq!(block_on(task.call(what)).unwrap(), expected);
    }
    night.close();
}
