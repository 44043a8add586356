//! Tests swaps under load, in a process of its own whose memory is watched. `HOTSWAP_TEST_SWAPS` sets the number of
//! swaps.
mod builds;
mod calls;
mod findings;

use builds::Builds;
use calls::{CLOSED, Calls, Desk};
use findings::{Findings, Look};
use hotswap_host::UnloadMode;
use hotswap_host::telemetry::{Backtraces, set_backtraces};
use hotswap_tests::load::{under_load, with_births};
use hotswap_tests::{Stage, setting};
use std::ops::Range;
use std::sync::Arc;

/// Replaces builds while some threads call all the time in every way, and others are born, call in every way, and die.
fn soak(mode: UnloadMode, swaps: u64) {
    let builds = Builds::new();
    let desk = Arc::new(Desk::default());
    let stage = Stage::with(&builds.first(), |builder| {
        builder
            .unload_mode(mode)
            .provide::<dyn shapes::Desk>(desk.clone())
    });
    let calls = Arc::new(Calls::new(stage.swapper.clone(), builds));
    desk.ask(&calls);

    let (mut answered, mut born) = (0, 0);
    let mut load = |generations: Range<u64>| {
        let swap = |name: &str, library: &[u8]| stage.swap(name, library);
        let work = || generations.for_each(|number| calls.builds.next(number, swap));
        answered += under_load(
            |caller, before| calls.make(caller + before),
            || born += with_births(|_| calls.of_a_life(), work),
        );
        Look::at(&stage)
    };
    // One-time allocations have been made after a quarter of the swaps.
    let warm_up = swaps / 4;
    let warm = load(2..2 + warm_up);
    let end = load(2 + warm_up..2 + swaps);
    let findings = Findings {
        mode,
        swaps,
        answered,
        born,
        failed: calls.failed(),
        warm,
        end,
        between: swaps - warm_up,
    };
    println!("{findings}");
    findings.check();
    drop(calls);
    stage.settle();
    stage.close();
}

/// Panics are part of the load. They are logged without a subscriber, and none of them is printed.
fn keep_quiet() {
    set_backtraces(Backtraces::Off);
    tracing::subscriber::set_global_default(tracing_subscriber::registry())
        .expect("no other subscriber is set");
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload().downcast_ref::<String>();
        if text.is_none_or(|text| text != CLOSED) {
            hook(info);
        }
    }));
}

#[test]
fn swaps_under_load() {
    keep_quiet();
    let swaps = setting("HOTSWAP_TEST_SWAPS", 300);
    soak(UnloadMode::Quarantine, swaps);
    // In this mode, addresses are used again.
    soak(UnloadMode::Unload, swaps / 5);
}
