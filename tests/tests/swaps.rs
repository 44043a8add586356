//! A thousand swaps under load. In a process of its own, whose memory is watched.
use hotswap_host::UnloadMode;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{self, Build, ordered};
use hotswap_tests::load::{Window, under_load};
use hotswap_tests::{Stage, process};

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
    let window = Window::new(1);
    let call = |caller, before| {
        let (answer, live) = window.during(|| stamp.call().expect("no call fails"));
        let (build, generation) = answer;
        assert!(
            live.contains(&generation),
            "{generation} is not in {live:?}"
        );
        assert_eq!(build, ids[generation as usize % 2]);
        // A value with a destructor, on the thread of each caller.
        if before % 97 == caller {
            remember.call("x").expect("no call fails");
        }
    };
    let mut warm = (0, 0);
    let calls = under_load(call, || {
        for next in 2..=swaps + 1 {
            let report = window.next(|| stage.swap("probe", &builds[next as usize % 2]));
            assert_eq!(report.generation, next);
            stage.desk.told();
            if next == swaps / 4 {
                warm = (process::anonymous_memory(), process::descriptors());
            }
        }
    });
    assert!(calls > swaps);
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
