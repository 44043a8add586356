//! Plugins that are out of service, and the counts of running calls.
use crate::support::{add, checked, host, orders, window};
use hotswap_host::prelude::*;
use hotswap_host::{CallError, Value};
use hotswap_tests::{LIMIT, fixture};
use std::time::Duration;

#[test]
fn calls_are_refused_with_the_reason_until_it_is_put_back() {
    let stage = host(&checked("first"), |builder| builder);
    let count: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
    let dynamic = stage.swapper.dynamic("checked", "add").unwrap();
    assert_eq!(count.call(5).unwrap(), 5);
    stage
        .swapper
        .take_out_of_service("checked", "the disk is full")
        .unwrap();
    let expected = "checked is out of service: the disk is full";
    let error = count.call(1).unwrap_err();
    assert!(matches!(&error, CallError::OutOfService { plugin, .. } if plugin == "checked"));
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        dynamic.call(&[Value::Int(1)]).unwrap_err().to_string(),
        expected
    );
    let by_name = stage.swapper.invoke("checked", "add", &[Value::Int(1)]);
    assert_eq!(by_name.unwrap_err().to_string(), expected);
    assert!(
        stage
            .swapper
            .invoke_each("add", &[Value::Int(1)])
            .is_empty()
    );
    let listing = stage.swapper.listing();
    let out = listing
        .plugin("checked")
        .unwrap()
        .out_of_service
        .clone()
        .unwrap();
    assert_eq!(out.reason, "the disk is full");
    assert_eq!(stage.swapper.out_of_service(), [out]);
    // A handle that is made meanwhile is no different.
    let late: Function<fn(u32) -> u32> = stage.swapper.function("checked", "add").unwrap();
    assert!(matches!(late.call(1), Err(CallError::OutOfService { .. })));
    assert!(stage.swapper.resume("checked").unwrap());
    assert!(!stage.swapper.resume("checked").unwrap());
    assert_eq!(count.call(1).unwrap(), 6, "the instance has gone on");
    assert_eq!(late.call(1).unwrap(), 7);
    stage.settle();
    stage.close();
}

#[test]
fn it_stays_out_over_a_reload_and_a_revert() {
    let stage = host(&checked("first"), |builder| {
        builder.reload_options(window())
    });
    let orders_of: Function<fn() -> String> = stage.swapper.function("checked", "orders").unwrap();
    stage.swapper.take_out_of_service("checked", "no").unwrap();
    stage.swap("checked", &checked("second"));
    assert!(matches!(
        orders_of.call(),
        Err(CallError::OutOfService { .. })
    ));
    stage.swapper.rollback().unwrap();
    assert!(matches!(
        orders_of.call(),
        Err(CallError::OutOfService { .. })
    ));
    stage.swapper.resume("checked").unwrap();
    assert_eq!(orders_of.call().unwrap(), "first");
    stage.close();
}

#[test]
fn running_calls_are_counted_by_build_and_a_drain_waits_for_them() {
    let stage = host(&checked("first"), |builder| builder);
    let wait: Function<fn(String) -> String> = stage.swapper.function("checked", "wait").unwrap();
    let calls = |stage: &hotswap_tests::Stage| {
        let counts = stage.swapper.in_flight("checked");
        let mut counts: Vec<_> = counts
            .iter()
            .map(|c| (c.build_id, c.live, c.calls))
            .collect();
        counts.sort_by_key(|(_, live, _)| !live);
        counts
    };
    let [first, second] = ["first", "second"].map(|orders| fixture::build_id(&checked(orders)));
    std::thread::scope(|scope| {
        let begin = |gate: &'static str| {
            let call = scope.spawn(move || gate);
            drop(call);
            let wait = wait.clone();
            let call = scope.spawn(move || wait.call(gate.into()).unwrap());
            stage.desk.until_waiting(gate);
            call
        };
        let one = begin("one");
        let two = begin("two");
        assert_eq!(calls(&stage), [(first, true, 2)]);
        stage.swap("checked", &checked("second"));
        let three = begin("three");
        assert_eq!(calls(&stage), [(second, true, 1), (first, false, 2)]);
        let error = stage
            .swapper
            .drain("checked", "maintenance", Duration::from_millis(20));
        let error = error.unwrap_err();
        assert!(matches!(&error, ReloadError::Drain { .. }), "{error}");
        let swapper = stage.swapper.clone();
        let drained = scope.spawn(move || swapper.drain("checked", "maintenance", LIMIT));
        for gate in ["one", "two", "three"] {
            assert!(!drained.is_finished());
            stage.desk.open(gate);
        }
        assert_eq!(one.join().unwrap(), "first");
        assert_eq!(two.join().unwrap(), "first");
        assert_eq!(three.join().unwrap(), "second");
        drained.join().unwrap().unwrap();
        assert_eq!(calls(&stage), [(second, true, 0)]);
    });
    stage.swapper.resume("checked").unwrap();
    assert_eq!(orders(&stage), "second");
    stage.settle();
    stage.close();
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let stage = host(&checked("first"), |builder| builder);
    let error = stage
        .swapper
        .take_out_of_service("chequed", "")
        .unwrap_err();
    assert!(
        error.to_string().contains("did you mean checked?"),
        "{error}"
    );
    assert!(stage.swapper.in_flight("chequed").is_empty());
    assert_eq!(add(&stage, 1), 1);
    stage.close();
}

#[test]
fn a_handle_of_what_only_the_reverted_build_had_is_gone() {
    let stage = host(&checked("first"), |builder| {
        builder.reload_options(window())
    });
    let second = fixture::renamed(&checked("second"), "boom", "bomb");
    stage.swap("checked", &second);
    let new = stage.swapper.dynamic("checked", "bomb").unwrap();
    stage.swapper.rollback().unwrap();
    let error = new.call(&[]).unwrap_err();
    assert!(matches!(error, CallError::Gone { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("the reload that brought it was reverted"),
        "{error}"
    );
    stage.close();
}
