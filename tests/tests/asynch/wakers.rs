//! Tests wakers that cross between host and plugin, and are used after everything else is gone.
use crate::support::{Night, block_on, dreamer, poll_once, threads};
use hotswap_host::prelude::*;
use hotswap_host::{Holder, RetirementState};
use hotswap_tests::until;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::task::{Context, Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_plugin_keeps_the_hosts_waker_and_uses_it_late() {
    let night = Night::dreaming();
    let (keep, wake): (AsyncFunction<fn(&str)>, Function<fn() -> bool>) = (
        night.dreamer("keep_waker"),
        night.swapper.function("dreamer", "wake_kept").unwrap(),
    );
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut call = keep.call("the test");
    assert!(
        Pin::new(&mut call)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop((call, waker));
    // The future is gone, and the plugin's thread wakes it all the same.
    assert!(wake.call().unwrap());
    assert_eq!(count.0.load(SeqCst), 1);
    until("the plugin to let go of it", || {
        Arc::strong_count(&count) == 1
    });

    // The same happens when the host's runtime is gone.
    let runtime = threads();
    let task = runtime.spawn(keep.call("a task"));
    night.clock.until_told("kept the waker of a task");
    drop(runtime);
    drop(task);
    assert!(wake.call().unwrap());
    // A waker that is never used goes with the plugin, and holds up nothing.
    let mut call = keep.call("nobody");
    assert!(poll_once(&mut call).is_pending());
    drop(call);
    night.swap("dreamer", &dreamer(2));
    night.settle();
    night.close();
}

#[test]
fn the_host_keeps_what_it_was_lent_through_a_plugin() {
    let night = Night::dreaming();
    let keep: AsyncFunction<fn()> = night.dreamer("keep_waiting");
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut call = keep.call();
    for _ in 0..2 {
        assert!(
            Pin::new(&mut call)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    drop(call);
    let kept = night.clock.kept();
    assert_eq!(kept.len(), 2);
    // The plugin that passed the waker on may leave: the host has a waker of its own.
    night.swap("dreamer", &dreamer(2));
    night.settle();
    kept.into_iter().for_each(Waker::wake);
    assert_eq!(count.0.load(SeqCst), 2);
    night.close();
}

#[test]
fn the_host_keeps_the_waker_of_a_plugins_task_and_is_named() {
    let night = Night::dreaming();
    let spawn: Function<fn(&str, Option<std::time::Duration>)> =
        night.swapper.function("dreamer", "spawn").unwrap();
    spawn.call("keeps_waiting", None).unwrap();
    night.clock.until_told("dreamer 01 spawned keeps_waiting");
    until("the task to wait", || {
        night.clock.waits_for("keeps_waiting")
    });
    night.swap("dreamer", &dreamer(2));
    // The task was cancelled. The clock does not know that, and still has the task's waker.
    night.clock.until_told("dreamer 01 dropped keeps_waiting");
    let waker = Holder::Objects {
        interface: "Waker".into(),
        owner: "the host".into(),
        count: 1,
    };
    let retirement = night.until_held_by(&[waker]);
    assert_eq!(retirement.state, RetirementState::Freeing);
    // Waking a task that is gone does nothing, and dropping the waker frees the build.
    night.clock.strike("keeps_waiting");
    night.settle();
    night.close();
}

#[test]
fn the_same_waker_is_not_kept_again_with_each_poll() {
    let night = Night::dreaming();
    let keep: AsyncFunction<fn(&str)> = night.dreamer("keep_waker");
    let count = Arc::new(Count::default());
    let waker = Waker::from(count.clone());
    let mut call = keep.call("the test");
    for _ in 0..10 {
        assert!(
            Pin::new(&mut call)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    // Two of the wakers belong to the test, and one to the plugin.
    assert_eq!(Arc::strong_count(&count), 3);
    drop(call);
    let wake: Function<fn() -> bool> = night.swapper.function("dreamer", "wake_kept").unwrap();
    assert!(wake.call().unwrap());
    assert_eq!(Arc::strong_count(&count), 2);
    block_on(std::future::ready(()));
    night.close();
}
