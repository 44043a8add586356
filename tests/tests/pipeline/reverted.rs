//! Rollback windows: the previous generation stays whole, and becomes live again when the new one fails.
use crate::support::{add, checked, host, orders, panic_once, stateful, window};
use hotswap_host::prelude::*;
use hotswap_host::{Outcome, StateReport, WindowOutcome};
use hotswap_tests::fixture::{Build, variant};
use hotswap_tests::{LIMIT, Stage};
use std::time::Duration;

fn outcome_of(report: &Report) -> WindowOutcome {
    let window = report.window.as_ref().expect("a window was opened");
    window.wait(LIMIT).expect("the window closes")
}

fn with_window(build: &[u8]) -> Stage {
    host(build, |builder| builder.reload_options(window()))
}

#[test]
fn a_counter_that_is_not_saved_goes_on_after_a_revert() {
    let stage = with_window(&checked("first"));
    assert_eq!(add(&stage, 7), 7);
    let report = stage.swap("checked", &checked("second"));
    assert!(report.is_provisional());
    assert_eq!(add(&stage, 1), 1);
    stage.desk.told();
    let reverted = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 8, "the old instance has gone on");
    assert!(matches!(
        reverted.plugins[0].outcome,
        Outcome::Reverted { from: Some(_) }
    ));
    assert_eq!(reverted.to_string(), "checked: reverted");
    let reason = "it was asked for".to_owned();
    assert_eq!(outcome_of(&report), WindowOutcome::Reverted { reason });
    assert!(!report.is_provisional());
    assert_eq!(stage.desk.told(), ["on_stop", "on_start"]);
    stage.settle();
    stage.close();
}

#[test]
fn the_first_panic_beyond_the_limit_reverts_by_itself() {
    let mut options = window();
    options.failure_limit = 2;
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    let report = stage.swap("checked", &checked("second"));
    panic_once(&stage);
    panic_once(&stage);
    assert_eq!(orders(&stage), "second");
    panic_once(&stage);
    let reason = "it has failed 3 times, and the failure limit is 2".to_owned();
    assert_eq!(outcome_of(&report), WindowOutcome::Reverted { reason });
    assert_eq!(orders(&stage), "first");
    stage.settle();
    stage.close();
}

#[test]
fn a_panic_in_on_start_reverts() {
    let stage = with_window(&checked("first"));
    let report = stage.swap("checked", &checked("panic on_start"));
    let reason = "it has failed once, and the failure limit is 0".to_owned();
    assert_eq!(outcome_of(&report), WindowOutcome::Reverted { reason });
    assert_eq!(orders(&stage), "first");
    stage.settle();
    stage.close();
}

#[test]
fn an_error_of_on_start_reverts() {
    let stage = with_window(&checked("first"));
    let report = stage.swap("checked", &checked("fail on_start"));
    let reason = "it has failed once, and the failure limit is 0".to_owned();
    assert_eq!(outcome_of(&report), WindowOutcome::Reverted { reason });
    assert_eq!(orders(&stage), "first");
    stage.settle();
    stage.close();
}

#[test]
fn a_healthy_generation_becomes_permanent() {
    let mut options = window();
    options.min_healthy_time = Duration::from_millis(20);
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    let report = stage.swap("checked", &checked("second"));
    assert_eq!(outcome_of(&report), WindowOutcome::Permanent);
    assert_eq!(orders(&stage), "second");
    // Only now does the old build leave memory.
    stage.settle();
    let error = stage.swapper.rollback().unwrap_err();
    assert!(matches!(error, ReloadError::NoWindow), "{error}");
    stage.close();
}

#[test]
fn one_that_has_to_be_confirmed_is_permanent_when_it_is() {
    let mut options = window();
    options.auto_promote = false;
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    let report = stage.swap("checked", &checked("second"));
    assert_eq!(report.window.as_ref().unwrap().outcome(), None);
    stage.swapper.confirm().unwrap();
    assert_eq!(outcome_of(&report), WindowOutcome::Permanent);
    assert_eq!(orders(&stage), "second");
    stage.settle();
    stage.close();
}

#[test]
fn one_that_nobody_confirms_is_reverted() {
    let mut options = window();
    options.auto_promote = false;
    options.healthy_deadline = Duration::from_millis(50);
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    let report = stage.swap("checked", &checked("second"));
    let reason = "nobody has confirmed it within 50ms".to_owned();
    assert_eq!(outcome_of(&report), WindowOutcome::Reverted { reason });
    assert_eq!(orders(&stage), "first");
    stage.close();
}

#[test]
fn the_state_is_kept_by_a_revert() {
    let stage = with_window(&stateful("first"));
    assert_eq!(add(&stage, 7), 7);
    stage.swap("checked", &stateful("second"));
    assert_eq!(add(&stage, 1), 8);
    let reverted = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert!(matches!(
        reverted.plugins[0].state,
        Some(StateReport::HandedOver { .. })
    ));
    assert_eq!(add(&stage, 1), 9, "what was added since the switch is kept");
    stage.settle();
    stage.close();
}

#[test]
fn if_the_state_cannot_be_handed_back_the_old_instance_goes_on() {
    let stage = with_window(&stateful("first"));
    assert_eq!(add(&stage, 7), 7);
    stage.swap("checked", &stateful("fail save"));
    assert_eq!(add(&stage, 1), 8);
    let reverted = stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 8, "it stands where it stood at the switch");
    let note = &reverted.plugins[0].notes[0];
    assert!(
        note.starts_with("what has happened to the state in the last "),
        "{note}"
    );
    assert!(
        note.contains("checked: save failed: save would rather not"),
        "{note}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn builds_that_were_reverted_are_held() {
    let stage = with_window(&checked("first"));
    stage.swap("checked", &checked("second"));
    stage.swapper.rollback().unwrap();
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::Held { .. }), "{error}");
    assert_eq!(orders(&stage), "first");
    // Another build is welcome, and so is this one, if somebody insists.
    stage.swap("checked", &checked("third"));
    stage.swapper.rollback().unwrap();
    stage.install("checked", &checked("second"));
    stage.swapper.prepare_reload().force().run().unwrap();
    assert_eq!(orders(&stage), "second");
    stage.close();
}

#[test]
fn meanwhile_the_set_of_plugins_does_not_change() {
    let stage = with_window(&checked("first"));
    stage.swap("checked", &checked("second"));
    let error = stage.swapper.unload("checked").unwrap_err();
    assert!(matches!(error, ReloadError::WindowOpen { .. }), "{error}");
    let file = stage.file("checked");
    let error = stage.swapper.load(file).unwrap_err();
    assert!(matches!(error, ReloadError::WindowOpen { .. }), "{error}");
    stage.close();
}

#[test]
fn reloads_meanwhile_become_one_that_runs_afterwards() {
    let stage = with_window(&checked("first"));
    let report = stage.swap("checked", &checked("second"));
    stage.install("checked", &checked("third"));
    for _ in 0..3 {
        let error = stage.swapper.reload().unwrap_err();
        assert!(matches!(error, ReloadError::Deferred { .. }), "{error}");
    }
    assert_eq!(orders(&stage), "second");
    stage.desk.told();
    stage.swapper.confirm().unwrap();
    assert_eq!(outcome_of(&report), WindowOutcome::Permanent);
    // It runs right after the verdict, on the thread that gives it.
    stage.desk.until_told("on_start");
    assert_eq!(orders(&stage), "third");
    assert_eq!(stage.swapper.reloads(), 2);
    stage.close();
}

#[test]
fn one_that_supersedes_keeps_the_permanent_generation() {
    let mut options = window();
    options.supersede = true;
    let stage = host(&checked("first"), |builder| builder.reload_options(options));
    assert_eq!(add(&stage, 7), 7);
    let second = stage.swap("checked", &checked("second"));
    stage.swap("checked", &checked("third"));
    assert_eq!(outcome_of(&second), WindowOutcome::Superseded);
    // The one in the middle leaves memory, and the two others stay.
    assert!(stage.swapper.wait_retired(LIMIT).is_empty());
    assert_eq!(stage.copies().len(), 2);
    stage.swapper.rollback().unwrap();
    assert_eq!(orders(&stage), "first");
    assert_eq!(add(&stage, 1), 8);
    stage.settle();
    stage.close();
}

#[test]
fn a_window_that_is_open_at_the_shutdown_is_closed() {
    let stage = with_window(&checked("first"));
    let report = stage.swap("checked", &checked("second"));
    assert!(stage.swapper.shutdown(LIMIT).unwrap().is_empty());
    assert_eq!(outcome_of(&report), WindowOutcome::ShutDown);
    stage.settle();
}

#[test]
fn a_host_that_is_dropped_with_an_open_window_frees_both_generations() {
    let stage = with_window(&checked("first"));
    let report = stage.swap("checked", &checked("second"));
    let window = report.window.clone().unwrap();
    stage.desk.told();
    let desk = stage.desk.clone();
    drop(stage);
    assert_eq!(window.wait(LIMIT), Some(WindowOutcome::ShutDown));
    desk.until_told("on_stop");
}

#[test]
fn plugins_that_stay_are_neither_stopped_nor_made_again() {
    let first = checked("first");
    let other = hotswap_tests::fixture::renamed(&first, "checked", "sibling");
    let stage = Stage::with(&[("checked", &first), ("sibling", &other)], |builder| {
        builder.reload_options(window())
    });
    let count: Function<fn(u32) -> u32> = stage.swapper.function("sibling", "add").unwrap();
    assert_eq!(count.call(2).unwrap(), 2);
    stage.swap("checked", &checked("second"));
    assert_eq!(count.call(1).unwrap(), 3);
    let report = stage.swapper.rollback().unwrap();
    assert_eq!(
        report.plugin("sibling").unwrap().outcome,
        Outcome::Unchanged
    );
    assert_eq!(
        count.call(1).unwrap(),
        4,
        "what it counted in the window stays"
    );
    stage.settle();
    stage.close();
}

#[test]
fn what_was_added_is_forgotten_by_a_revert() {
    let stage = with_window(&checked("first"));
    let sibling = hotswap_tests::fixture::renamed(&checked("first"), "checked", "sibling");
    let elsewhere = tempfile::tempdir().unwrap();
    hotswap_tests::fixture::install(&sibling, "sibling", elsewhere.path());
    let file = elsewhere
        .path()
        .join(hotswap_tests::fixture::file_name("sibling"));
    stage.swapper.load(&file).unwrap();
    assert_eq!(stage.swapper.listing().plugins.len(), 2);
    stage.swapper.rollback().unwrap();
    assert_eq!(stage.swapper.listing().plugins.len(), 1);
    // The next reload is not about it.
    assert!(!stage.swapper.reload().unwrap().changed());
    stage.close();
}

/// An object of the host that the plugin with state needs.
struct Nobody;

impl shapes::tills::Porter for Nobody {
    fn call(&self, _: &str, _: &str) -> u64 {
        0
    }
}

/// Opens a host with a plugin that has state, and with one that imports it.
fn with_importer(name: &str) -> Stage {
    let (first, importer) = (
        Build::Stateful.bytes("stateful"),
        Build::Stateful.bytes(name),
    );
    Stage::with(&[("stateful", &first), (name, &importer)], |builder| {
        let porter = std::sync::Arc::new(Nobody);
        let builder = builder.provide::<dyn shapes::tills::Porter>(porter);
        builder.reload_options(window())
    })
}

/// Swaps the plugin that has state.
fn swap_stateful(stage: &Stage) {
    let first = Build::Stateful.bytes("stateful");
    stage.swap("stateful", &variant(&first, "build 00", "build 01"));
}

#[test]
fn an_importer_without_state_is_made_again_and_the_report_says_what_it_loses() {
    let stage = with_importer("importer");
    swap_stateful(&stage);
    let report = stage.swapper.rollback().unwrap();
    let note = "what it had in memory is lost, because it imports a plugin that was made again and has neither `save` nor \
                `restore`";
    assert_eq!(report.plugin("importer").unwrap().notes, [note]);
    assert_eq!(report.plugin("stateful").unwrap().notes, [""; 0]);
    stage.settle();
    stage.close();
}

#[test]
fn an_importer_that_was_removed_goes_on_with_the_state_of_the_switch() {
    let stage = with_importer("visitor");
    let call = |function: &str| {
        let called = stage.swapper.invoke("visitor", function, &[]);
        called.unwrap().decode::<u64>().unwrap()
    };
    assert_eq!((call("visit"), call("visit")), (1, 2));
    std::fs::remove_file(stage.file("visitor")).unwrap();
    swap_stateful(&stage);
    stage.swapper.rollback().unwrap();
    // It is made again, because it imports a plugin that is, and no live instance has had its state.
    assert_eq!(call("visits"), 2);
    assert_eq!(call("visit"), 3);
    stage.settle();
    stage.close();
}
