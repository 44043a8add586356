//! Tests names that two plugins have, and names that no plugin has.
use crate::support::{Set, bottom, head, link, link_after, middle};
use hotswap_host::prelude::*;
use hotswap_host::{PluginError, PluginErrorKind};
use hotswap_tests::fixture::Build;
use insta::assert_snapshot;

#[test]
fn two_plugins_whose_names_differ_by_case() {
    let set = Set::chain();
    set.install("other", &head("BOTTOM"));
    let (error, text) = set.refuses();
    let ReloadError::Duplicate {
        name,
        first,
        second,
        ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(name, "bottom");
    assert_eq!(
        (first, second),
        (set.stage.file("bottom"), set.stage.file("other"))
    );
    assert_snapshot!(text, @"two artifacts contain the plugin BOTTOM: <dir>/libbottom.so and <dir>/libother.so; remove one of them");
    set.restored();
}

#[test]
fn two_plugins_whose_names_differ_by_hyphen_and_underscore() {
    let set = Set::open(&[("one", head("my-one"))]);
    set.install("two", &head("My_One"));
    let (error, text) = set.refuses();
    assert!(matches!(error, ReloadError::Duplicate { name, .. } if name == "MY-one"));
    assert_snapshot!(text, @"two artifacts contain the plugin My_One: <dir>/libone.so and <dir>/libtwo.so; remove one of them");
    set.restored();
}

#[test]
fn an_import_that_is_mistyped() {
    let set = Set::chain();
    set.install("middle", &link("middle", "botton"));
    let (error, text) = set.refuses();
    assert!(matches!(
        error,
        ReloadError::Plugin(PluginError { plugin, file, kind: PluginErrorKind::Import { import, .. }, .. })
            if plugin == "middle" && import == "botton" && file == set.stage.file("middle")
    ));
    assert_snapshot!(text, @"middle (<dir>/libmiddle.so) imports botton: there is no such plugin; did you mean bottom?");
    set.restored();
}

#[test]
fn an_import_that_nobody_is() {
    let set = Set::chain();
    set.install("summit", &link("summit", "x-yz-0"));
    let (error, text) = set.refuses();
    assert!(matches!(error.kind(), Some(PluginErrorKind::Import { .. })));
    assert_eq!(error.plugin().unwrap(), "summit");
    assert_snapshot!(text, @"summit (<dir>/libsummit.so) imports x-yz-0: there is no such plugin; build it, or make the import optional");
    set.restored();
}

/// The import is never called.
#[test]
fn one_that_has_to_be_there_first_and_is_not() {
    let set = Set::chain();
    set.install("summit", &link_after("summit", "middle", "mddle-"));
    let (error, text) = set.refuses();
    assert!(
        matches!(error.kind(), Some(PluginErrorKind::Import { import, .. }) if import == "mddle-")
    );
    assert_snapshot!(text, @"summit (<dir>/libsummit.so) imports mddle-: there is no such plugin; did you mean middle?");
    set.restored();
}

#[test]
fn an_import_from_a_plugin_that_exports_nothing() {
    let set = Set::open(&[
        ("bottom", bottom()),
        ("talker", Build::First.bytes("talker")),
    ]);
    set.install("middle", &link("middle", "talker"));
    let (error, text) = set.refuses();
    assert!(matches!(error.kind(), Some(PluginErrorKind::Import { .. })));
    assert_eq!(error.plugin().unwrap(), "middle");
    assert_snapshot!(text, @"middle (<dir>/libmiddle.so) imports Link of talker: it exports nothing; see `#[plugin(exports(…))]`");
    set.restored();
}

#[test]
fn an_import_from_a_plugin_that_exports_something_else() {
    let set = Set::open(&[
        ("bottom", bottom()),
        ("book-a", Build::First.bytes("ledger")),
    ]);
    set.install("middle", &link("middle", "book-a"));
    let (error, text) = set.refuses();
    assert!(matches!(error.kind(), Some(PluginErrorKind::Import { .. })));
    assert_eq!(error.plugin().unwrap(), "middle");
    assert_snapshot!(text, @"middle (<dir>/libmiddle.so) imports Link of book-a: it exports Parameter, Outcome, Missing, Extra, Reordered, Deep");
    set.restored();
}

/// The import writes the name in another way.
#[test]
fn an_import_whose_name_is_written_otherwise() {
    let set = Set::open(&[
        ("bottom", head("my-one")),
        ("middle", link("middle", "My_oNE")),
    ]);
    assert_eq!(
        set.trace("MIDDLE"),
        "middle (build 00) <- my-one (build 00)"
    );
    let listing = set.stage.swapper.listing();
    assert_eq!(listing.plugins[1].dependencies[0].as_str(), "my-one");
    set.install("middle", &middle());
    let (_, text) = set.refuses();
    assert_snapshot!(text, @"middle (<dir>/libmiddle.so) imports bottom: there is no such plugin; build it, or make the import optional");
    set.restored();
}

/// A plugin's name is the one in its build, whatever the file is called.
#[test]
fn a_plugin_that_takes_another_name() {
    let set = Set::chain();
    set.install("summit", &link("aerial", "middle"));
    let report = set.stage.swapper.reload().unwrap();
    assert_snapshot!(report, @"bottom: unchanged; middle: unchanged; aerial: loaded; summit: removed");
    set.stage.settle();
    // Other spellings mean the same plugin.
    set.install("bottom", &head("BottoM"));
    let report = set.stage.swapper.reload().unwrap();
    assert_snapshot!(report, @"BottoM: reloaded; middle: followed bottom; aerial: followed middle");
    assert_eq!(
        set.trace("aerial"),
        "aerial (build 00) <- middle (build 00) <- BottoM (build 00)"
    );
    // A plugin that others import keeps its name.
    set.install("bottom", &head("ground"));
    let error = set.stage.swapper.reload().unwrap_err();
    assert_snapshot!(error, @"BottoM cannot be removed: it is imported by middle; keep it, or remove middle too");
    set.stage.settle();
    set.stage.close();
}

#[test]
fn a_plugin_whose_file_is_moved() {
    let set = Set::chain();
    let file = set.stage.file("elsewhere");
    std::fs::rename(set.stage.file("bottom"), &file).unwrap();
    let report = set.stage.swapper.reload().unwrap();
    assert_snapshot!(report, @"bottom: reloaded; middle: followed bottom; summit: followed middle");
    assert_eq!(set.stage.swapper.listing().plugins[0].file, file);
    set.stage.settle();
    set.stage.close();
}
