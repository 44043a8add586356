//! The versions of a plugin: what is listed, rolled back, done again, and refused.
use crate::support::{answer, append, guest, stage, stage_with, visit};
use hotswap_host::PatchError;
use hotswap_host::prelude::*;
use hotswap_tests::Stage;
use std::time::SystemTime;

/// Opens a host whose guest has three patches.
fn three() -> (Stage, Function<crate::support::Visit>) {
    let stage = stage();
    let handle = visit(&stage);
    for text in [" one", " two", " three"] {
        append(&stage, text).unwrap();
    }
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two three");
    (stage, handle)
}

#[test]
fn versions_are_rolled_back_one_by_one_and_several_at_a_time() {
    let (stage, handle) = three();
    let patches = stage.swapper.patches("guest");
    assert_eq!(patches.version(), 3);
    assert_eq!(patches.rollback(1).unwrap(), 2);
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two");
    assert_eq!(patches.rollback(2).unwrap(), 0);
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    stage.close();
}

#[test]
fn a_rollback_of_none_changes_nothing_and_one_of_too_many_is_refused() {
    let (stage, handle) = three();
    let patches = stage.swapper.patches("guest");
    assert_eq!(patches.rollback(0).unwrap(), 3);
    assert_eq!(patches.redo(0).unwrap(), 3);
    for count in [4, usize::MAX] {
        let error = patches.rollback(count).unwrap_err();
        assert!(
            matches!(error, PatchError::TooFar { found: 3, .. }),
            "{error}"
        );
    }
    insta::assert_snapshot!(patches.rollback(4).unwrap_err(), @"guest has 3 patches to roll back, and 4 were asked for");
    insta::assert_snapshot!(patches.redo(1).unwrap_err(), @"guest has 0 patches to do again, and 1 were asked for");
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two three");
    stage.close();
}

#[test]
fn what_was_rolled_back_is_done_again_until_another_patch_comes() {
    let (stage, handle) = three();
    let patches = stage.swapper.patches("guest");
    patches.rollback(2).unwrap();
    let undone: Vec<_> = patches
        .undone()
        .iter()
        .map(|version| version.number)
        .collect();
    assert_eq!(undone, [2, 3]);
    assert_eq!(patches.redo(1).unwrap(), 2);
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two");
    assert_eq!(patches.redo(1).unwrap(), 3);
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two three");
    patches.rollback(2).unwrap();
    // No number is used twice.
    assert_eq!(append(&stage, " four").unwrap().number, 4);
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one four");
    assert!(patches.redo(1).is_err() && patches.undone().is_empty());
    patches.reset().unwrap();
    assert_eq!((patches.version(), patches.list()), (0, Vec::new()));
    assert_eq!(handle.call(3).unwrap(), "3 days 00");
    assert!(patches.redo(1).is_err());
    assert_eq!(answer(&stage, "five").unwrap().number, 5);
    stage.close();
}

#[test]
fn the_list_says_what_was_changed_by_whom_since_when_and_how_often_it_was_called() {
    let stage = stage();
    let handle = visit(&stage);
    let before = SystemTime::now();
    let patch = stage.swapper.patch("guest");
    let shout = |text: String, _: u32| text.to_uppercase();
    patch
        .after::<crate::support::Visit, _>("visit", shout)
        .by("ops")
        .apply()
        .unwrap();
    (0..3).for_each(|days| drop(handle.call(days).unwrap()));
    append(&stage, "!").unwrap();
    std::thread::scope(|scope| _ = scope.spawn(|| handle.call(4).unwrap()));
    let list = stage.swapper.patches("guest").list();
    let shown: Vec<_> = list.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["1: after visit (by ops)", "2: after visit"]);
    assert!(
        list.iter()
            .all(|version| version.since >= before && !version.overrode_sticky)
    );
    assert_eq!(
        list.iter().map(|version| version.calls).collect::<Vec<_>>(),
        [4, 1]
    );
    assert_eq!(stage.swapper.listing().plugin("guest").unwrap().patches, 2);
    stage.close();
}

#[test]
fn a_closure_keeps_its_source_where_that_is_asked_for() {
    use crate::support::Visit;
    use hotswap_host::{Next, patch};
    let stage = stage();
    let days = 3;
    let version = stage
        .swapper
        .patch("guest")
        .around::<Visit, _>(
            "visit",
            patch!(|visit: Next<'_, Visit>, days: u32| visit.call((days + 1,))),
        )
        .add_clause::<Visit, _>(
            "visit",
            0,
            patch!(move |asked: u32| asked == days),
            patch!(|_: u32| "three".to_owned()),
        )
        .after::<Visit, _>("visit", |text: String, _: u32| text)
        .apply()
        .unwrap();
    let texts = version.sources.iter().map(|source| source.text.as_str());
    let expected = [
        "|visit: Next<'_, Visit>, days: u32| visit.call((days + 1,))",
        "move |asked: u32| asked == days",
        "|_: u32| \"three\".to_owned()",
    ];
    assert_eq!(texts.collect::<Vec<_>>(), expected);
    let first = &version.sources[0];
    assert_eq!(first.function, "visit");
    assert!(first.file.ends_with("patches/versions.rs") && first.line > 0);
    assert_eq!(visit(&stage).call(3).unwrap(), "three");
    assert_eq!(visit(&stage).call(4).unwrap(), "5 days 00");
    stage.close();
}

#[test]
fn more_versions_than_allowed_are_refused_and_no_call_suffers() {
    let stage = stage_with(|builder| builder.max_patches(2));
    let handle = visit(&stage);
    append(&stage, " one").unwrap();
    append(&stage, " two").unwrap();
    let error = append(&stage, " three").unwrap_err();
    insta::assert_snapshot!(error, @"guest has 2 patches, which is as many as this host allows; roll some of them back, or build the plugin with them");
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two");
    stage.swapper.patches("guest").rollback(1).unwrap();
    append(&stage, " three").unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one three");
    stage.close();
}

#[test]
fn a_patch_of_a_version_that_was_rolled_back_underneath_is_refused() {
    let (stage, handle) = three();
    let upper = |text: String, _: u32| text.to_uppercase();
    let patch = |version| {
        let patch = stage.swapper.patch("guest").on_version(version);
        patch
            .after::<crate::support::Visit, _>("visit", upper)
            .apply()
    };
    stage.swapper.patches("guest").rollback(1).unwrap();
    let error = patch(3).unwrap_err();
    insta::assert_snapshot!(error, @"the patch of guest is for its version 3, and version 2 is live; look at the patches, and make it again");
    assert_eq!(handle.call(3).unwrap(), "3 days 00 one two");
    patch(2).unwrap();
    assert_eq!(handle.call(3).unwrap(), "3 DAYS 00 ONE TWO");
    stage.close();
}

#[test]
fn patches_of_several_plugins_have_nothing_to_do_with_each_other() {
    let other = hotswap_tests::fixture::Build::First.bytes("alpha");
    let stage = Stage::open(&[("guest", &guest(0)), ("alpha", &other)]);
    answer(&stage, "guest").unwrap();
    let pulse: Function<fn(&str) -> String> = stage.swapper.function("alpha", "pulse").unwrap();
    let patch = stage.swapper.patch("alpha");
    let body = |text: &str| text.repeat(2);
    patch
        .rewrite::<fn(&str) -> String, _>("pulse", body)
        .apply()
        .unwrap();
    stage.swapper.patches("guest").reset().unwrap();
    assert_eq!(pulse.call("ab").unwrap(), "abab");
    assert_eq!(visit(&stage).call(3).unwrap(), "3 days 00");
    assert_eq!(stage.swapper.patches("alpha").version(), 1);
    stage.close();
}
