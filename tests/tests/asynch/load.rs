//! Tests that builds can be replaced while tasks on several threads call, cancel, and move the futures that they await.
use crate::support::{Night, dreamer, poll_once, threads};
use hotswap_host::prelude::*;
use hotswap_tests::until;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::Duration;

const SWAPS: u8 = 40;
const CALLERS: usize = 8;

struct Callers {
    at_once: AsyncFunction<fn() -> String>,
    turns: AsyncFunction<fn(u32) -> u32>,
    wait: AsyncFunction<fn(&str) -> String>,
    tokio: AsyncFunction<fn(&str) -> hotswap_plugin::Result<String>>,
    panic: AsyncFunction<fn(&str, u32) -> u32>,
    end: AtomicBool,
    calls: AtomicU64,
}

impl Callers {
    /// Calls until the end. Each answer has to be right, and has to come from a build that was live.
    async fn call(self: Arc<Self>) {
        while !self.end.load(Relaxed) {
            let build = self.at_once.call().await.unwrap();
            assert!(build.starts_with("dreamer "), "{build}");
            assert_eq!(self.turns.call(5).await.unwrap(), 5);
            // This call is cancelled here, the other one on another thread.
            let mut cancelled = self.wait.call("never");
            assert!(poll_once(&mut cancelled).is_pending());
            drop(cancelled);
            let cancelled = tokio::spawn(self.wait.call("never"));
            tokio::task::yield_now().await;
            cancelled.abort();
            assert!(cancelled.await.unwrap_err().is_cancelled());
            for (what, expected) in [("sleep", "slept"), ("spawn", "spawned")] {
                assert_eq!(self.tokio.call(what).await.unwrap(), expected);
            }
            let error = self.panic.call("in a dream", 1).await.unwrap_err();
            assert!(matches!(error, CallError::Panicked { .. }), "{error}");
            self.calls.fetch_add(1, Relaxed);
        }
    }
}

#[test]
fn swaps_under_async_load() {
    let (night, runtime) = (Night::dreaming(), threads());
    let callers = Arc::new(Callers {
        at_once: night.dreamer("at_once"),
        turns: night.dreamer("turns"),
        wait: night.dreamer("wait"),
        tokio: night.dreamer("tokio"),
        panic: night.dreamer("panic"),
        end: AtomicBool::new(false),
        calls: AtomicU64::new(0),
    });
    let tasks: Vec<_> = (0..CALLERS)
        .map(|_| runtime.spawn(callers.clone().call()))
        .collect();
    for build in 2..=SWAPS {
        let before = callers.calls.load(Relaxed);
        night.swap("dreamer", &dreamer(build));
        until("calls of the new build", || {
            callers.calls.load(Relaxed) > before || tasks.iter().any(|task| task.is_finished())
        });
    }
    // The threads keep polling, so every replaced build leaves memory.
    until("all builds to leave", || {
        night
            .swapper
            .wait_retired(Duration::from_millis(10))
            .is_empty()
            || tasks.iter().any(|task| task.is_finished())
    });
    callers.end.store(true, Relaxed);
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    night.settle();
    drop(callers);
    drop(runtime);
    night.close();
}
