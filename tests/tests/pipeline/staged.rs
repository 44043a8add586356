//! A reload in two phases: staged in the background, and committed by the program.
use crate::support::{add, checked, host, orders, stateful};
use hotswap_host::prelude::*;

#[test]
fn calls_go_on_until_it_is_committed() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(stage.desk.told(), ["smoke", "on_start", "smoke"]);
    let report = staged.commit().unwrap();
    assert!(report.changed());
    assert_eq!(report.to_string(), "checked: reloaded");
    assert_eq!(orders(&stage), "second");
    assert_eq!(stage.desk.told(), ["on_stop", "on_start"]);
    stage.settle();
    stage.close();
}

#[test]
fn the_frame_loop_chooses_the_thread_of_the_switch() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    let swapper = stage.swapper.clone();
    let staging = std::thread::spawn(move || swapper.prepare_reload().stage());
    let staged = staging.join().unwrap().unwrap();
    let committed = std::thread::spawn(move || staged.commit());
    assert!(committed.join().unwrap().unwrap().changed());
    assert_eq!(orders(&stage), "second");
    stage.close();
}

#[test]
fn one_that_is_dropped_leaves_nothing_behind() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    drop(stage.swapper.prepare_reload().stage().unwrap());
    assert_eq!(orders(&stage), "first");
    stage.settle();
    // It can be staged again, and its number is not used up.
    let report = stage.swapper.reload().unwrap();
    assert_eq!((report.generation, report.reloads), (2, 1));
    stage.close();
}

#[test]
fn another_reload_meanwhile_overtakes_it() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    stage.swap("checked", &checked("third"));
    let error = staged.commit().unwrap_err();
    assert!(
        matches!(
            error,
            ReloadError::Overtaken {
                staged_beside: 1,
                live: 2
            }
        ),
        "{error}"
    );
    assert!(error.may_pass());
    assert_eq!(orders(&stage), "third");
    stage.settle();
    stage.close();
}

#[test]
fn nothing_new_is_committed_as_unchanged() {
    let stage = host(&checked("first"), |builder| builder);
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    let report = staged.commit().unwrap();
    assert!(!report.changed());
    assert_eq!(report.to_string(), "checked: unchanged");
    stage.close();
}

#[test]
fn the_state_is_handed_over_at_the_commit() {
    let stage = host(&stateful("first"), |builder| builder);
    stage.install("checked", &stateful("second"));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    assert_eq!(add(&stage, 5), 5);
    staged.commit().unwrap();
    assert_eq!(orders(&stage), "second");
    assert_eq!(add(&stage, 1), 6);
    stage.settle();
    stage.close();
}

#[test]
fn a_handle_made_meanwhile_is_bound() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    let orders: Function<fn() -> String> = stage.swapper.function("checked", "orders").unwrap();
    staged.commit().unwrap();
    assert_eq!(orders.call().unwrap(), "second");
    stage.close();
}

#[test]
fn a_staged_set_outlives_the_shutdown_of_its_host() {
    let stage = host(&checked("first"), |builder| builder);
    stage.install("checked", &checked("second"));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    stage.swapper.shutdown(hotswap_tests::LIMIT).unwrap();
    let error = staged.commit().unwrap_err();
    assert!(matches!(error, ReloadError::ShutDown), "{error}");
    stage.settle();
}
