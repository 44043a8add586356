//! The smoke tests of an old build, which a new instance of it passes before a revert makes it live.
use crate::support::{add, host, orders, window};
use hotswap_host::prelude::*;
use hotswap_host::{Outcome, ReloadOptions, StateReport, Step};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{self, Build};
use std::time::Instant;

/// Returns the plugin with a state and with both kinds of smoke tests, with these orders.
fn stateful(orders: &str) -> Vec<u8> {
    fixture::ordered(&Build::CheckedTested.bytes("checked"), orders)
}

/// Opens a host with a counter at 7, swaps it, and counts to 8. No smoke test of the old build has run.
fn with_window(old: &str, new: &str, options: ReloadOptions) -> Stage {
    let mut untested = window();
    untested.smoke = false;
    let stage = host(&stateful(old), |builder| builder.reload_options(untested));
    assert_eq!(add(&stage, 7), 7);
    stage.install("checked", &stateful(new));
    let reload = stage.swapper.prepare_reload().options(options);
    reload.run().unwrap();
    assert_eq!(add(&stage, 1), 8);
    stage
}

/// Reverts, and checks that the old instance has resumed as it stood at the switch. Returns the report and the remark.
fn resumed(stage: &Stage, old: &str) -> (Report, String) {
    let report = stage.swapper.rollback().unwrap();
    assert_eq!(orders(stage), old);
    assert_eq!(add(stage, 1), 8, "it stands where it stood at the switch");
    let plugin = &report.plugins[0];
    assert!(matches!(plugin.outcome, Outcome::Reverted { .. }));
    assert!(
        matches!(plugin.state, Some(StateReport::SetBack { .. })),
        "{report}"
    );
    let note = plugin.notes[0].clone();
    assert!(
        note.starts_with("what has happened to the state in the last "),
        "{note}"
    );
    (report, note)
}

#[test]
fn a_test_for_the_state_that_fails_lets_the_old_instance_resume() {
    // The test passes with the state of the switch, and fails with the one of the revert.
    let stage = with_window("fail restored-8", "second", window());
    let (report, note) = resumed(&stage, "fail restored-8");
    let text = "checked: a smoke test failed: still_counts: restored-8 would rather not";
    assert!(note.contains(text), "{note}");
    let first = report.to_string();
    assert!(
        first.starts_with("checked: reverted, state set back by "),
        "{first}"
    );
    stage.settle();
    stage.close();
}

#[test]
fn a_test_for_the_state_that_panics_lets_the_old_instance_resume() {
    let stage = with_window("panic restored-8", "second", window());
    let (_, note) = resumed(&stage, "panic restored-8");
    assert!(note.contains("a smoke test panicked"), "{note}");
    stage.settle();
    stage.close();
}

#[test]
fn a_test_on_a_copy_that_fails_lets_the_old_instance_resume() {
    let stage = with_window("fail staged", "second", window());
    stage.desk.told();
    let (report, note) = resumed(&stage, "fail staged");
    let text = "checked: a smoke test failed: begins: staged would rather not";
    assert!(note.contains(text), "{note}");
    let smoke = report.steps.iter().find(|step| step.step == Step::Smoke);
    assert!(smoke.is_some_and(|step| step.failed), "{:?}", report.steps);
    // The state was not even saved, so no call has waited for it.
    assert!(!stage.desk.told().contains(&"save".to_owned()));
    stage.settle();
    stage.close();
}

#[test]
fn an_old_build_that_passes_its_tests_goes_on_with_the_newest_state() {
    let stage = with_window("first", "second", window());
    stage.desk.told();
    let report = stage.swapper.rollback().unwrap();
    assert_eq!(stage.desk.told(), ["save", "restored 8", "smoke"]);
    assert_eq!(orders(&stage), "first");
    assert_eq!(
        add(&stage, 1),
        9,
        "the test on a copy has added 1000 to another instance"
    );
    let steps: Vec<_> = report.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [Step::Smoke, Step::Stage, Step::Switch, Step::Start]);
    stage.settle();
    stage.close();
}

#[test]
fn no_tests_run_at_a_revert_if_none_ran_at_the_reload() {
    let mut options = window();
    options.smoke = false;
    let stage = with_window("fail staged", "second", options);
    stage.desk.told();
    stage.swapper.rollback().unwrap();
    assert_eq!(stage.desk.told(), ["save"]);
    assert_eq!(add(&stage, 1), 9);
    stage.settle();
    stage.close();
}

#[test]
fn the_time_that_is_lost_begins_when_the_build_was_replaced_first() {
    let mut options = window();
    options.supersede = true;
    let stage = with_window("first", "second", options.clone());
    let replaced = Instant::now();
    stage.install("checked", &stateful("fail save"));
    let reload = stage.swapper.prepare_reload().options(options);
    reload.run().unwrap();
    let superseded = replaced.elapsed();
    let (report, _) = resumed(&stage, "first");
    let Some(StateReport::SetBack { by }) = report.plugins[0].state else {
        panic!("{report}");
    };
    assert!(by >= superseded, "{by:?} since the second reload only");
    stage.settle();
    stage.close();
}
