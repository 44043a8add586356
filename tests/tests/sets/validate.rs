//! A dry run says what a reload would break, and for whom, and changes nothing.
use crate::support::Set;
use hotswap_host::prelude::*;
use hotswap_host::{Compatibility, ItemUser, Outcome, PluginErrorKind};
use hotswap_tests::Stage;
use hotswap_tests::fixture::{Build, renamed, variant};
use insta::assert_snapshot;

/// Returns the verdict, and checks that the host has not changed.
fn verdict(stage: &Stage) -> hotswap_host::Verdict {
    let before = (stage.swapper.generation(), stage.swapper.reloads());
    let verdict = stage.swapper.prepare_reload().validate().unwrap();
    assert_eq!(
        (stage.swapper.generation(), stage.swapper.reloads()),
        before
    );
    verdict
}

#[test]
fn a_build_of_the_same_interface_is_compatible() {
    let guest = Build::First.bytes("guest");
    let stage = Stage::open(&[("guest", &guest)]);
    assert_snapshot!(verdict(&stage), @r"
    compatible
    guest: unchanged
    ");
    stage.install("guest", &variant(&guest, "days 00", "days 02"));
    assert_snapshot!(verdict(&stage), @r"
    compatible
    guest: reloaded
    ");
    assert_eq!(
        stage.swapper.invoke("guest", "visit", &[1.into()]).unwrap(),
        "1 days 00".into()
    );
}

#[test]
fn a_function_that_is_gone_breaks_callers_by_name_and_one_that_is_new_breaks_none() {
    let stage = Stage::open(&[("guest", &Build::First.bytes("guest"))]);
    stage.install("guest", &Build::Later.bytes("guest"));
    let found = verdict(&stage);
    assert!(found.is_breaking());
    assert_snapshot!(found, @r"
    breaking
    guest: reloaded
      removes function visit
      adds function stay
    ");
    let [gone, new] = &found.plugin("guest").unwrap().changes[..] else {
        panic!("{found}")
    };
    assert_eq!(gone.users, []);
    assert_eq!(new.compatibility, Compatibility::Additions);
    // The host holds a handle, so the reload would be refused.
    let visit: Function<fn(u32) -> String> = stage.swapper.function("guest", "visit").unwrap();
    let found = verdict(&stage);
    assert_eq!(
        found.plugin("guest").unwrap().changes[0].users,
        [ItemUser::Host]
    );
    assert!(matches!(
        stage.swapper.reload(),
        Err(ReloadError::Handle { .. })
    ));
    drop(visit);
}

#[test]
fn a_handle_minds_another_signature_and_one_for_values_does_not() {
    let stage = Stage::open(&[("probe", &Build::First.bytes("probe"))]);
    let by_value = stage.swapper.dynamic("probe", "next").unwrap();
    stage.install("probe", &Build::Later.bytes("probe"));
    assert_snapshot!(verdict(&stage), @r"
    breaking
    probe: reloaded
      changes a type in function vector, fn(vector: Vector) -> Vector
      changes a type in function next, fn(number: version::Number) -> version::Number
    ");
    let _next: Function<fn(u32) -> u32> = stage.swapper.function("probe", "next").unwrap();
    assert_snapshot!(verdict(&stage), @r"
    breaking
    probe: reloaded
      changes a type in function vector, fn(vector: Vector) -> Vector
      changes a type in function next, fn(number: version::Number) -> version::Number, used by the host
    ");
    drop(by_value);
}

#[test]
fn an_interface_breaks_the_plugins_that_import_it_as_it_was() {
    let ledger = |version: Build| renamed(&version.bytes("ledger"), "book-a", "book-m");
    let set = Set::open(&[
        ("book-m", ledger(Build::First)),
        ("auditor", Build::First.bytes("auditor")),
    ]);
    set.install("book-m", &ledger(Build::Later));
    let found = verdict(&set.stage);
    let missing = found.plugin("book-m").unwrap().changes.iter();
    let broken: Vec<_> = missing.filter(|change| !change.users.is_empty()).collect();
    let [broken] = &broken[..] else {
        panic!("{found}")
    };
    assert_eq!(broken.users, [ItemUser::Plugin("auditor".into())]);
    assert_eq!(broken.item.to_string(), "interface Missing");
    assert!(found.is_breaking());
}

#[test]
fn live_functions_and_types() {
    let stage = Stage::open(&[("office", &Build::Live.bytes("office"))]);
    stage.install("office", &Build::LiveLater.bytes("office"));
    assert_snapshot!(verdict(&stage), @r"
    breaking
    office: reloaded
      changes live type Alarm from version 1 to version 2
      changes live function add from fn(a: i64, b: i64) -> i64 to fn(a: i64, b: i64, loud: bool) -> i64
    ");
    stage.install("office", &Build::LiveWithout.bytes("office"));
    assert_snapshot!(verdict(&stage), @r"
    breaking
    office: reloaded
      removes live function add
    ");
}

#[test]
fn what_leaves_and_what_comes() {
    let stage = Stage::open(&[
        ("guest", &Build::First.bytes("guest")),
        ("probe", &Build::First.bytes("probe")),
    ]);
    std::fs::remove_file(stage.file("guest")).unwrap();
    stage.install("alpha", &Build::First.bytes("alpha"));
    assert_snapshot!(verdict(&stage), @r"
    breaking
    alpha: loaded
    probe: unchanged
    guest: removed
      removes function visit
    ");
}

#[test]
fn what_would_be_refused_before_anything_is_loaded_is_an_error() {
    let set = Set::chain();
    std::fs::remove_file(set.stage.file("bottom")).unwrap();
    let refused = set.stage.swapper.prepare_reload().validate();
    assert!(
        matches!(&refused, Err(error) if matches!(error, ReloadError::InUse { .. })
            || matches!(error.kind(), Some(PluginErrorKind::Import { .. }))),
        "{refused:?}"
    );
    std::fs::write(set.stage.file("bottom"), "no library").unwrap();
    let refused = set.stage.swapper.prepare_reload().validate();
    assert!(
        matches!(refused, Err(ReloadError::Artifact(_))),
        "{refused:?}"
    );
}

#[test]
fn an_optional_plugin_that_fails_refuses_no_other() {
    let guest = Build::First.bytes("guest");
    let stage = Stage::with(&[("guest", &guest)], |builder| {
        builder.optional(["broken", "beta"])
    });
    stage.install("guest", &variant(&guest, "days 00", "days 02"));
    std::fs::write(stage.file("broken"), "no library").unwrap();
    // What it imports does not exist.
    stage.install("beta", &Build::First.bytes("beta"));
    let found = verdict(&stage);
    assert!(!found.is_breaking(), "{found}");
    for name in ["broken", "beta"] {
        let outcome = &found.plugin(name).unwrap().outcome;
        assert!(
            matches!(outcome, Outcome::Failed { stays: false, .. }),
            "{found}"
        );
    }
    let report = stage.swapper.reload().unwrap();
    for plugin in &report.plugins {
        assert_eq!(
            found.plugin(plugin.name.as_str()).unwrap().outcome,
            plugin.outcome
        );
    }
}

#[test]
fn two_live_items_of_one_name_are_an_error_of_the_dry_run_as_well() {
    let stage = Stage::open(&[("office", &Build::Live.bytes("office"))]);
    stage.install(
        "annexe",
        &renamed(&Build::Live.bytes("office"), "office", "annexe"),
    );
    let refused = stage.swapper.prepare_reload().validate();
    assert!(
        matches!(refused, Err(ReloadError::LiveDuplicate { .. })),
        "{refused:?}"
    );
}
