//! A panic concerns whoever called, and nobody else.
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, ordered};

#[test]
fn first() {
    let probe = Build::First.bytes("probe");
    let stage = Stage::open(&[("probe", &probe)]);
    let count: Function<fn() -> (u64, u64, u64)> = stage.probe("count");
    assert_eq!(count.call().unwrap(), (1, 1, 1));
    let report = stage.swap("probe", &ordered(&probe, "another"));
    assert_eq!(report.to_string(), "probe: reloaded");
    assert_eq!(count.call().unwrap(), (1, 1, 1));
    stage.settle();
    stage.close();
}
