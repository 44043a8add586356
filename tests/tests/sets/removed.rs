//! Tests that plugins that others import cannot be removed.
use crate::support::{Set, head};
use hotswap_host::prelude::*;
use hotswap_tests::fixture::Build;
use insta::assert_snapshot;

#[test]
fn a_file_that_is_gone() {
    let set = Set::chain();
    set.remove("bottom");
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(
        matches!(error, ReloadError::InUse { name, users } if name == "bottom" && users == ["middle"])
    );
    assert_snapshot!(text, @"bottom cannot be removed: it is imported by middle; keep it, or remove middle too");
    set.restored();
}

#[test]
fn two_files_that_are_gone() {
    let set = Set::chain();
    set.remove("bottom");
    set.remove("middle");
    let (error, text) = set.refuses_to(|swapper| swapper.reload());
    assert!(
        matches!(error, ReloadError::InUse { name, users } if name == "middle" && users == ["summit"])
    );
    assert_snapshot!(text, @"middle cannot be removed: it is imported by summit; keep it, or remove summit too");
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
    bottom cannot be removed: it is imported by middle; keep it, or remove middle too
    middle cannot be removed: it is imported by summit; keep it, or remove summit too
    ");
    set.restored();
}

#[test]
fn one_that_is_not_there() {
    let set = Set::chain();
    let (error, text) = set.refuses_to(|swapper| swapper.unload("botom"));
    assert!(matches!(error, ReloadError::NotLoaded { name, .. } if name == "botom"));
    assert_snapshot!(text, @"no plugin botom is loaded: did you mean bottom?");
    set.restored();
}

/// A plugin that is not imported any more can be removed, from the end of the chain on.
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
