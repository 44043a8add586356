//! Tests which callers may ask for a reload, and which ones wait.
use crate::support::{Set, bottom, build, middle};
use hotswap_host::Generation;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{Build, ordered};
use insta::assert_snapshot;

#[test]
fn one_from_inside_a_call_is_refused_at_once() {
    let set = Set::chain();
    set.install("bottom", &build(&bottom(), 1));
    // The host calls the summit, which calls the middle, which calls the bottom, which calls an object of the host.
    let text = set
        .stage
        .swapper
        .invoke("summit", "reload", &[])
        .unwrap()
        .to_string();
    assert_snapshot!(text, @"a reload cannot run from inside a call, or while this thread holds a pin: it would wait for itself; reload from another thread, or ask for it with `Context::request_reload`");
    set.restored();
}

#[test]
fn one_with_a_pin_held_is_refused_at_once() {
    let set = Set::chain();
    set.install("bottom", &build(&bottom(), 1));
    let (error, text) = set.refuses_to(|swapper| {
        let _pin = swapper.pin();
        swapper.reload()
    });
    assert!(matches!(error, ReloadError::Reentrant(_)));
    assert_snapshot!(text, @"a reload cannot run from inside a call, or while this thread holds a pin: it would wait for itself; reload from another thread, or ask for it with `Context::request_reload`");
    for unload in [
        |swapper: &Swapper| swapper.unload("summit"),
        |swapper: &Swapper| swapper.load("none.so"),
    ] {
        let (error, same) = set.refuses_to(|swapper| {
            let _pin = swapper.pin();
            unload(swapper)
        });
        assert!(matches!(error, ReloadError::Reentrant(_)));
        assert_eq!(same, text);
    }
    set.restored();
}

/// The handle of an interface pins the generation while the closure runs.
#[test]
fn one_from_a_closure_that_calls_an_interface_is_refused_at_once() {
    let set = Set::open(&[("alpha", Build::First.bytes("alpha"))]);
    let alpha = set
        .stage
        .swapper
        .interface::<dyn shapes::Alpha>("alpha")
        .unwrap();
    let (error, _) = set.refuses_to(|swapper| alpha.call(|_| swapper.reload()).unwrap());
    assert!(matches!(error, ReloadError::Reentrant(_)), "{error}");
    drop(alpha);
    set.restored();
}

/// A hold is not bound to a thread, as a pin is.
#[test]
fn one_with_a_generation_held_succeeds() {
    let set = Set::chain();
    let hold = set.stage.swapper.pin().hold();
    set.stage.swap("bottom", &build(&bottom(), 1));
    let trace = |generation: &Generation| generation.invoke("summit", "trace", &[]).unwrap();
    assert_eq!(
        trace(&hold),
        "summit (build 00) <- middle (build 00) <- bottom (build 00)".into()
    );
    assert_eq!(
        set.trace("summit"),
        "summit (build 00) <- middle (build 00) <- bottom (build 01)"
    );
    drop(hold);
    set.stage.settle();
    set.stage.close();
}

#[test]
fn one_from_a_callback_is_refused_at_once() {
    let set = Set::chain();
    set.install("bottom", &build(&bottom(), 1));
    let (error, text) = set.refuses_to(|swapper| {
        let reload = swapper.prepare_reload();
        reload.check(|_| swapper.reload().map(drop)).run()
    });
    assert!(matches!(error, ReloadError::Vetoed(_)));
    assert_snapshot!(text, @"the new generation was refused: a reload cannot run from inside a hook or a callback of a reload: it would wait for itself; reload from another thread, or ask for it with `Context::request_reload`");
    set.restored();
}

/// The hook belongs to a plugin that has just been made, and calls an object of the host.
#[test]
fn one_from_a_hook_is_refused_at_once() {
    let probe = Build::First.bytes("probe");
    let set = Set::open(&[("bottom", bottom()), ("probe", probe.clone())]);
    set.install("probe", &ordered(&probe, "reload on_init"));
    let report = set.stage.swapper.reload().unwrap().to_string();
    assert_eq!(report, "bottom: unchanged; probe: reloaded");
    let told = set.stage.desk.told();
    let refused = told.iter().find(|told| told.contains("reload"));
    assert_snapshot!(refused.unwrap(), @"a reload cannot run from inside a hook or a callback of a reload: it would wait for itself; reload from another thread, or ask for it with `Context::request_reload`");
    set.stage.settle();
    set.stage.close();
}

/// Each attempt has a report of its own, also if one of them fails.
#[test]
fn those_asked_for_meanwhile_wait() {
    let probe = Build::First.bytes("probe");
    let set = Set::open(&[
        ("bottom", bottom()),
        ("middle", middle()),
        ("probe", probe.clone()),
    ]);
    let (stage, swapper) = (&set.stage, &set.stage.swapper);
    stage.install("probe", &ordered(&probe, "wait on_load"));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| swapper.reload());
        stage.desk.until_waiting("on_load");
        // The first reload has seen none of these changes, and those that wait see all of them.
        stage.install("bottom", &build(&bottom(), 1));
        let others: Vec<_> = (0..3).map(|_| scope.spawn(|| swapper.reload())).collect();
        let unload = scope.spawn(|| swapper.unload("bottom"));
        // Calls go on.
        assert_eq!(
            set.trace("middle"),
            "middle (build 00) <- bottom (build 00)"
        );
        assert!(!first.is_finished() && !unload.is_finished());
        assert!(others.iter().all(|other| !other.is_finished()));
        stage.desk.open("on_load");
        let first = first.join().unwrap().unwrap();
        assert_eq!(
            first.to_string(),
            "bottom: unchanged; middle: unchanged; probe: reloaded"
        );
        assert_eq!(first.generation, 2);
        let mut others: Vec<_> = others
            .into_iter()
            .map(|other| other.join().unwrap().unwrap())
            .collect();
        others.sort_by_key(|report| !report.changed());
        assert_eq!(
            others[0].to_string(),
            "bottom: reloaded; middle: followed bottom; probe: unchanged"
        );
        for report in &others[1..] {
            assert_eq!(
                report.to_string(),
                "bottom: unchanged; middle: unchanged; probe: unchanged"
            );
        }
        assert!(others.iter().all(|report| report.generation == 3));
        let error = unload.join().unwrap().unwrap_err();
        assert!(matches!(error, ReloadError::InUse { .. }), "{error}");
    });
    assert_eq!(
        set.trace("middle"),
        "middle (build 00) <- bottom (build 01)"
    );
    stage.settle();
    set.stage.close();
}
