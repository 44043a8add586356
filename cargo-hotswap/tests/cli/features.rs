//! Crates that are compiled with other features for one plugin than for another, or than for the host.

use crate::fixture::Fixture;

/// `util` has a feature, and something in it that may cross.
fn shared_crate(fixture: &Fixture) {
    fixture.package("hotswap-plugin", "");
    fixture.write("hotswap-plugin/src/lib.rs", "");
    fixture.package(
        "util",
        "hotswap-plugin = { path = \"../hotswap-plugin\" }\n[features]\ncolor = []\ndeep = []",
    );
    fixture.edit("Cargo.toml", "\"util\"", "\"util\", \"hotswap-plugin\"");
}

#[test]
fn a_feature_that_one_plugin_lacks_is_named_with_what_to_write() {
    let fixture = Fixture::new();
    shared_crate(&fixture);
    fixture.plugin(
        "app/world",
        "util = { path = \"../../util\", features = [\"color\"] }",
    );
    let ran = fixture.ok(&["build", "-q", "app"]);
    insta::assert_snapshot!(ran.stderr, @r#"
    warning: `util` has the feature `color` for the plugin `world`, and not for the plugin `moon`; where an interface or a type depends on it, the host refuses these plugins, however often they are built. Write

        util = { …, features = ["color"] }

    under [dependencies] in `app/moon/Cargo.toml`
    "#);
    fixture.plugin(
        "app/moon",
        "util = { path = \"../../util\", features = [\"color\"] }",
    );
    assert_eq!(fixture.ok(&["build", "-q", "app"]).stderr, "");
}

#[test]
fn a_feature_that_the_host_lacks_is_named_with_what_to_write() {
    let fixture = Fixture::new();
    shared_crate(&fixture);
    fixture.package("app", "util = { path = \"../util\" }");
    for plugin in ["app/world", "app/moon"] {
        fixture.plugin(
            plugin,
            "util = { path = \"../../util\", features = [\"color\", \"deep\"] }",
        );
    }
    let ran = fixture.ok(&["build", "-q", "app"]);
    insta::assert_snapshot!(ran.stderr, @r#"
    warning: `util` has the features `color`, `deep` for the plugin `world` and the plugin `moon`, and not for the host `app`; where an interface or a type depends on it, the host refuses these plugins, however often they are built. Write

        util = { …, features = ["color", "deep"] }

    under [dependencies] in `app/Cargo.toml`
    "#);
}

/// Nothing of it crosses.
#[test]
fn crates_without_interfaces_may_differ() {
    let fixture = Fixture::new();
    fixture.package("util", "[features]\ncolor = []");
    fixture.plugin(
        "app/world",
        "util = { path = \"../../util\", features = [\"color\"] }",
    );
    assert_eq!(fixture.ok(&["build", "-q", "app"]).stderr, "");
}
