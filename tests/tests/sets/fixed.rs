//! Tests plugins that may not be replaced, among those that may.
use crate::support::{Set, bottom, build, chain, middle, summit};
use hotswap_host::PluginErrorKind;
use hotswap_host::prelude::*;
use hotswap_tests::fixture::ordered;
use insta::assert_snapshot;

fn fixed(link: &[u8]) -> Vec<u8> {
    ordered(link, "fixed")
}

/// Returns the error for a plugin that may not be replaced, but imports one that may.
fn refused(name: &'static str, library: &[u8], expected: &[&str]) -> String {
    let set = Set::chain();
    set.install("bottom", &build(&bottom(), 1));
    set.install(name, &fixed(library));
    let (error, text) = set.refuses();
    let Some(PluginErrorKind::NotReloadable { chain }) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(error.plugin().unwrap(), name);
    assert_eq!(error.file().unwrap(), set.stage.file(name));
    assert_eq!(chain, expected);
    set.restored();
    text
}

#[test]
fn one_that_imports_what_may_be_replaced() {
    let text = refused("middle", &middle(), &["middle", "bottom"]);
    assert_snapshot!(text, @"middle (<dir>/libmiddle.so) is not reloadable, but imports reloadable plugins (middle -> bottom); make all of them reloadable, or none");
}

#[test]
fn one_whose_import_imports_what_may_be_replaced() {
    let text = refused("summit", &summit(), &["summit", "middle", "bottom"]);
    assert_snapshot!(text, @"summit (<dir>/libsummit.so) is not reloadable, but imports reloadable plugins (summit -> middle -> bottom); make all of them reloadable, or none");
}

/// The first plugin of a chain stays for good, and the last one comes and goes.
#[test]
fn those_that_others_import() {
    let set = Set::open(&[
        ("bottom", fixed(&bottom())),
        ("middle", fixed(&middle())),
        ("summit", summit()),
    ]);
    for (name, library) in chain() {
        set.install(name, &build(&library, 1));
    }
    assert_snapshot!(set.stage.swapper.reload().unwrap(), @"bottom: not reloadable, the running build stays; middle: not reloadable, the running build stays; summit: reloaded");
    assert_eq!(
        set.trace("summit"),
        "summit (build 01) <- middle (build 00) <- bottom (build 00)"
    );
    assert_eq!(set.stage.settle().len(), 1);
    // The fixed plugins cannot be removed, either, while others import them.
    let error = set.stage.swapper.unload("bottom").unwrap_err();
    assert!(matches!(error, ReloadError::InUse { .. }), "{error}");
    for name in ["summit", "middle", "bottom"] {
        set.stage.swapper.unload(name).unwrap();
    }
    set.stage.settle();
    set.stage.close();
}
