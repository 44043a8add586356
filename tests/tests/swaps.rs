//! A thousand swaps under load. In a process of its own, whose memory is watched.
use hotswap_host::UnloadMode;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build, ordered};
use hotswap_tests::{Stage, process};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// Swaps between two builds under four calling threads. Each answer names its build and its generation, which was live
/// at some time during the call.
fn swap(mode: UnloadMode, swaps: u64) {
    let first = Build::First.bytes("probe");
    let builds = [ordered(&first, "even"), ordered(&first, "odd")];
    let ids = builds
        .each_ref()
        .map(|build| fixture::build_id(build).to_string());
    // Generation 1 is of the second build.
    let stage = Stage::with(&[("probe", &builds[1])], |builder| {
        builder.unload_mode(mode)
    });
    let stamp: Function<fn() -> (String, u64)> = stage.probe("stamp");
    let remember: Function<fn(&str)> = stage.probe("remember");
    // The generation that is certainly live, and the last that may be.
    let (surely, perhaps) = (AtomicU64::new(1), AtomicU64::new(1));
    let (done, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut warm = (0, 0);
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (stamp, remember) = (&stamp, &remember);
            let (ids, surely, perhaps, done, calls) = (&ids, &surely, &perhaps, &done, &calls);
            scope.spawn(move || {
                while !done.load(SeqCst) {
                    let from = surely.load(SeqCst);
                    let (build, generation) = stamp.call().expect("no call fails");
                    let to = perhaps.load(SeqCst);
                    assert!(
                        (from..=to).contains(&generation),
                        "{generation} is not in {from}..={to}"
                    );
                    assert_eq!(build, ids[generation as usize % 2]);
                    // A value with a destructor, on the thread of each caller.
                    if calls.fetch_add(1, SeqCst) % 97 == n {
                        remember.call("x").expect("no call fails");
                    }
                }
            });
        }
        for next in 2..=swaps + 1 {
            perhaps.store(next, SeqCst);
            let report = stage.swap("probe", &builds[next as usize % 2]);
            assert_eq!(report.generation, next);
            surely.store(next, SeqCst);
            stage.desk.told();
            if next == swaps / 4 {
                warm = (process::anonymous_memory(), process::descriptors());
            }
        }
        done.store(true, SeqCst);
    });
    assert!(calls.load(SeqCst) > swaps);
    stage.settle();
    let (memory, descriptors) = (process::anonymous_memory(), process::descriptors());
    // Builds on their way out are still in memory, more or fewer of them at any time.
    let grown = memory.saturating_sub(warm.0);
    assert!(
        grown < 32 << 20,
        "{grown} bytes more after {swaps} swaps than after a quarter of them"
    );
    assert!(
        descriptors <= warm.1 + 4,
        "{descriptors} descriptors, {} before",
        warm.1
    );
    stage.close();
}

#[test]
fn a_thousand_swaps_under_load() {
    swap(UnloadMode::Quarantine, 1000);
    // Where addresses are used again.
    swap(UnloadMode::Unload, 200);
}
