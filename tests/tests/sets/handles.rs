//! Tests that no plugin of the set can take away what the host's handles need.
use crate::support::{Set, bottom, build, chain, middle};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::{Build, renamed};
use insta::assert_snapshot;

/// Returns the chain, and another plugin.
fn with(name: &'static str) -> Set {
    Set::open(&[
        ("bottom", bottom()),
        ("middle", middle()),
        (name, Build::First.bytes(name)),
    ])
}

/// Rebuilds the chain, which would be accepted on its own.
fn rebuild(set: &Set) {
    set.install("bottom", &build(&bottom(), 1));
    set.install("middle", &build(&middle(), 1));
}

#[test]
fn a_function_that_would_be_lost() {
    let set = with("guest");
    let visit: Function<fn(u32) -> String> = set.stage.swapper.function("guest", "visit").unwrap();
    rebuild(&set);
    set.install("guest", &Build::Later.bytes("guest"));
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(matches!(
        error,
        ReloadError::Handle { plugin, item, .. } if plugin == "guest" && item == "visit"
    ));
    assert_snapshot!(text, @"the host holds a handle of guest.visit: the new build has no such function; put it back, or drop the handle before the reload");
    assert_eq!(visit.call(2).unwrap(), "2 days 00");
    drop(visit);
    set.restored();
}

#[test]
fn a_plugin_that_would_be_lost() {
    let set = with("guest");
    let visit: Function<fn(u32) -> String> = set.stage.swapper.function("guest", "visit").unwrap();
    rebuild(&set);
    set.remove("guest");
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(matches!(error, ReloadError::Handle { plugin, .. } if plugin == "guest"));
    assert_snapshot!(text, @"the host holds a handle of guest.visit: the plugin would be gone; put it back, or drop the handle before the reload");
    let (error, same) = set.refuses_to(|swapper| swapper.unload("guest"));
    assert!(matches!(error, ReloadError::Handle { plugin, .. } if plugin == "guest"));
    assert_eq!(same, text);
    drop(visit);
    set.restored();
}

#[test]
fn a_function_of_another_signature() {
    let set = Set::open(&[("bottom", bottom()), ("probe", Build::First.bytes("probe"))]);
    let next: Function<fn(u32) -> u32> = set.stage.swapper.function("probe", "next").unwrap();
    set.install("bottom", &build(&bottom(), 1));
    set.install("probe", &Build::Later.bytes("probe"));
    let error = set.stage.swapper.reload().unwrap_err();
    assert!(matches!(
        &error,
        ReloadError::Handle { plugin, item, .. } if *plugin == "probe" && item == "next"
    ));
    assert_snapshot!(error, @r"
    the host holds a handle of probe.next: the host cannot call next of probe: the signatures differ
      the host expects number: u32
      probe has        number: u64
      build the plugin again, and the host: cargo hotswap build -p probe
    ");
    assert_eq!(set.trace("bottom"), "bottom (build 00)");
    assert_eq!(next.call(1).unwrap(), 2);
    drop(next);
    set.stage.settle();
    // Without the handle, the set is accepted.
    let report = set.stage.swapper.reload().unwrap().to_string();
    assert_eq!(report, "bottom: reloaded; probe: reloaded");
    set.stage.settle();
    set.stage.close();
}

#[test]
fn an_interface_that_would_be_lost_or_another() {
    let set = Set::open(&[("alpha", Build::First.bytes("alpha")), ("bottom", bottom())]);
    let alpha = set
        .stage
        .swapper
        .interface::<dyn shapes::Alpha>("alpha")
        .unwrap();
    set.install("bottom", &build(&bottom(), 1));
    let refused = || {
        let (error, text) = set.refuses_to(|swapper| swapper.reload());
        assert!(matches!(
            error,
            ReloadError::Handle { plugin, item, .. } if plugin == "alpha" && item == "Alpha"
        ));
        assert_eq!(alpha.call(|alpha| alpha.build()).unwrap(), "alpha 00");
        text
    };
    set.install("alpha", &Build::Later.bytes("alpha"));
    assert_snapshot!(refused(), @r"
    the host holds a handle of alpha.Alpha: the host cannot use Alpha of alpha: they were built with different versions of it
      Alpha::greet
      in at: Vector
      the host expects label: String
      alpha has        y: i64
      build the plugin again, and the host: cargo hotswap build -p alpha
    ");
    let bare = renamed(&Build::First.bytes("guest"), "guest", "alpha");
    set.install("alpha", &bare);
    assert_snapshot!(refused(), @"the host holds a handle of alpha.Alpha: the new build does not export it; put it back, or drop the handle before the reload");
    set.remove("alpha");
    assert_snapshot!(refused(), @"the host holds a handle of alpha.Alpha: the plugin would be gone; put it back, or drop the handle before the reload");
    drop(alpha);
    set.restored();
}

/// The handles of plugins that follow stay valid.
#[test]
fn a_handle_follows_with_its_plugin() {
    let set = Set::chain();
    let trace: Function<fn() -> String> = set.stage.swapper.function("summit", "trace").unwrap();
    for number in 1..=3 {
        set.stage.swap("bottom", &build(&bottom(), number));
        let expected =
            format!("summit (build 00) <- middle (build 00) <- bottom (build {number:02})");
        assert_eq!(trace.call().unwrap(), expected);
    }
    drop(trace);
    for (name, library) in chain() {
        set.install(name, &library);
    }
    set.stage.swapper.reload().unwrap();
    set.stage.settle();
    set.stage.close();
}
