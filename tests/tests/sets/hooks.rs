//! Tests sets of three plugins of which the second one fails or panics in a hook.
use crate::support::{Set, bottom, build, chain, head, middle, summit, told_of};
use hotswap_host::prelude::*;
use hotswap_host::{Hook, HookFailure};
use hotswap_tests::fixture::ordered;
use hotswap_tests::records;
use insta::assert_snapshot;

/// Installs another build of each of the three, the second one with these orders.
fn next(set: &Set, orders: &str) {
    set.install("bottom", &build(&bottom(), 1));
    set.install("middle", &ordered(&build(&middle(), 1), orders));
    set.install("summit", &build(&summit(), 1));
}

/// Returns the hook that failed, whether it panicked, and the text.
fn refused(set: &Set, orders: &str) -> (Hook, bool, String) {
    next(set, orders);
    match set.refuses() {
        (
            ReloadError::Hook(HookFailure {
                plugin,
                file,
                hook,
                panicked,
                ..
            }),
            text,
        ) => {
            assert_eq!(plugin, "middle");
            assert_eq!(file, set.stage.file("middle"));
            (hook, panicked, text)
        }
        (error, _) => panic!("{error:?}"),
    }
}

#[test]
fn one_that_fails_refuses_the_set() {
    let set = Set::chain();
    let hooks = [
        ("new", Hook::New),
        ("on_load", Hook::OnLoad),
        ("on_init", Hook::OnInit),
    ];
    let texts = hooks.map(|(name, expected)| {
        let (hook, panicked, text) = refused(&set, &format!("fail {name}"));
        assert_eq!((hook, panicked), (expected, false));
        text
    });
    assert_snapshot!(texts.join("\n"), @r"
    middle: new failed: new would rather not (<dir>/libmiddle.so)
    middle: on_load failed: on_load would rather not (<dir>/libmiddle.so)
    middle: on_init failed: on_init would rather not (<dir>/libmiddle.so)
    ");
    set.restored();
}

#[test]
fn one_that_panics_refuses_the_set() {
    let set = Set::chain();
    let hooks = [
        ("reloadable", Hook::Reloadable),
        ("new", Hook::New),
        ("on_load", Hook::OnLoad),
        ("on_init", Hook::OnInit),
    ];
    let texts = hooks.map(|(name, expected)| {
        let (hook, panicked, text) = refused(&set, &format!("panic {name}"));
        assert_eq!((hook, panicked), (expected, true));
        text
    });
    assert_snapshot!(texts.join("\n"), @r"
    middle: reloadable panicked: gave up: panic (<dir>/libmiddle.so)
    middle: new panicked: gave up: panic (<dir>/libmiddle.so)
    middle: on_load panicked: gave up: panic (<dir>/libmiddle.so)
    middle: on_init panicked: gave up: panic (<dir>/libmiddle.so)
    ");
    set.restored();
}

/// Each plugin gets as far as it can: all are made before the first one is loaded, and all are loaded before the first
/// one is initialised.
#[test]
fn what_was_made_is_freed_the_last_first() {
    let set = Set::chain();
    let told = |orders: &str| {
        next(&set, orders);
        set.stage.desk.told();
        set.stage.swapper.reload().unwrap_err();
        set.stage.settle();
        set.stage.desk.told().join("\n")
    };
    assert_snapshot!(told("fail new"), @r"
    2 bottom new
    2 bottom on_free
    2 bottom drop
    ");
    assert_snapshot!(told("fail on_load"), @r"
    2 bottom new
    2 middle new
    2 summit new
    2 bottom on_load
    2 middle on_load
    2 summit on_free
    2 summit drop
    2 middle on_free
    2 middle drop
    2 bottom on_free
    2 bottom drop
    ");
    assert_snapshot!(told("fail on_init"), @r"
    2 bottom new
    2 middle new
    2 summit new
    2 bottom on_load
    2 middle on_load
    2 summit on_load
    2 bottom on_init
    2 middle on_init
    2 summit on_free
    2 summit drop
    2 middle on_free
    2 middle drop
    2 bottom on_free
    2 bottom drop
    ");
    set.restored();
}

/// The order is the same if no plugin imports another one.
#[test]
fn plugins_that_do_not_import_each_other() {
    let names = ["my-one", "my-two", "thr-ee"];
    let set = Set::open(&names.map(|name| (name, head(name))));
    let told = || {
        set.stage.settle();
        set.stage.desk.told()
    };
    for name in names {
        set.install(name, &build(&head(name), 1));
    }
    set.install("thr-ee", &ordered(&head("thr-ee"), "fail on_init"));
    set.stage.swapper.reload().unwrap_err();
    assert_eq!(told_of(&told(), "on_free"), ["thr-ee", "my-two", "my-one"]);
    set.install("thr-ee", &build(&head("thr-ee"), 1));
    set.stage.swapper.reload().unwrap();
    let told = told();
    for hook in ["on_stop", "on_free"] {
        assert_eq!(told_of(&told, hook), ["thr-ee", "my-two", "my-one"]);
    }
    set.stage.close();
}

/// The bottom has to wait until the middle has left memory, and no other plugin waits for the bottom.
#[test]
fn plugins_of_which_some_import_each_other() {
    let set = Set::open(&[
        ("aerial", head("aerial")),
        ("bottom", bottom()),
        ("middle", middle()),
        ("my-one", head("my-one")),
    ]);
    for name in ["aerial", "bottom", "my-one"] {
        set.install(name, &build(&head(name), 1));
    }
    set.install("middle", &ordered(&middle(), "fail on_init"));
    let (error, _) = set.refuses();
    assert!(matches!(error, ReloadError::Hook(_)), "{error}");
    set.restored();
}

/// A refused plugin panics while it is freed, which does not change the refusal.
#[test]
fn one_that_panics_when_it_is_freed_is_logged() {
    records::keep();
    let set = Set::chain();
    for hook in ["on_free", "drop"] {
        next(&set, &format!("panic {hook}"));
        let failing = ordered(&build(&summit(), 1), "fail on_init");
        set.install("summit", &failing);
        let (error, _) = set.refuses();
        assert!(
            matches!(error, ReloadError::Hook(HookFailure { plugin, .. }) if plugin == "summit")
        );
        let line = format!("middle: {hook} panicked: gave up: panic");
        records::wait_for(&[&line, &set.stage.file("middle").display().to_string()]);
    }
    set.restored();
}

#[test]
fn one_that_panics_after_the_switch_is_logged() {
    records::keep();
    let set = Set::chain();
    let stage = &set.stage;
    let trace =
        |n: u8| format!("summit (build {n:02}) <- middle (build {n:02}) <- bottom (build {n:02})");
    for hook in ["on_start", "on_stop", "on_free", "drop"] {
        next(&set, &format!("panic {hook}"));
        stage.desk.told();
        let report = stage.swapper.reload().unwrap().to_string();
        assert_eq!(
            report,
            "bottom: reloaded; middle: reloaded; summit: reloaded"
        );
        assert_eq!(set.trace("summit"), trace(1));
        stage.settle();
        let started = stage.desk.told();
        assert_eq!(
            told_of(&started, "on_start"),
            ["bottom", "middle", "summit"]
        );
        for (name, library) in chain() {
            set.install(name, &library);
        }
        stage.swapper.reload().unwrap();
        assert_eq!(set.trace("summit"), trace(0));
        let file = stage.file("middle").display().to_string();
        records::wait_for(&[&format!("middle: {hook} panicked: gave up: panic"), &file]);
        // The other plugins were stopped and freed all the same, the last one first.
        stage.settle();
        let told = stage.desk.told();
        for hook in ["on_stop", "on_free", "drop"] {
            assert_eq!(told_of(&told, hook), ["summit", "middle", "bottom"]);
        }
    }
    set.stage.close();
}

/// The check runs between the stages: every plugin is made, and none is live.
#[test]
fn a_check_that_panics_refuses_the_set() {
    let set = Set::chain();
    next(&set, "");
    let (error, text) = set.refuses_to(|swapper| {
        let reload = swapper.prepare_reload();
        let check = reload.check(|change| -> Result<(), String> {
            let answer = change.next().invoke("summit", "trace", &[]).unwrap();
            panic!("not {answer}");
        });
        check.run()
    });
    assert!(matches!(error, ReloadError::Vetoed(_)));
    assert_snapshot!(text, @"the new generation was refused: the check panicked: not summit (build 01) <- middle (build 01) <- bottom (build 01)");
    let (error, text) = set.refuses_to(|swapper| {
        let reload = swapper.prepare_reload();
        reload.check(|_| Err("not on a Sunday")).run()
    });
    assert!(matches!(error, ReloadError::Vetoed(_)));
    assert_snapshot!(text, @"the new generation was refused: not on a Sunday");
    set.restored();
}
