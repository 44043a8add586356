//! Tests plugins that import each other in a circle.
use crate::support::{Set, link, link_after};
use hotswap_host::prelude::*;
use insta::assert_snapshot;

/// Returns the plugins of a circle that is refused, with the first one again at the end, and the text.
fn circle(set: &Set) -> (Vec<String>, String) {
    match set.refuses() {
        (ReloadError::Cycle { chain, .. }, text) => {
            (chain.iter().map(|name| name.to_string()).collect(), text)
        }
        (error, _) => panic!("{error:?}"),
    }
}

#[test]
fn of_one() {
    let set = Set::chain();
    set.install("bottom", &link("bottom", "bottom"));
    let (chain, text) = circle(&set);
    assert_eq!(chain, ["bottom", "bottom"]);
    assert_snapshot!(text, @"plugins import each other in a circle: bottom -> bottom");
    set.restored();
}

#[test]
fn of_two() {
    let set = Set::chain();
    set.install("bottom", &link("bottom", "middle"));
    let (chain, text) = circle(&set);
    assert_eq!(chain, ["bottom", "middle", "bottom"]);
    assert_snapshot!(text, @"plugins import each other in a circle: bottom -> middle -> bottom");
    set.restored();
}

#[test]
fn of_three() {
    let set = Set::chain();
    set.install("bottom", &link("bottom", "summit"));
    let (chain, text) = circle(&set);
    assert_eq!(chain, ["bottom", "summit", "middle", "bottom"]);
    assert_snapshot!(text, @"plugins import each other in a circle: bottom -> summit -> middle -> bottom");
    set.restored();
}

/// One of the imports is never called, and only sets the order.
#[test]
fn of_an_import_and_an_order() {
    let set = Set::chain();
    set.install("middle", &link_after("middle", "bottom", "summit"));
    let (chain, text) = circle(&set);
    assert_eq!(chain, ["middle", "summit", "middle"]);
    assert_snapshot!(text, @"plugins import each other in a circle: middle -> summit -> middle");
    set.restored();
}

/// A plugin that imports from a circle does not belong to the circle.
#[test]
fn that_another_plugin_imports_from() {
    let set = Set::chain();
    set.install("middle", &link("middle", "bottom"));
    set.install("bottom", &link("bottom", "middle"));
    set.install("aaaaaa", &link("aaaaaa", "middle"));
    let (chain, text) = circle(&set);
    assert_eq!(chain, ["middle", "bottom", "middle"]);
    assert_snapshot!(text, @"plugins import each other in a circle: middle -> bottom -> middle");
    set.restored();
}
