//! Tests objects in slots that take long to be dropped.
use crate::support::{cat, name, refused, stage_with, swap};
use hotswap_host::{Holder, ReloadOptions, Retirement, RetirementState};
use hotswap_tests::{Stage, records, until};
use std::time::Duration;

fn retirement(stage: &Stage, plugin: &str) -> Option<Retirement> {
    let mut all = stage.swapper.retirements().into_iter();
    all.find(|retirement| retirement.plugin == plugin)
}

#[test]
fn one_that_hangs_is_named_and_holds_up_no_other() {
    records::keep();
    let settings = |builder: hotswap_host::Builder| builder.retire_limit(Duration::from_millis(20));
    let stage = stage_with(&["meow hang", "weigh"], settings);
    stage.install(&name(0), &cat(0, 1, "meow"));
    stage.install(&name(1), &cat(1, 1, "weigh"));
    stage.swapper.reload().unwrap();
    stage.desk.until_waiting("drop");
    let other = || retirement(&stage, &name(1)).map(|other| other.state);
    until("the other build to leave", || {
        other() == Some(RetirementState::Gone)
    });
    let holders = || retirement(&stage, &name(0)).unwrap().held_by;
    until("the drop to be named", || !holders().is_empty());
    assert_eq!(holders(), [Holder::Drop]);
    stage.desk.open("drop");
    stage.settle();
    stage.close();
}

/// Neither the refused reload nor a later one waits for the drop.
#[test]
fn one_of_a_set_that_is_refused_holds_up_no_reload() {
    let settings = |builder: hotswap_host::Builder| builder.retire_limit(Duration::from_millis(20));
    let stage = stage_with(&["weigh"], settings);
    refused(&stage, 1, &cat(1, 0, "meow hang fail"));
    stage.desk.until_waiting("drop");
    swap(&stage, 1, 1, "meow");
    let holders = || retirement(&stage, &name(1)).unwrap().held_by;
    until("the drop to be named", || !holders().is_empty());
    assert_eq!(holders(), [Holder::Drop]);
    stage.desk.open("drop");
    stage.settle();
    stage.close();
}

/// A window lets go of the generation that it has kept on a thread that has the right to reload.
#[test]
fn one_that_a_rollback_window_has_kept_holds_up_no_reload() {
    let mut options = ReloadOptions::development();
    options.healthy_deadline = Duration::from_secs(600);
    options.min_healthy_time = Duration::from_secs(600);
    let stage = stage_with(&["meow hang"], |builder| builder.reload_options(options));
    swap(&stage, 0, 1, "meow");
    stage.swapper.confirm().unwrap();
    stage.desk.until_waiting("drop");
    swap(&stage, 0, 2, "meow");
    assert!(stage.desk.told().is_empty(), "the drop has not returned");
    stage.desk.open("drop");
    stage.swapper.confirm().unwrap();
    until("the second window to close", || {
        stage.swapper.confirm().is_err()
    });
    stage.settle();
    stage.close();
}
