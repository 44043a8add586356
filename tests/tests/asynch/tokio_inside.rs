//! Tests plugins that use tokio, each with a runtime of its own.
use crate::support::{Night, block_on, current, dreamer, threads};
use hotswap_host::prelude::*;
use hotswap_tests::{LIMIT, until};
use tokio::runtime::Runtime;

type Use = AsyncFunction<fn(&str) -> hotswap_plugin::Result<String>>;

const USES: [(&str, &str); 8] = [
    ("sleep", "slept"),
    ("timeout", "deadline has elapsed"),
    ("spawn", "spawned"),
    ("spawn_blocking", "blocked"),
    ("channels", "45 of 10"),
    ("tcp", "echo"),
    ("udp", "datagram"),
    ("own runtime", "cancelled: true"),
];

async fn use_all(tokio: &Use) {
    for (what, expected) in USES {
        let found = match tokio.call(what).await {
            Ok(text) => text,
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }
}

/// Makes each thread of the runtime drop the values that a retired build has left in its thread-locals, until none is
/// left.
fn settle(night: &Night, runtime: &Runtime) {
    let at_once: AsyncFunction<fn() -> String> = night.dreamer("at_once");
    until("the build to leave", || {
        let calls: Vec<_> = (0..16).map(|_| runtime.spawn(at_once.call())).collect();
        runtime.block_on(async {
            for call in calls {
                call.await.unwrap().unwrap();
            }
        });
        night
            .swapper
            .wait_retired(std::time::Duration::ZERO)
            .is_empty()
    });
    night.settle();
}

#[test]
fn in_a_tokio_host() {
    for runtime in [threads(), current()] {
        let night = Night::dreaming();
        let tokio: Use = night.dreamer("tokio");
        for build in 2..4 {
            let spawned = tokio.clone();
            runtime.block_on(use_all(&tokio));
            let spawned = runtime.spawn(async move { use_all(&spawned).await });
            runtime.block_on(spawned).unwrap();
            night.swap("dreamer", &dreamer(build));
            settle(&night, &runtime);
        }
        drop(runtime);
        night.close();
    }
}

#[test]
fn in_a_host_without_a_runtime() {
    let night = Night::dreaming();
    let tokio: Use = night.dreamer("tokio");
    block_on(use_all(&tokio));
    night.swap("dreamer", &dreamer(2));
    block_on(use_all(&tokio));
    night.settle();
    night.close();
}

/// An unfinished call of a replaced build still has the runtime of that build.
#[test]
fn timers_go_on_across_a_swap() {
    let (night, runtime) = (Night::dreaming(), threads());
    let tokio: Use = night.dreamer("tokio");
    let calls: Vec<_> = (0..20)
        .map(|_| runtime.spawn(tokio.call("sleep")))
        .collect();
    night.swap("dreamer", &dreamer(2));
    runtime.block_on(async {
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), "slept");
        }
    });
    settle(&night, &runtime);
    drop(runtime);
    night.close();
}

#[test]
fn each_swap_takes_its_runtime_along() {
    let (night, runtime) = (Night::dreaming(), threads());
    let tokio: Use = night.dreamer("tokio");
    for build in 2..22 {
        let call = runtime.spawn(tokio.call("sleep"));
        night.swap("dreamer", &dreamer(build));
        runtime.block_on(call).unwrap().unwrap();
    }
    settle(&night, &runtime);
    assert!(night.swapper.wait_retired(LIMIT).is_empty());
    drop(runtime);
    night.close();
}
