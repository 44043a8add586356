//! Patches when their plugin is replaced, and when a reload is reverted.
use crate::support::{Visit, answer, append, guest, stage, stage_with, visit};
use hotswap_host::prelude::*;
use hotswap_host::{PatchesOnReload, ReloadOptions, Report};
use hotswap_tests::fixture::Build;
use hotswap_tests::{LIMIT, Stage};
use std::time::Duration;

/// A build of the guest without the function `visit`.
fn other() -> Vec<u8> {
    Build::Later.bytes("guest")
}

fn notes(report: &Report) -> String {
    let guest = report.plugins.iter().find(|plugin| plugin.name == "guest");
    guest.unwrap().notes.join("; ")
}

/// Adds a function, which a build without the others keeps.
fn add(stage: &Stage) {
    let patch = stage.swapper.patch("guest");
    let body = || "added".to_owned();
    patch
        .add_function::<fn() -> String, _>("added", body)
        .apply()
        .unwrap();
}

#[test]
fn patches_go_on_in_a_new_build_with_the_same_signature() {
    let stage = stage();
    let handle = visit(&stage);
    append(&stage, " one").unwrap();
    append(&stage, " two").unwrap();
    stage.swapper.patches("guest").rollback(1).unwrap();
    let report = stage.swap("guest", &guest(1));
    assert_eq!(notes(&report), "");
    assert_eq!(handle.call(3).unwrap(), "3 days 01 one");
    let patches = stage.swapper.patches("guest");
    assert_eq!(patches.redo(1).unwrap(), 2);
    assert_eq!(handle.call(3).unwrap(), "3 days 01 one two");
    drop(handle);
    stage.close();
}

#[test]
fn patches_that_do_not_fit_are_dropped_and_the_report_says_so() {
    let stage = stage();
    append(&stage, " one").unwrap();
    add(&stage);
    append(&stage, " two").unwrap();
    let report = stage.swap("guest", &other());
    insta::assert_snapshot!(notes(&report), @"patch 1 was dropped: guest has no function visit: there is no function of a similar name; patch 3 was dropped: guest has no function visit: there is no function of a similar name");
    let added: Function<fn() -> String> = stage.swapper.function("guest", "added").unwrap();
    assert_eq!(added.call().unwrap(), "added");
    let numbers = stage.swapper.patches("guest").list();
    assert_eq!(
        numbers
            .iter()
            .map(|version| version.number)
            .collect::<Vec<_>>(),
        [2]
    );
    drop(added);
    stage.close();
}

#[test]
fn a_host_may_drop_all_patches_in_a_reload() {
    let stage = stage_with(|builder| builder.patches_on_reload(PatchesOnReload::Drop));
    append(&stage, " one").unwrap();
    let report = stage.swap("guest", &guest(1));
    insta::assert_snapshot!(notes(&report), @"its patches (1) were dropped, as the host is set to");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 01");
    assert_eq!(stage.swapper.patches("guest").version(), 0);
    stage.close();
}

#[test]
fn a_host_may_refuse_a_reload_that_a_patch_does_not_fit() {
    let stage = stage_with(|builder| builder.patches_on_reload(PatchesOnReload::Fail));
    append(&stage, " one").unwrap();
    stage.swap("guest", &guest(1));
    stage.install("guest", &other());
    let error = stage.swapper.reload().unwrap_err();
    insta::assert_snapshot!(error, @"patch 1 of guest does not fit the new build; roll it back first, or let `patches_on_reload` drop it: guest has no function visit: there is no function of a similar name");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 01 one");
    stage.close();
}

#[test]
fn patches_of_plugins_that_a_reload_leaves_alone_go_on() {
    let stage = Stage::open(&[
        ("guest", &guest(0)),
        ("alpha", &Build::First.bytes("alpha")),
    ]);
    let handle = visit(&stage);
    answer(&stage, "patched").unwrap();
    stage.swap("alpha", &Build::Later.bytes("alpha"));
    assert_eq!(handle.call(3).unwrap(), "patched");
    // Other copies of the generation have the patches, too.
    stage
        .swapper
        .take_out_of_service("alpha", "a test")
        .unwrap();
    assert_eq!(handle.call(3).unwrap(), "patched");
    stage
        .swapper
        .take_out_of_service("guest", "a test")
        .unwrap();
    assert!(matches!(
        handle.call(3),
        Err(CallError::OutOfService { .. })
    ));
    append(&stage, "!").unwrap();
    assert!(matches!(
        handle.call(3),
        Err(CallError::OutOfService { .. })
    ));
    stage.swapper.resume("guest").unwrap();
    assert_eq!(handle.call(3).unwrap(), "patched!");
    stage.close();
}

/// Options with a rollback window that ends only when a test says so.
fn window() -> ReloadOptions {
    let mut options = ReloadOptions::default();
    options.healthy_deadline = Duration::from_secs(3600);
    options.auto_promote = false;
    options
}

#[test]
fn a_revert_drops_the_patches_that_were_made_in_its_window() {
    let stage = stage_with(|builder| builder.reload_options(window()));
    let handle = visit(&stage);
    append(&stage, " before").unwrap();
    stage.swap("guest", &guest(1));
    append(&stage, " inside").unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 01 before inside");
    stage.swapper.rollback().unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 00 before");
    let list = stage.swapper.patches("guest").list();
    assert_eq!(
        list.iter()
            .map(|version| version.number)
            .collect::<Vec<_>>(),
        [1]
    );
    // The number of a patch that was dropped is not used again.
    assert_eq!(append(&stage, " after").unwrap().number, 3);
    assert_eq!(handle.call(3).unwrap(), "3 days 00 before after");
    stage.close();
}

#[test]
fn a_patch_goes_on_when_the_window_closes() {
    let stage = stage_with(|builder| builder.reload_options(window()));
    let handle = visit(&stage);
    let report = stage.swap("guest", &guest(1));
    append(&stage, " inside").unwrap();
    stage.swapper.confirm().unwrap();
    let outcome = report.window.unwrap().wait(LIMIT);
    assert!(outcome.is_some());
    assert_eq!(handle.call(3).unwrap(), "3 days 01 inside");
    stage.close();
}

#[test]
fn a_generation_that_is_staged_gets_the_patches_of_the_meantime() {
    let stage = stage();
    let handle = visit(&stage);
    stage.install("guest", &guest(1));
    let staged = stage.swapper.prepare_reload().stage().unwrap();
    append(&stage, " meanwhile").unwrap();
    staged.commit().unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 01 meanwhile");
    stage.close();
}

#[test]
fn the_check_of_a_reload_sees_the_patches() {
    let stage = stage();
    let handle = visit(&stage);
    append(&stage, " one").unwrap();
    stage.install("guest", &guest(1));
    let reload = stage.swapper.prepare_reload().check(|change| {
        let answer = change.next().invoke("guest", "visit", &[3_u32.into()]);
        match answer.unwrap().as_str() {
            Some("3 days 01 one") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    reload.run().unwrap();
    let _: Function<Visit> = handle;
    stage.close();
}

#[test]
fn a_revert_leaves_mocks_as_they_are() {
    let stage = stage_with(|builder| builder.reload_options(window()));
    let handle = visit(&stage);
    stage.swap("guest", &guest(1));
    let body = |_: u32| "mocked".to_owned();
    let mock = stage.swapper.mock::<Visit, _>("guest", "visit", body);
    let mock = mock.unwrap();
    stage.swapper.rollback().unwrap();
    assert_eq!(handle.call(3).unwrap(), "mocked");
    drop(mock);
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}
