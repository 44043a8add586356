//! Tests many builds, one after the other, of allocators whose constructor remembers the thread that opened the
//! library.
use crate::caller::Caller;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, variant};

const SWAPS: u32 = 20;

fn survives(build: Build, plugin: &str) {
    let library = build.bytes(plugin);
    let number = |n: u32| variant(&library, "number 0000", &format!("number {n:04}"));
    let stage = Stage::open(&[(plugin, &library)]);
    // One thread calls every build, and each build has a thread of its own.
    let always = Caller::start();
    for n in 0..=SWAPS {
        if n != 0 {
            stage.swap(plugin, &number(n));
        }
        let once = Caller::start();
        for caller in [&always, &once] {
            let act = stage.swapper.function(plugin, "act");
            let act: Function<fn(&str, &str) -> hotswap_plugin::Result<String>> = act.unwrap();
            caller.run(move || {
                let answer = act.call("", "").unwrap();
                assert!(answer.ends_with(&format!("number {n:04}")), "{answer}");
            });
        }
        once.end();
    }
    always.end();
    assert_eq!(stage.settle().len(), SWAPS as usize);
    stage.close();
}

#[test]
fn of_mimalloc() {
    survives(Build::ZooMimalloc, "zoo-heap");
}

#[test]
fn of_jemalloc() {
    survives(Build::ZooJemalloc, "zoo-heap");
}
