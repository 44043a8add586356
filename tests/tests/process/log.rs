//! Tests a host whose subscriber panics at every record.
use crate::alone;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{Build, build_id, ordered};
use hotswap_tests::{LIMIT, Stage, until};
use tracing::field::Field;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

struct Panics;

impl Subscriber for Panics {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        panic!("no room for a span")
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut |_: &Field, value: &dyn std::fmt::Debug| panic!("no room for {value:?}"));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_stops_no_reload_and_no_retirement() {
    let output = alone("log::panics_at_every_record");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("no room for"), "{told}");
}

/// The records are a panic in `on_stop`, one in `on_start`, and those of the retirement.
#[test]
#[ignore = "runs in a process of its own, which the test above starts"]
fn panics_at_every_record() {
    tracing::subscriber::set_global_default(Panics).unwrap();
    let probe = Build::First.bytes("probe");
    let builds = ["panic on_stop", "panic on_start", "another build"].map(|o| ordered(&probe, o));
    let stage = Stage::open(&[("probe", &builds[0])]);
    for build in &builds[1..] {
        stage.swap("probe", build);
        let answer: Function<fn() -> String> = stage.probe("build");
        assert_eq!(answer.call().unwrap(), build_id(build).to_string());
    }
    until("both builds to leave", || {
        let retirements = stage.swapper.retirements();
        let left = |build: &&Vec<u8>| {
            let mut of = retirements.iter().filter(|r| r.build_id == build_id(build));
            of.any(|r| r.state.is_end())
        };
        drop(stage.swapper.pin());
        builds[..2].iter().all(|build| left(&build))
    });
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    stage.close();
}
