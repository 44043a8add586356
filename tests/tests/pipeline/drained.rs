//! Drained reloads: running calls end before the switch, and new ones wait for it.
use crate::support::{checked, host, orders};
use hotswap_host::prelude::*;
use hotswap_host::{Drain, Holder, ReloadOptions};
use std::time::Duration;

fn options(drain: Drain, limit: Duration) -> ReloadOptions {
    let mut options = ReloadOptions::development();
    (options.drain, options.drain_limit) = (drain, limit);
    options
}

#[test]
fn three_running_calls_are_waited_for_and_later_ones_get_the_next_build() {
    let stage = host(&checked("first"), |builder| builder);
    let wait: Function<fn(String) -> String> = stage.swapper.function("checked", "wait").unwrap();
    let orders_of: Function<fn() -> String> = stage.swapper.function("checked", "orders").unwrap();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..3)
            .map(|n| {
                let (gate, wait) = (format!("gate {n}"), &wait);
                let call = scope.spawn(move || wait.call(gate).unwrap());
                stage.desk.until_waiting(&format!("gate {n}"));
                call
            })
            .collect();
        stage.install("checked", &checked("second"));
        let reload = scope.spawn(|| {
            let reload = stage.swapper.prepare_reload();
            reload
                .options(options(Drain::OrFail, Duration::from_secs(600)))
                .run()
        });
        // The smoke test runs before the gate is closed.
        stage.desk.until_told("smoke");
        let late: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| orders_of.call().unwrap()))
            .collect();
        stage.desk.open("gate 0");
        stage.desk.open("gate 1");
        assert!(!reload.is_finished(), "one call is still running");
        stage.desk.open("gate 2");
        for call in running {
            assert_eq!(call.join().unwrap(), "first");
        }
        let report = reload.join().unwrap().unwrap();
        assert!(report.gate.is_some());
        // No time is counted in two steps.
        let steps: Duration = report.steps.iter().map(|step| step.took).sum();
        assert!(steps <= report.took, "{:?}", report.steps);
        // Those that began before the gate was closed have the first build.
        for call in late {
            assert!(["first", "second"].contains(&&*call.join().unwrap()));
        }
    });
    assert_eq!(orders(&stage), "second");
    stage.settle();
    stage.close();
}

#[test]
fn a_call_that_does_not_end_refuses_the_reload_and_is_named() {
    let stage = host(&checked("first"), |builder| builder);
    let wait: Function<fn(String) -> String> = stage.swapper.function("checked", "wait").unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| wait.call("gate".into()).unwrap());
        stage.desk.until_waiting("gate");
        stage.install("checked", &checked("second"));
        let reload = stage.swapper.prepare_reload();
        let error = reload
            .options(options(Drain::OrFail, Duration::from_millis(50)))
            .run();
        let error = error.unwrap_err();
        let ReloadError::Drain {
            plugins,
            waited_for,
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(plugins.len(), 1);
        assert!(
            matches!(&waited_for[..], [Holder::Call { plugin: Some(plugin), .. }] if plugin == "checked")
        );
        assert!(error.may_pass());
        // The gate is open again.
        assert_eq!(orders(&stage), "first");
        stage.desk.open("gate");
        assert_eq!(call.join().unwrap(), "first");
    });
    stage.swapper.reload().unwrap();
    stage.settle();
    stage.close();
}

#[test]
fn where_that_is_wanted_the_switch_does_not_wait_any_longer() {
    let stage = host(&checked("first"), |builder| builder);
    let wait: Function<fn(String) -> String> = stage.swapper.function("checked", "wait").unwrap();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| wait.call("gate".into()).unwrap());
        stage.desk.until_waiting("gate");
        stage.install("checked", &checked("second"));
        let reload = stage.swapper.prepare_reload();
        let options = options(Drain::OrProceed, Duration::from_millis(50));
        reload.options(options).run().unwrap();
        assert_eq!(orders(&stage), "second");
        stage.desk.open("gate");
        assert_eq!(
            call.join().unwrap(),
            "first",
            "the running call ends in its build"
        );
    });
    stage.settle();
    stage.close();
}
