//! Crates that have other features for one plugin than for another, or than for the host.

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

/// Returns the lines of `stderr` that begin with `verb`.
fn lines<'s>(stderr: &'s str, verb: &str) -> Vec<&'s str> {
    let lines = stderr.lines().map(str::trim_start);
    lines.filter(|line| line.starts_with(verb)).collect()
}

#[test]
fn a_feature_that_one_plugin_has_is_added_for_the_others() {
    let fixture = Fixture::new();
    shared_crate(&fixture);
    fixture.package(
        "app",
        "util = { path = \"../util\", features = [\"deep\"] }",
    );
    fixture.plugin(
        "app/world",
        "util = { path = \"../../util\", features = [\"color\", \"deep\"] }",
    );
    let ran = fixture.ok(&["build", "-v", "app"]);
    let moon = "Features moon: util/color (as in world), util/deep (as in app, world)";
    assert_eq!(lines(&ran.stderr, "Features"), [moon]);
    assert_eq!(
        lines(&ran.stderr, "Compiling util").len(),
        1,
        "{}",
        ran.stderr
    );
    // Also if it is built alone, and for a program that has it.
    for args in [
        &["build", "--dry-run", "-p", "moon"][..],
        &["build", "--dry-run", "--static", "app"],
    ] {
        let ran = fixture.ok(args);
        let of_moon = ran
            .lines()
            .into_iter()
            .find(|line| line.contains("app/moon/Cargo.toml"));
        let of_moon = of_moon.expect("it would be built");
        assert!(
            of_moon.contains("--features 'util/color,util/deep'"),
            "{of_moon}"
        );
    }
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
    warning: `util` has the features `color`, `deep` for the plugin `world` and the plugin `moon`, and not for the host `app`; where an interface or a type depends on it, the host refuses these plugins, however often they are built, unless `cargo hotswap run` builds the host. Write

        util = { …, features = ["color", "deep"] }

    under [dependencies] in `app/Cargo.toml`
    "#);
    // There, it is added, and Cargo runs the host that was built.
    let ran = fixture.ok(&["run", "--no-watch", "app"]);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    assert_eq!(
        lines(&ran.stderr, "Compiling app").len(),
        1,
        "{}",
        ran.stderr
    );
    assert_eq!(
        lines(&ran.stderr, "Compiling util"),
        [""; 0],
        "{}",
        ran.stderr
    );
}

/// Cargo has no argument for a feature of such a crate.
#[test]
fn a_crate_that_a_plugin_has_through_another_is_named_with_what_to_write() {
    let fixture = Fixture::new();
    shared_crate(&fixture);
    fixture.package("tint", "util = { path = \"../util\" }");
    fixture.write("tint/src/lib.rs", "");
    fixture.edit("Cargo.toml", "\"util\"", "\"util\", \"tint\"");
    fixture.plugin("app/moon", "tint = { path = \"../../tint\" }");
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
    let manifest = fixture.read("app/moon/Cargo.toml");
    fixture.write(
        "app/moon/Cargo.toml",
        &format!("{manifest}util = {{ path = \"../../util\", features = [\"color\"] }}\n"),
    );
    assert_eq!(fixture.ok(&["build", "-q", "app"]).stderr, "");
}

/// Nothing of it crosses, and each plugin has the features that it asks for.
#[test]
fn crates_without_interfaces_may_differ() {
    let fixture = Fixture::new();
    fixture.package("util", "[features]\ncolor = []");
    fixture.plugin(
        "app/world",
        "util = { path = \"../../util\", features = [\"color\"] }",
    );
    assert_eq!(fixture.ok(&["build", "-q", "app"]).stderr, "");
    let ran = fixture.ok(&["build", "--dry-run", "-v", "app"]);
    assert_eq!(lines(&ran.stderr, "Features"), [""; 0]);
    assert!(!ran.stdout.contains("--features"), "{}", ran.stdout);
}
