//! Tests that two live items of one name refuse a generation.
use crate::support::{annex, office, office_numbered};
use hotswap_host::ReloadError;
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, renamed};

/// Removes the names of directories, which differ from run to run.
fn without_dirs(error: &ReloadError, stage: &Stage) -> String {
    let dir = format!("{}/", stage.dir().display());
    error.to_string().replace(&dir, "")
}

#[test]
fn of_two_plugins() {
    let stage = Stage::open(&[("office", &office())]);
    stage.install("annexe", &annex());
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::LiveDuplicate { .. }));
    insta::assert_snapshot!(without_dirs(&error, &stage), @"two live types are called Alarm: in module office of annexe (libannexe.so), and in module office of office (liboffice.so); rename one of them");
    // No instance of the new generation was made, and its libraries were not opened.
    assert_eq!(stage.swapper.generation(), 1);
    assert_eq!(stage.copies().len(), 1);
    let called = stage.swapper.invoke_live("roll_call", &["x".into()]);
    assert_eq!(called.unwrap().as_str(), Some("x of office 00"));
    stage.settle();
    stage.close();
}

/// One function of this plugin declares live functions and types with the names of the office's.
#[test]
fn of_two_plugins_in_a_function() {
    let stage = Stage::open(&[("office", &office())]);
    let later = Build::LivexLater.bytes("livex-later");
    let annex = renamed(&later, r#"{"name":"office""#, r#"{"name":"annexe""#);
    stage.install("annexe", &annex);
    let error = stage.swapper.reload().unwrap_err();
    assert!(matches!(error, ReloadError::LiveDuplicate { .. }));
    insta::assert_snapshot!(without_dirs(&error, &stage), @"two live functions are called roll_call: in module livex_later of annexe (libannexe.so), and in module office of office (liboffice.so); rename one of them");
    assert_eq!(stage.swapper.generation(), 1);
    assert_eq!(stage.copies().len(), 1);
    stage.settle();
    stage.close();
}

#[test]
fn of_one_plugin_whose_names_differ_by_case() {
    let stage = Stage::open(&[("office", &office())]);
    stage.install("office", &Build::LiveTwice.bytes("office"));
    let error = stage.swapper.reload().unwrap_err();
    insta::assert_snapshot!(without_dirs(&error, &stage), @"two live functions are called Roll_Call: in module office of office (liboffice.so), and in module office::twice of office (liboffice.so); rename one of them");
    stage.settle();
    stage.close();
}

#[test]
fn an_optional_plugin_with_a_name_that_is_taken_is_left_out() {
    let settings = |builder: hotswap_host::Builder| builder.optional(["annexe"]);
    let stage = Stage::with(&[("office", &office())], settings);
    stage.install("annexe", &annex());
    let report = stage.swapper.reload().unwrap();
    assert!(report.to_string().contains("are called Alarm"), "{report}");
    assert_eq!(stage.swapper.listing().plugins.len(), 1);
    stage.close();
}

#[test]
fn a_function_may_move_to_another_plugin() {
    let stage = Stage::open(&[("office", &office())]);
    let roll_call = stage
        .swapper
        .live_function::<fn(&str) -> String, _>("roll_call");
    let roll_call = roll_call.unwrap();
    std::fs::remove_file(stage.file("office")).unwrap();
    stage.install("annexe", &annex());
    let report = stage.swapper.reload().unwrap();
    assert!(report.changed(), "{report}");
    assert_eq!(
        hotswap_host::Call1::call(&roll_call, "x").unwrap(),
        "x of office 00"
    );
    let items = stage.swapper.pin().live_items();
    assert!(
        items.iter().all(|item| item.plugin == "annexe"),
        "{items:?}"
    );
    // A reload back, as another build, is accepted, too.
    std::fs::remove_file(stage.file("annexe")).unwrap();
    stage.swap("office", &office_numbered(1));
    assert_eq!(
        hotswap_host::Call1::call(&roll_call, "x").unwrap(),
        "x of office 01"
    );
    stage.settle();
    stage.close();
}
