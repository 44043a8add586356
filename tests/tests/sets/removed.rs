//! Plugins that others import cannot be taken away.
use crate::support::{Set, head};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::Build;
use insta::assert_snapshot;

#[test]
fn a_file_that_is_gone() {
    let set = Set::chain();
    set.remove("bottom");
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(matches!(error, ReloadError::Import { plugin, .. } if plugin == "middle"));
    assert_snapshot!(text, @"middle (<dir>/libmiddle.so) imports bottom: there is no such plugin: build it, or make the import optional");
    set.restored();
}

#[test]
fn two_files_that_are_gone() {
    let set = Set::chain();
    set.remove("bottom");
    set.remove("middle");
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(matches!(error, ReloadError::Import { plugin, .. } if plugin == "summit"));
    assert_snapshot!(text, @"summit (<dir>/libsummit.so) imports middle: there is no such plugin: build it, or make the import optional");
    set.restored();
}

#[test]
fn one_that_is_unloaded() {
    let set = Set::chain();
    let texts = ["bottom", "MIDDLE"].map(|name| {
        let (error, text) = set.refuses_to(|swapper| swapper.unload(name));
        assert!(
            matches!(&error, ReloadError::InUse { name: theirs, .. } if *theirs == name),
            "{error:?}"
        );
        text
    });
    assert_snapshot!(texts.join("\n"), @r"
    bottom cannot be unloaded: it is imported by middle
    MIDDLE cannot be unloaded: it is imported by summit
    ");
    set.restored();
}

#[test]
fn one_that_is_not_there() {
    let set = Set::chain();
    let (error, text) = set.refuses_to(|swapper| swapper.unload("botom"));
    assert!(matches!(error, ReloadError::NotLoaded { name, .. } if name == "botom"));
    assert_snapshot!(text, @"no plugin botom is loaded: loaded bottom, middle, summit");
    set.restored();
}

/// What nobody imports any more can go, from its end on.
#[test]
fn from_the_end_of_the_chain_on() {
    let set = Set::open(&[
        ("bottom", head("bottom")),
        ("middle", crate::support::middle()),
        ("guest", Build::First.bytes("guest")),
    ]);
    let reports = ["middle", "bottom"].map(|name| {
        let report = set.stage.swapper.unload(name).unwrap().to_string();
        set.stage.settle();
        report
    });
    assert_snapshot!(reports.join("\n"), @r"
    bottom: unchanged; guest: unchanged; middle: removed
    guest: unchanged; bottom: removed
    ");
    set.stage.close();
}
