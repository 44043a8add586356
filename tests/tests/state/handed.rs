//! Tests state that is handed over.
use crate::support::{House, busy_visitor, numbered, separate, stateful, told, visitor};
use hotswap_host::StateReport;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::Build;
use std::io::Read;
use std::net::TcpStream;

fn add(house: &House, times: u64) {
    let add: Function<fn() -> u64> = house.stateful("add");
    (0..times).for_each(|_| _ = add.call().unwrap());
}

#[test]
fn the_new_build_goes_on_with_the_state() {
    let house = House::open(&[("stateful", &stateful(1))]);
    add(&house, 3);
    let report = house.swap("stateful", &stateful(2));
    let build: Function<fn() -> String> = house.stateful("build");
    let moves: Function<fn() -> u64> = house.stateful("moves");
    assert_eq!(build.call().unwrap(), "build 02");
    assert_eq!((house.count(), moves.call().unwrap()), (3, 1));
    assert!(report.gate.is_some());
    assert!(matches!(
        report.plugin("stateful").unwrap().state,
        Some(StateReport::HandedOver { bytes: 1.. })
    ));
    house.settle();
    add(&house, 1);
    house.swap("stateful", &stateful(3));
    assert_eq!((house.count(), moves.call().unwrap()), (4, 2));
    house.close();
}

#[test]
fn the_hooks_run_in_the_order_that_is_promised() {
    let house = House::open(&[("stateful", &stateful(1))]);
    assert_eq!(house.desk.told(), ["on_init", "on_start"]);
    house.swap("stateful", &stateful(2));
    let order = [
        "on_init", "on_stop", "save", "restore", "restored", "on_start",
    ];
    assert_eq!(house.desk.told(), order);
    house.close();
}

/// Importers have the plugin's exports, and threads that call them, from their construction on.
#[test]
fn importers_call_a_plugin_while_its_hooks_run() {
    let stateful = |build| told(build, "be called");
    let house = House::open(&[("stateful", &stateful(1)), ("visitor", &busy_visitor(1))]);
    let hooks = |hooks: &[&str]| {
        let told = house.desk.told();
        let called = told
            .iter()
            .filter_map(|told| told.strip_prefix("called during "));
        assert_eq!(called.collect::<Vec<_>>(), hooks);
    };
    hooks(&["on_load", "on_init"]);
    for build in 2..6 {
        let before = house.count();
        let report = house.swap("stateful", &stateful(build));
        let text = report.plugin("visitor").unwrap().to_string();
        assert!(text.starts_with("visitor: followed stateful"), "{text}");
        hooks(&["on_load", "on_init", "restore"]);
        assert!(house.count() >= before);
        house.settle();
    }
    house.close();
}

/// A plugin that follows is a new instance of the same build.
#[test]
fn who_follows_hands_its_state_over() {
    let house = House::open(&[("stateful", &stateful(1)), ("visitor", &visitor(1))]);
    let visit: Function<fn() -> u64> = house.function("visitor", "visit");
    let visits: Function<fn() -> u64> = house.function("visitor", "visits");
    assert_eq!((visit.call(), visit.call()), (Ok(1), Ok(2)));
    let report = house.swap("stateful", &stateful(2));
    let text = report.plugin("visitor").unwrap().to_string();
    assert!(
        text.starts_with("visitor: followed stateful, state handed over ("),
        "{text}"
    );
    assert_eq!((visits.call(), house.count()), (Ok(2), 2));
    house.close();
}

#[test]
fn a_large_state() {
    let house = House::open(&[("stateful", &stateful(1))]);
    let fill: Function<fn(u32)> = house.stateful("fill");
    fill.call(1_000_000).unwrap();
    let report = house.swap("stateful", &stateful(2));
    let text = report.to_string();
    assert_eq!(text, "stateful: reloaded, state handed over (1.0 MB)");
    house.close();
}

/// The state is carried over to a later version of the type, and back.
#[test]
fn a_later_version_and_back() {
    let later = numbered(&Build::StatefulLater.bytes("stateful"), 2);
    let house = House::open(&[("stateful", &stateful(1))]);
    add(&house, 3);
    house.swap("stateful", &later);
    assert_eq!(house.count(), 3);
    add(&house, 1);
    house.swap("stateful", &stateful(1));
    assert_eq!(house.count(), 4);
    house.close();
}

/// A client that has connected before the swap is answered after it.
#[test]
fn a_port_goes_along() {
    let house = House::open(&[("stateful", &stateful(1)), ("separate", &separate(1))]);
    let listen: Function<fn() -> hotswap_plugin::Result<u16>> = house.stateful("listen");
    let answer: Function<fn() -> hotswap_plugin::Result<()>> = house.stateful("answer");
    let port = listen.call().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    house.swap("stateful", &stateful(2));
    house.settle();
    answer.call().unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert_eq!(said, "build 02");
    house.close();
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "nothing listens at the port"
    );
}
