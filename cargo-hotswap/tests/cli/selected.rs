//! Which plugins are meant.

use crate::fixture::Fixture;

fn names(fixture: &Fixture, directory: &str, args: &[&str]) -> Vec<String> {
    let ran = fixture.run_at(directory, &[&["build", "--dry-run"], args].concat());
    assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.stderr);
    let name = |line: &&str| {
        let (_, rest) = line.split_once("--manifest-path ")?;
        Some(rest.split_once("/Cargo.toml")?.0.to_owned())
    };
    ran.lines().iter().filter_map(name).collect()
}

#[test]
fn paths_options_and_the_current_directory() {
    let fixture = Fixture::new();
    let both = ["app/world", "app/moon"];
    assert_eq!(names(&fixture, "", &["app"]), both);
    assert_eq!(names(&fixture, "app", &[]), both);
    assert_eq!(
        names(&fixture, "app/src", &[]),
        both,
        "as with Cargo, the manifest may be above"
    );
    assert_eq!(
        names(&fixture, "util", &["--manifest-path", "../app/Cargo.toml"]),
        both
    );
    assert_eq!(
        names(&fixture, "", &[]),
        both,
        "the workspace stands for all its hosts"
    );
    assert_eq!(names(&fixture, "", &["app/moon"]), ["app/moon"]);
    assert_eq!(
        names(&fixture, "", &["app/moon", "app/world"]),
        ["app/moon", "app/world"]
    );
    assert_eq!(names(&fixture, "app/moon", &[]), ["app/moon"]);
    assert_eq!(names(&fixture, "app/moon", &["--workspace"]), both);
    assert_eq!(names(&fixture, "", &["-p", "MOON"]), ["app/moon"]);
    assert_eq!(names(&fixture, "util", &["-p", "app"]), both);
    assert_eq!(names(&fixture, "", &["--exclude", "world"]), ["app/moon"]);
}

/// As a host's errors name it.
#[test]
fn a_plugin_by_its_own_name() {
    let fixture = Fixture::new();
    let call_moon = |name: &str| {
        let (from, to) = (
            "#[rustfmt::plugin",
            format!("#[rustfmt::plugin(name = \"{name}\")"),
        );
        fixture.edit("app/moon/src/lib.rs", from, &to);
    };
    call_moon("Luna-1");
    assert_eq!(names(&fixture, "", &["-p", "luna_1"]), ["app/moon"]);
    assert_eq!(names(&fixture, "", &["--exclude", "luna-1"]), ["app/world"]);
    // A package's name counts more.
    fixture.edit("app/moon/src/lib.rs", "(name = \"Luna-1\")", "");
    call_moon("world");
    assert_eq!(names(&fixture, "", &["-p", "world"]), ["app/world"]);
}

#[test]
fn two_workspaces_at_once() {
    let (one, two) = (Fixture::new(), Fixture::new());
    let there = two.root.join("app");
    let ran = one.ok(&[
        "build",
        "-q",
        "app",
        there.to_str().expect("the path is text"),
    ]);
    assert_eq!(ran.lines().len(), 4);
    assert!(two.artifact_path("moon").exists());
}

#[test]
fn the_hosts_own_list_counts_more_than_where_plugins_lie() {
    let fixture = Fixture::new();
    fixture.edit("Cargo.toml", "\"util\"", "\"util\", \"far-away\"");
    fixture.plugin("far-away", "");
    let manifest = fixture.read("app/Cargo.toml");
    fixture.write(
        "app/Cargo.toml",
        &format!("{manifest}\n[package.metadata.hotswap]\nplugins = [\"Far_Away\"]\n"),
    );
    assert_eq!(names(&fixture, "app", &[]), ["far-away"]);
    let ran = fixture.ok(&["build", "app", "-v"]);
    assert!(
        ran.stderr
            .contains("Plugins far-away of app (listed under [package.metadata.hotswap]"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_plugin_of_no_host_goes_beside_the_hosts() {
    let fixture = Fixture::new();
    fixture.edit("Cargo.toml", "\"util\"", "\"util\", \"lonely\"");
    fixture.plugin("lonely", "");
    assert_eq!(
        fixture.ok(&["build", "lonely"]).stdout.trim_end(),
        "<root>/target/hotswap/debug/liblonely.so"
    );
    assert_eq!(
        names(&fixture, "", &[]),
        ["app/world", "app/moon", "lonely"]
    );
}

#[test]
fn features_go_to_the_packages_that_have_them() {
    let fixture = Fixture::new();
    let manifest = fixture.read("app/moon/Cargo.toml");
    fixture.write(
        "app/moon/Cargo.toml",
        &format!("{manifest}\n[features]\nbright = []\n"),
    );
    let ran = fixture.ok(&["build", "app", "--dry-run", "-F", "bright"]);
    let has = |line: &str| line.contains("--features bright");
    assert_eq!(
        ran.lines().into_iter().map(has).collect::<Vec<_>>(),
        [false, true]
    );
    let ran = fixture.run(&["build", "app", "-F", "dark"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.stderr, @"error: no package to build has the feature `dark`");
}
